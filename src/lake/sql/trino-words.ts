// What of DuckDB's constants, types and functions means the same in Trino, and how it is written there.

import type { Node } from './tree.ts'

/** What may mean something else in Trino. */
export class Otherwise extends Error {}

export const list = (value: unknown): Node[] => (value === undefined ? [] : (value as Node[]))
export const lowered = (name: string): string => name.toLowerCase()

const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** The node, if it says nothing beside these keys. */
export function only(value: unknown, ...keys: string[]): Node {
  const node = value as Node
  const known = ['class', 'type', 'query_location', 'alias', ...keys]
  if (!node || Object.keys(node).some((key) => !known.includes(key))) throw new Otherwise()
  return node
}

export type Constant = { type: { id: string; type_info?: { scale?: number } }; is_null: boolean; value: unknown }

export function constant(node: Node): string {
  const { type, is_null: isNull, value } = only(node, 'value')['value'] as Constant
  if (isNull) return 'NULL'
  // What is empty is left out of the tree.
  if (type.id === 'VARCHAR') return quoteText(String(value ?? ''))
  if (typeof value === 'boolean') return String(value)
  if (!Number.isSafeInteger(value) && type.id !== 'DOUBLE') throw new Otherwise()
  if (type.id === 'INTEGER' || type.id === 'BIGINT') return String(value)
  if (type.id === 'DOUBLE' && Number.isFinite(value)) return `DOUBLE '${value}'`
  if (type.id !== 'DECIMAL') throw new Otherwise()
  const scale = type.type_info?.scale ?? 0
  const digits = String(Math.abs(Number(value))).padStart(scale + 1, '0')
  const point = digits.length - scale
  return `DECIMAL '${Number(value) < 0 ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ''}'`
}

/** A whole number that stands in the text. */
export function whole(value: unknown): number {
  const { type, value: number } = ((value as Node)['value'] ?? {}) as Constant
  if (type?.id !== 'INTEGER' || !Number.isSafeInteger(number) || Number(number) < 0) throw new Otherwise()
  return Number(number)
}

export const textOf = (value: unknown): string | undefined => {
  const { type, value: text } = ((value as Node)['value'] ?? {}) as Constant
  return type?.id === 'VARCHAR' ? String(text ?? '') : undefined
}

/** Of a call: `texts` are written when they are asked for, since an interval's argument has none of its own. */
export type Arguments = {
  all: readonly Node[]
  texts: readonly string[]
  typeOf(value: Node): string | undefined
  mayBeZoned(value: unknown): boolean
}
type Call = (given: Arguments) => string | undefined

const double = (text: string | undefined): string => `CAST(${text} AS double)`
const binary =
  (word: string): Call =>
  ({ texts: [left, right, ...more] }) =>
    left === undefined || more.length > 0
      ? undefined
      : right === undefined
        ? word === '-'
          ? `(- ${left})`
          : undefined
        : `(${left} ${word} ${right})`
const same =
  (name: string, most: number, least = most): Call =>
  ({ texts }) =>
    texts.length >= least && texts.length <= most ? `${name}(${texts.join(', ')})` : undefined
/** Of days and times without a zone only: sums of numbers have none, but an interval has. */
const unzoned =
  (write: Call): Call =>
  (given) =>
    given.all.some((one) => given.mayBeZoned(one)) && !given.all.some((one) => isNumber(given.typeOf(one)))
      ? undefined
      : write(given)
const isNumber = (type: string | undefined): boolean => /^(INTEGER|BIGINT|FLOAT|DOUBLE|DECIMAL)/.test(type ?? '')

const isText = (value: Node | undefined, typeOf: Arguments['typeOf']): boolean =>
  value !== undefined && (textOf(value) !== undefined || typeOf(value) === 'VARCHAR')
const ofText =
  (write: (text: string) => string): Call =>
  ({ all, texts, typeOf }) =>
    texts.length === 1 && isText(all[0], typeOf) ? write(texts[0]!) : undefined
const unitsAlike = new Set(['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'])
const interval =
  (unit: string, times = 1): Call =>
  ({ all: [value] }) => {
    // `INTERVAL 2 DAY` is to_days(CAST(trunc(CAST(2 AS DOUBLE)) AS INTEGER)).
    const inner = (node: unknown): unknown => {
      const { class: kind, child, children, function_name: name } = node as Node
      if (kind === 'CAST') return inner(child)
      return kind === 'FUNCTION' && name === 'trunc' ? inner(list(children)[0]) : node
    }
    return `INTERVAL '${whole(inner(value)) * times}' ${unit}`
  }

