// The rows of the system relations that have any, from what the asker may know of the lake.

import { arrayText } from '../../base/pg-texts.ts'
import { pgTypes, sqlNames, wireTypeOf, type PgTypeName } from '../../base/pg-types.ts'
import type { Loaded, NamedSequence, TableName } from '../../catalog/index.ts'
import type { Governed, Privilege } from '../../govern/index.ts'
import { currentSchema, currentViewVersion, showValue, type Field } from '../../iceberg/index.ts'
import { schemaOfLoaded } from '../relations/information.ts'
import { dottedNames, quoteNameIfNeeded, quoteText } from '../sql/tokens.ts'
import { sqlType } from '../types.ts'
import { writtenSchema, type WrittenField } from '../write/computed-defaults.ts'
import { declaredType, type DeclaredType } from '../write/declared-types.ts'
import { numberedFields, ownSequence } from '../write/numbered.ts'
import { shownTemporary } from '../write/run-names.ts'
import { rowChecks } from '../write/row-checks.ts'
import {
  foreignKeys,
  foreignName,
  givenPrimary,
  primaryName,
  rulesText,
  uniqueKeys,
  uniqueName,
} from '../write/named-keys.ts'
import {
  databaseOid,
  defaultOid,
  distinctOids,
  functionOid,
  namespaceOid,
  namespaceOids,
  ownerOid,
  pseudoTypes,
  roleOid,
  systemRelationOid,
} from './oids.ts'
import type { KeyRules } from '../sql/statement.ts'
import { privilegeRows } from './privilege-rows.ts'
import type { Row } from './relation-sql.ts'
import { sequenceRelations, sequenceRows, type LastNumbers, type SequenceRelation } from './sequence-rows.ts'

/** A key of a table that the lake does not enforce: from the project's tests, or an Iceberg table's identifier fields. */
export type Key =
  | { kind: 'primary' | 'unique'; namespace: string; table: string; columns: readonly string[]; name?: string }
  | {
      kind: 'foreign'
      namespace: string
      table: string
      columns: readonly string[]
      /** Without columns: the primary key. */
      to: { namespace: string; table: string; columns: readonly string[] | undefined; rules?: KeyRules }
      name?: string
    }
  /** A condition, which rows that are written here are held to. */
  | { kind: 'check'; namespace: string; table: string; columns: readonly string[]; name: string; sql: string }

export type Known = {
  catalog: string
  catalogs: readonly string[]
  user: string
  isAdmin: boolean
  /** Those whose names the asker may know. */
  namespaces: readonly string[]
  /** Tables and views whose names the asker may know. */
  tables: readonly Loaded[]
  columnsOf(one: Loaded): readonly Field[]
  may(privilege: Privilege, on: Governed): boolean
  seesEveryColumn(name: TableName): boolean
  keys: readonly Key[]
  /** Those whose names the asker may know. */
  sequences: readonly NamedSequence[]
}

/** What is asked for only where it is shown. */
export type More = { comments?: ReadonlyMap<string, string>; last?: LastNumbers }

type Column = Field & {
  number: number
  declared?: DeclaredType
  identity?: 'always' | 'by default'
  /** It numbers its rows, and says so as a default. */
  serial?: true
  /** The first of its numbers. */
  from?: number
  /** What it is given where a statement leaves it out, as PostgreSQL would show it. */
  default?: string
}
type Relation = { oid: number; schema: string; name: string; loaded: Loaded; columns: Column[] }
type Constraint = {
  oid: number
  indexOid: number
  name: string
  key: Key
  relation: Relation
  numbers: number[]
  to: { relation: Relation; numbers: number[] } | undefined
}
type Model = {
  known: Known
  relations: Relation[]
  constraints: Constraint[]
  sequences: SequenceRelation[]
  namespaces: string[]
}

const [btree, heap, textCollation] = [403, 2, 100]
const collated = new Set<PgTypeName>(['text', 'varchar', 'bpchar', 'name'])

