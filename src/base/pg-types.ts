// PostgreSQL's names and numbers for the types of the engine: what the wire announces, what `pg_catalog` lists, and what
// the engine host encodes must be one table, or a client decodes a value by the wrong rule.
//
// Lists of plain values are arrays; structs, maps and lists of lists are JSON, because PostgreSQL's arrays are
// rectangular and its composite types need names.

/** `size` is pg_type.typlen: -1 for what varies. `array` is the OID of the array of it. */
type PgType = { oid: number; name: string; size: number; array: number; category: string }

const table = {
  bool: { oid: 16, name: 'bool', size: 1, array: 1000, category: 'B' },
  bytea: { oid: 17, name: 'bytea', size: -1, array: 1001, category: 'U' },
  char: { oid: 18, name: 'char', size: 1, array: 1002, category: 'Z' },
  name: { oid: 19, name: 'name', size: 64, array: 1003, category: 'S' },
  int8: { oid: 20, name: 'int8', size: 8, array: 1016, category: 'N' },
  int2: { oid: 21, name: 'int2', size: 2, array: 1005, category: 'N' },
  int4: { oid: 23, name: 'int4', size: 4, array: 1007, category: 'N' },
  regproc: { oid: 24, name: 'regproc', size: 4, array: 1008, category: 'N' },
  text: { oid: 25, name: 'text', size: -1, array: 1009, category: 'S' },
  oid: { oid: 26, name: 'oid', size: 4, array: 1028, category: 'N' },
  json: { oid: 114, name: 'json', size: -1, array: 199, category: 'U' },
  float4: { oid: 700, name: 'float4', size: 4, array: 1021, category: 'N' },
  float8: { oid: 701, name: 'float8', size: 8, array: 1022, category: 'N' },
  // Nothing is of this type, of money or of bit: the map of types that Ruby's `pg` makes begins with it, and Singer's tap wants those.
  money: { oid: 790, name: 'money', size: 8, array: 791, category: 'N' },
  inet: { oid: 869, name: 'inet', size: -1, array: 1041, category: 'I' },
  unknown: { oid: 705, name: 'unknown', size: -2, array: 0, category: 'X' },
  bpchar: { oid: 1042, name: 'bpchar', size: -1, array: 1014, category: 'S' },
  varchar: { oid: 1043, name: 'varchar', size: -1, array: 1015, category: 'S' },
  date: { oid: 1082, name: 'date', size: 4, array: 1182, category: 'D' },
  time: { oid: 1083, name: 'time', size: 8, array: 1183, category: 'D' },
  timestamp: { oid: 1114, name: 'timestamp', size: 8, array: 1115, category: 'D' },
  timestamptz: { oid: 1184, name: 'timestamptz', size: 8, array: 1185, category: 'D' },
  interval: { oid: 1186, name: 'interval', size: 16, array: 1187, category: 'T' },
  timetz: { oid: 1266, name: 'timetz', size: 12, array: 1270, category: 'D' },
  bit: { oid: 1560, name: 'bit', size: -1, array: 1561, category: 'V' },
  numeric: { oid: 1700, name: 'numeric', size: -1, array: 1231, category: 'N' },
  uuid: { oid: 2950, name: 'uuid', size: 16, array: 2951, category: 'U' },
  jsonb: { oid: 3802, name: 'jsonb', size: -1, array: 3807, category: 'U' },
} as const satisfies Record<string, PgType>

export type PgTypeName = keyof typeof table
export const pgTypes: Readonly<Record<PgTypeName, PgType>> = table

/** What `format_type` calls them. */
export const sqlNames: Readonly<Record<PgTypeName, string>> = {
  bool: 'boolean',
  bytea: 'bytea',
  char: '"char"',
  name: 'name',
  int8: 'bigint',
  int2: 'smallint',
  int4: 'integer',
  regproc: 'regproc',
  text: 'text',
  oid: 'oid',
  json: 'json',
  float4: 'real',
  float8: 'double precision',
  money: 'money',
  inet: 'inet',
  unknown: 'unknown',
  bpchar: 'character',
  varchar: 'character varying',
  date: 'date',
  time: 'time without time zone',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
  interval: 'interval',
  timetz: 'time with time zone',
  bit: 'bit',
  numeric: 'numeric',
  uuid: 'uuid',
  jsonb: 'jsonb',
}

