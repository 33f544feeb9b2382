import type { DuckDBConnection } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { showPlace, type Failure } from '../base/failure.ts'
import { MetricsFile, parseYaml } from '../project/index.ts'
import { check } from './check.ts'
import { bindWith, openSales, salesModels } from './duckdb.testing.ts'
import { openModels } from './model.ts'

const open = (text: string) => {
  const file = parseYaml('metrics/m.yml', text, MetricsFile, { code: 'METRIC_INVALID' })
  return openModels([{ ...file, value: { ...file.value, name: 'm' } }])
}
const show = (failures: readonly Failure[]) =>
  failures.map((failure) => `${showPlace(failure.place)}${failure.message}`)

describe('definitions that cannot be right', () => {
  test.each([
    [
      'a ratio of a metric that is not there, and what is made of it',
      'model: a.b\nmetrics:\n  - {name: orders, agg: count}\n  - {name: x, ratio: {numerator: revenu, denominator: orders}}\n  - {name: y, derived: "{x} + 1"}',
      ['metrics/m.yml:4:34: there is no metric "revenu"; there are: orders, y'],
      ['orders'],
    ],
    [
      'a circle',
      'model: a.b\nmetrics:\n  - {name: x, derived: "{y}"}\n  - {name: y, derived: "{x} + {z}"}\n  - {name: z, agg: count}',
      ['metrics/m.yml:3:24: "x" is made of itself: x → y → x'],
      ['z'],
    ],
    [
      'a derived metric of nothing',
      'model: a.b\nmetrics: [{name: x, derived: "1 + 1"}]',
      ['metrics/m.yml:2:30: "x" names no metric in braces, as in {revenue}'],
      [],
    ],
    [
      'twice the same name',
      'model: a.b\ndimensions: [{name: d}, {name: d}]\nmetrics: [{name: x, agg: count}, {name: x, agg: count}, {name: d, agg: count}]',
      [
        'metrics/m.yml:2:32: the dimension "d" is already defined above',
        'metrics/m.yml:3:41: the metric "x" is already defined above',
        'metrics/m.yml:3:64: "d" is already the name of a dimension',
      ],
      ['x'],
    ],
    [
      'a time that is no time',
      'model: a.b\ntime: region\ndimensions: [{name: region}]',
      ['metrics/m.yml:2:7: the time "region" is a string; write "type: date" or "type: timestamp" at its dimension'],
      [],
    ],
  ])('%s', (_, text, failures, usable) => {
    const { models, failures: found } = open(text)
    expect(show(found)).toEqual(failures)
    expect([...models.get('m')!.metrics.keys()]).toEqual(usable)
  })
})

test('labels, formats and the implied time', () => {
  const { models } = open(
    'model: a.b\ntime: paid_at\ncurrency: EUR\nmetrics:\n  - {name: net_sales, agg: sum, expr: x, format: currency}\n  - {name: share, agg: average, expr: x, format: percent}\n  - {name: n, agg: count, format: {kind: number, compact: true}}',
  )
  const model = models.get('m')!
  expect(model.time).toMatchObject({ name: 'paid_at', type: 'date', label: 'Paid at' })
  expect([...model.metrics.values()].map(({ label, format }) => [label, format])).toEqual([
    ['Net sales', { kind: 'currency', currency: 'EUR', decimals: 2 }],
    ['Share', { kind: 'percent', decimals: 1 }],
    ['N', { kind: 'number', compact: true }],
  ])
})

describe('definitions against the real columns', () => {
  let duckdb: DuckDBConnection
  beforeAll(async () => {
    duckdb = await openSales()
  })
  afterAll(() => duckdb.closeSync())

  test('the example is right', async () => {
    expect(await check(await salesModels(), bindWith(duckdb))).toEqual([])
  })

  test.each([
    [
      'no such table',
      'model: staging.sales\nmetrics: [{name: x, agg: count}]',
      ['metrics/m.yml:1:8: the model staging.sales: Catalog Error: Table with name sales does not exist!'],
    ],
    [
      'columns that are not there, each at its place',
      'model: staging.stg_sales\ndimensions:\n  - {name: regio}\n  - {name: upper, expr: upper(produkt)}\nmetrics:\n  - name: a\n    agg: sum\n    expr: quantity * amont\n  - {name: b, agg: count, filter: "quantity > qantity"}',
      [
        'metrics/m.yml:3:12: the dimension "regio": there is no column "regio"; did you mean "region"?',
        'metrics/m.yml:4:31: the dimension "upper": there is no column "produkt"; did you mean "product"?',
        'metrics/m.yml:8:22: the metric "a": there is no column "amont"; did you mean "amount"?',
        'metrics/m.yml:9:47: the filter of the metric "b": there is no column "qantity"; did you mean "quantity"?',
      ],
    ],
    [
      'an aggregate that the type does not have',
      'model: staging.stg_sales\nmetrics:\n  - {name: a, agg: sum, expr: region}',
      [expect.stringMatching(/^metrics\/m.yml:3:31: the metric "a": .*No function matches .*sum\(VARCHAR\)/)],
    ],
  ])('%s', async (_, text, failures) => {
    expect(show(await check(open(text).models, bindWith(duckdb)))).toEqual(failures)
  })

  test('types that are not what the table has', async () => {
    const { models } = open(
      'model: staging.stg_sales\ntime: region\ndimensions: [{name: quantity}, {name: order_date, type: timestamp}, {name: region, type: date}]',
    )
    expect(show(await check(models, bindWith(duckdb)))).toEqual([
      'metrics/m.yml:3:14: the dimension "quantity" is INTEGER in the table, not a string: write "type: number"',
      'metrics/m.yml:3:57: the dimension "order_date" is DATE in the table, not a timestamp: write "type: date"',
      'metrics/m.yml:3:90: the dimension "region" is VARCHAR in the table, not a date: write "type: string"',
    ])
  })
})
