// RETURNING: a SELECT of the list that was written, over the rows that the statement changes. They lie in a file of the spool
// before anything of the change is kept, and are told from there; so a list that fails changes nothing, and what is told are the
// rows of the commit, in the order in which they were given.

import { Bug } from '../../base/assert.ts'
import type { TableName } from '../../catalog/index.ts'
import { changedAlias, type ToldRows } from '../sources.ts'
import { Composed, compose } from '../sql/compose.ts'
import type { Piece } from '../sql/reader.ts'
import type { RowChange } from '../sql/row-change.ts'
import { quoteName, quoteTable, tokens } from '../sql/tokens.ts'
import { located, type PerformContext, type Told } from './perform-context.ts'

/** What MERGE did with a row: a column that `*` does not name. */
export const mergeAction = 'merge_action'

export type Returning = { onRows(from: string): Promise<void>; told(): Told }

/** Undefined where nothing is to be told. Looks before anything is changed whether the list can be told. */
export async function openReturning(
  statement: RowChange,
  target: TableName,
  { tell, at }: Pick<PerformContext, 'tell' | 'at'>,
): Promise<Returning | undefined> {
  const asked = returningOf(statement, target)
  if (!asked) return undefined
  const { text, rows } = asked
  await located(text, at, tell(text.sql, rows))
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

/** The SELECT, and what stands for the table in it. */
export function returningOf(
  { returning, alias, kind }: Pick<RowChange, 'returning' | 'alias' | 'kind'>,
  target: TableName,
): { text: Composed; rows: ToldRows } | undefined {
  if (!returning) return undefined
  const extra = kind === 'merge' && new RegExp(`\\b${mergeAction}\\b`, 'i').test(returning.sql) ? [mergeAction] : []
  const list = extra.length > 0 ? withoutInStar(returning) : returning
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
