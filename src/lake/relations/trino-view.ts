import { Failure } from '../../base/failure.ts'
import { showName, type LoadedView } from '../../catalog/index.ts'
import { currentViewVersion } from '../../iceberg/index.ts'
import type { Lake, QueryOptions } from '../lake.ts'
import { quoteTable } from '../sql/tokens.ts'
import { trinoSql } from '../sql/trino.ts'
import { sqlType } from '../types.ts'
import { schemaOfLoaded } from './information.ts'

/**
 * A view's SQL in Trino's words, for a Trino that calls our catalog `trinoCatalog`; undefined where the view has such a text
 * of its own, is not written for DuckDB, or holds what is not known to mean the same there.
 */
export async function trinoView(
  lake: Pick<Lake, 'outline'>,
  view: LoadedView,
  options: Pick<QueryOptions, 'principal' | 'signal'> & { trinoCatalog: string },
): Promise<string | undefined> {
  const version = currentViewVersion(view.metadata)
  const texts = new Map(version?.representations.map(({ dialect, sql }) => [dialect.toLowerCase(), sql]))
  const sql = texts.get('duckdb')
  if (!version || sql === undefined || texts.has('trino')) return undefined
  const { catalog } = view.name
  const { trinoCatalog, ...asker } = options
  const [namespace = view.name.namespace] = version.defaultNamespace
  try {
    const { tables, tree } = await lake.outline(sql, { ...asker, catalog, namespace, door: 'http' })
    const known = new Map(tables.map(({ table, columns }) => [table?.toLowerCase(), columns]))
    return trinoSql({
      sql,
      tree: await tree(),
      hasZones: tables.some(({ columns }) => !columns || columns.some(({ type }) => type.includes('TIME ZONE'))),
      columns: schemaOfLoaded(view).fields.map(({ name, type }) => ({ name, type: sqlType(type) })),
      table(written) {
        const name = { catalog, namespace: written.namespace ?? namespace, name: written.name }
        const shown = showName({ ...name, catalog: written.catalog ?? catalog }).toLowerCase()
        if (shown !== showName(name).toLowerCase() || !known.has(shown)) return undefined
        return { name: quoteTable({ ...name, catalog: trinoCatalog }), columns: known.get(shown) }
      },
    })
  } catch (error) {
    // Trino is told that there is no text for it; whoever may not read what is below the view is told so by no text either.
    if (error instanceof Failure) return undefined
    throw error
  }
}
