// The sales example from its file to its tables, beside the same by dlt and dbt; then what it takes to start, to stay,
// and to show the first page. Printed to docs/reference/bench.md.

import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium, type Browser } from 'playwright-core'
import { openExample, revenue, type Answer, type Example } from '../../test/support/example.ts'
import { freePort } from '../../test/support/free-port.ts'
import { processTree, pssBytes } from '../../test/support/processes.ts'
import { startRunning, type Running } from '../../test/support/running.ts'
import {
  circumstances,
  kilobytes,
  machineLoad,
  measure,
  megabytes,
  milliseconds,
  ratio,
  seconds,
  table,
  type Case,
  type Samples,
} from '../measure.ts'

const here = import.meta.dirname
const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const python = process.env.BENCH_PYTHON || undefined
const run = promisify(execFile)
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const page = fileURLToPath(new URL('../../docs/reference/bench.md', import.meta.url))
const loadBefore = machineLoad()
const job = await benchJob()
const service = await benchService()
const text = [
  '# Measurements',
  '',
  `Printed by \`make bench\`: ${circumstances()}.`,
  `Rounds: ${rounds}, each case once in every round. Load of the machine before ${loadBefore.toFixed(1)}, after ${machineLoad().toFixed(1)}:`,
  'above the number of cores, others were at work too, and only the ratios of medians mean something. Even on a quiet',
  'machine differences under a tenth are noise.',
  '',
  ...job,
  '',
  ...service,
  '',
].join('\n')
writeFileSync(page, text)
process.stdout.write(text)

/** Text of a section. */
async function benchJob(): Promise<string[]> {
  const ours = openExample()
  const theirs = openExample()
  try {
    const expected = revenue(ours.csv())
    const boathouse = async () => succeeded(await ours.boathouse(['run']))
    const fresh = async (example: Example, ...paths: string[]) => {
      for (const path of paths) rmSync(join(example.dir, path), { recursive: true, force: true })
    }
    const bin = python && dirname(python)
    const peer = (command: string, ...args: string[]) =>
      run(join(bin!, command), args, {
        cwd: theirs.dir,
        env: { ...process.env, DBT_SEND_ANONYMOUS_USAGE_STATS: 'false', RUNTIME__DLTHUB_TELEMETRY: 'false' },
      })
    const dltAndDbt = async () => {
      const started = performance.now()
      await peer('python', join(here, 'load.py'))
      const loaded = performance.now()
      await peer('dbt', 'build')
      const built = performance.now()
      return { dlt: loaded - started, 'dbt build': built - loaded, together: built - started }
    }
    const cold: Case[] = [
      { name: 'boathouse run, cold', prepare: () => fresh(ours, '.boathouse'), run: boathouse },
      { name: 'boathouse run, warm', run: boathouse },
    ]
    const peers: Case[] = [
      {
        name: 'dlt + dbt, cold',
        prepare: () => fresh(theirs, '.dlt-state', 'dev_analytics.duckdb', 'target', 'logs'),
        run: dltAndDbt,
      },
      { name: 'dlt + dbt, warm', run: dltAndDbt },
    ]
    const samples = await measure(python ? [...cold, ...peers] : cold, { rounds, warmUp: true })
    same((await ours.rows('select sum(revenue)::varchar from marts.daily_revenue'))[0]![0], expected)
    if (!python) return jobText(samples, undefined)
    same((await peer('python', join(here, 'revenue.py'))).stdout.trim(), expected)
    const { stdout } = await run(join(bin!, 'uv'), ['pip', 'freeze', '--python', python])
    const version = (name: string) => new RegExp(`^${name}==(.+)$`, 'm').exec(stdout)?.[1]
    return jobText(
      samples,
      `dlt ${version('dlt')}, dbt-core ${version('dbt-core')} with dbt-duckdb ${version('dbt-duckdb')} on DuckDB ${version('duckdb')}`,
    )
  } finally {
    await ours.close()
    await theirs.close()
  }
}

function jobText(samples: Samples, peers: string | undefined): string[] {
  const row = (name: string) => ({ name, show: seconds })
  const compared = (warmth: string) =>
    `**${ratio(samples, `boathouse run, ${warmth}`, `dlt + dbt, ${warmth}: together`).toFixed(1)}** times as long ${warmth}`
  return [
    '## The main job',
    '',
    'The sales example: a CSV file of 1,000 orders into `raw.sales`, two models, six data tests. Wall time of the whole',
    'command, its start included; cold is without any state of earlier runs, warm is the run after it. What Node and Python',
    'compile once is there already. Boathouse writes Iceberg tables and publishes them together after the tests passed; the',
    'other writes into one DuckDB file.',
    '',
    ...table(
      samples,
      ['cold', 'warm'].map((warmth) => row(`boathouse run, ${warmth}`)),
    ),
    ...(peers === undefined
      ? []
      : ['cold', 'warm']
          .flatMap((warmth) => ['together', 'dlt', 'dbt build'].map((part) => row(`dlt + dbt, ${warmth}: ${part}`)))
          .map((one) => table(samples, [one])[2]!)),
    ...(peers === undefined ? [] : ['', `The same by ${peers} takes ${compared('cold')}, ${compared('warm')}.`]),
  ]
}

