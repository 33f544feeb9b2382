// Names and types that people write in files, checked where they are written.

import { z } from 'zod'
import { suggest } from '../base/suggest.ts'

/** A name that needs no quotes in SQL and stands well in an address. */
export const Name = z
  .string()
  .max(100)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'A name has letters, digits and underscores, and does not start with a digit')

/** `namespace.table` of the current environment, or `environment.namespace.table` of another. */
export const TableRef = z
  .string()
  .regex(/^[A-Za-z_]\w*\.[A-Za-z_]\w*(\.[A-Za-z_]\w*)?$/, 'A table is written as namespace.name, for example raw.sales')

/** `raw.sales` into its parts, the name last. */
export const splitTable = (table: string): string[] => table.split('.')

const types: Record<string, string> = {
  boolean: 'BOOLEAN',
  bool: 'BOOLEAN',
  integer: 'INTEGER',
  int: 'INTEGER',
  int4: 'INTEGER',
  smallint: 'INTEGER',
  tinyint: 'INTEGER',
  bigint: 'BIGINT',
  long: 'BIGINT',
  int8: 'BIGINT',
  float: 'FLOAT',
  real: 'FLOAT',
  float4: 'FLOAT',
  double: 'DOUBLE',
  float8: 'DOUBLE',
  'double precision': 'DOUBLE',
  varchar: 'VARCHAR',
  text: 'VARCHAR',
  string: 'VARCHAR',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  datetime: 'TIMESTAMP',
  timestamptz: 'TIMESTAMP WITH TIME ZONE',
  'timestamp with time zone': 'TIMESTAMP WITH TIME ZONE',
  uuid: 'UUID',
  blob: 'BLOB',
  binary: 'BLOB',
}

/**
 * The SQL type for a type as people write it: `decimal(12, 2)` is `DECIMAL(12,2)`, `text` is `VARCHAR`; undefined when
 * there is no such type. Integers of fewer than 32 bits become INTEGER: Iceberg has none smaller.
 */
export function sqlType(text: string): string | undefined {
  const word = text.trim().toLowerCase().replace(/\s+/g, ' ')
  const decimal = /^(?:decimal|numeric) ?(?:\( ?(\d{1,2}) ?(?:, ?(\d{1,2}) ?)?\))?$/.exec(word)
  if (!decimal) return types[word.replace(/^varchar ?\( ?\d+ ?\)$/, 'varchar')]
  const [width, scale] = [Number(decimal[1] ?? 18), Number(decimal[2] ?? (decimal[1] ? 0 : 3))]
  return width >= 1 && width <= 38 && scale <= width ? `DECIMAL(${width},${scale})` : undefined
}

export const ColumnType = z
  .string()
  .describe('A SQL type, for example `integer`, `decimal(12,2)`, `date`, `timestamp`, `varchar`.')
  .superRefine((text, context) => {
    if (sqlType(text)) return
    const suggestions = suggest(text, [...Object.keys(types), 'decimal(12,2)'])
    const hint = suggestions[0]
      ? `; did you mean "${suggestions[0]}"?`
      : '; for example integer, decimal(12,2), date, varchar'
    context.addIssue({ code: 'custom', message: `"${text}" is not a column type${hint}`, params: { suggestions } })
  })
