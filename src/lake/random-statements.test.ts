// Random statements on an Iceberg table and on a plain DuckDB table give the same rows after each step.
//
// All setups together: 100 sequences in `make test`, 5,000 in `make soak`. There they come in slices, each with a seed of
// its own, and what has passed is noted in a file, so that a run which was ended goes on where it was.

import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { collect } from './lake.ts'
import { openSession } from './session.ts'
import { openWorld } from './world.ts'

const slice = 25 // of four kinds of tables: a hundred sequences, where nothing else is asked for
const slices = process.env['SOAK'] ? Math.ceil(Number(process.env['SOAK_CASES'] ?? 1_250) / slice) : 1

let world: Awaited<ReturnType<typeof openWorld>>
let plain: DuckDBConnection
beforeAll(async () => {
  world = await openWorld()
  plain = await (await DuckDBInstance.create(':memory:')).connect()
  await plain.run('CREATE SCHEMA raw')
})
afterAll(() => world?.close())

const outcome = async (all: readonly string[], run: (sql: string) => Promise<unknown>) => {
  try {
    for (const one of all) await run(one)
    return 'done'
  } catch {
    return 'failed'
  }
}
/** A failure ends the transaction in both. */
async function inPlain(sql: readonly string[]) {
  let isCommitting = false
  const theirs = await outcome(sql, (one) => {
    isCommitting = one === 'commit'
    return plain.run(one)
  })
  if (theirs === 'done' || sql.length === 1) return theirs
  if (!isCommitting) {
    await plain.run('rollback')
    return theirs
  }
  // DuckDB cannot commit rows that were written before and after an ALTER of the same transaction. Nobody else writes
  // here, so the statements, which all went well, do the same without one.
  return outcome(sql.slice(1, -1), (one) => plain.run(one))
}

const number = fc.integer({ min: 0, max: 12 })
const word = fc.constantFrom("'a'", "'b'", "'c'", 'null')
const condition = fc.oneof(
  number.map((n) => `id = ${n}`),
  number.map((n) => `n > ${n}`),
  word.map((w) => (w === 'null' ? 'region is null' : `region = ${w}`)),
  fc.tuple(number, word).map(([n, w]) => `id % 3 = ${n % 3} or region = ${w}`),
)
/** The table itself beside the one that is changed, with conditions of its own. */
const ofItself = fc
  .tuple(fc.constantFrom('id', 'n'), condition)
  .map(([name, where]) => `select ${name} from raw.T where ${where}`)
const rowValues = fc.tuple(number, number, word).map((values) => `(${values.join(', ')})`)
const source = fc.uniqueArray(fc.tuple(number, number, word), { minLength: 1, maxLength: 5, selector: ([id]) => id })
const change = fc.oneof(
  fc.array(rowValues, { minLength: 1, maxLength: 6 }).map((rows) => `insert into raw.T values ${rows.join(', ')}`),
  condition.map((where) => `delete from raw.T where ${where}`),
  fc.tuple(number, condition).map(([n, where]) => `update raw.T set n = n + ${n} where ${where}`),
  fc.tuple(word, condition).map(([w, where]) => `update raw.T set region = ${w}, id = id where ${where}`),
  fc.tuple(source, condition).map(
    ([rows, and]) =>
      `merge into raw.T as t using (select * from (values ${rows.map((row) => `(${row.join(', ')})`).join(', ')}) as v(sid, sn, sregion)) as s on t.id = s.sid and t.n = s.sn
       when matched and t.${and.replaceAll(' or region', ' or t.region')} then delete
       when matched then update set region = s.sregion
       when not matched then insert (id, n, region) values (s.sid, s.sn, s.sregion)`,
  ),
  fc
    .tuple(ofItself, condition)
    .map(([rows, where]) => `update raw.T set n = (select max(x) from (${rows}) as s(x)) where ${where}`),
  ofItself.map((rows) => `update raw.T set n = (select min(x) from (${rows}) as s(x))`),
  fc.tuple(ofItself, condition).map(([rows, where]) => `delete from raw.T where ${where} and id in (${rows})`),
  ofItself.map(
    (rows) =>
      `merge into raw.T as t using (select distinct x from (${rows}) as s(x) where x is not null) as s on t.id = s.x and t.n = s.x
       when matched then delete when not matched then insert (id, n, region) values (s.x, s.x + 20, 'm')`,
  ),
  fc
    .tuple(number, condition)
    .map(
      ([n, where]) =>
        `update raw.T as t set n = o.m from (select region as r, max(n) as m from raw.T where ${where} group by all) as o where t.region = o.r and t.id <> ${n}`,
    ),
  condition.map(
    (where) => `delete from raw.T as t using (select id as i from raw.T where ${where}) as o where t.n = o.i`,
  ),
  fc
    .tuple(number, condition)
    .map(
      ([n, where]) =>
        `delete from raw.T as t where exists (select 1 from raw.T as o where o.n = t.id + ${n} and o.id in (select id from raw.T where ${where}))`,
    ),
  condition.map((where) => `insert into raw.T (id, n, region) select id + 1, n, region from raw.T where ${where}`),
  fc.tuple(source, condition).map(
    ([rows, where]) =>
      `merge into raw.T as t using (select * from (values ${rows.map((row) => `(${row.join(', ')})`).join(', ')}) as v(sid, sn, sregion)
         where sid not in (select id from raw.T where id is not null and ${where.replaceAll(' or region', ' or id = 1 or region')})) as s on t.id = s.sid and t.n = s.sn
       when not matched by source and t.n = (select max(n) from raw.T) then delete
       when not matched by source and t.id > 9 then update set n = 0
       when not matched then insert (id, n, region) values (s.sid, s.sn, s.sregion)`,
  ),
  fc.constantFrom('int', 'int default 7').map((type) => `alter table raw.T add column EXTRA ${type}`),
  fc.constant('alter table raw.T drop column EXTRA'),
)
/** What changes how the rows lie, and none of them. Some of it is refused, where there is nothing to do it to. */
const upkeep = fc
  .constantFrom(
    "call rewrite_data_files('raw.T', options => map('rewrite-all', 'true'))",
    "call rewrite_data_files('raw.T', sort_order => 'n desc', options => map('min-input-files', '2'))",
    "call rewrite_data_files('raw.T', where => 'id > 5', options => map('delete-file-threshold', '1'))",
    "call rewrite_manifests('raw.T')",
    "call rewrite_position_delete_files('raw.T', options => map('rewrite-all', 'true'))",
    "call expire_snapshots('raw.T', now(), 1)",
    'alter table raw.T add partition field bucket(2, n)',
    'alter table raw.T drop partition field bucket(2, n)',
    'alter table raw.T add partition field region',
    'alter table raw.T drop partition field region',
    'alter table raw.T replace partition field bucket(3, id) with truncate(5, id)',
    'alter table raw.T set sorted by (n desc)',
    "alter table raw.T set ('write.delete.granularity' = 'partition')",
    "alter table raw.T set ('format-version' = '3')",
  )
  .map((one) => [one])
