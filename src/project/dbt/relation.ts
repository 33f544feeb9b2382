// What templates know of the database: relations, columns, and the tables that queries answer.

import {
  bind,
  Dict,
  equals,
  float as fromNumber,
  fromJs,
  HostObject,
  listOf,
  numberOf,
  repr,
  str,
  Tuple,
  truth,
  type Callable,
} from '../../jinja/index.ts'
import { parseDate, parseTimestamp } from './python/strftime.ts'

export type Quoting = { database: boolean; schema: boolean; identifier: boolean }
export const quoteAll: Quoting = { database: true, schema: true, identifier: true }

export type RelationKind = 'table' | 'view' | 'cte' | 'external'

type Parts = { database: string | null; schema: string | null; identifier: string | null }

const parts = ['database', 'schema', 'identifier'] as const
const quoted = (text: string): string => `"${text}"`

/** A name in the database. It prints as dbt prints it: `"dev_analytics"."marts"."orders"`. */
export class Relation extends HostObject {
  override readonly typeName = 'DuckDBRelation'
  readonly path: Parts
  readonly kind: RelationKind | null
  readonly quoting: Quoting
  readonly included: Quoting

  constructor(
    path: Parts,
    kind: RelationKind | null = null,
    quoting: Quoting = quoteAll,
    included: Quoting = quoteAll,
  ) {
    super()
    this.path = path
    this.kind = kind
    this.quoting = quoting
    this.included = included
  }

  override text(): string {
    const shown = parts.flatMap((part) => {
      const name = this.path[part]
      if (name === null || !this.included[part]) return []
      return [this.quoting[part] && this.kind !== 'cte' ? quoted(name) : name]
    })
    return shown.join('.')
  }

  override repr(): string {
    return `<DuckDBRelation ${this.text()}>`
  }

  override equals(other: unknown): boolean {
    return other instanceof Relation && parts.every((part) => this.path[part] === other.path[part])
  }

  /** dbt's relations are mappings too; packages tell them by their `metadata`. */
  override mapping(): Dict {
    return Dict.of({
      path: fromJs(this.path),
      type: this.kind,
      quote_character: '"',
      metadata: Dict.of({ type: this.typeName }),
    })
  }

  override item(key: unknown): unknown {
    return typeof key === 'string' ? this.mapping().get(key) : undefined
  }

  override hashKey(): unknown {
    return `\0relation ${parts.map((part) => this.path[part] ?? '').join('\0')}`
  }

