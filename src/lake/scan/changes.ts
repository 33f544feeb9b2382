// Rows that came and went, snapshot after snapshot: `raw.sales$changes`, and `table_changes('raw.sales', from, to)` which
// means `raw.sales$changes` between two snapshots.
//
// A snapshot that only added files came with all of their rows; one that only removed files took those that were left. Where
// files were written anew, or lost rows to delete files, the rows before and after are compared, so that rows which were only
// carried over are not told as changes.

import { Failure } from '../../base/failure.ts'
import { showName, type LoadedTable } from '../../catalog/index.ts'
import {
  ancestorsOf,
  planChanges,
  snapshotAsOf,
  type At,
  type Between,
  type Field,
  type ScanFile,
  type Schema,
  type SnapshotChanges,
} from '../../iceberg/index.ts'
import type { FileIO } from '../../io/index.ts'
import { quoteName, quoteText } from '../sql/tokens.ts'
import { parseAsOf } from './as-of.ts'
import { sqlType } from '../types.ts'

/** Behind the table's columns; the names are those of Spark's changelogs. */
const changeFields: readonly Field[] = [
  { id: -1, name: '_change_type', type: { kind: 'string' }, required: true },
  { id: -2, name: '_change_ordinal', type: { kind: 'int' }, required: true },
  { id: -3, name: '_commit_snapshot_id', type: { kind: 'long' }, required: true },
  { id: -4, name: '_commit_timestamp', type: { kind: 'timestamptz' }, required: true },
]
const changeNames: readonly string[] = changeFields.map(({ name }) => name)

/** Exclusive and inclusive, as in `planChanges`. */
export type Range = Pick<Between, 'from' | 'to'>

/** Snapshots whose rows are compared, of one statement: each is a SELECT of its own. */
const comparedMax = 200

/** The columns of a table's changes. @throws SQL_UNSUPPORTED when it has columns of these names itself */
export function changesSchema({ name }: LoadedTable, schema: Schema): Schema {
  // By `_boathouse_file` the rows of whole files are told apart.
  const taken = schema.fields.find(({ name }) => [...changeNames, '_boathouse_file'].includes(name.toLowerCase()))
  if (taken)
    throw new Failure('SQL_UNSUPPORTED', `${showName(name)} has a column ${taken.name}, a name that its changes need`)
  return { ...schema, fields: [...schema.fields, ...changeFields] }
}

export const withoutChanges = (schema: Schema): Schema => ({
  ...schema,
  fields: schema.fields.filter(({ name }) => !changeNames.includes(name)),
})

/** `from..to`, each the id of a snapshot, a branch, a tag, a time or nothing; anything else is a `to`. @throws NOT_FOUND */
export function rangeOf({ metadata }: LoadedTable, at: At | undefined): Range {
  const [, from, to] = (at && 'ref' in at && /^(.*)\.\.(.*)$/s.exec(at.ref)) || []
  const atOf = (text: string): At =>
    /^-?\d{1,19}$/.test(text)
      ? { snapshotId: BigInt(text) }
      : /^\d{4}-\d\d-\d\d/.test(text) && metadata.refs[text] === undefined
        ? parseAsOf(text.replace(/ \d\d:.*[+-]\d\d$/, '$&:00')) // DuckDB shortens what is left of UTC
        : { ref: text }
  const idOf = (text: string | undefined) =>
    text === undefined || text === '' ? undefined : snapshotAsOf(metadata, atOf(text))?.snapshotId
  if (from === undefined) return { to: snapshotAsOf(metadata, at)?.snapshotId }
  // The snapshot that is begun after may be expired.
  return { from: /^-?\d{1,19}$/.test(from) ? BigInt(from) : idOf(from), to: idOf(to) }
}

