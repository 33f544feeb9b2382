// The built app in a real browser, against the fixture server, under the content security policy it is served with.

import { readdirSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeOrders, salesDashboard } from './fixture-data.ts'
import { startFixture, type Fixture } from './fixture-server.ts'

let dist: string
let fixture: Fixture
let browser: Browser
let context: BrowserContext
let page: Page
/** What the browser complained about, other than answers that a test asked to fail. */
let complaints: string[]

beforeAll(async () => {
  dist = isBuilt() ? 'web/dist' : await buildApp()
  fixture = await startFixture(dist)
  const quiet = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ]
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--headless', ...quiet],
  })
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await fixture?.close()
  if (dist !== 'web/dist') await rm(dist, { recursive: true, force: true })
})

/** `make build` left the app, and nothing that it is made of was changed since. */
function isBuilt(): boolean {
  const sources = ['web/src', 'src/contract'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  const built = statSync('web/dist/.built', { throwIfNoEntry: false })?.mtimeMs ?? 0
  return [...sources, 'web/index.html', 'web/vite.config.ts'].every((file) => statSync(file).mtimeMs <= built)
}

async function buildApp(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'boathouse-ui-'))
  const { build } = await import('vite')
  await build({ configFile: 'web/vite.config.ts', logLevel: 'error', build: { outDir: folder, emptyOutDir: true } })
  return folder
}

beforeEach(async () => {
  Object.assign(fixture.state, {
    orders: makeOrders(),
    role: 'admin',
    protectedEnvironment: false,
    passwordNeeded: false,
    open: [],
    held: null,
    asked: [],
    cancelled: [],
    uploads: [],
    empty: false,
    failing: null,
  })
  fixture.state.dashboards.set('sales', salesDashboard)
  await open({})
})
afterEach(async () => {
  await page.close()
  expect(complaints).toEqual([])
})

type Look = { width: number; height: number; colorScheme: 'light' | 'dark' }
const usual: Look = { width: 1440, height: 900, colorScheme: 'light' }
let shown: Look | undefined

/** A fresh page; the context (and with it the browser's cache of the app) is kept while it looks the same. */
async function open({ loggedIn = true, ...given }: Partial<Look> & { loggedIn?: boolean }) {
  const look = { ...usual, ...given }
  if (JSON.stringify(look) !== JSON.stringify(shown)) {
    await context?.close()
    const { width, height, colorScheme } = look
    context = await browser.newContext({
      viewport: { width, height },
      colorScheme,
      baseURL: fixture.url,
      reducedMotion: 'reduce',
    })
    shown = look
  }
  await page?.close()
  await context.clearCookies()
  if (loggedIn) await context.addCookies([{ name: 'boathouse_session', value: 'ada', url: fixture.url }])
  page = await context.newPage()
  await page.addInitScript(`if (!sessionStorage.old) { localStorage.clear(); sessionStorage.old = 1 }`)
  await page.clock.setFixedTime(new Date(fixture.now))
  complaints = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !/Failed to load resource/.test(message.text()))
      complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
}
const kpi = (title: string) => page.getByRole('region', { name: title }).locator('.kpi-value')
const askedFor = (key: string) => fixture.state.asked.filter((one) => one === key).length
/** Polls patiently: the machine may be busy. */
const until = <Value>(read: () => Value | Promise<Value>) => expect.poll(read, { timeout: 20_000, interval: 40 })
/** Survives changes inside the page, not loading it again. */
const mark = () => page.evaluate(() => ((globalThis as any).marked = true))
const isMarked = () => page.evaluate(() => (globalThis as any).marked === true)

