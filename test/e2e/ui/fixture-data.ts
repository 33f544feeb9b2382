// A small company for the browser tests: 1,000 orders from a fixed seed, a dashboard over them, tables, runs. What the
// dashboard shows is really computed from the orders under the filters asked for.

import type {
  Catalog,
  Connect,
  Dashboard,
  DashboardData,
  DashboardQuestion,
  DateRange,
  Home,
  Model,
  ModelSummary,
  Models,
  Publication,
  Run,
  RunDetail,
  Schedule,
  Step,
  Table,
  User,
} from '../../../src/contract/index.ts'

export const now = '2026-11-21T06:06:00Z'
export const committedAt = '2026-11-21T06:02:11Z'
const catalog = 'dev_analytics'

const regions = ['North', 'South', 'East', 'West', 'Central']
const products = ['Laptop', 'Phone', 'Tablet', 'Monitor', 'Headphones', 'Keyboard', 'Docking station']
export type Order = {
  id: string
  customer: string
  day: string
  product: string
  quantity: number
  cents: number
  region: string
}

/** Mulberry32: the same numbers on every machine. */
function randoms(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function makeOrders(): Order[] {
  const random = randoms(7)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() ** 1.3 * list.length)]!
  return Array.from({ length: 1_000 }, (_, index) => ({
    id: `ORD-${String(index + 1).padStart(4, '0')}`,
    customer: `CUST-${String(1 + Math.floor(random() * 200)).padStart(4, '0')}`,
    day: new Date(Date.UTC(2024, 0, 1 + Math.floor(random() * 90))).toISOString().slice(0, 10),
    product: pick(products),
    quantity: 1 + Math.floor(random() * 5),
    cents: 2_000 + Math.floor(random() * 198_000),
    region: pick(regions),
  }))
}

const money = (cents: number): string => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
const total = (orders: readonly Order[]): number =>
  orders.reduce((sum, { quantity, cents }) => sum + quantity * cents, 0)
const by = <Key extends 'day' | 'region' | 'product'>(orders: readonly Order[], key: Key): Map<string, Order[]> =>
  Map.groupBy(orders, (order) => order[key])

const usd = { kind: 'currency', currency: 'USD' } as const
export const salesDashboard: Dashboard = {
  name: 'sales',
  title: 'Sales',
  description: 'Orders of the first quarter: revenue, customers and what they bought.',
  file: 'dashboards/sales.yml',
  revision: 'r1',
  problems: [],
  filters: [
    { id: 'region', kind: 'select', label: 'Region', dimension: 'region', multiple: true, default: [] },
    { id: 'product', kind: 'select', label: 'Product', dimension: 'product', multiple: true, default: [] },
    { id: 'period', kind: 'date_range', label: 'Period', dimension: 'order_date', default: { from: null, to: null } },
  ],
  panels: [
    kpi('total_revenue', 'Total revenue', { ...usd, decimals: 2 }),
    kpi('total_orders', 'Total orders', { kind: 'number', decimals: 0 }),
    kpi('unique_customers', 'Unique customers', { kind: 'number', decimals: 0 }),
    kpi('average_order_value', 'Average order value', { ...usd, decimals: 2 }),
    {
      id: 'revenue_by_day',
      kind: 'line',
      title: 'Revenue by day',
      description: null,
      filters: ['region', 'product', 'period'],
      series: null,
      x: { column: 'order_date', label: 'Day', kind: 'time', grain: 'day' },
      y: [{ column: 'revenue', label: 'Revenue', format: { ...usd, decimals: 2 } }],
    },
    {
      id: 'revenue_by_region',
      kind: 'bar',
      title: 'Revenue by region',
      description: null,
      filters: ['region', 'product', 'period'],
      series: null,
      direction: 'horizontal',
      category: { column: 'region', label: 'Region', format: { kind: 'text' } },
      y: [{ column: 'revenue', label: 'Revenue', format: { ...usd, decimals: 0 } }],
    },
    {
      id: 'revenue_by_week',
      kind: 'line',
      title: 'Revenue by week and region',
      description: null,
      filters: ['region', 'product', 'period'],
      series: 'region',
      x: { column: 'week', label: 'Week', kind: 'time', grain: 'week' },
      y: [{ column: 'revenue', label: 'Revenue', format: { ...usd, decimals: 0 } }],
    },
    {
      id: 'revenue_by_product',
      kind: 'bar',
      title: 'Revenue by product',
      description: null,
      filters: ['region', 'product', 'period'],
      series: null,
      direction: 'vertical',
      category: { column: 'product', label: 'Product', format: { kind: 'text' } },
      y: [{ column: 'revenue', label: 'Revenue', format: { ...usd, decimals: 0 } }],
    },
    {
      id: 'details',
      kind: 'table',
      title: 'Orders',
      description: null,
      filters: ['region', 'product', 'period'],
      columns: [
        { column: 'order_date', label: 'Day', format: { kind: 'date' }, bar: false },
        { column: 'region', label: 'Region', format: { kind: 'text' }, bar: false },
        { column: 'product', label: 'Product', format: { kind: 'text' }, bar: false },
        { column: 'orders', label: 'Orders', format: { kind: 'number' }, bar: false },
        { column: 'units', label: 'Units', format: { kind: 'number' }, bar: false },
        { column: 'revenue', label: 'Revenue', format: { ...usd, decimals: 2 }, bar: true },
      ],
    },
  ],
  layout: [
    {
      height: 'auto',
      cells: ['total_revenue', 'total_orders', 'unique_customers', 'average_order_value'].map((panel) => ({
        panel,
        span: 3,
      })),
    },
    {
      height: 'medium',
      cells: [
        { panel: 'revenue_by_day', span: 8 },
        { panel: 'revenue_by_region', span: 4 },
      ],
    },
    {
      height: 'medium',
      cells: [
        { panel: 'revenue_by_week', span: 7 },
        { panel: 'revenue_by_product', span: 5 },
      ],
    },
    { height: 'auto', cells: [{ panel: 'details', span: 12 }] },
  ],
}
function kpi(
  id: string,
  title: string,
  format: Extract<Dashboard['panels'][number], { kind: 'kpi' }>['value']['format'],
): Dashboard['panels'][number] {
  return {
    id,
    kind: 'kpi',
    title,
    description: null,
    filters: ['region', 'product', 'period'],
    value: { column: id, label: title, format },
    comparison: 'previous_period',
    better: 'up',
    sparkline: true,
  }
}

