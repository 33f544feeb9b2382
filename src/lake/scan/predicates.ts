// Which files a query can do without.
//
// DuckDB's optimiser, asked on empty shadow tables, says which conditions reach which scan. They are turned into
// Iceberg predicates for the manifests. The rule of safety: what is not wholly understood is "true", a scan that does
// not appear in the plan keeps all its files, and a table that appears twice keeps what either use needs.

import type { Field, Predicate, Schema, Type, Value } from '../../iceberg/index.ts'
import { comparisons, type PlainCondition, type PlainLiteral } from '../sql/plain-select.ts'
import { indexOfByte } from '../sql/splice.ts'
import { parseBound } from '../write/write.ts'

type Json = { [key: string]: unknown }
const always: Predicate = { op: 'true' }

/** By the name of the shadow table: the condition under which its rows matter. Tables not in the map need all files. */
export function predicatesOf(plan: Json, schemas: ReadonlyMap<string, Schema>): Map<string, Predicate> {
  const found = new Map<string, Predicate[]>()
  const visit = (node: unknown) => {
    if (node === null || typeof node !== 'object') return
    if (Array.isArray(node)) return node.forEach(visit)
    const { type, function_data: data, children } = node as Json
    if (type === 'LOGICAL_GET') {
      const table = String((data as Json | undefined)?.table ?? '')
      const schema = schemas.get(table)
      if (schema) found.set(table, [...(found.get(table) ?? []), scanPredicate(node as Json, schema)])
    }
    visit(children)
    // Subplans (materialised CTEs, delim joins) hang on other keys.
    for (const [key, value] of Object.entries(node as Json))
      if (key !== 'children' && typeof value === 'object') visit(value)
  }
  visit(plan)
  return new Map([...found].map(([table, all]) => [table, any(all)]))
}

function scanPredicate(get: Json, schema: Schema): Predicate {
  const filters = ((get.table_filters as Json | undefined)?.filters ?? []) as { key: number; value: Json }[]
  const names = get.names as string[]
  return every(
    filters.map(({ key, value }) => {
      // The key is the column's place in the table, not in the scan's own list of columns.
      const field = schema.fields[key]?.name === names[key] ? schema.fields[key] : undefined
      return field ? filterPredicate(value, field) : always
    }),
  )
}

function filterPredicate(filter: Json, field: Field): Predicate {
  switch (filter.filter_type) {
    case 'CONSTANT_COMPARISON': {
      const op = comparisons[String(filter.comparison_type)]
      const value = literal(filter.constant as Json | undefined, field.type)
      return op && value !== undefined ? { op, field: field.id, value } : always
    }
    case 'IN_FILTER': {
      const values = (filter.values as Json[]).map((value) => literal(value, field.type))
      return values.length > 0 && values.every((value) => value !== undefined)
        ? { op: 'in', field: field.id, values }
        : always
    }
    case 'IS_NULL':
      return { op: 'is_null', field: field.id }
    case 'IS_NOT_NULL':
      return { op: 'not_null', field: field.id }
    case 'OPTIONAL_FILTER':
      // Implied by the query, only not checked twice: as good as the others.
      return filter.child_filter ? filterPredicate(filter.child_filter as Json, field) : always
    case 'CONJUNCTION_AND':
      return every((filter.child_filters as Json[]).map((child) => filterPredicate(child, field)))
    case 'CONJUNCTION_OR':
      return any((filter.child_filters as Json[]).map((child) => filterPredicate(child, field)))
    case 'STRUCT_EXTRACT': {
      const child =
        field.type.kind === 'struct'
          ? field.type.fields.find(({ name }) => name.toLowerCase() === String(filter.child_name).toLowerCase())
          : undefined
      return child && filter.child_filter ? filterPredicate(filter.child_filter as Json, child) : always
    }
    default:
      return always
  }
}

const every = (all: readonly Predicate[]): Predicate => {
  const of = all.filter(({ op }) => op !== 'true')
  return of.length === 0 ? always : of.length === 1 ? of[0]! : { op: 'and', of }
}
const any = (all: readonly Predicate[]): Predicate =>
  all.length === 0 || all.some(({ op }) => op === 'true') ? always : all.length === 1 ? all[0]! : { op: 'or', of: all }

