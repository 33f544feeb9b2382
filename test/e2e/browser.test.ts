import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openExample, revenue, type Example, type Order } from '../support/example.ts'

// The main job in a real browser: what the dashboard shows equals the CSV file, computed here without any of the code
// under test; and it moves when a run is published or a file is saved, without a reload.

let example: Example
let browser: Browser
let page: Page
let url: string
const complaints: string[] = []

beforeAll(async () => {
  example = openExample()
  const up = await example.boathouse(['up', '--detach', '--load', '--port', '0', '--json'])
  expect(up, up.stderr).toMatchObject({ code: 0 })
  const ready = JSON.parse(up.stdout.slice(up.stdout.lastIndexOf('{\n  "pid"'))) as { url: string; link: string }
  url = ready.url
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'en-US', timezoneId: 'UTC' })
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(ready.link)
  // The link opens once, so the first thing is a password for the next time.
  await page.getByLabel('New password', { exact: true }).fill('correct horse battery')
  await page.getByLabel('New password again').fill('correct horse battery')
  await page.getByRole('button', { name: 'Set password' }).click()
  await page.getByRole('navigation').first().waitFor()
  const made = await example.boathouse(['user', 'create', 'ana', '--role', 'member'])
  expect(made, made.stderr).toMatchObject({ code: 0 })
}, 180_000)
afterAll(async () => {
  await browser?.close()
  await example?.close()
})

const grouped = (text: string) => {
  const [whole, cents] = text.split('.')
  return `$${whole!.replace(/\B(?=(\d{3})+(?!\d))/g, ',')}.${cents}`
}

function expected(orders: readonly Order[]): string[] {
  const total = revenue(orders)
  const count = new Set(orders.map(({ orderId }) => orderId)).size
  const customers = new Set(orders.map(({ customerId }) => customerId)).size
  // Half up to the cent, in whole numbers.
  const cents = BigInt(total.replace('.', ''))
  const average = ((cents * 2n + BigInt(count)) / (BigInt(count) * 2n)).toString().padStart(3, '0')
  return [
    grouped(total),
    String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ','),
    String(customers),
    grouped(`${average.slice(0, -2)}.${average.slice(-2)}`),
  ]
}

const shown = () =>
  page.locator('.kpi-value').evaluateAll((all) => all.map((one) => one.getAttribute('title') || one.textContent))

test('the four KPIs equal the file: all, by region, for a range of days', async () => {
  const orders = example.csv()
  const north = orders.filter(({ region }) => region === 'North')
  const range = orders.filter(({ date }) => date >= '2024-02-01' && date <= '2024-02-29')
  const both = range.filter(({ region }) => region === 'East' || region === 'West')
  for (const [search, some] of [
    ['', orders],
    ['?region=North', north],
    ['?period=2024-02-01..2024-02-29', range],
    ['?period=2024-02-01..2024-02-29&region=East&region=West', both],
    ['?period=2024-03-01..', orders.filter(({ date }) => date >= '2024-03-01')],
  ] as const) {
    await page.goto(`${url}/dashboards/sales${search}`)
    await expect.poll(shown, { timeout: 20_000, message: search }).toEqual(expected(some))
  }
})

test('a new order shows after a run, without a reload and with the filter kept', async () => {
  await page.goto(`${url}/dashboards/sales?region=North`)
  await expect
    .poll(shown, { timeout: 20_000 })
    .toEqual(expected(example.csv().filter(({ region }) => region === 'North')))
  await page.evaluate(() => ((globalThis as unknown as { mark: string }).mark = 'same page'))
  appendFileSync(join(example.dir, 'sales.csv'), 'ORD-9999,CUST-0001,2024-03-31,Laptop,1,1500.00,North\n')
  const ran = await example.boathouse(['run'])
  expect(ran, ran.stderr).toMatchObject({ code: 0 })
  expect(await example.rows('select count(*) from raw.sales')).toEqual([[1001]])
  await expect
    .poll(shown, { timeout: 20_000 })
    .toEqual(expected(example.csv().filter(({ region }) => region === 'North')))
  expect(await page.evaluate(() => (globalThis as unknown as { mark?: string }).mark)).toBe('same page')
  expect(page.url()).toContain('region=North')
})