export function modelOf(known: Known): Model {
  const uuidOf = (one: Loaded) => (one.kind === 'view' ? one.metadata.viewUuid : one.metadata.tableUuid)
  const oids = distinctOids(known.tables.map((one) => `relation ${uuidOf(one)} ${one.name.namespace}.${one.name.name}`))
  const relations = known.tables.map((loaded): Relation => {
    const { namespace, name } = loaded.name
    const numbered = loaded.kind === 'table' ? numberedFields(loaded.metadata) : []
    const written: readonly WrittenField[] = loaded.kind === 'table' ? writtenSchema(loaded.metadata).fields : []
    const columns = known.columnsOf(loaded).map((column, at): Column => {
      const own = numbered.find(({ field }) => field.id === column.id)
      const filled = written.find(({ id }) => id === column.id)
      const declared = declaredType(loaded.metadata, column)
      const given = filled && defaultText(filled)
      return {
        ...column,
        number: at + 1,
        ...(declared === undefined ? {} : { declared }),
        ...(given === undefined ? {} : { default: given }),
        ...(own?.sequence && { default: nextOf(own.sequence) }),
        ...(own?.serial && {
          default: nextOf([namespace, ownSequence(name, column.name)]),
          serial: own.serial,
          from: own.from,
        }),
        ...(own && !own.sequence && !own.serial && { identity: own.always ? 'always' : 'by default', from: own.from }),
      }
    })
    return {
      oid: oids.get(`relation ${uuidOf(loaded)} ${namespace}.${name}`)!,
      schema: namespace,
      name,
      loaded,
      columns,
    }
  })
  relations.sort((a, b) => (a.schema === b.schema ? (a.name < b.name ? -1 : 1) : a.schema < b.schema ? -1 : 1))
  const namespaces = [...new Set([...Object.keys(namespaceOids), ...known.namespaces])]
  const sequences = sequenceRelations(known.sequences, relations)
  return { known, relations, constraints: constraintsOf(relations, known.keys), sequences, namespaces }
}

/** `nextval('t_id_seq'::regclass)` */
const nextOf = (sequence: readonly string[]): string =>
  `nextval('${dottedNames(...sequence.slice(sequence[0] === 'public' ? 1 : 0))}'::regclass)`

function constraintsOf(relations: readonly Relation[], given: readonly Key[]): Constraint[] {
  const find = (namespace: string, table: string) =>
    relations.find(({ schema, name }) => schema === namespace && name === table)
  const numbersOf = (relation: Relation, columns: readonly string[]) =>
    columns.map((column) => relation.columns.find(({ name }) => name.toLowerCase() === column.toLowerCase())?.number)
  const all = new Map<string, { key: Key; relation: Relation; name: string }>()
  const said = new Set<string>()
  for (const key of [...relations.flatMap(ownKeys), ...given]) {
    const relation = find(key.namespace, key.table)
    // A primary key is unique, and so is one that is tested: said once, but for what has a name.
    const same = [key.namespace, key.table, ...key.columns.map((column) => column.toLowerCase())].join('\0')
    if (!relation || (key.kind === 'unique' && key.name === undefined && said.has(same))) continue
    if (isUniqueKey(key)) said.add(same)
    const name = constraintName(key)
    // Two tables may have constraints of one name.
    const within = key.name === undefined ? key.namespace : `${key.namespace}.${key.table}`
    all.set(`${within}.${name}`, { key, relation, name })
  }
  const oids = distinctOids([...all.keys()].flatMap((name) => [`constraint ${name}`, `index ${name}`]))
  return [...all].flatMap(([fullName, { key, relation, name }]): Constraint[] => {
    const numbers = numbersOf(relation, key.columns)
    const target = key.kind === 'foreign' ? find(key.to.namespace, key.to.table) : undefined
    const toNumbers = key.kind === 'foreign' && target ? numbersOf(target, key.to.columns ?? primaryOf(target)) : []
    // A column that the asker may not know takes the key with it.
    const isWhole = key.kind !== 'foreign' || (target !== undefined && toNumbers.length === numbers.length)
    if (!isWhole || [...numbers, ...toNumbers].includes(undefined)) return []
    return [
      {
        oid: oids.get(`constraint ${fullName}`)!,
        indexOid: oids.get(`index ${fullName}`)!,
        name,
        key,
        relation,
        numbers: numbers as number[],
        to: target ? { relation: target, numbers: toNumbers as number[] } : undefined,
      },
    ]
  })
}

const isUniqueKey = ({ kind }: Key): boolean => kind === 'primary' || kind === 'unique'

function constraintName(key: Key): string {
  if (key.kind === 'foreign') return key.name ?? foreignName(key.table, key.columns)
  return key.name ?? (key.kind === 'primary' ? primaryName(key.table) : uniqueName(key.table, key.columns))
}