describe('logging in', () => {
  test('by name and password, to the page that was wanted', async () => {
    await open({ loggedIn: false })
    await page.goto('/dashboards/sales')
    await page.getByLabel('Name').fill('ada')
    await page.getByLabel('Password').fill('wrong')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('The name or the password is wrong.').waitFor()
    await page.getByLabel('Password').fill('correct horse')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Sales', level: 1 }).waitFor()
  })

  test('by a one-time link, then a first password; the token leaves the address', async () => {
    await open({ loggedIn: false })
    await page.goto('/login?token=once')
    await page.getByRole('heading', { name: 'Choose a password' }).waitFor()
    expect(page.url()).not.toContain('token')
    expect(askedFor('POST /api/session/link')).toBe(1)
    await page.getByLabel('New password', { exact: true }).fill('short')
    await page.getByLabel('New password again').fill('short')
    await page.getByRole('button', { name: 'Set password' }).click()
    await page.getByText('At least 10 characters.').waitFor()
    await page.getByLabel('New password', { exact: true }).fill('long enough for us')
    await page.getByLabel('New password again').fill('long enough for us')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'sales', level: 1 }).waitFor()
  })

  test('a session that ends shows the log-in page, not an error', async () => {
    await page.goto('/dashboards/sales')
    await kpi('Total orders').waitFor()
    await context.clearCookies()
    await page.getByRole('link', { name: 'Runs' }).click()
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
  })
})