test('a saved dashboard file shows in the open page', async () => {
  await page.goto(`${url}/dashboards/sales?region=North`)
  await page.getByRole('heading', { name: 'Sales', level: 1 }).waitFor()
  const file = join(example.dir, 'dashboards/sales.yml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('title: Sales', 'title: Sales of the shop'))
  await page.getByRole('heading', { name: 'Sales of the shop', level: 1 }).waitFor({ timeout: 15_000 })
  expect(page.url()).toContain('region=North')
})

test('a dashboard that names a missing column says so at its place', async () => {
  const file = join(example.dir, 'dashboards/sales.yml')
  const before = readFileSync(file, 'utf8')
  writeFileSync(file, before.replace('          - customer_id\n', '          - customer_idd\n'))
  await page
    .getByText(/customer_idd/)
    .first()
    .waitFor({ timeout: 15_000 })
  await expect.poll(() => page.getByText(/dashboards\/sales\.yml:\d+/).count(), { timeout: 15_000 }).toBeGreaterThan(0)
  writeFileSync(file, before)
  await expect.poll(() => page.getByText(/customer_idd/).count(), { timeout: 15_000 }).toBe(0)
})

test('every page opens and complains of nothing', async () => {
  for (const path of [
    '/',
    '/dashboards',
    '/sql',
    '/tables',
    '/tables/raw/sales',
    '/runs',
    '/connect',
    '/users',
    '/access',
  ]) {
    await page.goto(`${url}${path}`)
    await page.getByRole('main').waitFor({ timeout: 15_000 })
    await page.waitForLoadState('load')
  }
  expect(complaints).toEqual([])
})

test('the SQL page runs a statement and marks an error at its place', async () => {
  await page.goto(`${url}/sql`)
  const editor = page.locator('.cm-content')
  await editor.click()
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type('select region, count(*) as orders from raw.sales group by all order by all')
  await page.keyboard.press('ControlOrMeta+Enter')
  await page.getByText('Central').first().waitFor({ timeout: 15_000 })
  await editor.click()
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type('select nope from raw.sales')
  await page.keyboard.press('ControlOrMeta+Enter')
  await page
    .getByText(/nope.*not found/i)
    .first()
    .waitFor({ timeout: 15_000 })
  await expect.poll(() => page.locator('.failed-word').count(), { timeout: 5_000 }).toBeGreaterThan(0)
})

test('the Connect page gives the strings of this server, and each tool has a link of its own', async () => {
  await page.goto(`${url}/connect`)
  const tools = page.getByRole('list', { name: 'Tools' })
  await tools.waitFor()
  const { host } = new URL(url)
  expect(await page.getByLabel('This installation').innerText()).toContain(`http://${host}`)
  await tools.getByRole('button', { name: 'curl' }).click()
  await expect.poll(() => page.url()).toContain('with=curl')
  const command = await page.locator('pre').innerText()
  expect(command).toContain(`${url}/api/query?env=dev`)
  // What is pasted works: the address, the headers and the body of the command, with a token in its place.
  const made = await example.boathouse(['token', 'create', 'pasted', '--user', 'admin', '--json'])
  const { token } = JSON.parse(made.stdout) as { token: string }
  const headers = [...command.matchAll(/-H '([^:']+): ([^']+)'/g)].map(([, name, value]) => [name!, value!] as const)
  const response = await fetch(/'(http[^']+)'/.exec(command)![1]!, {
    method: 'POST',
    headers: headers.map(([name, value]) => [name, value.replace('TOKEN', token)]),
    body: /-d '([^']+)'/.exec(command)![1]!,
  })
  expect(response.status).toBe(200)
  expect(((await response.json()) as { rows: unknown[] }).rows).toHaveLength(10)
})

describe('access', () => {
  test('what somebody sees, and why, by a link', async () => {
    await page.goto(`${url}/access?user=ana&table=raw.sales`)
    await page.getByText('ana may not select').waitFor({ timeout: 20_000 })
    await page.getByText('nothing grants ana select').waitFor()
  })

  test('a right that is granted by keyboard counts, is told, and is gone when it is revoked', async () => {
    await page.goto(`${url}/access?tab=rights`)
    await page.getByRole('button', { name: 'Grant a right' }).focus()
    await page.keyboard.press('Enter')
    await page.getByLabel('To', { exact: true }).selectOption('user:ana')
    await page.getByLabel('On tables').fill('raw.sales')
    await page.getByLabel('Only columns').fill('order_id, region')
    await page.keyboard.press('Enter')
    const row = page.getByRole('row', { name: /ana.*raw\.sales/ })
    await row.waitFor({ timeout: 20_000 })
    await page.goto(`${url}/access`)
    await page.getByLabel('Who', { exact: true }).selectOption('ana')
    await page.getByLabel('Table or view').selectOption('raw.sales')
    await page.getByText('ana may select').waitFor({ timeout: 20_000 })
    expect(await page.getByRole('row', { name: /amount/ }).innerText()).toContain('hidden')
    expect(await page.getByRole('row', { name: /region/ }).innerText()).toContain('as it is')
    expect(page.url()).toContain('user=ana&table=raw.sales')
    await page.getByRole('tab', { name: /^Rights/ }).click()
    await page.getByRole('button', { name: /^Revoke select on raw\.sales/ }).click()
    await page.getByRole('button', { name: 'Revoke', exact: true }).click()
    await row.waitFor({ state: 'detached', timeout: 20_000 })
  })

  test('the audit is filtered by the address', async () => {
    await page.goto(`${url}/access?tab=audit&door=web`)
    const actions = page.locator('.audit-open')
    await expect.poll(() => actions.count(), { timeout: 20_000 }).toBe(2)
    expect(await actions.allInnerTexts()).toEqual([
      expect.stringMatching(/^revoke/) as string,
      expect.stringMatching(/^grant/) as string,
    ])
    await page.getByLabel('Verdict').selectOption('refused')
    await page.getByText('Nothing in the audit fits.').waitFor({ timeout: 20_000 })
    await actions.first().waitFor({ state: 'detached' })
    expect(page.url()).toContain('verdict=refused')
  })

  test('nobody else gets the page, nor what it asks', async () => {
    const { stdout } = await example.boathouse(['user', 'reset', 'ana', '--json'])
    const { link } = JSON.parse(stdout) as { link: string }
    const other = await browser.newContext({ locale: 'en-US', timezoneId: 'UTC' })
    const theirs = await other.newPage()
    await theirs.goto(`${url}/login${new URL(link).search}`)
    await theirs.getByLabel('New password', { exact: true }).fill('correct horse battery')
    await theirs.getByLabel('New password again').fill('correct horse battery')
    await theirs.getByRole('button', { name: 'Set password' }).click()
    await theirs.getByRole('navigation').first().waitFor()
    await theirs.goto(`${url}/access?tab=audit`)
    await theirs.getByText('Rights are for administrators.').waitFor({ timeout: 20_000 })
    const asked = ['/api/access', '/api/audit', '/api/access/check?user=ana&table=raw.sales']
    expect(
      await theirs.evaluate((paths) => Promise.all(paths.map(async (path) => (await fetch(path)).status)), asked),
    ).toEqual([403, 403, 403])
    await other.close()
  })
})
