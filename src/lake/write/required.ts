// Before anything is visible: a table's promise that a column, or what is inside of one, is never null. Other engines read
// such columns without a look at what is missing.

import { Failure } from '../../base/failure.ts'
import type { Engine } from '../../engine/index.ts'
import type { NewDataFile, Schema, Type } from '../../iceberg/index.ts'
import { quoteFile, quoteName, quoteText } from '../sql/tokens.ts'

type Written = Pick<NewDataFile, 'nullCounts'> & { local: string }

/** @throws SQL_INVALID */
export async function checkRequired(engine: Engine, files: readonly Written[], { fields }: Schema): Promise<void> {
  const lacking = (name: string) =>
    new Failure('SQL_INVALID', `${name} must not be null, and a row has no value for it`, { lacking: name })
  for (const { id, name, required } of fields)
    if (required && files.some(({ nullCounts }) => (nullCounts?.get(id) ?? 0) > 0)) throw lacking(name)
  // Statistics are of leaves alone.
  const asked = fields.flatMap(({ name, type, required }) => [
    ...(required && hasParts(type) ? [{ path: name, isLacking: `${quoteName(name)} IS NULL` }] : []),
    ...inside(name, quoteName(name), type, 0),
  ])
  if (asked.length === 0 || files.length === 0) return
  const [found] = await engine.rows({
    class: 'write',
    sql: `SELECT ${asked.map(({ isLacking }) => `bool_or(${isLacking})`).join(', ')} FROM read_parquet([${files.map(({ local }) => quoteFile(local)).join(', ')}], hive_partitioning = false)`,
  })
  const first = asked.find((_, index) => found![index] === true)
  if (first) throw lacking(first.path)
}

const hasParts = ({ kind }: Type) => kind === 'struct' || kind === 'list' || kind === 'map'

/** What must not hold of `value`, which is null itself where that is allowed. */
function inside(path: string, value: string, type: Type, depth: number): { path: string; isLacking: string }[] {
  switch (type.kind) {
    case 'struct':
      return type.fields.flatMap(({ name, type: inner, required }) => {
        const [own, part] = [`${path}.${name}`, `struct_extract(${value}, ${quoteText(name)})`]
        const lacks = required ? [{ path: own, isLacking: `(${value} IS NOT NULL AND ${part} IS NULL)` }] : []
        return [...lacks, ...inside(own, part, inner, depth)]
      })
    case 'list':
      return ofEach(`${path}.element`, value, type.element, type.elementRequired, depth)
    case 'map':
      return [
        ...ofEach(`${path}.key`, `map_keys(${value})`, type.key, false, depth), // DuckDB has no null keys
        ...ofEach(`${path}.value`, `map_values(${value})`, type.value, type.valueRequired, depth),
      ]
    default:
      return []
  }
}

function ofEach(path: string, values: string, type: Type, required: boolean, depth: number) {
  const each = `x${depth}`
  const lacks = required ? [{ path, isLacking: `${each} IS NULL` }] : []
  return [...lacks, ...inside(path, each, type, depth + 1)].map((one) => ({
    path: one.path,
    isLacking: `len(list_filter(${values}, lambda ${each}: ${one.isLacking})) > 0`,
  }))
}