const dayMs = 86_400_000
const shift = (day: string, days: number): string => new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10)
const inRange = (day: string, { from, to }: DateRange): boolean =>
  (from === null || day >= from) && (to === null || day <= to)
const weekOf = (day: string): string => shift(day, -((new Date(day).getUTCDay() + 6) % 7))

export function dashboardData(all: readonly Order[], dashboard: Dashboard, question: DashboardQuestion): DashboardData {
  const chosen = (id: string): string[] => (question.filters[id] as string[] | undefined) ?? []
  const range = (question.filters['period'] as DateRange | undefined) ?? { from: null, to: null }
  const other = all.filter(
    ({ region, product }) =>
      (chosen('region').length === 0 || chosen('region').includes(region)) &&
      (chosen('product').length === 0 || chosen('product').includes(product)),
  )
  const orders = other.filter(({ day }) => inRange(day, range))
  const days = range.from && range.to ? (Date.parse(range.to) - Date.parse(range.from)) / dayMs + 1 : null
  const earlier = days === null ? null : { from: shift(range.from!, -days), to: shift(range.from!, -1) }
  const before = earlier && other.filter(({ day }) => inRange(day, earlier))
  const byDay = [...by(orders, 'day')].sort(([a], [b]) => (a < b ? -1 : 1))

  const kpis: Record<string, (of: readonly Order[]) => unknown> = {
    total_revenue: (of) => (of.length === 0 ? null : money(total(of))),
    total_orders: (of) => of.length,
    unique_customers: (of) => new Set(of.map(({ customer }) => customer)).size,
    average_order_value: (of) => (of.length === 0 ? null : money(Math.round(total(of) / of.length))),
  }
  const ranked = (key: 'region' | 'product') =>
    [...by(orders, key)]
      .map(([name, of]) => [name, total(of)] as const)
      .sort((a, b) => b[1] - a[1])
      .map(([name, cents]) => [name, money(cents)])
  const text = (name: string) => ({ name, type: 'VARCHAR', nullable: true })
  const decimal = (name: string) => ({ name, type: 'DECIMAL(38,2)', nullable: true })
  const date = (name: string) => ({ name, type: 'DATE', nullable: true })
  const rows: Record<
    string,
    {
      columns: DashboardData['panels'][string] extends infer P ? Extract<P, { columns: unknown }>['columns'] : never
      rows: unknown[][]
    }
  > = {
    revenue_by_day: {
      columns: [date('order_date'), decimal('revenue')],
      rows: byDay.map(([day, of]) => [day, money(total(of))]),
    },
    revenue_by_region: { columns: [text('region'), decimal('revenue')], rows: ranked('region') },
    revenue_by_product: { columns: [text('product'), decimal('revenue')], rows: ranked('product') },
    revenue_by_week: {
      columns: [date('week'), text('region'), decimal('revenue')],
      rows: [...Map.groupBy(orders, ({ day, region }) => `${weekOf(day)} ${region}`)]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .filter(([key]) => !key.endsWith('Central'))
        .map(([key, of]) => [...key.split(' '), money(total(of))]),
    },
    details: {
      columns: [
        date('order_date'),
        text('region'),
        text('product'),
        { name: 'orders', type: 'BIGINT', nullable: false },
        { name: 'units', type: 'BIGINT', nullable: true },
        decimal('revenue'),
      ],
      rows: [...Map.groupBy(orders, ({ day, region, product }) => JSON.stringify([day, region, product]))]
        .sort(([a], [b]) => (a < b ? 1 : -1))
        .map(([key, of]) => [
          ...(JSON.parse(key) as string[]),
          of.length,
          of.reduce((sum, { quantity }) => sum + quantity, 0),
          money(total(of)),
        ]),
    },
  }
  const provenance = {
    tables: [{ table: `${catalog}.staging.stg_sales`, snapshotId: '7612408337104220311', schemaId: 0, committedAt }],
    views: [],
  }
  const panels = Object.fromEntries(
    dashboard.panels
      .filter(({ id, kind }) => kind !== 'text' && (question.panels?.includes(id) ?? true))
      .map((panel) => {
        const value = kpis[panel.id]
        const made = value ? { columns: [decimal(panel.id)], rows: [[value(orders)]] } : rows[panel.id]!
        return [
          panel.id,
          {
            ...made,
            truncated: false,
            comparison: value && earlier && before ? { value: value(before), ...earlier } : null,
            sparkline: value
              ? {
                  grain: 'week' as const,
                  points: [...Map.groupBy(orders, ({ day }) => weekOf(day))]
                    .sort(([a], [b]) => (a < b ? -1 : 1))
                    .map(([week, of]): [string, unknown] => [week, value(of)]),
                }
              : null,
            sql: `select ${panel.id === 'revenue_by_region' ? 'region, ' : ''}sum(line_total) as revenue\nfrom staging.stg_sales\n${
              chosen('region').length
                ? `where region in (${chosen('region')
                    .map((one) => `'${one}'`)
                    .join(', ')})\n`
                : ''
            }${panel.id === 'revenue_by_region' ? 'group by region\norder by revenue desc' : ''}`.trimEnd(),
            provenance,
            cached: { hit: true, ageMs: 42_000 },
            ms: 4,
          },
        ]
      }),
  )
  const all_days = all.map(({ day }) => day).sort()
  return {
    revision: dashboard.revision,
    freshness: { committedAt, asOf: question.asOf ?? null, tables: provenance.tables },
    panels,
    bounds: { period: { from: all_days[0]!, to: all_days.at(-1)! } },
  }
}

