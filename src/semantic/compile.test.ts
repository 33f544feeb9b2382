import fc from 'fast-check'
import type { DuckDBConnection } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compile, compileBounds, compileRows, compileValues } from './compile.ts'
import { modelsOf, openDuckDB, openSales, rows, salesModels } from './duckdb.testing.ts'
import type { Models } from './model.ts'
import type { QuestionInput } from './question.ts'

let duckdb: DuckDBConnection
let sales: Models
beforeAll(async () => {
  duckdb = await openSales()
  sales = await salesModels()
})
afterAll(() => duckdb.closeSync())

const ask = async (question: QuestionInput) => rows(duckdb, compile(question, sales).sql)
const kpis = ['revenue', 'orders', 'customers', 'average_order_value']
const overCsv = (where: string) => `
  SELECT sum(quantity * amount) AS revenue, count(distinct order_id) AS orders, count(distinct customer_id) AS customers,
    CAST(sum(quantity * amount) / count(distinct order_id) AS DECIMAL(38, 6)) AS average_order_value
  FROM raw.sales WHERE ${where}`

describe('the numbers of the example equal SQL over the CSV', () => {
  test.each<[string, Partial<QuestionInput>, string]>([
    ['all', {}, 'true'],
    ['a region', { where: [{ dimension: 'region', values: ['North'] }] }, "region = 'North'"],
    ['two regions', { where: [{ dimension: 'region', values: ['North', 'East'] }] }, "region IN ('North', 'East')"],
    ['not a region', { where: [{ dimension: 'region', op: 'not', values: 'North' }] }, "region <> 'North'"],
    [
      'days, both included',
      { time: { from: '2024-02-01', to: '2024-02-29' } },
      "order_date BETWEEN '2024-02-01' AND '2024-02-29'",
    ],
    ['from a day', { time: { from: '2024-03-30' } }, "order_date >= '2024-03-30'"],
    ['to a day', { time: { to: '2024-01-01' } }, "order_date <= '2024-01-01'"],
    ['numbers', { where: [{ dimension: 'quantity', op: 'between', values: [2, 3] }] }, 'quantity IN (2, 3)'],
    [
      'part of a text',
      { where: [{ dimension: 'product', op: 'contains', values: 'PHONE' }] },
      "product IN ('Phone', 'Headphones')",
    ],
    ['nothing', { where: [{ dimension: 'region', values: [] }] }, 'false'],
  ])('%s', async (_, part, where) => {
    expect(await ask({ metrics: kpis, ...part })).toEqual(await rows(duckdb, overCsv(where)))
  })

  test.each(['day', 'week', 'month', 'quarter', 'year'])('by %s', async (grain) => {
    const expected = await rows(
      duckdb,
      `SELECT CAST(date_trunc('${grain}', CAST(order_date AS DATE)) AS DATE) AS "order_date:${grain}", sum(quantity * amount) AS revenue FROM raw.sales GROUP BY 1 ORDER BY 1`,
    )
    expect(await ask({ metrics: ['revenue'], by: [`order_date:${grain}`] })).toEqual(expected)
  })

  test('sorted and cut, ties by the group', async () => {
    const top = await ask({
      metrics: ['revenue'],
      by: ['product'],
      orderBy: [{ name: 'revenue', direction: 'desc' }],
      limit: 2,
    })
    expect(top.map((row) => row['product'])).toEqual(['Laptop', 'Phone'])
  })
})

describe('the previous period', () => {
  const march: QuestionInput = {
    metrics: kpis,
    time: { from: '2024-03-01', to: '2024-03-30' },
    compare: 'previous_period',
  }

  test('is as many days just before', async () => {
    const { sql, comparison } = compile(march, sales)
    expect(comparison).toEqual({
      current: { from: '2024-03-01', to: '2024-03-30' },
      previous: { from: '2024-01-31', to: '2024-02-29' },
    })
    const [row] = await rows(duckdb, sql)
    const [now] = await rows(duckdb, overCsv("order_date >= '2024-03-01'"))
    const [before] = await rows(duckdb, overCsv("order_date BETWEEN '2024-01-31' AND '2024-02-29'"))
    expect(kpis.map((name) => row![name])).toEqual(kpis.map((name) => now![name]))
    expect(kpis.map((name) => row![`${name}:previous`])).toEqual(kpis.map((name) => before![name]))
  })

  test('stands day beside day', async () => {
    const found = await ask({ ...march, metrics: ['orders'], by: ['order_date:day'] })
    expect(found).toHaveLength(30)
    const counts = await rows(duckdb, 'SELECT order_date AS day, count(*) AS orders FROM raw.sales GROUP BY 1')
    const on = (day: string) => counts.find((row) => row['day'] === day)?.['orders']
    expect(found[0]).toEqual({
      'order_date:day': '2024-03-01',
      orders: on('2024-03-01'),
      'orders:previous': on('2024-01-31'),
    })
    expect(found[29]).toEqual({
      'order_date:day': '2024-03-30',
      orders: on('2024-03-30'),
      'orders:previous': on('2024-02-29'),
    })
  })

  test('is not there while the range is open', () => {
    const open = compile({ ...march, time: { from: '2024-03-01' } }, sales)
    expect(open.comparison).toBeNull()
    expect(open.columns.map(({ name }) => name)).toEqual(kpis)
  })
})

