// A lake as the program opens it, in a temporary folder: files and records are flushed to the disk.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '../../src/base/clock.ts'
import {
  embeddedCatalog,
  embeddedShelf,
  openEmbeddedCatalog,
  openEnvironments,
  openPublications,
  openTables,
  outsideShelf,
  outsideTables,
  type Catalog,
  type LoadedTable,
  type TableName,
} from '../../src/catalog/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { currentSchema } from '../../src/iceberg/index.ts'
import { cachingFileIO, fileLocation, localFileIO, openFileCache, type FileIO } from '../../src/io/index.ts'
import { collect, openLake, openMaintenance, type TableOptions } from '../../src/lake/index.ts'
import { openRecords } from '../../src/records/index.ts'

export type BenchLake = Awaited<ReturnType<typeof openBenchLake>>

export const [threads, memoryBytes] = [2, 2 ** 31]

type Options = { outside?: Catalog; folder?: string; store?: { location: string; io: FileIO } }

/** `outside`: a catalog of somebody else keeps the names, and tables lie in `folder`. `store`: they lie there. */
export async function openBenchLake({ outside, folder, store }: Options = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'boathouse-bench-'))
  const [root, spool, state] = [folder ?? join(dir, 'lake'), join(dir, 'spool'), join(dir, 'state')]
  for (const made of [root, spool, state]) mkdirSync(made, { recursive: true })
  const clock = realClock
  const copies = join(dir, 'cache')
  const cache = store && (await openFileCache({ io: store.io, folder: copies, bytesMax: 2 ** 34 }))
  const io = store && cache ? cachingFileIO({ io: store.io, cache }) : localFileIO({ root })
  const records = await openRecords({ stateDir: state, records: { url: undefined, schema: 'boathouse' } })
  const pointers = embeddedCatalog(records)
  const tables = outside ? outsideTables(outside, io) : openTables(pointers, io)
  const shelf = outside ? outsideShelf(outside, records) : embeddedShelf(pointers)
  const publications = openPublications({ records, shelf, tables, io, clock })
  const lakeRoot = store?.location ?? fileLocation(root)
  const engine = openEngine({
    memoryBytes,
    threads,
    tempDirectory: join(dir, 'temp'),
    tempBytes: 2 ** 33,
    timeZone: 'UTC',
    directories: [root, spool, ...(store ? [copies] : [])],
    writeDirectories: [spool],
    classes: ['plan', 'interactive', 'write'],
  })
  const lake = openLake({
    engine,
    io,
    tables,
    publications,
    clock,
    lakeRoot,
    ...(cache && { files: cache }),
    spoolDir: spool,
    environments: [{ name: 'dev', catalog: 'dev', protected: false }],
    limits: { queryTimeoutMs: 600_000, queryRowsMax: 1_000_000, cacheBytes: 2 ** 23, manifestBytes: 2 ** 26 },
    namespaces: (name) => pointers.namespaces(name),
    createNamespace: (name, namespace) => pointers.createNamespace(name, namespace),
    dropNamespace: (name, namespace) => pointers.dropNamespace(name, namespace),
    namespace: (name, namespace) => pointers.namespace(name, namespace),
    updateNamespace: (name, namespace, change) => pointers.updateNamespace(name, namespace, change),
  })
  const catalog = openEmbeddedCatalog({ records, tables, io, clock })
  const principal = { id: 'bench', name: 'bench', role: 'admin' as const }
  const open = () => lake.openChanges({ catalog: 'dev', principal })
  const name = (table: string): TableName => ({ catalog: 'dev', namespace: 'raw', name: table })
  await pointers.createNamespace('dev', 'raw')
  return {
    root,
    spool,
    io,
    clock,
    engine,
    pointers,
    publications,
    catalog,
    name,
    environments: openEnvironments({ records, catalog: pointers, tables, io, clock, lakeRoot }),
    maintenance: openMaintenance({
      engine,
      io,
      spoolDir: spool,
      catalog,
      clock,
      pendingMetadata: async () => [],
      publishedMetadata: async () => [],
    }),
    publishedMetadata: async () => [],
    /** A whole write, as ingestion does it. */
    async append(table: string, select: string, options: TableOptions = {}) {
      const changes = await open()
      await changes.append(name(table), select, { files: [], ...options })
      return changes.publish()
    },
    /** Rows that match, as a statement DELETE does it. */
    async delete(table: string, where: string) {
      const changes = await open()
      const { metadata } = (await tables.load(name(table))) as LoadedTable
      const columns = currentSchema(metadata).fields.map((field) => `NULL AS ${field.name}`)
      const rowId = metadata.formatVersion >= 3 ? ', _row_id' : ''
      const select = `SELECT _boathouse_file, _boathouse_pos, false AS _boathouse_new, ${columns.join(', ')}${rowId} FROM raw.${table} WHERE ${where}`
      await changes.changeRows(name(table), 'delete', select)
      return changes.publish()
    },
    /** Rows of a SELECT by their key, as ingestion and incremental models do it. */
    async upsert(table: string, key: string[], select: string) {
      const changes = await open()
      await changes.upsert(name(table), key, select)
      return changes.publish()
    },
    /** All rows of a query, by default never from the result cache. */
    async query(sql: string, { cache = false } = {}) {
      return collect(await lake.query(sql, { principal, catalog: 'dev', door: 'cli', cache }))
    },
    async table(table: string): Promise<LoadedTable> {
      return (await tables.load(name(table))) as LoadedTable
    },
    /** Files of the store are fetched again. */
    async forgetFiles() {
      for (const name of await readdir(join(copies, 'files')))
        await rm(join(copies, 'files', name), { recursive: true, force: true })
    },
    async close() {
      await engine.close()
      await cache?.close()
      await records.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