function without<Value extends object, Key extends keyof Value>(value: Value, ...keys: Key[]): Omit<Value, Key> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key as Key))) as Omit<Value, Key>
}

// ---- tables

const column = (name: string, type: string, comment: string | null = null, nullable = true) => ({
  name,
  type,
  nullable,
  comment,
})
const stgColumns = [
  column('order_id', 'VARCHAR', 'One order, ORD-0001 and on.', false),
  column('customer_id', 'VARCHAR', 'Who ordered.', false),
  column('order_date', 'DATE', null, false),
  column('product', 'VARCHAR'),
  column('quantity', 'INTEGER'),
  column('amount', 'DECIMAL(12,2)', 'Price of one unit.'),
  column('region', 'VARCHAR'),
  column('order_year', 'INTEGER'),
  column('order_month', 'INTEGER'),
  column('order_quarter', 'INTEGER'),
  column('line_total', 'DECIMAL(18,2)', 'quantity * amount'),
]
const summary = (
  namespace: string,
  name: string,
  rows: number | null,
  columns: typeof stgColumns,
  comment: string | null,
  kind: 'table' | 'view' = 'table',
) => ({
  namespace,
  name,
  kind,
  comment,
  columns,
  rows,
  bytes: rows === null ? null : rows * 41,
  updatedAt: rows === null ? null : committedAt,
})
export const catalogAnswer: Catalog = {
  catalog,
  functions: ['abs', 'avg', 'coalesce', 'count', 'date_trunc', 'max', 'min', 'round', 'sum', 'upper'],
  namespaces: [
    {
      name: 'marts',
      tables: [
        summary(
          'marts',
          'daily_revenue',
          812,
          [
            column('order_date', 'DATE'),
            column('region', 'VARCHAR'),
            column('product', 'VARCHAR'),
            column('orders', 'BIGINT'),
            column('customers', 'BIGINT'),
            column('units', 'HUGEINT'),
            column('revenue', 'DECIMAL(38,2)'),
            column('average_order_value', 'DOUBLE'),
          ],
          'Revenue by day, region and product.',
        ),
        summary(
          'marts',
          'top_customers',
          null,
          [column('customer_id', 'VARCHAR'), column('revenue', 'DECIMAL(38,2)')],
          'The hundred who spent most.',
          'view',
        ),
      ],
    },
    { name: 'raw', tables: [summary('raw', 'sales', 1_000, stgColumns.slice(0, 7), 'Orders as the CSV has them.')] },
    {
      name: 'staging',
      tables: [summary('staging', 'stg_sales', 1_000, stgColumns, 'Orders, typed and checked: one row per order.')],
    },
  ],
}