describe('a dashboard', () => {
  test('shows the numbers, exactly', async () => {
    await page.goto('/dashboards/sales')
    await kpi('Total orders').waitFor()
    const cents = makeOrders().reduce((sum, { quantity, cents }) => sum + quantity * cents, 0)
    expect(await kpi('Total orders').textContent()).toBe('1,000')
    expect(await kpi('Total revenue').textContent()).toBe(
      `$${(cents / 100).toLocaleString('en-US', { minimumFractionDigits: 2 })}`,
    )
    expect(await page.getByText(/^Data of/).textContent()).toBe('Data of 06:02, 3 min ago')
  })

  test('its filters live in the address: they survive a reload, and Back undoes one', async () => {
    await page.goto('/dashboards/sales')
    await kpi('Total orders').waitFor()
    await page
      .getByRole('group', { name: 'Filters' })
      .getByRole('button', { name: /^Region/ })
      .click()
    await page.getByRole('option', { name: /North/ }).click()
    await page.getByRole('option', { name: /West/ }).click()
    await page.keyboard.press('Escape')
    await until(() => page.url()).toContain('region=North&region=West')
    const orders = String(makeOrders().filter(({ region }) => ['North', 'West'].includes(region)).length)
    await until(() => kpi('Total orders').textContent()).toBe(orders)
    await page.reload()
    await until(() => kpi('Total orders').textContent()).toBe(orders)
    expect(
      await page
        .getByRole('group', { name: 'Filters' })
        .getByRole('button', { name: /^Region/ })
        .textContent(),
    ).toBe('RegionNorth, West')
    await page.goto('/dashboards/sales?period=2024-02-01..2024-02-29')
    const february = makeOrders().filter(({ day }) => day.startsWith('2024-02')).length
    await until(() => kpi('Total orders').textContent()).toBe(String(february))
    await page.getByText('vs 3 – 31 Jan', { exact: true }).first().waitFor()
    await page.getByRole('button', { name: 'Clear Period' }).click()
    await until(() => kpi('Total orders').textContent()).toBe('1,000')
    await page.goBack()
    await until(() => kpi('Total orders').textContent()).not.toBe('1,000')
  })

  test('a bar filters, and filters again back', async () => {
    await page.goto('/dashboards/sales')
    await page.getByRole('button', { name: 'North', exact: true }).click()
    await until(() => page.url()).toContain('region=North')
    await page.getByRole('button', { name: 'North', exact: true }).click()
    await until(() => page.url()).not.toContain('region')
  })

  test('changes in place when its file is saved or its tables are published, and keeps the filters', async () => {
    await page.goto('/dashboards/sales?region=North')
    const before = makeOrders().filter(({ region }) => region === 'North').length
    await until(() => kpi('Total orders').textContent()).toBe(String(before))
    await mark()
    await until(() => fixture.listeners()).toBe(1)

    fixture.state.dashboards.set('sales', { ...salesDashboard, title: 'Sales, renamed', revision: 'r2' })
    fixture.emit({ kind: 'dashboard', name: 'sales', revision: 'r2' })
    await page.getByRole('heading', { name: 'Sales, renamed' }).waitFor({ timeout: 20_000 })

    fixture.state.orders = [
      ...fixture.state.orders,
      {
        id: 'ORD-9999',
        customer: 'CUST-0001',
        day: '2024-03-31',
        product: 'Laptop',
        quantity: 1,
        cents: 150_000,
        region: 'North',
      },
    ]
    fixture.emit({
      kind: 'published',
      publication: 'p4',
      environment: 'dev',
      tables: ['dev_analytics.staging.stg_sales'],
    })
    await until(() => kpi('Total orders').textContent()).toBe(String(before + 1))
    expect(page.url()).toContain('region=North')
    expect(await isMarked()).toBe(true)
  })

  test('keeps the old picture, dimmed, while new rows are on their way', async () => {
    await page.goto('/dashboards/sales')
    await kpi('Total orders').waitFor()
    const { promise, resolve } = Promise.withResolvers<void>()
    fixture.state.held = promise
    await page.getByRole('button', { name: 'North', exact: true }).click()
    await page.locator('.panel[data-stale=true]').first().waitFor()
    expect(await kpi('Total orders').textContent()).toBe('1,000')
    resolve()
    await until(() => page.locator('.panel[data-stale=true]').count()).toBe(0)
    expect(await kpi('Total orders').textContent()).not.toBe('1,000')
  })

  test('a mistake in its file stands at the panel, with its place; the others are drawn', async () => {
    fixture.state.dashboards.set('sales', {
      ...salesDashboard,
      revision: 'r3',
      problems: [
        {
          code: 'DASHBOARD_INVALID',
          message: 'There is no dimension regoin.',
          place: { file: 'dashboards/sales.yml', line: 31, column: 17 },
          hint: 'Did you mean region?',
          panel: 'revenue_by_region',
        },
      ],
    })
    await page.goto('/dashboards/sales')
    const panel = page.getByRole('region', { name: 'Revenue by region' })
    await panel.getByText('dashboards/sales.yml:31:17').waitFor()
    expect(await kpi('Total orders').textContent()).toBe('1,000')
  })

  test('a server that stops is told of while it is away; its page stays', async () => {
    await page.goto('/dashboards/sales')
    expect(await kpi('Total orders').textContent()).toBe('1,000')
    await context.setOffline(true)
    fixture.hangUp()
    await page.getByText('The server does not answer.').waitFor()
    expect(await kpi('Total orders').textContent()).toBe('1,000')
    await context.setOffline(false)
    await page.getByText('The server does not answer.').waitFor({ state: 'detached' })
  })

  test('what all panels fail of is said once, in a sentence', async () => {
    fixture.state.failing = {
      code: 'TABLE_NOT_FOUND',
      message: 'there is no table staging.stg_sales',
      hint: 'Check the name; `boathouse table ls` lists tables.',
      requestId: 'req-1',
    }
    await page.goto('/dashboards/sales')
    await page.getByText('There is no table staging.stg_sales').waitFor()
    expect(await page.locator('.note').count()).toBe(1)
    expect(await page.getByText('Not available, for the reason above.').count()).toBe(5)
  })

  test('a panel gives its SQL, its rows and its picture by keyboard', async () => {
    await page.goto('/dashboards/sales')
    await page.getByRole('button', { name: 'Menu of Revenue by region' }).click()
    await page.getByRole('menuitem', { name: 'View SQL' }).click()
    await page.getByText('group by region').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Menu of Revenue by day' }).click()
    await page.getByRole('menuitem', { name: 'View data' }).click()
    expect(await page.getByRole('dialog').getByRole('row').count()).toBeGreaterThan(10)
    await page.keyboard.press('Escape')
    const chart = page.getByRole('img', { name: /^Revenue by day, line chart of 90 points/ })
    await chart.focus()
    await page.keyboard.press('Home')
    await page.locator('.tip', { hasText: '1 Jan 2024' }).waitFor()
    await page.keyboard.press('ArrowRight')
    await page.locator('.tip', { hasText: '2 Jan 2024' }).waitFor()
  })

  test('as of another moment', async () => {
    await page.goto('/dashboards/sales')
    await page.getByRole('button', { name: 'As of now' }).click()
    await page.getByRole('button', { name: /20 Nov, 06:02/ }).click()
    await page.getByText('Data as of 20 Nov 2026, 06:02').waitFor()
    expect(page.url()).toContain('as-of=2026-11-20')
    await page.getByRole('button', { name: 'Back to now' }).click()
    await until(() => page.url()).not.toContain('as-of')
  })
})

