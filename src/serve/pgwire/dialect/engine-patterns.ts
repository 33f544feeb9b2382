// Regular expressions as PostgreSQL means them: to the engine `\\w` and `[[:alpha:]]` are letters without accents, and `\\y` is
// nothing at all.

import { tokens, type Edit, type Token } from '../../../lake/index.ts'

const mayDiffer = /\\[wWy&]|\[:(?:alpha|alnum|upper|lower):\]/
const calls = /^(regexp_(match|matches|replace|count|substr|instr|like|split_to_array|split_to_table)|substring)$/i
const classes: Record<string, string> = {
  alpha: '\\p{L}',
  alnum: '\\p{L}\\p{N}',
  upper: '\\p{Lu}',
  lower: '\\p{Ll}',
}
const word = '\\p{L}\\p{N}_'

/** Edits of the patterns that are written in a text, where they mean something else to the engine. */
export function patternEdits(sql: string): Edit[] {
  if (!mayDiffer.test(sql)) return []
  const all = [...tokens(sql)]
  return all.flatMap((token, at) => {
    const isOne = token.kind === 'string' && token.text.startsWith("'") && mayDiffer.test(token.text)
    const place = isOne ? placeOf(all, at) : undefined
    if (!place) return []
    const written = token.text.slice(1, -1)
    const meant =
      place === 'pattern' ? engineRegex(written) : written.replace(/\\[^]/g, (one) => (one === '\\&' ? '\\0' : one))
    return [{ start: token.start, end: token.end, text: `'${meant}'` }]
  })
}

/** Behind `~`, `!~*` and the like, or the second argument of a call; what is put in place is the third of one. */
function placeOf(all: readonly Token[], at: number): 'pattern' | 'replacement' | undefined {
  const before = all[at - 1]?.text
  if (before === '~' || (before === '*' && all[at - 2]?.text === '~')) return 'pattern'
  if (before !== ',' && before?.toLowerCase() !== 'from') return undefined
  let [depth, commas] = [0, 0]
  for (let index = at - 1; index > 0; index--) {
    const { text } = all[index]!
    if (text === ')' || text === ']') depth++
    else if (text === ',' && depth === 0) commas++
    else if ((text === '(' || text === '[') && depth-- === 0) {
      const call = text === '(' ? all[index - 1]!.text.toLowerCase() : ''
      if (commas === 2) return call === 'regexp_replace' ? 'replacement' : undefined
      return commas < 2 && calls.test(call) ? 'pattern' : undefined
    }
  }
  return undefined
}

/** A pattern of PostgreSQL as one of the engine; the same where they agree. */
function engineRegex(pattern: string): string {
  let isInside = false
  return pattern.replace(/\\[^]|\[:\w+:\]|[[\]]/g, (one, at: number) => {
    if (one === '[' && !isInside) isInside = true
    // `[]a]` and `[^]a]` begin with a bracket of their own.
    else if (one === ']' && !/\[\^?$/.test(pattern.slice(0, at))) isInside = false
    else if (one === '\\w') return isInside ? word : `[${word}]`
    else if (one === '\\W' && !isInside) return `[^${word}]`
    else if (one === '\\y' && !isInside) return '\\b'
    else if (one.startsWith('[:') && isInside) return classes[one.slice(2, -2)] ?? one
    return one
  })
}
