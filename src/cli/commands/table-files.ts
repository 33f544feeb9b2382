// `table add-files|register`: what other programs wrote becomes a table of the environment, without a copy.

import { resolve } from 'node:path'
import { Failure } from '../../base/failure.ts'
import { showName } from '../../catalog/index.ts'
import { authorise } from '../../govern/index.ts'
import { fileLocation } from '../../io/index.ts'
import type { App } from '../app.ts'
import type { Command } from '../command.ts'
import { counted } from '../output.ts'
import { nameOf } from './table.ts'

export const tableAddFiles: Command = {
  name: 'table add-files',
  summary: 'Add Parquet files, or all below a folder, to a table where they lie. The table is made when it is missing.',
  arguments: 'TABLE FILE...',
  examples: ['boathouse table add-files raw.events .boathouse/lake/old/events-*.parquet'],
  async run(context) {
    const [tableName, ...given] = context.args
    if (tableName === undefined || given.length === 0)
      throw new Failure('USAGE', 'TABLE and at least one FILE are expected')
    const app = await context.open()
    const files = given.map((file) => locationOf(app, file))
    const changes = await app.lake.openChanges(app.asking('cli'))
    try {
      const result = await changes.addFiles(nameOf(app, tableName), files, { signal: context.signal })
      await changes.publish()
      context.out.answer(
        { table: result.table, files: result.filesWritten, rows: result.rowsWritten, snapshot: result.snapshotId },
        () =>
          `${result.table}: ${counted(result.rowsWritten, 'row')} added in ${counted(result.filesWritten, 'file')}.`,
      )
    } catch (error) {
      await changes.discard()
      throw error
    }
  },
}

export const tableRegister: Command = {
  name: 'table register',
  summary: 'Give a table that another catalog made a name here, by its metadata file.',
  arguments: 'TABLE METADATA_FILE',
  options: { view: { type: 'boolean', about: 'It is the metadata of a view.' } },
  examples: ['boathouse table register raw.events s3://lake/events/metadata/00012-….metadata.json'],
  async run(context) {
    const [tableName, file, ...rest] = context.args
    if (tableName === undefined || file === undefined || rest.length > 0)
      throw new Failure('USAGE', 'TABLE and METADATA_FILE are expected')
    const app = await context.open()
    const { catalog } = app.lakehouse
    const name = nameOf(app, tableName)
    const { environment } = app
    authorise(app.principal, 'create', {
      kind: 'table',
      name: showName(name),
      environment: { name: environment.name, protected: environment.protected, named: environment.writable },
    })
    await catalog.createNamespace(name.catalog, name.namespace)
    const kind = context.flags.is('view') ? 'view' : 'table'
    const loaded = await catalog.register(name, locationOf(app, file), { kind, by: app.principal.name })
    context.out.answer(
      { table: showName(loaded.name), location: loaded.location },
      () => `${showName(loaded.name)} is there.`,
    )
  },
}

/** A path of this disk or a location of a store. Engines read only the lake, so other folders are refused here. */
function locationOf({ lakehouse }: App, given: string): string {
  if (/^[a-z0-9]+:\/\//i.test(given)) return given
  const path = resolve(given)
  if (!lakehouse.directories.some((folder) => path.startsWith(`${folder}/`)))
    throw new Failure('REQUEST_INVALID', `${path} lies outside of the lake, where nothing may read it`, {
      hint: `Move it below ${lakehouse.directories[0] ?? lakehouse.root}, name its folder in catalog.locations, or load it as a source.`,
    })
  return fileLocation(path)
}
