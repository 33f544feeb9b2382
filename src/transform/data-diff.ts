// What is different between two tables: rows that came, went and changed, and in which columns. As SQL, so that it costs
// what a join costs and nothing comes here but counts and a few samples.
//
// Rows are told apart by a key (a unique test, `unique_key`) where both tables hold it; else a row is all of its values,
// and one that changed counts as gone and come.

import { Failure } from '../base/failure.ts'
import { collect, quoteName, type Column, type Lake, type QueryOptions } from '../lake/index.ts'
import type { DbtNode, DbtProject } from '../project/dbt/index.ts'

export type TableDiff = {
  table: string
  /** Columns that tell rows apart; undefined: whole rows were compared. */
  key: readonly string[] | undefined
  rowsBefore: number | null
  rowsAfter: number | null
  added: number
  removed: number
  changed: number
  /** Columns of both in which rows differ, and in how many. */
  columns: { name: string; changed: number }[]
  schema: { name: string; before: string | null; after: string | null }[]
  samples: { change: 'added' | 'removed' | 'changed'; columns: Column[]; rows: unknown[][] }[]
}

type Asking = { lake: Pick<Lake, 'query' | 'bind'>; options: QueryOptions; samples?: QueryOptions | undefined }

/**
 * Compares two tables of the lake, named in full: `prod_analytics.marts.orders`. Samples are read with the rights of
 * `asking.samples`, so what is hidden from that principal is hidden in them.
 * @throws what the lake throws for tables that are there and cannot be read
 */
export async function diffTables(
  table: string,
  names: { before: string; after: string },
  keys: readonly (readonly string[])[],
  asking: Asking,
  samplesMax = 3,
): Promise<TableDiff> {
  const [before, after] = await Promise.all([columnsOf(names.before, asking), columnsOf(names.after, asking)])
  const count = async (name: string) => Number((await rowsOf(`select count(*) from ${name}`, asking))[0]![0])
  const empty = { table, key: undefined, added: 0, removed: 0, changed: 0, columns: [], schema: [], samples: [] }
  if (!before || !after) {
    const [rowsBefore, rowsAfter] = [before ? await count(names.before) : null, after ? await count(names.after) : null]
    return { ...empty, rowsBefore, rowsAfter, added: rowsAfter ?? 0, removed: rowsBefore ?? 0 }
  }
  const byName = (columns: readonly Column[]) => new Map(columns.map((column) => [column.name.toLowerCase(), column]))
  const [was, is] = [byName(before), byName(after)]
  const shared = before.filter(({ name }) => is.has(name.toLowerCase()))
  const schema = [
    ...before.flatMap(({ name, type }) => {
      const next = is.get(name.toLowerCase())
      return next?.type === type ? [] : [{ name, before: type, after: next?.type ?? null }]
    }),
    ...after.flatMap(({ name, type }) => (was.has(name.toLowerCase()) ? [] : [{ name, before: null, after: type }])),
  ]
  const key = await keyOf(keys, shared, names, asking)
  const facts = { ...empty, key, schema, rowsBefore: await count(names.before), rowsAfter: await count(names.after) }
  const found = key ? await byKey(key, shared, names, asking) : await byRow(shared, names, asking)
  const samples = samplesMax > 0 && asking.samples ? await samplesOf(found.sql, samplesMax, asking) : []
  return { ...facts, ...found.counts, samples }
}

type Found = {
  counts: Pick<TableDiff, 'added' | 'removed' | 'changed' | 'columns'>
  sql: Partial<Record<'added' | 'removed' | 'changed', string>>
}

async function byKey(
  key: readonly string[],
  shared: readonly Column[],
  { before, after }: { before: string; after: string },
  asking: Asking,
): Promise<Found> {
  const others = shared.filter(({ name }) => !key.some((one) => same(one, name)))
  const on = key.map((name) => `b.${quoteName(name)} = a.${quoteName(name)}`).join(' and ')
  const [first] = key.map(quoteName)
  const from = `from ${before} as b full join ${after} as a on ${on}`
  const differs = others.map(({ name }) => `b.${quoteName(name)} is distinct from a.${quoteName(name)}`)
  const both = `b.${first} is not null and a.${first} is not null`
  const any = differs.length > 0 ? `(${differs.join(' or ')})` : 'false'
  const [row] = await rowsOf(
    `select count(*) filter (b.${first} is null), count(*) filter (a.${first} is null), count(*) filter (${both} and ${any})${differs
      .map((one) => `, count(*) filter (${both} and ${one})`)
      .join('')} ${from}`,
    asking,
  )
  const [added = 0, removed = 0, changed = 0, ...perColumn] = row!.map(Number)
  const columns = others
    .map(({ name }, at) => ({ name, changed: perColumn[at]! }))
    .filter((column) => column.changed > 0)
    .sort((one, other) => other.changed - one.changed)
  // A changed row shows its key and, of what changed anywhere, the value before and after.
  const shown = columns
    .slice(0, 4)
    .map(
      ({ name }) =>
        `b.${quoteName(name)} as ${quoteName(`${name} before`)}, a.${quoteName(name)} as ${quoteName(`${name} after`)}`,
    )
  const keys = key.map((name) => `a.${quoteName(name)}`).join(', ')
  return {
    counts: { added, removed, changed, columns },
    sql: {
      ...(added > 0 && { added: `select a.* ${from} where b.${first} is null order by ${keys}` }),
      ...(removed > 0 && {
        removed: `select b.* ${from} where a.${first} is null order by ${key.map((name) => `b.${quoteName(name)}`).join(', ')}`,
      }),
      ...(changed > 0 && {
        changed: `select ${[keys, ...shown].join(', ')} ${from} where ${both} and ${any} order by ${keys}`,
      }),
    },
  }
}

