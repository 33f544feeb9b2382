// Publications with what the page needs beside them: what undid what, and whether one can still be undone.

import type { Pointers } from '../../../catalog/index.ts'
import type * as contract from '../../../contract/index.ts'
import type { PublicationsRow, PublicationTablesRow, Records } from '../../../records/index.ts'

type Store = {
  records: Pick<Records, 'catalog'>
  pointers: Pick<Pointers, 'list'>
  environmentOf(catalog: string): string
}

export async function listPublications(
  { catalog, limit }: { catalog: string; limit: number },
  store: Store,
): Promise<contract.Publication[]> {
  const rows = await store.records.catalog
    .selectFrom('publications')
    .selectAll()
    .where('catalog', '=', catalog)
    .orderBy('published_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return await described(rows, store)
}

/** Undefined when there is none. */
export async function getPublication(id: string, store: Store): Promise<contract.Publication | undefined> {
  const row = await store.records.catalog.selectFrom('publications').selectAll().where('id', '=', id).executeTakeFirst()
  return row && (await described([row], store))[0]
}

async function described(
  rows: readonly PublicationsRow[],
  { records, pointers, environmentOf }: Store,
): Promise<contract.Publication[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const [entries, undoing, catalogs] = await Promise.all([
    records.catalog
      .selectFrom('publication_tables')
      .selectAll()
      .where('publication_id', 'in', ids)
      .orderBy('namespace')
      .orderBy('name')
      .execute(),
    records.catalog.selectFrom('publications').select(['id', 'undoes']).where('undoes', 'in', ids).execute(),
    Promise.all(
      [...new Set(rows.map(({ catalog }) => catalog))].map(async (catalog) =>
        (await pointers.list(catalog)).map(
          ({ name, location }) => [[catalog, name.namespace, name.name].join('\0'), location] as const,
        ),
      ),
    ),
  ])
  const locations = new Map(catalogs.flat())
  const byPublication = Map.groupBy(entries, (entry) => entry.publication_id)
  return rows.map((row) => {
    const tables = byPublication.get(row.id) ?? []
    const isCurrent = (entry: PublicationTablesRow) =>
      (locations.get([row.catalog, entry.namespace, entry.name].join('\0')) ?? null) === entry.to_location
    return {
      id: row.id,
      environment: environmentOf(row.catalog),
      runId: row.run_id,
      by: row.published_by || null,
      publishedAt: row.published_at,
      undoes: row.undoes,
      undoneBy: undoing.find(({ undoes }) => undoes === row.id)?.id ?? null,
      undoable: row.rolled_back_at === null && tables.length > 0 && tables.every(isCurrent),
      tables: tables.map((entry) => ({
        table: [row.catalog, entry.namespace, entry.name].join('.'),
        kind: entry.kind,
        action: actionOf(entry.action),
        fromSnapshot: entry.from_snapshot,
        toSnapshot: entry.to_snapshot,
      })),
    }
  })
}

type Action = contract.Publication['tables'][number]['action']

const actionOf = (action: string): Action =>
  (['create', 'replace', 'append', 'drop', 'rollback'] as const).find((one) => one === action) ?? 'replace'
