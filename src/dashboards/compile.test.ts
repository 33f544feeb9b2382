import { beforeAll, describe, expect, test } from 'vitest'
import { showPlace, type Place } from '../base/failure.ts'
import { Dashboard } from '../contract/index.ts'
import { openModels, type Models } from '../semantic/index.ts'
import { MetricsFile, parseYaml } from '../project/index.ts'
import { fillFilters } from './sql-panel.ts'
import { compileText, salesModels } from './world.testing.ts'

let models: Models
beforeAll(async () => {
  models = await salesModels()
})

/** A dashboard of one row of panels. */
const page = (...panels: string[]): string =>
  `title: T\nfilters:\n  - {id: region, kind: select, dimension: region}\nrows:\n  - panels:\n${panels.map((panel) => `      - ${panel}\n`).join('')}`
const problemsOf = (text: string): string[] =>
  compileText(text, models).definition.problems.map(
    ({ message, place, panel }) =>
      `${panel}: ${showPlace(place as Place).replace('dashboards/test.yml:', '')}${message}`,
  )

describe('a wrong panel is a problem with its place and what was meant', () => {
  test.each([
    ['{kind: kpi, metric: revenu}', 'revenu: 6:29: there is no metric "revenu"; did you mean "revenue"?'],
    [
      '{kind: line, metric: revenue, by: "order_dat:day"}',
      'revenue: 6:43: there is no dimension "order_dat" in the model "sales"; did you mean "order_date"?',
    ],
    [
      '{kind: line, metric: revenue, by: "order_date:dya"}',
      'revenue: 6:43: "dya" is not a grain of time; did you mean "day"?',
    ],
    [
      '{kind: line, metric: revenue, by: region}',
      'revenue: 6:43: a line needs a time or a number, and "region" is a string; draw it as bars',
    ],
    [
      '{kind: bar, metric: revenue, by: region, sort: -order}',
      'revenue: 6:56: cannot sort by "order", which is not in the answer; there are: region, revenue',
    ],
    [
      '{kind: bar, metrics: [revenue, orders], by: region, series: product}',
      'bar: 6:69: a panel with "series" shows one metric',
    ],
    [
      '{kind: bar, metric: revenue, by: region, filters: [regio]}',
      'revenue: 6:60: there is no filter "regio"; did you mean "region"?',
    ],
    [
      '{kind: kpi, metric: revenue, where: [{dimension: regio, values: [x]}]}',
      'revenue: 6:58: there is no dimension "regio" in the model "sales"; did you mean "region"?',
    ],
    [
      '{kind: kpi, metric: revenue, where: [{dimension: order_date, op: gte, values: soon}]}',
      'revenue: 6:9: "soon" is not a date, as "order_date" needs; for example 2024-01-31',
    ],
    ['{kind: kpi, metric: revenue, model: shop}', 'revenue: 6:45: there is no model "shop"; there is: sales'],
    [
      '{kind: kpi, id: a, value: n, sql: "select {{ regio }} as n"}',
      'a: 6:51: there is no filter "regio"; did you mean "region"?',
    ],
    [
      '{kind: kpi, id: a, value: n, sql: "select {{ region: a) or (b }} as n"}',
      'a: 6:51: the column of the filter "region" closes ")" that was not opened',
    ],
  ])('%s', (panel, expected) =>
    expect(
      problemsOf(
        page('{kind: kpi, id: fine, metric: orders}', panel).replace(
          '      - {kind: kpi, id: fine, metric: orders}\n',
          '',
        ),
      ),
    ).toEqual([expected]),
  )

  test('the others stay, and the broken one keeps its cell', () => {
    const { definition, asks } = compileText(page('{kind: kpi, metric: revenu}', '{kind: kpi, metric: orders}'), models)
    expect(Dashboard.parse(definition).panels.map(({ id }) => id)).toEqual(['orders'])
    expect(definition.layout[0]!.cells).toEqual([
      { panel: 'revenu', span: 6 },
      { panel: 'orders', span: 6 },
    ])
    expect([...asks.keys()]).toEqual(['orders'])
  })

  test('wrong filters belong to the page', () => {
    const text =
      'title: T\nfilters:\n  - {id: a, kind: select, dimension: regio}\n  - {id: b, kind: date_range, dimension: region}\n  - {id: c, kind: select, dimension: region}\n  - {id: c, kind: select, dimension: product}\nrows: [{panels: [{kind: text, markdown: x}]}]\n'
    expect(problemsOf(text)).toEqual([
      'null: 3:38: there is no dimension "regio" in the model "sales"; did you mean "region"?',
      'null: 4:42: "region" is a string; a range of days needs a date or timestamp',
      'null: 6:10: the filter "c" is already defined above',
    ])
  })

  test('an id that is taken', () => {
    expect(problemsOf(page('{kind: kpi, id: a, metric: revenue}', '{kind: kpi, id: a, metric: orders}'))).toEqual([
      'a-2: 7:25: the id "a" is already taken',
    ])
  })
})

