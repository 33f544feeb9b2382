// Pointers in the records store, in the layout of Iceberg's JDBC catalog, so that PyIceberg's SqlCatalog and Java's
// JdbcCatalog can open the same database. The compare-and-swap is a conditional UPDATE inside one transaction, so
// storage needs none.

import { sql } from 'kysely'
import type { CatalogTransaction, Records } from '../records/index.ts'
import { namespacesAbove, type TableName } from './names.ts'
import {
  namespaceMissing,
  namespaceNotEmpty,
  propertiesChanged,
  swapConflict,
  type EntryKind,
  type Pointer,
  type Pointers,
  type Swap,
} from './pointers.ts'
import { leaveSequences } from './sequences.ts'

export interface EmbeddedCatalog extends Pointers {
  /** As `swap`, and `also` is written in the same transaction. */
  swapAnd(swaps: readonly Swap[], also: (transaction: CatalogTransaction) => Promise<void>): Promise<void>
}

type Database = Records['catalog'] | CatalogTransaction

/** Iceberg's own catalogs mark a namespace without properties by this one. */
const existsMark = 'exists'

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
      // Other programs add tables without declaring their namespaces.
      const [declared, used] = await Promise.all([
        records.catalog.selectFrom('iceberg_namespace_properties').select('catalog_name').distinct().execute(),
        records.catalog.selectFrom('iceberg_tables').select('catalog_name').distinct().execute(),
      ])
      return [...new Set([...declared, ...used].map(({ catalog_name }) => catalog_name))].sort()
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
      const all = [...declared, ...used].flatMap(({ namespace }) => [...namespacesAbove(namespace), namespace])
      return [...new Set(all)].sort()
    },

    async namespace(catalog, namespace) {
      const properties = await propertiesOf(records.catalog, catalog, namespace)
      return properties ?? ((await somethingBelow(records.catalog, catalog, namespace)) ? {} : undefined)
    },

    createNamespace: (catalog, namespace, properties = {}) =>
      records.transaction(async (transaction) => {
        if (await propertiesOf(transaction, catalog, namespace)) return false
        await setProperties(transaction, catalog, namespace, properties)
        return true
      }),

    updateNamespace: (catalog, namespace, change) =>
      records.transaction(async (transaction) => {
        const before = await propertiesOf(transaction, catalog, namespace)
        if (!before && !(await somethingBelow(transaction, catalog, namespace)))
          throw namespaceMissing(catalog, namespace)
        const changed = propertiesChanged(before ?? {}, change)
        if (changed.removed.length > 0)
          await transaction
            .deleteFrom('iceberg_namespace_properties')
            .where('catalog_name', '=', catalog)
            .where('namespace', '=', namespace)
            .where('property_key', 'in', changed.removed)
            .execute()
        await setProperties(transaction, catalog, namespace, change.set)
        return changed
      }),

    dropNamespace: (catalog, namespace) =>
      records.transaction(async (transaction) => {
        if (await somethingBelow(transaction, catalog, namespace)) throw namespaceNotEmpty(catalog, namespace)
        await leaveSequences(transaction, catalog, namespace)
        const { numDeletedRows } = await transaction
          .deleteFrom('iceberg_namespace_properties')
          .where('catalog_name', '=', catalog)
          .where('namespace', '=', namespace)
          .executeTakeFirstOrThrow()
        return numDeletedRows > 0n
      }),

    async list(catalog, namespace) {
      let query = records.catalog.selectFrom('iceberg_tables').selectAll().where('catalog_name', '=', catalog)
      if (namespace !== undefined) query = query.where('table_namespace', '=', namespace)
      const rows = await query.orderBy('table_namespace').orderBy('table_name').execute()
      return withShares(records.catalog, rows)
    },

    async names(catalog, namespace, { kind, after, limit }) {
      // SQLite orders by bytes, and finds the place in its index; PostgreSQL by the database's locale, unless it is told.
      const ordered = records.kind === 'postgres' ? sql<string>`table_name collate "C"` : sql.ref<string>('table_name')
      const rows = await records.catalog
        .selectFrom('iceberg_tables')
        .select('table_name')
        .where('catalog_name', '=', catalog)
        .where('table_namespace', '=', namespace)
        .where('metadata_location', 'is not', null)
        .where((is) =>
          kind === 'view'
            ? is('iceberg_type', '=', icebergType.view)
            : is.or([is('iceberg_type', 'is', null), is('iceberg_type', '!=', icebergType.view)]),
        )
        .$if(after !== undefined, (query) => query.where(ordered, '>', after!))
        .orderBy(ordered)
        .limit(limit)
        .execute()
      return rows.map(({ table_name }) => table_name)
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
      return withShares(records.catalog, rows)
    },

    async pointersTo(locations) {
      if (locations.length === 0) return []
      const rows = await records.catalog
        .selectFrom('iceberg_tables')
        .selectAll()
        .where('metadata_location', 'in', [...locations])
        .execute()
      return withShares(records.catalog, rows)
    },
  }
}

