// Views that are written for DuckDB give the same rows in Trino, which reads them through our REST catalog: the text that
// is made for Trino (`src/lake/sql/trino.ts`) has to mean the same, on rows that engines like to disagree about.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { App } from '../../../src/cli/app.ts'
import { collect } from '../../../src/lake/index.ts'
import { openProject } from '../../support/contended-table.ts'
import { serveProject, type Served } from '../rck/served.ts'
import { labServices } from '../storage/lab.ts'
import { servedCatalog, startTrino, trinoHome, type Trino } from '../storage/trino.ts'
import { asTrino, ofTrino } from './trino-form.ts'

const lab = await labServices()
let trino: Trino
let served: Served
let app: App

beforeAll(async () => {
  if (!lab) return
  trino = await startTrino(await trinoHome())
  served = await serveProject({ warehouses: [] })
  app = await openProject(served.dir)
  await run(`create table raw.orders as select * from (values
    (1, 7, 'North', 10.50::decimal(10, 2), 1.5::double, date '2024-01-31', timestamp '2024-01-31 23:59:59.123456', true),
    (2, 7, 'north ', -2.25, -2.5, date '2024-02-29', timestamp '2024-02-29 00:00:00', false),
    (3, 8, 'Süd', 0, 0, date '2023-12-31', timestamp '1969-12-31 23:59:59', null),
    (4, null, '', 99999999.99, 1e300, date '2024-12-30', timestamp '2024-12-30 12:30:00', true),
    (5, 9, null, null, null, null, null, null),
    (-6, 9, 'O''Neil 100%', 2.35, 2.675, date '1999-01-01', timestamp '1999-01-01 01:01:01', false)
  ) as v(id, customer, region, amount, share, day, "at", ok)`)
  await run(`create table raw.customers as select * from (values (7, 'Ada', date '2020-02-29'), (8, 'Bob', null), (10, null, null))
    as v(id, "Full name", since)`)
  // Trino has to call the catalog as its warehouse is called.
  await trino.addCatalog('dev', servedCatalog(served, 'dev'))
}, 600_000)
afterAll(async () => {
  await trino?.stop()
  await app?.close()
  await served?.stop()
})

const run = async (sql: string) => (await collect(await app.lake.query(sql, app.asking('cli')))).rows

/** Rows in no order; sums of doubles may differ in their last digit. */
const comparable = (rows: readonly unknown[][]) => rows.map((row) => JSON.stringify(row.map(rounded))).toSorted()
const rounded = (value: unknown) => {
  const number = typeof value === 'number' ? value : Number.NaN
  return Number.isFinite(number) && !Number.isInteger(number) ? number.toPrecision(12) : value
}

