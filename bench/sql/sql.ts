// SQL through the door on Iceberg tables, beside DuckDB on the same Parquet files and on tables of its own; and what the
// door costs where there is nothing to compute. Printed to docs/reference/bench-sql.md.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { openBenchLake, memoryBytes, threads } from '../iceberg/lake.ts'
import { circumstances, machineLoad, median, quantile, tenths } from '../measure.ts'
import { queries } from './queries.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
const scale = process.env.BENCH_TPCH_SCALE ?? '1'
const generator = process.env.BENCH_TPCHGEN
if (!generator) throw new Error('run bench/sql/run.sh')

const loadBefore = machineLoad()
const lake = await openBenchLake()
try {
  const names = await load()
  const plain = await openPlain(names)
  const times = await tpch(plain)
  const door = await overhead(names, plain)
  plain.closeSync()
  const text = [...head(), ...tpchSection(times), ...doorSection(door), ''].join('\n')
  writeFileSync(fileURLToPath(new URL('../../docs/reference/bench-sql.md', import.meta.url)), text)
} finally {
  await lake.close()
}

/** The generator's files become Iceberg tables. Answers their names. */
async function load(): Promise<string[]> {
  const folder = join(lake.spool, 'tpch')
  mkdirSync(folder)
  execFileSync(generator!, ['parquet', '-s', scale, '--output-dir', folder], { stdio: 'ignore' })
  const names = readdirSync(folder).map((file) => file.replace('.parquet', ''))
  for (const name of names) {
    const file = join(folder, `${name}.parquet`)
    await lake.append(name, `SELECT * FROM read_parquet('${file}')`, { files: [file] })
    process.stderr.write(`loaded ${name}\n`)
  }
  rmSync(folder, { recursive: true })
  return names
}

/** DuckDB alone: `files` has views over the data files of the lake, `own` its own tables. */
async function openPlain(names: readonly string[]) {
  const instance = await DuckDBInstance.create(':memory:', {
    // What an engine host for queries has of it.
    memory_limit: `${Math.floor(memoryBytes / 2 ** 21)}MiB`,
    threads: String(threads),
  })
  const connection = await instance.connect()
  await connection.run('CREATE SCHEMA files; CREATE SCHEMA own')
  for (const name of names) {
    const found = await rows(`SELECT file_path FROM raw.${name}$files`)
    const paths = found.map(([path]) => `'${fileURLToPath(String(path))}'`).join(', ')
    await connection.run(`CREATE VIEW files.${name} AS SELECT * FROM read_parquet([${paths}])`)
    await connection.run(`CREATE TABLE own.${name} AS FROM files.${name}`)
  }
  return connection
}

type Times = Record<'door' | 'files' | 'own', number[]>[]

async function tpch(plain: Awaited<ReturnType<typeof openPlain>>): Promise<Times> {
  const times: Times = queries.map(() => ({ door: [], files: [], own: [] }))
  for (let round = 0; round <= rounds; round++)
    for (const [index, query] of queries.entries()) {
      const run = {
        door: async () => void (await rows(query.replaceAll('{s}', 'raw'))),
        // Both end when the caller has the rows: without `getRows` the values would still lie in DuckDB's vectors.
        files: async () => void (await plain.runAndReadAll(query.replaceAll('{s}', 'files'))).getRows(),
        own: async () => void (await plain.runAndReadAll(query.replaceAll('{s}', 'own'))).getRows(),
      }
      for (const kind of ['door', 'files', 'own'] as const) {
        const started = performance.now()
        await run[kind]()
        const ms = performance.now() - started
        if (round > 0) times[index]![kind].push(ms) // the first round warms caches of all three
      }
      process.stderr.write(`round ${round}/${rounds} query ${index + 1}\n`)
    }
  return times
}

type Overhead = { name: string; ms: number[] }[]