export const scalars: Readonly<Record<string, Call>> = {
  '+': unzoned(binary('+')),
  '-': unzoned(binary('-')),
  '*': binary('*'),
  // Of whole numbers too it is one with a fraction, and by zero infinite.
  '/': ({ texts: [left, right] }) => `(${double(left)} / ${double(right)})`,
  '%': ({ texts: [left, right] }) => `(${left} % nullif(${right}, 0))`,
  '||': ({ all, texts, typeOf }) => (all.every((one) => isText(one, typeOf)) ? `(${texts.join(' || ')})` : undefined),
  '~~': binary('LIKE'),
  '!~~': binary('NOT LIKE'),
  abs: same('abs', 1),
  ceil: same('ceil', 1),
  floor: same('floor', 1),
  round: ({ all, texts }) =>
    texts.length === 1 || whole(all[1]) >= 0 ? `round(${texts.slice(0, 2).join(', ')})` : undefined,
  nullif: same('nullif', 2),
  lower: ofText((text) => `lower(${text})`),
  upper: ofText((text) => `upper(${text})`),
  length: ofText((text) => `length(${text})`),
  trim: ofText((text) => `trim(BOTH ' ' FROM ${text})`),
  ltrim: ofText((text) => `trim(LEADING ' ' FROM ${text})`),
  rtrim: ofText((text) => `trim(TRAILING ' ' FROM ${text})`),
  replace: same('replace', 3),
  left: ({ all, texts }) => `substr(${texts[0]}, 1, ${whole(all[1])})`,
  substr: ({ all, texts }) =>
    whole(all[1]) > 0 && (all[2] === undefined || whole(all[2]) >= 0) ? `substr(${texts.join(', ')})` : undefined,
  starts_with: same('starts_with', 2),
  date_trunc: unzoned(({ all, texts }) =>
    unitsAlike.has(lowered(textOf(all[0]) ?? '')) ? `date_trunc(${texts.join(', ')})` : undefined,
  ),
  date_part: unzoned(({ all, texts }) => {
    const part = lowered(textOf(all[0]) ?? '')
    if (part === 'isodow') return `day_of_week(${texts[1]})`
    if (part === 'doy') return `day_of_year(${texts[1]})`
    return unitsAlike.has(part) ? `${part}(${texts[1]})` : undefined
  }),
  year: unzoned(same('year', 1)),
  quarter: unzoned(same('quarter', 1)),
  month: unzoned(same('month', 1)),
  day: unzoned(same('day', 1)),
  hour: unzoned(same('hour', 1)),
  minute: unzoned(same('minute', 1)),
  to_days: interval('DAY'),
  to_weeks: interval('DAY', 7),
  to_hours: interval('HOUR'),
  to_minutes: interval('MINUTE'),
  to_seconds: interval('SECOND'),
  to_months: interval('MONTH'),
  to_years: interval('YEAR'),
}
const otherNames: Readonly<Record<string, string>> = {
  ceiling: 'ceil',
  substring: 'substr',
  lcase: 'lower',
  ucase: 'upper',
  len: 'length',
  datetrunc: 'date_trunc',
  datepart: 'date_part',
  add: '+',
  subtract: '-',
  multiply: '*',
  mean: 'avg',
  stddev: 'stddev_samp',
  variance: 'var_samp',
}

export const aggregateCalls: Readonly<Record<string, Call>> = {
  count_star: () => 'count(*)',
  // Over a window count(*) is one of nothing.
  count: ({ texts }) => (texts.length === 0 ? 'count(*)' : same('count', 1)({ texts } as Arguments)),
  sum: same('sum', 1),
  min: same('min', 1),
  max: same('max', 1),
  avg: ({ texts }) => `avg(${double(texts[0])})`,
  stddev_samp: ({ texts }) => `stddev_samp(${double(texts[0])})`,
  stddev_pop: ({ texts }) => `stddev_pop(${double(texts[0])})`,
  var_samp: ({ texts }) => `var_samp(${double(texts[0])})`,
  var_pop: ({ texts }) => `var_pop(${double(texts[0])})`,
  bool_and: same('bool_and', 1),
  bool_or: same('bool_or', 1),
  count_if: same('count_if', 1),
}
export const aggregates: ReadonlySet<string> = new Set([
  ...Object.keys(aggregateCalls),
  ...Object.keys(otherNames).filter((name) => Object.hasOwn(aggregateCalls, otherNames[name]!)),
])

export const calledOf = (node: Node): string => {
  const name = lowered(String(node['function_name']))
  return Object.hasOwn(otherNames, name) ? otherNames[name]! : name
}

export const windowNames = new Set(['row_number', 'rank', 'dense_rank', 'percent_rank', 'cume_dist', 'ntile'])
export const valueNames = new Set(['lag', 'lead', 'first_value', 'last_value'])
