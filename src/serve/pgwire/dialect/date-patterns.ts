// PostgreSQL's patterns of dates (`YYYY-MM-DD HH24:MI:SS`) as those of the engine (`%Y-%m-%d %H:%M:%S`), and as SQL where it has none.

import { quoteText } from '../../../lake/index.ts'
import { around, type Around } from './around.ts'

const numbers: Readonly<Record<string, string>> = {
  YYYY: '%Y',
  YY: '%y',
  IYYY: '%G',
  MM: '%m',
  DD: '%d',
  DDD: '%j',
  IW: '%V',
  HH24: '%H',
  HH12: '%I',
  HH: '%I',
  MI: '%M',
  SS: '%S',
  MS: '%g',
  US: '%f',
  TZ: '%Z',
}
/** Behind FM, without what fills them up. */
const bare: Readonly<Record<string, string>> = {
  MM: '%-m',
  DD: '%-d',
  DDD: '%-j',
  HH24: '%-H',
  HH12: '%-I',
  HH: '%-I',
  MI: '%-M',
  SS: '%-S',
  YYYY: '%Y',
  IYYY: '%G',
  MONTH: '%B',
  DAY: '%A',
}
/** What is written as it is spelt here, and in no other case. */
const words: Readonly<Record<string, string>> = { Mon: '%b', Dy: '%a', AM: '%p', PM: '%p' }
const part =
  /(FM)?(IYYY|IYY|IY|Y,YYY|YYYY|YYY|YY|Y|HH24|HH12|HH|MI|MM|SSSSS|SSSS|SS|MS|US|FF[1-6]|TZH|TZM|TZ|OF|IDDD|ID|DDD|DD|IW|I|MONTH|MON|DAY|DY|[AP]\.?M\.?|BC|AD|B\.C\.|A\.D\.|RM|WW|W|CC|Q|D|J|TM|SP|FX)(TH)?|"([^"]*)"?|([^"])/giy

/** Undefined for a pattern with parts that the engine has no word for: names in capitals or with blanks behind them, quarters, Roman months. */
export function enginePattern(pattern: string): string | undefined {
  let given = ''
  for (const one of partsOf(pattern)) {
    if ('sql' in one) return undefined
    given += one.given
  }
  return given
}

/** The text of a time, as SQL that stands before and behind it. Undefined for a pattern with parts that nothing here has. */
export function dateText(pattern: string): Around | undefined {
  const pieces: string[] = []
  let run = ''
  const close = () => {
    if (run !== '') pieces.push(`strftime(bh_v, ${quoteText(run)})`)
    run = ''
  }
  for (const one of partsOf(pattern)) {
    if (!('sql' in one)) run += one.given
    else if (one.sql === undefined) return undefined
    else {
      close()
      pieces.push(one.sql)
    }
  }
  close()
  if (pieces.length === 1 && pieces[0]!.startsWith('strftime'))
    return { before: 'strftime(', after: pieces[0]!.replace('strftime(bh_v', '') }
  return around(pieces.join(' || ') || "''")
}

type Part = { given: string } | { sql: string | undefined }

function* partsOf(pattern: string): Generator<Part> {
  for (const [whole, fill, name, ordinal, quoted, sign] of pattern.matchAll(part)) {
    if (name === undefined) {
      // Letters that mean nothing are letters.
      yield { given: (quoted ?? sign!).replaceAll('%', '%%') }
      continue
    }
    const upper = name.toUpperCase()
    const given = fill ? bareWord(upper, name) : (numbers[upper] ?? words[whole])
    if (ordinal !== undefined) {
      const text = given === undefined ? sqlOf(upper, name, fill !== undefined) : `strftime(bh_v, ${quoteText(given)})`
      yield { sql: text && ordinalSql(text, ordinal) }
      continue
    }
    yield given === undefined ? { sql: sqlOf(upper, name, fill !== undefined) } : { given }
  }
}

/** `4th`, `22ND`. */
function ordinalSql(number: string, written: string): string {
  const ending = `CASE WHEN regexp_matches(${number}, '1[123]$') THEN 'th' WHEN ${number} LIKE '%1' THEN 'st' WHEN ${number} LIKE '%2' THEN 'nd' WHEN ${number} LIKE '%3' THEN 'rd' ELSE 'th' END`
  return `(${number} || ${written === 'TH' ? `upper(${ending})` : ending})`
}

const isCapital = (name: string) => /^[A-Z][a-z]+$/.test(name)

function bareWord(upper: string, name: string): string | undefined {
  const isName = upper === 'MONTH' || upper === 'DAY'
  return isName && !isCapital(name) ? undefined : bare[upper]
}

