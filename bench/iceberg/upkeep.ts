// Tables that have lived: the load of one with many snapshots, its compaction, its expiry; and the fork of an environment.

import { readTableMetadata } from '../../src/iceberg/index.ts'
import { localFileIO } from '../../src/io/index.ts'
import { measure, milliseconds, table, tenths } from '../measure.ts'
import type { Bench } from './bench.ts'

/** Works on the table of the one-row commits. */
export async function benchUpkeep({ lake, pyiceberg, rounds }: Bench): Promise<string[]> {
  const { location, metadata, name } = await lake.table('one')
  const io = localFileIO()
  const samples = await measure(
    [
      { name: 'Boathouse', run: async () => void (await readTableMetadata(io, location)) },
      ...(pyiceberg ? [{ name: 'PyIceberg', run: () => pyiceberg.ask('load', { location }) }] : []),
    ],
    { rounds: rounds * 3, warmUp: true },
  )
  const timed = async <Value>(work: () => Promise<Value>) => {
    const started = performance.now()
    const value = await work()
    return { value, ms: performance.now() - started }
  }
  const compacted = await timed(() => lake.maintenance.compact(name, { by: 'bench' }))
  const retainLast = Math.round(metadata.snapshots.length / 10)
  const expired = await timed(() =>
    lake.maintenance.expire(name, { by: 'bench', olderThanMs: lake.clock.now(), retainLast }),
  )
  const { snapshots, files } = expired.value
  const gone = Object.values(files).reduce((sum, count) => sum + count, 0)
  const [before, after] = (['filesBefore', 'filesAfter'] as const).map((key) =>
    compacted.value.rewritten.reduce((sum, group) => sum + group[key], 0),
  )
  return [
    '## Upkeep',
    '',
    `The table of the one-row commits: ${metadata.snapshots.length} snapshots, as many small files, ${((await io.stat(location))!.sizeBytes / 1e3).toFixed(0)} kB of metadata. Its load from the`,
    'local disk:',
    '',
    ...table(samples, [
      { name: 'Boathouse', title: 'Boathouse', show: tenths },
      ...(pyiceberg ? [{ name: 'PyIceberg: ms', title: 'PyIceberg', show: tenths }] : []),
    ]),
    '',
    `Once: compaction of ${before} files into ${after} took **${milliseconds(compacted.ms)}**; then expiry of ${snapshots.length} snapshots with deletion of ${gone}`,
    `files **${milliseconds(expired.ms)}**. PyIceberg has no compaction, and its expiry deletes no files.`,
  ]
}

export async function benchFork({ lake, tables, rounds }: Bench): Promise<string[]> {
  const { location } = await lake.table('one')
  const names = Array.from({ length: tables }, (_, index) => ({
    catalog: 'origin',
    namespace: 'raw',
    name: `t${index}`,
  }))
  await lake.pointers.createNamespace('origin', 'raw')
  await lake.pointers.swap(names.map((name) => ({ name, kind: 'table', from: null, to: location })))
  let number = 0
  const samples = await measure(
    [
      {
        name: 'fork',
        async run() {
          const environment = `fork${number++}`
          const made = await lake.environments.create({
            environment,
            catalog: environment,
            origin: 'origin',
            by: 'bench',
          })
          if (made.tables !== tables) throw new Error(`${made.tables} tables were forked`)
        },
      },
      { name: 'drop', run: async () => void (await lake.environments.drop(`fork${number - 1}`)) },
    ],
    { rounds, warmUp: true },
  )
  return [
    '## Forks',
    '',
    `An environment of ${tables.toLocaleString('en')} tables, records in SQLite, flushed:`,
    '',
    ...table(samples, [
      { name: 'fork', title: '`boathouse env create`', show: tenths },
      { name: 'drop', title: '`boathouse env drop`', show: tenths },
    ]),
  ]
}
