// Counts, smallest and largest values that manifests know already: `SELECT count(*), max(at) FROM t` opens no data file.
//
// Only what is exact is answered. Rows that deletes may have taken are not counted; bounds of texts may be cut, those of
// floating-point numbers say nothing of NaN; a condition is followed when each file is wholly inside or outside of it,
// which is so for equality on what the files are partitioned by. Everything else is read, as ever.

import {
  decodeBound,
  type DataFile,
  type Field,
  type Predicate,
  type ScanFile,
  type Schema,
  type Value,
} from '../../iceberg/index.ts'
import type { EngineColumn } from '../../engine/index.ts'
import type { PlannedScan } from '../prepare.ts'
import { isName, nameOf, quoteName, tokens } from '../sql/tokens.ts'
import { literalSql, sqlType } from '../types.ts'

type Item = { kind: 'count' } | { kind: 'min' | 'max' | 'count-of'; column: string }
type Asked = { items: Item[]; equal: string[] }

/** `bind` gives the columns of the statement. Undefined when the answer needs the rows. */
export async function metadataAnswer(
  sql: string,
  { table, files, predicate }: PlannedScan,
  schema: Schema,
  bind: () => Promise<readonly EngineColumn[]>,
): Promise<string | undefined> {
  const asked = questionOf(sql)
  if (!asked) return undefined
  if (files.some(({ deletes }) => deletes.length > 0)) return undefined
  const named = (name: string) => schema.fields.find((field) => field.name.toLowerCase() === name.toLowerCase())
  const fixed = asked.equal.map(named)
  if (!isExact(predicate, fixed)) return undefined
  for (const one of equalities(predicate))
    if (!files.every((file) => isPartition(file, one, table.metadata.partitionSpecs))) return undefined
  const values: string[] = []
  for (const item of asked.items) {
    const field = item.kind === 'count' ? undefined : named(item.column)
    if (item.kind !== 'count' && !field) return undefined
    const data = files.map(({ file }) => file)
    const value =
      item.kind === 'count'
        ? String(sum(data.map(({ recordCount }) => recordCount)))
        : item.kind === 'count-of'
          ? countOf(data, field!)
          : boundOf(data, field!, item.kind)
    if (value === undefined) return undefined
    values.push(value)
  }
  const columns = await bind()
  if (columns.length !== values.length) return undefined
  const list = values.map(
    (value, index) => `CAST(${value} AS ${columns[index]!.type}) AS ${quoteName(columns[index]!.name)}`,
  )
  return `SELECT ${list.join(', ')}`
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)

function countOf(files: readonly DataFile[], { id }: Field): string | undefined {
  const nulls = files.map(({ nullCounts }) => nullCounts?.get(id))
  // Some write -1 for what they do not know.
  if (nulls.some((count) => count === undefined || count < 0)) return undefined
  return String(sum(files.map(({ recordCount }) => recordCount)) - sum(nulls as number[]))
}

/** Types whose bounds are values of the column, as they are. */
const exactKinds: ReadonlySet<string> = new Set([
  'boolean',
  'int',
  'long',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'decimal',
])

function boundOf(files: readonly DataFile[], { id, type }: Field, kind: 'min' | 'max'): string | undefined {
  if (!exactKinds.has(type.kind)) return undefined
  let best: Value | undefined
  for (const { recordCount, nullCounts, lowerBounds, upperBounds } of files) {
    if (recordCount === 0 || nullCounts?.get(id) === recordCount) continue
    const bytes = (kind === 'min' ? lowerBounds : upperBounds)?.get(id)
    const value = bytes && decodeBound(type, bytes)
    if (value === undefined) return undefined
    if (best === undefined || (kind === 'min' ? value < best : value > best)) best = value
  }
  return best === undefined ? 'NULL' : `CAST(${literalSql(type, best)} AS ${sqlType(type)})`
}

