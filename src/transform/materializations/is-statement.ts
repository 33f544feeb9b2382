const queries = new Set('select with from values table show describe summarize explain pivot unpivot call'.split(' '))

/** Whether the text changes something, by its first word; what asks nothing at all counts too. */
export function isStatement(sql: string): boolean {
  const word = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[^]*?\*\/|[;(])*(\w*)/.exec(sql)?.[1] ?? ''
  return !queries.has(word.toLowerCase())
}