describe('laws', () => {
  const dimensions = ['region', 'product', 'customer_id', 'order_date:day', 'order_date:month']
  const condition = fc.constantFrom<NonNullable<QuestionInput['where']>[number]>(
    { dimension: 'region', values: ['North'] },
    { dimension: 'region', op: 'not_in', values: ['South', 'West'] },
    { dimension: 'product', op: 'contains', values: ['o'] },
    { dimension: 'quantity', op: 'gte', values: [3] },
  )

  test('what adds up over rows adds up over groups', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.constantFrom(...dimensions), { minLength: 1, maxLength: 3 }),
        fc.array(condition, { maxLength: 2 }),
        async (by, where) => {
          const [total] = await ask({ metrics: ['revenue', 'units'], where })
          const groups = await ask({ metrics: ['revenue', 'units'], by, where })
          const cents = groups.reduce((sum, row) => sum + BigInt(String(row['revenue']).replace('.', '')), 0n)
          expect(cents).toBe(BigInt(String(total!['revenue']).replace('.', '')))
          expect(groups.reduce((sum, row) => sum + Number(row['units']), 0)).toBe(Number(total!['units']))
        },
      ),
      { numRuns: 30 },
    ))

  test('filtering first or picking the group afterwards is the same', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom('North', 'South', 'East', 'West', 'Central'),
        fc.array(condition, { maxLength: 2 }),
        async (region, where) => {
          const filtered = await ask({
            metrics: kpis,
            by: ['region'],
            where: [...where, { dimension: 'region', op: 'equals', values: region }],
          })
          const picked = (await ask({ metrics: kpis, by: ['region'], where })).filter((row) => row['region'] === region)
          expect(filtered).toEqual(picked)
        },
      ),
      { numRuns: 30 },
    ))
})

describe('ratios', () => {
  const ratio = (scale: number | 'float') =>
    modelsOf({
      model: 'main.pairs',
      metrics: [
        { name: 'a', agg: 'sum', expr: 'a' },
        { name: 'b', agg: 'sum', expr: 'b' },
        { name: 'r', ratio: { numerator: 'a', denominator: 'b' }, scale },
        { name: 'twice', derived: '{r} * 2 - {r}' },
        { name: 'mean', agg: 'average', expr: 'a', scale: 2 },
      ],
    })
  const valueOf = async (a: string, b: string, name: string, scale: number | 'float' = 6) => {
    await duckdb.run(
      `CREATE OR REPLACE TABLE pairs AS SELECT CAST(${a} AS DECIMAL(18, 2)) AS a, CAST(${b} AS BIGINT) AS b`,
    )
    const [row] = await rows(duckdb, compile({ metrics: [name] }, ratio(scale)).sql)
    return row![name]
  }

  test.each<[string, string, string, number | 'float', unknown]>([
    ['100.00', '0', 'r', 6, null],
    ['1.00', '3', 'r', 6, '0.333333'],
    ['2.00', '3', 'r', 2, '0.67'],
    ['-2.00', '3', 'r', 2, '-0.67'],
    ['1.00', '8', 'r', 2, '0.13'], // half away from zero
    ['1.00', '4', 'r', 'float', 0.25],
    ['1.00', '3', 'twice', 6, '0.333333'],
    ['1079009.96', '1000', 'r', 6, '1079.009960'],
    ['5.55', '1', 'mean', 6, '5.55'],
  ])('%s / %s: %s at scale %s is %s', async (a, b, name, scale, expected) => {
    expect(await valueOf(a, b, name, scale)).toBe(expected)
  })

  test('fifteen digits are right', () =>
    fc.assert(
      fc.asyncProperty(
        fc.bigInt({ min: -99_999_999_999n, max: 99_999_999_999n }),
        fc.bigInt({ min: 1n, max: 1_000_000n }),
        async (cents, count) => {
          const got = await valueOf(`${cents}::DECIMAL(18,0) / 100`, String(count), 'r', 4)
          const scaled = (cents < 0n ? -cents : cents) * 100n
          const nearest = (2n * scaled + count) / (2n * count)
          const found = BigInt(String(got).replace(/[-.]/g, ''))
          expect(found).toBe(nearest)
        },
      ),
      { numRuns: 100 },
    ))

  test('are never averages of averages', async () => {
    const [total] = await ask({ metrics: ['average_order_value'] })
    const groups = await ask({ metrics: ['average_order_value'], by: ['region'] })
    const mean = groups.reduce((sum, row) => sum + Number(row['average_order_value']), 0) / groups.length
    expect(Number(total!['average_order_value'])).not.toBeCloseTo(mean, 2)
    expect(total!['average_order_value']).toBe('1116.981760')
  })
})