  override attr(name: string): unknown {
    switch (name) {
      case 'database':
      case 'schema':
      case 'identifier':
        return this.path[name]
      case 'name':
      case 'table':
        return this.path.identifier
      case 'type':
        return this.kind
      case 'is_table':
        return this.kind === 'table'
      case 'is_view':
        return this.kind === 'view'
      case 'is_cte':
        return this.kind === 'cte'
      case 'is_materialized_view':
        return false
      case 'can_be_renamed':
      case 'can_be_replaced':
        return false
      case 'quote_policy':
        return fromJs(this.quoting)
      case 'include_policy':
        return fromJs(this.included)
      case 'path':
        return fromJs(this.path)
      case 'quote_character':
        return '"'
      case 'render':
        return (() => this.text()) satisfies Callable
      case 'quote':
        return ((args, kwargs) => this.#with(args, kwargs, 'quoting')) satisfies Callable
      case 'include':
        return ((args, kwargs) => this.#with(args, kwargs, 'included')) satisfies Callable
      case 'incorporate':
        return ((_, kwargs) => this.#incorporate(kwargs)) satisfies Callable
      case 'replace_path':
        return ((_, kwargs) => this.#replaced(kwargs)) satisfies Callable
      case 'without_identifier': {
        return (() =>
          new Relation({ ...this.path, identifier: null }, null, this.quoting, {
            ...this.included,
            identifier: false,
          })) satisfies Callable
      }
      case 'matches':
        return ((args, kwargs) => this.#matches(args, kwargs)) satisfies Callable
      case 'information_schema':
        return (([view = null]) => this.#informationSchema(view)) satisfies Callable
      case 'add_ephemeral_prefix':
        return (([each]) => `__dbt__cte__${str(each)}`) satisfies Callable
      case 'to_dict':
        return (() => this.mapping()) satisfies Callable
      case 'get':
        return (([key, fallback = null]) => this.mapping().get(key) ?? fallback) satisfies Callable
      case 'metadata':
        return Dict.of({ type: this.typeName })
      default:
        return undefined
    }
  }

  #with(args: unknown[], kwargs: Record<string, unknown>, what: 'quoting' | 'included'): Relation {
    const bound = bind(what, ['database?', 'schema?', 'identifier?'], args, kwargs)
    const policy = { ...this[what] }
    parts.forEach((part, index) => {
      const value = bound[index]
      if (value !== undefined && value !== null) policy[part] = truth(value)
    })
    return what === 'quoting'
      ? new Relation(this.path, this.kind, policy, this.included)
      : new Relation(this.path, this.kind, this.quoting, policy)
  }

  #incorporate(kwargs: Record<string, unknown>): Relation {
    const path = kwargs['path'] instanceof Dict ? (kwargs['path'] as Dict) : new Dict()
    const kind =
      kwargs['type'] === undefined || kwargs['type'] === null ? this.kind : (str(kwargs['type']) as RelationKind)
    return new Relation(
      merged(this.path, (part) => path.get(part)),
      kind,
      this.quoting,
      this.included,
    )
  }

  #replaced(kwargs: Record<string, unknown>): Relation {
    return new Relation(
      merged(this.path, (part) => kwargs[part]),
      this.kind,
      this.quoting,
      this.included,
    )
  }

  #matches(args: unknown[], kwargs: Record<string, unknown>): boolean {
    const bound = bind('matches', ['database?', 'schema?', 'identifier?'], args, kwargs)
    return parts.every((part, index) => {
      const wanted = bound[index]
      return (
        wanted === undefined || wanted === null || str(wanted).toLowerCase() === (this.path[part] ?? '').toLowerCase()
      )
    })
  }

  #informationSchema(view: unknown): Relation {
    const identifier = view === null ? 'INFORMATION_SCHEMA' : `INFORMATION_SCHEMA.${str(view)}`
    return new Relation({ database: this.path.database, schema: null, identifier }, null, {
      ...this.quoting,
      identifier: false,
    })
  }
}

function merged(path: Parts, value: (part: string) => unknown): Parts {
  const next = { ...path }
  for (const part of parts) {
    const found = value(part)
    if (found !== undefined) next[part] = found === null ? null : str(found)
  }
  return next
}

/** `api.Relation`: `create(database=…, schema=…, identifier=…, type=…)`. */
export class RelationApi extends HostObject {
  override readonly typeName = 'Relation'
  readonly #quoting: Quoting
  constructor(quoting: Quoting) {
    super()
    this.#quoting = quoting
  }
  override attr(name: string): unknown {
    switch (name) {
      case 'create':
        return ((args, kwargs) => this.#create(args, kwargs)) satisfies Callable
      case 'add_ephemeral_prefix':
        return (([each]) => `__dbt__cte__${str(each)}`) satisfies Callable
      case 'Table':
        return 'table'
      case 'View':
        return 'view'
      case 'CTE':
        return 'cte'
      default:
        return undefined
    }
  }
  #create(args: unknown[], given: Record<string, unknown>): Relation {
    const { quote_policy: policy, ...kwargs } = given
    delete kwargs['include_policy']
    const [database, schema, identifier, kind] = bind(
      'create',
      ['database?', 'schema?', 'identifier?', 'type?'],
      args,
      kwargs,
    )
    const text = (value: unknown) => (value === undefined || value === null ? null : str(value))
    const quoting = { ...this.#quoting }
    if (policy instanceof Dict) for (const part of parts) if (policy.has(part)) quoting[part] = truth(policy.get(part))
    return new Relation(
      { database: text(database), schema: text(schema), identifier: text(identifier) },
      text(kind) as RelationKind | null,
      quoting,
    )
  }
}

// --- columns

/** Of dbt's type names only this one is another on DuckDB (dbt-adapters, Column.TYPE_LABELS). */
const translated = (type: string): string => (type.toUpperCase() === 'STRING' ? 'TEXT' : type)

// dbt compares whole names, so that DECIMAL(12,2) is no numeric: templates depend on it (dbt-duckdb, column.py).
const stringTypes = new Set(['text', 'character varying', 'character', 'varchar'])
const integerTypes = new Set([
  'tinyint',
  'smallint',
  'integer',
  'bigint',
  'hugeint',
  'utinyint',
  'usmallint',
  'uinteger',
  'ubigint',
  'int1',
  'int2',
  'int4',
  'int8',
  'short',
  'int',
  'signed',
  'long',
  'uhugeint',
])
const floatTypes = new Set(['real', 'float', 'float4', 'float8', 'double'])
const numericTypes = new Set(['numeric', 'decimal'])

export class Column extends HostObject {
  override readonly typeName = 'DuckDBColumn'
  readonly name: string
  readonly type: string
  constructor(name: string, type: string) {
    super()
    this.name = name
    this.type = type
  }

