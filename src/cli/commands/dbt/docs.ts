// docs generate: catalog.json, which says what the tables are, beside manifest.json, which says how they are made.

import { join } from 'node:path'
import { Failure } from '../../../base/failure.ts'
import { schemaOfLoaded, sqlType } from '../../../lake/index.ts'
import type { DbtProject } from '../../../project/dbt/index.ts'
import { catalogArtifact, writeJson, writeWhole, type CatalogTable, type NodeResult } from '../../../transform/index.ts'
import type { App } from '../../app.ts'
import { sizeOf } from '../table.ts'
import { invocationOf, writeArtifacts } from './artifacts.ts'
import { deferTo } from './defer.ts'
import { compileAll, compileOperations, passingChanges, sayWrong } from './compile.ts'
import { sayFound } from './found.ts'
import { sayThreads } from './lines.ts'
import { openLakeOf, openPlace, openProject, type Session } from './open.ts'
import { chosenBy } from './selection.ts'

export async function docsGenerate(session: Session): Promise<number> {
  const { log, flags, targetDir } = session
  const place = await openPlace(session)
  const project = await openProject(session, place)
  sayFound(log, project)
  const { ids } = chosenBy(session, project)
  const app = await openLakeOf(session, place)
  sayThreads(log, place.target.threads, place.target.name)
  const nodes = flags.is('compile', true) ? ids.flatMap((id) => project.nodes.get(id) ?? []) : []
  if (flags.is('compile', true)) await deferTo(session, app, project, ids)
  const changes = await passingChanges(app, place)
  const started = performance.now()
  const results: NodeResult[] = []
  try {
    results.push(...(await compileAll(session, app, project, nodes, changes)))
    if (flags.is('compile', true)) results.push(...(await compileOperations(session, app, project, changes)))
  } finally {
    await changes.discard()
  }
  const status = sayWrong(session, { project, results })
  if (flags.is('compile', true)) await writeArtifacts(session, project, results, performance.now() - started)
  log.info('Building catalog', { name: 'BuildingCatalog', code: 'E044' })
  const tables: CatalogTable[] = []
  const errors: string[] = []
  for (const id of flags.is('empty-catalog') ? [] : ids) {
    try {
      const table = await lookUp(app, project, id)
      if (table) tables.push(table)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      errors.push(`${id}: ${error.message}`)
    }
  }
  const file = join(targetDir, 'catalog.json')
  const catalog = catalogArtifact(project, tables, errors, invocationOf(session))
  writeJson(file, catalog)
  log.info(`Catalog written to ${file}`, { name: 'CatalogWritten', code: 'E041', data: { path: file } })
  if (flags.is('static')) writeWhole(join(targetDir, 'static_index.html'), staticPage(project, catalog))
  if (errors.length === 0) return status
  log.error(`${errors.length} tables could not be looked at:\n${errors.join('\n')}`)
  return 1
}

/** What lies under the name of a node or source; undefined when nothing does. */
async function lookUp(app: App, project: DbtProject, id: string): Promise<CatalogTable | undefined> {
  const node = project.nodes.get(id)
  const source = project.sources.get(id)
  if (
    !source &&
    (!node || !['model', 'seed', 'snapshot'].includes(node.kind) || node.config['materialized'] === 'ephemeral')
  )
    return undefined
  const { database, schema } = (node ?? source)!
  const { target } = project
  const catalog = database.toLowerCase() === target.database.toLowerCase() ? target.catalog : database
  const found = await app.tables.load({ catalog, namespace: schema, name: node?.alias ?? source!.identifier })
  if (!found) return undefined
  const columns = schemaOfLoaded(found).fields.map(({ name, type, doc }) => ({
    name,
    type: sqlType(type),
    comment: doc ?? null,
  }))
  const { rows, bytes, files, updatedAt } = sizeOf(found)
  const snapshotId = found.kind === 'table' ? found.metadata.currentSnapshotId : undefined
  return {
    uniqueId: id,
    kind: found.kind,
    columns,
    rows,
    bytes,
    files,
    updatedAt,
    snapshotId: snapshotId?.toString() ?? null,
  }
}

/** A page that lists models with their columns, to be opened without a server. */
function staticPage(project: DbtProject, catalog: Record<string, unknown>): string {
  const escape = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
  const tables = Object.entries({
    ...(catalog['nodes'] as Record<string, Entry>),
    ...(catalog['sources'] as Record<string, Entry>),
  })
  const sections = tables.map(([id, { metadata, columns }]) => {
    const described = project.nodes.get(id) ?? project.sources.get(id)
    const rows = Object.values(columns).map(({ name, type }) => {
      const about =
        described?.columns.find((column) => column.name.toLowerCase() === name.toLowerCase())?.description ?? ''
      return `<tr><td>${escape(name)}<td>${escape(type)}<td>${escape(about)}`
    })
    return `<h2 id="${escape(id)}">${escape(`${metadata.schema}.${metadata.name}`)}</h2><p>${escape(described?.description ?? '')}</p><table>${rows.join('')}</table>`
  })
  return `<!doctype html><meta charset="utf-8"><title>${escape(project.name)}</title><h1>${escape(project.name)}</h1>${sections.join('\n')}\n`
}
type Entry = { metadata: { schema: string; name: string }; columns: Record<string, { name: string; type: string }> }