const isUpkeep = ([one = '']: readonly string[]) => /^call | partition field |^alter table \S+ set /.test(one)

/** One statement, or several between BEGIN and the end that comes last. */
const statement = fc.oneof(
  { weight: 5, arbitrary: change.map((one) => [one]) },
  { weight: 1, arbitrary: upkeep },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.array(change, { minLength: 1, maxLength: 3 }), fc.constantFrom('commit', 'rollback'))
      .map(([changes, end]) => ['begin', ...changes, end]),
  },
)

const setups = [
  [
    'version 2, merge-on-read',
    '',
    "'write.delete.mode' = 'merge-on-read', 'write.update.mode' = 'merge-on-read', 'write.merge.mode' = 'merge-on-read'",
  ],
  [
    'version 2, copy-on-write',
    '',
    "'write.delete.mode' = 'copy-on-write', 'write.update.mode' = 'copy-on-write', 'write.merge.mode' = 'copy-on-write'",
  ],
  [
    'version 2, copy-on-write, partitioned',
    'partitioned by (region)',
    "'write.delete.mode' = 'copy-on-write', 'write.update.mode' = 'copy-on-write', 'write.merge.mode' = 'copy-on-write'",
  ],
  [
    'version 3, merge-on-read, partitioned',
    'partitioned by (bucket(3, id))',
    "'format-version' = '3', 'write.delete.mode' = 'merge-on-read', 'write.update.mode' = 'merge-on-read', 'write.merge.mode' = 'merge-on-read'",
  ],
] as const

/** The slices of a soak that have passed, as `setup seed` in lines. */
const notes = 'test-results/soak/random-statements'
const passed = (setup: number): number[] =>
  process.env['SOAK'] && existsSync(notes)
    ? readFileSync(notes, 'utf8')
        .split('\n')
        .map((line) => line.split(' ').map(Number))
        .flatMap(([of, seed]) => (of === setup && seed !== undefined ? [seed] : []))
    : []
// A soak that was done whole is followed by another.
const isDone = setups.every((_, setup) => passed(setup).length >= slices)
if (isDone) rmSync(notes, { force: true })

test.for(setups)(
  'random statements: %s',
  { timeout: slices * slice * 60_000 },
  async ([name, partitions, properties], { task }) => {
    const setup = setups.findIndex(([one]) => one === name)
    const seeds = passed(setup)
    let round = 0
    const sequence = async (statements: readonly string[][]) => {
      const table = `t${setup}_${round++}`
      await world.rows(
        `create table raw.${table} (id bigint, n bigint, region varchar) ${partitions} with (${properties})`,
      )
      await plain.run(`create table raw.${table} (id bigint, n bigint, region varchar)`)
      for (const templates of statements) {
        const sql = templates.map((one) =>
          one
            .replaceAll('raw.T', `raw.${table}`)
            .replace(/insert into (\S+) values/, 'insert into $1 (id, n, region) values'),
        )
        const theirs = isUpkeep(sql) ? undefined : await inPlain(sql)
        const session = openSession(world.lake, world.asking())
        const ours = await outcome(sql, async (one) => collect(await session.query(one)))
        await session.close()
        if (theirs !== undefined) expect([sql, ours]).toEqual([sql, theirs])
        const all = `select * from raw.${table} order by all`
        const expected = (await plain.runAndReadAll(all)).getRowsJson()
        expect([sql, texts(await world.rows(all))]).toEqual([sql, texts(expected)])
      }
      await world.rows(`drop table raw.${table}`)
      await plain.run(`drop table raw.${table}`)
    }
    while (seeds.length < slices) {
      const seed = process.env['SOAK'] ? Math.floor(Math.random() * 2 ** 31) : 7
      await fc.assert(
        fc.asyncProperty(fc.array(statement, { minLength: 3, maxLength: process.env['SOAK'] ? 15 : 7 }), sequence),
        {
          numRuns: slice,
          seed,
        },
      )
      seeds.push(seed)
      if (process.env['SOAK']) note(setup, seed)
    }
    Object.assign(task.meta, { figures: { [`random sequences, ${name}`]: seeds.length * slice } })
  },
)

function note(setup: number, seed: number): void {
  mkdirSync(dirname(notes), { recursive: true })
  appendFileSync(notes, `${setup} ${seed}\n`)
}

const texts = (rows: readonly (readonly unknown[])[]) =>
  rows.map((row) => row.map((cell) => (cell === null ? null : String(cell))))
