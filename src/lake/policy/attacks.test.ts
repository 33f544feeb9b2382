// Statements of somebody who may see a part, each of which would tell or change more if a wall had a hole. What is expected was
// thought out for each: a code, or `seen` for an answer in which nothing hidden stands.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Failure } from '../../base/failure.ts'
import type { Principal } from '../../govern/index.ts'
import { collect } from '../lake.ts'
import { openWorld } from '../world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
let ana: Principal
let ida: Principal
beforeAll(async () => {
  world = await openWorld()
  const { rows } = world
  await rows('CREATE SCHEMA raw')
  await rows(`CREATE TABLE raw.people AS SELECT i AS id, CASE WHEN i % 2 = 0 THEN 'EU' ELSE 'US' END AS region,
    'secret-' || i AS email, {'a': 'secret-' || i, 'b': i} AS st, [i] AS l FROM range(1000) AS t(i)`)
  await rows(`CREATE TABLE raw.orders AS SELECT i AS id, 'secret-' || i AS person FROM range(100) AS t(i)`)
  await rows(`CREATE TABLE raw.hidden AS SELECT 'secret-0' AS x`)
  await rows(`CREATE TABLE raw.unread AS SELECT 1 AS id`)
  await rows(`CREATE TABLE raw.ledger AS SELECT i AS id, CASE WHEN i % 199 = 0 THEN '1' ELSE 'secret-(' || i END AS word,
    -i AS below FROM range(200) AS t(i)`)
  const lending = world.asking({ principal: { id: 'cli', name: 'op', role: 'admin' } })
  await world.lake.query('CREATE VIEW raw.page AS SELECT * FROM raw.ledger WHERE id % 199 = 0', lending)
  await world.lake.query('CREATE VIEW raw.pages AS SELECT p.* FROM raw.page p JOIN raw.ledger q USING (id)', lending)
  ana = await world.member('ana')
  ida = await world.member('ida')
  const on = (table: string) => ({ environment: '*', namespace: 'raw', table })
  const to = { kind: 'user' as const, name: 'ana' }
  const toIda = { kind: 'user' as const, name: 'ida' }
  await world.applyAccess({
    attributes: ['ana', 'ida'].map((user) => ({ user, values: { region: 'EU' } })),
    grants: [
      { privilege: 'select', on: on('people'), to },
      { privilege: 'select', on: on('orders'), columns: ['id'], to },
      { privilege: 'select', on: on('page*'), to },
      { privilege: 'all', on: on('mine*'), to },
      { privilege: 'select', on: on('people'), to: toIda },
      { privilege: 'select', on: on('orders'), columns: ['id'], to: toIda },
      ...['people', 'orders', 'unread'].flatMap((table) =>
        (['insert', 'delete'] as const).map((privilege) => ({ privilege, on: on(table), to: toIda })),
      ),
    ],
    rowFilters: [{ on: on('people'), except: [], condition: `region = attribute('region')` }],
    masks: [
      { on: on('people'), column: 'email', except: [], expression: `'***'` },
      { on: on('people'), column: 'st', except: [], expression: `NULL` },
    ],
  })
  await world.lake.query('CREATE TABLE raw.mine AS SELECT 1 AS id', world.asking({ principal: ana }))
}, 60_000)
afterAll(() => world?.close())

