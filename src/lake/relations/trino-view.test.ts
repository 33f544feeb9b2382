import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LoadedView } from '../../catalog/index.ts'
import { openWorld } from '../world.ts'
import { trinoView } from './trino-view.ts'

const trinoCatalog = 'lake'
let world: Awaited<ReturnType<typeof openWorld>>
beforeAll(async () => {
  world = await openWorld()
  await world.rows(`create table raw.orders (id bigint, customer bigint, region varchar, amount decimal(10, 2), share double,
    day date, at timestamp, tz timestamptz, ok boolean, parts struct(a integer))`)
  await world.rows('create table raw.customers (id bigint, "Full name" varchar, since date)')
})
afterAll(() => world?.close())

const asker = () => ({ principal: world.admin, trinoCatalog })

/** What stands in `FROM (…) AS "view"` of the text; undefined where there is none. */
async function inner(sql: string): Promise<string | undefined> {
  await world.query(`create or replace view raw.v as ${sql}`, { namespace: 'raw' })
  const view = (await world.tables.load({ catalog: 'dev_analytics', namespace: 'raw', name: 'v' })) as LoadedView
  const text = await trinoView(world.lake, view, asker())
  return text && /^SELECT .*? FROM \((.*)\) AS "view" \(.*\)$/s.exec(text)?.[1]
}
const orders = '"lake"."raw"."orders" AS "orders"'

test.each<[string, string]>([
  ['select * from raw.orders', `SELECT * FROM ${orders}`],
  [
    'select tz, max(tz) over () as last from orders where tz is not null',
    `SELECT "tz", max("tz") OVER (RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS "last" FROM ${orders} WHERE ("tz" IS NOT NULL)`,
  ],
  ['from orders', `SELECT * FROM ${orders}`],
  ['select o.id from dev_analytics.raw.orders o', 'SELECT "o"."id" FROM "lake"."raw"."orders" AS "o"'],
  [
    "select region as r, count(*) as n from orders where amount > 1.50 and region like 'N%' group by r having n > 1 order by n desc limit 3",
    `SELECT "region" AS "r", count(*) AS "n" FROM ${orders} WHERE (("amount" > DECIMAL '1.50') AND ("region" LIKE 'N%')) GROUP BY "region" HAVING (count(*) > 1) ORDER BY "n" DESC NULLS LAST LIMIT 3`,
  ],
  // Asked for by a name that a table has too, it is the table's.
  [
    'select upper(region) as region, count(*) as n from orders group by region',
    `SELECT upper("region") AS "region", count(*) AS "n" FROM ${orders} GROUP BY "region"`,
  ],
  [
    "select date_trunc('month', day) as m, sum(amount) as s from orders group by all",
    `SELECT date_trunc('month', "day") AS "m", sum("amount") AS "s" FROM ${orders} GROUP BY 1`,
  ],
  [
    'select id / 2 as half, id % 3 as rest, avg(id) over (partition by region order by day) as a from orders',
    `SELECT (CAST("id" AS double) / CAST(2 AS double)) AS "half", ("id" % nullif(3, 0)) AS "rest", avg(CAST("id" AS double)) OVER (PARTITION BY "region" ORDER BY "day" ASC NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS "a" FROM ${orders}`,
  ],
  [
    'select c."Full name", lag(o.id, 1, 0) over (order by o.id) as p from orders o left join customers c on o.customer = c.id',
    'SELECT "c"."Full name", lag("o"."id", 1, 0) OVER (ORDER BY "o"."id" ASC NULLS LAST) AS "p" FROM "lake"."raw"."orders" AS "o" LEFT JOIN "lake"."raw"."customers" AS "c" ON ("o"."customer" = "c"."id")',
  ],
  [
    'with x as (select id from orders) select id from x where id in (select id from customers) union all select 1',
    `WITH "x" AS (SELECT "id" FROM ${orders}) (SELECT "id" FROM "x" WHERE ("id" IN (SELECT "id" FROM "lake"."raw"."customers" AS "customers"))) UNION ALL (SELECT 1)`,
  ],
  [
    'select id from orders union select id from customers',
    `(SELECT "id" FROM ${orders}) UNION (SELECT "id" FROM "lake"."raw"."customers" AS "customers")`,
  ],
  [
    'select * exclude (parts, ok, tz, "at") replace (upper(region) as region) from orders',
    `SELECT "id", "customer", upper("region") AS "region", "amount", "share", "day" FROM ${orders}`,
  ],
  [
    'select distinct id, upper(region) as r, count(*) as n from orders group by id, region qualify row_number() over (partition by r order by id) = 1',
    `SELECT DISTINCT "c0" AS "id", "c1" AS "r", "c2" AS "n" FROM (SELECT "id" AS "c0", upper("region") AS "c1", count(*) AS "c2", (row_number() OVER (PARTITION BY upper("region") ORDER BY "id" ASC NULLS LAST) = 1) AS "chosen" FROM ${orders} GROUP BY "id", "region") AS "rows" WHERE "chosen"`,
  ],
  [
    'with newest as (select * from customers qualify rank() over (partition by id order by since desc) = 1) select id from newest',
    `WITH "newest" AS (SELECT "c0" AS "id", "c1" AS "full name", "c2" AS "since" FROM (SELECT "id" AS "c0", "full name" AS "c1", "since" AS "c2", (rank() OVER (PARTITION BY "id" ORDER BY "since" DESC NULLS LAST) = 1) AS "chosen" FROM "lake"."raw"."customers" AS "customers") AS "rows" WHERE "chosen") SELECT "id" FROM "newest"`,
  ],
  ["select nullif(region, '') as n from orders", `SELECT nullif("region", '') AS "n" FROM ${orders}`],
  [
    "select case when ok then 'it''s' else region || '!' end as c, day + interval 2 day as later, extract(year from day) as y from orders",
    `SELECT CASE WHEN "ok" THEN 'it''s' ELSE ("region" || '!') END AS "c", ("day" + INTERVAL '2' DAY) AS "later", year("day") AS "y" FROM ${orders}`,
  ],
  [
    "select id::varchar as i, amount::double as d, '2024-01-01'::date as t, true as b, coalesce(region, 'x') as r from orders where not ok or day is null",
    `SELECT CAST("id" AS varchar) AS "i", CAST("amount" AS double) AS "d", CAST('2024-01-01' AS date) AS "t", true AS "b", coalesce("region", 'x') AS "r" FROM ${orders} WHERE ((NOT "ok") OR ("day" IS NULL))`,
  ],
  [
    'select distinct x from (values (1), (2)) as v(x) where exists (select 1 from orders where id = x)',
    `SELECT DISTINCT "x" FROM (SELECT * FROM (VALUES (1), (2))) AS "v" ("x") WHERE EXISTS (SELECT 1 FROM ${orders} WHERE ("id" = "x"))`,
  ],
])('%s', async (sql, expected) => expect(await inner(sql)).toBe(expected))

