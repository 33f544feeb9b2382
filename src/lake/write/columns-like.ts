// `CREATE TABLE t (LIKE u)`: the columns of another table or view that the asker may see.
// Keys among them are named after the new table, as PostgreSQL names them; what the other refers to is not taken along.

import { Bug } from '../../base/assert.ts'
import { Failure } from '../../base/failure.ts'
import type { LoadedTable } from '../../catalog/index.ts'
import { createText } from '../relations/show-create.ts'
import { parseStatement, type ColumnDefinition, type Like, type Promised, type WrittenCheck } from '../sql/statement.ts'
import { compose } from '../sql/compose.ts'
import { quoteTable } from '../sql/tokens.ts'
import { located, type PerformContext } from './perform-context.ts'

type Defined = {
  columns: ColumnDefinition[]
  key: string[] | undefined
  promised: Promised[]
  checks: WrittenCheck[]
}
const none: Defined = { columns: [], key: undefined, promised: [], checks: [] }

/** What a statement defines itself, with what it takes from the other. @throws TABLE_NOT_FOUND */
export async function columnsLike(like: Like, own: Defined, context: PerformContext): Promise<Defined> {
  const taken = await definitionsLike(like, context)
  if (own.key && taken.key) throw new Failure('SQL_INVALID', 'a table has one primary key')
  return {
    columns: own.columns.toSpliced(like.before, 0, ...taken.columns),
    key: own.key ?? taken.key,
    promised: [...own.promised, ...taken.promised],
    checks: [...own.checks, ...taken.checks],
  }
}

async function definitionsLike({ table, including }: Like, context: PerformContext): Promise<Defined> {
  const source = context.resolve(table)
  const text = compose`SELECT * FROM ${quoteTable(source)}`
  const seen = await located(text, context.at, context.bind(text.sql))
  const found = await context.changes.load(source)
  const defined = found?.kind === 'table' ? definitionsOf(found) : none
  const definitions = new Map(defined.columns.map((one) => [one.name, one]))
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
  // Who may not see a column sees no check or key of it, and the table has no such column.
  const isWhole = defined.columns.every(({ name }) => seen.some((one) => one.name === name))
  return {
    columns,
    checks: including.has('constraints') && isWhole ? defined.checks : [],
    ...(including.has('indexes') && isWhole ? keysOf(defined) : { key: undefined, promised: [] }),
  }
}

const keysOf = ({ key, promised }: Defined): Pick<Defined, 'key' | 'promised'> => ({
  key,
  promised: promised.flatMap((one): Promised[] =>
    one.what === 'a primary key'
      ? [{ ...one, primary: undefined }]
      : one.what === 'a unique key' && one.key
        ? [{ ...one, key: { ...one.key, name: undefined } }]
        : [],
  ),
})

function definitionsOf(table: LoadedTable): Defined {
  const statement = parseStatement(createText(table))
  if (statement?.kind !== 'create-table') throw new Bug('a table is made by CREATE TABLE')
  const { columns = [], key, promised, checks } = statement
  return { columns, key, promised, checks }
}
