// PostgreSQL's system functions that need nothing but their arguments, and others that people write and the engine does not
// know, as macros. What would need a look into the catalog is rewritten before (`serve/pgwire/dialect.ts`); what describes things that a lake has not is null.

import { comparedRows } from '../base/compared-rows.ts'
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

/** What is used more than once, written once: macros put arguments in by their text, and nested calls would grow by powers. */
const once = (fields: string, sql: string) => `list_transform([{${fields}}], lambda bh_s: ${sql})[1]`

/** One step of a path into JSON: the key of an object, or the place of an item, counted from the end where it is negative. */
const jsonStep = `CASE json_type(bh_a)
  WHEN 'ARRAY' THEN CASE WHEN regexp_full_match(bh_k, '-?[0-9]{1,9}') THEN
    json_extract(bh_a, CASE WHEN bh_k LIKE '-%' THEN '$[#' || bh_k || ']' ELSE '$[' || bh_k || ']' END)::VARCHAR END
  WHEN 'OBJECT' THEN json_extract(bh_a, '/' || replace(replace(bh_k, '~', '~0'), '/', '~1'))::VARCHAR END`

/** The items of a list, how many there are, and the place that a key means. */
const jsonItems = `'items': x::JSON::JSON[], 'n': json_array_length(x)::BIGINT,
  'at': CASE WHEN k::INTEGER < 0 THEN json_array_length(x)::BIGINT + k::INTEGER ELSE k::INTEGER END`

const jsonParent = 'pg_json_step(bh_s.j, bh_s.p[:-2])'
const isParent = `coalesce(json_type(${jsonParent}), '') IN ('OBJECT', 'ARRAY')`

const isJsonNumber = (x: string) => `json_type(${x}) IN ('UBIGINT', 'BIGINT', 'HUGEINT', 'DOUBLE')`
const orderOf = (a: string, b: string) => `CASE WHEN ${a} < ${b} THEN -1 WHEN ${a} > ${b} THEN 1 ELSE 0 END`

/** Two values that are neither objects nor lists. */
const jsonSame = (a: string, b: string) =>
  `CASE WHEN json_type(${b}) IN ('UBIGINT', 'BIGINT', 'DOUBLE') THEN json_type(${a}) IN ('UBIGINT', 'BIGINT', 'DOUBLE')
      AND (json(${a}) = json(${b}) OR (json_type(${a}) || json_type(${b}) LIKE '%DOUBLE%' AND TRY_CAST(${a}::VARCHAR AS DOUBLE) = TRY_CAST(${b}::VARCHAR AS DOUBLE)))
    ELSE json_type(${a}) = json_type(${b}) AND json_extract_string(${a}, '$') IS NOT DISTINCT FROM json_extract_string(${b}, '$') END`

/** Whether `a` has all that `b` has: its keys, and for each of its items one that holds it. The engine's own looks at any depth. */
function jsonHolds(a: string, b: string, depth: number): string {
  if (depth === 0)
    return `CASE WHEN json_type(${b}) IN ('OBJECT', 'ARRAY') THEN error('@> looks no deeper into JSON') ELSE ${jsonSame(a, b)} END`
  const [key, one] = [`bh_k${depth}`, `bh_c${depth}`]
  const at = (x: string) => `json_extract(${x}, '/' || replace(replace(${key}, '~', '~0'), '/', '~1'))`
  const those = `CASE json_type(${b}) WHEN 'OBJECT' THEN [${at(a)}] ELSE json_extract(${a}, '$[*]') END`
  const found = jsonHolds(one, `bh_v${depth}`, depth - 1)
  return `CASE WHEN json_type(${b}) IN ('OBJECT', 'ARRAY') THEN json_type(${a}) = json_type(${b}) AND list_count(list_filter(
      CASE json_type(${b}) WHEN 'OBJECT' THEN json_keys(${b}) ELSE range(json_array_length(${b})::BIGINT)::VARCHAR[] END,
      lambda ${key}: NOT coalesce(list_bool_or(list_transform([${at(b)}], lambda bh_v${depth}: coalesce(list_bool_or(list_transform(${those}, lambda ${one}: coalesce(${found}, false))), false))), false))) = 0
    ELSE ${jsonSame(a, b)} END`
}

/** The engine takes flags beside a pattern only where they are written. */
const flagged = `'(?s' || flags || ')' || pattern`

