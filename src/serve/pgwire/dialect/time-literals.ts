// Days, times, truth values and intervals that PostgreSQL reads in more spellings than the engine, where the statement says what they are.

import { intervalText } from '../../../base/pg-texts.ts'
import { quoteText } from '../../../lake/index.ts'
import { textOf, type EditedSql } from './sql.ts'

const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const weekday = /^(sun|mon|tue|wed|thu|fri|sat)[a-z]*\.?$/i
const time = /^(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?(?:([ap])m)?$/i
/** Of the zones that have names in PostgreSQL, those that people write. */
const zones: Record<string, string> = {
  z: '+00',
  utc: '+00',
  gmt: '+00',
  est: '-05',
  edt: '-04',
  cst: '-06',
  cdt: '-05',
  mst: '-07',
  mdt: '-06',
  pst: '-08',
  pdt: '-07',
  cet: '+01',
  cest: '+02',
}

/** `date '1/8/1999'`, `'Jan 8, 1999 10:00 PST'::timestamptz`, `'on'::bool`, `interval '1 month - 1 day'`. */
export function typedLiteral(sql: EditedSql, at: number): boolean {
  if (sql.tokens[at]!.kind !== 'string') return false
  const type = typeOf(sql, at)
  const text = textOf(sql.tokens[at]!)
  const meant = /^bool(ean)?$/.test(type)
    ? truth(text)
    : /^(date|timestamp|timestamptz)$/.test(type)
      ? isoText(text)
      : type === 'interval'
        ? intervalText(text).replace(/([+-])\s+(?=\d)/g, '$1')
        : undefined
  return meant !== undefined && meant !== text && sql.replace(at, at, quoteText(meant))
}

/** What the words around a literal say that it is. */
function typeOf(sql: EditedSql, at: number): string {
  const behind = sql.words[at + 1]
  if (behind === '::' || (behind === 'as' && sql.words[at - 1] === '(')) return sql.castEnd(at + 1).type
  const isZoned =
    sql.words
      .slice(at - 3, at)
      .join(' ')
      .endsWith('time zone') && /^with(out)?$/.test(sql.words[at - 3] ?? '')
  const word = isZoned ? at - 4 : at - 1
  return sql.tokens[word]?.kind === 'word' && sql.words[word - 1] !== '.' ? sql.words[word]! : ''
}

function truth(text: string): string | undefined {
  const word = text.trim().toLowerCase()
  if (word === 'on' || word === '1' || ['true', 'yes'].some((one) => word !== '' && one.startsWith(word))) return 'true'
  return word === '0' ||
    word === 'of' ||
    word === 'off' ||
    ['false', 'no'].some((one) => word !== '' && one.startsWith(word))
    ? 'false'
    : undefined
}

/** By year, month and day, as the engine reads it; undefined for what is no such text, or one already. Days stand behind months. */
export function isoText(text: string): string | undefined {
  if (/^\s*\d{4,}-\d{1,2}-\d{1,2}(?![\d-])/.test(text)) return beforeChrist(text)
  const compact = /^(\d{4})(\d\d)(\d\d)(?:[T ](\d\d)(\d\d)(\d\d))?$/.exec(text.trim())
  if (compact) {
    const [, year, month, day, hour, minute, second] = compact
    return `${year}-${month}-${day}${hour === undefined ? '' : ` ${hour}:${minute}:${second}`}`
  }
  let [year, month, day, clock, zone]: (string | undefined)[] = []
  const all = text.trim().split(/[\s,]+/)
  const words = all.flatMap((word) =>
    /^[a-z\d]+(-[a-z\d]+){2}$/i.test(word) && /[a-z]/i.test(word) ? word.split('-') : [word],
  )
  for (const word of words) {
    const named = months.findIndex((name) => word.toLowerCase().startsWith(name))
    const numbers = /^(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})$/.exec(word)
    if (numbers && month === undefined) [, month, day, year] = numbers
    else if (named >= 0 && /^[a-z]{3,9}\.?$/i.test(word) && month === undefined) month = String(named + 1)
    else if (time.test(word) && clock === undefined) clock = word
    else if (/^[ap]m$/i.test(word) && clock !== undefined && !/m$/i.test(clock)) clock += word
    else if (/^[+-]\d\d(:?\d\d)?$/.test(word) && clock !== undefined && zone === undefined) zone = word
    else if (zones[word.toLowerCase()] && clock !== undefined && zone === undefined) zone = zones[word.toLowerCase()]
    else if (/^\d{1,2}$/.test(word) && day === undefined) day = word
    else if (/^(\d{4}|\d{2})$/.test(word) && year === undefined) year = word
    else if (!weekday.test(word)) return undefined
  }
  if (!year || !month || !day) return undefined
  // Of two digits as in PostgreSQL: 1970 to 2069.
  const full = year.length === 2 ? String(Number(year) + (Number(year) < 70 ? 2000 : 1900)) : year
  const shown = clock === undefined ? '' : ` ${ofDay(clock)}${zone ?? ''}`
  return `${full}-${month.padStart(2, '0')}-${day.padStart(2, '0')}${shown}`
}