test.each<[sql: string, expected: 'seen' | string]>([
  // columns that are not granted, and values that are masked
  ['SELECT people FROM raw.people', 'seen'],
  ['SELECT to_json(p) FROM raw.people p', 'seen'],
  ['SELECT struct_pack(a := p.email, b := p.region) FROM raw.people p', 'seen'],
  ['SELECT orders FROM raw.orders', 'seen'],
  [`SELECT COLUMNS('.*') FROM raw.orders`, 'seen'],
  ['SELECT * REPLACE (1 AS id) FROM raw.orders', 'seen'],
  ['SELECT raw.orders.person FROM raw.orders', 'SQL_INVALID'],
  ['SELECT person FROM raw.orders', 'SQL_INVALID'],
  ['SELECT "PERSON" FROM raw.orders', 'SQL_INVALID'],
  ['SELECT id FROM raw.orders WHERE person IS NOT NULL', 'SQL_INVALID'],
  ['SELECT id FROM raw.orders ORDER BY person', 'SQL_INVALID'],
  ['SELECT o.id FROM raw.orders o JOIN raw.orders p USING (person)', 'SQL_INVALID'],
  ['SELECT st.a FROM raw.people', 'seen'],
  ['SELECT unnest(st) FROM raw.people', 'seen'],
  ['SELECT email FROM raw.people GROUP BY email', 'seen'],
  ['SELECT p.email FROM raw.people p JOIN raw.people q ON p.email = q.email LIMIT 5', 'seen'],
  ['SELECT rowid FROM raw.people', 'SQL_INVALID'],
  ['SELECT filename FROM raw.people', 'SQL_INVALID'],
  ['SELECT file_row_number FROM raw.people', 'SQL_INVALID'],
  ['SELECT _file, _pos FROM raw.people', 'SQL_INVALID'],
  ['SELECT _boathouse_file, _boathouse_pos FROM raw.people', 'SQL_INVALID'],
  ...['person', 'nothing'].flatMap((name): [string, string][] => [
    [`ALTER TABLE raw.orders ADD COLUMN IF NOT EXISTS ${name} INT`, 'FORBIDDEN'],
    [`ALTER TABLE raw.orders DROP COLUMN IF EXISTS ${name}`, 'FORBIDDEN'],
    [`ALTER TABLE raw.orders ADD COLUMN ${name} INT DEFAULT 1`, 'FORBIDDEN'],
    [`ALTER TABLE raw.orders ALTER COLUMN ${name} TYPE BIGINT`, 'FORBIDDEN'],
    [`ALTER TABLE raw.orders ALTER COLUMN ${name} SET DEFAULT 1`, 'FORBIDDEN'],
    [`ALTER TABLE raw.orders ALTER COLUMN ${name} DROP NOT NULL`, 'FORBIDDEN'],
    [`ALTER TABLE raw.orders ADD UNIQUE (${name}) NOT ENFORCED`, 'FORBIDDEN'],
    [`ALTER TABLE raw.orders ADD PARTITION FIELD bucket(2, ${name})`, 'FORBIDDEN'],
    [`ALTER TABLE raw.orders RENAME ${name} TO x`, 'FORBIDDEN'],
    [`COMMENT ON COLUMN raw.orders.${name} IS 'x'`, 'FORBIDDEN'],
    [`ALTER TABLE raw.orders WRITE ORDERED BY ${name}`, 'FORBIDDEN'],
  ]),
  // rows that are hidden
  [`SELECT * FROM raw.people AT (VERSION => 'main') WHERE region = 'US'`, 'seen'],
  [`SELECT * FROM raw.people FOR VERSION AS OF 'main' WHERE region <> 'EU'`, 'seen'],
  [`SELECT * FROM raw.people FOR TIMESTAMP AS OF now() WHERE region <> 'EU'`, 'seen'],
  [`SELECT * FROM raw.people WHERE region = 'EU' OR true`, 'seen'],
  [`SELECT * FROM raw.people WHERE NOT (region = 'EU')`, 'seen'],
  ['SELECT DISTINCT region FROM raw.people', 'seen'],
  ['SELECT histogram(region) FROM raw.people', 'seen'],
  ['SELECT approx_top_k(region, 5) FROM raw.people', 'seen'],
  ['SELECT * FROM raw.people TABLESAMPLE 50 ROWS', 'seen'],
  ['SELECT min(region), max(region), count(*) FROM raw.people', 'seen'],
  ['SELECT region FROM raw.people FULL JOIN raw.orders ON people.id = orders.id', 'seen'],
  [`SELECT id FROM raw.people ORDER BY CASE WHEN region = 'US' THEN 0 ELSE 1 END LIMIT 3`, 'seen'],
  // errors that tell
  ['SELECT error(region) FROM raw.people', 'SQL_REFUSED'],
  ['SELECT list_transform(l, x -> error(region)) FROM raw.people', 'SQL_REFUSED'],
  ['SELECT region::INT FROM raw.people', 'QUERY_FAILED'],
  ['SELECT email::DATE FROM raw.people', 'QUERY_FAILED'],
  [`SELECT strptime(email, '%Y') FROM raw.people`, 'QUERY_FAILED'],
  [`SELECT json_extract(email, '$') FROM raw.people`, 'QUERY_FAILED'],
  ['SELECT id::TINYINT FROM raw.people', 'QUERY_FAILED'],
  ['SELECT sum(id)::TINYINT FROM raw.people', 'QUERY_FAILED'],
  ['INSERT INTO raw.mine SELECT email::INT FROM raw.people', 'QUERY_FAILED'],
  // a view that shows rows of what may not be selected
  ['SELECT count(*), max(word) FROM raw.page', 'seen'],
  [`SELECT * FROM raw.page JOIN (VALUES (0)) v(x) ON strptime(word, '%d') IS NOT NULL AND x = id`, 'seen'],
  [`SELECT * FROM raw.page JOIN (VALUES (0)) v(x) ON regexp_matches('x', word) AND x = id`, 'seen'],
  [`SELECT * FROM raw.pages JOIN (VALUES (0)) v(x) ON unhex(word || '1') IS NOT NULL AND x = id`, 'seen'],
  [`SELECT * FROM raw.page JOIN (VALUES (0)) v(x) ON word::JSON IS NOT NULL AND x = id`, 'seen'],
  [`SELECT * FROM raw.page JOIN (VALUES (0)) v(x) ON word = 1 AND x = id`, 'seen'],
  ['CREATE VIEW raw.mine_page AS SELECT * FROM raw.page', 'seen'],
  [`SELECT * FROM raw.mine_page JOIN (VALUES (0)) v(x) ON strptime(word, '%d') IS NOT NULL AND x = id`, 'seen'],
  [`SELECT strptime(word, '%y%y') FROM raw.page`, 'QUERY_FAILED'],
  ['EXPLAIN SELECT * FROM raw.page', 'FORBIDDEN'],
  // what counts and describes
  ['SELECT * FROM raw."people$files"', 'FORBIDDEN'],
  ['SELECT * FROM raw."people$manifests"', 'FORBIDDEN'],
  ['SELECT * FROM raw.people.snapshots', 'FORBIDDEN'],
  ['SELECT * FROM raw."orders$partitions"', 'FORBIDDEN'],
  ['EXPLAIN SELECT * FROM raw.people', 'FORBIDDEN'],
  ['EXPLAIN ANALYZE SELECT id FROM raw.orders', 'FORBIDDEN'],
  ['EXPLAIN INSERT INTO raw.mine SELECT id FROM raw.people', 'FORBIDDEN'],
  [`EXPLAIN UPDATE raw.people SET id = 1 WHERE region = 'US'`, 'FORBIDDEN'],
  ['EXPLAIN DELETE FROM raw.orders USING raw.hidden', 'TABLE_NOT_FOUND'],
  ['EXPLAIN DELETE FROM raw.hidden', 'TABLE_NOT_FOUND'],
  ['EXPLAIN MERGE INTO raw.mine USING raw.people p ON mine.id = p.id WHEN MATCHED THEN DELETE', 'FORBIDDEN'],
  [`ALTER TABLE raw.mine SET ('boathouse.default.1' = '(SELECT max(x) FROM raw.hidden)')`, 'seen'],
  ['INSERT INTO raw.mine DEFAULT VALUES RETURNING *', 'seen'],
  ['SHOW CREATE TABLE raw.people', 'FORBIDDEN'],
  ['SUMMARIZE raw.people', 'seen'],
  ['DESCRIBE raw.orders', 'seen'],
  // tables that may not be known
  ['FROM raw.hidden', 'TABLE_NOT_FOUND'],
  ['TABLE raw.hidden', 'TABLE_NOT_FOUND'],
  ['DESCRIBE raw.hidden', 'TABLE_NOT_FOUND'],
  ['SUMMARIZE raw.hidden', 'TABLE_NOT_FOUND'],
  ['SHOW COLUMNS FROM raw.hidden', 'TABLE_NOT_FOUND'],
  ['SELECT * FROM raw."hidden$files"', 'TABLE_NOT_FOUND'],
  ['SELECT * FROM dev_analytics.raw.hidden', 'TABLE_NOT_FOUND'],
  ['SELECT * FROM "RAW"."Hidden"', 'TABLE_NOT_FOUND'],
  ['SELECT * FROM raw/**/.--\nhidden', 'TABLE_NOT_FOUND'],
  ['SELECT (SELECT x FROM raw.hidden)', 'TABLE_NOT_FOUND'],
  ['SELECT EXISTS (FROM raw.hidden)', 'TABLE_NOT_FOUND'],
  ['SELECT 1 IN (SELECT 1 FROM raw.hidden)', 'TABLE_NOT_FOUND'],
  ['VALUES ((SELECT x FROM raw.hidden))', 'TABLE_NOT_FOUND'],
  ['PIVOT raw.hidden ON x USING count(*)', 'TABLE_NOT_FOUND'],
  ['SELECT 1 FROM raw.people, LATERAL (FROM raw.hidden)', 'TABLE_NOT_FOUND'],
  ['SELECT region FROM raw.people UNION ALL SELECT x FROM raw.hidden', 'TABLE_NOT_FOUND'],
  ['WITH "raw.hidden" AS (SELECT 1) SELECT * FROM raw.hidden', 'TABLE_NOT_FOUND'],
  ['WITH hidden AS (SELECT * FROM raw.hidden) SELECT * FROM hidden', 'TABLE_NOT_FOUND'],
  ['WITH RECURSIVE hidden(x) AS (SELECT 1 UNION ALL SELECT 1 FROM raw.hidden) FROM hidden', 'TABLE_NOT_FOUND'],
  [`SELECT * FROM information_schema.tables WHERE table_name = 'hidden'`, 'seen'],
  [`SELECT * FROM information_schema.columns WHERE column_name IN ('person', 'x')`, 'seen'],
  [`SELECT relname FROM pg_catalog.pg_class WHERE relname = 'hidden'`, 'seen'],
  [`SELECT attname FROM pg_catalog.pg_attribute WHERE attname IN ('person', 'x')`, 'seen'],
  ['SHOW TABLES', 'seen'],
  ['SHOW GRANTS ON raw.hidden', 'seen'],
  ['SELECT * FROM system.audit', 'TABLE_NOT_FOUND'],
  ['SELECT * FROM SYSTEM.queries', 'TABLE_NOT_FOUND'],
  // ways around names
  [`SELECT * FROM query('FROM raw.hidden')`, 'SQL_REFUSED'],
  [`SELECT * FROM query_table('raw.hidden')`, 'SQL_REFUSED'],
  ['SELECT * FROM duckdb_tables(), duckdb_columns()', 'seen'],
  [`SELECT * FROM duckdb_tables() WHERE table_name = 'hidden' AND error('secret-' || table_name)`, 'SQL_REFUSED'],
  [`SELECT * FROM read_parquet('/**/*.parquet')`, 'SQL_REFUSED'],
  [`SELECT * FROM '/etc/passwd'`, 'SQL_UNSUPPORTED'],
  [`SELECT current_setting('temp_directory')`, 'SQL_REFUSED'],
  // changes
  ['CREATE VIEW raw.mine_v AS FROM raw.hidden', 'TABLE_NOT_FOUND'],
  ['INSERT INTO raw.mine SELECT 1 FROM raw.hidden', 'TABLE_NOT_FOUND'],
  ['INSERT INTO raw.mine SELECT person FROM raw.orders', 'SQL_INVALID'],
  ['DELETE FROM raw.mine USING raw.hidden WHERE true', 'TABLE_NOT_FOUND'],
  ['UPDATE raw.mine SET id = (SELECT count(*) FROM raw.hidden)', 'TABLE_NOT_FOUND'],
  ['MERGE INTO raw.mine USING raw.hidden h ON mine.id = 1 WHEN MATCHED THEN DELETE', 'TABLE_NOT_FOUND'],
  ['DROP TABLE raw.hidden', 'TABLE_NOT_FOUND'],
  ['DROP TABLE raw.people', 'FORBIDDEN'],
  ['ALTER TABLE raw.people DROP COLUMN region', 'FORBIDDEN'],
  ['ALTER TABLE raw.mine RENAME TO raw.other', 'FORBIDDEN'],
  [`CALL rollback_to_snapshot('raw.people', 1)`, 'FORBIDDEN'],
  [`CALL create_branch('raw.people', 'b')`, 'FORBIDDEN'],
  [`CALL register_table('raw.mine3', 'file:///x.metadata.json')`, 'FORBIDDEN'],
  [`CALL add_files('raw.mine', '/tmp')`, 'FORBIDDEN'],
  [`COPY raw.people TO '/tmp/x.csv'`, 'FORBIDDEN'],
  [`COPY raw.mine FROM '/etc/passwd'`, 'FORBIDDEN'],
  ['GRANT SELECT ON raw.hidden TO ana', 'FORBIDDEN'],
  ['GRANT ALL ON raw.mine TO public', 'FORBIDDEN'],
  ['CREATE ROLE r', 'FORBIDDEN'],
])('%s: %s', async (sql, expected) => {
  const found = await world.lake.query(sql, world.asking({ principal: ana })).then(
    async (result) => {
      const { rows } = await collect(result)
      return { code: 'seen', rows, provenance: result.provenance }
    },
    ({ code, message, hint, context }: { code: string; message: string; hint?: string; context?: object }) => ({
      code,
      // What somebody wrote themselves is no news.
      told: JSON.stringify([message, hint, context]).replaceAll(/person|hidden/gi, ''),
    }),
  )
  expect(found).toMatchObject({ code: expected })
  expect(JSON.stringify(found)).not.toMatch(/secret-|"US"|"person"|hidden/)
})

