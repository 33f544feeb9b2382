// Values as PostgreSQL writes them, where DuckDB reads them otherwise.

/** `{1,NULL,"a b"}`. One dimension; undefined when it is malformed. Reads each character once. */
export function parseArray(text: string): (string | null)[] | undefined {
  const whole = text.trim()
  if (!whole.startsWith('{') || !whole.endsWith('}')) return undefined
  const end = whole.length - 1
  const items: (string | null)[] = []
  let at = 1
  const space = () => {
    while (at < end && /\s/.test(whole[at]!)) at++
  }
  space()
  if (at === end) return []
  for (;;) {
    space()
    const isQuoted = whole[at] === '"'
    const parts: string[] = []
    // Blanks behind an item without quotes are none of it, unless they are escaped.
    let kept = 0
    if (isQuoted) at++
    for (; at < end && (isQuoted ? whole[at] !== '"' : whole[at] !== ','); at++) {
      if (!isQuoted && '"{}'.includes(whole[at]!)) return undefined
      const isEscaped = whole[at] === '\\'
      if (isEscaped) at++
      parts.push(whole[at]!)
      if (isEscaped || !/\s/.test(whole[at]!)) kept = parts.length
    }
    if (isQuoted && whole[at++] !== '"') return undefined
    const item = parts.slice(0, isQuoted ? undefined : kept).join('')
    if (!isQuoted && item === '') return undefined
    items.push(!isQuoted && /^null$/i.test(item) ? null : item)
    space()
    if (at >= end) return at === end ? items : undefined
    if (whole[at++] !== ',') return undefined
  }
}

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
    /^(\d{4,6}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?))? ?(Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)$/.exec(text)
  if (!found) return text
  const [, day, time = '00:00', zone] = found
  return `${day} ${time.length === 5 ? `${time}:00` : time}${zoned ? zone : ''}`
}
