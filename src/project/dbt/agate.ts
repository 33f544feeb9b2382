// What queries answer, as templates see it: agate's tables, as far as templates can use them.

import {
  bind,
  Decimal,
  decimalOf,
  Dict,
  equals,
  fromJs,
  HostObject,
  listOf,
  newKwargs,
  numberOf,
  PyError,
  repr,
  str,
  toJson,
  truth,
  Tuple,
  whole,
  type Callable,
} from '../../jinja/index.ts'
import { parseDate, parseTime, parseTimestamp } from './python/strftime.ts'

export type Answer = { columns: readonly { name: string; type: string }[]; rows: readonly (readonly unknown[])[] }

/** A value of a result as a template sees it: dates are dates, decimals keep their digits. */
function templateValue(value: unknown, type: string): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') {
    if (type === 'DATE') return parseDate(value) ?? value
    if (type === 'TIME') return parseTime(value) ?? value
    if (type.startsWith('TIMESTAMP')) return parseTimestamp(value) ?? value
    if (type.startsWith('DECIMAL')) return new Decimal(value)
    if (/^(HUGEINT|UHUGEINT|BIGINT|UBIGINT|DOUBLE|FLOAT)/.test(type)) {
      return /^-?\d+$/.test(value) && !/^[DF]/.test(type) ? whole(BigInt(value)) : Number(value)
    }
    return value
  }
  // agate makes decimals of floats.
  if (typeof value === 'number' && /^(DOUBLE|FLOAT|DECIMAL|REAL)/.test(type)) return decimalOf(value)
  // Lists and structs are their JSON, as dbt hands them to agate.
  return typeof value === 'object' ? toJson(fromJs(value)) : fromJs(value)
}

/** An agate table. Its rows are lists and mappings at once. */
export class ResultTable extends HostObject {
  override readonly typeName = 'Table'
  readonly names: readonly string[]
  readonly types: readonly string[]
  readonly rows: readonly ResultRow[]
  /** Where `print_table` prints; nowhere until the table is stored. */
  print: (text: string) => void = () => {}

  constructor(answer: Answer) {
    super()
    this.names = answer.columns.map(({ name }) => name)
    this.types = answer.columns.map(({ type }) => type)
    this.rows = answer.rows.map(
      (row) =>
        new ResultRow(
          this.names,
          row.map((value, at) => templateValue(value, this.types[at] ?? '')),
        ),
    )
  }

