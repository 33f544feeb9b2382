// DuckDB 1.5 loses rows of `k >= 3 OR k IS DISTINCT FROM 0`: pushed into a scan, such a condition spares each row group without
// a value of `k`, though all its rows meet it. It cannot be told off the text which conditions end up so (names, NOT and factors
// of AND are rewritten first), so a text that may have one reads columns with nulls through an expression, which takes no
// statistics. Other texts and columns are read as they are.

import { allFields, type DataFile, type ScanFile, type Schema } from '../../iceberg/index.ts'
import { quoteName } from '../sql/tokens.ts'

/** Whether some condition of a statement may become a disjunction with IS [NOT] DISTINCT FROM. */
export const mayMistakeNulls = (sql: string): boolean => distinctFrom.test(sql) && /\bor\b/i.test(sql)
// Each comment can be read in one way only, or a text of many would be tried in all.
const distinctFrom = /\bdistinct(?:\s|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)+from\b/i

/** What is read `from` the files, with the columns that have nulls in them apart from their statistics. */
export function apartFromStatistics(from: string, { fields }: Schema, files: readonly ScanFile[]): string {
  const apart = fields.filter((field) => files.some(({ file }) => mayHaveNulls(field, file)))
  if (apart.length === 0) return from
  const columns = apart
    .map(({ name }) => quoteName(name))
    .map((k) => `CASE WHEN ${k} IS NOT NULL THEN ${k} END AS ${k}`)
  return `(SELECT * REPLACE (${columns.join(', ')}) FROM ${from})`
}

const mayHaveNulls = (field: Schema['fields'][number], { nullCounts }: DataFile): boolean =>
  [...allFields({ fields: [field] })].some(({ id, type }) => isLeaf(type) && nullCounts?.get(id) !== 0)
const isLeaf = ({ kind }: Schema['fields'][number]['type']) => kind !== 'struct' && kind !== 'list' && kind !== 'map'
