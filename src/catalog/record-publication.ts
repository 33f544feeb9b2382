// A publication in the records: what became visible in one step, by whom. Conflicts are explained from it, pages that
// are open are told by it, and it can be rolled back.

import type { CatalogTransaction } from '../records/index.ts'
import type { TableName } from './names.ts'
import type { EntryKind } from './pointers.ts'

type NewPublication = {
  id: string
  catalog: string
  runId: string | null
  publishedAt: string
  by: string
  /** The publication that this one takes back. */
  undoes: string | null
  tables: readonly {
    name: TableName
    kind: EntryKind
    action: string
    from: string | null
    to: string | null
    fromSnapshot: string | null
    toSnapshot: string | null
  }[]
}

/** Belongs into the transaction that swaps the pointers. */
export async function recordPublication(
  transaction: CatalogTransaction,
  { id, catalog, runId, publishedAt, by, undoes, tables }: NewPublication,
): Promise<void> {
  await transaction
    .insertInto('publications')
    .values({
      id,
      catalog,
      run_id: runId,
      published_at: publishedAt,
      published_by: by,
      rolled_back_at: null,
      rolled_back_by: null,
      undoes,
    })
    .execute()
  for (const { name, kind, action, from, to, fromSnapshot, toSnapshot } of tables)
    await transaction
      .insertInto('publication_tables')
      .values({
        publication_id: id,
        namespace: name.namespace,
        name: name.name,
        kind,
        action,
        from_location: from,
        to_location: to,
        from_snapshot: fromSnapshot,
        to_snapshot: toSnapshot,
      })
      .execute()
}
