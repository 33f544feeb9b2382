// The embedded catalog: pointers in the records store, in the layout of Iceberg's JDBC catalog, so that PyIceberg's
// SqlCatalog and Java's JdbcCatalog can open the same database. The compare-and-swap is a conditional UPDATE inside
// one transaction, so storage needs none.

import { Failure } from '../base/failure.ts'
import type { CatalogTransaction, Records } from '../records/index.ts'
import type { Catalog, EntryKind, Pointer, Swap } from './catalog.ts'
import { showName, type TableName } from './names.ts'

export interface EmbeddedCatalog extends Catalog {
  /** As `swap`, and `also` is written in the same transaction. */
  swapAnd(swaps: readonly Swap[], also: (transaction: CatalogTransaction) => Promise<void>): Promise<void>
}

export function embeddedCatalog(records: Records): EmbeddedCatalog {
  const swapAnd: EmbeddedCatalog['swapAnd'] = (swaps, also) =>
    records.transaction(async (transaction) => {
      for (const swap of swaps) await swapOne(transaction, swap)
      await also(transaction)
    })
  return {
    swapAnd,
    swap: (swaps) => swapAnd(swaps, async () => {}),

    async catalogs() {
      const rows = await records.catalog
        .selectFrom('iceberg_namespace_properties')
        .select('catalog_name')
        .distinct()
        .execute()
      return rows.map(({ catalog_name }) => catalog_name).sort()
    },

    async namespaces(catalog) {
      const [declared, used] = await Promise.all([
        records.catalog
          .selectFrom('iceberg_namespace_properties')
          .select('namespace')
          .distinct()
          .where('catalog_name', '=', catalog)
          .execute(),
        records.catalog
          .selectFrom('iceberg_tables')
          .select('table_namespace as namespace')
          .distinct()
          .where('catalog_name', '=', catalog)
          .execute(),
      ])
      return [...new Set([...declared, ...used].map(({ namespace }) => namespace))].sort()
    },

    createNamespace: (catalog, namespace, properties = {}) =>
      records.transaction(async (transaction) => {
        const found = await transaction
          .selectFrom('iceberg_namespace_properties')
          .select('namespace')
          .where('catalog_name', '=', catalog)
          .where('namespace', '=', namespace)
          .executeTakeFirst()
        if (found) return false
        // Iceberg's own catalogs mark a namespace without properties by `exists`.
        const values = Object.entries({ exists: 'true', ...properties }).map(([property_key, property_value]) => ({
          catalog_name: catalog,
          namespace,
          property_key,
          property_value,
        }))
        await transaction
          .insertInto('iceberg_namespace_properties')
          .values(values)
          .onConflict((conflict) => conflict.doNothing())
          .execute()
        return true
      }),

    async list(catalog, namespace) {
      let query = records.catalog.selectFrom('iceberg_tables').selectAll().where('catalog_name', '=', catalog)
      if (namespace !== undefined) query = query.where('table_namespace', '=', namespace)
      const rows = await query.orderBy('table_namespace').orderBy('table_name').execute()
      return rows.flatMap((row) => toPointer(row) ?? [])
    },

    async pointer(name) {
      return find(records.catalog, name)
    },

    async pointers(names) {
      if (names.length === 0) return []
      // One statement sees one state of the store.
      const rows = await records.catalog
        .selectFrom('iceberg_tables')
        .selectAll()
        .where((is) =>
          is.or(
            names.map(({ catalog, namespace, name }) =>
              is.and({ catalog_name: catalog, table_namespace: namespace, table_name: name }),
            ),
          ),
        )
        .execute()
      return rows.flatMap((row) => toPointer(row) ?? [])
    },
  }
}

type Row = {
  catalog_name: string
  table_namespace: string
  table_name: string
  metadata_location: string | null
  iceberg_type: string | null
}

const toPointer = (row: Row): Pointer | undefined =>
  row.metadata_location === null
    ? undefined
    : {
        name: { catalog: row.catalog_name, namespace: row.table_namespace, name: row.table_name },
        kind: row.iceberg_type === 'VIEW' ? 'view' : 'table',
        location: row.metadata_location,
      }

async function find(database: Records['catalog'], name: TableName): Promise<Pointer | undefined> {
  const row = await database
    .selectFrom('iceberg_tables')
    .selectAll()
    .where('catalog_name', '=', name.catalog)
    .where('table_namespace', '=', name.namespace)
    .where('table_name', '=', name.name)
    .executeTakeFirst()
  return row && toPointer(row)
}

const icebergType: Record<EntryKind, string> = { table: 'TABLE', view: 'VIEW' }

async function swapOne(transaction: CatalogTransaction, { name, kind, from, to }: Swap): Promise<void> {
  const key = { catalog_name: name.catalog, table_namespace: name.namespace, table_name: name.name }
  const conflict = () =>
    new Failure('COMMIT_CONFLICT', `${showName(name)} was changed by another writer`, {
      table: showName(name),
      expected: from,
    })
  if (from === null && to === null) return
  if (from === null) {
    const { numInsertedOrUpdatedRows } = await transaction
      .insertInto('iceberg_tables')
      .values({ ...key, metadata_location: to, previous_metadata_location: null, iceberg_type: icebergType[kind] })
      .onConflict((onConflict) => onConflict.doNothing())
      .executeTakeFirstOrThrow()
    if (numInsertedOrUpdatedRows !== 1n) throw conflict()
    return
  }
  const where = { ...key, metadata_location: from }
  const count =
    to === null
      ? (
          await transaction
            .deleteFrom('iceberg_tables')
            .where((is) => is.and(where))
            .executeTakeFirstOrThrow()
        ).numDeletedRows
      : (
          await transaction
            .updateTable('iceberg_tables')
            .set({ metadata_location: to, previous_metadata_location: from, iceberg_type: icebergType[kind] })
            .where((is) => is.and(where))
            .executeTakeFirstOrThrow()
        ).numUpdatedRows
  if (count !== 1n) throw conflict()
}
