// PostgreSQL's `format('%s: %I', …)` as SQL over the list of what is put in.

import { quoteText } from '../../../lake/index.ts'
import { around, type Around } from './around.ts'

/** Around the items of the list, which are texts; and how many of them it needs. */
type Pieces = Around & { arguments: number }

const conversion = /%(?:(\d+)\$)?(-)?(\d+)?([sIL])|%%|([^%]+)|(.)/gs

/** Undefined for what is not such a pattern: `%` alone, a width that is an argument, the engine's own `{}`. */
export function formatPieces(pattern: string): Pieces | undefined {
  if (!pattern.includes('%') || /\{\d*(:[^{}]*)?\}/.test(pattern)) return undefined
  const pieces: string[] = []
  let last = 0
  let most = 0
  for (const [whole, position, left, width, type, text, other] of pattern.matchAll(conversion)) {
    if (other !== undefined) return undefined
    if (type === undefined) pieces.push(quoteText(text ?? whole.slice(1)))
    else {
      last = position === undefined ? last + 1 : Number(position)
      if (last === 0) return undefined
      most = Math.max(most, last)
      pieces.push(padded(converted(type, `bh_v[${last}]`), Number(width ?? 0), left !== undefined))
    }
  }
  const { before, after } = around(pieces.join(' || '))
  return { before: `${before}[`, after: `]${after}`, arguments: most }
}

function converted(type: string, item: string): string {
  if (type === 's') return `coalesce(${item}, '')`
  return type === 'I' ? `quote_ident(${item})` : `quote_nullable(${item})`
}

const padded = (text: string, width: number, isLeft: boolean): string =>
  width === 0 ? text : `${isLeft ? 'rpad' : 'lpad'}(${text}, greatest(${width}, length(${text}))::INTEGER, ' ')`