export function tableAnswer(namespace: string, name: string): Table | null {
  const found = catalogAnswer.namespaces.find((one) => one.name === namespace)?.tables.find((one) => one.name === name)
  if (!found) return null
  const view = found.kind === 'view'
  return {
    ...found,
    catalog,
    location: view ? null : `file:///srv/sales/.boathouse/lake/${catalog}/${namespace}/${name}-1f09c2aa`,
    formatVersion: view ? null : 2,
    files: view ? null : 1,
    partitions: [],
    properties: view
      ? {}
      : { 'write.parquet.compression-codec': 'zstd', 'boathouse.model': `models/${namespace}/${name}.sql` },
    snapshots: view
      ? []
      : [
          {
            id: '7612408337104220311',
            parentId: '5126611250817634402',
            committedAt,
            operation: 'overwrite',
            summary: { 'added-records': '1000', 'deleted-records': '998', 'total-records': '1000' },
            current: true,
            publicationId: 'p3',
            runId: 'run3',
          },
          {
            id: '5126611250817634402',
            parentId: '3305512210998412307',
            committedAt: '2026-11-20T06:02:09Z',
            operation: 'overwrite',
            summary: { 'added-records': '998', 'deleted-records': '951', 'total-records': '998' },
            current: false,
            publicationId: 'p2',
            runId: 'run1',
          },
          {
            id: '3305512210998412307',
            parentId: null,
            committedAt: '2026-11-19T14:40:52Z',
            operation: 'append',
            summary: { 'added-records': '951', 'total-records': '951' },
            current: false,
            publicationId: 'p1',
            runId: 'run0',
          },
        ],
    sql: view
      ? 'select customer_id, sum(line_total) as revenue\nfrom staging.stg_sales\ngroup by customer_id\norder by revenue desc\nlimit 100'
      : null,
    lineage: {
      upstream:
        namespace === 'raw'
          ? [{ namespace: 'sources', name: 'sales', kind: 'source' }]
          : [
              {
                namespace: namespace === 'marts' ? 'staging' : 'raw',
                name: namespace === 'marts' ? 'stg_sales' : 'sales',
                kind: 'table',
              },
            ],
      downstream:
        namespace === 'staging'
          ? [
              { namespace: 'marts', name: 'daily_revenue', kind: 'table' },
              { namespace: 'dashboards', name: 'sales', kind: 'dashboard' },
            ]
          : [],
    },
    definedAt: { file: `models/${namespace}/${name}.sql` },
  }
}

export const orderRow = ({ id, customer, day, product, quantity, cents, region }: Order): unknown[] => [
  id,
  customer,
  day,
  product,
  quantity,
  money(cents),
  region,
]
export const orderColumns = stgColumns.slice(0, 7).map(({ name, type, nullable }) => ({ name, type, nullable }))

// ---- runs

const at = (second: number, day = 21): string =>
  new Date(Date.UTC(2026, 10, day, 6, 0, 0) + second * 1_000).toISOString().replace('.000', '')
