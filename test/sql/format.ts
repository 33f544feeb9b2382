// The format of `*.test` files: blocks between empty lines, each one statement and what is expected of it.
//
//   # a comment                              statement ok
//                                            create table {s}.t (a int)
//   query
//   select 1, null, ''                       statement error TABLE_NOT_FOUND
//   ----                                     from {s}.nowhere
//   1 | NULL | (empty)
//
// `{s}` is a schema that only this file and door have. A file that begins with `# oracle: duckdb` holds expected rows that
// plain DuckDB gave for the same statements on tables of its own (`node test/sql/print-oracle.ts FILE…` writes them).

export type Block = { kind: 'ok' | 'query' | 'error'; code: string; sql: string; rows: string[]; line: number }

export const isOracle = (text: string): boolean => text.startsWith('# oracle: duckdb')

export function parseBlocks(text: string): Block[] {
  const blocks: Block[] = []
  let line = 1
  for (const part of text.split(/\n\s*\n/)) {
    const lines = part.split('\n')
    const head = lines.findIndex((one) => one.trim() !== '' && !one.startsWith('#'))
    if (head >= 0) {
      const [kind, second, code = ''] = lines[head]!.split(' ')
      const body = lines.slice(head + 1)
      const ruler = body.indexOf('----')
      const sql = body
        .slice(0, ruler < 0 ? undefined : ruler)
        .join('\n')
        .trim()
      const isKnown = kind === 'query' || (kind === 'statement' && (second === 'ok' || second === 'error'))
      if (!isKnown || sql === '')
        throw new Error(`line ${line + head}: expected query, statement ok or statement error CODE`)
      const rows = ruler < 0 ? [] : body.slice(ruler + 1).filter((row) => row !== '')
      blocks.push({ kind: kind === 'query' ? 'query' : (second as 'ok' | 'error'), code, sql, rows, line: line + head })
    }
    line += lines.length + 1
  }
  return blocks
}

export function printBlock({ kind, code, sql, rows }: Block): string {
  if (kind === 'query') return ['query', sql, '----', ...rows].join('\n')
  return `statement ${kind}${kind === 'error' ? ` ${code}` : ''}\n${sql}`
}

/** One row as it stands in a file; values are texts or null. */
export const printRow = (values: readonly (string | null)[]): string =>
  values
    .map((value) => (value === null ? 'NULL' : value === '' ? '(empty)' : value.replaceAll('\n', '\\n')))
    .join(' | ')

const simple =
  /^(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL\(.*|VARCHAR|JSON|DATE|TIMESTAMP|TIME|UUID|FLOAT|DOUBLE)$/

/** A value as every door shows it. Types whose text differs from door to door are cast in the statement. */
export function showValue(value: unknown, type: string): string | null {
  if (!simple.test(type)) throw new Error(`cast the ${type} to VARCHAR: its form is the door's own`)
  if (value === null || value === undefined) return null
  const text = typeof value === 'string' ? value : String(value)
  if (type === 'BOOLEAN') return text === 't' ? 'true' : text === 'f' ? 'false' : text
  if (type === 'FLOAT' || type === 'DOUBLE')
    return String(Number(text.toLowerCase().replace('inf', 'Inf').replace('Infinityinity', 'Infinity')))
  return text
}
