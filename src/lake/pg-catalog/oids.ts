// OIDs of things that have none: a hash of what does not change about them. So they are the same in every process and
// after every start, as clients that remember them expect.

import { pgTypes, type PgTypeName } from '../../base/pg-types.ts'

/** PostgreSQL's own of its system relations, which queries name by `'pg_class'::regclass`. */
const systemRelations: Record<string, number> = {
  pg_type: 1247,
  pg_attribute: 1249,
  pg_proc: 1255,
  pg_class: 1259,
  pg_authid: 1260,
  pg_database: 1262,
  pg_tablespace: 1213,
  pg_am: 2601,
  pg_attrdef: 2604,
  pg_constraint: 2606,
  pg_description: 2609,
  pg_index: 2610,
  pg_inherits: 2611,
  pg_language: 2612,
  pg_namespace: 2615,
  pg_operator: 2617,
  pg_rewrite: 2618,
  pg_trigger: 2620,
  pg_extension: 3079,
  pg_event_trigger: 3466,
  pg_policy: 3256,
  pg_collation: 3456,
  pg_enum: 3501,
  pg_range: 3541,
}
export const namespaceOids: Record<string, number> = { pg_catalog: 11, public: 2200, information_schema: 13183 }

export const ownerOid = 10

/** FNV-1a, above all OIDs of PostgreSQL's own and below 2^31, which some clients read them as. */
export function hashOid(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return 100_000 + (hash % (2 ** 31 - 200_000))
}

export const namespaceOid = (name: string): number => namespaceOids[name] ?? hashOid(`namespace ${name}`)
export const systemRelationOid = (name: string): number =>
  systemRelations[name] ?? hashOid(`relation pg_catalog.${name}`)
export const functionOid = (name: string): number => hashOid(`function ${name}`)
export const defaultOid = (relation: number, column: number): number => hashOid(`default ${relation} ${column}`)
export const roleOid = (name: string): number => (name === 'boathouse' ? ownerOid : hashOid(`role ${name}`))
export const databaseOid = (name: string): number => hashOid(`database ${name}`)

const typeNames: Record<string, PgTypeName> = {
  boolean: 'bool',
  bigint: 'int8',
  smallint: 'int2',
  integer: 'int4',
  int: 'int4',
  real: 'float4',
  float: 'float8',
  'double precision': 'float8',
  decimal: 'numeric',
  'character varying': 'varchar',
  character: 'bpchar',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
  'time without time zone': 'time',
  'time with time zone': 'timetz',
}

/** Of a type by any of its names; 0 where there is none. */
export function typeOid(name: string): number {
  const plain = name
    .toLowerCase()
    .replace(/^pg_catalog\./, '')
    .replace(/\(.*\)/, '')
    .replaceAll('"', '')
    .trim()
  const array = plain.endsWith('[]') || plain.startsWith('_')
  const bare = plain.replace(/(\[\])+$/, '').replace(/^_/, '')
  const type = typeNames[bare] ?? (Object.hasOwn(pgTypes, bare) ? (bare as PgTypeName) : undefined)
  if (!type) return pseudoTypes[bare] ?? 0
  return array ? pgTypes[type].array : pgTypes[type].oid
}

export const pseudoTypes: Record<string, number> = {
  any: 2276,
  anyarray: 2277,
  void: 2278,
  trigger: 2279,
  anyelement: 2283,
  record: 2249,
  cstring: 2275,
}

/** Gives each key an OID; two that would be the same move on, in the order of the keys. */
export function distinctOids(keys: readonly string[]): Map<string, number> {
  const taken = new Set<number>()
  const oids = new Map<string, number>()
  for (const key of [...keys].sort()) {
    let oid = hashOid(key)
    while (taken.has(oid)) oid++
    taken.add(oid)
    oids.set(key, oid)
  }
  return oids
}
