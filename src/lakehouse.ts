// Where the tables of a project are and who keeps their names, as the settings say. Part of the composition root.

import { join } from 'node:path'
import type { Clock } from './base/clock.ts'
import { Failure } from './base/failure.ts'
import { cacheFigures, reportCache } from './cache-report.ts'
import {
  claimLake,
  embeddedCatalog,
  embeddedShelf,
  openEmbeddedCatalog,
  openEnvironments,
  openExternalCatalog,
  openPublications,
  openTables,
  outsideShelf,
  outsideTables,
  type Environments,
} from './catalog/index.ts'
import type { Lakehouse } from './cli/app.ts'
import type { Config } from './config/index.ts'
import {
  cachingFileIO,
  confinedFileIO,
  fileLocation,
  isLocal,
  localPath,
  openFileCache,
  openStorage,
} from './io/index.ts'
import type { Records } from './records/index.ts'

/** @throws OWNER_MISMATCH when the lake belongs to another records store; LAKE_MOVED when it was made elsewhere; STORAGE_FAILED when it cannot be reached */
export async function openLakehouse(settings: Config, parts: { records: Records; clock: Clock }): Promise<Lakehouse> {
  const { records, clock } = parts
  const { root: setting, endpoint, region, pathStyle, conditionalWrites, cacheDir, cacheBytes } = settings.storage
  const root = isLocal(setting) ? fileLocation(setting) : setting
  const own = openStorage({
    root: setting,
    env: settings.env,
    clock,
    conditionalWrites,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(pathStyle === undefined ? {} : { pathStyle }),
  })
  const external = await openExternalCatalog({ config: settings, io: own, clock })
  // Names that others keep are swapped by others: any number of projects may then write below one root.
  if (!external) await claimLake(own, root, records.storeId)
  // Where its tables lie is for a foreign catalog to say.
  const remote = external?.io ?? confinedFileIO(own, [root, ...settings.catalog.locations])
  const isAllHere = isLocal(root) && !external
  const files = isAllHere ? undefined : await openFileCache({ io: remote, folder: cacheDir, bytesMax: cacheBytes })
  const io = files ? cachingFileIO({ io: remote, cache: files }) : remote
  const figures = join(settings.stateDir, 'run')
  const stopReport = files && reportCache(files, figures)
  const pointers = embeddedCatalog(records)
  const tables = external ? outsideTables(external.catalog, io) : openTables(pointers, io)
  const shelf = external ? outsideShelf(external.catalog, records) : embeddedShelf(pointers)
  return {
    io,
    root,
    directories: [
      ...[root, ...settings.catalog.locations].filter(isLocal).map(localPath),
      ...(files ? [cacheDir] : []),
    ],
    files,
    pointers,
    catalog: external?.catalog ?? openEmbeddedCatalog({ records, io, clock, tables }),
    isExternal: external !== undefined,
    tables,
    publications: openPublications({ records, shelf, tables, io, clock }),
    environments: external
      ? noForks
      : openEnvironments({ records, catalog: pointers, tables, io, clock, lakeRoot: root }),
    cacheFigures: () => cacheFigures(figures),
    async close() {
      await stopReport?.()
      await files?.close()
    },
  }
}

const refuse = async (): Promise<never> => {
  throw new Failure('UNSUPPORTED', 'environments are forked where Boathouse itself keeps the names of tables', {
    hint: 'This project uses the catalog of somebody else (`catalog.type: rest`).',
  })
}
const noForks: Environments = { list: async () => [], create: refuse, diff: refuse, promote: refuse, drop: refuse }