/** Parts of an interval. */
const monthsOf = `(date_part('year', x) * 12 + date_part('month', x))::INTEGER`
const daysOf = `date_part('day', x)`
const microsOf = `(date_part('hour', x) * 3600000000 + date_part('minute', x) * 60000000 + date_part('microseconds', x))`
const intervalSum = `to_months(sum(${monthsOf})::INTEGER) + to_days(sum(${daysOf})::INTEGER) + to_microseconds(sum(${microsOf})::BIGINT)`

/** Times as JSON has them in PostgreSQL: the engine writes them as it does in texts. */
const isoTimes = (x: string) =>
  `regexp_replace(regexp_replace(${x}::VARCHAR, '(\\d) (\\d\\d:)', '\\1T\\2', 'g'), '([+-]\\d\\d)"', '\\1:00"', 'g')`

/** The names of those columns of a row that are times, of the name of its type; what is inside of others is not looked at. */
const timesOfRow = `regexp_extract_all(${Array.from({ length: 5 }).reduce<string>(
  (type) => `regexp_replace(${type}, '\\([^()]*\\)', '', 'g')`,
  "regexp_replace(type, '^STRUCT\\(|\\)(\\[\\])?$', '', 'g')",
)}, '(?:^|, )("(?:[^"]|"")*"|[^" ,]+) TIMESTAMP', 1)`

/** One row as JSON, and the names of its times. */
const isoRow = (row: string, names: string) => `CASE json_type(${row}) WHEN 'OBJECT' THEN ('{' || array_to_string(
  list_transform(json_keys(${row}), lambda bh_k: to_json(bh_k)::VARCHAR || ':' ||
    CASE WHEN list_contains(${names}, bh_k) OR list_contains(${names}, '"' || replace(bh_k, '"', '""') || '"')
      THEN ${isoTimes(`json_extract(${row}, '/' || replace(replace(bh_k, '~', '~0'), '/', '~1'))`)}
      ELSE json_extract(${row}, '/' || replace(replace(bh_k, '~', '~0'), '/', '~1'))::VARCHAR END), ',') || '}')::JSON ELSE ${row} END`

const isPlainName = "regexp_full_match(x, '[a-z_][a-z0-9_$]*')"
const [one, two, three, four] = ['a', 'a, b', 'a, b, c', 'a, b, c, d']
const inUtf8 = (sql: string) =>
  `CASE WHEN upper(b) IN ('UTF8', 'UTF-8', 'UNICODE') THEN ${sql} ELSE error('the encoding ' || b || ' is not known: UTF8 is') END`
const same = (names: string, forms: string[], sql: string): Macro[] =>
  names.split(' ').map((name) => [name, forms, sql])

/** What stands behind or before other items. */
const itemsOf = (x: string) => `CASE json_type(${x}) WHEN 'ARRAY' THEN ${x}::JSON[] ELSE [${x}] END`

/** Whether JSON has a key, an item, or is that text. */
const hasOf = (how: string) =>
  `CASE json_type(a) WHEN 'OBJECT' THEN list_${how}(json_keys(a), b) WHEN 'ARRAY' THEN list_${how}(json_extract_string(a, '$[*]'), b)
    ELSE CASE WHEN a IS NOT NULL THEN list_${how}([json_extract_string(a, '$')], b) END END`