describe('the SQL page', () => {
  const editor = () => page.locator('.cm-content')
  const write = async (sql: string) => {
    await page.goto(`/sql?sql=${encodeURIComponent(sql)}`)
    await editor().waitFor()
    await editor().click()
  }

  test('runs by keyboard: the statement at the cursor, or the selection', async () => {
    await write('select count(*) from raw.sales;\nselect * from raw.sales')
    await page.keyboard.press('Control+Home')
    await page.keyboard.press('Control+Enter')
    await page.getByText('1 row', { exact: true }).waitFor()
    await page.keyboard.press('Control+End')
    await page.keyboard.press('Control+Enter')
    await page.getByText('1,000 rows', { exact: true }).waitFor()
    expect(fixture.state.asked.filter((one) => one.startsWith('sql '))).toEqual([
      'sql select count(*) from raw.sales',
      'sql select * from raw.sales',
    ])
    expect(await page.getByRole('row').count()).toBeLessThan(80) // only the rows in view are drawn
    const grid = page.getByRole('grid', { name: 'Result' })
    await grid.getByText('ORD-0002').click()
    await page.keyboard.press('Shift+ArrowRight')
    expect(await grid.locator('[aria-selected=true]').allTextContents()).toEqual([
      'ORD-0002',
      expect.stringMatching(/^CUST-/),
    ])
  })

  test('underlines a mistake where it is and offers what may have been meant', async () => {
    await write('select 1;\nselect region,\n  sum(amont) as revenue\nfrom marts.daily_revenue')
    await page.keyboard.press('Control+End')
    await page.keyboard.press('Control+Enter')
    expect(await page.locator('.failed-word').textContent()).toBe('amont')
    await page.locator('.failed-says', { hasText: 'Column "amont" is not in marts.daily_revenue.' }).waitFor()
    await page.getByRole('button', { name: 'Replace by amount' }).click()
    expect(await editor().innerText()).toContain('sum(amount)')
    expect(await page.locator('.failed-word').count()).toBe(0)
  })

  test('cancels in the engine, not only on the page', async () => {
    await write('select slow')
    await page.keyboard.press('Control+Enter')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('Cancelled').waitFor()
    await until(() => fixture.state.cancelled.length).toBe(1)
  })

  test('completes names from the catalog', async () => {
    await write('select  from marts.daily_revenue')
    await page.keyboard.press('Control+Home')
    for (let step = 0; step < 7; step++) await page.keyboard.press('ArrowRight')
    await page.keyboard.type('average_or', { delay: 15 })
    await page.locator('.cm-tooltip-autocomplete', { hasText: 'average_order_value' }).waitFor()
    // By mouse: the editor ignores Enter for a moment after the list opens, and the clock of this test stands still.
    await page.getByRole('option', { name: /average_order_value/ }).click()
    expect(await editor().innerText()).toContain('select average_order_value from')
  })

  test('keeps the text in the address and in the history', async () => {
    await write('select count(*) from raw.sales')
    await page.keyboard.press('Control+Enter')
    await page.getByText('1 row', { exact: true }).waitFor()
    await page.keyboard.press('Control+End')
    await page.keyboard.type(' limit 1')
    await until(() => new URL(page.url()).searchParams.get('sql')).toBe('select count(*) from raw.sales limit 1')
    await page.getByRole('button', { name: 'History' }).click()
    await page.getByRole('button', { name: /^select count\(\*\) from raw\.sales/ }).click()
    await until(() => editor().innerText()).toBe('select count(*) from raw.sales')
  })
})

describe('models', () => {
  test('the graph leads to a model, its columns to those they are made of', async () => {
    await page.goto('/models')
    const graph = page.getByRole('group', { name: /models and what they read/ })
    await graph.getByRole('link', { name: 'stg_sales' }).focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/models/model~sales~daily_revenue')
    await page.getByRole('heading', { name: 'daily_revenue' }).waitFor()
    const revenue = page.locator('#column-revenue')
    expect(await revenue.innerText()).toContain('stg_sales.amount aggregated')
    await page.getByRole('tab', { name: 'Tests' }).click()
    expect(await page.getByRole('tabpanel').innerText()).toContain('models/schema.yml')
    await page.getByRole('tab', { name: 'SQL' }).click()
    expect(await page.getByRole('tabpanel').innerText()).toContain("ref('stg_sales')")
  })

  test('a mistake stands with its place, and the search finds by tag', async () => {
    await page.goto('/models/model~sales~top_customers')
    await page.getByText('did you mean "revenue"').waitFor()
    await page.goto('/models?search=nightly')
    const rows = page.getByRole('row')
    await page.getByRole('link', { name: 'stg_sales' }).first().waitFor()
    expect(await rows.count()).toBe(2)
    await page.goto('/models/model~sales~nothing')
    await page.getByText('The project has no model model.sales.nothing.').waitFor()
  })
})

