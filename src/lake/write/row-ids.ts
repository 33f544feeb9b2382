// `ctid`, PostgreSQL's name for a row itself: `UPDATE t … WHERE ctid IN (SELECT t.ctid FROM t JOIN u …)`, as Laravel writes changes
// that look at other tables. Rows here have no address that stays, so a row is all that is in it. That is asked of tables with a
// key alone: where rows may be alike, who deletes all but one of them by ctid would delete all.

import { Failure } from '../../base/failure.ts'
import type { Schema } from '../../iceberg/index.ts'
import { compose, type Composed } from '../sql/compose.ts'
import type { Piece } from '../sql/reader.ts'
import { isName, nameOf, quoteName, quoteText, tokens } from '../sql/tokens.ts'

/** The condition with rows in place of their ids; `name`: what the table is called in it. */
export function withRowIds(where: Piece, { fields, identifierFieldIds }: Schema, name: string): Piece | Composed {
  if (!/\bctid\b/i.test(where.sql) || fields.some((field) => field.name.toLowerCase() === 'ctid')) return where
  const all = [...tokens(where.sql)]
  if (identifierFieldIds.length === 0)
    throw new Failure('SQL_UNSUPPORTED', 'rows of a table without a key have no ctid', {
      hint: 'Name the rows by their columns, or give the table a PRIMARY KEY.',
    })
  let text: Composed | string = ''
  let end = 0
  /** Parentheses that are open, and whether a SELECT begins in each. */
  const open: boolean[] = []
  all.forEach((token, at) => {
    if (token.text === '(') open.push(all[at + 1]?.text.toLowerCase() === 'select')
    else if (token.text === ')') open.pop()
    if (!isName(token) || nameOf(token).toLowerCase() !== 'ctid') return
    const isQualified = all[at - 1]?.text === '.' && isName(all[at - 2])
    const first = isQualified ? all[at - 2]! : token
    // Within a SELECT a plain name is one of its own tables.
    const of = isQualified ? `${quoteName(nameOf(all[at - 2]!))}.` : open.includes(true) ? '' : `${name}.`
    const before = { sql: where.sql.slice(end, first.start), start: where.start + end }
    const row = fields.map((field) => `${quoteText(field.name)}: ${of}${quoteName(field.name)}`).join(', ')
    text = compose`${text}${before}{${row}}`
    end = token.end
  })
  return compose`${text}${{ sql: where.sql.slice(end), start: where.start + end }}`
}
