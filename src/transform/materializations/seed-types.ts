// The columns of a seed: their names and the types that dbt gives them.
//
// dbt reads the whole file with agate and takes, for each column, the first type that every value has: number, date,
// timestamp, boolean, else text. A number without decimals is an INTEGER. (dbt-common agate_helper.py, agate data_types.)

import { Failure } from '../../base/failure.ts'

/** `isGiven`: by `column_types`. `isEmpty`: no row has a value, so that any type holds them all. */
export type SeedColumn = { name: string; type: string; isGiven: boolean; isEmpty: boolean }

/** The records of a CSV text as Python's `csv` module reads them: `"` quotes, `""` is a quote, empty lines are skipped. */
export function* csvRecords(text: string, delimiter = ',', position = { start: 0 }): Generator<string[]> {
  let record: string[] = []
  for (let at = 0; at < text.length;) {
    const { value, end } = csvValue(text, at, delimiter)
    record.push(value)
    if (text.startsWith(delimiter, end)) {
      at = end + delimiter.length
      if (at < text.length) continue
      record.push('')
    } else at = end + (text.startsWith('\r\n', end) ? 2 : 1)
    if (record.length > 1 || record[0] !== '') yield record
    record = []
    position.start = at
  }
}

function csvValue(text: string, start: number, delimiter: string): { value: string; end: number } {
  let value = ''
  let at = start
  if (text[at] === '"') {
    for (;;) {
      const quote = text.indexOf('"', at + 1)
      value += text.slice(at + 1, quote < 0 ? text.length : quote)
      at = quote < 0 ? text.length : quote + 1
      if (text[at] !== '"') break
      value += '"'
    }
  }
  // After a closing quote the text goes on to the delimiter, as it does without quotes.
  let end = at
  while (end < text.length && text[end] !== '\n' && text[end] !== '\r' && !text.startsWith(delimiter, end)) end++
  return { value: value + text.slice(at, end), end }
}

const isNull = (text: string): boolean => text === '' || text.toLowerCase() === 'null'

/** Python's `Decimal`, after agate took away percent signs, currencies and thousands separators. */
const decimal = /^[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d+)?$|^[+-]?(?:inf(?:inity)?|s?nan\d*)$/i
const currencies = '؋$ƒ៛¥₡₱£€¢﷼₪₩₭₮₦฿₤₫'

function numberOf(text: string): string | undefined {
  let rest = text.replace(/^%+|%+$/g, '')
  if (rest.startsWith('-')) rest = rest.slice(1)
  for (const symbol of currencies) while (rest.startsWith(symbol)) rest = rest.slice(symbol.length)
  for (const symbol of currencies) while (rest.endsWith(symbol)) rest = rest.slice(0, -symbol.length)
  rest = rest.replaceAll(',', '')
  return decimal.test(rest) ? rest.replaceAll('_', '') : undefined
}

/** Whether something is left behind the point: `1.50` yes, `1.0` and `15e2` no. */
function hasDecimals(number: string): boolean {
  const [, fraction = '', exponent = '0'] = /^[+-]?\d*\.?(\d*?)0*(?:e([+-]?\d+))?$/i.exec(number) ?? []
  if (!/\d/.test(number)) return false
  const whole = /^[+-]?(\d*)/.exec(number)![1]!
  const trailing = fraction === '' ? /0*$/.exec(whole)![0].length : 0
  return fraction.length - trailing - Number(exponent) > 0 && /[1-9]/.test(number.replace(/e.*/i, ''))
}

const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate()
const isDay = (year: string, month: string, day: string): boolean =>
  Number(year) > 0 &&
  Number(month) >= 1 &&
  Number(month) <= 12 &&
  Number(day) >= 1 &&
  Number(day) <= daysIn(Number(year), Number(month))

function isDate(text: string): boolean {
  const found = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text)
  return found !== null && isDay(found[1]!, found[2]!, found[3]!)
}

function isDateTime(text: string): boolean {
  const found = /^(\d{4})-(\d{1,2})-(\d{1,2})\s+(\d{1,2}):(\d{1,2}):(\d{1,2})$/.exec(text)
  if (!found) return false
  const [, year, month, day, hour, minute, second] = found
  return isDay(year!, month!, day!) && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 62
}

const isoDay = /^(?:(\d{4})-?(\d{2})-?(\d{2})|(\d{4})-(\d{2})|\d{4}|\d{2}|\d{4}-?\d{3}|\d{4}-?W[0-5]\d(?:-?[1-7])?)$/
const isoTime = /^([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d))?)?(?:[.,]\d+)?(?:Z|[+-]\d{2}(?::?\d{2})?)?$/

function isIsoDateTime(text: string): boolean {
  const [date = '', time, more] = text.split('T')
  if (time === undefined || more !== undefined || !isoTime.test(time)) return false
  const found = isoDay.exec(date)
  if (!found) return false
  const [, year, month, day, years, months] = found
  return year !== undefined ? isDay(year, month!, day!) : years === undefined || isDay(years, months!, '1')
}

