// The type of a column: DuckDB's, which is DuckDB's to read, or one with parts as Spark writes it.

import type { Piece, Reader } from './reader.ts'
import { quoteName } from './tokens.ts'

/** A type up to one of these words or symbols. `struct<a: int, b: array<string>>` and `map<string, int>` come in DuckDB's words. */
export function columnType(reader: Reader, ...stops: string[][]): Piece {
  const start = reader.at()
  return reader.isFollowedBy('<') ? { sql: sparkType(reader), start } : reader.until('a type', ...stops)
}

function sparkType(reader: Reader): string {
  if (!reader.isFollowedBy('<')) return reader.until('a type', [','], ['>'], ['not', 'null'], ['comment']).sql
  const part = <Read>(read: () => Read, end: ',' | '>'): Read => {
    const found = read()
    reader.expectSymbol(end)
    return found
  }
  const inner = () => sparkType(reader)
  if (reader.take('array')) {
    reader.expectSymbol('<')
    return `${part(inner, '>')}[]`
  }
  if (reader.take('map')) {
    reader.expectSymbol('<')
    return `MAP(${part(inner, ',')}, ${part(inner, '>')})`
  }
  reader.expect('ARRAY, MAP or STRUCT', 'struct')
  reader.expectSymbol('<')
  const fields = reader.separated(() => sparkField(reader))
  reader.expectSymbol('>')
  return `STRUCT(${fields.join(', ')})`
}

function sparkField(reader: Reader): string {
  const name = reader.identifier('a field')
  reader.takeSymbol(':')
  const type = sparkType(reader)
  if (reader.take('not', 'null')) throw reader.unsupported('NOT NULL inside of a column')
  if (reader.take('comment')) reader.text('a comment')
  return `${quoteName(name)} ${type}`
}
