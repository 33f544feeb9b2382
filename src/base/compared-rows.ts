// Comparison of rows as SQL has it, which the engine does in another way: to it null is the highest of all values.

/** SQL of `(left…) symbol (right…)`: unknown where a null decides. What the first items say alone leaves files out of a scan. */
export function comparedRows(left: readonly string[], symbol: string, right: readonly string[]): string {
  if (symbol === '=') return `(${left.map((one, at) => `${one} = ${right[at]!}`).join(' AND ')})`
  if (symbol === '<>' || symbol === '!=') return `(${left.map((one, at) => `${one} <> ${right[at]!}`).join(' OR ')})`
  const [one, ...others] = left
  const [other, ...rest] = right
  if (others.length === 0) return `${one!} ${symbol} ${other!}`
  const strict = symbol[0]!
  const further = comparedRows(others, symbol, rest)
  return `(${one!} ${strict}= ${other!} AND (${one!} ${strict} ${other!} OR (${one!} = ${other!} AND ${further})))`
}