function ownKeys(relation: Relation): Key[] {
  const { loaded, schema: namespace, name: table } = relation
  if (loaded.kind === 'view') return []
  const unique = uniqueKeys(loaded.metadata).map((one): Key => ({ kind: 'unique', namespace, table, ...one }))
  const foreign = foreignKeys(loaded.metadata).map((one): Key => ({ kind: 'foreign', namespace, table, ...one }))
  const checks = rowChecks(loaded.metadata, currentSchema(loaded.metadata).fields).map((one): Key => ({
    kind: 'check',
    namespace,
    table,
    ...one,
  }))
  return [...identifierKey(relation), ...unique, ...foreign, ...checks]
}

const primaryOf = (relation: Relation): readonly string[] => identifierKey(relation)[0]?.columns ?? []

/** Identifier fields of an Iceberg table say which columns make a row. */
function identifierKey({ loaded, schema, name }: Relation): Key[] {
  const { identifierFieldIds = [], fields } = schemaOfLoaded(loaded) as {
    identifierFieldIds?: readonly number[]
    fields: readonly Field[]
  }
  const columns = fields.filter(({ id }) => identifierFieldIds.includes(id)).map((field) => field.name)
  if (columns.length === 0 || columns.length < identifierFieldIds.length) return []
  const given = loaded.kind === 'table' ? givenPrimary(loaded.metadata) : undefined
  return [{ kind: 'primary', namespace: schema, table: name, columns, ...(given === undefined ? {} : { name: given }) }]
}

/** The unique key that a foreign one leads to. */
export const keyOf = (all: readonly Constraint[], to: NonNullable<Constraint['to']>): Constraint | undefined =>
  all.find((one) => isUnique(one) && one.relation.oid === to.relation.oid && String(one.numbers) === String(to.numbers))

export const isUnique = ({ key }: Constraint): boolean => isUniqueKey(key)
export const wireOf = (column: Field & { declared?: DeclaredType }) => wireTypeOf(column.declared ?? safeType(column))
function safeType(field: Field): string {
  try {
    return sqlType(field.type)
  } catch {
    return 'VARCHAR' // a type that cannot be read yet still has a name
  }
}

function defaultText(field: WrittenField): string | undefined {
  const { type, computed, items, writeDefault } = field
  if (items) return `${quoteText(arrayText(items))}::${sqlNames[wireOf(field).type]}[]`
  if (computed !== undefined)
    return /^(current_date|current_timestamp|localtime|localtimestamp)$/.test(computed)
      ? computed.toUpperCase()
      : computed.replace("'UTC'", "'utc'::text")
  if (writeDefault === undefined || (typeof writeDefault === 'object' && 'json' in writeDefault)) return undefined
  const shown =
    writeDefault instanceof Uint8Array
      ? `\\x${Buffer.from(writeDefault).toString('hex')}`
      : type.kind.startsWith('timestamp')
        ? showValue(type, writeDefault).replace('T', ' ')
        : showValue(type, writeDefault)
  const isPlain = type.kind === 'boolean' || (plainKinds.has(type.kind) && /^\d+(\.\d+)?$/.test(shown))
  return isPlain ? shown : `${quoteText(shown)}::${sqlNames[wireOf(field).type]}`
}
const plainKinds = new Set<Field['type']['kind']>(['int', 'long', 'float', 'double', 'decimal'])

export const columnNames = ({ columns }: Relation, numbers: readonly number[]): string =>
  numbers.map((number) => quoteNameIfNeeded(columns[number - 1]!.name)).join(', ')
export const viewSql = ({ loaded }: Relation, known: Known): string | undefined => {
  if (loaded.kind !== 'view' || !known.isAdmin) return undefined
  const version = currentViewVersion(loaded.metadata)
  return (version?.representations.find(({ dialect }) => dialect === 'duckdb') ?? version?.representations[0])?.sql
}

const ruleCodes: Readonly<Record<string, string>> = { restrict: 'r', cascade: 'c', 'set null': 'n', 'set default': 'd' }
/** A letter of PostgreSQL's for what becomes of a key's rows. */
const ruleCode = (key: Key, on: keyof KeyRules): string =>
  key.kind === 'foreign' ? (ruleCodes[key.to.rules?.[on] ?? ''] ?? 'a') : ' '

