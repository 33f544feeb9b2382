// Ephemeral models become common table expressions of those who read them, in front of the reader's own.

export type Injected = { name: string; sql: string }

/** Where the text for CTEs belongs in `sql`, and what goes there; dbt's `inject_ctes_into_sql`. */
export function injectCtes(sql: string, ctes: readonly Injected[]): { sql: string; at: number; inserted: string } {
  if (ctes.length === 0) return { sql, at: 0, inserted: '' }
  const list = ctes.map((cte) => ` ${cte.name} as (\n${cte.sql}\n)`).join(', ')
  const afterWith = endOfWith(sql)
  const [position, inserted] =
    afterWith === undefined ? [firstOf(sql, 0), `with${list} `] : [firstOf(sql, afterWith), `${list}, `]
  return { sql: sql.slice(0, position) + inserted + sql.slice(position), at: position, inserted }
}

/** The first character from `at` on that is no white space. */
const firstOf = (sql: string, at: number): number => at + (/\S/.exec(sql.slice(at))?.index ?? 0)

const token = /--[^\n]*|\/\*[^]*?\*\/|'(?:''|[^'])*'|"(?:""|[^"])*"|[()]|[A-Za-z_]\w*|[^\s\w]/g

/** The end of the first WITH (RECURSIVE) outside brackets. */
function endOfWith(sql: string): number | undefined {
  let depth = 0
  let found: number | undefined
  for (const match of sql.matchAll(token)) {
    const [text] = match
    if (found !== undefined) return text.toLowerCase() === 'recursive' ? match.index + text.length : found
    if (text === '(') depth++
    else if (text === ')') depth--
    else if (depth === 0 && text.toLowerCase() === 'with') found = match.index + text.length
  }
  return found
}
