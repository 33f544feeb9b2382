// PostgreSQL's system functions that need nothing but their arguments, as macros of every host. What would need a look
// into the catalog is rewritten before (`serve/pgwire/dialect.ts`); what describes things that a lake has not is null.

import { pgTypes, sqlNames, type PgTypeName } from '../base/pg-types.ts'

/** Name, parameters of each form, the SQL. */
type Macro = [name: string, forms: string[], sql: string]

const formats = (Object.keys(pgTypes) as PgTypeName[])
  .flatMap((name) => {
    const { oid, array } = pgTypes[name]
    const shown =
      name === 'numeric'
        ? `'numeric' || CASE WHEN typmod >= 4 THEN '(' || ((typmod - 4) >> 16) || ',' || ((typmod - 4) & 65535) || ')' ELSE '' END`
        : name === 'varchar' || name === 'bpchar'
          ? `'${sqlNames[name]}' || CASE WHEN typmod >= 4 THEN '(' || (typmod - 4) || ')' ELSE '' END`
          : `'${sqlNames[name]}'`
    return [`WHEN ${oid} THEN ${shown}`, ...(array ? [`WHEN ${array} THEN '${sqlNames[name]}[]'`] : [])]
  })
  .join(' ')

const isPlainName = "regexp_full_match(x, '[a-z_][a-z0-9_$]*')"
const [one, two, three, four] = ['a', 'a, b', 'a, b, c', 'a, b, c, d']
const same = (names: string, forms: string[], sql: string): Macro[] =>
  names.split(' ').map((name) => [name, forms, sql])

const scalars: Macro[] = [
  [
    'format_type',
    ['type_oid, typmod'],
    `CASE type_oid ${formats} ELSE CASE WHEN type_oid IS NULL THEN NULL ELSE '???' END END`,
  ],
  ...same(
    'pg_table_is_visible pg_type_is_visible pg_function_is_visible pg_operator_is_visible pg_opclass_is_visible pg_collation_is_visible pg_conversion_is_visible pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible pg_statistics_obj_is_visible',
    [one],
    'true',
  ),
  ...same(
    'has_database_privilege has_function_privilege has_sequence_privilege has_language_privilege has_tablespace_privilege has_type_privilege pg_has_role',
    [two, three],
    'true',
  ),
  // Over the PostgreSQL wire these are rewritten, for they depend on who asks; elsewhere it is not known.
  ...same('has_table_privilege has_schema_privilege has_any_column_privilege', [two, three], 'NULL::BOOLEAN'),
  ['has_column_privilege', [three, four], 'NULL::BOOLEAN'],
  ['pg_get_expr', [two, three], 'a'],
  ['pg_encoding_to_char', [one], "'UTF8'"],
  ['pg_char_to_encoding', [one], '6'],
  ['parse_ident', ['x'], `string_split(replace(x, '"', ''), '.')`],
  ['getdatabaseencoding', [''], "'UTF8'"],
  ['array_remove', [two], 'list_filter(a, lambda item: item IS DISTINCT FROM b)'],
  ['pg_is_in_recovery', [''], 'false'],
  ['pg_my_temp_schema', [''], '0::UINTEGER'],
  ['pg_is_other_temp_schema', [one], 'false'],
  ['pg_relation_is_publishable', [one], 'false'],
  ['pg_partition_ancestors', [one], 'a::UINTEGER'],
  ...same('pg_relation_size', [one, two], 'NULL::BIGINT'),
  ...same(
    'pg_total_relation_size pg_table_size pg_indexes_size pg_database_size pg_tablespace_size pg_sequence_last_value pg_stat_get_numscans pg_stat_get_live_tuples',
    [one],
    'NULL::BIGINT',
  ),
  ...same(
    'pg_get_partkeydef pg_get_functiondef pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result pg_get_statisticsobjdef_columns pg_tablespace_location pg_get_function_sqlbody',
    [one],
    'NULL::VARCHAR',
  ),
  ...same('pg_get_ruledef pg_get_triggerdef', [one, two], 'NULL::VARCHAR'),
  ...same('pg_get_serial_sequence shobj_description', [two], 'NULL::VARCHAR'),
  ...same('inet_server_addr inet_client_addr', [''], 'NULL::VARCHAR'),
  ...same('inet_server_port inet_client_port', [''], 'NULL::INTEGER'),
  ['pg_postmaster_start_time', [''], 'now()'],
  ['quote_ident', ['x'], `CASE WHEN ${isPlainName} THEN x ELSE '"' || replace(x, '"', '""') || '"' END`],
  ['quote_literal', ['x'], `'''' || replace(x::VARCHAR, '''', '''''') || ''''`],
  [
    'quote_nullable',
    ['x'],
    `CASE WHEN x IS NULL THEN 'NULL' ELSE '''' || replace(x::VARCHAR, '''', '''''') || '''' END`,
  ],
  ['array_lower', ['x, dimension'], 'CASE WHEN len(x) > 0 THEN 1 END'],
  ['array_upper', ['x, dimension'], 'nullif(len(x), 0)::INTEGER'],
  ['_pg_expandarray', ['x'], `unnest(list_transform(x, lambda item, place: {'x': item, 'n': place::INTEGER}))`],
]

const keywords =
  'all analyse analyze and any as asc case cast check column create desc distinct else end except false for from grant group having in limit not null offset on or order primary references select table then true union unique user using when where with'
const tables: Macro[] = [
  [
    'pg_get_keywords',
    [''],
    `SELECT unnest(string_split('${keywords}', ' ')) AS word, 'R' AS catcode, true AS barelabel, 'reserved' AS catdesc, 'requires AS' AS baredesc`,
  ],
]

const create =
  (kind: string) =>
  ([name, forms, sql]: Macro) =>
    `CREATE MACRO ${name}${forms.map((form) => `(${form}) AS ${kind}${kind ? sql : `(${sql})`}`).join(', ')}`

/** Statements that make them. */
export const pgFunctionsSql: readonly string[] = [...scalars.map(create('')), ...tables.map(create('TABLE '))]

/** Their names: the allow-list of the door has them. */
export const pgScalarFunctions: ReadonlySet<string> = new Set(scalars.map(([name]) => name))
export const pgTableFunctions: ReadonlySet<string> = new Set(tables.map(([name]) => name))
