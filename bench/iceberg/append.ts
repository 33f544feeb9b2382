// A million rows from a Parquet file: as an append that is published, as DuckDB's COPY alone, as PyIceberg's append.

import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { measure, megabytes, milliseconds, ratioByRounds, table, type Case } from '../measure.ts'
import type { Bench } from './bench.ts'

/** Eight columns of the usual types. `n` has 100 values, scattered: one of them is 1 % of the rows. */
const select = (rows: number) => `SELECT range AS id, (range * 37 % 100)::INT AS n, 'name ' || range % 1000 AS a,
  md5(range::VARCHAR) AS b, (range % 100000 / 100)::DECIMAL(12, 2) AS price, range / 7 AS x,
  TIMESTAMP '2026-01-01' + to_milliseconds(range) AS ts, DATE '2026-01-01' + (range % 365)::INT AS day FROM range(${rows})`

/** Makes the file that this and the deletes read. */
export async function makeSource({ lake, rows }: Bench): Promise<string> {
  const file = join(lake.spool, 'source.parquet')
  await lake.engine.rows({ class: 'write', sql: `COPY (${select(rows)}) TO '${file}' (FORMAT parquet)` })
  return file
}

export async function benchAppend(bench: Bench, source: string): Promise<string[]> {
  const { lake, duckdb, pyiceberg, rounds, rows } = bench
  let number = 0
  const copied = join(lake.spool, 'copied.parquet')
  const cases: Case[] = [
    {
      name: 'Boathouse',
      run: async () => void (await lake.append(`append_${number++}`, `FROM read_parquet('${source}')`)),
    },
    {
      name: 'COPY',
      async run() {
        const { ms } = await duckdb.ask('run', {
          sql: `COPY (FROM read_parquet('${source}')) TO '${copied}' (FORMAT parquet, COMPRESSION zstd)`,
        })
        const started = performance.now()
        await using handle = await open(copied, 'r')
        await handle.sync()
        return { alone: ms!, 'and flushed': ms! + performance.now() - started }
      },
    },
    ...(pyiceberg ? [{ name: 'PyIceberg', run: () => pyiceberg.ask('append', { file: source }) }] : []),
  ]
  const samples = await measure(cases, { rounds, warmUp: true })
  const times = (name: string) => ratioByRounds(samples, name, 'Boathouse').toFixed(2)
  const row = (name: string, title: string) => ({ name, title, show: milliseconds })
  return [
    '## Append of many rows',
    '',
    `${rows.toLocaleString('en')} rows of 8 columns (bigint, int, 2 strings, decimal, double, timestamp, date) from a Parquet`,
    `file of ${megabytes((await lake.io.stat(source))!.sizeBytes)} to a new table: a change set, its publication, everything flushed. COPY is DuckDB alone, of the`,
    'same version with the same memory and threads, which flushes nothing.',
    '',
    ...table(samples, [
      row('Boathouse', 'Boathouse, published and flushed'),
      row('COPY: alone', 'DuckDB, `COPY … (FORMAT parquet, COMPRESSION zstd)`'),
      row('COPY: and flushed', 'the same, and the file flushed'),
      ...(pyiceberg ? [row('PyIceberg: ms', 'PyIceberg, `pq.read_table` and `append`')] : []),
    ]),
    '',
    `**${times('COPY: alone')}** times as long as COPY alone (goal: 1.15), ${times('COPY: and flushed')} times as long as with the flush${pyiceberg ? `; ${times('PyIceberg: ms')} times PyIceberg` : ''}.`,
  ]
}