const nothing = { rowsWritten: null, filesWritten: null, bytesWritten: null, snapshotId: null, tests: [] }
function step(
  id: string,
  kind: string,
  asset: string | null,
  from: number | null,
  to: number | null,
  status: Step['status'],
  rest: Partial<Step> = {},
  day = 21,
): Step {
  return {
    id,
    kind,
    asset,
    status,
    dependsOn: [],
    startedAt: from === null ? null : at(from, day),
    endedAt: to === null ? null : at(to, day),
    attempts:
      from === null
        ? []
        : [
            {
              number: 1,
              worker: 'worker-1',
              startedAt: at(from, day),
              endedAt: to === null ? null : at(to, day),
              status: status === 'failed' ? 'failed' : status === 'running' ? 'running' : 'succeeded',
              failure: rest.failure ?? null,
            },
          ],
    result: null,
    failure: null,
    logTail: [],
    ...rest,
  }
}
const pass = (name: string) => ({ name, status: 'pass' as const, failures: 0, message: null, sql: null })

export const publications: Publication[] = [
  {
    id: 'p3',
    environment: 'dev',
    runId: 'run3',
    by: null,
    publishedAt: committedAt,
    undoes: null,
    undoneBy: null,
    undoable: true,
    tables: ['raw.sales', 'staging.stg_sales', 'marts.daily_revenue'].map((table) => ({
      table: `${catalog}.${table}`,
      kind: 'table',
      action: 'replace',
      fromSnapshot: '5126611250817634402',
      toSnapshot: '7612408337104220311',
    })),
  },
  {
    id: 'p2',
    environment: 'dev',
    runId: 'run1',
    by: null,
    publishedAt: '2026-11-20T06:02:09Z',
    undoes: null,
    undoneBy: null,
    undoable: false,
    tables: ['raw.sales', 'staging.stg_sales', 'marts.daily_revenue'].map((table) => ({
      table: `${catalog}.${table}`,
      kind: 'table',
      action: 'replace',
      fromSnapshot: '3305512210998412307',
      toSnapshot: '5126611250817634402',
    })),
  },
  {
    id: 'p1',
    environment: 'dev',
    runId: 'run0',
    by: 'ada',
    publishedAt: '2026-11-19T14:40:52Z',
    undoes: null,
    undoneBy: null,
    undoable: false,
    tables: ['raw.sales', 'staging.stg_sales', 'marts.daily_revenue'].map((table) => ({
      table: `${catalog}.${table}`,
      kind: 'table',
      action: 'create',
      fromSnapshot: null,
      toSnapshot: '3305512210998412307',
    })),
  },
]