/** @throws NOT_FOUND when `from` is no ancestor of `to`, or the way to it was expired */
export async function planRange(
  io: FileIO,
  { name, metadata }: LoadedTable,
  options: Between,
): Promise<SnapshotChanges[]> {
  try {
    return await planChanges(io, metadata, options)
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'NOT_FOUND') throw error
    const first = ancestorsOf(metadata, options.to).at(-1)
    throw error.with({
      message: `${showName(name)}: ${error.message}`,
      ...(first && {
        hint: `The first snapshot that can be begun after is table_changes('${name.namespace}.${name.name}', ${first.snapshotId}).`,
      }),
    })
  }
}

/** What a plan reads, each file once for each time that it is read. */
export const filesOfChanges = (changes: readonly SnapshotChanges[]): ScanFile[] =>
  changes.flatMap(({ added, removed, changed }) => [
    ...added,
    ...removed,
    ...changed.flatMap(({ before, after }) => [before, after]),
  ])

/** A SELECT in parentheses. `rows` gives the live rows of files in one of these, with `_boathouse_file` where asked. */
export async function changesSql(
  changes: readonly SnapshotChanges[],
  schema: Schema,
  rows: (files: readonly ScanFile[], withFile: boolean) => Promise<string>,
): Promise<string> {
  const columns = withoutChanges(schema).fields.map(({ name }) => quoteName(name))
  const whole = { INSERT: new Map<string, Whole>(), DELETE: new Map<string, Whole>() }
  const selects: string[] = []
  let compared = 0
  for (const [ordinal, one] of changes.entries()) {
    const { added, removed, changed, snapshot } = one
    if (added.length + removed.length + changed.length === 0) continue
    const facts = [
      String(ordinal),
      `${snapshot.snapshotId}::BIGINT`,
      `make_timestamptz(${snapshot.timestampMs * 1000}::BIGINT)`,
    ].join(', ')
    const kind = removed.length === 0 && changed.length === 0 ? 'INSERT' : 'DELETE'
    const files = kind === 'INSERT' ? added : removed
    const isWhole = (kind === 'INSERT' || (added.length === 0 && changed.length === 0)) && files.length > 0
    if (isWhole && files.every(({ path }) => !whole[kind].has(path))) {
      for (const file of files) whole[kind].set(file.path, { file, facts })
      continue
    }
    if (++compared > comparedMax)
      throw new Failure('QUERY_TOO_LARGE', `rows were changed by more than ${comparedMax} snapshots`, {
        hint: 'Ask for fewer at a time: table_changes(table, from, to).',
      })
    const before = await rows([...removed, ...changed.map((file) => file.before)], false)
    const after = await rows([...added, ...changed.map((file) => file.after)], false)
    selects.push(
      `SELECT *, 'INSERT' AS _change_type, ${facts} FROM (FROM ${after} EXCEPT ALL FROM ${before})`,
      `SELECT *, 'DELETE' AS _change_type, ${facts} FROM (FROM ${before} EXCEPT ALL FROM ${after})`,
    )
  }
  for (const [kind, found] of Object.entries(whole)) {
    if (found.size === 0) continue
    const values = [...found].map(([path, { facts }]) => `(${quoteText(path)}, ${facts})`)
    const from = await rows(
      [...found.values()].map(({ file }) => file),
      true,
    )
    selects.push(
      `SELECT ${columns.map((name) => `_rows.${name}`).join(', ')}, '${kind}', _facts.* EXCLUDE (path) FROM ${from} AS _rows JOIN (VALUES ${values.join(', ')}) AS _facts(path, ordinal, snapshot, time) ON _facts.path = _rows._boathouse_file`,
    )
  }
  const names = [...columns, ...changeNames].join(', ')
  if (selects.length === 0) {
    const empty = changeFields.map(({ name, type }) => `NULL::${sqlType(type)} AS ${name}`)
    return `(SELECT *, ${empty.join(', ')} FROM ${await rows([], false)})`
  }
  return `(SELECT * FROM (${selects.join('\nUNION ALL\n')}) AS _changes(${names}))`
}

type Whole = { file: ScanFile; facts: string }
