import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Dashboard, DashboardData, DimensionValues, type PanelData, type PanelRows } from '../contract/index.ts'
import type { Models } from '../semantic/index.ts'
import { checkDashboard } from './check.ts'
import { compileDashboard, type CompiledDashboard } from './compile.ts'
import { loadDashboardData, loadFilterValues, type LoadOptions } from './load.ts'
import { compileText, loading, openSalesWorld, salesFile, salesModels } from './world.testing.ts'

let world: Awaited<ReturnType<typeof openSalesWorld>>
let models: Models
let sales: CompiledDashboard
beforeAll(async () => {
  world = await openSalesWorld()
  models = await salesModels()
  sales = compileDashboard(await salesFile(), models)
})
afterAll(() => world.close())

const load = async (more: Partial<LoadOptions> = {}, dashboard = sales) =>
  DashboardData.parse(await loadDashboardData(loading(world, dashboard, more)))
const rowsOf = (data: PanelData | undefined): PanelRows => {
  if (!data || 'failure' in data) throw new Error(JSON.stringify(data))
  return data
}
const valueOf = (data: PanelData | undefined) => rowsOf(data).rows[0]?.[0]
const kpis = ['revenue', 'orders', 'customers', 'average_order_value']

test('the definition of the example is what the contract says', () => {
  const definition = Dashboard.parse(sales.definition)
  expect(definition.problems).toEqual([])
  expect(definition.layout.map(({ cells }) => cells.map(({ panel, span }) => `${panel} ${span}`))).toEqual([
    ['revenue 3', 'orders 3', 'customers 3', 'average_order_value 3'],
    ['revenue-by-day 12'],
    ['revenue-by-region 6', 'revenue-by-product 6'],
    ['orders-2 12'],
  ])
  expect(definition.panels.slice(0, 4).map(({ title }) => title)).toEqual([
    'Total Revenue',
    'Total Orders',
    'Unique Customers',
    'Average Order Value',
  ])
  expect(definition.panels.every(({ filters }) => filters.join() === 'region,period')).toBe(true)
})

describe('the KPIs equal SQL over the CSV, as read into raw.sales', () => {
  test.each([
    ['unfiltered', {}, 'true'],
    ['by region', { region: ['North'] }, "region = 'North'"],
    ['two regions', { region: ['North', 'West'] }, "region in ('North', 'West')"],
    [
      'for a date range',
      { period: { from: '2024-02-01', to: '2024-02-29' } },
      "order_date between '2024-02-01' and '2024-02-29'",
    ],
    [
      'both, open at the start',
      { region: ['East'], period: { from: null, to: '2024-01-31' } },
      "region = 'East' and order_date <= '2024-01-31'",
    ],
  ])('%s', async (_, filters, where) => {
    const { panels } = await load({ filters })
    const [expected] = await world.rows(
      `select sum(quantity * amount), count(distinct order_id), count(distinct customer_id), (sum(quantity * amount) / count(distinct order_id))::decimal(38,6) from raw.sales where ${where}`,
    )
    expect(kpis.map((id) => valueOf(panels[id]))).toEqual(expected)
    const byDay = rowsOf(panels['revenue-by-day'])
    expect(byDay.rows).toEqual(
      await world.rows(
        `select order_date::date, sum(quantity * amount) from raw.sales where ${where} group by 1 order by 1`,
      ),
    )
    expect(rowsOf(panels['revenue']).sparkline!.points).toEqual(byDay.rows)
    const byProduct = await world.rows(
      `select product, sum(quantity * amount) from raw.sales where ${where} group by 1 order by 2 desc`,
    )
    expect(rowsOf(panels['revenue-by-product']).rows).toEqual(byProduct)
    const details = rowsOf(panels['orders-2'])
    const [count] = await world.rows(`select count(*) from raw.sales where ${where}`)
    expect([details.rows.length, details.truncated]).toEqual([
      Math.min(500, Number(count![0])),
      Number(count![0]) > 500,
    ])
  })
})

test('every grain, operator and comparison is SQL that the lake allows', async () => {
  const grains = ['day', 'week', 'month', 'quarter', 'year']
  const where = [
    '{dimension: product, op: contains, values: o}',
    '{dimension: quantity, op: between, values: [1, 5]}',
    '{dimension: region, op: not, values: X}',
    '{dimension: region, op: not_in, values: [X, null]}',
    '{dimension: region, op: not_empty}',
    '{dimension: order_date, op: gte, values: 2024-01-01}',
  ]
  const panels = grains.map(
    (grain) =>
      `      - {kind: kpi, id: ${grain}, metric: average_order_value, compare: previous_period, sparkline: ${grain}, where: [${where.join(', ')}]}`,
  )
  const text = `title: T\nfilters: [{id: period, kind: date_range, dimension: order_date}]\nrows:\n  - panels:\n${panels.join('\n')}\n`
  const found = await load({ filters: { period: { from: '2024-02-10', to: '2024-03-10' } } }, compileText(text, models))
  const [expected] = await world.rows(
    "select (sum(quantity * amount) / count(*))::decimal(38,6) from raw.sales where product like '%o%' and order_date between '2024-02-10' and '2024-03-10'",
  )
  for (const grain of grains) {
    expect(valueOf(found.panels[grain])).toBe(expected![0])
    expect(rowsOf(found.panels[grain]).sparkline).toMatchObject({ grain, points: expect.arrayContaining([]) })
  }
})