describe('metrics with conditions, times of day, columns that share a name', () => {
  const models = modelsOf({
    model: 'main.events',
    time: 'at',
    dimensions: [
      { name: 'at', type: 'timestamp' },
      { name: 'flag', type: 'boolean' },
      { name: 'size', type: 'string', expr: "case when n > 1 then 'big' else 'small' end" },
    ],
    metrics: [
      { name: 'n', agg: 'sum', expr: 'n' },
      { name: 'squares', agg: 'sum', expr: 'n * n' },
      { name: 'rows', agg: 'count' },
      { name: 'good', agg: 'count', filter: "flag or kind = 'a'" },
      { name: 'least', agg: 'min', expr: 'n' },
      { name: 'share', ratio: { numerator: 'good', denominator: 'rows' }, scale: 3, format: 'percent' },
    ],
  })
  beforeAll(() =>
    duckdb.run(`CREATE TABLE events AS FROM (VALUES
      (TIMESTAMP '2024-01-01 23:59:59.5', true, 'b', 1), (TIMESTAMP '2024-01-02 00:00:00', false, 'a', 2),
      (TIMESTAMP '2024-01-02 23:00:00', false, 'b', 3), (TIMESTAMP '2024-01-03 00:00:00', NULL, 'b', 4)) t("at", flag, kind, n)`),
  )
  const of = (question: QuestionInput) => rows(duckdb, compile(question, models).sql)

  test.each<[string, QuestionInput, unknown[]]>([
    ['a metric may be called as its column', { metrics: ['n', 'squares'] }, [{ n: '10', squares: '30' }]],
    ['a condition of a metric', { metrics: ['rows', 'good', 'share'] }, [{ rows: '4', good: '2', share: '0.500' }]],
    ['a day ends at midnight', { metrics: ['rows'], time: { from: '2024-01-02', to: '2024-01-02' } }, [{ rows: '2' }]],
    ['by day of a timestamp', { metrics: ['rows'], by: ['at:day'], limit: 1 }, [{ 'at:day': '2024-01-01', rows: '1' }]],
    ['by hour', { metrics: ['rows'], by: ['at:hour'], limit: 1 }, [{ 'at:hour': '2024-01-01 23:00:00', rows: '1' }]],
    [
      'not false includes unknown',
      { metrics: ['rows'], where: [{ dimension: 'flag', op: 'not', values: false }] },
      [{ rows: '2' }],
    ],
    [
      'unknown is a value',
      { metrics: ['rows'], where: [{ dimension: 'flag', values: [true, null] }] },
      [{ rows: '2' }],
    ],
    ['empty', { metrics: ['rows'], where: [{ dimension: 'flag', op: 'empty' }] }, [{ rows: '1' }]],
    [
      'a timestamp',
      { metrics: ['rows'], where: [{ dimension: 'at', op: 'gt', values: '2024-01-02T00:00' }] },
      [{ rows: '2' }],
    ],
    [
      'an expression as dimension',
      { metrics: ['rows'], where: [{ dimension: 'size', values: 'big' }] },
      [{ rows: '3' }],
    ],
    [
      'periods of a metric with a condition',
      { metrics: ['good', 'least'], time: { from: '2024-01-02', to: '2024-01-02' }, compare: 'previous_period' },
      [{ good: '1', 'good:previous': '1', least: 2, 'least:previous': 1 }],
    ],
    [
      'timestamps of two periods in one group',
      { metrics: ['rows'], by: ['at:day'], time: { from: '2024-01-02', to: '2024-01-02' }, compare: 'previous_period' },
      [{ 'at:day': '2024-01-02', rows: '2', 'rows:previous': '1' }],
    ],
  ])('%s', async (_, question, expected) => expect(await of(question)).toEqual(expected))
})