/** What the engine's patterns have no word for. */
const computed: Readonly<Record<string, [sql: string, width: number]>> = {
  Q: ['quarter(bh_v)', 1],
  D: ['dayofweek(bh_v) + 1', 1],
  ID: ['isodow(bh_v)', 1],
  W: ['(day(bh_v) - 1) // 7 + 1', 1],
  WW: ['(dayofyear(bh_v) - 1) // 7 + 1', 2],
  CC: ['century(bh_v)', 2],
  J: ['floor(julian(bh_v))::BIGINT', 1],
  SSSS: ['hour(bh_v) * 3600 + minute(bh_v) * 60 + second(bh_v)', 1],
  YYY: [`right(strftime(bh_v, '%Y'), 3)`, 1],
  Y: [`right(strftime(bh_v, '%Y'), 1)`, 1],
  IYY: [`right(strftime(bh_v, '%G'), 3)`, 1],
  IY: [`right(strftime(bh_v, '%G'), 2)`, 1],
  I: [`right(strftime(bh_v, '%G'), 1)`, 1],
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`FF${n}`, [`left(strftime(bh_v, '%f'), ${n})`, 1]])),
  SSSSS: ['hour(bh_v) * 3600 + minute(bh_v) * 60 + second(bh_v)', 1],
}
const named: Readonly<Record<string, string>> = { MONTH: '%B', MON: '%b', DAY: '%A', DY: '%a', AM: '%p', PM: '%p' }

function sqlOf(upper: string, name: string, isBare: boolean): string | undefined {
  if (/^(BC|AD|B\.C\.|A\.D\.|A\.M\.|P\.M\.)$/.test(upper)) return halfOf(upper, name)
  if (upper === 'RM') return romanMonth(name, isBare)
  const number = computed[upper]
  if (number) {
    const [sql, width] = number
    return isBare || width === 1 ? `(${sql})::VARCHAR` : `lpad((${sql})::VARCHAR, ${width}, '0')`
  }
  const word = named[upper]
  if (word === undefined) return undefined
  const text = `strftime(bh_v, '${word}')`
  const cased = name === upper ? `upper(${text})` : isCapital(name) ? text : `lower(${text})`
  return /^(MONTH|DAY)$/.test(upper) && !isBare ? `rpad(${cased}, 9, ' ')` : cased
}

/** The era, or the half of the day, with points. */
function halfOf(upper: string, name: string): string {
  const [isSecond, first, second] = /M/.test(upper)
    ? ['hour(bh_v) >= 12', 'A.M.', 'P.M.']
    : ['year(bh_v) > 0', ...(upper.length === 2 ? ['BC', 'AD'] : ['B.C.', 'A.D.'])]
  const cased = (text: string) => quoteText(name === upper ? text : text.toLowerCase())
  return `CASE WHEN bh_v IS NULL THEN NULL WHEN ${isSecond} THEN ${cased(second!)} ELSE ${cased(first!)} END`
}

const romans = 'I II III IV V VI VII VIII IX X XI XII'.split(' ')
function romanMonth(name: string, isBare: boolean): string {
  const months = romans.map((one) => quoteText(name === 'RM' ? one : one.toLowerCase()))
  const month = `[${months.join(', ')}][month(bh_v)]`
  return isBare ? month : `rpad(${month}, 4, ' ')`
}

/** Parts of a span of time, and how wide they are, below zero, too. Hours are not days, however many. */
const spans: Readonly<Record<string, [sql: string, width: number, signed?: number]>> = {
  YYYY: [`date_part('year', bh_v)`, 4, 5],
  MM: [`date_part('month', bh_v)`, 2],
  DD: [`date_part('day', bh_v)`, 2],
  HH24: [`date_part('hour', bh_v)`, 2, 3],
  HH12: [`(CASE date_part('hour', bh_v) % 12 WHEN 0 THEN 12 ELSE date_part('hour', bh_v) % 12 END)`, 2, 3],
  HH: [`(CASE date_part('hour', bh_v) % 12 WHEN 0 THEN 12 ELSE date_part('hour', bh_v) % 12 END)`, 2, 3],
  MI: [`date_part('minute', bh_v)`, 2, 3],
  SS: [`(date_part('microseconds', bh_v) // 1000000)`, 2, 3],
  MS: [`(date_part('microseconds', bh_v) % 1000000 // 1000)`, 3],
  US: [`(date_part('microseconds', bh_v) % 1000000)`, 6],
}

/** The text of an interval, or of a time of a day, as SQL around it; undefined for parts that are of dates alone. */
export function spanText(pattern: string): Around | undefined {
  const pieces: string[] = []
  for (const [, fill, name, ordinal, quoted, sign] of pattern.matchAll(part)) {
    const span = name === undefined ? undefined : spans[name.toUpperCase()]
    if (name === undefined) pieces.push(quoteText(quoted ?? sign!))
    else if (/^[ap]m$/i.test(name)) {
      const half = `CASE WHEN date_part('hour', bh_v) % 24 >= 12 THEN 'PM' ELSE 'AM' END`
      pieces.push(name === name.toUpperCase() ? `(${half})` : `lower(${half})`)
    } else if (!span || ordinal !== undefined) return undefined
    else {
      const [sql, width, signed = width] = span
      const filled = `printf(CASE WHEN ${sql} < 0 THEN '%0${signed}d' ELSE '%0${width}d' END, CAST(${sql} AS BIGINT))`
      pieces.push(fill ? `CAST(CAST(${sql} AS BIGINT) AS VARCHAR)` : filled)
    }
  }
  const { before, after } = around(pieces.join(' || ') || "''")
  return { before: `${before}CAST(CAST(`, after: ` AS VARCHAR) AS INTERVAL)${after}` }
}
