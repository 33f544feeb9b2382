// RETURNING: a SELECT of the list that was written, over the rows that the statement changes. They lie in a file of the spool
// before anything of the change is kept, and are told from there; so a list that fails changes nothing, and what is told are the
// rows of the commit, in the order in which they were given.

import { Bug } from '../../base/assert.ts'
import { Failure } from '../../base/failure.ts'
import type { TableName } from '../../catalog/index.ts'
import type { NewField } from '../../iceberg/index.ts'
import { changedAlias, type ToldRows } from '../sources.ts'
import { Composed, compose } from '../sql/compose.ts'
import type { Piece } from '../sql/reader.ts'
import type { RowChange } from '../sql/row-change.ts'
import { aggregateFunctions } from '../sql/functions.ts'
import { quoteName, quoteTable, tokens } from '../sql/tokens.ts'
import type { Beside } from './beside.ts'
import { located, type PerformContext, type Told } from './perform-context.ts'

/** What MERGE did with a row: a column that `*` does not name. */
export const mergeAction = 'merge_action'

export type Returning = { onRows(from: string): Promise<void>; told(): Told }

/** Undefined where nothing is to be told. Looks before anything is changed whether the list can be told. */
export async function openReturning(
  statement: RowChange,
  target: TableName,
  { tell, at }: Pick<PerformContext, 'tell' | 'at'>,
  beside: Beside | undefined,
): Promise<Returning | undefined> {
  const asked = returningOf(statement, target, beside)
  if (!asked) return undefined
  const { text, rows } = asked
  const aggregate = statement.returning && aggregateIn(statement.returning)
  if (aggregate)
    throw new Failure(
      'SQL_INVALID',
      `RETURNING tells each row that is changed, and ${aggregate.name} is of all of them`,
      {
        place: at(aggregate.at),
        sqlState: '42803',
      },
    )
  await located(text, at, tell(text.sql, rows)).catch((error: unknown) => {
    throw ofOtherTable(error, statement)
  })
  let told: Told | undefined
  return {
    async onRows(from) {
      told = await located(text, at, tell(text.sql, { ...rows, rows: from }))
    },
    told() {
      if (!told) throw new Bug('the rows of a change are told before it is kept')
      return told
    },
  }
}

/** A call of `sum` and the like that is none of a window or of a query inside. */
function aggregateIn({ sql, start }: Piece): { name: string; at: number } | undefined {
  const all = [...tokens(sql)]
  const calls: { name: string; at: number; isQuery: boolean }[] = []
  for (const [index, { text, kind, start: at }] of all.entries()) {
    if (text === '(') {
      const before = all[index - 1]
      const name = before?.kind === 'word' ? before.text.toLowerCase() : ''
      calls.push({ name, at: before?.start ?? at, isQuery: /^(select|with|from)$/i.test(all[index + 1]?.text ?? '') })
    } else if (text === ')' && kind === 'symbol') {
      const call = calls.pop()
      const behind = all[index + 1]?.text.toLowerCase() ?? ''
      const isAggregate = call && aggregateFunctions.has(call.name) && behind !== 'over'
      if (isAggregate && !calls.some(({ isQuery }) => isQuery)) return { name: call.name, at: start + call.at }
    }
  }
  return undefined
}

/** Columns of the tables behind FROM and USING are there when rows are changed, and not when they are told. */
function ofOtherTable(error: unknown, { kind }: RowChange): unknown {
  const name = error instanceof Failure && /^Referenced table "([^"]*)" not found/.exec(error.message)?.[1]
  if (!name || kind === 'insert') return error
  return new Failure(
    'SQL_UNSUPPORTED',
    `RETURNING tells columns of the table that is changed, and ${name} is another`,
    {
      ...error.context,
      ...(error.place ? { place: error.place } : {}),
      hint: 'Leave them out, or read the other table by a query of its own: (SELECT … FROM other WHERE …).',
    },
  )
}

/** The SELECT, and what stands for the table in it. */
export function returningOf(
  { returning, alias, kind }: Pick<RowChange, 'returning' | 'alias' | 'kind'>,
  target: TableName,
  beside?: Beside,
): { text: Composed; rows: ToldRows } | undefined {
  if (!returning) return undefined
  const acts = kind === 'merge' && new RegExp(`\\b${mergeAction}\\b`, 'i').test(returning.sql)
  const action: NewField[] = acts ? [{ name: mergeAction, type: { kind: 'string' } }] : []
  const extra = beside ? beside.columns.map(({ field }) => field) : action
  const list = beside?.list ?? (acts ? withoutInStar(returning) : returning)
  const from = `(SELECT * FROM ${quoteTable(target)} AS ${changedAlias}) AS ${quoteName(alias ?? target.name)}`
  // Rows that go were read through what hides some from the asker.
  return {
    text: compose`SELECT ${list} FROM ${from}`,
    rows: { table: target, rows: undefined, asSeen: kind === 'delete', extra },
  }
}

/** `*` means the columns of the table. */
function withoutInStar(list: Piece): Composed {
  const all = [...tokens(list.sql)]
  const parts: (Composed | string)[] = []
  let from = 0
  for (const [index, { text, end }] of all.entries()) {
    const [before, behind] = [all[index - 1]?.text ?? ',', all[index + 1]?.text ?? ',']
    if (text !== '*' || !['.', ','].includes(before) || behind !== ',') continue
    const sql = list.sql.slice(from, end)
    parts.push(
      new Composed(sql, [{ at: 0, length: sql.length, start: list.start + from }]),
      ` EXCLUDE (${mergeAction})`,
    )
    from = end
  }
  const sql = list.sql.slice(from)
  return Composed.join(
    [...parts, new Composed(sql, [{ at: 0, length: sql.length, start: list.start + from }]), '\n'],
    '',
  )
}
