// Commits of one row, many in a row: what one costs, and whether the thousandth costs more than the first.

import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { prepareAppend, type NewDataFile } from '../../src/iceberg/index.ts'
import { median, quantile, tenths } from '../measure.ts'
import type { Bench } from './bench.ts'
import type { BenchLake } from './lake.ts'

export const oneRow = `SELECT 1::BIGINT AS id, 'a' AS a, 2.5::DOUBLE AS x`
/** PyIceberg takes so much longer that it commits only every so often. */
const everyOther = 5

export async function benchCommits({ lake, pyiceberg, commits }: Bench): Promise<string[]> {
  await lake.append('one', oneRow)
  const alone = await commitsAlone(lake)
  const times = { floor: [] as number[], whole: [] as number[], alone: [] as number[], peer: [] as number[] }
  const timed = async (into: number[], work: () => Promise<unknown>) => {
    const started = performance.now()
    await work()
    into.push(performance.now() - started)
  }
  await pyiceberg?.ask('one_row_table')
  for (let index = 0; index < commits; index++) {
    await timed(times.floor, () => flushed(join(lake.root, `floor-${index}`)))
    await timed(times.whole, () => lake.append('one', oneRow))
    await timed(times.alone, alone)
    if (pyiceberg && index % everyOther === 0) times.peer.push((await pyiceberg.ask('one_row')).ms!)
    if (index % 100 === 99) process.stderr.write(`commits ${index + 1}/${commits}\n`)
  }
  const row = (title: string, all: readonly number[]) => {
    const ends = [all.slice(0, 20), all.slice(-20)]
    const figures = ends.flatMap((end) => [median(end), quantile(end, 0.99)])
    return `| ${[title, all.length, ...[...figures, median(all)].map(tenths)].join(' | ')} |`
  }
  const goal = 3 * median(times.floor) + 5
  return [
    '## One-row commits',
    '',
    `${commits} in a row on one table on the local disk, every file flushed. The floor is what any durable change costs on this`,
    'machine: a file of 1 KB written, flushed, renamed, its folder flushed; measured before each commit. A commit alone is',
    'manifest, manifest list, metadata and the swap of the pointer, of a data file that is there already; the whole is a change',
    `set that DuckDB writes a Parquet file for, and its publication. PyIceberg appends after every ${everyOther}th, to SQLite and the same disk,`,
    'and flushes no file.',
    '',
    '| | commits | first 20: p50 | p99 | last 20: p50 | p99 | all: p50 |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    row('floor', times.floor),
    row('commit alone', times.alone),
    row('whole append of one row', times.whole),
    ...(pyiceberg ? [row('PyIceberg, append of one row', times.peer)] : []),
    '',
    `Goal for the whole: 3 floors and 5 ms, here ${tenths(goal)}; it takes **${tenths(median(times.whole))}**, the commit alone ${tenths(median(times.alone))}.`,
  ]
}

/** Commits of one data file, each on top of the one before. */
async function commitsAlone(lake: BenchLake): Promise<() => Promise<void>> {
  await lake.append('alone', oneRow)
  let { name, metadata } = await lake.table('alone')
  let number = 0
  return async () => {
    const file: NewDataFile = {
      path: `${metadata.location}/data/${number++}.parquet`,
      recordCount: 1,
      fileSizeBytes: 500,
    }
    const { updates, requirements } = await (
      await prepareAppend(lake.io, metadata, [file])
    ).on(metadata, { nowMs: lake.clock.now() })
    const [after] = await lake.catalog.commit([{ action: 'commit', kind: 'table', name, updates, requirements }], {
      by: 'bench',
    })
    if (after?.kind === 'table') metadata = after.metadata
  }
}

async function flushed(path: string): Promise<void> {
  {
    await using handle = await open(`${path}.tmp`, 'wx')
    await handle.writeFile(Buffer.alloc(1024))
    await handle.sync()
  }
  await rename(`${path}.tmp`, path)
  await using folder = await open(join(path, '..'), 'r')
  await folder.sync()
}