export function constraintDefinition({ key, relation, numbers, to }: Constraint): string {
  if (key.kind === 'check') return `CHECK ((${key.sql}))`
  const columns = columnNames(relation, numbers)
  if (key.kind === 'foreign')
    return `FOREIGN KEY (${columns}) REFERENCES ${dottedNames(to!.relation.schema, to!.relation.name)}(${columnNames(to!.relation, to!.numbers)})${rulesText(key.to.rules)}`
  return `${key.kind === 'primary' ? 'PRIMARY KEY' : 'UNIQUE'} (${columns})`
}

const indexDefinition = ({ name, relation, numbers }: Constraint) =>
  `CREATE UNIQUE INDEX ${quoteNameIfNeeded(name)} ON ${dottedNames(relation.schema, relation.name)} USING btree (${columnNames(relation, numbers)})`

const classRow = (row: Row): Row => ({
  reltype: 0,
  reloftype: 0,
  relowner: ownerOid,
  relfilenode: 0,
  reltablespace: 0,
  relpages: 0,
  reltuples: -1,
  relallvisible: 0,
  reltoastrelid: 0,
  relisshared: false,
  relpersistence: 'p',
  relchecks: 0,
  relhassubclass: false,
  relhastriggers: false,
  relrowsecurity: false,
  relforcerowsecurity: false,
  relispopulated: true,
  relispartition: false,
  relrewrite: 0,
  ...row,
})

const roleRow = (name: string, isAdmin: boolean): Row => ({
  oid: roleOid(name),
  usesysid: roleOid(name),
  rolname: name,
  usename: name,
  rolsuper: isAdmin,
  usesuper: isAdmin,
  rolinherit: true,
  rolcreaterole: false,
  rolcreatedb: false,
  usecreatedb: false,
  rolcanlogin: true,
  rolreplication: false,
  userepl: false,
  rolbypassrls: false,
  usebypassrls: false,
  rolconnlimit: -1,
})