  override text(): string {
    return `<Column ${this.name} (${this.type})>`
  }

  override equals(other: unknown): boolean {
    return other instanceof Column && other.name === this.name && other.type === this.type
  }

  override attr(name: string): unknown {
    const is = (names: ReadonlySet<string>) => names.has(this.type.toLowerCase())
    const test = (...sets: ReadonlySet<string>[]) => (() => sets.some(is)) satisfies Callable
    const [precision, scale] = /\((\d+),\s*(\d+)\)/.exec(this.type)?.slice(1).map(Number) ?? []
    switch (name) {
      case 'name':
      case 'column':
        return this.name
      case 'dtype':
        return this.type
      case 'data_type':
      case 'expanded_data_type':
        return is(stringTypes) ? 'character varying(256)' : this.type
      case 'quoted':
        return quoted(this.name)
      case 'char_size':
        return null
      case 'numeric_precision':
        return precision ?? null
      case 'numeric_scale':
        return scale ?? null
      case 'is_string':
        return test(stringTypes)
      case 'is_integer':
        return test(integerTypes)
      case 'is_float':
        return test(floatTypes)
      case 'is_numeric':
        return test(numericTypes)
      case 'is_number':
        return test(integerTypes, floatTypes, numericTypes)
      case 'is_struct':
        return (() => /^struct\(/i.test(this.type)) satisfies Callable
      case 'string_size':
        return (() => 256) satisfies Callable
      case 'can_expand_to':
        return (() => false) satisfies Callable
      default:
        return undefined
    }
  }
}

/** `api.Column`: a constructor with helpers. */
export class ColumnApi extends HostObject {
  override readonly typeName = 'Column'
  override get callable(): boolean {
    return true
  }
  override call(args: unknown[], kwargs: Record<string, unknown>): Column {
    const [name, type] = bind(
      'Column',
      ['column', 'dtype', 'char_size?', 'numeric_precision?', 'numeric_scale?'],
      args,
      kwargs,
    )
    return new Column(str(name), str(type))
  }
  override attr(name: string): unknown {
    switch (name) {
      case 'translate_type':
        return (([type]) => translated(str(type))) satisfies Callable
      case 'create':
        return (([column, type]) => new Column(str(column), translated(str(type)))) satisfies Callable
      case 'string_type':
        return (([size]) => `character varying(${str(size)})`) satisfies Callable
      case 'numeric_type': {
        return (([type, precision = null, scale = null]) =>
          precision === null || scale === null
            ? str(type)
            : `${str(type)}(${str(precision)},${str(scale)})`) satisfies Callable
      }
      default:
        return undefined
    }
  }
}

// --- what queries answer

export type Answer = { columns: readonly { name: string; type: string }[]; rows: readonly (readonly unknown[])[] }

/** A value of a result as a template sees it: dates are dates, decimals are floats. */
function templateValue(value: unknown, type: string): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') {
    if (type === 'DATE') return parseDate(value) ?? value
    if (type.startsWith('TIMESTAMP')) return parseTimestamp(value) ?? value
    if (/^(DECIMAL|HUGEINT|UHUGEINT|BIGINT|UBIGINT|DOUBLE|FLOAT)/.test(type)) {
      const number = Number(value)
      return type.startsWith('DECIMAL')
        ? fromNumber(number)
        : Number.isSafeInteger(number) || !Number.isInteger(number)
          ? number
          : value
    }
    return value
  }
  if (typeof value === 'number' && /^(DOUBLE|FLOAT|DECIMAL|REAL)/.test(type)) return fromNumber(value)
  return fromJs(value)
}

/** An agate table, as far as templates use it. */
export class ResultTable extends HostObject {
  override readonly typeName = 'Table'
  readonly names: readonly string[]
  readonly types: readonly string[]
  readonly rows: readonly ResultRow[]
  constructor(answer: Answer) {
    super()
    this.names = answer.columns.map(({ name }) => name)
    this.types = answer.columns.map(({ type }) => type)
    this.rows = answer.rows.map(
      (row) =>
        new ResultRow(
          this.names,
          row.map((value, index) => templateValue(value, this.types[index] ?? '')),
        ),
    )
  }
  override attr(name: string): unknown {
    switch (name) {
      case 'columns':
        return new Sequence(
          'MappedSequence',
          this.names,
          this.names.map((_, index) => this.#column(index)),
        )
      case 'column_names':
        return new Tuple([...this.names])
      case 'column_types':
        return new Tuple([...this.types])
      case 'rows':
        return new Sequence('MappedSequence', undefined, this.rows)
      case 'print_table':
      case 'print_csv':
      case 'print_json':
        return (() => '') satisfies Callable
      default:
        return undefined
    }
  }
  #column(index: number): Sequence {
    return new Sequence(
      'Column',
      undefined,
      this.rows.map((row) => row.values[index]),
      { name: this.names[index]!, data_type: this.types[index]! },
    )
  }
  override length(): number {
    return this.rows.length
  }
  override iterate(): Iterable<unknown> {
    return this.rows
  }
  override truthy(): boolean {
    return true
  }
}

/** agate's MappedSequence: by position and, when it has keys, by name. */
class Sequence extends HostObject {
  override readonly typeName: string
  readonly keys: readonly string[] | undefined
  readonly values: readonly unknown[]
  readonly #attributes: Readonly<Record<string, unknown>>
  constructor(typeName: string, keys: readonly string[] | undefined, values: readonly unknown[], attributes = {}) {
    super()
    this.typeName = typeName
    this.keys = keys
    this.values = values
    this.#attributes = attributes
  }
  override attr(name: string): unknown {
    switch (name) {
      case 'values':
        return (() => new Tuple([...this.values])) satisfies Callable
      case 'values_distinct':
        return (() => new Tuple([...new Set(this.values)])) satisfies Callable
      case 'values_without_nulls':
        return (() => new Tuple(this.values.filter((each) => each !== null))) satisfies Callable
      case 'keys':
        return (() => (this.keys ? new Tuple([...this.keys]) : null)) satisfies Callable
      case 'items':
        return (() => (this.keys ?? []).map((key, index) => new Tuple([key, this.values[index]]))) satisfies Callable
      case 'get':
        return (([key, fallback = null]) => this.item(key) ?? fallback) satisfies Callable
      case 'dict':
        return (() => this.mapping() ?? new Dict()) satisfies Callable
      default:
        return Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined
    }
  }
  override item(key: unknown): unknown {
    if (typeof key === 'string') {
      const index = this.keys?.findIndex((each) => each === key) ?? -1
      return index < 0 ? undefined : this.values[index]
    }
    const index = numberOf(key)
    return index === undefined ? undefined : this.values[index < 0 ? this.values.length + index : index]
  }
  override length(): number {
    return this.values.length
  }
  override iterate(): Iterable<unknown> {
    return this.values
  }
  override equals(other: unknown): boolean {
    return other instanceof Sequence && equals([...this.values], [...other.values])
  }
  override mapping(): Dict | undefined {
    return this.keys && this.typeName === 'Row'
      ? new Dict(this.keys.map((key, index) => [key, this.values[index]] as const))
      : undefined
  }
  override truthy(): boolean {
    return this.values.length > 0
  }
  override text(): string {
    return `<agate.${this.typeName}: ${repr(new Tuple([...this.values]))}>`
  }
}

class ResultRow extends Sequence {
  constructor(keys: readonly string[], values: readonly unknown[]) {
    super('Row', keys, values)
  }
  override attr(name: string): unknown {
    return super.attr(name) ?? this.item(name)
  }
}

/** `load_result(name)`: `table`, `data`, `response`. */
export function storedResult(table: ResultTable): Dict {
  return new Dict([
    ['table', table],
    ['data', table.rows.map((row) => listOf(row))],
    ['response', 'OK'],
  ])
}