const goodSteps = (day: number): Step[] => [
  step(
    's1',
    'ingest',
    'raw.sales',
    1,
    22,
    'succeeded',
    {
      result: {
        ...nothing,
        rowsWritten: 1_000,
        filesWritten: 1,
        bytesWritten: 40_200,
        snapshotId: '7612408337104220311',
      },
    },
    day,
  ),
  step(
    's2',
    'build',
    'staging.stg_sales',
    22,
    74,
    'succeeded',
    {
      dependsOn: ['s1'],
      place: { file: 'models/staging/stg_sales.sql' },
      result: {
        ...nothing,
        rowsWritten: 1_000,
        filesWritten: 1,
        bytesWritten: 51_800,
        snapshotId: '7612408337104220312',
        tests: [
          'unique_stg_sales_order_id',
          'not_null_stg_sales_order_id',
          'not_null_stg_sales_customer_id',
          'not_null_stg_sales_order_date',
          'not_null_stg_sales_quantity',
          'not_null_stg_sales_amount',
        ].map(pass),
      },
    },
    day,
  ),
  step(
    's3',
    'build',
    'marts.daily_revenue',
    74,
    118,
    'succeeded',
    {
      dependsOn: ['s2'],
      place: { file: 'models/marts/daily_revenue.sql' },
      result: {
        ...nothing,
        rowsWritten: 812,
        filesWritten: 1,
        bytesWritten: 22_100,
        snapshotId: '7612408337104220313',
      },
    },
    day,
  ),
  step(
    's4',
    'build',
    'marts.top_customers',
    74,
    80,
    'succeeded',
    { dependsOn: ['s2'], place: { file: 'models/marts/top_customers.sql' } },
    day,
  ),
  step('s5', 'publish', null, 118, 131, 'succeeded', { dependsOn: ['s3', 's4'] }, day),
]
const failedSteps: Step[] = [
  step(
    's1',
    'ingest',
    'raw.sales',
    1,
    20,
    'succeeded',
    { result: { ...nothing, rowsWritten: 1_003, filesWritten: 1, bytesWritten: 40_400, snapshotId: '812' } },
    20,
  ),
  step(
    's2',
    'build',
    'staging.stg_sales',
    20,
    66,
    'failed',
    {
      dependsOn: ['s1'],
      place: { file: 'models/staging/stg_sales.sql' },
      failure: {
        code: 'TEST_FAILED',
        message: '1 of 6 tests failed in stg_sales: order_id is not unique in 3 rows.',
        place: { file: 'models/staging/schema.yml', line: 9, column: 13 },
        hint: 'The published tables were left as they were. Look at the failing rows with the SQL shown.',
      },
      result: {
        ...nothing,
        rowsWritten: 1_003,
        tests: [
          {
            name: 'unique_stg_sales_order_id',
            status: 'fail',
            failures: 3,
            message: '3 values of order_id stand in more than one row',
            sql: 'select order_id, count(*) as rows\nfrom staging.stg_sales\ngroup by order_id\nhaving count(*) > 1',
            place: { file: 'models/staging/schema.yml', line: 9, column: 13 },
          },
          ...[
            'not_null_stg_sales_order_id',
            'not_null_stg_sales_customer_id',
            'not_null_stg_sales_order_date',
            'not_null_stg_sales_quantity',
            'not_null_stg_sales_amount',
          ].map(pass),
        ],
      },
    },
    20,
  ),
  step('s3', 'build', 'marts.daily_revenue', null, null, 'skipped', { dependsOn: ['s2'] }, 20),
  step('s4', 'build', 'marts.top_customers', null, null, 'skipped', { dependsOn: ['s2'] }, 20),
  step('s5', 'publish', null, null, null, 'skipped', { dependsOn: ['s3', 's4'] }, 20),
]
const liveSteps: Step[] = [
  step('s1', 'ingest', 'raw.sales', 300, 318, 'succeeded', {
    result: { ...nothing, rowsWritten: 1_001, filesWritten: 1, bytesWritten: 40_300, snapshotId: '900' },
  }),
  step('s2', 'build', 'staging.stg_sales', 318, null, 'running', { dependsOn: ['s1'] }),
  step('s3', 'build', 'marts.daily_revenue', null, null, 'waiting', { dependsOn: ['s2'] }),
  step('s4', 'build', 'marts.top_customers', null, null, 'waiting', { dependsOn: ['s2'] }),
  step('s5', 'publish', null, null, null, 'waiting', { dependsOn: ['s3', 's4'] }),
]
function run(
  id: string,
  trigger: Partial<Run['trigger']>,
  status: Run['status'],
  steps: Step[],
  times: [string, string | null, string | null],
  rest: Partial<Run> = {},
): RunDetail {
  const count = (...names: Step['status'][]) => steps.filter((one) => names.includes(one.status)).length
  return {
    id,
    environment: 'dev',
    trigger: { kind: 'manual', by: null, schedule: null, runId: null, ...trigger },
    select: null,
    status,
    createdAt: times[0],
    startedAt: times[1],
    endedAt: times[2],
    counts: {
      total: steps.length,
      succeeded: count('succeeded'),
      failed: count('failed'),
      skipped: count('skipped', 'cancelled'),
      running: count('running'),
    },
    failure: steps.find((one) => one.failure)?.failure ?? null,
    publicationId: null,
    ...rest,
    steps,
    publication: publications.find(({ runId }) => runId === id) ?? null,
  }
}
export const runs: RunDetail[] = [
  run('run4', { by: 'ada' }, 'running', liveSteps, [at(299), at(300), null]),
  run('run3', { kind: 'schedule', schedule: 'daily' }, 'succeeded', goodSteps(21), [at(0), at(0), at(131)], {
    publicationId: 'p3',
  }),
  run('run2', { by: 'ada' }, 'failed', failedSteps, [at(0, 20), at(0, 20), at(66, 20)], { select: '+daily_revenue' }),
  run(
    'run1',
    { kind: 'schedule', schedule: 'daily' },
    'succeeded',
    goodSteps(20),
    [at(0, 20), at(0, 20), at(129, 20)],
    { publicationId: 'p2' },
  ),
  run('run0', { by: 'ada' }, 'succeeded', goodSteps(19), [at(0, 19), at(0, 19), at(140, 19)], { publicationId: 'p1' }),
]
/** The run without what only its own page shows. */
export const brief = (detail: RunDetail): Run => without(detail, 'steps', 'publication')