describe('tables and runs', () => {
  test('a table as of a snapshot', async () => {
    await page.goto('/tables/staging/stg_sales?tab=history')
    await page.getByRole('link', { name: 'rows as of then' }).last().click()
    await page.getByText('The first 40 rows').waitFor()
    expect(page.url()).toContain('snapshot=3305512210998412307')
  })

  test('a CSV becomes a table', async () => {
    await page.goto('/tables')
    await page.setInputFiles('input[type=file]', {
      name: 'Customers 2024.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('id,name\n1,Ada\n'),
    })
    expect(await page.getByLabel('Table', { exact: true }).inputValue()).toBe('customers_2024')
    await page.getByText('Append').click()
    await page.getByRole('button', { name: 'Upload and load' }).click()
    await page.waitForURL('**/runs/run4')
    expect(fixture.state.uploads).toEqual([{ table: 'customers_2024', mode: 'append', text: 'id,name\n1,Ada\n' }])
  })

  test('a failed run opens at what failed, with the statement that shows the rows', async () => {
    await page.goto('/runs/run2')
    await page.getByText('3 values of order_id stand in more than one row').waitFor()
    await page.getByText('having count(*) > 1').waitFor()
    await page.getByRole('log').getByText('test failed').waitFor()
  })

  test('rolling back asks first', async () => {
    await page.goto('/runs')
    await page.getByRole('button', { name: 'Roll back' }).click()
    expect(askedFor('POST /api/publications/:id/rollback')).toBe(0)
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click()
    await until(() => askedFor('POST /api/publications/:id/rollback')).toBe(1)
  })

  test('a reader sees, and is not offered what only administrators may do', async () => {
    fixture.state.role = 'reader'
    await page.goto('/runs')
    await page.getByText('Publications').waitFor()
    expect(await page.getByRole('button', { name: /Start a run|Roll back/ }).count()).toBe(0)
    await page.goto('/users')
    await page.getByText('Users are for administrators.').waitFor()
  })
})

describe('everywhere', () => {
  test('the palette goes to a table by a few letters', async () => {
    await page.goto('/')
    await page.getByRole('heading', { name: 'sales' }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('stg')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/tables/staging/stg_sales')
  })

  test('who presses Enter before the names have come goes there when they have', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    fixture.state.held = promise
    await page.goto('/runs')
    await page.getByText('Publications').waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('stg')
    await page.getByText('Looking for names').waitFor()
    await page.keyboard.press('Enter')
    resolve()
    await page.waitForURL('**/tables/staging/stg_sales')
  })

  test('dark follows the system and can be chosen; production is visibly production', async () => {
    const ground = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
    fixture.state.protectedEnvironment = true
    await open({ colorScheme: 'dark' })
    await page.goto('/')
    await page.getByRole('heading', { name: 'sales' }).waitFor()
    await until(ground).toBe('rgb(15, 19, 24)')
    expect(
      await page
        .locator('.environment')
        .evaluate((badge: any) => (globalThis as any).getComputedStyle(badge).backgroundColor),
    ).toBe('rgb(201, 64, 58)')
    await page.getByRole('button', { name: /Your menu/ }).click()
    await page.getByRole('menuitemradio', { name: 'Light' }).click()
    await until(ground).toBe('rgb(251, 252, 253)')
    await page.reload()
    await until(ground).toBe('rgb(251, 252, 253)')
  })

  const paths = [
    '/',
    '/dashboards',
    '/dashboards/sales',
    '/sql',
    '/tables',
    '/tables/staging/stg_sales',
    '/tables/staging/stg_sales?tab=about',
    '/models',
    '/models/model~sales~daily_revenue',
    '/models/model~sales~top_customers?tab=sql',
    '/runs',
    '/runs/run2',
    '/connect',
    '/users',
    '/nowhere',
  ]

  test.each([
    ['light', 1440],
    ['dark', 390],
  ] as const)(
    'in %s at %i px: names, one main heading, readable text, nothing wider than the window',
    async (colorScheme, width) => {
      await open({ colorScheme, width, height: 844 })
      for (const path of paths) {
        await page.goto(path)
        await page.locator('main').waitFor()
        await until(() => page.locator('.shimmer').count()).toBe(0)
        if (path !== '/nowhere') await page.locator('h1').first().waitFor({ state: 'attached' })
        const found = await page.evaluate(look)
        expect(found.nameless, `${path}: every control has a name`).toEqual([])
        if (path !== '/nowhere') expect(found.headings, `${path}: one main heading`).toBe(1)
        expect(found.duplicates, `${path}: ids are unique`).toEqual([])
        expect(found.pale, `${path}: contrast of text is at least 4.5`).toEqual([])
        expect(found.overflow, `${path}: nothing is wider than the window`).toBeLessThanOrEqual(0)
      }
    },
    120_000,
  )
})

