// Commits through our REST catalog: a served project, our client and PyIceberg's.

import { join } from 'node:path'
import { realClock } from '../../src/base/clock.ts'
import { openRestCatalog, type Catalog } from '../../src/catalog/index.ts'
import { createUpdates, newTableMetadata, prepareAppend, type TableMetadata } from '../../src/iceberg/index.ts'
import { fileLocation } from '../../src/io/index.ts'
import { serveProject } from '../../test/conformance/rck/served.ts'
import { measure, table, tenths, type Case } from '../measure.ts'
import type { Bench } from './bench.ts'
import { oneRow } from './commits.ts'
import { openBenchLake, type BenchLake } from './lake.ts'

export async function benchRest({ pyiceberg, commits }: Bench): Promise<string[]> {
  const served = await serveProject({ warehouses: [] })
  const { uri, token } = served
  let lake: BenchLake | undefined
  try {
    const catalog = await openRestCatalog({
      uri,
      token,
      environmentAs: 'warehouse',
      catalogs: ['dev'],
      clock: realClock,
    })
    lake = await openBenchLake({ outside: catalog })
    const over = lake
    await catalog.createNamespace('dev', 'raw')
    await over.append('one', oneRow)
    const alone = await commitsAlone(catalog, over, join(over.root, 'alone'))
    await pyiceberg?.ask('one_row_table', { uri, token })
    const cases: Case[] = [
      { name: 'commit', run: alone },
      { name: 'whole', run: async () => void (await over.append('one', oneRow)) },
      ...(pyiceberg ? [{ name: 'PyIceberg', run: () => pyiceberg.ask('one_row') }] : []),
    ]
    const rounds = Math.max(5, Math.round(commits / 20))
    const samples = await measure(cases, { rounds, warmUp: true })
    return [
      '## Through the REST catalog',
      '',
      `Appends of one row, ${rounds} in a row on each table, through a catalog served by \`boathouse serve\` with its records in SQLite. The`,
      'commit is manifest and manifest list, flushed, and the request that is answered when the metadata is; the whole writes the',
      'data file first, and is a publication.',
      '',
      ...table(samples, [
        { name: 'commit', title: 'Boathouse, the commit (goal: 30 ms)', show: tenths },
        { name: 'whole', title: 'Boathouse, whole append', show: tenths },
        ...(pyiceberg ? [{ name: 'PyIceberg: ms', title: 'PyIceberg, whole append', show: tenths }] : []),
      ]),
    ]
  } finally {
    await lake?.close()
    await served.stop()
  }
}

/** Commits of one data file, each on top of the one before. */
async function commitsAlone(catalog: Catalog, lake: BenchLake, folder: string): Promise<() => Promise<void>> {
  const name = lake.name('alone')
  const fresh = newTableMetadata({
    uuid: crypto.randomUUID(),
    location: fileLocation(folder),
    nowMs: lake.clock.now(),
    schema: [{ name: 'id', type: { kind: 'long' } }],
  })
  const commit = async (
    change: Pick<Parameters<Catalog['commit']>[0][0] & { action: 'commit'; kind: 'table' }, 'updates' | 'requirements'>,
  ) => {
    const [after] = await catalog.commit([{ action: 'commit', kind: 'table', name, ...change }])
    return after!.metadata as TableMetadata
  }
  let metadata = await commit({ requirements: [{ type: 'assert-create' }], updates: createUpdates(fresh) })
  let number = 0
  return async () => {
    const file = { path: `${metadata.location}/data/${number++}.parquet`, recordCount: 1, fileSizeBytes: 500 }
    const write = await prepareAppend(lake.io, metadata, [file])
    metadata = await commit(await write.on(metadata, { nowMs: lake.clock.now() }))
  }
}