// Somebody who may add and delete rows of which they see a part.
test.each<[sql: string, expected: 'seen' | string, rows?: unknown[][]]>([
  [
    `INSERT INTO raw.people (id, region, email) VALUES (-1, 'EU', 'mine') RETURNING *`,
    'seen',
    [[-1, 'EU', '***', null, null]],
  ],
  [`INSERT INTO raw.people (id, region, email) VALUES (-2, 'US', 'mine') RETURNING id`, 'seen', []],
  [
    `INSERT INTO raw.people (id, region) VALUES (-3, 'EU') RETURNING (SELECT count(*) FROM raw.people WHERE region = 'US')`,
    'seen',
    [[0]],
  ],
  [`INSERT INTO raw.people (id, region) SELECT -4, 'EU' RETURNING (SELECT max(x) FROM raw.hidden)`, 'TABLE_NOT_FOUND'],
  [
    `INSERT INTO raw.people (id, region) VALUES (-5, 'EU') RETURNING (SELECT email::INT FROM raw.people LIMIT 1)`,
    'QUERY_FAILED',
  ],
  [`INSERT INTO raw.people (id, region) VALUES (-6, 'EU') RETURNING _file`, 'SQL_INVALID'],
  [`INSERT INTO raw.people (id, region) VALUES (-6, 'EU') RETURNING _boathouse_file`, 'SQL_INVALID'],
  ['INSERT INTO raw.orders (id) VALUES (-1) RETURNING *', 'seen', [[-1]]],
  [`INSERT INTO raw.orders (id, person) VALUES (-2, 'mine') RETURNING person`, 'SQL_INVALID'],
  ['INSERT INTO raw.orders (id) VALUES (-3) RETURNING raw.orders.person', 'SQL_INVALID'],
  ['INSERT INTO raw.orders (id) VALUES (-4) RETURNING COLUMNS(*)', 'seen', [[-4]]],
  ['INSERT INTO raw.orders (id) VALUES (-4) RETURNING (SELECT person FROM raw.orders AS _changed)', 'SQL_INVALID'],
  ['INSERT INTO raw.orders (id) VALUES (0) ON CONFLICT (id) DO NOTHING RETURNING id', 'FORBIDDEN'],
  [`INSERT INTO raw.orders (id, person) VALUES (-9, 'secret-7') ON CONFLICT (person) DO NOTHING`, 'FORBIDDEN'],
  [
    `INSERT INTO raw.people (id, email) VALUES (0, 'x') ON CONFLICT (id) DO UPDATE SET email = excluded.email`,
    'FORBIDDEN',
  ],
  [`INSERT INTO raw.people (id, email) VALUES (-9, 'secret-1') ON CONFLICT (email) DO NOTHING`, 'FORBIDDEN'],
  [`INSERT OR REPLACE INTO raw.people (id) VALUES (1)`, 'SQL_INVALID'],
  [`INSERT INTO raw.unread VALUES (1) RETURNING *`, 'FORBIDDEN'],
  [`INSERT INTO raw.unread VALUES (1) ON CONFLICT (id) DO NOTHING`, 'FORBIDDEN'],
  [`INSERT INTO raw.hidden VALUES ('x') RETURNING *`, 'TABLE_NOT_FOUND'],
  [`DELETE FROM raw.people WHERE id IN (10, 11) RETURNING *`, 'seen', [[10, 'EU', '***', null, [10]]]],
  [`DELETE FROM raw.people WHERE email = 'secret-12' RETURNING id`, 'seen', []],
  [`DELETE FROM raw.people WHERE id = 14 RETURNING email::INT`, 'QUERY_FAILED'],
  ['DELETE FROM raw.orders WHERE id = 1 RETURNING *', 'seen', [[1]]],
  ['DELETE FROM raw.orders WHERE id = 2 RETURNING person', 'SQL_INVALID'],
  [`UPDATE raw.people SET email = 'x' WHERE id = 2 RETURNING email`, 'FORBIDDEN'],
  [`MERGE INTO raw.people USING (SELECT 2 AS id) s USING (id) WHEN MATCHED THEN ERROR people.email`, 'FORBIDDEN'],
])('who sees a part and adds or deletes rows: %s: %s', async (sql, expected, rows) => {
  const found = await world.lake.query(sql, world.asking({ principal: ida })).then(
    async (result) => ({ code: 'seen', rows: (await collect(result)).rows }),
    ({ code, message, hint, context }: { code: string; message: string; hint?: string; context?: object }) => ({
      code,
      told: JSON.stringify([message, hint, context]).replaceAll(/person|hidden/gi, ''),
    }),
  )
  expect(found).toMatchObject(rows ? { code: expected, rows } : { code: expected })
  expect(JSON.stringify(found)).not.toMatch(/secret-|"US"|"person"|hidden/)
})

test.each([
  'INSERT INTO raw.orders (nope) VALUES (1)',
  'INSERT INTO raw.orders PARTITION (nope = 1) VALUES (1)',
  'INSERT INTO raw.orders VALUES (1)',
  'INSERT INTO raw.orders VALUES (1, 2, 3)',
  'UPDATE raw.orders SET nope = 1',
  'UPDATE raw.orders SET persn = 1',
  'DELETE FROM raw.orders WHERE nope = 1',
  'MERGE INTO raw.orders USING (SELECT 1 AS nope) s ON true WHEN NOT MATCHED THEN INSERT (nope) VALUES (1)',
  'ALTER TABLE raw.orders DROP COLUMN nope',
])('what a table has besides is not told with a mistake: %s', async (sql) => {
  const failure = (await world.rows(sql, { principal: ida }).catch((error: unknown) => error)) as Failure
  const { message, hint, context } = failure
  expect(JSON.stringify([message, hint, context])).not.toMatch(/person/)
})