export const logOf = (detail: RunDetail) =>
  detail.steps
    .flatMap((one) =>
      one.startedAt === null
        ? []
        : [
            {
              at: one.startedAt,
              level: 'info' as const,
              stepId: one.id,
              event: 'started',
              fields: { worker: 'worker-1' },
            },
            ...(one.result?.rowsWritten
              ? [
                  {
                    at: one.endedAt ?? one.startedAt,
                    level: 'info' as const,
                    stepId: one.id,
                    event: 'written',
                    fields: { rows: one.result.rowsWritten, files: 1, bytes: one.result.bytesWritten },
                  },
                ]
              : []),
            ...(one.result?.tests ?? []).map((test) => ({
              at: one.endedAt ?? one.startedAt!,
              level: test.status === 'pass' ? ('info' as const) : ('error' as const),
              stepId: one.id,
              event: test.status === 'pass' ? 'test passed' : 'test failed',
              fields: { test: test.name, ...(test.failures ? { failures: test.failures } : {}) },
            })),
            ...(one.endedAt
              ? [
                  {
                    at: one.endedAt,
                    level: one.status === 'failed' ? ('error' as const) : ('info' as const),
                    stepId: one.id,
                    event: one.status,
                    fields: { ms: Date.parse(one.endedAt) - Date.parse(one.startedAt) },
                  },
                ]
              : []),
          ],
    )
    .map((line, index) => ({ seq: index + 1, ...line }))

export const schedules: Schedule[] = [
  {
    name: 'daily',
    cron: '0 6 * * *',
    words: 'every day at 06:00',
    timezone: 'UTC',
    environment: 'dev',
    select: null,
    enabled: true,
    nextAt: '2026-11-22T06:00:00Z',
    lastRun: brief(runs[1]!),
    place: { file: 'schedules.yml', line: 3, column: 5 },
  },
]
export const users: User[] = [
  {
    id: 'u1',
    name: 'ada',
    role: 'admin',
    disabled: false,
    passwordSet: true,
    createdAt: '2026-10-01T08:00:00Z',
    lastSeenAt: '2026-11-21T06:05:30Z',
  },
  {
    id: 'u2',
    name: 'grace',
    role: 'reader',
    disabled: false,
    passwordSet: true,
    createdAt: '2026-10-02T08:00:00Z',
    lastSeenAt: '2026-11-20T16:20:00Z',
  },
  {
    id: 'u3',
    name: 'linus',
    role: 'reader',
    disabled: false,
    passwordSet: false,
    createdAt: '2026-11-18T08:00:00Z',
    lastSeenAt: null,
  },
]
export const connectAnswer: Connect = {
  facts: [
    { label: 'Catalog', value: catalog },
    { label: 'HTTP', value: 'http://127.0.0.1:8620' },
    { label: 'Lake', value: '.boathouse/lake' },
  ],
  texts: [
    {
      id: 'pyiceberg',
      title: 'PyIceberg',
      description: 'Reads the tables from Python by the catalog file of this project.',
      language: 'python',
      note: 'pip install "pyiceberg[sql-sqlite,pyarrow]"',
      code: "from pyiceberg.catalog import load_catalog\n\ncatalog = load_catalog(\n    'dev_analytics',\n    type='sql',\n    uri='sqlite:////srv/sales/.boathouse/catalog.db',\n    warehouse='file:///srv/sales/.boathouse/lake',\n)\ntable = catalog.load_table('marts.daily_revenue')\nprint(table.scan().to_pandas())",
    },
    {
      id: 'dbt',
      title: 'dbt',
      description: 'The models of this project are a plain dbt project.',
      language: 'yaml',
      note: null,
      code: 'sales:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: dev.duckdb',
    },
    {
      id: 'curl',
      title: 'curl',
      description: 'One statement over HTTP.',
      language: 'shell',
      note: null,
      code: "curl -s http://127.0.0.1:8620/api/query \\\n  -H 'content-type: application/json' -H 'x-boathouse: 1' -b cookies.txt \\\n  -d '{\"sql\": \"select count(*) from marts.daily_revenue\"}'",
    },
    {
      id: 'duckdb',
      title: 'DuckDB',
      description: 'The data files are Parquet.',
      language: 'sql',
      note: null,
      code: "select * from iceberg_scan('/srv/sales/.boathouse/lake/dev_analytics/marts/daily_revenue-1f09c2aa');",
    },
  ],
}
export const homeAnswer = (dashboards: Dashboard[]): Home => ({
  project: { name: 'sales', description: 'Orders, customers and revenue of the example shop.' },
  environment: { name: 'dev', catalog, protected: false },
  dashboards: dashboards.map(({ name, title, description, file, panels, problems }) => ({
    name,
    title,
    description,
    file,
    panels: panels.length,
    problems: problems.length,
    committedAt,
  })),
  runs: runs.slice(0, 5).map(brief),
  nextSchedule: schedules[0]!,
  tables: catalogAnswer.namespaces.flatMap(({ tables }) => tables.map((table) => without(table, 'columns'))),
  open: [],
})

