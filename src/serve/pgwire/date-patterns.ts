// PostgreSQL's patterns of dates (`YYYY-MM-DD HH24:MI:SS`) as those of the engine (`%Y-%m-%d %H:%M:%S`).

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
}
/** What is written as it is spelt here, and in no other case. */
const words: Readonly<Record<string, string>> = { Mon: '%b', Dy: '%a', AM: '%p', PM: '%p' }
const part = /IYYY|YYYY|YY|HH24|HH12|HH|MI|MM|SS|MS|US|DDD|DD|IW|Mon|Dy|AM|PM|"[^"]*"|[^a-z"]|./giy

/** Undefined for a pattern with parts that the engine has no word for: names with blanks behind them, quarters, Roman months. */
export function enginePattern(pattern: string): string | undefined {
  let given = ''
  for (const [text] of pattern.matchAll(part)) {
    const upper = text.toUpperCase()
    if (Object.hasOwn(numbers, upper)) given += numbers[upper]!
    else if (Object.hasOwn(words, text)) given += words[text]!
    else if (text.length > 1 && text.startsWith('"')) given += text.slice(1, -1).replaceAll('%', '%%')
    else if (/[a-z"]/i.test(text)) return undefined
    else given += text === '%' ? '%%' : text
  }
  return given
}
