// A script is several statements; one is run at a time: the one under the cursor. Splitting needs to know where
// text, quoted names, comments and dollar quotes end, and nothing else of SQL. Pure.

export type Statement = { from: number; to: number; text: string }

/** The statements of a script without their semicolons, blank ones left out; positions are UTF-16 offsets. */
export function statements(script: string): Statement[] {
  const found: Statement[] = []
  let start = 0
  let at = 0
  const end = (to: number) => {
    const inner = script.slice(start, to)
    const from = start + (inner.length - inner.trimStart().length)
    const until = from + inner.trim().length
    if (!isBlank(script.slice(from, until))) found.push({ from, to: until, text: script.slice(from, until) })
  }
  while (at < script.length) {
    if (script[at] === ';') {
      end(at)
      start = ++at
    } else at = skip(script, at)
  }
  end(script.length)
  return found
}

const isBlank = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) {
    if (/\s/.test(text[at]!)) continue
    if (!text.startsWith('--', at) && !text.startsWith('/*', at)) return false
    at = skip(text, at) - 1
  }
  return true
}

/** Where the thing that begins at `at` ends: a quoted text, a comment, or one character. */
function skip(script: string, at: number): number {
  const after = (mark: string, from: number) => {
    const found = script.indexOf(mark, from)
    return found < 0 ? script.length : found + mark.length
  }
  if (script.startsWith('--', at)) return after('\n', at)
  if (script.startsWith('/*', at)) return afterComment(script, at)
  const quote = script[at]
  if (quote === "'" || quote === '"') {
    const escapes = quote === "'" && /(^|[^\w])e$/i.test(script.slice(Math.max(0, at - 2), at))
    for (let to = at + 1; to < script.length; to++) {
      if (escapes && script[to] === '\\') to++
      else if (script[to] === quote && script[to + 1] === quote) to++
      else if (script[to] === quote) return to + 1
    }
    return script.length
  }
  const dollar = quote === '$' ? /^\$([A-Za-z_]\w*)?\$/.exec(script.slice(at, at + 66))?.[0] : undefined
  return dollar ? after(dollar, at + dollar.length) : at + 1
}

function afterComment(script: string, at: number): number {
  let depth = 0
  for (let to = at; to < script.length; to++) {
    if (script.startsWith('/*', to)) [depth, to] = [depth + 1, to + 1]
    else if (script.startsWith('*/', to)) [depth, to] = [depth - 1, to + 1]
    if (depth === 0) return to + 1
  }
  return script.length
}

/** The statement at the cursor: the one around it, or else the last one before it. */
export function statementAt(script: string, position: number): Statement | null {
  const all = statements(script)
  return (
    all.find(({ from, to }) => position >= from && position <= to) ??
    all.findLast(({ to }) => to < position) ??
    all[0] ??
    null
  )
}

/** The range of the word at a line and column of a statement, as offsets of the script; null when there is none. */
export function wordAt(statement: Statement, line: number, column: number): { from: number; to: number } | null {
  let start = 0
  for (let passed = 1; passed < line; passed++) {
    const next = statement.text.indexOf('\n', start)
    if (next < 0) return null
    start = next + 1
  }
  const at = Math.min(start + column - 1, Math.max(0, statement.text.length - 1))
  const word = /^("(?:[^"]|"")*"|'(?:[^']|'')*'|[\p{L}\p{N}_$]+|\S)/u.exec(statement.text.slice(at))
  return { from: statement.from + at, to: statement.from + at + (word?.[0].length ?? 1) }
}
