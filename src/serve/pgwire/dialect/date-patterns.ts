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
  /(FM)?(IYYY|YYYY|YY|HH24|HH12|HH|MI|MM|SSSSS|SSSS|SS|MS|US|TZ|DDD|DD|IW|MONTH|MON|DAY|DY|AM|PM|WW|W|CC|ID|Q|D|J)(TH)?|"([^"]*)"|([^a-z"])|(.)/giy

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
      const text = quoted ?? sign
      yield text === undefined ? { sql: undefined } : { given: text.replaceAll('%', '%%') }
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
  SSSSS: ['hour(bh_v) * 3600 + minute(bh_v) * 60 + second(bh_v)', 1],
}
const named: Readonly<Record<string, string>> = { MONTH: '%B', MON: '%b', DAY: '%A', DY: '%a', AM: '%p', PM: '%p' }

function sqlOf(upper: string, name: string, isBare: boolean): string | undefined {
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