/** Undefined when nobody declared the namespace. */
async function propertiesOf(
  database: Database,
  catalog: string,
  namespace: string,
): Promise<Record<string, string> | undefined> {
  const rows = await database
    .selectFrom('iceberg_namespace_properties')
    .select(['property_key', 'property_value'])
    .where('catalog_name', '=', catalog)
    .where('namespace', '=', namespace)
    .execute()
  if (rows.length === 0) return undefined
  const own = rows.filter(({ property_key }) => property_key !== existsMark)
  return Object.fromEntries(own.map((row) => [row.property_key, row.property_value ?? '']))
}

async function setProperties(
  transaction: CatalogTransaction,
  catalog: string,
  namespace: string,
  properties: Readonly<Record<string, string>>,
): Promise<void> {
  const { [existsMark]: _, ...own } = properties
  for (const [property_key, property_value] of Object.entries({ [existsMark]: 'true', ...own }))
    await transaction
      .insertInto('iceberg_namespace_properties')
      .values({ catalog_name: catalog, namespace, property_key, property_value })
      .onConflict((conflict) =>
        conflict.columns(['catalog_name', 'namespace', 'property_key']).doUpdateSet({ property_value }),
      )
      .execute()
}

/** Whether a table lies in the namespace, or a namespace below it. */
async function somethingBelow(database: Database, catalog: string, namespace: string): Promise<boolean> {
  // Not LIKE: names may hold its wildcards. Not a range: PostgreSQL sorts these columns by the database's locale.
  const prefix = `${namespace}.`
  const length = [...prefix].length
  const table = await database
    .selectFrom('iceberg_tables')
    .select('table_name')
    .where('catalog_name', '=', catalog)
    .where((is) =>
      is.or([
        is('table_namespace', '=', namespace),
        is(is.fn<string>('substr', ['table_namespace', is.lit(1), is.lit(length)]), '=', prefix),
      ]),
    )
    .limit(1)
    .executeTakeFirst()
  if (table) return true
  const child = await database
    .selectFrom('iceberg_namespace_properties')
    .select('namespace')
    .where('catalog_name', '=', catalog)
    .where((is) => is(is.fn<string>('substr', ['namespace', is.lit(1), is.lit(length)]), '=', prefix))
    .limit(1)
    .executeTakeFirst()
  return child !== undefined
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
  return row && (await withShares(database, [row]))[0]
}

/** Pointers with what forks have to do with them. */
async function withShares(database: Database, rows: readonly Row[]): Promise<Pointer[]> {
  const pointers = rows.flatMap((row) => toPointer(row) ?? [])
  const catalogs = [...new Set(pointers.map(({ name }) => name.catalog))]
  if (catalogs.length === 0) return pointers
  const found = await database
    .selectFrom('forks')
    .innerJoin('fork_tables', 'fork_tables.catalog', 'forks.catalog')
    .select(['forks.catalog', 'forks.origin', 'fork_tables.namespace', 'fork_tables.name', 'fork_tables.own_location'])
    .where((is) => is.or([is('forks.catalog', 'in', catalogs), is('forks.origin', 'in', catalogs)]))
    .$if(pointers.length === 1, (query) => query.where('fork_tables.name', '=', pointers[0]!.name.name))
    .execute()
  if (found.length === 0) return pointers
  const key = (catalog: string, namespace: string, name: string) => JSON.stringify([catalog, namespace, name])
  const shares = new Map<string, { home?: string }>()
  for (const { origin, namespace, name } of found) shares.set(key(origin, namespace, name), {})
  for (const row of found) shares.set(key(row.catalog, row.namespace, row.name), { home: row.own_location })
  return pointers.map((pointer) => {
    const shared = shares.get(key(pointer.name.catalog, pointer.name.namespace, pointer.name.name))
    return shared ? { ...pointer, shared } : pointer
  })
}

const icebergType: Record<EntryKind, string> = { table: 'TABLE', view: 'VIEW' }

async function swapOne(transaction: CatalogTransaction, swap: Swap): Promise<void> {
  const { name, kind, from, to } = swap
  const key = { catalog_name: name.catalog, table_namespace: name.namespace, table_name: name.name }
  if (from === null && to === null) return
  if (from === null) {
    if (swap.namespaceMustExist) await checkNamespace(transaction, name)
    const { numInsertedOrUpdatedRows } = await transaction
      .insertInto('iceberg_tables')
      .values({ ...key, metadata_location: to, previous_metadata_location: null, iceberg_type: icebergType[kind] })
      .onConflict((onConflict) => onConflict.doNothing())
      .executeTakeFirstOrThrow()
    if (numInsertedOrUpdatedRows !== 1n) throw swapConflict(swap)
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
  if (count !== 1n) throw swapConflict(swap)
}

async function checkNamespace(transaction: CatalogTransaction, { catalog, namespace }: TableName): Promise<void> {
  if (await propertiesOf(transaction, catalog, namespace)) return
  if (!(await somethingBelow(transaction, catalog, namespace))) throw namespaceMissing(catalog, namespace)
}