test.each([
  [['{kind: text, markdown: a}'], [12]],
  [
    ['{kind: text, markdown: a, width: 3}', '{kind: text, markdown: a}'],
    [3, 9],
  ],
  [Array.from({ length: 5 }, () => '{kind: text, markdown: a}'), [3, 3, 2, 2, 2]],
  [
    [
      '{kind: text, markdown: a, width: 4}',
      '{kind: text, markdown: a}',
      '{kind: text, markdown: a}',
      '{kind: text, markdown: a}',
    ],
    [4, 3, 3, 2],
  ],
])('%j share twelve columns', (panels, spans) => {
  expect(compileText(page(...panels), models).definition.layout[0]!.cells.map(({ span }) => span)).toEqual(spans)
})

test('titles, labels and formats come from the metrics, and can be said otherwise', () => {
  const { definition } = compileText(
    page(
      '{kind: kpi, metric: revenue, format: {kind: currency, compact: true}, better: neither}',
      '{kind: line, metrics: [revenue, orders], by: "order_date:week"}',
      '{kind: bar, metric: revenue, by: "order_date:month"}',
      '{kind: table, metrics: [revenue], by: [region, "order_date:month"], columns: [{name: revenue, label: Money, bar: true}], sort: -revenue}',
      '{kind: table, columns: [order_id, {name: amount, format: currency}, quarter]}',
    ),
    models,
  )
  expect(definition.problems).toEqual([])
  expect(Dashboard.parse(definition).panels).toMatchObject([
    {
      title: 'Total Revenue',
      description: 'The sum of quantity times unit price.',
      better: 'neither',
      value: { column: 'revenue', format: { kind: 'currency', currency: 'USD', compact: true } },
    },
    {
      id: 'line',
      title: 'Total Revenue, Total Orders by week',
      x: { column: 'order_date:week', label: 'Order date', kind: 'time', grain: 'week' },
      y: [{ column: 'revenue' }, { column: 'orders' }],
    },
    { title: 'Total Revenue by order date', category: { column: 'order_date:month', format: { kind: 'date' } } },
    {
      id: 'table',
      columns: [
        { column: 'region', bar: false },
        { label: 'Order date' },
        { label: 'Money', bar: true, format: { kind: 'currency' } },
      ],
    },
    {
      id: 'table-2',
      title: 'Sales',
      columns: [
        { label: 'Order' },
        { label: 'Unit price', format: { kind: 'currency', currency: 'USD' } },
        { label: 'Quarter', format: { kind: 'text' } },
      ],
    },
  ])
})

test('panels of another model keep the filters that it has', () => {
  const file = parseYaml(
    'metrics/visits.yml',
    'model: staging.visits\ndimensions: [{name: region}, {name: page}]\nmetrics: [{name: visits, agg: count}]',
    MetricsFile,
  )
  const both = new Map([...models, ...openModels([{ ...file, value: { ...file.value, name: 'visits' } }]).models])
  const text =
    'title: T\nmodel: sales\nfilters:\n  - {id: region, kind: select, dimension: region}\n  - {id: product, kind: select, dimension: product}\nrows: [{panels: [{kind: kpi, metric: visits, model: visits}, {kind: kpi, metric: visits.visits}, {kind: kpi, metric: revenue}, {kind: kpi, id: x, model: visits, metric: visits, filters: [product]}]}]\n'
  const { definition } = compileText(text, both)
  expect(definition.panels.map(({ filters }) => filters)).toEqual([['region'], ['region'], ['region', 'product']])
  expect(definition.problems.map(({ message }) => message)).toEqual([
    'the filter "product" is about "product", which the model "visits" does not have',
  ])
})

test('the revision changes with the file and with the metrics, and with nothing else', () => {
  const text = page('{kind: kpi, metric: revenue}')
  const revision = (given: string, using: Models = models): string => compileText(given, using).definition.revision
  expect(revision(text)).toBe(revision(text.replace('title: T', 'title: T # a comment')))
  expect(revision(text)).not.toBe(revision(text.replace('title: T', 'title: U')))
  const model = models.get('sales')!
  const revenue = {
    ...model.metrics.get('revenue')!,
    compute: { kind: 'aggregate', agg: 'sum', expr: 'amount', filter: null, scale: 6 },
  } as const
  expect(revision(text)).not.toBe(
    revision(text, new Map([['sales', { ...model, metrics: new Map([...model.metrics, ['revenue', revenue]]) }]])),
  )
})

test.each([
  [
    'select 1\nwhere {{ a }} and b',
    'select 1\nwhere (x\n= 1) and b',
    [
      [1, 8, '1:8'],
      [2, 1, '2:1'],
      [2, 8, 'null'],
      [3, 3, 'null'],
      [3, 10, '2:19'],
    ],
  ],
] as const)('places in SQL with filters put in', (written, sql, places) => {
  const filled = fillFilters(written, () => '(x\n= 1)')
  expect(filled.sql).toBe(sql)
  for (const [line, column, expected] of places) {
    const origin = filled.origin({ line, column })
    expect(origin ? `${origin.line}:${origin.column}` : 'null', `${line}:${column}`).toBe(expected)
  }
})