async function benchService(): Promise<string[]> {
  const example = openExample()
  const port = await freePort()
  const browser = await openBrowser()
  try {
    let running: Running | undefined
    let byProcess = ''
    const down = async () => void (running && succeeded(await example.boathouse(['down'])))
    const dashboard = async (cookie = running!.cookie) => {
      const answer = await fetch(`http://localhost:${port}/api/dashboards/sales/data`, {
        method: 'POST',
        headers: { cookie, 'x-boathouse': '1', 'content-type': 'application/json' },
        body: '{"filters":{}}',
      })
      if (!answer.ok || (await answer.text()).includes('"failure"')) throw new Error(`dashboard: ${answer.status}`)
    }
    const memory = () => running!.processes().reduce((sum, { pid }) => sum + pssBytes(pid), 0)
    const samples = await measure(
      [
        {
          name: 'first start',
          prepare: async () => {
            await down()
            rmSync(join(example.dir, '.boathouse'), { recursive: true, force: true })
          },
          run: async () => void (running = await startRunning(example, { port, load: true })),
        },
        {
          name: 'next start',
          prepare: down,
          async run() {
            const { cookie } = running!
            const started = performance.now()
            const since = async (work: () => Promise<unknown>) => {
              await work()
              return performance.now() - started
            }
            const [up, health, data] = await Promise.all([
              startRunning(example, { port, cookie }),
              since(() => insist(() => fetch(`http://localhost:${port}/healthz`).then((answer) => assertOk(answer)))),
              since(() => insist(() => dashboard(cookie))),
            ])
            running = up
            return { '/healthz': health, dashboard: data }
          },
        },
        {
          name: 'memory',
          async run() {
            await down()
            running = await startRunning(example, { port, cookie: running!.cookie })
            await sleep(3_000)
            const idle = memory()
            await dashboard()
            await sleep(3_000)
            byProcess = processTree(running.pid)
              .map(({ pid, name }) => `${name} ${megabytes(pssBytes(pid))}`)
              .join(', ')
            return { 'before the first question': idle, 'after the dashboard': memory() }
          },
        },
        { name: 'page', run: () => firstPage(browser, running!) },
      ],
      { rounds },
    )
    return [
      '## Start, memory, first page',
      '',
      ...table(samples, [
        {
          name: 'first start',
          title: '`boathouse up --detach --load` on a new project, until logged in',
          show: seconds,
        },
        { name: 'next start: /healthz', title: 'next start, until /healthz says ok', show: seconds },
        {
          name: 'next start: dashboard',
          title: 'next start, until the data of the dashboard are there',
          show: seconds,
        },
        {
          name: 'memory: before the first question',
          title: 'memory of all processes (PSS), idle, before the first question',
          show: megabytes,
        },
        {
          name: 'memory: after the dashboard',
          title: 'the same, idle, after the dashboard was shown',
          show: megabytes,
        },
        {
          name: 'page: bytes',
          title: 'first page: HTML, JS and CSS of the dashboard as transferred, with headers',
          show: kilobytes,
        },
        { name: 'page: all bytes', title: 'the same with fonts, pictures and data', show: kilobytes },
        { name: 'page: requests', title: 'requests for it', show: String },
        {
          name: 'page: load',
          title: 'headless Chromium, empty cache: until all four KPIs are drawn',
          show: milliseconds,
        },
        { name: 'page: again', title: 'the same, loaded again', show: milliseconds },
      ]),
      '',
      `After the dashboard: ${byProcess}.`,
    ]
  } finally {
    await browser.close()
    await example.close()
  }
}

function openBrowser(): Promise<Browser> {
  const quiet = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update']
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-sync', ...quiet],
  })
}

/** The dashboard in a browser that was never here. */
async function firstPage(browser: Browser, { url, cookie }: Running): Promise<Record<string, number>> {
  const context = await browser.newContext()
  try {
    const [name, value] = cookie.split('=') as [string, string]
    await context.addCookies([{ name, value, url }])
    const tab = await context.newPage()
    const network = await context.newCDPSession(tab)
    const kinds = new Map<string, string>()
    const bytes = new Map<string, number>()
    network.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type))
    network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      const kind = kinds.get(requestId) ?? 'Other'
      bytes.set(kind, (bytes.get(kind) ?? 0) + encodedDataLength)
    })
    await network.send('Network.enable')
    const shown = async (open: () => Promise<unknown>) => {
      const started = performance.now()
      await open()
      await tab.locator('.kpi-value').nth(3).waitFor()
      return performance.now() - started
    }
    const load = await shown(() => tab.goto(`${url}/dashboards/sales`, { waitUntil: 'commit' }))
    await tab.waitForLoadState('load')
    await sleep(500)
    const sum = (...of: string[]) => of.reduce((total, kind) => total + (bytes.get(kind) ?? 0), 0)
    const figures = {
      bytes: sum('Document', 'Script', 'Stylesheet'),
      'all bytes': sum(...bytes.keys()),
      requests: kinds.size,
    }
    const again = await shown(() => tab.reload({ waitUntil: 'commit' }))
    return { ...figures, load, again }
  } finally {
    await context.close()
  }
}

function succeeded({ code, stdout, stderr }: Answer): void {
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}${stderr}`)
}

function same(found: unknown, expected: string): void {
  if (Number(found) !== Number(expected)) throw new Error(`revenue is ${String(found)}, and ${expected} in the file`)
}

function assertOk(answer: Response): void {
  if (!answer.ok) throw new Error(`status ${answer.status}`)
}

/** Asks again, every 10 ms, until it succeeds. */
async function insist(work: () => Promise<unknown>): Promise<void> {
  const giveUp = performance.now() + 60_000
  for (;;) {
    try {
      await work()
      return
    } catch (error) {
      if (performance.now() > giveUp) throw error
      await sleep(10)
    }
  }
}