test.each([
  // Rounded otherwise, printed otherwise, read otherwise.
  'select share::integer as i from orders',
  'select share::varchar as i from orders',
  'select "at"::varchar as i from orders',
  'select region::integer as i from orders',
  'select greatest(id, customer) as g from orders',
  'select concat(region, id) as g from orders',
  'select id || region as g from orders',
  'select extract(dow from day) as d from orders',
  'select id // 2 as h from orders',
  'select orders.parts.a from orders',
  'select current_date as d',
  'select id from orders qualify row_number() over (partition by region order by id) = 1 order by day',
  'select region, count(*) as n from orders group by rollup (region)',
  'select * exclude (parts) from orders join customers using (id)',
  'select * rename (day as d) from orders',
  "select columns('i.*') from orders",
  'select distinct on (region) region, id from orders',
  'select id from orders using sample 10',
  'select id from orders at (version => 1)',
  'select string_agg(region) as s from orders',
  'select [1, 2] as l',
  'select 9007199254740993 as n',
  // A day has another beginning in another time zone, and each engine has one of its own.
  "select date_trunc('day', tz) as d from orders",
  'select extract(hour from tz) as h from orders',
  "select id from orders where tz >= date '2024-01-01'",
  "select id from orders where timestamp '2024-01-01' between tz and tz",
  'select tz + interval 1 day as later from orders',
  "select date_trunc('day', tz) as d from (select * from orders)",
  // Its columns stand in another order there.
  'select * from orders join customers using (id)',
  // What `region` means here only the subquery knows.
  'select upper(region) as region, count(*) as n from (select * from orders) group by region',
  'select day from orders positional join customers',
  'select id from orders natural join customers',
  "select count(*) as n from orders where regexp_matches(region, 'N')",
])('no text: %s', async (sql) => {
  if (sql.includes('version =>')) await world.rows('insert into raw.orders (id) values (1)')
  expect(await inner(sql.replace('version => 1', 'timestamp => now()'))).toBeUndefined()
})

test('columns have the types that the view promises; another text stays, and whoever may not read below it gets none', async () => {
  await world.query('create or replace view raw.v as select sum(id) as s, any_value(parts) as p from raw.orders')
  const name = { catalog: 'dev_analytics', namespace: 'raw', name: 'v' }
  const view = (await world.tables.load(name)) as LoadedView
  expect(await trinoView(world.lake, view, asker())).toBeUndefined()
  await world.query('create or replace view raw.v as select sum(id) as s, parts as "p" from raw.orders group by parts')
  const grouped = (await world.tables.load(name)) as LoadedView
  expect(await trinoView(world.lake, grouped, asker())).toBe(
    `SELECT CAST("s" AS decimal(38, 0)) AS "s", "p" FROM (SELECT sum("id") AS "s", "parts" AS "p" FROM ${orders} GROUP BY "parts") AS "view" ("s", "p")`,
  )
  const [version] = grouped.metadata.versions.slice(-1)
  const own = { type: 'sql' as const, dialect: 'trino', sql: 'select 1' }
  const versions = [{ ...version!, representations: [...version!.representations, own] }]
  const theirs = { ...grouped, metadata: { ...grouped.metadata, versions, currentVersionId: version!.versionId } }
  expect(await trinoView(world.lake, theirs, asker())).toBeUndefined()
})