/** Runs in the page: what an accessibility audit would find first. */
function look() {
  // The project is checked without the names of browsers, which most of it must not use.
  const { document, getComputedStyle, Node } = globalThis as any
  const visible = (element: any): boolean =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && element.getClientRects().length > 0
  const controls: any[] = [
    ...document.querySelectorAll('button, a[href], input, select, textarea, [role=grid], [role=img], dialog'),
  ]
  const nameOf = (element: any): string => {
    const labels = element.labels
    const by = element.getAttribute('aria-labelledby')
    return (
      [
        element.getAttribute('aria-label'),
        by && document.getElementById(by)?.textContent,
        labels?.[0]?.textContent,
        element.textContent,
        element.getAttribute('title'),
      ].find((text) => text?.trim()) ?? ''
    )
  }
  const nameless = controls
    .filter((element: any) => visible(element) && nameOf(element) === '')
    .map((element) => element.outerHTML.slice(0, 120))
  const ids: string[] = [...document.querySelectorAll('[id]')].map(({ id }: any) => id)

  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!
  const rgba = (color: string) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = color
    canvas.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data
    return { r: r!, g: g!, b: b!, a: a! / 255 }
  }
  type Rgba = ReturnType<typeof rgba>
  const over = (top: Rgba, under: Rgba): Rgba => ({
    r: top.r * top.a + under.r * (1 - top.a),
    g: top.g * top.a + under.g * (1 - top.a),
    b: top.b * top.a + under.b * (1 - top.a),
    a: 1,
  })
  const groundOf = (element: any): Rgba => {
    const above = element.parentElement
      ? groundOf(element.parentElement)
      : rgba(getComputedStyle(document.documentElement).backgroundColor)
    return over(rgba(getComputedStyle(element).backgroundColor), above)
  }
  const luminance = ({ r, g, b }: Rgba) => {
    const [x, y, z] = [r, g, b].map((value) =>
      value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
    )
    return 0.2126 * x! + 0.7152 * y! + 0.0722 * z!
  }
  const pale: string[] = [...document.querySelectorAll('#root *')]
    .filter(
      (element: any) =>
        visible(element) &&
        [...element.childNodes].some(
          (node: any) => node.nodeType === Node.TEXT_NODE && node.textContent!.trim() !== '',
        ),
    )
    .filter((element: any) => !element.closest('[disabled], [data-faded=true], .unseen, svg, [aria-hidden=true]'))
    .flatMap((element: any) => {
      const ground = groundOf(element)
      const [a, b] = [luminance(over(rgba(getComputedStyle(element).color), ground)), luminance(ground)]
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
      return contrast < 4.5 ? [`${contrast.toFixed(2)} ${element.className} ${element.textContent!.slice(0, 40)}`] : []
    })
  return {
    nameless,
    headings: [...document.querySelectorAll('h1')].length,
    duplicates: ids.filter((id, index) => ids.indexOf(id) !== index),
    pale: [...new Set(pale)].slice(0, 10),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  }
}
