// Several tables change in one step, or not at all: a change set that is published, a fork that is made, worked in and
// promoted. Each step on the files and each transaction of the records is tried as the last one of the process; the next
// process then sees all or nothing, and finishes.

import { expect, test } from 'vitest'
import {
  embeddedCatalog,
  embeddedShelf,
  openEmbeddedCatalog,
  openEnvironments,
  openPublications,
  openTables,
  type TableName,
} from '../../src/catalog/index.ts'
import {
  applyUpdates,
  createUpdates,
  newTableMetadata,
  planScan,
  prepareAppend,
  writeTableMetadata,
  type TableMetadata,
} from '../../src/iceberg/index.ts'
import { crashingFileIO, memoryFileIO, type FileIO } from '../../src/io/index.ts'
import { openMemoryRecords, type Records } from '../../src/records/index.ts'

const at = (name: string, catalog = 'dev'): TableName => ({ catalog, namespace: 'raw', name })
const clock = { now: () => 1_000, random: () => 0, sleep: async () => {} }

/** A process over these files and records. A transaction begins and ends with a step on the files, to be stopped there. */
function openProcess(io: FileIO, store: Records) {
  const transaction: Records['transaction'] = async (work) => {
    await io.stat('/before')
    const done = await store.transaction(work)
    await io.stat('/after')
    return done
  }
  const records: Records = { ...store, transaction }
  const pointers = embeddedCatalog(records)
  const tables = openTables(pointers, io)
  const publications = openPublications({ records, shelf: embeddedShelf(pointers), tables, io, clock })
  const environments = openEnvironments({ records, catalog: pointers, tables, io, clock, lakeRoot: '/lake' })
  const catalog = openEmbeddedCatalog({ records, io, clock, tables })

  const newTable = (name: string) =>
    newTableMetadata({
      uuid: name,
      location: `/lake/dev/raw/${name}`,
      nowMs: 1,
      schema: [{ name: 'row', type: { kind: 'string' } }],
    })

  /** The table with one more row, in a metadata file that no pointer names. */
  async function withRow(metadata: TableMetadata, row: string, previous?: string): Promise<string> {
    const path = `${metadata.location}/data/${row}`
    await io.create(path, new Uint8Array(1))
    const prepared = await prepareAppend(io, metadata, [{ path, recordCount: 1, fileSizeBytes: 1 }])
    const { updates } = await prepared.on(metadata, { nowMs: 2 })
    return writeTableMetadata(io, applyUpdates(metadata, updates, { nowMs: 2, previous }), { previous })
  }

  async function rows(name: TableName): Promise<string[] | undefined> {
    const found = await tables.load(name)
    if (found?.kind !== 'table') return undefined
    const { files } = await planScan(io, found.metadata)
    for (const { path } of files) expect(await io.stat(path), path).toBeDefined()
    return files.map(({ path }) => path.split('/').at(-1)!).sort()
  }
  const all = async (inCatalog: string) => Promise.all(['x', 'y', 'z'].map((name) => rows(at(name, inCatalog))))

  return { pointers, tables, publications, environments, catalog, newTable, withRow, all }
}
type Process = ReturnType<typeof openProcess>

/** Tables x and z with one row each. */
async function openWorld() {
  const [disk, records] = [memoryFileIO(), await openMemoryRecords()]
  const { catalog, newTable } = openProcess(disk, records)
  await catalog.createNamespace('dev', 'raw')
  for (const name of ['x', 'z']) {
    const updates = createUpdates(newTable(name))
    const requirements = [{ type: 'assert-create' as const }]
    await catalog.commit([{ action: 'commit', kind: 'table', name: at(name), requirements, updates }])
  }
  await change(openProcess(disk, records), 'dev', { x: 'old', z: 'old' })
  return { disk, records }
}

/** Rows for tables that are there or not, null for tables that go; published as one. */
async function change(
  process: Process,
  catalog: string,
  wanted: Record<string, string | null>,
  runId?: string,
): Promise<void> {
  const { publications, tables, newTable, withRow } = process
  const id = await publications.open({ catalog, runId })
  for (const [name, row] of Object.entries(wanted)) {
    const before = await tables.load(at(name, catalog))
    const metadata = before?.kind === 'table' ? before.metadata : newTable(name)
    await publications.put(id, {
      name: at(name, catalog),
      kind: 'table',
      action: row === null ? 'drop' : before ? 'append' : 'create',
      base: before?.location ?? null,
      location: row === null ? null : await withRow(metadata, row, before?.location),
      fromSnapshot: null,
      toSnapshot: null,
      appended: null,
      commit: null,
    })
  }
  await publications.publish(id, 'ana')
}

