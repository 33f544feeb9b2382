// What somebody has to see under a policy, worked out beside the product: tables in a plain DuckDB, and of them, for whoever
// asks, copies that are filtered and masked before anything is asked. The rules are read here once more, in their simplest form.

import { DuckDBInstance } from '@duckdb/node-api'
import type { AccessFile, ColumnMask, Grant, Grantee, Pattern, RowFilter } from '../../src/govern/index.ts'

export type Policy = Pick<AccessFile, 'roles' | 'grants' | 'rowFilters' | 'masks' | 'attributes' | 'groups'>
export type Rows = (string | null)[][]

/** Columns of a table: as it is called now, as it was called then, and its type. `was` alone: the column is gone. */
type Column = { now?: string; was?: string; type: string }
type Table = { columns: readonly Column[]; moments: readonly string[] }

/** The tables of the namespace `g`; `moments`: a tag of when columns were called otherwise, and a branch. */
export const tables: Readonly<Record<string, Table>> = {
  people: {
    columns: [
      { now: 'id', was: 'id', type: 'BIGINT' },
      { now: 'region', was: 'region', type: 'VARCHAR' },
      { now: 'email', was: 'mail', type: 'VARCHAR' },
      { now: 'pay', was: 'pay', type: 'BIGINT' },
      { now: 'code', was: 'code', type: 'VARCHAR' },
      { was: 'gone', type: 'VARCHAR' },
    ],
    moments: ['_first', '_side'],
  },
  orders: {
    columns: [
      { now: 'id', type: 'BIGINT' },
      { now: 'person', type: 'BIGINT' },
      { now: 'region', type: 'VARCHAR' },
      { now: 'amount', type: 'BIGINT' },
    ],
    moments: [],
  },
  ledger: {
    columns: [
      { now: 'id', type: 'BIGINT' },
      { now: 'region', type: 'VARCHAR' },
      { now: 'email', type: 'VARCHAR' },
      { now: 'pay', type: 'BIGINT' },
    ],
    moments: [],
  },
}

/** Made by an administrator, who sees all: they lend that, and filters and masks bind whoever asks. */
export const views: Readonly<Record<string, { sql: string; columns: Readonly<Record<string, string>> }>> = {
  shown: {
    sql: 'SELECT id, region, email, pay FROM g.people WHERE id > 2',
    columns: { id: 'BIGINT', region: 'VARCHAR', email: 'VARCHAR', pay: 'BIGINT' },
  },
  joined: {
    sql: 'SELECT o.id, p.email, o.amount FROM g.orders o LEFT JOIN g.people p ON p.id = o.person',
    columns: { id: 'BIGINT', email: 'VARCHAR', amount: 'BIGINT' },
  },
  counted: {
    sql: 'SELECT region, count(*) AS n, max(email) AS email FROM g.people GROUP BY region',
    columns: { region: 'VARCHAR', n: 'BIGINT', email: 'VARCHAR' },
  },
}

const like = (pattern: string | undefined, text: string) =>
  pattern === undefined || new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text)
const covers = ({ environment, namespace, table }: Pattern, name: string) =>
  (like(environment, 'dev') || like(environment, 'dev_analytics')) && like(namespace, 'g') && like(table, name)

export type Asker = {
  name: string
  isReader: boolean
  roles: ReadonlySet<string>
  attributes: Readonly<Record<string, string>>
  policy: Policy
}

export function askerOf(name: string, isReader: boolean, policy: Policy): Asker {
  const has: Grantee[] = [{ kind: 'user', name }]
  for (const one of has) {
    const more = [
      ...policy.groups
        .filter(({ users }) => one.kind === 'user' && users.includes(one.name))
        .map((group) => ({ kind: 'group' as const, name: group.name })),
      ...policy.roles
        .filter(({ members }) => members.some(({ kind, name: member }) => kind === one.kind && member === one.name))
        .map((role) => ({ kind: 'role' as const, name: role.name })),
    ]
    has.push(...more.filter((next) => !has.some(({ kind, name: of }) => kind === next.kind && of === next.name)))
  }
  const grants = policy.grants.filter(
    ({ to }) => to.name === 'public' || has.some(({ kind, name: of }) => kind === to.kind && of === to.name),
  )
  return {
    name,
    isReader,
    roles: new Set([
      ...has.filter(({ kind }) => kind === 'role').map((role) => role.name),
      isReader ? 'reader' : 'member',
    ]),
    attributes: policy.attributes.find(({ user }) => user === name)?.values ?? {},
    policy: { ...policy, grants },
  }
}

export function grantsOn({ policy, isReader }: Asker, privilege: string, name: string): Grant[] {
  const bundle = ['insert', 'update', 'delete'].includes(privilege) ? ['write', 'all'] : ['all']
  const all = policy.grants.filter(
    (one) => (one.privilege === privilege || bundle.includes(one.privilege)) && covers(one.on, name),
  )
  return isReader && privilege === 'select'
    ? [...all, { privilege: 'select', on: {}, to: { kind: 'user', name: '' } }]
    : all
}