async function byRow(
  shared: readonly Column[],
  { before, after }: { before: string; after: string },
  asking: Asking,
): Promise<Found> {
  const list = shared.map(({ name }) => quoteName(name)).join(', ') || '1'
  const added = `select ${list} from ${after} except all select ${list} from ${before}`
  const removed = `select ${list} from ${before} except all select ${list} from ${after}`
  const [row] = await rowsOf(`select (select count(*) from (${added})), (select count(*) from (${removed}))`, asking)
  const [more = 0, fewer = 0] = row!.map(Number)
  return {
    counts: { added: more, removed: fewer, changed: 0, columns: [] },
    sql: {
      ...(more > 0 && { added: `${added} order by all` }),
      ...(fewer > 0 && { removed: `${removed} order by all` }),
    },
  }
}

/** The first key whose columns both tables have and in which no row of either is twice or without a value. */
async function keyOf(
  keys: readonly (readonly string[])[],
  shared: readonly Column[],
  { before, after }: { before: string; after: string },
  asking: Asking,
): Promise<readonly string[] | undefined> {
  for (const key of keys) {
    if (key.length === 0 || !key.every((name) => shared.some((column) => same(column.name, name)))) continue
    const list = key.map(quoteName).join(', ')
    const holds = (name: string) =>
      `(select count(*) from ${name}) = (select count(*) from (select distinct ${list} from ${name} where ${key.map((one) => `${quoteName(one)} is not null`).join(' and ')}))`
    const [row] = await rowsOf(`select ${holds(before)} and ${holds(after)}`, asking)
    if (row![0] === true) return key
  }
  return undefined
}

async function samplesOf(sql: Found['sql'], rowsMax: number, { lake, samples }: Asking): Promise<TableDiff['samples']> {
  const found: TableDiff['samples'] = []
  for (const change of ['added', 'removed', 'changed'] as const) {
    const text = sql[change]
    if (text === undefined) continue
    try {
      const { columns, rows } = await collect(await lake.query(`${text} limit ${rowsMax}`, samples!))
      found.push({ change, columns, rows })
    } catch (error) {
      // Whoever may not see the rows sees the counts.
      if (!(error instanceof Failure) || !['FORBIDDEN', 'TABLE_NOT_FOUND', 'SQL_INVALID'].includes(error.code))
        throw error
    }
  }
  return found
}

/** What tells rows of a node's table apart, as the project says: its `unique_key`, and columns that a test holds to be unique. */
export function keysOfNode(project: DbtProject, { uniqueId, config }: DbtNode): string[][] {
  const listed = (value: unknown): string[] =>
    (Array.isArray(value) ? value : [value]).filter(
      (one): one is string => typeof one === 'string' && /^\w+$/.test(one),
    )
  const keys: string[][] = [listed(config['unique_key'])]
  for (const { test } of project.nodes.values()) {
    if (test?.kind !== 'generic' || test.attachedTo !== uniqueId) continue
    if (test.name === 'unique' && test.columnName !== undefined) keys.push([test.columnName])
    if (test.name === 'unique_combination_of_columns') keys.push(listed(test.kwargs['combination_of_columns']))
  }
  return keys.filter((key) => key.length > 0)
}

/** Undefined when there is no such table. */
async function columnsOf(name: string, { lake, options }: Asking): Promise<Column[] | undefined> {
  try {
    return await lake.bind(`select * from ${name}`, options)
  } catch (error) {
    if (error instanceof Failure && error.code === 'TABLE_NOT_FOUND') return undefined
    throw error
  }
}

const rowsOf = async (sql: string, { lake, options }: Asking): Promise<unknown[][]> =>
  (await collect(await lake.query(sql, { ...options, cache: false }))).rows

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()