const isBoolean = (text: string): boolean => /^(?:true|false|null|)$/i.test(text.replaceAll(',', '').trim())

const integers: readonly [type: string, most: bigint][] = [
  ['integer', 2n ** 31n - 1n],
  ['bigint', 2n ** 63n - 1n],
  ['hugeint', 10n ** 38n - 1n],
]

class Column {
  readonly #tests: { type: string; test: (text: string) => boolean }[]
  #decimals = false
  #largest = 0n
  isEmpty = true

  constructor() {
    this.#tests = [
      { type: 'number', test: (text) => this.#isNumber(text) },
      { type: 'date', test: isDate },
      { type: 'timestamp', test: isDateTime },
      { type: 'timestamp', test: isIsoDateTime },
      { type: 'boolean', test: isBoolean },
    ]
  }

  meet(text: string): void {
    const trimmed = text.trim()
    if (isNull(trimmed)) return
    this.isEmpty = false
    for (let index = this.#tests.length - 1; index >= 0; index--)
      if (!this.#tests[index]!.test(trimmed)) this.#tests.splice(index, 1)
  }

  get isText(): boolean {
    return this.#tests.length === 0
  }

  get type(): string {
    const [first] = this.#tests
    if (!first) return 'varchar'
    if (first.type !== 'number') return first.type
    if (this.#decimals) return 'double'
    // dbt says INTEGER and fails where a number is larger; here the column gets the type that holds it.
    return integers.find(([, most]) => this.#largest <= most)?.[0] ?? 'double'
  }

  #isNumber(text: string): boolean {
    const number = numberOf(text)
    if (number === undefined) return false
    this.#decimals ||= hasDecimals(number)
    const digits = /^[+-]?(\d{10,})(?:\.0*)?$/.exec(number)?.[1]
    if (digits) {
      const size = BigInt(digits)
      if (size > this.#largest) this.#largest = size
    }
    return true
  }
}

/**
 * Names and types of a seed's columns. `given`: `column_types`, which are taken as they are.
 * @throws MODEL_INVALID with the line, for a row with more values than there are columns, or a file without a header
 */
export function seedColumns(
  text: string,
  { file, delimiter, given }: { file: string; delimiter: string; given: Readonly<Record<string, string>> },
): { columns: SeedColumn[]; rows: number } {
  const position = { start: 0 }
  const records = csvRecords(text, delimiter, position)
  const header = records.next()
  if (header.done)
    throw new Failure('MODEL_INVALID', `the seed is empty: ${file} has no line with names`, {
      place: { file, line: 1 },
    })
  const names = uniqueNames(header.value)
  const columns = names.map((name) => (given[name] === undefined ? new Column() : undefined))
  let rows = 0
  for (const record of records) {
    rows++
    if (record.length > names.length)
      throw new Failure(
        'MODEL_INVALID',
        `row ${rows} of the seed has ${record.length} values, and there are ${names.length} columns`,
        {
          place: { file, line: text.slice(0, position.start).split('\n').length },
          hint: `Put values that contain "${delimiter}" into double quotes.`,
        },
      )
    for (const [index, column] of columns.entries()) {
      const value = record[index]
      if (column && value !== undefined && !column.isText) column.meet(value)
    }
  }
  return {
    columns: names.map((name, index) => ({
      name,
      type: given[name] ?? columns[index]!.type,
      isGiven: given[name] !== undefined,
      isEmpty: columns[index]?.isEmpty ?? false,
    })),
    rows,
  }
}

/** Types of a table that hold every value of the narrower ones. */
const wider: Readonly<Record<string, readonly string[]>> = {
  BIGINT: ['integer'],
  HUGEINT: ['integer', 'bigint'],
  // Tables that were loaded when whole numbers of this size were told as decimals.
  'DECIMAL(38,0)': ['integer', 'bigint'],
  DOUBLE: ['integer', 'bigint', 'hugeint'],
  TIMESTAMP: ['date'],
}

/** dbt fills a table that is there, and so its columns keep their types: here, too, as far as they hold what the file has now. */
export function asInTable(
  columns: readonly SeedColumn[],
  table: readonly { name: string; type: string }[],
): SeedColumn[] {
  const types = new Map(table.map(({ name, type }) => [name.toLowerCase(), type]))
  return columns.map((column) => {
    const type = types.get(column.name.toLowerCase())
    const isKept =
      type !== undefined &&
      !column.isGiven &&
      (type === 'VARCHAR' || column.isEmpty || wider[type]?.includes(column.type) === true)
    return isKept ? { ...column, type } : column
  })
}

/** As agate has them: a second `a` is `a_2`, a column without a name is called by its letter. */
function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map((name, index) => {
    const base = name.trim() === '' ? letters(index) : name
    let unique = base
    for (let count = 2; taken.has(unique); count++) unique = `${base}_${count}`
    taken.add(unique)
    return unique
  })
}

const letters = (index: number): string => {
  const letter = String.fromCharCode(97 + (index % 26))
  return letter.repeat(Math.floor(index / 26) + 1)
}
