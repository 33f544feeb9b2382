// Which rows of a table can equal a row of a source: a condition on the keys that both are joined by.
//
// A join tells a scan of the table nothing about the source's values, so a MERGE would read every file of the table and
// would collide with every append to it. The least and the greatest key of the source, asked for first, narrow both: files
// without such keys are not read, and rows of other writers outside of them are no conflict (`conflictFilter`).

import type { Loaded } from '../../catalog/index.ts'
import { showName } from '../../catalog/index.ts'
import type { Engine } from '../../engine/index.ts'
import type { Field } from '../../iceberg/index.ts'
import type { Prepared } from '../prepare.ts'
import { nameOf, outside, quoteName, quoteText, tokens, type Token } from '../sql/tokens.ts'
import { sqlType } from '../types.ts'
import { limitsOf } from './write.ts'
import { zoneOf } from '../policy/zones.ts'

/** A column of the table, and what it is equal to: SQL over the source, and DuckDB's name of its type. */
export type JoinKey = { field: Field; value: string; type: string }

export type KeyBounds = {
  /** Over the table's columns. */
  condition: string
  /** What the source was read from: the condition is true of these versions only. */
  read: readonly Loaded[]
}

/** Types whose least and greatest values are the same in any session, as text and back. */
const ordered: ReadonlySet<string> = new Set(['int', 'long', 'decimal', 'string', 'date', 'timestamp', 'timestamptz'])
/** `types`: those that columns are read as, where they are kept as others. */
export const isOrdered = ({ name, type }: Pick<Field, 'name' | 'type'>, types: ReadonlyMap<string, string>): boolean =>
  ordered.has(type.kind) && (types.get(name) ?? 'HUGEINT') === 'HUGEINT'
/** A source of more bytes than this is not read twice. */
const sourceBytesMax = 64 * 2 ** 20
const textMax = 1_000

type Options = {
  engine: Engine
  prepare(sql: string): Promise<Prepared>
  /** Whether null equals null. */
  nulls: boolean
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * `from`: the source, as it stands behind FROM. Undefined where nothing can be said, or only at a price; a source that
 * fails is not told of here: the statement itself will fail with its place.
 */
export async function keyBounds(
  from: string,
  keys: readonly JoinKey[],
  options: Options,
): Promise<KeyBounds | undefined> {
  const usable = keys.filter(({ field, type }) => ordered.has(field.type.kind) && sqlType(field.type) === type)
  if (usable.length === 0) return undefined
  const columns = usable.map(
    ({ value }) => `min(${value})::VARCHAR, max(${value})::VARCHAR, count(*) > count(${value})`,
  )
  try {
    const prepared = await options.prepare(`SELECT ${columns.join(', ')} FROM ${from}`)
    if (prepared.volatile) return undefined
    const { sql, bytes, lease } = await prepared.execute()
    try {
      if (bytes > sourceBytesMax) return undefined
      const [row] = await options.engine.rows({ class: 'write', sql, ...limitsOf(options), ...zoneOf(prepared) })
      const conditions = usable.map(({ field }, index) => {
        const [least, greatest, hasNull] = row!.slice(index * 3) as [string | null, string | null, boolean]
        return conditionOf(field, least, greatest, hasNull && options.nulls)
      })
      const known = conditions.filter((condition) => condition !== undefined)
      return known.length === 0 ? undefined : { condition: known.join(' AND '), read: prepared.loaded }
    } finally {
      lease.release()
    }
  } catch (error) {
    if (options.signal?.aborted) throw error
    return undefined
  }
}

function conditionOf({ name, type }: Field, least: string | null, greatest: string | null, orNull: boolean) {
  const isNull = orNull ? `${quoteName(name)} IS NULL` : 'false'
  if (least === null || greatest === null) return `(${isNull})`
  const inside = between({ name, type }, least, greatest)
  return orNull && inside !== undefined ? `(${inside} OR ${isNull})` : inside
}

/** Undefined for texts that are too long to be said. */
export function between({ name, type }: Pick<Field, 'name' | 'type'>, least: string, greatest: string) {
  if (least.length > textMax || greatest.length > textMax || `${least}${greatest}`.includes('\0')) return undefined
  const literal = (text: string) => `CAST(${quoteText(text)} AS ${sqlType(type)})`
  return `(${quoteName(name)} BETWEEN ${literal(least)} AND ${literal(greatest)})`
}

/** Whether a statement reads what the bounds were taken from: somebody may have published in between. */
export const readAlike = ({ read }: KeyBounds, loaded: readonly Loaded[]): boolean =>
  read.every(({ name, location }) =>
    loaded.some((other) => showName(other.name) === showName(name) && other.location === location),
  )

/**
 * The pairs of columns that a condition joins by: those that stand as `target.column = source.column`, either way round,
 * between its ANDs. All else is left out, and nothing is said of conditions with words that bind looser or take an AND.
 */
export function equalColumns(condition: string, target: string, source: string): [string, string][] {
  const all = [...tokens(condition)]
  const terms: Token[][] = []
  let from = 0
  for (const [{ kind, text }, at] of outside(all)) {
    const word = kind === 'word' ? text.toLowerCase() : ''
    if (['or', 'between', 'case'].includes(word)) return []
    if (word !== 'and') continue
    terms.push(all.slice(from, at))
    from = at + 1
  }
  terms.push(all.slice(from))
  const isNamed = (token: Token, name: string) => nameOf(token).toLowerCase() === name.toLowerCase()
  return terms.flatMap((term): [string, string][] => {
    if (
      term.length !== 7 ||
      term
        .map(({ text }) => text)
        .filter((_, at) => at % 2 === 1)
        .join(' ') !== '. = .'
    )
      return []
    const [left, leftColumn, right, rightColumn] = [term[0]!, term[2]!, term[4]!, term[6]!]
    if (isNamed(left, target) && isNamed(right, source)) return [[nameOf(leftColumn), nameOf(rightColumn)]]
    if (isNamed(left, source) && isNamed(right, target)) return [[nameOf(rightColumn), nameOf(leftColumn)]]
    return []
  })
}
