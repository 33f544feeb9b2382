// Every step of every kind of maintenance is tried as the last one. Whatever happens, the table reads the same and has
// all of its files; doing it again finishes; and nothing is left over once orphans were removed.

import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { memoryCatalog, type LoadedTable, type TableName } from '../../src/catalog/index.ts'
import type { Engine } from '../../src/engine/index.ts'
import {
  createUpdates,
  newTableMetadata,
  planScan,
  prepareAppend,
  prepareReplace,
  reachableFiles,
  readTableMetadata,
} from '../../src/iceberg/index.ts'
import { crashingFileIO, memoryFileIO, type FileIO } from '../../src/io/index.ts'
import { openMaintenance, type Maintenance } from '../../src/lake/index.ts'

const name: TableName = { catalog: 'dev', namespace: 'raw', name: 't' }
const by = 'simulation'
const dayMs = 86_400_000
const spoolDir = mkdtempSync(join(tmpdir(), 'simulation-'))
afterAll(() => rmSync(spoolDir, { recursive: true }))

/** A table with a history worth expiring, small files worth compacting, and a file that nobody knows. */
async function openWorld() {
  let nowMs = 1
  const disk = memoryFileIO({ now: () => nowMs })
  let through: FileIO = disk
  const io = new Proxy({} as FileIO, { get: (_, key) => Reflect.get(through, key).bind(through) })
  const clock = { now: () => nowMs, random: () => 0, sleep: async () => {} }
  const catalog = memoryCatalog({ io, clock })
  const maintenance = openMaintenance({
    catalog,
    io,
    engine: fakeEngine(disk),
    clock,
    spoolDir,
    pendingMetadata: async () => [],
    publishedMetadata: async () => [],
  })
  const fresh = newTableMetadata({
    uuid: 'u',
    location: '/t',
    nowMs: 1,
    schema: [{ name: 'row', type: { kind: 'string' } }],
  })
  await catalog.createNamespace('dev', 'raw')
  await catalog.commit([
    { action: 'commit', kind: 'table', name, requirements: [{ type: 'assert-create' }], updates: createUpdates(fresh) },
  ])
  const table = async () => {
    const { location } = (await catalog.load(name)) as LoadedTable
    return { location, metadata: await readTableMetadata(disk, location) }
  }
  for (const [row, prepare] of [
    ['a', prepareAppend],
    ['b', prepareAppend],
    ['c', prepareReplace],
    ['d', prepareAppend],
    ['e', prepareAppend],
  ] as const) {
    const { metadata } = await table()
    await disk.create(`/t/data/${row}`, Buffer.from(`${row}\n`))
    const files = [{ path: `/t/data/${row}`, recordCount: 1, fileSizeBytes: 2 }]
    const change = await (await prepare(disk, metadata, files)).on(metadata, { nowMs: clock.now() })
    await catalog.commit([{ action: 'commit', kind: 'table', name, ...change }])
  }
  const [first] = (await table()).metadata.snapshots
  await maintenance.change(name, by, () => ({
    updates: [{ action: 'set-snapshot-ref', refName: 'first', ref: { type: 'tag', snapshotId: first!.snapshotId } }],
    requirements: [],
  }))
  await disk.create('/t/data/lost', new Uint8Array(1))
  const later = () => void (nowMs += 100 * dayMs)
  later()

  /** Rows of the newest snapshot and of the tag, as a fresh process reads them. */
  const rows = async () => {
    const { metadata } = await table()
    const read = async (snapshotId: bigint) => {
      const { files } = await planScan(disk, metadata, { snapshotId })
      const texts = await Promise.all(files.map(async ({ path }) => Buffer.from((await disk.read(path))!).toString()))
      return texts.join('').split('\n').filter(Boolean).sort().join('')
    }
    return `${await read(metadata.currentSnapshotId!)} ${await read(metadata.refs.first!.snapshotId)}`
  }
  const reached = async () =>
    new Set((await Array.fromAsync(reachableFiles(disk, [await table()]))).map(({ path }) => path))
  return { disk, maintenance, rows, reached, later, use: (next: FileIO) => (through = next) }
}

/** Writes the lines of the files that the statement reads, as one file. */
function fakeEngine(disk: FileIO): Engine {
  const rows = async ({ sql }: { sql: string }) => {
    if (sql.includes('parquet_schema')) return [] // not known: field ids are then enough
    const sources = /read_parquet\(\[([^\]]*)\]/
      .exec(sql)![1]!
      .split(', ')
      .map((text) => text.slice(1, -1))
    const lines = await Promise.all(sources.map(async (path) => Buffer.from((await disk.read(path))!).toString()))
    const target = / TO '([^']*)'/.exec(sql)![1]!
    writeFileSync(target, lines.join(''))
    return [[target, lines.length, readFileSync(target).length, 0, null, null]]
  }
  return { rows } as unknown as Engine
}

const work: Record<string, (maintenance: Maintenance) => Promise<unknown>> = {
  expire: (maintenance) => maintenance.expire(name, { by, cleanUnused: true }),
  orphans: (maintenance) => maintenance.removeOrphans(name, { by }),
  compact: (maintenance) => maintenance.compact(name, { by, all: true }),
  'rewrite manifests': (maintenance) => maintenance.rewriteManifests(name, { by, all: true }),
}

for (const [what, run] of Object.entries(work))
  for (const when of ['before', 'after'] as const)
    test(`a crash ${when} any step of ${what} loses nothing, and doing it again finishes`, async () => {
      for (let step = 0; ; step++) {
        const { disk, maintenance, rows, reached, later, use } = await openWorld()
        expect(await rows()).toBe('cde a')
        use(crashingFileIO(disk, { step, when }))
        const finished = await run(maintenance).then(
          () => true,
          () => false,
        )
        use(disk)
        expect(await rows(), `step ${step}`).toBe('cde a')
        for (const path of await reached()) expect(await disk.stat(path), `${path} after step ${step}`).toBeDefined()
        await run(maintenance)
        expect(await rows(), `again after step ${step}`).toBe('cde a')
        later() // what was just written is too young to be nobody's
        await maintenance.removeOrphans(name, { by })
        const needed = await reached()
        expect([...disk.files.keys()].filter((path) => !needed.has(path))).toEqual([])
        expect(await rows()).toBe('cde a')
        if (!finished) continue
        expect(step).toBeGreaterThan(4)
        return
      }
    })

test('expiry and compaction and writers at the same time lose no row', async () => {
  const { disk, maintenance, rows } = await openWorld()
  const everything = Object.values(work).map((run) => run(maintenance))
  await Promise.all([...everything, ...everything.map((_, at) => Object.values(work)[at]!(maintenance))])
  expect(await rows()).toBe('cde a')
  expect(disk.files.size).toBeGreaterThan(0)
})