  /** A table of some of the columns and rows of this one. */
  #of(columns: readonly number[], rows: readonly ResultRow[], names = this.names): ResultTable {
    const made = new ResultTable({
      columns: columns.map((at) => ({ name: names[at]!, type: this.types[at]! })),
      rows: [],
    })
    // The values are those of a template already.
    Object.assign(made, {
      rows: rows.map(
        (row) =>
          new ResultRow(
            made.names,
            columns.map((at) => row.values[at]),
          ),
      ),
      print: this.print,
    })
    return made
  }

  override attr(name: string): unknown {
    switch (name) {
      case 'columns':
        return new Sequence(
          'MappedSequence',
          this.names,
          this.names.map((_, at) => this.#column(at)),
        )
      case 'column_names':
        return new Tuple([...this.names])
      case 'column_types':
        return new Tuple([...this.types])
      case 'rows':
        return new Sequence('MappedSequence', undefined, this.rows)
      default:
        return this.#method(name)
    }
  }

  #method(name: string): Callable | undefined {
    const all = this.names.map((_, at) => at)
    switch (name) {
      case 'print_table':
        return (args, kwargs) => {
          const names = ['max_rows?', 'max_columns?', 'output?', 'max_column_width?', 'locale?', 'max_precision?']
          const bound = bind(name, names, args, kwargs)
          const limit = (at: number, usual: number) => (bound[at] === null ? Infinity : (numberOf(bound[at]) ?? usual))
          this.print(drawn(this, { rows: limit(0, 20), columns: limit(1, 6), width: limit(3, 20) }))
          return null
        }
      case 'print_csv':
        return () => (this.print([this.names, ...this.rows.map(({ values }) => values)].map(csvLine).join('\n')), null)
      case 'select':
        return ([keys]) => this.#of(chosen(this.names, keys), this.rows)
      case 'exclude':
        return ([keys]) => {
          const without = chosen(this.names, keys)
          return this.#of(
            all.filter((at) => !without.includes(at)),
            this.rows,
          )
        }
      case 'rename':
        return (args, kwargs) => {
          const [given] = bind(name, ['column_names?', 'row_names?', 'slug_columns?', 'slug_rows?'], args, kwargs)
          const names = this.names.map((each, at) =>
            given instanceof Dict ? str(given.get(each) ?? each) : given === undefined ? each : str(listOf(given)[at]),
          )
          return this.#of(all, this.rows, names)
        }
      case 'limit':
        return ([first, stop]) => {
          const [from, to] = stop === undefined ? [0, first] : [numberOf(first) ?? 0, stop]
          return this.#of(all, this.rows.slice(from, numberOf(to)))
        }
      case 'where':
        return ([test]) =>
          this.#of(
            all,
            this.rows.filter((row) => truth((test as Callable)([row], newKwargs()))),
          )
      case 'find':
        return ([test]) => this.rows.find((row) => truth((test as Callable)([row], newKwargs()))) ?? null
      case 'distinct':
        return ([key]) => {
          const columns = key === undefined || key === null ? all : chosen(this.names, key)
          const seen = new Dict()
          return this.#of(
            all,
            this.rows.filter((row) => {
              const value = new Tuple(columns.map((at) => row.values[at]))
              if (seen.has(value)) return false
              seen.set(value, true)
              return true
            }),
          )
        }
      default:
        return undefined
    }
  }

  #column(at: number): Sequence {
    return new Sequence(
      'Column',
      undefined,
      this.rows.map((row) => row.values[at]),
      { name: this.names[at]!, data_type: this.types[at]!, index: at },
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

export const emptyTable = (): ResultTable => new ResultTable({ columns: [], rows: [] })

/** Positions of columns by name: one, or a list of them. */
function chosen(names: readonly string[], keys: unknown): number[] {
  return (typeof keys === 'string' ? [keys] : listOf(keys)).map((key) => {
    const at = names.indexOf(str(key))
    if (at < 0) throw new PyError('KeyError', repr(key))
    return at
  })
}

const csvLine = (values: readonly unknown[]): string =>
  values
    .map((value) => (value === null ? '' : str(value)))
    .map((text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text))
    .join(',')

/** A table in lines of text, as agate draws it. */
function drawn(table: ResultTable, limits: { rows: number; columns: number; width: number }): string {
  const shorten = (text: string) => (text.length > limits.width ? `${text.slice(0, limits.width - 3)}...` : text)
  const cut = <Item>(list: readonly Item[], max: number, more: Item) =>
    list.length > max ? [...list.slice(0, max), more] : [...list]
  const isNumber = (value: unknown) => numberOf(value) !== undefined && typeof value !== 'boolean'
  const shown = (value: unknown) => (value === null ? '' : shorten(str(value)))
  const names = cut(table.names.map(shorten), limits.columns, '...')
  const rows = cut(
    table.rows.map(({ values }) => cut(values.map(shown), limits.columns, '...')),
    limits.rows,
    names.map(() => '...'),
  )
  const right = names.map((_, at) => table.rows.some(({ values }) => isNumber(values[at])))
  const widths = names.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (right[at] ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!))).join(' | ')} |`
  return [line(names), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n')
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
    const withoutNulls = () => this.values.filter((each) => each !== null)
    switch (name) {
      case 'values':
        return (() => new Tuple([...this.values])) satisfies Callable
      case 'values_distinct':
        return (() =>
          new Tuple([...new Dict(this.values.map((each) => [each, true] as const)).keys()])) satisfies Callable
      case 'values_without_nulls':
        return (() => new Tuple(withoutNulls())) satisfies Callable
      case 'values_sorted':
        return (() => new Tuple(withoutNulls().toSorted(inOrder))) satisfies Callable
      case 'keys':
        return (() => (this.keys ? new Tuple([...this.keys]) : null)) satisfies Callable
      case 'items':
        return (() => (this.keys ?? []).map((key, at) => new Tuple([key, this.values[at]]))) satisfies Callable
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
      const at = this.keys?.indexOf(key) ?? -1
      return at < 0 ? undefined : this.values[at]
    }
    const at = numberOf(key)
    return at === undefined ? undefined : this.values[at < 0 ? this.values.length + at : at]
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
      ? new Dict(this.keys.map((key, at) => [key, this.values[at]] as const))
      : undefined
  }
  override truthy(): boolean {
    return this.values.length > 0
  }
  override text(): string {
    return `<agate.${this.typeName}: ${repr(new Tuple([...this.values]))}>`
  }
}

function inOrder(a: unknown, b: unknown): number {
  const [x, y] = [numberOf(a), numberOf(b)]
  if (x !== undefined && y !== undefined) return x - y
  if (a instanceof HostObject) return a.compare(b) ?? 0
  return str(a) < str(b) ? -1 : 1
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
export function storedResult(table: ResultTable, response: unknown): Dict {
  return new Dict([
    ['table', table],
    ['data', table.rows.map((row) => new Tuple(listOf(row)))],
    ['response', response],
  ])
}