async function overhead(names: readonly string[], plain: Awaited<ReturnType<typeof openPlain>>): Promise<Overhead> {
  const orders = names.includes('orders') ? 'raw.orders' : ''
  const cases: [string, (index: number) => Promise<unknown>][] = [
    ['`select 1`, each time another number', (index) => rows(`select ${index}`)],
    ['one order of 1.5 million by its key', (index) => rows(`select * from ${orders} where ${key(index)}`)],
    [
      'the same order by DuckDB alone, on the same file',
      async (index) => (await plain.runAndReadAll(`select * from files.orders where ${key(index)}`)).getRows(),
    ],
    [
      '`count(*)`, `min`, `max` of 1.5 million orders, from the manifests',
      (index) => rows(`select count(*), min(o_orderdate), max(o_orderkey) as n${index} from ${orders}`),
    ],
    // The same text again: what the page of a dashboard costs.
    ['a result that is kept', () => rows(`select count(*) from ${orders} where o_orderpriority = '1-URGENT'`, true)],
  ]
  const all = cases.map(([name]) => ({ name, ms: [] as number[] }))
  for (let index = 0; index < 220; index++)
    // In turns: a machine that is slower for a while is so for all of them.
    for (const [at, [, run]] of cases.entries()) {
      const started = performance.now()
      await run(index)
      if (index >= 20) all[at]!.ms.push(performance.now() - started)
    }
  return all
}

function key(index: number): string {
  return `o_orderkey = ${index * 32 + 1}`
}

async function rows(sql: string, cache = false): Promise<unknown[][]> {
  return (await lake.query(sql, { cache })).rows
}

function head(): string[] {
  return [
    '# Measurements of SQL through the door',
    '',
    `Printed by \`bench/sql/run.sh\`: ${circumstances()}. Rounds: ${rounds}. Load of the machine before ${loadBefore.toFixed(1)}, after`,
    `${machineLoad().toFixed(1)}: above the number of cores, others were at work too; then only ratios of the same run mean something.`,
    '',
  ]
}

function tpchSection(times: Times): string[] {
  const of = (index: number, kind: keyof Times[number]) => median(times[index]![kind])
  const ratios = times.map((_, index) => of(index, 'door') / of(index, 'files'))
  const total = (kind: keyof Times[number]) => times.reduce((sum, one) => sum + median(one[kind]), 0)
  return [
    `## TPC-H, scale ${scale}`,
    '',
    `The 22 queries on Iceberg tables of the lake, on the same Parquet files read by DuckDB with the same threads (${threads}) and`,
    'memory, and on tables of DuckDB itself, until the caller has all rows. Medians; nothing comes from the result cache.',
    '',
    '| query | through the door | DuckDB on the files | own tables | ratio to the files |',
    '| ---: | ---: | ---: | ---: | ---: |',
    ...times.map((_, index) => {
      const cells = (['door', 'files', 'own'] as const).map((kind) => tenths(of(index, kind)))
      return `| ${index + 1} | ${cells.join(' | ')} | ${ratios[index]!.toFixed(2)} |`
    }),
    `| all | ${(['door', 'files', 'own'] as const).map((kind) => tenths(total(kind))).join(' | ')} | ${(total('door') / total('files')).toFixed(2)} |`,
    '',
    `Median ratio **${median(ratios).toFixed(2)}** (goal: 1.10), largest **${Math.max(...ratios).toFixed(2)}** (goal: 1.50).`,
    '',
  ]
}

function doorSection(door: Overhead): string[] {
  return [
    '## What the door costs',
    '',
    '200 statements each, in turns, after 20 that are not counted: parsed, checked, planned, run in an engine host, encoded, read by',
    'the caller. Goal: p50 below 5 ms for the first, and for the second beside the third.',
    '',
    '| | p50 | p99 |',
    '| --- | ---: | ---: |',
    ...door.map(({ name, ms }) => `| ${name} | ${tenths(median(ms))} | ${tenths(quantile(ms, 0.99))} |`),
    '',
    'Changes of rows beside PyIceberg are measured in [bench-iceberg.md](bench-iceberg.md).',
  ]
}