/** Rows by relation of `pg_catalog`; a relation that is not here has none. */
export const pgCatalogRows: Record<string, (model: Model, more?: More) => Row[]> = {
  pg_namespace: ({ namespaces }) =>
    namespaces.map((name) => ({ oid: namespaceOid(name), nspname: name, nspowner: ownerOid })),

  pg_class: ({ relations, constraints, sequences }) => [
    ...sequences.map(({ oid, schema, name }) =>
      classRow({
        oid,
        relname: name,
        relnamespace: namespaceOid(schema),
        relkind: 'S',
        relam: 0,
        relnatts: 3,
        relhasindex: false,
        relhasrules: false,
        relreplident: 'n',
      }),
    ),
    ...relations.map(({ oid, schema, name, loaded, columns }) =>
      classRow({
        oid,
        relname: name,
        relnamespace: namespaceOid(schema),
        relpersistence: schema === shownTemporary ? 't' : 'p',
        relkind: loaded.kind === 'view' ? 'v' : 'r',
        relam: loaded.kind === 'view' ? 0 : heap,
        relnatts: columns.length,
        relchecks: constraints.filter((one) => one.relation.oid === oid && one.key.kind === 'check').length,
        relhasindex: constraints.some((one) => one.relation.oid === oid && isUnique(one)),
        relhasrules: loaded.kind === 'view',
        // Those that would look at foreign keys; psql asks for these of no other table.
        relhastriggers: constraints.some(({ relation, to }) => to && [relation.oid, to.relation.oid].includes(oid)),
        relreplident: 'd',
      }),
    ),
    ...constraints.filter(isUnique).map(({ indexOid, name, relation, numbers }) =>
      classRow({
        oid: indexOid,
        relname: name,
        relnamespace: namespaceOid(relation.schema),
        relkind: 'i',
        relam: btree,
        relnatts: numbers.length,
        relhasindex: false,
        relhasrules: false,
        relreplident: 'n',
      }),
    ),
  ],

  pg_attribute: ({ relations, constraints }) => [
    ...relations.flatMap(({ oid, columns }) => columns.map((column) => attributeRow(oid, column, column.number))),
    ...constraints.filter(isUnique).flatMap(({ indexOid, relation, numbers }) =>
      numbers.map((number, at) => ({
        ...attributeRow(indexOid, relation.columns[number - 1]!, at + 1),
        attnotnull: false,
      })),
    ),
  ],

  pg_attrdef: ({ relations }) =>
    relations.flatMap(({ oid, columns }) =>
      columns.flatMap(({ number, default: given }) =>
        given === undefined ? [] : [{ oid: defaultOid(oid, number), adrelid: oid, adnum: number, adbin: given }],
      ),
    ),

  pg_type: () => [
    ...(Object.keys(pgTypes) as PgTypeName[]).flatMap((name) => {
      const { oid, size, array, category } = pgTypes[name]
      const collation = collated.has(name) ? textCollation : 0
      return [
        typeRow({ oid, typname: name, typlen: size, typcategory: category, typarray: array, typcollation: collation }),
        ...(array === 0
          ? []
          : [
              typeRow({
                oid: array,
                typname: `_${name}`,
                typlen: -1,
                typcategory: 'A',
                typelem: oid,
                typcollation: collation,
              }),
            ]),
      ]
    }),
    ...Object.entries(pseudoTypes).map(([typname, oid]) =>
      typeRow({ oid, typname, typlen: 4, typcategory: 'P', typtype: 'p' }),
    ),
  ],

  pg_proc: () =>
    [
      ...new Set(
        (Object.keys(pgTypes) as PgTypeName[]).flatMap((name) =>
          ['in', 'out', 'recv', 'send'].map((what) => procedure(name, what)),
        ),
      ),
      'array_in',
      'array_out',
      'array_recv',
      'array_send',
    ].map((proname) => ({
      oid: functionOid(proname),
      proname,
      pronamespace: 11,
      proowner: ownerOid,
      prolang: 12,
      procost: 1,
      prorows: 0,
      provariadic: 0,
      prokind: 'f',
      prosecdef: false,
      proleakproof: false,
      proisstrict: true,
      proretset: false,
      provolatile: 'i',
      proparallel: 's',
      pronargs: 0,
      pronargdefaults: 0,
      prorettype: 2278,
      proargtypes: [],
      prosrc: proname,
    })),

  pg_rewrite: ({ relations }) =>
    relations.flatMap(({ oid, loaded }) =>
      loaded.kind === 'view'
        ? [{ oid, rulename: '_RETURN', ev_class: oid, ev_type: '1', ev_enabled: 'O', is_instead: true }]
        : [],
    ),

  pg_index: ({ constraints }) =>
    constraints.filter(isUnique).map(({ indexOid, relation, key, numbers }) => ({
      indexrelid: indexOid,
      indrelid: relation.oid,
      indnatts: numbers.length,
      indnkeyatts: numbers.length,
      indisunique: true,
      indnullsnotdistinct: false,
      indisprimary: key.kind === 'primary',
      indisexclusion: false,
      indimmediate: true,
      indisclustered: false,
      indisvalid: true,
      indcheckxmin: false,
      indisready: true,
      indislive: true,
      indisreplident: false,
      indkey: numbers,
      indcollation: numbers.map(() => 0),
      indclass: numbers.map(() => 0),
      indoption: numbers.map(() => 0),
    })),

  pg_constraint: ({ constraints }) =>
    constraints.map(({ oid, indexOid, name, relation, key, numbers, to }) => ({
      oid,
      conname: name,
      connamespace: namespaceOid(relation.schema),
      contype: { primary: 'p', unique: 'u', foreign: 'f', check: 'c' }[key.kind],
      condeferrable: false,
      condeferred: false,
      convalidated: true,
      conrelid: relation.oid,
      contypid: 0,
      // Of a foreign key the index of the key that it leads to: drivers find that by it.
      conindid: isUniqueKey(key) ? indexOid : ((to && keyOf(constraints, to)?.indexOid) ?? 0),
      conparentid: 0,
      confrelid: to?.relation.oid ?? 0,
      confupdtype: ruleCode(key, 'update'),
      confdeltype: ruleCode(key, 'delete'),
      confmatchtype: to ? 's' : ' ',
      conislocal: true,
      coninhcount: 0,
      connoinherit: true,
      conkey: numbers,
      ...(to ? { confkey: to.numbers } : {}),
    })),

  pg_description: ({ relations }, { comments: schemas = new Map() } = {}) => [
    ...relations.flatMap(({ oid, loaded, columns }) => [
      ...comment('pg_class', oid, 0, loaded.metadata.properties.comment),
      ...columns.flatMap(({ number, doc }) => comment('pg_class', oid, number, doc)),
    ]),
    ...[...schemas].flatMap(([name, told]) => comment('pg_namespace', namespaceOid(name), 0, told)),
  ],

  pg_database: ({ known }) =>
    known.catalogs.map((datname) => ({
      oid: databaseOid(datname),
      datname,
      datdba: ownerOid,
      encoding: 6,
      datlocprovider: 'c',
      datistemplate: false,
      datallowconn: true,
      datconnlimit: -1,
      datlastsysoid: 0,
      datfrozenxid: 0,
      datminmxid: 0,
      dattablespace: 1663,
      datcollate: 'C',
      datctype: 'C',
    })),

  pg_roles: ({ known }) => roles(known),
  pg_authid: ({ known }) => roles(known),
  pg_user: ({ known }) => roles(known),
  pg_tablespace: () => [
    { oid: 1663, spcname: 'pg_default', spcowner: ownerOid },
    { oid: 1664, spcname: 'pg_global', spcowner: ownerOid },
  ],
  pg_am: () => [
    { oid: heap, amname: 'heap', amhandler: 0, amtype: 't' },
    { oid: btree, amname: 'btree', amhandler: 0, amtype: 'i' },
  ],
  pg_language: () =>
    ['internal', 'c', 'sql'].map((lanname, at) => ({
      oid: 12 + at,
      lanname,
      lanowner: ownerOid,
      lanispl: false,
      lanpltrusted: lanname === 'sql',
      lanplcallfoid: 0,
      laninline: 0,
      lanvalidator: 0,
    })),
  pg_collation: () =>
    (
      [
        [100, 'default'],
        [950, 'C'],
        [951, 'POSIX'],
      ] as const
    ).map(([oid, collname]) => ({
      oid,
      collname,
      collnamespace: 11,
      collowner: ownerOid,
      collprovider: 'c',
      collisdeterministic: true,
      collencoding: -1,
      // Of the default one the database tells it.
      ...(collname === 'default' ? {} : { collcollate: 'C', collctype: 'C' }),
    })),
  pg_settings: () =>
    Object.entries({
      max_index_keys: '32',
      max_identifier_length: '63',
      server_version: '15.0',
      server_version_num: '150000',
      server_encoding: 'UTF8',
      client_encoding: 'UTF8',
      standard_conforming_strings: 'on',
      search_path: '"$user", public',
      transaction_isolation: 'read committed',
      default_transaction_isolation: 'read committed',
      default_transaction_read_only: 'off',
      TimeZone: 'UTC',
      DateStyle: 'ISO, MDY',
      block_size: '8192',
    }).map(([name, setting]) => ({
      name,
      setting,
      category: 'Boathouse',
      context: 'internal',
      vartype: 'string',
      source: 'default',
      pending_restart: false,
    })),
  pg_timezone_names: () => [{ name: 'UTC', abbrev: 'UTC', is_dst: false }],

  pg_tables: ({ relations, constraints }) =>
    relations
      .filter(({ loaded }) => loaded.kind === 'table')
      .map(({ oid, schema, name }) => ({
        schemaname: schema,
        tablename: name,
        tableowner: 'boathouse',
        hasindexes: constraints.some((one) => one.relation.oid === oid && isUnique(one)),
        hasrules: false,
        hastriggers: false,
        rowsecurity: false,
      })),
  pg_views: ({ relations, known }) =>
    relations
      .filter(({ loaded }) => loaded.kind === 'view')
      .map((one) => ({
        schemaname: one.schema,
        viewname: one.name,
        viewowner: 'boathouse',
        definition: viewSql(one, known) ?? null,
      })),
  pg_indexes: ({ constraints }) =>
    constraints.filter(isUnique).map((one) => ({
      schemaname: one.relation.schema,
      tablename: one.relation.name,
      indexname: one.name,
      indexdef: indexDefinition(one),
    })),
  pg_stat_user_tables: (model) => statRows(model),
  pg_stat_all_tables: (model) => statRows(model),

  // Part 0 is the whole, part n the n-th column of an index.
  boathouse_definition: ({ relations, constraints, known }) => [
    ...constraints.map((one) => ({ kind: 'constraint', oid: one.oid, part: 0, definition: constraintDefinition(one) })),
    ...constraints.filter(isUnique).flatMap((one) => {
      const row = { kind: 'index', oid: one.indexOid }
      return [
        { ...row, part: 0, definition: indexDefinition(one) },
        ...one.numbers.map((number, at) => ({ ...row, part: at + 1, definition: columnNames(one.relation, [number]) })),
      ]
    }),
    ...relations.flatMap((one) => {
      const definition = viewSql(one, known)
      // With the semicolon that PostgreSQL puts behind it: pg_dump cuts off the last character, whatever it is.
      return definition === undefined
        ? []
        : [{ kind: 'view', oid: one.oid, part: 0, definition: ` ${definition.trim()};` }]
    }),
  ],
  pg_sequence: ({ sequences }) => sequenceRows.pg_sequence(sequences),
  pg_sequences: ({ sequences }, more) => sequenceRows.pg_sequences(sequences, more?.last),
  pg_depend: ({ sequences }) => sequenceRows.pg_depend(sequences),

  boathouse_relation: ({ relations, constraints, sequences }) => [
    ...[...sequences, ...relations].map(({ oid, schema, name }) => ({ oid, name: dottedNames(schema, name) })),
    ...constraints
      .filter(isUnique)
      .map(({ indexOid, relation, name }) => ({ oid: indexOid, name: dottedNames(relation.schema, name) })),
  ],
  boathouse_privilege: privilegeRows,
}