describe('nothing that is asked can leave its literal', () => {
  const models = modelsOf({
    model: 'main.words',
    dimensions: [
      { name: 'word' },
      { name: 'size', type: 'number' },
      { name: 'day', type: 'date' },
      { name: 'at', type: 'timestamp' },
      { name: 'ok', type: 'boolean' },
    ],
    metrics: [{ name: 'rows', agg: 'count' }],
  })
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom(
      "'",
      "''",
      "' OR 1=1 --",
      '"; DROP TABLE words; --',
      '\\',
      "\\'",
      '$$',
      '/*',
      '\n',
      "e'\\n'",
      '?',
      '$1',
      '%',
      '{{x}}',
      '\u2019',
      "a\n'b",
    ),
  )

  test('text finds itself and only itself', async () => {
    const connection = await openDuckDB()
    await connection.run('CREATE TABLE words (word VARCHAR)')
    await fc.assert(
      fc.asyncProperty(
        nasty.filter((word) => !word.includes('\0') && word.isWellFormed()),
        async (word) => {
          await connection.run('DELETE FROM words')
          await connection.run('INSERT INTO words VALUES ($1), ($2), (NULL)', [word, `${word}x`])
          for (const op of ['equals', 'in'] as const)
            expect(
              await rows(
                connection,
                compile({ metrics: ['rows'], where: [{ dimension: 'word', op, values: [word] }] }, models).sql,
              ),
            ).toEqual([{ rows: '1' }])
          expect(
            await rows(
              connection,
              compile({ metrics: ['rows'], where: [{ dimension: 'word', op: 'contains', values: word }] }, models).sql,
            ),
          ).toEqual([{ rows: '2' }])
          expect(
            await rows(connection, compileValues({ dimension: 'word', search: word, limit: 5 }, models).sql),
          ).toHaveLength(2)
        },
      ),
      { numRuns: 150 },
    )
    connection.closeSync()
  })

  test.each(['size', 'day', 'at', 'ok'])('text as %s is refused or is a value', (dimension) => {
    fc.assert(
      fc.property(nasty, (value) => {
        try {
          const { sql } = compile({ metrics: ['rows'], where: [{ dimension, op: 'equals', values: value }] }, models)
          expect(sql).toMatch(/= (-?[\d.]+([eE][+-]?\d+)?|(DATE|TIMESTAMP) '[\d :.-]+'|TRUE|FALSE)$/)
        } catch (error) {
          expect(error).toMatchObject({ code: 'REQUEST_INVALID' })
        }
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['size', '1.5', '1.5'],
    ['size', -3, '-3'],
    ['size', '1e3', '1e3'],
    ['day', '2024-02-29', "DATE '2024-02-29'"],
    ['ok', 'True', 'TRUE'],
    ['at', '2024-01-31 10:00', "TIMESTAMP '2024-01-31 10:00:00'"],
  ])('%s %s', (dimension, value, literal) => {
    expect(compile({ metrics: ['rows'], where: [{ dimension, op: 'equals', values: value }] }, models).sql).toContain(
      `= ${literal}`,
    )
  })

  test.each([
    ['size', '1; drop'],
    ['size', ''],
    ['size', '0x10'],
    ['day', '2024-02-30'],
    ['day', 'today'],
    ['at', '2024-01-01 25:00'],
    ['ok', 'yes'],
    ['word', 'a\0b'],
  ])('%s %j is refused', (dimension, value) => {
    const question: QuestionInput = { metrics: ['rows'], where: [{ dimension, op: 'equals', values: value }] }
    expect(() => compile(question, models)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }))
  })
})