test
  .skipIf(!lab)
  .each([
    'select * from raw.orders',
    'select id, amount * 2 as twice, amount + id as more, amount - 1.5 as less, -id as minus, abs(id) as size from raw.orders',
    'select id / 4 as part, amount / 3 as third, id / 0 as never, id % 4 as rest, id % 0 as none, share % 2 as odd from raw.orders',
    'select id, round(amount, 1) as one, round(share) as near, round(share, 2) as two, floor(amount) as low, ceil(share) as high from raw.orders',
    'select id, amount::integer as whole, amount::decimal(12, 1) as short, id::double as d, amount::double as a from raw.orders where amount < 1000',
    "select id, id::varchar as i, amount::varchar as a, day::varchar as d, '5'::varchar as t from raw.orders",
    "select id, region || '!' as loud, upper(region) as u, lower(region) as l, length(region) as n, trim(region) as t, left(region, 2) as f, substr(region, 2, 3) as m, replace(region, 'o', '0') as r from raw.orders",
    "select id from raw.orders where region like '%o%' and region not like 'N%'",
    "select id, coalesce(region, 'none') as r, nullif(region, '') as n, case when ok then 1 when not ok then 2 else 0 end as c from raw.orders",
    "select id, case region when 'North' then 'N' when 'Süd' then 'S' end as c from raw.orders",
    "select id from raw.orders where day between date '2024-01-01' and '2024-02-29'::date or id in (4, 5)",
    'select id from raw.orders where id not in (1, 2) and day is not null',
    'select id from raw.orders where customer is distinct from 7',
    "select id, date_trunc('month', day) as m, date_trunc('week', day) as w, date_trunc('hour', \"at\") as h from raw.orders",
    'select id, extract(year from day) as y, extract(month from day) as m, extract(week from day) as w, extract(quarter from day) as q, extract(isodow from day) as d, extract(doy from day) as n, extract(hour from "at") as h, extract(second from "at") as s from raw.orders',
    'select id, day + interval 1 month as later, day - interval 2 day as before, "at" + interval 3 hour as soon from raw.orders',
    'select region, count(*) as n, count(amount) as c, sum(amount) as s, sum(id) as i, avg(amount) as a, avg(id) as b, min(day) as d, max(region) as m from raw.orders group by region',
    'select customer as who, count(distinct region) as n, sum(share) as s, bool_and(ok) as a, bool_or(ok) as o from raw.orders group by who having n > 0',
    "select date_trunc('month', day) as m, count(*) filter (where ok) as n from raw.orders group by all",
    'select count(*) as n, stddev(id) as s, var_pop(id) as v from raw.orders',
    'select o.id, c."Full name", c.since from raw.orders o left join raw.customers c on o.customer = c.id',
    'select * exclude (ok, "at") replace (upper(region) as region) from raw.orders',
    'select * from raw.orders qualify row_number() over (partition by customer order by day desc, id) = 1',
    'select customer, count(*) as n, rank() over (order by count(*) desc) as place from raw.orders group by customer qualify place = 1',
    'with newest as (select * from raw.orders qualify row_number() over (partition by customer order by id) = 1) select id, region from newest where ok',
    'select o.id, c.id as other from raw.orders o full join raw.customers c on o.customer = c.id',
    'select c.id, d.id as other from raw.customers c cross join raw.customers d',
    'select o.id from raw.orders o join raw.customers c on o.customer = c.id join raw.orders p on p.customer = c.id and p.id > o.id',
    'select id from raw.orders union select id from raw.customers',
    'select id from raw.orders intersect select id from raw.customers union all select 1',
    'select customer from raw.orders except select id from raw.customers',
    'select distinct customer from raw.orders',
    'select id from raw.orders where exists (select 1 from raw.customers c where c.id = customer)',
    'select id, (select max(since) from raw.customers) as s from raw.orders where customer in (select id from raw.customers)',
    'with a as (select customer, count(*) as n from raw.orders group by customer), b as (select * from a where n > 1) select a.customer, b.n from a left join b on a.customer = b.customer',
    'select id, row_number() over (partition by customer order by id desc) as r, rank() over (order by customer) as k, lag(id) over (order by id) as p, lead(id, 2, 0) over (order by id) as l from raw.orders',
    'select id, sum(id) over (order by id) as running, sum(id) over (order by id rows between 1 preceding and current row) as two, count(*) over () as n, first_value(region) over (order by id) as f, last_value(id) over (partition by customer order by id) as z from raw.orders',
    'select id from raw.orders order by region nulls first, id desc limit 3 offset 1',
    'select x, y from (values (1, 2), (3, 4)) as v(x, y) where x + y > 3',
    'select upper(region) as region, count(*) as n from raw.orders group by region',
    'select region as id, sum(id) as s from raw.orders group by region',
  ])('%s', async (sql) => {
  await run(`create or replace view raw.v as ${sql}`)
  const ours = await run('select * from raw.v')
  expect(ours.length).toBeGreaterThan(0)
  const theirs = (await trino.rows('select * from dev.raw.v')).map((row) => row.map(ofTrino))
  expect(comparable(theirs)).toEqual(comparable(ours.map((row) => row.map(asTrino))))
})
