// `CREATE TABLE t (LIKE u)`: the columns of another table or view that the asker may see.

import { Bug } from '../../base/assert.ts'
import type { LoadedTable } from '../../catalog/index.ts'
import { createText } from '../relations/show-create.ts'
import { parseStatement, type ColumnDefinition, type Like, type WrittenCheck } from '../sql/statement.ts'
import { compose } from '../sql/compose.ts'
import { quoteTable } from '../sql/tokens.ts'
import { located, type PerformContext } from './perform-context.ts'

/** @throws TABLE_NOT_FOUND */
export async function columnsLike(
  { table, including }: Like,
  context: PerformContext,
): Promise<{ columns: ColumnDefinition[]; checks: WrittenCheck[] }> {
  const source = context.resolve(table)
  const text = compose`SELECT * FROM ${quoteTable(source)}`
  const seen = await located(text, context.at, context.bind(text.sql))
  const found = await context.changes.load(source)
  const { columns: all, checks } = found?.kind === 'table' ? definitionsOf(found) : { columns: [], checks: [] }
  const definitions = new Map(all.map((one) => [one.name, one]))
  const columns = seen.map(({ name, type }) => {
    const own = definitions.get(name)
    return {
      name,
      type: own?.type ?? { sql: type, start: 0 },
      required: own?.required ?? false,
      default: including.has('defaults') ? own?.default : undefined,
      comment: including.has('comments') ? own?.comment : undefined,
      ...(own?.identity && including.has('identity') ? { identity: own.identity } : {}),
    }
  })
  // Who may not see a column sees no check of it, and the table has no such column.
  const isWhole = all.every(({ name }) => seen.some((one) => one.name === name))
  return { columns, checks: including.has('constraints') && isWhole ? checks : [] }
}

function definitionsOf(table: LoadedTable): { columns: ColumnDefinition[]; checks: WrittenCheck[] } {
  const statement = parseStatement(createText(table))
  if (statement?.kind !== 'create-table') throw new Bug('a table is made by CREATE TABLE')
  return { columns: statement.columns ?? [], checks: statement.checks }
}
