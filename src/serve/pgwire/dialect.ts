// PostgreSQL's spelling of a statement into the engine's: edits of the text, token by token, so that a place in an error
// still leads back to what the client wrote.

import { splice, tokens, type Edit, type Spliced } from '../../lake/index.ts'

/** The text for the lake. `values` are further edits of the same text: bound parameters. */
export function translate(sql: string, values: readonly Edit[]): Spliced {
  return splice(sql, [...collations(sql), ...values])
}

/** The engine compares text by code point, as COLLATE "C" asks for; other collations it does not know. */
function collations(sql: string): Edit[] {
  const all = [...tokens(sql)]
  return all.flatMap((token, at) => {
    if (token.kind !== 'word' || token.text.toLowerCase() !== 'collate') return []
    const qualified = all[at + 2]?.text === '.'
    const name = all[at + (qualified ? 3 : 1)]
    return name ? [{ start: token.start, end: name.end, text: '' }] : []
  })
}