const wanted = { x: 'new', y: 'new', z: null }
const [before, after] = [
  [['old'], undefined, ['old']],
  [['new', 'old'], ['new'], undefined],
]

/** Runs `work` in processes that die at every step in turn; `check` looks at what a new process finds. */
async function crashAtEveryStep(
  prepare: (process: Process) => Promise<unknown>,
  work: (process: Process) => Promise<unknown>,
  check: (process: Process, finished: boolean) => Promise<void>,
  stepsMin: number,
) {
  for (const when of ['before', 'after'] as const)
    for (let step = 0; ; step++) {
      const { disk, records } = await openWorld()
      await prepare(openProcess(disk, records))
      const finished = await work(openProcess(crashingFileIO(disk, { step, when }), records)).then(
        () => true,
        () => false,
      )
      await check(openProcess(disk, records), finished)
      await records.close()
      if (!finished) continue
      expect(step).toBeGreaterThan(stepsMin)
      break
    }
}

test('a change set is published as one, wherever its process dies, and can be made again', async () => {
  await crashAtEveryStep(
    async () => {},
    (process) => change(process, 'dev', wanted),
    async (next, finished) => {
      const found = await next.all('dev')
      expect(finished ? [after] : [before, after]).toContainEqual(found)
      if (String(found) === String(after)) return
      await change(next, 'dev', wanted)
      expect(await next.all('dev')).toEqual(after)
    },
    8,
  )
})

test('the next process of the same run goes on with the change set, and publishes it once', async () => {
  await crashAtEveryStep(
    async () => {},
    (process) => change(process, 'dev', wanted, 'run'),
    async (next) => {
      const id = await next.publications.open({ catalog: 'dev', runId: 'run' })
      // What is not whole yet is made again; what is there already is replaced by it.
      if ((await next.publications.changes(id)).length < 3) await change(next, 'dev', wanted, 'run')
      const first = await next.publications.publish(id, 'ana')
      expect(await next.publications.publish(id, 'ana')).toEqual(first)
      expect(await next.all('dev')).toEqual(after)
    },
    8,
  )
})

test('a rollback is as whole as what it takes back', async () => {
  await crashAtEveryStep(
    (process) => change(process, 'dev', wanted),
    async ({ publications }) => publications.rollback((await publications.list({ catalog: 'dev' }))[0]!.id, 'ana'),
    async (next, finished) => {
      expect(finished ? [before] : [before, after]).toContainEqual(await next.all('dev'))
    },
    3,
  )
})

test('a fork is there with all of its tables or not at all', async () => {
  await crashAtEveryStep(
    async () => {},
    ({ environments }) => environments.create({ environment: 'trial', catalog: 'trial', origin: 'dev', by: 'ana' }),
    async (next) => {
      const made = (await next.environments.list()).length === 1
      expect(await next.all('trial')).toEqual(made ? before : [undefined, undefined, undefined])
      expect(await next.all('dev')).toEqual(before)
    },
    0,
  )
})

test('a fork is promoted as one, and the promotion can be asked for again', async () => {
  await crashAtEveryStep(
    async (process) => {
      await process.environments.create({ environment: 'trial', catalog: 'trial', origin: 'dev', by: 'ana' })
      await change(process, 'trial', wanted)
      expect(await process.all('dev')).toEqual(before)
    },
    ({ environments }) => environments.promote('trial', 'ana'),
    async (next, finished) => {
      expect(finished ? [after] : [before, after]).toContainEqual(await next.all('dev'))
      expect(await next.all('trial')).toEqual(after)
      await next.environments.promote('trial', 'ana')
      for (const catalog of ['dev', 'trial']) expect(await next.all(catalog)).toEqual(after)
      expect(await next.environments.diff('trial')).toEqual([])
      await next.environments.drop('trial')
      expect(await next.all('dev')).toEqual(after)
    },
    3,
  )
})