const binds = ({ roles }: Asker, { except, to }: { except: readonly string[]; to?: readonly string[] | undefined }) =>
  !except.some((role) => roles.has(role)) && (to === undefined || to.some((role) => roles.has(role)))
const filtersOn = (asker: Asker, name: string): RowFilter[] =>
  asker.policy.rowFilters.filter((one) => covers(one.on, name) && binds(asker, one))
const masksOn = (asker: Asker, name: string): ColumnMask[] =>
  asker.policy.masks.filter((one) => covers(one.on, name) && binds(asker, { except: one.except }))

export const mayKnow = (asker: Asker, name: string): boolean =>
  asker.isReader || asker.policy.grants.some(({ on }) => covers(on, name))
export const maySelect = (asker: Asker, name: string): boolean => grantsOn(asker, 'select', name).length > 0
/** Nothing of it is hidden; with `butRows`, rows may be. */
export function seesWhole(asker: Asker, name: string, { butRows = false } = {}): boolean {
  const isWhole = grantsOn(asker, 'select', name).some(({ columns }) => columns === undefined)
  return isWhole && masksOn(asker, name).length === 0 && (butRows || filtersOn(asker, name).length === 0)
}
/** The columns that they are granted, by the names of now; undefined: all. */
export function columnsOf(asker: Asker, name: string): ReadonlySet<string> | undefined {
  const grants = grantsOn(asker, 'select', name)
  return grants.some(({ columns }) => columns === undefined)
    ? undefined
    : new Set(grants.flatMap(({ columns = [] }) => columns))
}

const text = (value: string) => `'${value.replaceAll("'", "''")}'`
const ofAsker = (sql: string, { name, roles, attributes }: Asker) =>
  sql
    .replaceAll(/attribute\('(\w+)'\)/g, (_, key: string) => (key in attributes ? text(attributes[key]!) : 'NULL'))
    .replaceAll(/has_role\('(\w+)'\)/g, (_, role: string) => String(roles.has(role)))
    .replaceAll('current_user', text(name))
    .replaceAll('g.regions', 'plain.regions')

export type Oracle = Awaited<ReturnType<typeof openOracle>>

export async function openOracle() {
  const database = await (await DuckDBInstance.create(':memory:')).connect()
  const rows = async (sql: string): Promise<Rows> => {
    const reader = await database.runAndReadAll(sql)
    return reader.getRowsJson().map((row) => row.map(shown))
  }
  for (const schema of ['plain', 'g', 'bound']) await database.run(`CREATE SCHEMA ${schema}`)

  /**
   * What they see, as tables of the schema `g`: of those they may select, the columns that are granted to them. `_key` of the
   * ledger tells its rows apart, whatever is masked; it is there as `bound.ledger`.
   */
  async function show(asker: Asker): Promise<void> {
    for (const [name, { columns, moments }] of Object.entries(tables))
      for (const moment of ['', ...moments]) {
        // A branch has the columns of now, a tag those of then.
        const as = (one: Column) => (moment === '_first' ? one.was : one.now)
        await showOne(asker, name, `${name}${moment}`, {
          from: `plain.${name}${moment}`,
          columns: columns.flatMap((one) => (as(one) === undefined ? [] : [{ ...one, as: as(one)! }])),
          more: name === 'ledger' ? ', _key' : '',
        })
      }
    for (const [name, { sql, columns }] of Object.entries(views))
      await showOne(asker, name, name, {
        from: `(${sql.replaceAll('g.', 'bound.')})`,
        columns: Object.entries(columns).map(([now, type]) => ({ now, type, as: now })),
        more: '',
      })
  }

  type Source = { from: string; columns: readonly (Column & { as: string })[]; more: string }

  async function showOne(asker: Asker, name: string, place: string, { from, columns, more }: Source): Promise<void> {
    const masks = masksOn(asker, name)
    const conditions = filtersOn(asker, name).map(({ condition }) => `(${ofAsker(condition, asker)})`)
    const list = columns.map(({ now, was, as, type }) => {
      const mask = masks.find(({ column }) => column === now || column === was)
      return `${mask ? `TRY_CAST((${ofAsker(mask.expression, asker)}) AS ${type})` : (now ?? was)} AS ${as}`
    })
    await database.run(
      `CREATE OR REPLACE TABLE bound.${place} AS SELECT ${list.join(', ')}${more} FROM ${from} AS ${name} WHERE ${['true', ...conditions].join(' AND ')}`,
    )
    await database.run(`DROP TABLE IF EXISTS g.${place}`)
    const granted = columnsOf(asker, name)
    const seen = columns.filter(({ now }) => granted === undefined || (now !== undefined && granted.has(now)))
    if (maySelect(asker, name) && seen.length > 0)
      await database.run(`CREATE TABLE g.${place} AS SELECT ${seen.map(({ as }) => as).join(', ')} FROM bound.${place}`)
  }

  return { run: (sql: string) => database.run(sql), rows, show, close: () => database.closeSync() }
}

/** A value as text, however a door writes it. */
export function shown(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'object') return JSON.stringify(value)
  return String(value)
}