const roles = ({ user, isAdmin }: Known): Row[] => [
  roleRow('boathouse', true),
  ...(user === 'boathouse' ? [] : [roleRow(user, isAdmin)]),
]

const statRows = ({ relations }: Model): Row[] =>
  relations
    .filter(({ loaded }) => loaded.kind === 'table')
    .map(({ oid, schema, name }) => ({ relid: oid, schemaname: schema, relname: name }))

const comment = (of: string, objoid: number, objsubid: number, description: string | undefined): Row[] =>
  description ? [{ objoid, classoid: systemRelationOid(of), objsubid, description }] : []

function attributeRow(attrelid: number, column: Column, attnum: number): Row {
  const { type, oid, size, array, modifier } = wireOf(column)
  return {
    attrelid,
    attname: column.name,
    atttypid: oid,
    attstattarget: -1,
    attlen: size,
    attnum,
    attndims: array ? 1 : 0,
    attcacheoff: -1,
    atttypmod: modifier,
    attbyval: size > 0 && size <= 8,
    attalign: size === 8 ? 'd' : 'i',
    attstorage: size > 0 ? 'p' : 'x',
    attcompression: '',
    attnotnull: column.required,
    atthasdef: column.default !== undefined,
    atthasmissing: false,
    attidentity: column.identity?.[0]?.replace('b', 'd') ?? '',
    attgenerated: '',
    attisdropped: false,
    attislocal: true,
    attinhcount: 0,
    attcollation: collated.has(type) ? textCollation : 0,
  }
}

