import { expect, test } from 'vitest'
import { recordFiles } from './files.ts'
import { readDbtProject } from './read.ts'
import type { ProjectOptions } from './types.ts'

const options: ProjectOptions = {
  target: { name: 'dev', database: 'shop', catalog: 'dev', type: 'duckdb', schema: 'main', profile: 'p', threads: 1 },
  vars: {},
  env: {},
  flags: { fullRefresh: false, command: 'build', storeFailures: false, empty: false },
  startedAt: 0,
  invocationId: 'id',
  onLog: () => {},
}

const sound = `semantic_models:
  - name: orders
    model: ref('a')
    defaults: {agg_time_dimension: day_at}
    entities:
      - {name: order_id, type: primary}
      - {name: customer, type: foreign}
    dimensions:
      - {name: day_at, type: time, type_params: {time_granularity: day}}
      - {name: region, type: categorical}
    measures:
      - {name: order_count, agg: sum, expr: 1}
      - {name: amount, agg: sum}
  - name: customers
    model: ref('b')
    defaults: {agg_time_dimension: born}
    entities: [{name: customer, type: primary}]
    dimensions:
      - {name: born, type: time, type_params: {time_granularity: day}}
      - {name: city, type: categorical}
    measures: [{name: heads, agg: sum, expr: 1}]
metrics:
  - {name: orders_n, label: Orders, type: simple, type_params: {measure: order_count}}
  - {name: amount_m, label: Amount, type: simple, type_params: {measure: amount}}
  - {name: ratio_m, label: Ratio, type: derived, type_params: {expr: aa / bb, metrics: [{name: orders_n, alias: aa}, {name: amount_m, alias: bb}]}}
  - {name: run_m, label: Running, type: cumulative, type_params: {measure: amount, cumulative_type_params: {window: 7 days}}}
saved_queries:
  - name: sq
    query_params: {metrics: [orders_n], group_by: ["TimeDimension('metric_time', 'day')", "Dimension('order_id__region')"]}
`

async function mistakes(yaml: string): Promise<string[]> {
  const files = {
    'dbt_project.yml': 'name: shop',
    'models/a.sql': 'select 1',
    'models/b.sql': 'select 1',
    'models/s.yml': yaml,
  }
  const { failures } = await readDbtProject(recordFiles(files), '/project', options)
  return failures.map(({ message }) => message)
}

// What dbt-core 1.12.6 said of each was the same: taken or refused.
test.each([
  ['as it is', '', ''],
  ['a dimension of that name and type elsewhere', 'name: city', 'name: region'],
  ['a grouping by time alone', 'order_id__region', 'metric_time__month'],
  ['a grouping by an entity', "Dimension('order_id__region')", "Entity('customer')"],
  ['two inputs of one alias', 'alias: bb', 'alias: aa'],
  ['a percentile', 'name: amount, agg: sum', 'name: amount, agg: percentile, agg_params: {percentile: 0.9}'],
])('a semantic layer is sound: %s', async (_, from, to) => {
  expect(await mistakes(sound.replace(from, to))).toEqual([])
})

test.each([
  ['orders_n', 'Orders_N', 'the name "Orders_N" must have'],
  ['name: region', 'name: re__gion', 'the name "re__gion" of orders must have'],
  ['name: city', 'name: month', 'is that of a granularity'],
  ['name: city', 'name: metric_time', 'is reserved'],
  ['alias: bb', 'alias: b', 'the name "b" in the metric "ratio_m"'],
  ['label: Amount', 'label: Orders', 'has the label "Orders", which is that of the metric "orders_n"'],
  [
    'name: city, type: categorical',
    'name: region, type: time, type_params: {time_granularity: day}',
    'has another type',
  ],
  ['name: heads', 'name: amount', 'the measure "amount" is in orders and in customers'],
  ['name: city', 'name: amount', '"amount" is a dimension in customers and a measure in orders'],
  ['{name: order_id, type: primary}', '{name: order_id, type: unique}', 'no primary entity'],
  ['{name: customer, type: foreign}', '{name: customer, type: primary}', 'more than one primary entity'],
  ["model: ref('a')", "model: ref('a')\n    primary_entity: other", 'and primary_entity besides'],
  ['    defaults: {agg_time_dimension: day_at}\n', '', 'has no agg_time_dimension'],
  ['agg_time_dimension: day_at', 'agg_time_dimension: region', 'which is no time dimension'],
  ['name: amount, agg: sum', 'name: amount, agg: count', 'needs an expr'],
  ['name: amount, agg: sum', 'name: amount, agg: count, expr: distinct x', 'use count_distinct'],
  ['name: amount, agg: sum', 'name: amount, agg: percentile', 'agg_params.percentile'],
  ['alias: bb', 'alias: orders_n', 'choose another alias'],
  ['window: 7 days', 'window: 7 days, grain_to_date: month', 'both window and grain_to_date'],
  ['alias: bb', 'alias: bb, offset_window: 1 month, offset_to_grain: month', 'both offset_window and offset_to_grain'],
  ['order_id__region', 'order_id__regio', 'which is no dimension or entity'],
  ['group_by:', 'limit: -1, group_by:', 'a limit below 0'],
])('a semantic layer is refused with %s as %s', async (from, to, message) => {
  expect((await mistakes(sound.replace(from, to))).join('\n')).toContain(message)
})

test('the older spelling of cumulative metrics is told', async () => {
  const older = sound.replace('cumulative_type_params: {window: 7 days}', 'window: 7 days')
  const files = { 'dbt_project.yml': 'name: shop', 'models/a.sql': '', 'models/b.sql': '', 'models/s.yml': older }
  const { project, failures } = await readDbtProject(recordFiles(files), '/project', options)
  expect(failures).toEqual([])
  expect(project.warnings).toMatchObject([{ event: { name: 'MFCumulativeTypeParamsDeprecation' } }])
})

test('without metrics nobody asks', async () => {
  const [models] = sound.split('metrics:\n') as [string]
  expect(await mistakes(models.replace('type: primary', 'type: unique'))).toEqual([])
})
