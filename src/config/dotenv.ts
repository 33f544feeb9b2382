// `.env` holds what must not be committed. The dialect is the common core of the shell and of compose files:
// `KEY=value`, `export KEY=value`, # comments, 'literal' and "escaped" quotes, one line per value. Nothing is
// expanded: a password with a dollar sign means itself.

import { Failure } from '../base/failure.ts'

export type DotenvEntry = { value: string; line: number; column: number }

/** Parses the text of a `.env` file. Mistakes are returned, not thrown, so that all of them are told at once. */
export function parseDotenv(text: string, file: string): { entries: Map<string, DotenvEntry>; mistakes: Failure[] } {
  const entries = new Map<string, DotenvEntry>()
  const mistakes: Failure[] = []
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  for (const [index, raw] of lines.entries()) {
    const at = (column: number) => ({ file, line: index + 1, column })
    const mistake = (column: number, message: string) =>
      mistakes.push(
        new Failure('CONFIG_INVALID', `${message}, for example HTTP_PROXY="http://proxy:3128"`, { place: at(column) }),
      )
    if (/^\s*(#|$)/.test(raw)) continue
    const start = raw.length - raw.trimStart().length + 1
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*/.exec(raw)
    if (!match) {
      mistake(start, 'a line must be NAME=value')
      continue
    }
    const column = match[0].length + 1
    const value = valueOf(raw.slice(match[0].length))
    if (value === undefined) mistake(column, `the value of ${match[1]} must close its quote on the same line`)
    else entries.set(match[1]!, { value, line: index + 1, column })
  }
  return { entries, mistakes }
}

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t' }

/** The value after `=`; undefined when a quote is left open or text follows the closing one. */
function valueOf(rest: string): string | undefined {
  const quote = rest[0]
  if (quote !== '"' && quote !== "'") return rest.replace(/(^|\s)#.*$/, '').trimEnd()
  const match = quote === '"' ? /^"((?:[^"\\]|\\.)*)"\s*(#.*)?$/.exec(rest) : /^'([^']*)'\s*(#.*)?$/.exec(rest)
  if (!match) return undefined
  return quote === "'" ? match[1]! : match[1]!.replace(/\\(.)/g, (_, char: string) => escapes[char] ?? char)
}