test('the period before', async () => {
  const { panels } = await load({
    filters: { period: { from: '2024-03-01', to: '2024-03-30' } },
    panels: ['revenue', 'average_order_value'],
  })
  const [before] = await world.rows(
    "select sum(quantity * amount), (sum(quantity * amount) / count(distinct order_id))::decimal(38,6) from raw.sales where order_date between '2024-01-31' and '2024-02-29'",
  )
  expect(Object.keys(panels)).toEqual(['revenue', 'average_order_value'])
  expect(rowsOf(panels['revenue']).comparison).toEqual({ value: before![0], from: '2024-01-31', to: '2024-02-29' })
  expect(rowsOf(panels['average_order_value']).comparison!.value).toBe(before![1])
  const open = await load({ filters: { period: { from: '2024-03-01', to: null } }, panels: ['revenue'] })
  expect(rowsOf(open.panels['revenue']).comparison).toBeNull()
})

test('where the data comes from, and the days it has', async () => {
  const { freshness, bounds, revision } = await load()
  expect(freshness.tables.map(({ table }) => table)).toEqual(['dev_analytics.staging.stg_sales'])
  expect(freshness.committedAt).toBe(freshness.tables[0]!.committedAt)
  expect(bounds).toEqual({ period: { from: '2024-01-01', to: '2024-03-30' } })
  expect(revision).toBe(sales.definition.revision)
})

test('panels of the same rows and groups are one statement, and the second time none', async () => {
  const asked: string[] = []
  const lake: LoadOptions['lake'] = { query: (sql, options) => (asked.push(sql), world.lake.query(sql, options)) }
  const filters = { region: ['South'] }
  await load({ lake, filters })
  // KPIs, sparklines with the line by day, two bars, the table, the bounds of the period.
  expect(asked).toHaveLength(6)
  const again = await load({ lake, filters })
  expect(Object.values(again.panels).every((data) => rowsOf(data).cached.hit)).toBe(true)
})

test('every panel shows SQL that gives its own rows', async () => {
  const { panels } = await load({ filters: { region: ['South'] } })
  for (const data of Object.values(panels)) {
    const { sql, rows, truncated } = rowsOf(data)
    const own = await world.rows(sql)
    if (!truncated) expect(own.map((row) => row.slice(0, rows[0]!.length))).toEqual(rows)
  }
})

describe('filters that cannot be', () => {
  test.each([
    [{ regoin: ['North'] }, 'this dashboard has no filter "regoin"; did you mean "region"?'],
    [{ period: ['North'] }, 'the filter "period" takes a range of days, {from, to}'],
    [{ region: { from: null, to: null } }, 'the filter "region" takes a list of values'],
    [
      { period: { from: '2024-02-30', to: null } },
      'the filter "period" has "2024-02-30", which is not a day as in 2024-01-31',
    ],
    [
      { period: { from: '2024-02-02', to: '2024-02-01' } },
      'the filter "period" begins on 2024-02-02, after its end on 2024-02-01',
    ],
  ])('%j', async (filters, message) => {
    await expect(load({ filters })).rejects.toMatchObject({ code: 'REQUEST_INVALID', message })
  })

  test('a panel that is not there', async () => {
    await expect(load({ panels: ['revenu'] })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: 'the dashboard "sales" has no panel "revenu"; did you mean "revenue"?',
    })
  })

  test('a value that is SQL finds nothing and does nothing', async () => {
    const { panels } = await load({ filters: { region: ["North' OR 1=1 --", "'; drop table staging.stg_sales; --"] } })
    expect(valueOf(panels['orders'])).toBe(0)
    expect(valueOf(panels['revenue'])).toBeNull()
    expect(valueOf(panels['average_order_value'])).toBeNull()
  })
})

test('the values of a filter', async () => {
  const ask = async (more: { filter: string; limit: number; search?: string }) =>
    DimensionValues.parse(await loadFilterValues({ ...loading(world, sales), ...more }))
  const all = await ask({ filter: 'region', limit: 10 })
  expect(all.values.map(({ value }) => value)).toEqual(['Central', 'East', 'North', 'South', 'West'])
  expect(all.values.reduce((sum, { rows }) => sum + rows!, 0)).toBe(1000)
  expect(all.complete).toBe(true)
  expect(await ask({ filter: 'region', limit: 1, search: 'T' })).toMatchObject({
    values: [{ value: 'Central' }],
    complete: false,
  })
  await expect(ask({ filter: 'period', limit: 1 })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: 'the dashboard "sales" has no select filter "period"; there is: region',
  })
})

