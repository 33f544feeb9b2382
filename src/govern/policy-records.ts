// The policy as the records have it, in one reading.

import type {
  AccessColumnMasksRow,
  AccessGrantsRow,
  AccessLimitsRow,
  AccessMembersRow,
  AccessRowFiltersRow,
  CatalogTransaction,
  Records,
} from '../records/index.ts'
import { type Limit, type LimitName, limitNames } from './limits.ts'
import {
  granteeKey,
  type ColumnMask,
  type Grant,
  type Grantee,
  type Pattern,
  type Policy,
  type RowFilter,
} from './policy.ts'
import { asRole } from './principal.ts'

type Db = Records['catalog'] | CatalogTransaction

/** Another text after every change of rights, users or forks, whichever process made it. */
export async function readStamp(db: Db): Promise<string> {
  let query = stampQueries.get(db)
  if (!query) stampQueries.set(db, (query = stampQuery(db)))
  const { rows } = await db.executeQuery(query)
  const { stamp, forks, latest } = rows[0]!
  return `${stamp} ${forks} ${latest ?? ''}`
}

/** Asked for every statement: to put its text together each time takes longer than to ask. */
const stampQueries = new WeakMap<Db, ReturnType<typeof stampQuery>>()

const stampQuery = (db: Db) =>
  db
    .selectFrom('access_stamp')
    .select((eb) => [
      'stamp',
      // A fork is known by the names of its origin from the moment that it is there.
      eb
        .selectFrom('forks')
        .select(({ fn }) => fn.countAll<number>().as('forks'))
        .as('forks'),
      eb
        .selectFrom('forks')
        .select(({ fn }) => fn.max('created_at').as('latest'))
        .as('latest'),
    ])
    .where('id', '=', 1)
    .compile()

/** Says to all processes that what decides has changed. To be called in the transaction of the change. */
export async function bumpStamp(trx: CatalogTransaction): Promise<void> {
  await trx
    .updateTable('access_stamp')
    .set((eb) => ({ stamp: eb('stamp', '+', 1) }))
    .where('id', '=', 1)
    .execute()
}

/** Read in one transaction, so that all of it is of one moment. */
export function loadPolicy(
  records: Pick<Records, 'transaction'>,
  environments: readonly { name: string; catalog: string }[],
): Promise<Policy> {
  return records.transaction(
    async (trx) => {
      const stamp = await readStamp(trx)
      const users = await trx.selectFrom('users').select(['id', 'name', 'role', 'disabled']).execute()
      const attributes = await trx.selectFrom('access_attributes').selectAll().execute()
      const roles = await trx.selectFrom('access_roles').select('name').execute()
      const groups = await trx.selectFrom('access_groups').select('name').execute()
      const members = await trx.selectFrom('access_members').selectAll().execute()
      const grants = await trx.selectFrom('access_grants').selectAll().orderBy('id').execute()
      const filters = await trx.selectFrom('access_row_filters').selectAll().orderBy('position').orderBy('id').execute()
      const masks = await trx.selectFrom('access_column_masks').selectAll().orderBy('position').orderBy('id').execute()
      const limits = await trx.selectFrom('access_limits').selectAll().orderBy('id').execute()
      const forks = await trx.selectFrom('forks').select(['environment', 'catalog', 'origin']).execute()
      const attributesOf = Map.groupBy(attributes, ({ user_name }) => user_name)
      return {
        stamp,
        users: new Map(
          users.map(({ id, name, role, disabled }) => [
            id,
            {
              name,
              role: asRole(role),
              disabled: disabled === 1,
              attributes: Object.fromEntries((attributesOf.get(name) ?? []).map(({ key, value }) => [key, value])),
            },
          ]),
        ),
        roles: new Set(roles.map(({ name }) => name)),
        groups: new Set(groups.map(({ name }) => name)),
        memberships: membershipsOf(members),
        grants: grants.map(grantOf),
        rowFilters: filters.map(rowFilterOf),
        masks: masks.map(maskOf),
        // A name that this version does not know cannot be kept to.
        limits: limits.map(limitOf).filter(({ name }) => limitNames.includes(name)),
        environments: namesOfCatalogs(environments, forks),
      }
    },
    { flush: false },
  )
}

/** As a policy has them. */
export function membershipsOf(
  rows: readonly Pick<AccessMembersRow, 'kind' | 'name' | 'of_kind' | 'of_name'>[],
): Policy['memberships'] {
  const memberships = new Map<string, Grantee[]>()
  for (const { kind, name, of_kind, of_name } of rows) {
    const key = granteeKey({ kind, name })
    memberships.set(key, [...(memberships.get(key) ?? []), { kind: of_kind, name: of_name }])
  }
  return memberships
}

/** A fork goes by the names of everything that it comes from. */
function namesOfCatalogs(
  environments: readonly { name: string; catalog: string }[],
  forks: readonly { environment: string; catalog: string; origin: string }[],
): Map<string, string[]> {
  const own = [...environments, ...forks.map(({ environment, catalog }) => ({ name: environment, catalog }))]
  const origins = new Map(forks.map(({ catalog, origin }) => [catalog.toLowerCase(), origin.toLowerCase()]))
  const names = (catalog: string, seen: ReadonlySet<string>): string[] => {
    if (seen.has(catalog)) return []
    const here = own.filter((one) => one.catalog.toLowerCase() === catalog).map(({ name }) => name.toLowerCase())
    const origin = origins.get(catalog)
    return [...here, catalog, ...(origin === undefined ? [] : names(origin, new Set([...seen, catalog])))]
  }
  const catalogs = new Set(own.map(({ catalog }) => catalog.toLowerCase()))
  return new Map([...catalogs].map((catalog) => [catalog, [...new Set(names(catalog, new Set()))]]))
}

type PlaceRow = { environment: string; namespace: string; table_name: string }

export const patternOf = ({ environment, namespace, table_name }: PlaceRow): Pattern => ({
  environment,
  namespace,
  table: table_name,
})
export const placeOf = ({ environment = '*', namespace = '*', table = '*' }: Pattern): PlaceRow => ({
  environment: environment.toLowerCase(),
  namespace: namespace.toLowerCase(),
  table_name: table.toLowerCase(),
})

export const grantOf = (row: AccessGrantsRow): Grant => ({
  privilege: row.privilege as Grant['privilege'],
  on: patternOf(row),
  ...(row.columns_text === '' ? {} : { columns: columnsIn(row.columns_text) }),
  to: { kind: row.grantee_kind, name: row.grantee },
})
export const columnsIn = (text: string): string[] => text.split(',').filter((column) => column !== '')
/** Sorted, so that the same grant is the same row. */
export const columnsText = (columns: readonly string[] | undefined): string =>
  columns === undefined ? '' : `,${[...new Set(columns.map((column) => column.toLowerCase()))].sort().join(',')},`

export const rowFilterOf = (row: AccessRowFiltersRow): RowFilter => ({
  on: patternOf(row),
  ...(row.to_json === null ? {} : { to: JSON.parse(row.to_json) as string[] }),
  except: JSON.parse(row.except_json) as string[],
  condition: row.condition,
})
export const maskOf = (row: AccessColumnMasksRow): ColumnMask => ({
  on: patternOf(row),
  column: row.column_name,
  except: JSON.parse(row.except_json) as string[],
  expression: row.expression,
})
export const limitOf = (row: AccessLimitsRow): Limit => ({
  name: row.name as LimitName,
  most: Number(row.most),
  to: { kind: row.grantee_kind, name: row.grantee },
})