// ---- models

const last = { status: 'success', at: committedAt, ms: 412, runId: 'run1' }
const model = (id: string, name: string, more: Partial<ModelSummary> = {}): ModelSummary => ({
  id,
  name,
  kind: 'model',
  materialized: 'table',
  table: null,
  description: '',
  tags: [],
  group: null,
  tests: 0,
  problems: 0,
  last,
  ...more,
})
export const modelsAnswer: Models = {
  models: [
    model('source.sales.raw.sales', 'raw.sales', {
      kind: 'source',
      materialized: null,
      table: 'raw.sales',
      last: null,
    }),
    model('model.sales.stg_sales', 'stg_sales', {
      materialized: 'view',
      table: 'staging.stg_sales',
      description: 'Orders, typed and checked: one row per order.',
      tags: ['nightly'],
      tests: 3,
    }),
    model('model.sales.daily_revenue', 'daily_revenue', {
      table: 'marts.daily_revenue',
      description: 'Revenue by day, region and product.',
      group: 'finance',
      tests: 1,
    }),
    model('model.sales.top_customers', 'top_customers', {
      materialized: 'view',
      table: 'marts.top_customers',
      problems: 1,
      last: { ...last, status: 'error' },
    }),
    model('exposure.sales.weekly', 'weekly', { kind: 'exposure', materialized: 'dashboard', last: null }),
  ],
  edges: [
    { from: 'source.sales.raw.sales', to: 'model.sales.stg_sales' },
    { from: 'model.sales.stg_sales', to: 'model.sales.daily_revenue' },
    { from: 'model.sales.stg_sales', to: 'model.sales.top_customers' },
    { from: 'model.sales.daily_revenue', to: 'exposure.sales.weekly' },
  ],
}

export function modelAnswer(id: string): Model | null {
  const found = modelsAnswer.models.find((one) => one.id === id)
  if (!found) return null
  const isMart = found.name === 'daily_revenue'
  return {
    ...found,
    package: 'sales',
    owner: found.group === null ? null : 'finance@example.com',
    place: { file: `models/${found.name}.sql`, line: 1, column: 1 },
    template: "select order_date, sum(amount) as revenue\nfrom {{ ref('stg_sales') }}\ngroup by 1",
    compiled: `select order_date, sum(amount) as revenue\nfrom "${catalog}"."staging"."stg_sales"\ngroup by 1`,
    columns: isMart
      ? [
          {
            name: 'order_date',
            type: 'DATE',
            description: 'Day of the order.',
            tests: ['not_null'],
            from: [{ model: 'model.sales.stg_sales', column: 'order_date', how: 'identity' }],
            into: [],
          },
          {
            name: 'revenue',
            type: 'DECIMAL(38,2)',
            description: 'Sum of the amounts.',
            tests: [],
            from: [{ model: 'model.sales.stg_sales', column: 'amount', how: 'aggregated' }],
            into: [],
          },
        ]
      : [],
    rows: isMart ? [{ model: 'model.sales.stg_sales', column: 'order_date', use: 'group' }] : [],
    testList: isMart
      ? [
          {
            id: 'test.sales.not_null_daily_revenue_order_date.1',
            name: 'not_null',
            column: 'order_date',
            severity: 'error',
            place: { file: 'models/schema.yml', line: 9, column: 17 },
            last: { ...last, status: 'pass' },
          },
        ]
      : [],
    runs: found.last ? [found.last] : [],
    mistakes:
      found.problems > 0
        ? [
            {
              code: 'SQL_INVALID',
              message: 'there is no column "revenu"; did you mean "revenue"?',
              place: { file: 'models/top_customers.sql', line: 4, column: 3 },
              hint: 'Correct the statement at the position shown.',
            },
          ]
        : [],
    partly: null,
  }
}
