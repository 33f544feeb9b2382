// The example's promises: what MISSION says about its data, and the numbers that its README tells people to expect.

import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { DuckDBConnection } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile } from './compile.ts'
import { openSales, rows, salesModels } from './duckdb.testing.ts'
import type { QuestionInput } from './question.ts'

const example = join(import.meta.dirname, '../../examples/sales')
let duckdb: DuckDBConnection
let readme: string
beforeAll(async () => {
  duckdb = await openSales()
  readme = await readFile(join(example, 'README.md'), 'utf8')
})
afterAll(() => duckdb.closeSync())

const one = async (sql: string) => Object.values((await rows(duckdb, sql))[0]!)

test('the orders are what they are said to be', async () => {
  const expected: [string, unknown][] = [
    ['count(*)', '1000'],
    ['count(distinct order_id)', '1000'],
    ['min(order_id)', 'ORD-0001'],
    ['max(order_id)', 'ORD-1000'],
    ['count(distinct customer_id)', '200'],
    ['min(customer_id)', 'CUST-0001'],
    ['max(customer_id)', 'CUST-0200'],
    ['count(distinct order_date)', '90'],
    ['min(order_date)', '2024-01-01'],
    ['max(order_date)', '2024-03-30'],
    ['count(distinct product)', '7'],
    ["string_agg(distinct region, ',' order by region)", 'Central,East,North,South,West'],
    ['min(quantity)', 1],
    ['max(quantity)', 5],
    ['min(amount) >= 20 and max(amount) <= 2000', true],
    ['count(*) filter (where amount <> floor(amount)) > 900', true],
    ['bool_and(order_id is not null and customer_id is not null and region is not null)', true],
  ]
  expect(
    await one(`select ${expected.map(([sql], index) => `${sql} as c${index}`).join(', ')} from raw.sales`),
  ).toEqual(expected.map(([, value]) => value))
})

test('generate.mjs writes the committed file, byte for byte', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sales-'))
  await copyFile(join(example, 'generate.mjs'), join(dir, 'generate.mjs'))
  await promisify(execFile)(process.execPath, [join(dir, 'generate.mjs')])
  const [written, committed] = await Promise.all([
    readFile(join(dir, 'sales.csv')),
    readFile(join(example, 'sales.csv')),
  ])
  expect(written.equals(committed)).toBe(true)
  await rm(dir, { recursive: true })
})

/** Cells of the table rows of the README below a heading cell. */
const tableOf = (heading: string): string[][] => {
  const lines = readme.split('\n')
  const from = lines.findIndex((line) => line.startsWith(`| ${heading} |`))
  const until = lines.findIndex((line, index) => index > from && !line.startsWith('|'))
  return lines.slice(from + 2, until).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}
const plain = (text: string): string => text.replaceAll(',', '')

test('the numbers of the README are those of the CSV, and those of the metrics', async () => {
  const cases = tableOf('filter')
  expect(cases).toHaveLength(8)
  const models = await salesModels()
  for (const [filter, ...numbers] of cases) {
    const region = /region (\w+)/.exec(filter!)?.[1]
    const [, from, to] = /(\d{4}-\d\d-\d\d) to (\d{4}-\d\d-\d\d)/.exec(filter!) ?? []
    const where = [
      ...(region ? [`region = '${region}'`] : []),
      ...(from ? [`order_date between '${from}' and '${to}'`] : []),
      'true',
    ].join(' and ')
    const found = await one(
      `select sum(quantity * amount), count(*), count(distinct customer_id), round(sum(quantity * amount) / count(*), 2)::decimal(38, 2) from raw.sales where ${where}`,
    )
    expect(found, filter).toEqual(numbers.map(plain))
    const question: QuestionInput = {
      metrics: ['revenue', 'orders', 'customers', 'average_order_value'],
      ...(region && { where: [{ dimension: 'region', values: region }] }),
      ...(from && { time: { from, to: to! } }),
    }
    const [revenue, orders, customers, average] = await one(compile(question, models).sql)
    expect([revenue, orders, customers, Number(average).toFixed(2)], filter).toEqual(found)
  }
  const products = await rows(
    duckdb,
    'select product, sum(quantity * amount) as revenue from raw.sales group by 1 order by 2 desc',
  )
  expect(tableOf('product').map(([product, revenue]) => [product, plain(revenue!)])).toEqual(
    products.map((row) => [row['product'], row['revenue']]),
  )
  const [total] = await one('select sum(quantity * amount) + 1500 from raw.sales')
  expect(plain(readme)).toContain(`1001 orders and ${String(total)} of revenue`)
})

test('the mart holds the same revenue, and its rows are unique by day, region and product', async () => {
  expect(
    await one(
      'select sum(revenue), sum(orders), sum(units), count(*) = count(distinct (order_date, region, product)) from marts.daily_revenue',
    ),
  ).toEqual(await one('select sum(quantity * amount), count(*), sum(quantity), true from raw.sales'))
})

test('both smoke scripts add the same order', async () => {
  const [sh, ps1] = await Promise.all(['smoke.sh', 'smoke.ps1'].map((file) => readFile(join(example, file), 'utf8')))
  for (const text of [sh!, ps1!]) {
    expect(text).toContain('ORD-9999')
    expect(text).toContain('$order,CUST-0001,2024-03-31,Laptop,1,1500.00,North')
  }
})
