// INSERT … ON CONFLICT, INSERT OR REPLACE and INSERT OR IGNORE. No index tells whether a key is there already, so what is
// given is joined with the table, as by MERGE: in the same commit, and looked at beside what other writers did by the same rules.

import { Failure } from '../../base/failure.ts'
import { showName, type TableName } from '../../catalog/index.ts'
import { fieldById, type Schema } from '../../iceberg/index.ts'
import { compose, type Composed } from '../sql/compose.ts'
import type { Conflict, MergeClause, RowChange } from '../sql/row-change.ts'
import { quoteName } from '../sql/tokens.ts'
import { appendProjection } from './columns.ts'
import type { WrittenField } from './computed-defaults.ts'
import { columnOf, located, type PerformContext } from './perform-context.ts'
import type { Merge } from './perform-rows.ts'

/** How the rows that were given are numbered. */
export const givenOrder = '_boathouse_given'
/** What the row that was given is called. */
export const excluded = 'excluded'

/** The MERGE that an INSERT is; `text` gives its rows. */
export async function asMerge(
  { alias, returning }: Pick<RowChange, 'alias' | 'returning'>,
  { key: written, does }: Conflict,
  text: Composed,
  target: TableName,
  schema: Schema,
  { at, bind }: Pick<PerformContext, 'at' | 'bind'>,
): Promise<Merge> {
  const key = (written ?? identifiers(schema, target)).map((column) => columnOf(column, schema, target).name)
  // What a declared type refuses is refused where the rows are written: in here it would be a function that nobody may call.
  const fields = schema.fields.map((field: WrittenField) => ({ ...field, declared: undefined }))
  const columns = appendProjection(target, { ...schema, fields }, await located(text, at, bind(text.sql)))
  const names = key.map(quoteName)
  // A row without a key is like no other.
  const isFirst = `row_number() OVER (PARTITION BY ${names.join(', ')} ORDER BY ${givenOrder}) = 1 OR ${names.map((name) => `${name} IS NULL`).join(' OR ')}`
  const given = compose`SELECT ${columns.join(', ')}, row_number() OVER () AS ${givenOrder} FROM (${text}) AS given`
  const from =
    does.kind === 'nothing' ? compose`(SELECT * FROM (${given}) AS given QUALIFY ${isFirst})` : compose`(${given})`
  const matched: MergeClause[] =
    does.kind === 'nothing'
      ? []
      : does.kind === 'replace'
        ? [{ when: 'matched', and: undefined, action: { kind: 'update', set: 'all' } }]
        : [{ when: 'matched', and: does.where, action: { kind: 'update', set: does.set } }]
  return {
    alias,
    returning,
    source: { from, alias: excluded },
    on: key,
    clauses: [...matched, { when: 'not-matched', and: undefined, action: { kind: 'insert-all', byName: false } }],
    key,
    inserts: does.kind === 'nothing' ? 'or-nothing' : 'or-updates',
  }
}

function identifiers(schema: Schema, target: TableName): string[] {
  const paths = schema.identifierFieldIds.map((id) => fieldById(schema, id)?.path ?? '')
  if (paths.length > 0) return paths
  throw new Failure('SQL_INVALID', `${showName(target)} has no identifier fields to find rows by`, {
    hint: 'Write the columns of the key, ON CONFLICT (id), or give it the fields: ALTER TABLE … SET IDENTIFIER FIELDS id.',
  })
}
