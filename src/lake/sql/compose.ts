// A statement made of our own text and pieces of a person's: whoever finds a mistake in it is told where the person wrote it.

import type { Piece } from './reader.ts'
import { isName, nameOf, tokens, type Token } from './tokens.ts'

export class Composed {
  readonly sql: string
  readonly #pieces: { at: number; length: number; start: number }[]
  constructor(sql: string, pieces: { at: number; length: number; start: number }[]) {
    this.sql = sql
    this.#pieces = pieces
  }

  /** Where index `at` of the text stands in the person's; undefined for text of ours: then the piece before it, if any. */
  origin(at: number): number | undefined {
    const inside = this.#pieces.find((piece) => at >= piece.at && at <= piece.at + piece.length)
    if (inside) return inside.start + Math.min(at - inside.at, inside.length)
    return this.#pieces.findLast((piece) => piece.at <= at)?.start
  }

  static join(parts: readonly (Composed | string)[], separator: string): Composed {
    let sql = ''
    const pieces: { at: number; length: number; start: number }[] = []
    for (const [index, part] of parts.entries()) {
      if (index > 0) sql += separator
      const text = typeof part === 'string' ? part : part.sql
      // One by one: as arguments of one call a hundred thousand values of VALUES would be too many.
      if (typeof part !== 'string')
        for (const piece of part.#pieces) pieces.push({ ...piece, at: piece.at + sql.length })
      sql += text
    }
    return new Composed(sql, pieces)
  }
}

/** Strings are ours, pieces the person's. A line break ends a comment that a piece may end with. */
export function compose(texts: TemplateStringsArray, ...values: (string | Piece | Composed)[]): Composed {
  const parts = texts.flatMap((text, index): (Composed | string)[] => {
    const value = values[index]
    if (value === undefined) return [text]
    if (typeof value === 'string' || value instanceof Composed) return [text, value]
    return [text, new Composed(`${value.sql}\n`, [{ at: 0, length: value.sql.length, start: value.start }])]
  })
  return Composed.join(parts, '')
}

/**
 * The piece with these plain names (in small letters) as columns of `alias`, which is quoted. Names that mean something
 * else stay: of functions, arguments, types, parts of a longer name. A subquery has names of its own, so with one the whole
 * piece stays as it is.
 */
export function qualified(piece: Piece, names: ReadonlySet<string>, alias: string): Composed {
  const all = [...tokens(piece.sql)]
  const isPlain = (token: Token, index: number): boolean => {
    const [before, behind] = [all[index - 1], all[index + 1]]
    return (
      isName(token) &&
      names.has(nameOf(token).toLowerCase()) &&
      !['.', '::', 'as'].includes(before?.text.toLowerCase() ?? '') &&
      before?.kind !== 'number' &&
      !['.', '(', ':', '->'].includes(behind?.text ?? '') &&
      behind?.kind !== 'string'
    )
  }
  const hasSubquery = all.some(({ kind, text }) => kind === 'word' && /^(select|from|values)$/i.test(text))
  const plain = hasSubquery ? [] : all.filter(isPlain)
  const parts: (Composed | string)[] = []
  let at = 0
  const upTo = (end: number) => {
    if (end > at)
      parts.push(new Composed(piece.sql.slice(at, end), [{ at: 0, length: end - at, start: piece.start + at }]))
    at = end
  }
  for (const { start } of plain) {
    upTo(start)
    parts.push(`${alias}.`)
  }
  upTo(piece.sql.length)
  return Composed.join([...parts, '\n'], '')
}
