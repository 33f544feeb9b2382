// Data files, manifests, their list and the metadata file are on their way to storage side by side. Whatever order they
// arrive in, and wherever the process dies, the records never name a metadata file before it and all that it names are there.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import {
  embeddedCatalog,
  embeddedShelf,
  openPublications,
  openTables,
  type TableName,
} from '../../src/catalog/index.ts'
import type { Engine } from '../../src/engine/index.ts'
import { planScan, readTableMetadata, reachableFiles } from '../../src/iceberg/index.ts'
import { crashingFileIO, memoryFileIO, scheduledFileIO, type FileIO } from '../../src/io/index.ts'
import { openLake } from '../../src/lake/index.ts'
import { openMemoryRecords, type Records } from '../../src/records/index.ts'

const name: TableName = { catalog: 'dev', namespace: 'raw', name: 't' }
const clock = { now: () => 1_000, random: () => 0, sleep: async () => {} }
const admin = { id: 'ana', name: 'ana', role: 'admin' as const }
const spoolDir = mkdtempSync(join(tmpdir(), 'simulation-'))
afterAll(() => rmSync(spoolDir, { recursive: true, force: true }))

/** Writes two files for every statement, with no statistics. */
const engine = {
  bind: async () => [{ name: 'row', type: 'VARCHAR' }],
  rows: async ({ sql }: { sql: string }) => {
    const folder = dirname(/ TO '([^']*)'/.exec(sql)![1]!)
    return ['a', 'b'].map((part) => {
      writeFileSync(join(folder, part), part)
      return [join(folder, part), 1, 1, 0, null, null]
    })
  },
} as unknown as Engine

/** `disk`: what has arrived in it when the records are told of a file. */
function openProcess(io: FileIO, records: Records, disk = io) {
  const pointers = embeddedCatalog(records)
  const tables = openTables(pointers, io)
  const journal = openPublications({ records, shelf: embeddedShelf(pointers), tables, io, clock })
  const publications: typeof journal = {
    ...journal,
    async put(id, change) {
      await expectWhole(disk, change.location!)
      await journal.put(id, change)
    },
  }
  const lake = openLake({
    engine,
    io,
    tables,
    publications,
    clock,
    lakeRoot: '/lake',
    spoolDir,
    environments: [{ name: 'dev', catalog: 'dev', protected: false }],
    limits: { queryTimeoutMs: 1_000, queryRowsMax: 1, cacheBytes: 1, manifestBytes: 1 },
    namespaces: async () => [],
    createNamespace: (catalog, namespace) => pointers.createNamespace(catalog, namespace),
    dropNamespace: (catalog, namespace) => pointers.dropNamespace(catalog, namespace),
    namespace: (catalog, namespace) => pointers.namespace(catalog, namespace),
    updateNamespace: (catalog, namespace, change) => pointers.updateNamespace(catalog, namespace, change),
  })
  return {
    pointers,
    async append() {
      const changes = await lake.openChanges({ catalog: 'dev', principal: admin })
      await changes.append(name, 'SELECT', { files: [] })
      await changes.publish()
    },
    async files(): Promise<number> {
      const found = await tables.load(name)
      if (found?.kind !== 'table') return 0
      const { files } = await planScan(io, found.metadata)
      for (const { path } of files) expect(await io.stat(path), path).toBeDefined()
      return files.length
    },
  }
}

async function expectWhole(disk: FileIO, location: string) {
  const metadata = await readTableMetadata(disk, location)
  for (const file of await Array.fromAsync(reachableFiles(disk, [{ location, metadata }])))
    expect(await disk.stat(file.path), file.path).toBeDefined()
}

async function openWorld() {
  const [disk, records] = [memoryFileIO(), await openMemoryRecords()]
  const first = openProcess(disk, records)
  await first.pointers.createNamespace('dev', 'raw')
  await first.append()
  return { disk, records }
}

test('no order in which files arrive lets the records name what is not there', () =>
  fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const { disk, records } = await openWorld()
      const process = openProcess(scheduledFileIO(disk, scheduler), records, disk)
      await scheduler.waitFor(process.append())
      expect(await openProcess(disk, records).files()).toBe(4)
      await records.close()
    }),
    { numRuns: 50 },
  ))

for (const fault of ['crash', 'ENOSPC'] as const)
  for (const when of ['before', 'after'] as const)
    test(`${fault} ${when} any step of an append leaves the old table or the new one, and it goes on`, async () => {
      for (let step = 0; ; step++) {
        const { disk, records } = await openWorld()
        const failing = crashingFileIO(disk, { step, when, fault })
        const finished = await openProcess(failing, records, disk)
          .append()
          .then(
            () => true,
            () => false,
          )
        const next = openProcess(disk, records)
        const found = await next.files()
        expect(finished ? [4] : [2, 4]).toContain(found)
        await next.append()
        expect(await next.files()).toBe(found + 2)
        await records.close()
        if (failing.steps > step) continue
        expect(step).toBeGreaterThanOrEqual(5) // two data files, manifest, list, metadata
        return
      }
    })