/** Drivers know how to read a type by the name of its function. Source: PostgreSQL's pg_type.dat. */
const procedure = (type: string, what: string): string => (underscored.has(type) ? `${type}_${what}` : `${type}${what}`)
const underscored = new Set('array date time timetz timestamp timestamptz interval numeric uuid json jsonb'.split(' '))

function typeRow(row: { oid: number; typname: string; typlen: number; typelem?: number } & Row): Row {
  const procedures = (row.typelem ?? 0) !== 0 ? 'array' : row.typname
  return {
    typnamespace: 11,
    typowner: ownerOid,
    typbyval: row.typlen > 0 && row.typlen <= 8,
    typtype: 'b',
    typispreferred: ['bool', 'text', 'float8', 'timestamptz', 'oid', 'interval'].includes(row.typname),
    typisdefined: true,
    typdelim: ',',
    typrelid: 0,
    typsubscript: 0,
    typarray: 0,
    typinput: functionOid(procedure(procedures, 'in')),
    typoutput: functionOid(procedure(procedures, 'out')),
    typreceive: functionOid(procedure(procedures, 'recv')),
    typsend: functionOid(procedure(procedures, 'send')),
    typmodin: 0,
    typmodout: 0,
    typanalyze: 0,
    typalign: row.typlen === 8 ? 'd' : 'i',
    typstorage: row.typlen > 0 ? 'p' : 'x',
    typnotnull: false,
    typbasetype: 0,
    typtypmod: -1,
    typndims: 0,
    typcollation: 0,
    ...row,
    typelem: row.typelem ?? 0,
  }
}

export type { Column, Constraint, Model, Relation }
