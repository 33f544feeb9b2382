// Iceberg's metadata tables for the SQL door: `"t$files"`, `t$snapshots`, `ns.t.history`. Their rows go into the
// statement as one JSON text, which DuckDB takes apart by the columns' types much faster than it parses as many literals.

import { Failure } from '../../base/failure.ts'
import {
  metadataTableName,
  valueToJson,
  type Cell,
  type MetadataTable,
  type MetadataTableName,
  type Type,
  type Value,
} from '../../iceberg/index.ts'
import { quoteName, quoteText } from '../sql/tokens.ts'
import { sqlType } from '../types.ts'

/** What DuckDB takes in one literal without trouble. */
const textMax = 64 * 2 ** 20

/** `sales$files` is the metadata table `files` of `sales`; undefined for a name that is none of a metadata table. */
export function splitMetadataName(name: string): { table: string; metadata: MetadataTableName } | undefined {
  const at = name.lastIndexOf('$')
  const metadata = at > 0 ? metadataTableName(name.slice(at + 1)) : undefined
  return metadata && { table: name.slice(0, at), metadata }
}

/** A SELECT in parentheses with the table's columns and no row: enough to bind a statement. */
export const emptyMetadataSql = ({ columns }: MetadataTable): string =>
  `(SELECT ${columns.map(({ name, type }) => `NULL::${sqlType(type)} AS ${quoteName(name)}`).join(', ')} WHERE false)`

/** A SELECT in parentheses with all rows. QUERY_TOO_LARGE when they are more than a statement may carry. */
export async function metadataSql(name: string, table: MetadataTable): Promise<string> {
  const { columns } = table
  const lines: string[] = []
  let length = 0
  for await (const row of table.rows()) {
    const line = `{${columns.map((column, at) => `${JSON.stringify(column.name)}:${cellJson(column.type, row[at] ?? null)}`).join(',')}}`
    length += line.length
    if (length > textMax)
      throw new Failure('QUERY_TOO_LARGE', `${name} has more than ${lines.length} rows, too many for one statement`, {
        hint: 'Expire snapshots and compact the table, or read it with Spark or PyIceberg.',
      })
    lines.push(line)
  }
  if (lines.length === 0) return emptyMetadataSql(table)
  // Bytes have no JSON: they travel as escaped text, which the cast at the end reads.
  const shape = columns.map(
    ({ name: column, type }) => `${JSON.stringify(column)}:${JSON.stringify(sqlType(asText(type)))}`,
  )
  const cells = columns.map(
    ({ name: column, type }) => `CAST(r.${quoteName(column)} AS ${sqlType(type)}) AS ${quoteName(column)}`,
  )
  return `(SELECT ${cells.join(', ')} FROM (SELECT unnest(from_json(${quoteText(`[${lines.join(',')}]`)}, ${quoteText(`[{${shape.join(',')}}]`)})) AS r))`
}

function asText(type: Type): Type {
  switch (type.kind) {
    case 'binary':
    case 'fixed':
      return { kind: 'string' }
    case 'struct':
      return { kind: 'struct', fields: type.fields.map((field) => ({ ...field, type: asText(field.type) })) }
    case 'list':
      return { ...type, element: asText(type.element) }
    case 'map':
      return { ...type, key: asText(type.key), value: asText(type.value) }
    default:
      return type
  }
}

/** JSON text, 64-bit numbers digit by digit. */
function cellJson(type: Type, cell: Cell): string {
  if (cell === null) return 'null'
  switch (type.kind) {
    case 'struct': {
      const fields = cell as { readonly [field: string]: Cell }
      return `{${type.fields.map(({ name, type: inner }) => `${JSON.stringify(name)}:${cellJson(inner, fields[name] ?? null)}`).join(',')}}`
    }
    case 'list':
      return `[${(cell as readonly Cell[]).map((one) => cellJson(type.element, one)).join(',')}]`
    case 'map':
      return `{${[...(cell as ReadonlyMap<Value, Cell>)].map(([key, value]) => `${JSON.stringify(String(key))}:${cellJson(type.value, value)}`).join(',')}}`
    case 'binary':
    case 'fixed':
      return JSON.stringify(
        Buffer.from(cell as Uint8Array)
          .toString('hex')
          .replace(/../g, '\\x$&'),
      )
    case 'long':
      return String(cell)
    default:
      return JSON.stringify(valueToJson(type, cell as Value))
  }
}
