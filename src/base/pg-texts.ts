// Values as PostgreSQL writes them, where DuckDB reads them otherwise.

/** An item of an array: a text, null, or an array again. */
export type ArrayItem = string | null | ArrayItem[]

/** `{1,NULL,"a b"}`. One dimension; undefined when it has more, or is malformed. */
export function parseArray(text: string): (string | null)[] | undefined {
  const items = parseArrays(text)
  return items?.every((item) => !Array.isArray(item)) ? (items as (string | null)[]) : undefined
}

/** `{{1,2},{3,4}}`, of any number of dimensions; undefined when it is malformed. Reads each character once. */
export function parseArrays(text: string): ArrayItem[] | undefined {
  let at = 0
  const space = () => {
    while (at < text.length && blank.test(text[at]!)) at++
  }
  const item = (): ArrayItem | undefined => {
    const isQuoted = text[at] === '"'
    const parts: string[] = []
    // Blanks behind an item without quotes are none of it, unless they are escaped.
    let kept = 0
    if (isQuoted) at++
    for (; at < text.length && (isQuoted ? text[at] !== '"' : !',}'.includes(text[at]!)); at++) {
      if (!isQuoted && '"{'.includes(text[at]!)) return undefined
      const isEscaped = text[at] === '\\'
      if (isEscaped) at++
      parts.push(text[at] ?? '')
      if (isEscaped || !blank.test(text[at]!)) kept = parts.length
    }
    if (isQuoted && text[at++] !== '"') return undefined
    const found = parts.slice(0, isQuoted ? undefined : kept).join('')
    if (!isQuoted && found === '') return undefined
    return !isQuoted && /^null$/i.test(found) ? null : found
  }
  const array = (depth: number): ArrayItem[] | undefined => {
    if (text[at] !== '{' || depth > dimensionsMax) return undefined
    at++
    const items: ArrayItem[] = []
    space()
    if (text[at] === '}') {
      at++
      return items
    }
    for (;;) {
      space()
      const found = text[at] === '{' ? array(depth + 1) : item()
      if (found === undefined) return undefined
      items.push(found)
      space()
      const end = text[at++]
      if (end === '}') return items
      if (end !== ',') return undefined
    }
  }
  space()
  const items = array(1)
  space()
  return at === text.length ? items : undefined
}
const dimensionsMax = 6

/** The same as the engine's SQL has it; `item` writes a text. */
export const arraySql = (items: readonly ArrayItem[], item: (text: string) => string): string =>
  `[${items.map((one) => (one === null ? 'NULL' : Array.isArray(one) ? arraySql(one, item) : item(one))).join(', ')}]`

/** What PostgreSQL takes for one: others are letters. */
const blank = /[ \t\n\r\v\f]/

/** A number in decimal digits, `1.5E+3` as `1500`; undefined for one of more than 38 of them, and for what is none. */
export function decimalText(text: string): string | undefined {
  const parts = /^\s*([+-]?)(\d+)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?\s*$/i.exec(text)
  if (!parts) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts
  const point = whole.length + Number(exponent)
  const digits = `${'0'.repeat(Math.max(0, -point))}${whole}${fraction}`.padEnd(point, '0')
  const split = Math.max(0, point)
  const before = digits.slice(0, split).replace(/^0+(?=\d)/, '') || '0'
  const behind = digits.slice(split)
  if (before.length + behind.length > 38) return undefined
  return `${sign === '-' ? '-' : ''}${before}${behind && `.${behind}`}`
}

/**
 * `2024-01-01 10:00:00 +02`, `2024-01-01 +02`, as Sequelize and pgjdbc send times: DuckDB takes what stands behind a blank for the
 * name of a zone, and wants seconds before an offset. Without `zoned` the offset means nothing, as in PostgreSQL: what is kept is what was written.
 */
export function timestampText(text: string, zoned: boolean): string {
  const found =
    /^(\d{4,6}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?))? ?(Z|[+-]\d(?:\d(?::?\d\d(?::?\d\d)?)?)?)$/.exec(
      text,
    )
  if (!found) return text
  const [, day, time = '00:00', zone] = found
  const offset = zone!.length === 2 ? `${zone![0]}0${zone![1]}` : zone
  return `${day} ${time.length === 5 ? `${time}:00` : time}${zoned ? offset : ''}`
}

const isoSpan =
  /^\s*P(?=.)(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)W)?(?:(-?\d+)D)?(?:T(?=.)(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?\d+(?:\.\d+)?)S)?)?\s*$/
const spanUnits = ['years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds']

/** `P1Y2DT3H`, an interval as ISO 8601 has it, in words; other texts as they are. */
export function intervalText(text: string): string {
  const parts = isoSpan.exec(text)?.slice(1)
  if (!parts) return text
  return spanUnits.flatMap((unit, at) => (parts[at] === undefined ? [] : [`${parts[at]} ${unit}`])).join(' ')
}

/** `{a,"b c",NULL}` */
export const arrayText = (items: readonly (string | null)[]): string => {
  const isPlain = (item: string) => item !== '' && !/[{}",\\\s]/.test(item) && !/^null$/i.test(item)
  const shown = (item: string) => (isPlain(item) ? item : `"${item.replace(/["\\]/g, '\\$&')}"`)
  return `{${items.map((item) => (item === null ? 'NULL' : shown(item))).join(',')}}`
}