function ofDay(clock: string): string {
  const [, hour, minute, second = '00', half] = time.exec(clock)!
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half.toLowerCase() === 'p' ? 12 : 0)
  return `${String(hours).padStart(2, '0')}:${minute}:${second}`
}

/** `0044-03-15 BC`: the engine has `(BC)` behind the day, and would leave the letters out. */
function beforeChrist(text: string): string | undefined {
  const parts = /^\s*(\d+-\d+-\d+)((?:[ T][\d:.+-]+)?)\s+BC\s*$/i.exec(text)
  return parts ? `${parts[1]} (BC)${parts[2]}` : undefined
}

/** `interval '1 2' DAY TO HOUR`: fields from one to another. */
export function intervalFields(sql: EditedSql, at: number): boolean {
  if (sql.words[at] !== 'interval' || sql.tokens[at + 1]?.kind !== 'string' || sql.words[at + 3] !== 'to') return false
  const text = textOf(sql.tokens[at + 1]!)
  const [first, last] = [sql.words[at + 2]!, sql.words[at + 4] ?? '']
  const meant = ofFields(text.trim(), first, last)
  return meant !== undefined && sql.replace(at + 1, at + 4, quoteText(meant))
}

function ofFields(text: string, first: string, last: string): string | undefined {
  const years = /^(-?)(\d+)-(\d+)$/.exec(text)
  if (first === 'year' && last === 'month')
    return years ? `${years[1]}${years[2]} years ${years[1]}${years[3]} months` : undefined
  const days = first === 'day' ? /^(-?\d+) +(.*)$/.exec(text) : undefined
  if (first === 'day' && !days) return undefined
  const clock = days ? days[2]! : text
  const shown =
    /^-?\d+$/.test(clock) && last === 'hour'
      ? `${clock}:00:00`
      : /^-?\d+:\d+$/.test(clock)
        ? last === 'second' && first === 'minute'
          ? clock.replace(/^(-?)/, '$100:')
          : `${clock}:00`
        : /^-?\d+:\d+:\d+(\.\d+)?$/.test(clock)
          ? clock
          : undefined
  return shown === undefined ? undefined : `${days ? `${days[1]} days ` : ''}${shown}`
}

/**
 * `at AT TIME ZONE '-05:00'`, `timezone('UTC+3', at)`: offsets are west of Greenwich in PostgreSQL, as POSIX has them. The engine
 * knows those behind UTC alone, and takes them as east.
 */
export function zoneOffset(sql: EditedSql, at: number): boolean {
  const isBehind = sql.words.slice(at - 3, at).join(' ') === 'at time zone'
  const isArgument = sql.words[at - 1] === '(' && sql.words[at - 2] === 'timezone'
  const token = sql.tokens[at]!
  if (token.kind !== 'string' || (!isBehind && !isArgument)) return false
  const [, sign, hours, minutes = '00'] =
    /^(?:[a-z]{3,}|<[^>]+>)?([+-]?)(\d{1,2})(?::?(\d\d))?$/i.exec(textOf(token).trim()) ?? []
  if (hours === undefined || Number(hours) > 15) return false
  // Of minutes it would take no notice.
  const told =
    minutes === '00' ? `UTC${sign === '-' ? '+' : '-'}${hours.padStart(2, '0')}:00` : `${sign}${hours}:${minutes}`
  return sql.replace(at, at, quoteText(told))
}