/** A constant of the plan in Iceberg's internal form; undefined where the types do not answer to each other. */
function literal(constant: Json | undefined, type: Type): Value | undefined {
  if (!constant || constant.is_null) return undefined
  const { value } = constant
  const id = (constant.type as Json | undefined)?.id
  switch (type.kind) {
    case 'boolean':
      return id === 'BOOLEAN' && typeof value === 'boolean' ? value : undefined
    case 'int':
      return id === 'INTEGER' && typeof value === 'number' ? value : undefined
    case 'date':
      return id === 'DATE' && typeof value === 'number' ? value : undefined
    case 'float':
    case 'double':
      // NaN sorts above all in DuckDB and is outside the bounds in Iceberg: such a constant prunes nothing.
      return (id === 'FLOAT' || id === 'DOUBLE') && typeof value === 'number' && Number.isFinite(value)
        ? value
        : undefined
    case 'long':
      return id === 'BIGINT' ? integer(value) : undefined
    case 'time':
      return id === 'TIME' ? integer(value) : undefined
    case 'timestamp':
      return id === 'TIMESTAMP' ? integer(value) : undefined
    case 'timestamptz':
      return id === 'TIMESTAMP WITH TIME ZONE' ? integer(value) : undefined
    case 'decimal': {
      const info = (constant.type as Json).type_info as Json | undefined
      if (id !== 'DECIMAL' || Number(info?.scale ?? -1) !== type.scale) return undefined
      return integer(value)
    }
    case 'string':
      return id === 'VARCHAR' && typeof value === 'string' ? value : undefined
    default:
      return undefined
  }
}

/**
 * The same without the optimiser's help: what `sql` asks of the table by these conditions. Undefined where one of them is not
 * wholly understood, for of such the optimiser may know more. `called`: how the statement names the table.
 */
export function plainPredicate(
  conditions: readonly PlainCondition[],
  { sql, schema, called }: { sql: string; schema: Schema; called: string },
): Predicate | undefined {
  const named = (name: string) => schema.fields.filter((field) => field.name.toLowerCase() === name.toLowerCase())
  const all = conditions.map(({ names, op, literals }): Predicate | undefined => {
    // `a.b` is column `b` of the table `a`, unless `a` is a column with fields.
    const isOfTable =
      names.length === 2 && names[0]!.toLowerCase() === called.toLowerCase() && named(called).length === 0
    const [field, ...others] = names.length === 1 || isOfTable ? named(names.at(-1)!) : []
    if (!field || others.length > 0) return undefined
    const values = literals.map((literal) => plainValue(literal, sql, field.type))
    if (!values.every((value) => value !== undefined)) return undefined
    if (op === 'any') return always
    if (op === 'in') return { op, field: field.id, values }
    return op === 'is_null' || op === 'not_null' ? { op, field: field.id } : { op, field: field.id, value: values[0]! }
  })
  return all.every((one) => one !== undefined) ? every(all) : undefined
}

/** Of types that a literal is compared with as it stands. */
function plainValue({ offset, as }: PlainLiteral, sql: string, type: Type): Value | undefined {
  literalText.lastIndex = indexOfByte(sql, offset)
  const groups = literalText.exec(sql)?.groups
  const text = groups?.string?.slice(1, -1).replaceAll("''", "'")
  switch (type.kind) {
    case 'int':
    case 'long': {
      const number = as === undefined ? (groups?.number ?? text) : undefined
      if (number === undefined || !/^-?\d{1,18}$/.test(number)) return undefined
      if (type.kind === 'long') return BigInt(number)
      return Number(number) === (Number(number) | 0) ? Number(number) | 0 : undefined
    }
    case 'string':
      return as === undefined ? text : undefined
    case 'date':
    case 'timestamp': {
      const [, day, time] = moment.exec(text ?? '') ?? []
      if (day === undefined || !isDay(day)) return undefined
      if (type.kind === 'date') return as === 'TIMESTAMP' || time ? undefined : parseBound(day, type)
      return as === 'DATE' && time ? undefined : parseBound(`${day} ${time ?? '00:00:00'}`, type)
    }
    default:
      return undefined
  }
}
const moment = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?))?$/
const isDay = (day: string) => {
  const ms = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day)
}
// Two texts one after the other are one text.
const literalText = /(?<number>-?\d+)(?![\w.])|(?<string>'[^']*(?:''[^']*)*')(?!\s*['/-])/y

/** The plan is parsed so that integers beyond 2^53 are bigint (see `parsePlan`). HUGEINTs are objects: left alone. */
const integer = (value: unknown): bigint | undefined =>
  typeof value === 'bigint'
    ? value
    : typeof value === 'number' && Number.isSafeInteger(value)
      ? BigInt(value)
      : undefined

const none = String(2n ** 64n - 1n)

/**
 * `JSON.parse` with integers beyond 2^53 as bigint instead of rounded. Undefined for a plan that holds NaN or Infinity,
 * which DuckDB writes bare: then nothing is known and every file is read.
 */
export function parsePlan(json: string): Json | undefined {
  try {
    // To be asked for each value takes much longer than the reading itself. What DuckDB writes for "none" may be rounded.
    if (!/\d{16}/.test(json.replaceAll(none, ''))) return JSON.parse(json) as Json
    return JSON.parse(json, (_key, value: unknown, context?: { source?: string }) =>
      typeof value === 'number' && !Number.isSafeInteger(value) && context?.source && /^-?\d+$/.test(context.source)
        ? BigInt(context.source)
        : value,
    ) as Json
  } catch {
    return undefined
  }
}
