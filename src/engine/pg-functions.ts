// PostgreSQL's system functions that need nothing but their arguments, and others that people write and the engine does not
// know, as macros. What would need a look into the catalog is rewritten before (`serve/pgwire/dialect.ts`); what describes things that a lake has not is null.

import { pgTypes, sqlNames, type PgTypeName } from '../base/pg-types.ts'

/** Name, parameters of each form, the SQL; forms that have another. */
type Macro = [name: string, forms: string[], sql: string, ...more: [form: string, sql: string][]]

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

/** An object with a value under a key. */
const withKey = (x: string, key: string, value: string) =>
  `CASE json_type(${x}) WHEN 'OBJECT' THEN to_json(map_concat(${x}::MAP(VARCHAR, JSON), MAP([${key}], [${value}::JSON])))
    ELSE CASE WHEN ${x} IS NOT NULL THEN error('jsonb_set is for objects here, and this is none') END END`

/** \`keys\`: a list; where there is nothing at a key but the last, nothing is set. */
const jsonSet = (keys: string) => `CASE len(${keys})
  WHEN 1 THEN ${withKey('a', `${keys}[1]`, 'v')}
  WHEN 2 THEN CASE WHEN json_type(json_extract(a, '$."' || ${keys}[1] || '"')) = 'OBJECT' THEN
    ${withKey('a', `${keys}[1]`, `(${withKey(`json_extract(a, '$."' || ${keys}[1] || '"')`, `${keys}[2]`, 'v')})`)} ELSE a END
  ELSE error('jsonb_set sets one key, or one inside of it') END`

const isPlainName = "regexp_full_match(x, '[a-z_][a-z0-9_$]*')"
const [one, two, three, four] = ['a', 'a, b', 'a, b, c', 'a, b, c, d']
const same = (names: string, forms: string[], sql: string): Macro[] =>
  names.split(' ').map((name) => [name, forms, sql])

/** What stands behind or before other items. */
const itemsOf = (x: string) => `CASE json_type(${x}) WHEN 'ARRAY' THEN ${x}::JSON[] ELSE [${x}] END`