const withSql = `title: T
filters:
  - {id: region, kind: select, dimension: region}
  - {id: period, kind: date_range, dimension: order_date}
rows:
  - panels:
      - kind: table
        id: groups
        columns: [r, {name: total, format: currency, bar: true}]
        sql: |
          select s.region as r, sum(line_total) as total -- {{ not a filter }}
          from staging.stg_sales s
          where {{ region: s.region }} and {{ period }}
          group by 1 order by 1
      - {kind: kpi, id: one, value: n, sql: "select count(*) as n from staging.stg_sales"}
      - {kind: line, id: line, x: d, y: [a, b], sql: "select order_date as d, 1 as a, 2 as b from staging.stg_sales limit 3"}
  - panels:
      - {kind: text, markdown: "# Hello"}
`

test('panels with SQL of their own', async () => {
  const dashboard = compileText(withSql, models)
  expect(dashboard.definition.problems).toEqual([])
  expect(Dashboard.parse(dashboard.definition).panels.map(({ id, filters }) => [id, filters])).toEqual([
    ['groups', ['region', 'period']],
    ['one', []],
    ['line', []],
    ['text', []],
  ])
  expect((await checkDashboard(dashboard, bind)).definition.problems).toEqual([])
  const filters = { region: ['North', "O'x"], period: { from: '2024-01-01', to: '2024-01-31' } }
  const { panels } = await load({ filters }, dashboard)
  expect(rowsOf(panels['groups']).rows).toEqual(
    await world.rows(
      "select region, sum(line_total) from staging.stg_sales where region = 'North' and order_date <= '2024-01-31' group by 1",
    ),
  )
  expect(valueOf(panels['one'])).toBe(1000)
  expect(rowsOf(panels['line']).rows).toHaveLength(3)
  expect(rowsOf((await load({}, dashboard)).panels['groups']).rows).toHaveLength(5)
})

const bind = (sql: string) =>
  world.lake.bind(sql, { principal: world.reader, catalog: 'dev_analytics', door: 'dashboard' })

const broken = `title: T
rows:
  - panels:
      - {kind: kpi, metric: orders}
      - {kind: table, id: details, columns: [order_id, custmer_id]}
      - kind: table
        id: own
        columns: [r]
        sql: |
          select region as r
          from staging.stg_sales
          where regio = 'x'
      - {kind: kpi, id: named, value: m, sql: select 1 as n}
      - {kind: kpi, id: nowhere, value: n, sql: select 1 as n from marts.nothing}
`

test('one broken panel does not break the others; its mistake has a place in the file', async () => {
  const dashboard = compileText(broken, models)
  const expected = {
    details: {
      code: 'DASHBOARD_INVALID',
      message: 'there is no column "custmer_id"; did you mean "customer_id"?',
      place: { file: 'dashboards/test.yml', line: 5, column: 56 },
    },
    own: { code: 'DASHBOARD_INVALID', place: { file: 'dashboards/test.yml', line: 12, column: 17 } },
    named: {
      code: 'DASHBOARD_INVALID',
      message: 'the result has no column "m"; there is: n',
      place: { file: 'dashboards/test.yml', line: 13, column: 39 },
    },
  }
  const { panels } = await load({}, dashboard)
  expect(valueOf(panels['orders'])).toBe(1000)
  for (const [id, failure] of Object.entries(expected)) expect(panels[id], id).toMatchObject({ failure })
  expect(panels['nowhere']).toMatchObject({ failure: { code: 'TABLE_NOT_FOUND', requestId: 'r1' } })

  const checked = await checkDashboard(dashboard, bind)
  expect(checked.definition.problems.map(({ panel }) => panel)).toEqual(['details', 'own', 'named'])
  for (const problem of checked.definition.problems) expect(problem).toMatchObject(expected[problem.panel as 'own'])
  expect(checked.definition.panels.map(({ id }) => id)).toEqual(['orders', 'nowhere'])
  expect(checked.definition.revision).not.toBe(dashboard.definition.revision)
})

test('when a statement of several panels fails, only the one at fault fails', async () => {
  const changed = new Map(models)
  const model = models.get('sales')!
  const units = model.metrics.get('units')!
  changed.set('sales', {
    ...model,
    metrics: new Map([
      ...model.metrics,
      ['units', { ...units, compute: { kind: 'aggregate', agg: 'sum', expr: 'region', filter: null, scale: 6 } }],
    ]),
  })
  const dashboard = compileText(
    'title: T\nrows: [{panels: [{kind: kpi, metric: orders}, {kind: kpi, metric: units}]}]',
    changed,
  )
  const { panels } = await load({}, dashboard)
  expect(valueOf(panels['orders'])).toBe(1000)
  expect(panels['units']).toMatchObject({ failure: { code: 'DASHBOARD_INVALID' } })
})

test('as of a moment before the data, and after an abort', async () => {
  const { panels } = await load({ asOf: '2020-01-01T00:00:00Z', panels: ['orders'] })
  expect('failure' in panels['orders']! || valueOf(panels['orders']) === 0).toBe(true)
  await expect(load({ signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone')
})
