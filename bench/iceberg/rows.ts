// Deletes of scattered rows: by delete files, by vectors, by writing the file again; and what each costs who reads after.
// Then rows that come by their key.

import { join } from 'node:path'
import { measure, median, milliseconds, ratioByRounds, table, type Case } from '../measure.ts'
import type { Bench } from './bench.ts'
import type { BenchLake } from './lake.ts'

const ways = {
  'position deletes (v2)': {
    'format-version': '2',
    'write.delete.mode': 'merge-on-read',
    'write.merge.mode': 'merge-on-read',
  },
  'deletion vectors (v3)': {
    'format-version': '3',
    'write.delete.mode': 'merge-on-read',
    'write.merge.mode': 'merge-on-read',
  },
  'copy-on-write': { 'format-version': '2', 'write.delete.mode': 'copy-on-write', 'write.merge.mode': 'copy-on-write' },
}
type Way = keyof typeof ways
const names = Object.keys(ways) as Way[]
const percents = [1, 5, 10, 20, 50]

export async function benchRows(bench: Bench, source: string): Promise<string[]> {
  const { lake, pyiceberg, rounds, rows } = bench
  for (const [index, properties] of Object.values(ways).entries())
    await lake.append(`rows_${index}`, `FROM read_parquet('${source}')`, { properties })
  const peer: Case[] = pyiceberg
    ? [{ name: 'PyIceberg', run: () => pyiceberg.ask('delete', { file: source, value: 7 }) }]
    : []
  const small = await measure([...names.map((way, index) => oneDelete(lake, way, index, 1)), ...peer], {
    rounds,
    warmUp: true,
  })
  const lines: string[] = []
  for (const percent of percents) {
    const cases = names.map((way, index) => oneDelete(lake, way, index, percent))
    const samples = percent === 1 ? small : await measure(cases, { rounds: Math.min(3, rounds) })
    const ms = (way: Way, what: string) => median(samples.get(`${way}: ${what}`)!)
    const figures = names.flatMap((way) => [ms(way, 'delete'), ms(way, 'scan after')])
    const worth = names.slice(0, 2).map((way) => {
      const saved = ms('copy-on-write', 'delete') - ms(way, 'delete')
      const dearer = ms(way, 'scan after') - ms('copy-on-write', 'scan after')
      return saved <= 0 ? 'none' : dearer <= 0 ? 'all' : Math.floor(saved / dearer)
    })
    lines.push(`| ${percent} % | ${[...figures.map(milliseconds), ...worth].join(' | ')} |`)
  }
  return [
    '## Deletes of scattered rows',
    '',
    `A statement that deletes every hundredth of ${rows.toLocaleString('en')} rows in one file, with its publication.`,
    '',
    ...table(small, [
      ...names.map((way) => ({ name: `${way}: delete`, title: `Boathouse, ${way}`, show: milliseconds })),
      ...(pyiceberg ? [{ name: 'PyIceberg: ms', title: 'PyIceberg, copy-on-write', show: milliseconds }] : []),
    ]),
    ...(pyiceberg
      ? [
          '',
          `PyIceberg takes **${ratioByRounds(small, 'copy-on-write: delete', 'PyIceberg: ms').toFixed(1)}** times as long as copy-on-write here.`,
        ]
      : []),
    '',
    'What a delete costs, and what each scan of the whole file (three columns of eight) costs after it. The last two columns say',
    'how many such scans merge-on-read may be followed by until copy-on-write would have been the cheaper one.',
    '',
    `| deleted | ${names.flatMap((way) => [way, 'scan after']).join(' | ')} | scans, v2 | scans, v3 |`,
    `| ---: | ${names.flatMap(() => ['---:', '---:']).join(' | ')} | ---: | ---: |`,
    ...lines,
    '',
    ...(await benchUpserts(bench, source)),
  ]
}

/** One row of a hundred comes again with another value, found by its id. */
async function benchUpserts({ lake, pyiceberg, rounds, rows }: Bench, source: string): Promise<string[]> {
  const given = join(lake.spool, 'given.parquet')
  const select = `SELECT * REPLACE ('other' AS a) FROM read_parquet('${source}') WHERE id % 100 = 7`
  await lake.engine.rows({ class: 'write', sql: `COPY (${select}) TO '${given}' (FORMAT parquet)` })
  await lake.append('given', `FROM read_parquet('${given}')`)
  const cases = names.map((way, index): Case => ({
    name: way,
    async run() {
      const started = performance.now()
      const { id } = await lake.upsert(`rows_${index}`, ['id'], 'select * from raw.given')
      const ms = performance.now() - started
      await lake.publications.rollback(id, 'bench')
      return { ms }
    },
  }))
  const peer: Case[] = pyiceberg
    ? [{ name: 'PyIceberg', run: () => pyiceberg.ask('upsert', { file: source, given }) }]
    : []
  const samples = await measure([...cases, ...peer], { rounds, warmUp: true })
  return [
    '## Upsert',
    '',
    `Every hundredth of ${rows.toLocaleString('en')} rows again with another value, from another table (PyIceberg: from memory), by their \`id\`, with the publication.`,
    '',
    ...table(samples, [
      ...names.map((way) => ({ name: `${way}: ms`, title: `Boathouse, ${way}`, show: milliseconds })),
      ...(pyiceberg ? [{ name: 'PyIceberg: ms', title: 'PyIceberg, `upsert`', show: milliseconds }] : []),
    ]),
    ...(pyiceberg
      ? [
          '',
          `PyIceberg takes **${ratioByRounds(samples, 'copy-on-write: ms', 'PyIceberg: ms').toFixed(1)}** times as long as copy-on-write here.`,
        ]
      : []),
  ]
}

/** One delete, one scan of what is left; then the table is as it was. */
function oneDelete(lake: BenchLake, way: Way, index: number, percent: number): Case {
  const name = `rows_${index}`
  return {
    name: way,
    async run() {
      const started = performance.now()
      const { id } = await lake.delete(name, `n < ${percent}`)
      const deleted = performance.now()
      await lake.query(`select count(*), sum(id), max(a), sum(x) from raw.${name}`)
      const scanned = performance.now()
      await lake.publications.rollback(id, 'bench')
      return { delete: deleted - started, 'scan after': scanned - deleted }
    },
  }
}