/** Whether JSON has a key, an item, or is that text. */
const hasOf = (how: string) =>
  `CASE json_type(a) WHEN 'OBJECT' THEN list_${how}(json_keys(a), b) WHEN 'ARRAY' THEN list_${how}(json_extract_string(a, '$[*]'), b)
    ELSE CASE WHEN a IS NOT NULL THEN list_${how}([json_extract_string(a, '$')], b) END END`

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
  // All indexes that are told of are keys, in ascending order.
  [
    'pg_index_column_has_property',
    [three],
    `c IN ('asc', 'nulls_last', 'orderable', 'returnable', 'search_array', 'search_nulls')`,
  ],
  ['pg_encoding_to_char', [one], "'UTF8'"],
  ['pg_char_to_encoding', [one], '6'],
  ['parse_ident', ['x'], `string_split(replace(x, '"', ''), '.')`],
  ['getdatabaseencoding', [''], "'UTF8'"],
  ['array_remove', [two], 'list_filter(a, lambda item: item IS DISTINCT FROM b)'],
  ...same(
    'json_typeof jsonb_typeof',
    [one],
    `CASE json_type(a) WHEN 'VARCHAR' THEN 'string' WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' ELSE CASE WHEN a IS NOT NULL THEN 'number' END END`,
  ),
  [
    'jsonb_concat',
    ['a JSON, b JSON'],
    `CASE WHEN a IS NULL OR b IS NULL THEN NULL
      WHEN json_type(a) = 'OBJECT' AND json_type(b) = 'OBJECT' THEN to_json(map_concat(a::MAP(VARCHAR, JSON), b::MAP(VARCHAR, JSON)))
      ELSE to_json(list_concat(${itemsOf('a')}, ${itemsOf('b')})) END`,
    ['a VARCHAR, b JSON', 'a || b::VARCHAR'],
    ['a JSON, b VARCHAR', 'a::VARCHAR || b'],
  ],
  ...same('json_array_elements jsonb_array_elements', [one], `unnest(json_extract(a, '$[*]'))`),
  ...same('json_array_elements_text jsonb_array_elements_text', [one], `unnest(json_extract_string(a, '$[*]'))`),
  ...same('json_object_keys jsonb_object_keys', [one], 'unnest(json_keys(a))'),
  [
    'jsonb_set',
    ['a JSON, path VARCHAR[], v'],
    jsonSet('path'),
    ['a JSON, path VARCHAR, v', jsonSet(`string_split(path[2:-2], ',')`)],
  ],
  ['jsonb_array_length', [one], 'json_array_length(a)::INTEGER'],
  ['jsonb_exists', [two], hasOf('contains')],
  ['jsonb_exists_any', [two], hasOf('has_any')],
  ['jsonb_exists_all', [two], hasOf('has_all')],
  ['jsonb_contained', [two], 'json_contains(b, a)'],
  [
    'pg_cardinality',
    [one],
    `CASE WHEN a IS NULL THEN NULL
      WHEN typeof(a) LIKE 'MAP(%' THEN len(json_keys(to_json(a)))
      WHEN typeof(a) LIKE '%[][]' THEN len(json_extract(to_json(a), '$' || repeat('[*]', (length(typeof(a)) - length(replace(typeof(a), '[]', ''))) // 2)))
      ELSE json_array_length(to_json(a)) END::INTEGER`,
  ],
  ...same('pg_is_in_recovery pg_is_wal_replay_paused', [''], 'false'),
  ['bpchar', [one], 'a::VARCHAR'],
  ['pg_relation_is_updatable', [two], '28'],
  ['pg_blocking_pids', [one], '[]::INTEGER[]'],
  ['oidvectortypes', [one], 'NULL::VARCHAR'],
  // Rights are told by other means: of those that it takes apart there are none.
  [
    'aclexplode',
    [one],
    'unnest([]::STRUCT(grantor UINTEGER, grantee UINTEGER, privilege_type VARCHAR, is_grantable BOOLEAN)[])',
  ],
  // Nothing is locked: of writers that meet the second is told at its commit.
  ...same('pg_advisory_lock pg_advisory_lock_shared pg_advisory_xact_lock', [one, two], "''"),
  ...same(
    'pg_try_advisory_lock pg_try_advisory_xact_lock pg_try_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_shared',
    [one, two],
    'true',
  ),
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
  ['pg_octet_length', ['x VARCHAR'], 'strlen(x)::INTEGER', ['x BLOB', 'octet_length(x)::INTEGER']],
  [
    'pg_size_text',
    ['x'],
    `CASE WHEN x < 0 THEN '-' ELSE '' END || CASE ${['bytes', 'kB', 'MB', 'GB', 'TB']
      .map((unit, at) => {
        // As many as ten thousand of each, rounded by half of one.
        const shown = at === 0 ? 'abs(x)' : `((abs(x)::HUGEINT // ${2 ** (10 * at - 1)}) + 1) // 2`
        return `WHEN abs(x) < ${10_240 * 1024 ** at - (at === 0 ? 0 : 2 ** (10 * at - 1))} THEN (${shown})::VARCHAR || ' ${unit}'`
      })
      .join(' ')} ELSE (((abs(x)::HUGEINT // ${2 ** 49}) + 1) // 2)::VARCHAR || ' PB' END`,
  ],
  [
    'pg_type_text',
    ['x'],
    `CASE WHEN typeof(x) LIKE 'DECIMAL(%' THEN 'numeric' ELSE lower(CASE typeof(x) WHEN 'VARCHAR' THEN 'text' WHEN '"NULL"' THEN 'unknown' WHEN 'DOUBLE' THEN 'double precision'
      WHEN 'FLOAT' THEN 'real' WHEN 'HUGEINT' THEN 'numeric' WHEN 'BLOB' THEN 'bytea' WHEN 'TIMESTAMP' THEN 'timestamp without time zone' WHEN 'TIME' THEN 'time without time zone'
      WHEN 'VARCHAR[]' THEN 'text[]' WHEN 'DOUBLE[]' THEN 'double precision[]' ELSE typeof(x) END) END`,
  ],
  ['pg_to_hex', ['x'], 'lower(to_hex(x))'],
  // To so many digits of a second.
  [
    'pg_rounded',
    ['x, digits'],
    'make_timestamptz((round(epoch_us(x)::HUGEINT / 10 ** (6 - digits)) * 10 ** (6 - digits))::BIGINT)',
  ],
  [
    'pg_array_text',
    ['x, separator, missing'],
    'array_to_string(list_transform(x, lambda item: coalesce(item::VARCHAR, missing)), separator)',
  ],
  [
    'overlay',
    [three],
    'left(a, c - 1) || b || substr(a, c + length(b))',
    [four, 'left(a, c - 1) || b || substr(a, c + d)'],
  ],
  ['overlaps', [four], '(least(a, b) < greatest(c, d) AND least(c, d) < greatest(a, b)) OR least(a, b) = least(c, d)'],
  [
    'array_positions',
    [two],
    'list_filter(range(1, len(a) + 1), lambda place: a[place] IS NOT DISTINCT FROM b)::INTEGER[]',
  ],
  ['array_ndims', [one], `nullif((length(typeof(a)) - length(replace(typeof(a), '[]', ''))) // 2, 0)::INTEGER`],
  ['array_fill', [two], 'list_transform(range(b[1]), lambda item: a)'],
  ['trim_array', [two], 'a[1:len(a) - b]'],
  ['get_byte', [two], `('0x' || hex(a)[2 * b + 1:2 * b + 2])::INTEGER`],
  ...same('jsonb_strip_nulls json_strip_nulls', [one], `json_merge_patch('{}'::JSON, a::JSON)`),
  ['string_to_table', [two], 'unnest(string_split(a, b))'],
  ['array_lower', ['x, dimension'], 'CASE WHEN len(x) > 0 THEN 1 END'],
  ['array_upper', ['x, dimension'], 'nullif(len(x), 0)::INTEGER'],
  [
    'array_replace',
    [three],
    'list_transform(a, lambda item: CASE WHEN item IS NOT DISTINCT FROM b THEN c ELSE item END)',
  ],
  ['btrim', ["x, characters := ' '"], 'trim(x, characters)'],
  [
    'initcap',
    ['x'],
    `array_to_string(list_transform(regexp_extract_all(x, '[[:alnum:]\\p{L}]+|[^[:alnum:]\\p{L}]+'), lambda word: upper(word[1]) || lower(word[2:])), '')`,
  ],
  [
    // A number as a text by a pattern; `given` has as many digits behind the point as the pattern. See `serve/pgwire/number-patterns.ts`.
    'pg_number_text',
    ['given, negative, pattern, digits, zero, kept, bare, width, signs'],
    `list_transform(list_transform([{
        'whole': CASE WHEN split_part(given, '.', 1) = '0' THEN '' ELSE split_part(given, '.', 1) END,
        'behind': split_part(given, '.', 2),
        'at': CASE WHEN negative AND regexp_matches(given, '[1-9]') THEN 1 ELSE 2 END}],
      lambda n: [signs[n.at]
        || CASE WHEN length(n.whole) > digits THEN replace(pattern, '9', '#') ELSE array_to_string(
            list_transform(string_split(pattern, ''), lambda c, i: CASE
              WHEN length(regexp_replace(pattern[:i], '[^9]', '', 'g')) <= least(zero, digits - length(n.whole),
                digits - CASE WHEN n.behind = '' OR (bare AND kept = 0 AND regexp_full_match(n.behind, '0*')) THEN 1 ELSE 0 END) THEN ''
              WHEN c = '9' THEN lpad(n.whole, digits, '0')[length(regexp_replace(pattern[:i], '[^9]', '', 'g'))]
              ELSE c END), '') END
        || CASE WHEN n.behind = '' THEN ''
          WHEN length(n.whole) > digits THEN '.' || repeat('#', length(n.behind))
          WHEN bare THEN '.' || n.behind[:kept] || rtrim(n.behind[kept + 1:], '0')
          ELSE '.' || n.behind END, signs[n.at + 2]]),
      lambda t: repeat(' ', greatest(width - length(t[1]), 0)) || t[1] || t[2])[1]`,
  ],
  [
    'pg_to_number',
    ['x'],
    `CASE WHEN x LIKE '%-%' OR x LIKE '%<%' THEN '-' ELSE '' END || regexp_replace(x, '[^0-9.]', '', 'g')`,
  ],
  ['regexp_count', ['x, pattern'], 'len(regexp_extract_all(x, pattern))::INTEGER'],
  ['regexp_substr', ['x, pattern'], 'CASE WHEN regexp_matches(x, pattern) THEN regexp_extract(x, pattern) END'],
  [
    'width_bucket',
    ['x, low, high, n'],
    'CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1 ELSE floor((x - low) * n / (high - low))::INTEGER + 1 END',
  ],
  ['div', [two], 'trunc(a / b)'],
  ['date_bin', ['stride, source, origin'], 'time_bucket(stride::INTERVAL, source, origin)'],
  [
    'make_interval',
    ['years := 0, months := 0, weeks := 0, days := 0, hours := 0, mins := 0, secs := 0'],
    'to_years(years) + to_months(months) + to_weeks(weeks) + to_days(days) + to_hours(hours) + to_minutes(mins) + to_seconds(secs)',
  ],
  ...same('clock_timestamp statement_timestamp', [''], 'now()'),
  ['timeofday', [''], 'now()::VARCHAR'],
  ['every', [one], 'bool_and(a)'],
  ['_pg_expandarray', ['x'], `unnest(list_transform(x, lambda item, place: {'x': item, 'n': place::INTEGER}))`],
]

const keywords =
  'all analyse analyze and any as asc case cast check column create desc distinct else end except false for from grant group having in limit not null offset on or order primary references select table then true union unique user using when where with'
const tables: Macro[] = [
  ['string_to_table', [two], 'SELECT unnest(string_split(a, b)) AS string_to_table'],
  ['regexp_split_to_table', [two], 'SELECT unnest(string_split_regex(a, b)) AS regexp_split_to_table'],
  [
    'aclexplode',
    [one],
    'SELECT NULL::UINTEGER AS grantor, NULL::UINTEGER AS grantee, NULL::VARCHAR AS privilege_type, NULL::BOOLEAN AS is_grantable WHERE false',
  ],
  [
    'pg_get_keywords',
    [''],
    `SELECT unnest(string_split('${keywords}', ' ')) AS word, 'R' AS catcode, true AS barelabel, 'reserved' AS catdesc, 'requires AS' AS baredesc`,
  ],
  ...same('json_array_elements jsonb_array_elements', ['x'], `SELECT unnest(json_extract(x, '$[*]')) AS value`),
  ...same(
    'json_array_elements_text jsonb_array_elements_text',
    ['x'],
    `SELECT unnest(json_extract_string(x, '$[*]')) AS value`,
  ),
  [
    'pg_partition_tree',
    ['x'],
    'SELECT x::UINTEGER AS relid, NULL::UINTEGER AS parentrelid, true AS isleaf, 0 AS level',
  ],
  ['jsonb_each', ['x'], 'SELECT key, value FROM json_each(x)'],
  ...same(
    'json_each_text jsonb_each_text',
    ['x'],
    `SELECT key, json_extract_string(value, '$') AS value FROM json_each(x)`,
  ),
]

const create =
  (kind: string) =>
  ([name, forms, sql, ...more]: Macro) =>
    `CREATE MACRO "${name}"${[...forms.map((form) => [form, sql]), ...more].map(([form, sql]) => `(${form}) AS ${kind}${kind ? sql : `(${sql})`}`).join(', ')}`

/** Makes them. One by one they would take twice as long. */
export const pgFunctionsSql = ['BEGIN', ...scalars.map(create('')), ...tables.map(create('TABLE ')), 'COMMIT'].join(
  ';\n',
)

const anyName = new RegExp(`\\b(?:${[...scalars, ...tables].map(([name]) => name).join('|')})\\b`, 'i')
/** Whether a text may call one: most never do, and making them takes longer than most queries. */
export const namesPgFunction = (sql: string): boolean => anyName.test(sql)

/** Their names: the allow-list of the door has them. */
export const pgScalarFunctions: ReadonlySet<string> = new Set(scalars.map(([name]) => name))
export const pgTableFunctions: ReadonlySet<string> = new Set(tables.map(([name]) => name))
