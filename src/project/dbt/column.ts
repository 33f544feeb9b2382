// Columns, as templates see them: `adapter.get_columns_in_relation()`, `api.Column`.

import { bind, HostObject, numberOf, PyError, str, type Callable } from '../../jinja/index.ts'

/** Of dbt's type names only this one is another on DuckDB (dbt-adapters, Column.TYPE_LABELS). */
const translated = (type: string): string => (type.toUpperCase() === 'STRING' ? 'TEXT' : type)

// dbt compares whole names, so that DECIMAL(12,2) is no numeric: templates depend on it (dbt-duckdb, column.py).
const stringTypes = new Set(['text', 'character varying', 'character', 'varchar'])
const integerTypes = new Set(
  'tinyint smallint integer bigint hugeint utinyint usmallint uinteger ubigint int1 int2 int4 int8 short int signed long'.split(
    ' ',
  ),
)
const floatTypes = new Set(['real', 'float', 'float4', 'float8', 'double'])
const numericTypes = new Set(['numeric', 'decimal'])

type Sizes = { chars: number | null; precision: number | null; scale: number | null }
const unsized: Sizes = { chars: null, precision: null, scale: null }

export class Column extends HostObject {
  override readonly typeName = 'DuckDBColumn'
  readonly name: string
  readonly type: string
  readonly #sizes: Sizes
  constructor(name: string, type: string, sizes: Sizes = unsized) {
    super()
    this.name = name
    this.type = type
    this.#sizes = sizes
  }

  get #isString(): boolean {
    return stringTypes.has(this.type.toLowerCase())
  }
  get #isStruct(): boolean {
    return this.type.toLowerCase().startsWith('struct')
  }

  get #dataType(): string {
    if (this.#isString) return `character varying(${this.#stringSize()})`
    const { precision, scale } = this.#sizes
    return numericTypes.has(this.type.toLowerCase()) && precision !== null && scale !== null
      ? `${this.type}(${precision},${scale})`
      : this.type
  }

  #stringSize(): number {
    if (!this.#isString) throw new PyError('DbtRuntimeError', 'Called string_size() on non-string field!')
    return this.type === 'text' ? 256 : (this.#sizes.chars ?? 256)
  }

  /** The fields of a struct, those of structs inside it in their place: `address.city`. */
  get #flat(): Column[] {
    if (!this.#isStruct) return [this]
    return this.#fields.flatMap((field) =>
      field.#flat.map((each) => new Column(`${this.name}.${each.name}`, each.type)),
    )
  }

  get #fields(): Column[] {
    const inside = /^struct\((.*)\)/i.exec(this.type)?.[1]
    return inside === undefined ? [] : splitFields(inside).map(([name, type]) => new Column(name, type))
  }

  override text(): string {
    return this.repr()
  }
  override repr(): string {
    const { chars, precision, scale } = this.#sizes
    const shown = (value: number | null) => (value === null ? 'None' : String(value))
    const fields = this.#fields.map((field) => field.repr()).join(', ')
    return `DuckDBColumn(column='${this.name}', dtype='${this.type}', char_size=${shown(chars)}, numeric_precision=${shown(precision)}, numeric_scale=${shown(scale)}, fields=[${fields}])`
  }

  override equals(other: unknown): boolean {
    return other instanceof Column && other.repr() === this.repr()
  }

  override attr(name: string): unknown {
    const is = (names: ReadonlySet<string>) => names.has(this.type.toLowerCase())
    const test = (...sets: ReadonlySet<string>[]) => (() => sets.some(is)) satisfies Callable
    switch (name) {
      case 'name':
      case 'column':
        return this.name
      case 'dtype':
        return this.type
      case 'data_type':
      case 'expanded_data_type':
        return this.#dataType
      case 'quoted':
        return `"${this.name}"`
      case 'char_size':
        return this.#sizes.chars
      case 'numeric_precision':
        return this.#sizes.precision
      case 'numeric_scale':
        return this.#sizes.scale
      case 'fields':
        return this.#fields
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
        return (() => this.#isStruct) satisfies Callable
      case 'flatten':
        return (() => this.#flat) satisfies Callable
      case 'string_size':
        return (() => this.#stringSize()) satisfies Callable
      case 'can_expand_to':
        return ((args, kwargs) => {
          const [other] = bind('can_expand_to', ['other_column'], args, kwargs)
          return (
            other instanceof Column && this.#isString && other.#isString && other.#stringSize() > this.#stringSize()
          )
        }) satisfies Callable
      case 'literal':
        return (([value]) => `${str(value)}::${this.#dataType}`) satisfies Callable
      default:
        return apiMethods[name]
    }
  }
}

/** `a VARCHAR, b DECIMAL(1, 2)`: name and type of each. */
function splitFields(text: string): [name: string, type: string][] {
  const fields: string[] = []
  let [depth, from] = [0, 0]
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')') depth--
    else if (text[at] === ',' && depth === 0) {
      fields.push(text.slice(from, at))
      from = at + 1
    }
  }
  return [...fields, text.slice(from)].map((field) => {
    const [name, ...type] = field.trim().split(' ')
    return [name!, type.join(' ')]
  })
}

/** What a class of Python would have as static methods. */
const apiMethods: Readonly<Record<string, Callable>> = Object.assign(Object.create(null) as object, {
  translate_type: ([type]) => translated(str(type)),
  create: ([name, type]) => new Column(str(name), translated(str(type))),
  string_type: ([size]) => `character varying(${str(size)})`,
  numeric_type: ([type, precision = null, scale = null]) =>
    precision === null || scale === null ? str(type) : `${str(type)}(${str(precision)},${str(scale)})`,
  from_description: ([name, described]) => {
    const [, type = '', sizes] = /^([^(]+)(?:\(([^)]+)\))?/.exec(str(described)) ?? []
    const numbers = sizes?.split(',').map(Number) ?? []
    if (type === '' || numbers.some((each) => !Number.isInteger(each)))
      throw new PyError('DbtRuntimeError', `Could not interpret data type "${str(described)}"`)
    const [first = null, second] = numbers
    return new Column(
      str(name),
      type,
      second === undefined
        ? { chars: first, precision: null, scale: null }
        : { chars: null, precision: first, scale: second },
    )
  },
} satisfies Record<string, Callable>) as Record<string, Callable>

/** `api.Column`: a constructor with helpers. */
export class ColumnApi extends HostObject {
  override readonly typeName = 'Column'
  override get callable(): boolean {
    return true
  }
  override call(args: unknown[], kwargs: Record<string, unknown>): Column {
    const names = ['column', 'dtype', 'char_size?', 'numeric_precision?', 'numeric_scale?', 'fields?']
    const [name, type, ...sizes] = bind('Column', names, args, kwargs)
    const [chars, precision, scale] = sizes.map((each) => numberOf(each) ?? null)
    return new Column(str(name), str(type), { chars: chars!, precision: precision!, scale: scale! })
  }
  override attr(name: string): unknown {
    return apiMethods[name]
  }
}
