// Draws the pictures of docs/images from a running Boathouse with the sales example:
//   node test/e2e/ui/screenshots.ts "$(boathouse user reset admin)"      the argument holds a one-time log-in link
// ONLY=access,sql draws these alone. The page of access wants a member ana and the access.yml of docs/how-to/access.md.

import { chromium, type BrowserContextOptions, type Page } from 'playwright-core'

const link = /https?:\/\/\S+token=\S+/.exec(process.argv.slice(2).join(' '))?.[0]
if (!link) throw new Error('give a one-time log-in link: boathouse user reset NAME prints one')
const into = process.env['INTO'] ?? 'docs/images'
const origin = new URL(link).origin

const statement = `select region, product, sum(revenue) as revenue, sum(orders) as orders
from marts.daily_revenue
where order_date >= date '2024-02-01'
group by all
order by revenue desc`
const run = async (page: Page) => {
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+Enter')
  await page.locator('.grid-row').first().waitFor()
}
const follow = (name: RegExp) => async (page: Page) => {
  await page.getByRole('link', { name }).first().click()
  await page.locator('.gantt-row').first().waitFor()
}
type Picture = { name: string; path: string; dark?: true; phone?: true; before?: (page: Page) => Promise<void> }
const sql = `/sql?sql=${encodeURIComponent(statement)}`
const sales = '/dashboards/sales?period=2024-02-15..2024-03-30'
const pictures: Picture[] = [
  { name: 'home', path: '/' },
  { name: 'dashboard', path: sales },
  { name: 'dashboard-dark', path: sales, dark: true },
  { name: 'dashboard-phone', path: sales, phone: true },
  { name: 'sql', path: sql, before: run },
  { name: 'sql-dark', path: sql, dark: true, before: run },
  { name: 'tables', path: '/tables' },
  { name: 'table', path: '/tables/staging/stg_sales' },
  { name: 'runs', path: '/runs' },
  { name: 'run', path: '/runs', before: follow(/Everything/) },
  { name: 'access', path: '/access?user=ana&table=raw.sales' },
]
const only = process.env['ONLY']?.split(',')

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
})
const look: BrowserContextOptions = { baseURL: origin, viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' }

const first = await browser.newContext(look)
const door = await first.newPage()
await door.goto('/login')
await door.getByRole('button', { name: 'Log in' }).waitFor()
if (!only || only.includes('log-in')) await draw(door, 'log-in')
await door.goto(link)
const password = door.getByLabel('New password', { exact: true })
await password.or(door.locator('.rail')).first().waitFor()
if (await password.isVisible()) {
  for (const field of [password, door.getByLabel('New password again')]) await field.fill('only for these pictures')
  await door.keyboard.press('Enter')
  await door.locator('.rail').waitFor()
}
const storageState = await first.storageState()

for (const { name, path, dark, phone, before } of pictures) {
  if (only && !only.includes(name)) continue
  const context = await browser.newContext({
    ...look,
    storageState,
    ...(phone ? { viewport: { width: 390, height: 844 } } : {}),
    colorScheme: dark ? 'dark' : 'light',
  })
  const page = await context.newPage()
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) console.warn(`${name}: ${message.text()}`)
  })
  await page.goto(path)
  await page.locator('main h1').first().waitFor({ state: 'attached' })
  await page.locator('.shimmer').first().waitFor({ state: 'detached' })
  await before?.(page)
  await draw(page, name)
  await context.close()
}
await browser.close()

async function draw(page: Page, name: string): Promise<void> {
  await page.evaluate('document.fonts.ready')
  await page.waitForTimeout(400)
  await page.screenshot({ path: `${into}/${name}.png` })
}