/** `(a1, a2) < (b1, b2)`: unknown where a null decides. */
const rowMacros: Macro[] = Object.entries({ eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' }).map(
  ([name, symbol]): Macro => {
    const forms = [2, 3, 4].map((count): [string, string] => {
      const places = Array.from({ length: count }, (_, at) => at + 1)
      const [left, right] = [places.map((at) => `a${at}`), places.map((at) => `b${at}`)]
      return [[...left, ...right].join(', '), comparedRows(left, symbol, right)]
    })
    const [[parameters, sql], ...others] = forms as [[string, string], ...[string, string][]]
    return [`pg_rows_${name}`, [parameters], sql, ...others]
  },
)

/** Lists beside one that was written as a text, whose items are of the type of the other's. */
const listForms = (sql: string): [string[], string, ...[string, string][]] => {
  const [first, ...others] = 'VARCHAR BIGINT DOUBLE DATE TIMESTAMP TIMESTAMPTZ UUID BOOLEAN'
    .split(' ')
    .map((type): [string, string] => [`a ${type}[], b`, sql.replaceAll('b', `b::${type}[]`)])
  return [[first![0]], first![1], ...others]
}

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
    'has_database_privilege has_function_privilege has_language_privilege has_tablespace_privilege has_type_privilege pg_has_role',
    [two, three],
    'true',
  ),
  // Over the PostgreSQL wire these are rewritten, for they depend on who asks; elsewhere it is not known.
  ...same(
    'has_table_privilege has_schema_privilege has_any_column_privilege has_sequence_privilege',
    [two, three],
    'NULL::BOOLEAN',
  ),
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
    once(
      `'a': a, 'b': b`,
      `CASE WHEN bh_s.a IS NULL OR bh_s.b IS NULL THEN NULL
      WHEN json_type(bh_s.a) = 'OBJECT' AND json_type(bh_s.b) = 'OBJECT' THEN to_json(map_concat(bh_s.a::MAP(VARCHAR, JSON), bh_s.b::MAP(VARCHAR, JSON)))
      ELSE to_json(list_concat(${itemsOf('bh_s.a')}, ${itemsOf('bh_s.b')})) END`,
    ),
    ['a VARCHAR, b JSON', 'a || b::VARCHAR'],
    ['a JSON, b VARCHAR', 'a::VARCHAR || b'],
  ],
  [
    'jsonb_joined',
    ['items'],
    `list_reduce(items::JSON[], lambda bh_a, bh_b: CASE WHEN bh_a IS NULL OR bh_b IS NULL THEN NULL
      WHEN json_type(bh_a) = 'OBJECT' AND json_type(bh_b) = 'OBJECT' THEN to_json(map_concat(bh_a::MAP(VARCHAR, JSON), bh_b::MAP(VARCHAR, JSON)))
      ELSE to_json(list_concat(${itemsOf('bh_a')}, ${itemsOf('bh_b')})) END)`,
  ],
  ...same('json_array_elements jsonb_array_elements', [one], `unnest(json_extract(a, '$[*]'))`),
  ...same('json_array_elements_text jsonb_array_elements_text', [one], `unnest(json_extract_string(a, '$[*]'))`),
  ...same('json_object_keys jsonb_object_keys', [one], 'unnest(json_keys(a))'),
  // `{a,"b c"}`, as arrays are written.
  [
    'pg_text_items',
    ['x'],
    `list_transform(regexp_extract_all(x[2:-2], '"(?:[^"\\\\]|\\\\.)*"|[^,"]+'), lambda bh_t: CASE
      WHEN bh_t[1] = '"' THEN regexp_replace(bh_t[2:-2], '\\\\(.)', '\\1', 'g') WHEN lower(trim(bh_t)) = 'null' THEN NULL ELSE trim(bh_t) END)`,
  ],
  ['pg_json_step', ['j, path'], `list_reduce(path, lambda bh_a, bh_k: ${jsonStep}, j::VARCHAR)::JSON`],
  [
    'pg_json_at',
    ['j, path VARCHAR[]'],
    'pg_json_step(j, path)',
    ['j, path VARCHAR', 'pg_json_step(j, pg_text_items(path))'],
  ],
  [
    'pg_json_text_at',
    ['j, path VARCHAR[]'],
    `json_extract_string(pg_json_step(j, path), '$')`,
    ['j, path VARCHAR', `json_extract_string(pg_json_step(j, pg_text_items(path)), '$')`],
  ],
  [
    'pg_json_with',
    ['x, k, v, adds'],
    `CASE json_type(x)
      WHEN 'OBJECT' THEN CASE WHEN adds OR list_contains(json_keys(x), k) THEN to_json(map_concat(x::JSON::MAP(VARCHAR, JSON), MAP([k], [v::JSON])))::VARCHAR ELSE x END
      WHEN 'ARRAY' THEN list_transform([{${jsonItems}}], lambda bh_l: CASE
        WHEN bh_l.at >= 0 AND bh_l.at < bh_l.n THEN to_json(bh_l.items[:bh_l.at] || [v::JSON] || bh_l.items[bh_l.at + 2:])::VARCHAR
        WHEN NOT adds THEN x
        WHEN bh_l.at < 0 THEN to_json([v::JSON] || bh_l.items)::VARCHAR ELSE to_json(bh_l.items || [v::JSON])::VARCHAR END)[1] END`,
  ],
  [
    'pg_json_inserted',
    ['x, k, v, behind'],
    `CASE json_type(x)
      WHEN 'OBJECT' THEN CASE WHEN list_contains(json_keys(x), k) THEN error('cannot replace existing key "' || k || '": jsonb_set does') ELSE pg_json_with(x, k, v, true) END
      WHEN 'ARRAY' THEN list_transform([{${jsonItems}}], lambda bh_l:
        to_json(bh_l.items[:greatest(bh_l.at + CASE WHEN behind AND bh_l.at >= 0 THEN 1 ELSE 0 END, 0)] || [v::JSON]
          || bh_l.items[greatest(bh_l.at + CASE WHEN behind AND bh_l.at >= 0 THEN 1 ELSE 0 END, 0) + 1:])::VARCHAR)[1] END`,
  ],
  [
    'pg_json_without',
    ['x, k'],
    `CASE json_type(x)
      WHEN 'OBJECT' THEN to_json(map_from_entries(list_filter(map_entries(x::JSON::MAP(VARCHAR, JSON)), lambda bh_e: bh_e.key <> k)))::VARCHAR
      WHEN 'ARRAY' THEN list_transform([{${jsonItems}}], lambda bh_l: CASE WHEN bh_l.at >= 0 AND bh_l.at < bh_l.n
        THEN to_json(bh_l.items[:bh_l.at] || bh_l.items[bh_l.at + 2:])::VARCHAR ELSE x END)[1] END`,
  ],
  // `path` as a list, however it is written.
  ['pg_json_path', ['x VARCHAR[]'], 'x', ['x VARCHAR', 'pg_text_items(x)']],
  [
    'pg_json_put',
    ['j, path, v, adds'],
    `list_reduce(list_reverse(range(1, len(path) + 1))::VARCHAR[], lambda bh_v, bh_n:
      pg_json_with(pg_json_step(j, path[:bh_n::INTEGER - 1])::VARCHAR, path[bh_n::INTEGER], bh_v, adds), v)::JSON`,
  ],
  [
    'jsonb_set',
    ['a, path, v, adds := true'],
    once(
      `'j': a::JSON, 'p': path, 'v': v::JSON::VARCHAR, 'adds': adds`,
      `CASE WHEN bh_s.v IS NULL OR bh_s.adds IS NULL OR bh_s.p IS NULL THEN NULL WHEN len(bh_s.p) = 0 OR NOT ${isParent} THEN bh_s.j
      ELSE pg_json_put(bh_s.j, bh_s.p, bh_s.v, bh_s.adds) END`,
    ),
  ],
  [
    'jsonb_insert',
    ['a, path, v, behind := false'],
    once(
      `'j': a::JSON, 'p': path, 'v': v::JSON::VARCHAR, 'behind': behind`,
      `CASE WHEN len(bh_s.p) = 0 OR NOT ${isParent} THEN bh_s.j
      ELSE pg_json_put(bh_s.j, bh_s.p[:-2], pg_json_inserted(${jsonParent}::VARCHAR, bh_s.p[-1], bh_s.v, bh_s.behind), true) END`,
    ),
  ],
  [
    'jsonb_delete_path',
    ['a, path'],
    once(
      `'j': a::JSON, 'p': path`,
      `CASE WHEN len(bh_s.p) = 0 OR NOT ${isParent} THEN bh_s.j
      ELSE pg_json_put(bh_s.j, bh_s.p[:-2], pg_json_without(${jsonParent}::VARCHAR, bh_s.p[-1]), true) END`,
    ),
  ],
  // `a - b`: keys of an object, texts or a place of a list.
  [
    'pg_json_drop',
    ['a, b'],
    once(
      `'j': a, 'k': b`,
      `CASE WHEN bh_s.k IS NULL THEN NULL ELSE CASE json_type(bh_s.j)
        WHEN 'OBJECT' THEN to_json(map_from_entries(list_filter(map_entries(bh_s.j::MAP(VARCHAR, JSON)), lambda bh_e: NOT list_contains(bh_s.k, bh_e.key))))
        WHEN 'ARRAY' THEN to_json(list_filter(bh_s.j::JSON[], lambda bh_e: NOT coalesce(json_type(bh_e) = 'VARCHAR' AND list_contains(bh_s.k, json_extract_string(bh_e, '$')), false)))
        ELSE CASE WHEN bh_s.j IS NOT NULL THEN error('cannot delete from scalar') END END END`,
    ),
  ],
  [
    'jsonb_delete',
    ['a JSON, b VARCHAR[]'],
    'pg_json_drop(a, b)',
    ['a JSON, b VARCHAR', 'CASE WHEN b IS NOT NULL THEN pg_json_drop(a, [b]) END'],
    [
      'a JSON, b BIGINT',
      `CASE json_type(a) WHEN 'ARRAY' THEN pg_json_without(a::VARCHAR, b::VARCHAR)::JSON ELSE CASE WHEN a IS NOT NULL THEN error('cannot delete from object using integer index') END END`,
    ],
  ],
  [
    'pg_json_object',
    ['k VARCHAR[], v VARCHAR[]'],
    'to_json(MAP(k, v))',
    [
      'k VARCHAR[]',
      'to_json(MAP(list_filter(k, lambda item, place: place % 2 = 1), list_filter(k, lambda item, place: place % 2 = 0)))',
    ],
  ],
  [
    'pg_json_times',
    ['doc, type'],
    `CASE WHEN type NOT LIKE 'STRUCT(%' THEN ${isoTimes('doc')}::JSON
      WHEN type LIKE '%[]' THEN to_json(list_transform(doc::JSON[], lambda bh_r: ${isoRow('bh_r', timesOfRow)}))
      ELSE ${isoRow('doc', timesOfRow)} END`,
  ],
  // Types are known before anything is read: only one side is left.
  [
    'pg_json',
    ['x'],
    `CASE WHEN typeof(x) LIKE '%TIMESTAMP%' THEN pg_json_times(to_json(x), typeof(x)) ELSE to_json(x) END`,
  ],
  ['pg_json_once', ['x'], `list_transform([{'v': x}], lambda bh_o: pg_json(bh_o.v))[1]`],
  ['jsonb_array_length', [one], 'json_array_length(a)::INTEGER'],
  // What compares as values of jsonb do: first by their kinds, then numbers as such and texts by their letters.
  [
    'pg_json_rank',
    [one],
    `CASE WHEN a IS NULL THEN NULL ELSE {'kind': CASE json_type(a) WHEN 'NULL' THEN 1 WHEN 'VARCHAR' THEN 2 WHEN 'BOOLEAN' THEN 4 WHEN 'ARRAY' THEN 5 WHEN 'OBJECT' THEN 6 ELSE 3 END,
      'n': CASE WHEN json_type(a) IN ('VARCHAR', 'ARRAY', 'OBJECT') THEN 0 ELSE coalesce(TRY_CAST(a ->> '$' AS DOUBLE), CASE a ->> '$' WHEN 'true' THEN 1 ELSE 0 END) END, 'text': CASE WHEN json_type(a) IN ('VARCHAR', 'ARRAY', 'OBJECT') THEN a ->> '$' ELSE '' END} END`,
  ],
  // How two items of a path compare: 2 where one of them is null, unknown where they are of different kinds.
  [
    'pg_path_order',
    [two],
    once(
      `'a': a, 'b': b`,
      `CASE WHEN json_type(bh_s.a) = 'NULL' OR json_type(bh_s.b) = 'NULL' THEN CASE WHEN json_type(bh_s.a) = json_type(bh_s.b) THEN 0 ELSE 2 END
        WHEN ${isJsonNumber('bh_s.a')} AND ${isJsonNumber('bh_s.b')} THEN CASE WHEN json_type(bh_s.a) = 'DOUBLE' OR json_type(bh_s.b) = 'DOUBLE'
          THEN ${orderOf(`TRY_CAST(json_extract_string(bh_s.a, '$') AS DOUBLE)`, `TRY_CAST(json_extract_string(bh_s.b, '$') AS DOUBLE)`)}
          ELSE ${orderOf(`TRY_CAST(json_extract_string(bh_s.a, '$') AS HUGEINT)`, `TRY_CAST(json_extract_string(bh_s.b, '$') AS HUGEINT)`)} END
        WHEN json_type(bh_s.a) <> json_type(bh_s.b) OR json_type(bh_s.a) IN ('OBJECT', 'ARRAY') THEN NULL
        ELSE ${orderOf(`json_extract_string(bh_s.a, '$')`, `json_extract_string(bh_s.b, '$')`)} END`,
    ),
  ],
  [
    'pg_path_match',
    [one],
    `CASE WHEN len(a) = 1 AND json_type(a[1]) = 'BOOLEAN' THEN a[1]::BOOLEAN ELSE error('single boolean result is expected') END`,
  ],
  ['convert_to', [two], inUtf8('encode(a)')],
  ['convert_from', [two], inUtf8('decode(a)')],
  ['pg_known_oid', [two], `coalesce(a, error('relation "' || b || '" does not exist'))`],
  ['jsonb_exists', [two], hasOf('contains')],
  ['jsonb_exists_any', [two], hasOf('has_any')],
  ['jsonb_exists_all', [two], hasOf('has_all')],
  [
    'jsonb_contains',
    [two],
    once(
      `'a': a::JSON, 'b': b::JSON`,
      `CASE WHEN bh_s.a IS NULL OR bh_s.b IS NULL THEN NULL
        WHEN json_type(bh_s.a) = 'ARRAY' AND json_type(bh_s.b) NOT IN ('OBJECT', 'ARRAY') THEN
          coalesce(list_bool_or(list_transform(json_extract(bh_s.a, '$[*]'), lambda bh_c: ${jsonSame('bh_c', 'bh_s.b')})), false)
        ELSE ${jsonHolds('bh_s.a', 'bh_s.b', 5)} END`,
    ),
  ],
  ['jsonb_contained', [two], 'jsonb_contains(b, a)'],
  // Sums of intervals, which the engine has not: of months, days and microseconds by themselves.
  ['pg_interval_sum', ['x'], intervalSum],
  ['pg_interval_avg', ['x'], `(${intervalSum}) / count(x)`],
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
  ['acldefault', [two], 'NULL::VARCHAR[]'],
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
    `lower(CASE regexp_replace(typeof(x), '(\\(\\d+,\\d+\\))?(\\[\\d*\\])?$', '') WHEN 'VARCHAR' THEN 'text' WHEN '"NULL"' THEN 'unknown' WHEN 'DOUBLE' THEN 'double precision'
      WHEN 'FLOAT' THEN 'real' WHEN 'HUGEINT' THEN 'numeric' WHEN 'DECIMAL' THEN 'numeric' WHEN 'BLOB' THEN 'bytea' WHEN 'TIMESTAMP' THEN 'timestamp without time zone'
      WHEN 'TIME' THEN 'time without time zone' ELSE regexp_replace(typeof(x), '\\[\\d*\\]$', '') END) || CASE WHEN typeof(x) LIKE '%]' THEN '[]' ELSE '' END`,
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
    // Of nulls alone the engine makes nothing.
    `CASE WHEN x IS NOT NULL AND separator IS NOT NULL THEN
      coalesce(array_to_string(list_transform(x, lambda item: coalesce(item::VARCHAR, missing)), separator), '') END`,
    [
      'x, separator',
      `CASE WHEN x IS NOT NULL AND separator IS NOT NULL THEN coalesce(array_to_string(x, separator), '') END`,
    ],
  ],
  [
    'overlay',
    [three],
    once(`'a': a, 'b': b, 'c': c`, 'left(bh_s.a, bh_s.c - 1) || bh_s.b || substr(bh_s.a, bh_s.c + length(bh_s.b))'),
    [
      four,
      once(`'a': a, 'b': b, 'c': c, 'd': d`, 'left(bh_s.a, bh_s.c - 1) || bh_s.b || substr(bh_s.a, bh_s.c + bh_s.d)'),
    ],
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
  [
    'pg_json_stripped',
    ['x'],
    `CASE WHEN x::VARCHAR LIKE '%":null%' THEN error('json_strip_nulls of objects in lists is not supported') ELSE x END`,
  ],
  ...same('jsonb_strip_nulls json_strip_nulls', [one], `pg_json_stripped(json_merge_patch('{}'::JSON, a::JSON))`),
  [
    'pg_string_list',
    [two],
    `CASE WHEN a = '' THEN [] WHEN b IS NULL THEN string_split(a, '') WHEN b = '' THEN [a] ELSE string_split(a, b) END`,
  ],
  [
    'pg_string_items',
    [two],
    'pg_string_list(a, b)',
    ['a, b, c', 'list_transform(pg_string_list(a, b), lambda item: nullif(item, c))'],
  ],
  ...rowMacros,
  ['pg_lists_meet', ...listForms('a && b')],
  // No null is another's like.
  ['pg_list_holds', ...listForms('(a @> b AND len(b) = list_count(b))')],
  ['pg_list_held', ...listForms('(a <@ b AND len(a) = list_count(a))')],
  ['pg_joined', ['separator, x'], 'array_to_string(x, separator)'],
  ['string_to_table', [two], 'unnest(pg_string_items(a, b))', ['a, b, c', 'unnest(pg_string_items(a, b, c))']],
  // Texts are read as PostgreSQL reads bytes, `\\x00ff`.
  [
    'pg_bytes',
    ['x BLOB'],
    'x',
    [
      'x VARCHAR',
      `CASE WHEN starts_with(x, '\\x') THEN from_hex(x[3:]) WHEN contains(x, '\\') THEN error('escapes of bytea are not read: write \\x and two digits a byte') ELSE encode(x) END`,
    ],
  ],
  ['pg_zone_trunc', ['unit, x, zone'], 'timezone(zone, date_trunc(unit, timezone(zone, x)))'],
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
    // Not by array_to_string, which is a macro that writes its list twice.
    `list_reduce(list_transform(regexp_extract_all(x, '[[:alnum:]\\p{L}]+|[^[:alnum:]\\p{L}]+'), lambda word: upper(word[1]) || lower(word[2:])), lambda a, b: a || b, '')`,
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
  [
    'regexp_count',
    ['x, pattern'],
    'len(regexp_extract_all(x, pattern))::INTEGER',
    ['x, pattern, start', 'len(regexp_extract_all(x[start:], pattern))::INTEGER'],
    ['x, pattern, start, flags', `len(regexp_extract_all(x[start:], ${flagged}))::INTEGER`],
  ],
  [
    'regexp_substr',
    ['x, pattern'],
    'CASE WHEN regexp_matches(x, pattern) THEN regexp_extract(x, pattern) END',
    ['x, pattern, start', 'regexp_extract_all(x[start:], pattern)[1]'],
    ['x, pattern, start, n', 'regexp_extract_all(x[start:], pattern)[n]'],
    ['x, pattern, start, n, flags', `regexp_extract_all(x[start:], ${flagged})[n]`],
    ['x, pattern, start, n, flags, part', `regexp_extract_all(x[start:], ${flagged}, part)[n]`],
  ],
  [
    'regexp_like',
    ['x, pattern'],
    `regexp_matches(x, pattern, 's')`,
    ['x, pattern, flags', `regexp_matches(x, ${flagged})`],
  ],
  [
    'regexp_instr',
    ['x, pattern'],
    "CASE WHEN regexp_matches(x, pattern) IS NULL THEN NULL WHEN regexp_matches(x, pattern) THEN length(regexp_extract(x, '^((?s:.*?))(?:' || pattern || ')', 1)) + 1 ELSE 0 END::INTEGER",
  ],
  [
    'justify_hours',
    ['x'],
    `to_months(${monthsOf}) + to_days((${daysOf} + ${microsOf} // 86400000000)::INTEGER) + to_microseconds(${microsOf} % 86400000000)`,
  ],
  [
    'justify_days',
    ['x'],
    `to_months((${monthsOf} + ${daysOf} // 30)::INTEGER) + to_days((${daysOf} % 30)::INTEGER) + to_microseconds(${microsOf})`,
  ],
  ['array_dims', ['x'], `CASE WHEN len(x) > 0 THEN '[1:' || len(x) || ']' END`],
  [
    'width_bucket',
    ['x, low, high, n'],
    `CASE WHEN low < high THEN CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1 ELSE floor((x - low) * n / (high - low))::INTEGER + 1 END
      ELSE CASE WHEN x > low THEN 0 WHEN x <= high THEN n + 1 ELSE floor((low - x) * n / (low - high))::INTEGER + 1 END END`,
    ['x, bounds', 'len(list_filter(bounds, lambda bound: bound <= x))::INTEGER'],
  ],
  // Without the sign of a zero.
  ['div', [two], 'trunc(a / b) + 0'],
  [
    'pg_array_length',
    ['x, dimension'],
    'CASE WHEN dimension = 1 THEN nullif(len(x), 0) ELSE array_length(x, dimension) END::INTEGER',
    // DuckDB's own.
    ['x', 'array_length(x)'],
  ],
  ['date_bin', ['stride, source, origin'], 'time_bucket(stride::INTERVAL, source, origin)'],
  [
    'make_interval',
    ['years := 0, months := 0, weeks := 0, days := 0, hours := 0, mins := 0, secs := 0'],
    'to_years(years) + to_months(months) + to_weeks(weeks) + to_days(days) + to_hours(hours) + to_minutes(mins) + to_seconds(secs)',
  ],
  ...same('clock_timestamp statement_timestamp', [''], 'now()'),
  ['timeofday', [''], 'now()::VARCHAR'],
  ['every', [one], 'bool_and(a)'],
  // What `information_schema` says of a type, asked of its number and modifier.
  [
    '_pg_char_max_length',
    ['typid, typmod'],
    'CASE WHEN typid IN (1042, 1043) AND typmod >= 4 THEN typmod - 4 END::INTEGER',
  ],
  [
    '_pg_char_octet_length',
    ['typid, typmod'],
    'CASE WHEN typid IN (25, 1042, 1043) THEN CASE WHEN typmod >= 4 AND typid <> 25 THEN 4 * (typmod - 4) ELSE 1073741824 END END::INTEGER',
  ],
  [
    '_pg_numeric_precision',
    ['typid, typmod'],
    'CASE typid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53 WHEN 1700 THEN CASE WHEN typmod >= 4 THEN (typmod - 4) >> 16 END END::INTEGER',
  ],
  [
    '_pg_numeric_precision_radix',
    ['typid, typmod'],
    'CASE WHEN typid IN (20, 21, 23, 700, 701) THEN 2 WHEN typid = 1700 THEN 10 END::INTEGER',
  ],
  [
    '_pg_numeric_scale',
    ['typid, typmod'],
    'CASE WHEN typid IN (20, 21, 23) THEN 0 WHEN typid = 1700 AND typmod >= 4 THEN (typmod - 4) & 65535 END::INTEGER',
  ],
  [
    '_pg_datetime_precision',
    ['typid, typmod'],
    'CASE WHEN typid = 1082 THEN 0 WHEN typid IN (1083, 1114, 1184, 1186, 1266) THEN CASE WHEN typmod BETWEEN 0 AND 6 THEN typmod ELSE 6 END END::INTEGER',
  ],
  ['_pg_expandarray', ['x'], `unnest(list_transform(x, lambda item, place: {'x': item, 'n': place::INTEGER}))`],
]