/** Whether the condition that reached the scan is equality on these columns and nothing else. */
function isExact(predicate: Predicate | undefined, fixed: readonly (Field | undefined)[]): boolean {
  if (fixed.length === 0) return predicate === undefined || predicate.op === 'true'
  const all = parts(predicate)
  const ids = new Set(equalities(predicate).map(({ field }) => field))
  return (
    all.every((one) => one.op === '=' || one.op === 'not_null') &&
    ids.size === fixed.length &&
    fixed.every((field) => field !== undefined && ids.has(field.id))
  )
}

type Equality = { op: '='; field: number; value: Value }
const parts = (predicate: Predicate | undefined): readonly Predicate[] =>
  !predicate ? [] : predicate.op === 'and' ? predicate.of : [predicate]
const equalities = (predicate: Predicate | undefined): Equality[] =>
  parts(predicate).flatMap((one) => (one.op === '=' ? [{ op: one.op, field: one.field, value: one.value }] : []))

/** Whether every row of the file has the value. */
function isPartition(
  { specId, partition }: ScanFile,
  { field, value }: Equality,
  specs: PlannedScan['table']['metadata']['partitionSpecs'],
): boolean {
  const fields = specs.find((one) => one.specId === specId)?.fields ?? []
  const at = fields.findIndex(({ sourceIds, transform }) => sourceIds[0] === field && transform.kind === 'identity')
  return at >= 0 && partition[at] === value
}

/** Reads `SELECT item, … FROM name [AS alias] [AT (…)] [WHERE column = constant AND …]`; undefined for any other text. */
function questionOf(sql: string): Asked | undefined {
  if (sql.length > 2_000 || !/^\s*select\b/i.test(sql)) return undefined
  const all = [...tokens(sql)]
  let at = 1
  const word = () => (all[at]?.kind === 'word' ? all[at]!.text.toLowerCase() : '')
  const take = (text: string) => {
    const found = all[at]?.text.toLowerCase() === text && all[at]?.kind !== 'string'
    if (found) at++
    return found
  }
  const path = (): string | undefined => {
    if (!isName(all[at])) return undefined
    let last = all[at++]!
    while (all[at]?.text === '.' && isName(all[at + 1])) {
      last = all[at + 1]!
      at += 2
    }
    return nameOf(last)
  }
  const items: Item[] = []
  do {
    const kind = word()
    if (kind !== 'count' && kind !== 'min' && kind !== 'max') return undefined
    at++
    if (!take('(')) return undefined
    if (kind === 'count' && (take('*') || all[at]?.text === ')')) items.push({ kind: 'count' })
    else {
      // A name with a dot may be a part of a struct.
      const column = isName(all[at]) && all[at + 1]?.text === ')' ? path() : undefined
      if (column === undefined) return undefined
      items.push({ kind: kind === 'count' ? 'count-of' : kind, column })
    }
    if (!take(')')) return undefined
    if (take('as') ? !path() : isName(all[at]) && word() !== 'from' && !path()) return undefined
  } while (take(','))
  if (!take('from') || path() === undefined) return undefined
  // The alias may be a keyword that begins another clause: then what follows is not understood, and the rows are read.
  if (take('as')) path()
  else if (isName(all[at]) && !['where', 'at'].includes(word())) path()
  if (take('at') && !(take('(') && skipParentheses())) return undefined
  const equal: string[] = []
  if (take('where'))
    do {
      const column = isName(all[at]) && all[at + 1]?.text === '=' ? path() : undefined
      if (column === undefined || !take('=')) return undefined
      if (all[at]?.kind !== 'string' && all[at]?.kind !== 'number') return undefined
      at++
      equal.push(column)
    } while (take('and'))
  return at === all.length ? { items, equal } : undefined

  function skipParentheses(): boolean {
    for (let depth = 1; depth > 0; at++) {
      if (!all[at]) return false
      if (all[at]!.text === '(') depth++
      else if (all[at]!.text === ')') depth--
    }
    return true
  }
}