/** A column on the wire. `modifier` is atttypmod: precision and scale of a numeric, length of a text, else -1. */
export type WireType = { type: PgTypeName; array: boolean; oid: number; size: number; modifier: number }

const ofEngine: Record<string, PgTypeName> = {
  BOOLEAN: 'bool',
  TINYINT: 'int2',
  SMALLINT: 'int2',
  INTEGER: 'int4',
  BIGINT: 'int8',
  UTINYINT: 'int2',
  USMALLINT: 'int4',
  // Only our own catalog has columns of this type, and there they are OIDs.
  UINTEGER: 'oid',
  UBIGINT: 'numeric',
  HUGEINT: 'numeric',
  UHUGEINT: 'numeric',
  BIGNUM: 'numeric',
  FLOAT: 'float4',
  DOUBLE: 'float8',
  DATE: 'date',
  TIME: 'time',
  TIME_NS: 'time',
  'TIME WITH TIME ZONE': 'timetz',
  TIMESTAMP: 'timestamp',
  TIMESTAMP_S: 'timestamp',
  TIMESTAMP_MS: 'timestamp',
  TIMESTAMP_NS: 'timestamp',
  'TIMESTAMP WITH TIME ZONE': 'timestamptz',
  INTERVAL: 'interval',
  UUID: 'uuid',
  BLOB: 'bytea',
  JSON: 'json',
  // What columns were declared as.
  JSONB: 'jsonb',
  'CHARACTER VARYING': 'varchar',
}

/** `DECIMAL(12,2)[]` as PostgreSQL knows it. What has no counterpart is text. */
export function wireTypeOf(engineType: string): WireType {
  const list = /^(.*)\[\d*\]$/s.exec(engineType)
  if (list) {
    const item = wireTypeOf(list[1]!)
    if (item.array || (item.type === 'json' && list[1] !== 'JSON')) return plain('json')
    return { ...item, array: true, oid: pgTypes[item.type].array, size: -1 }
  }
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(engineType)
  if (decimal) return { ...plain('numeric'), modifier: ((Number(decimal[1]) << 16) | Number(decimal[2])) + 4 }
  const text = /^CHARACTER( VARYING)?\((\d+)\)$/.exec(engineType)
  if (text) return { ...plain(text[1] ? 'varchar' : 'bpchar'), modifier: Number(text[2]) + 4 }
  if (/^(STRUCT|MAP|UNION|VARIANT)\b/.test(engineType)) return plain('json')
  return plain(ofEngine[engineType] ?? 'text')
}

const plain = (type: PgTypeName): WireType => ({
  type,
  array: false,
  oid: pgTypes[type].oid,
  size: pgTypes[type].size,
  modifier: -1,
})

const engineTypes: Partial<Record<PgTypeName, string>> = {
  bool: 'BOOLEAN',
  bytea: 'BLOB',
  char: 'VARCHAR',
  name: 'VARCHAR',
  int8: 'BIGINT',
  int2: 'SMALLINT',
  int4: 'INTEGER',
  text: 'VARCHAR',
  oid: 'UINTEGER',
  json: 'JSON',
  jsonb: 'JSON',
  float4: 'FLOAT',
  float8: 'DOUBLE',
  bpchar: 'VARCHAR',
  varchar: 'VARCHAR',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMP WITH TIME ZONE',
  interval: 'INTERVAL',
  timetz: 'TIME WITH TIME ZONE',
  uuid: 'UUID',
}
const byOid = new Map<number, { type: PgTypeName; array: boolean }>(
  (Object.keys(table) as PgTypeName[])
    .flatMap((type): [number, { type: PgTypeName; array: boolean }][] => [
      [table[type].oid, { type, array: false }],
      [table[type].array, { type, array: true }],
    ])
    .filter(([oid]) => oid !== 0),
)

/** The type with this OID, if it is one of ours. */
export const pgTypeOfOid = (oid: number): { type: PgTypeName; array: boolean } | undefined => byOid.get(oid)

/** The engine's type for values of a PostgreSQL type; undefined where the text of the value decides (numeric, unknown). */
export function engineTypeOf({ type, array }: { type: PgTypeName; array: boolean }): string | undefined {
  const name = engineTypes[type] ?? (array && type === 'numeric' ? 'DECIMAL(38,10)' : undefined)
  return name === undefined ? undefined : array ? `${name}[]` : name
}