const keywords =
  'all analyse analyze and any as asc case cast check column create desc distinct else end except false for from grant group having in limit not null offset on or order primary references select table then true union unique user using when where with'
const tables: Macro[] = [
  ['_pg_expandarray', ['items'], 'SELECT unnest(items) AS x, unnest(range(1, len(items) + 1))::INTEGER AS n'],
  ['string_to_table', [two], 'SELECT unnest(pg_string_items(a, b)) AS string_to_table'],
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
  ...same('json_object_keys jsonb_object_keys', ['x'], 'SELECT unnest(json_keys(x)) AS json_object_keys'),
  ...same('json_array_elements jsonb_array_elements', ['x'], `SELECT unnest(json_extract(x, '$[*]')) AS value`),
  ...same(
    'json_array_elements_text jsonb_array_elements_text',
    ['x'],
    `SELECT unnest(json_extract_string(x, '$[*]')) AS value`,
  ),
  ['pg_partition_ancestors', ['x'], 'SELECT x::UINTEGER AS relid'],
  ['pg_options_to_table', ['x'], 'SELECT NULL::VARCHAR AS option_name, NULL::VARCHAR AS option_value WHERE false'],
  [
    'pg_partition_tree',
    ['x'],
    'SELECT x::UINTEGER AS relid, NULL::UINTEGER AS parentrelid, true AS isleaf, 0 AS level',
  ],
  ...same('jsonb_each pg_json_each', ['x'], 'SELECT key, value FROM json_each(x)'),
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

/**
 * How often a function writes its longest argument: it is a macro, so calls inside of calls grow by the product. Where types choose
 * between forms, each argument is looked at twice. 1 for other names.
 */
export function pgFunctionGrowth(name: string): number {
  if (!pgScalarFunctions.has(name)) return engineGrowth.get(name) ?? 1
  const known = growth.get(name) ?? growthOf(scalars.find(([one]) => one === name)!)
  growth.set(name, known)
  return known
}
const growth = new Map<string, number>()
/** The engine's own macros that write one more than once (`duckdb_functions()` has their text). */
const engineGrowth = new Map([
  ['array_pop_back', 2],
  ['array_to_string', 2],
  ['array_to_string_comma_default', 2],
  ['fmod', 2],
  ['nullif', 2],
  ['round_even', 3],
  ['split_part', 2],
])

function growthOf([, forms, sql, ...more]: Macro): number {
  const all: [string, string][] = [...forms.map((form): [string, string] => [form, sql]), ...more]
  const counts = all.flatMap(([form, body]) =>
    form
      .split(',')
      .map((parameter) => parameter.trim().split(' ')[0]!)
      .filter((parameter) => parameter !== '')
      .map((parameter) => body.match(new RegExp(`(?<![.'\\w])${parameter}\\b`, 'g'))?.length ?? 0),
  )
  const isTyped = all.length > 1 && all.some(([form]) => /\w [A-Z]/.test(form))
  return Math.max(1, ...counts) * (isTyped ? 2 : 1)
}