describe('names that are not there', () => {
  test.each<[QuestionInput, string]>([
    [{ metrics: ['revenu'] }, 'there is no metric "revenu"; did you mean "revenue"?'],
    [
      { metrics: ['revenue'], by: ['regoin'] },
      'there is no dimension "regoin" in the model "sales"; did you mean "region"?',
    ],
    [{ metrics: ['revenue'], by: ['order_date:mont'] }, '"mont" is not a grain of time; did you mean "month"?'],
    [{ metrics: ['revenue'], by: ['region:day'] }, '"region" is a string and has no grain of time'],
    [{ metrics: ['revenue'], by: ['order_date:hour'] }, '"order_date" is a date and has no hours'],
    [{ metrics: ['sale.revenue'] }, 'there is no model "sale"; did you mean "sales"?'],
    [
      { metrics: ['revenue'], orderBy: [{ name: 'orders' }] },
      'cannot sort by "orders", which is not in the answer; there is: revenue',
    ],
    [
      { metrics: ['revenue'], where: [{ dimension: 'regio', values: 'x' }] },
      'there is no dimension "regio" in the model "sales"; did you mean "region"?',
    ],
  ])('%j', (question, message) => {
    expect(() => compile(question, sales)).toThrow(expect.objectContaining({ code: 'METRIC_INVALID', message }))
  })

  test('a name in two models must say which', () => {
    const both = modelsOf(
      { name: 'a', model: 'x.a', metrics: [{ name: 'rows', agg: 'count' }] } as never,
      {
        name: 'b',
        model: 'x.b',
        metrics: [
          { name: 'rows', agg: 'count' },
          { name: 'other', agg: 'count' },
        ],
      } as never,
    )
    expect(() => compile({ metrics: ['rows'] }, both)).toThrow(
      '"rows" is in the models a and b; write for example "a.rows"',
    )
    expect(compile({ metrics: ['b.rows'] }, both).sql).toContain('"x"."b"')
    expect(compile({ metrics: ['rows'], model: 'b' }, both).sql).toContain('"x"."b"')
    expect(compile({ metrics: ['other', 'rows'] }, both).sql).toContain('"x"."b"')
    expect(() => compile({ metrics: ['a.rows', 'b.other'] }, both)).toThrow('one question is about one model')
  })

  test('a question of the wrong form', () => {
    expect(() => compile({}, sales)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }))
    expect(() => compile({ metrics: ['revenue'], time: { from: '2024-02-01', to: '2024-01-01' } }, sales)).toThrow(
      '"from" is after "to"',
    )
  })
})

test('rows behind a number, and the values of a filter', async () => {
  const { sql, columns } = compileRows(
    {
      columns: ['order_id', 'line_total', 'quarter'],
      where: [{ dimension: 'region', values: ['North'] }],
      orderBy: [{ name: 'line_total', direction: 'desc' }],
      limit: 1,
    },
    sales,
  )
  expect(await rows(duckdb, sql)).toEqual(
    await rows(
      duckdb,
      "SELECT order_id, line_total, quarter FROM staging.stg_sales WHERE region = 'North' ORDER BY line_total DESC LIMIT 1",
    ),
  )
  expect(columns.map(({ label, format }) => [label, format.kind])).toEqual([
    ['Order', 'text'],
    ['Total', 'number'],
    ['Quarter', 'text'],
  ])
  const values = await rows(duckdb, compileValues({ dimension: 'region', limit: 2 }, sales).sql)
  expect(values.map((row) => row['value'])).toEqual(['Central', 'East'])
  expect(await rows(duckdb, compileBounds({ dimension: 'order_date' }, sales).sql)).toEqual([
    { first: '2024-01-01', last: '2024-03-30' },
  ])
})

test('what a reader of "view SQL" sees', () => {
  const { sql } = compile(
    {
      metrics: ['revenue', 'average_order_value'],
      by: ['region'],
      where: [{ dimension: 'product', values: ["Kid's \n laptop", 'Phone'] }],
    },
    sales,
  )
  expect(sql).toBe(`WITH measures AS (
  SELECT
    "region",
    SUM(quantity * amount) AS "revenue",
    COUNT(DISTINCT order_id) AS "orders"
  FROM "staging"."stg_sales"
  WHERE "product" IN ('Kid''s \n laptop', 'Phone')
  GROUP BY 1
)
SELECT
  "region",
  "revenue",
  CAST("revenue" / NULLIF("orders", 0) AS DECIMAL(38, 6)) AS "average_order_value"
FROM measures
ORDER BY "region" ASC NULLS LAST`)
})
