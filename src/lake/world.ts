// A whole lake in a temporary folder, for tests: real DuckDB hosts, real files, records in memory.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '../base/clock.ts'
import {
  embeddedCatalog,
  embeddedShelf,
  openEmbeddedCatalog,
  openPublications,
  openTables,
  openSequences,
  takeNumbers,
} from '../catalog/index.ts'
import { openEngine } from '../engine/index.ts'
import { openGovern, systemPrincipal, type AccessFile, type Principal } from '../govern/index.ts'
import { confinedFileIO, fileLocation, localFileIO } from '../io/index.ts'
import { openMemoryRecords } from '../records/index.ts'
import type { PrincipalLimits } from './answers/admission.ts'
import { openLake, type AuditEntry, type QueryOptions } from './lake.ts'
import { collect } from './lake.ts'
import { openMaintenance, pendingMetadata, publishedMetadata } from './upkeep/maintenance.ts'

/** `catalog`: what the environment dev calls its catalog. `perPrincipal`: how much one asker may take; default: anything. */
export async function openWorld({
  catalog: devCatalog = 'dev_analytics',
  perPrincipal,
  queryTimeoutMs = 30_000,
}: { catalog?: string; perPrincipal?: PrincipalLimits; queryTimeoutMs?: number } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'lake-'))
  const [root, spool, copies] = [join(dir, 'lake'), join(dir, 'spool'), join(dir, 'copies')]
  mkdirSync(root)
  mkdirSync(spool)
  mkdirSync(copies)
  const clock = realClock
  const io = confinedFileIO(localFileIO({ root, sync: false }), [root])
  const records = await openMemoryRecords()
  const catalog = embeddedCatalog(records)
  const tables = openTables(catalog, io)
  const publications = openPublications({ records, shelf: embeddedShelf(catalog), tables, io, clock })
  const engine = openEngine({
    memoryBytes: 2 ** 30,
    threads: 2,
    tempDirectory: join(dir, 'temp'),
    tempBytes: 2 ** 30,
    timeZone: 'UTC',
    directories: [root],
    writeDirectories: [spool, copies],
    classes: ['plan', 'interactive', 'write'],
  })
  const tableCatalog = openEmbeddedCatalog({ records, io, clock, tables })
  const audited: AuditEntry[] = []
  const environments = [
    { name: 'dev', catalog: devCatalog, protected: false },
    { name: 'prod', catalog: 'prod_analytics', protected: true },
  ]
  // Passwords of tests may be cheap to guess.
  const govern = openGovern({ records, environments, cost: { logN: 4, r: 8, p: 1 } })
  const lake = openLake({
    engine,
    io,
    tables,
    publications,
    clock,
    lakeRoot: fileLocation(root),
    spoolDir: spool,
    environments,
    access: { access: govern.access, owners: govern.owners },
    logs: { audit: govern.audit, queries: govern.queries },
    grants: govern.access,
    maintenance: openMaintenance({
      catalog: tableCatalog,
      io,
      engine,
      clock,
      spoolDir: spool,
      pendingMetadata: () => pendingMetadata(records),
      publishedMetadata: (since) => publishedMetadata(records, since),
    }),
    register: (name, file, by) => tableCatalog.register(name, file, { kind: 'table', by }),
    copyDirectories: [copies],
    limits: {
      queryTimeoutMs,
      queryRowsMax: 1_000_000,
      cacheBytes: 8 * 2 ** 20,
      manifestBytes: 8 * 2 ** 20,
      ...(perPrincipal ? { perPrincipal } : {}),
    },
    namespaces: (name) => catalog.namespaces(name),
    createNamespace: (name, namespace) => catalog.createNamespace(name, namespace),
    dropNamespace: (name, namespace) => catalog.dropNamespace(name, namespace),
    namespace: (name, namespace) => catalog.namespace(name, namespace),
    updateNamespace: (name, namespace, change) => catalog.updateNamespace(name, namespace, change),
    takeNumbers: (of, wanted) => takeNumbers(records, of, wanted),
    sequences: openSequences(records),
    audit: async (entry) => void audited.push(entry),
  })
  const admin = { id: 'a', name: 'ana', role: 'admin' as const }
  const reader = { id: 'r', name: 'rob', role: 'reader' as const }
  const asking = (more: Partial<QueryOptions> = {}): QueryOptions => ({
    principal: admin,
    catalog: devCatalog,
    door: 'cli',
    ...more,
  })
  return {
    dir,
    root,
    spool,
    copies,
    io,
    records,
    catalog,
    tables,
    publications,
    engine,
    lake,
    audited,
    govern,
    /** What access.yml would say; a part left out is empty. */
    applyAccess: (file: Partial<AccessFile>) =>
      govern.access.apply(
        { roles: [], groups: [], attributes: [], grants: [], rowFilters: [], masks: [], ...file },
        { by: systemPrincipal, source: 'access.yml' },
      ),
    /** A user with no rights but those granted. */
    async member(name: string): Promise<Principal> {
      const { id } = await govern.users.create({ name, role: 'member' })
      return { id, name, role: 'member' }
    },
    admin,
    reader,
    asking,
    query: (sql: string, more: Partial<QueryOptions> = {}) => lake.query(sql, asking(more)),
    rows: async (sql: string, more: Partial<QueryOptions> = {}) =>
      (await collect(await lake.query(sql, asking(more)))).rows,
    async close() {
      await engine.close()
      await records.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
