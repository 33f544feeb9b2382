// The first rows of a model as it is written now, or of one of the named queries inside it, without building anything.
// What it reads is read as it is published; what is not there yet is told by its name.

import { Failure, type Place } from '../base/failure.ts'
import { didYouMean } from '../base/suggest.ts'
import { closing, collect, nameOf, quoteName, tokens, type Column, type Token } from '../lake/index.ts'
import type { DbtNode } from '../project/dbt/index.ts'
import { Compiler } from './compile.ts'
import { asker } from './materializations/scope.ts'
import { inTemplate, queryOptions, statementOf, type Work } from './work.ts'

export type PreviewWork = Omit<Work, 'changes'>

/**
 * Rows of a model. `limit`: at most so many.
 * @throws Failure NOT_FOUND for a CTE that the model does not have; what is wrong in the SQL with its place in the template
 */
export async function previewRows(
  node: DbtNode,
  { cte, limit }: { cte?: string | undefined; limit: number },
  work: PreviewWork,
): Promise<{ columns: Column[]; rows: unknown[][]; truncated: boolean; sql: string; place: Place }> {
  const compiled = await new Compiler(work.project, asker(work)).compile(node)
  const whole = statementOf(compiled)
  const sql = cte === undefined ? whole : selectOfCte(whole, cte, node)
  return inTemplate(compiled, async () => {
    const result = await work.lake.query(sql, { ...queryOptions(work), door: 'cli', rowsMax: limit })
    const { columns, rows } = await collect(result)
    return { columns, rows, truncated: result.truncated(), sql, place: node.place }
  })
}

/** The text with the query after its WITH clause replaced, so that every place in it stays where it is. */
function selectOfCte(sql: string, cte: string, node: DbtNode): string {
  const { names, end } = withClause(sql)
  const found = names.find((name) => name.toLowerCase() === cte.toLowerCase())
  if (found === undefined)
    throw new Failure('NOT_FOUND', `${node.name} has no CTE "${cte}"${didYouMean(cte, names)}`, { place: node.place })
  return `${sql.slice(0, end)} select * from ${quoteName(found)}`
}

/** Names of a WITH clause at the start of a text, and where the clause ends. */
export function withClause(sql: string): { names: string[]; end: number } {
  const all: Token[] = [...tokens(sql)]
  const word = (at: number) => (all[at]?.kind === 'word' ? all[at]!.text.toLowerCase() : undefined)
  const names: string[] = []
  if (word(0) !== 'with') return { names, end: 0 }
  for (let at = word(1) === 'recursive' ? 2 : 1; at < all.length;) {
    const name = all[at]!
    names.push(nameOf(name))
    // Columns in brackets, AS, [NOT] MATERIALIZED, then the query.
    let close = at
    do {
      while (close < all.length && all[close]!.text !== '(') close++
      const isColumns = word(close - 1) !== 'as' && word(close - 1) !== 'materialized'
      close = closing(all, close)
      if (!isColumns) break
      close++
    } while (close < all.length)
    if (all[close + 1]?.text !== ',') return { names, end: all[Math.min(close, all.length - 1)]!.end }
    at = close + 2
  }
  return { names: [], end: 0 }
}
