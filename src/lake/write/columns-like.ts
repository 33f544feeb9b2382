// `CREATE TABLE t (LIKE u)`: the columns of another table or view that the asker may see.

import { Bug } from '../../base/assert.ts'
import type { LoadedTable } from '../../catalog/index.ts'
import { createText } from '../relations/show-create.ts'
import { parseStatement, type ColumnDefinition, type Like } from '../sql/statement.ts'
import { compose } from '../sql/compose.ts'
import { quoteTable } from '../sql/tokens.ts'
import { located, type PerformContext } from './perform-context.ts'

/** @throws TABLE_NOT_FOUND */
export async function columnsLike({ table, including }: Like, context: PerformContext): Promise<ColumnDefinition[]> {
  const source = context.resolve(table)
  const text = compose`SELECT * FROM ${quoteTable(source)}`
  const seen = await located(text, context.at, context.bind(text.sql))
  const found = await context.changes.load(source)
  const definitions = new Map(found?.kind === 'table' ? definitionsOf(found).map((one) => [one.name, one]) : [])
  return seen.map(({ name, type }) => {
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
}

function definitionsOf(table: LoadedTable): ColumnDefinition[] {
  const statement = parseStatement(createText(table))
  if (statement?.kind !== 'create-table') throw new Bug('a table is made by CREATE TABLE')
  return statement.columns ?? []
}
