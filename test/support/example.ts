// The sales example in a folder of its own, and the command line run on it as people run it: as processes. What the
// tables hold is asked by the test's own process, which is one more client of the project: a process costs a second.

import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { App } from '../../src/cli/app.ts'
import { projectConfig } from '../../src/cli/cli.ts'
import { collect, queryAll } from '../../src/lake/index.ts'
import { open } from '../../src/main.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const leftOut = new Set(['.boathouse', '.env', 'target', 'logs'])

export type Answer = { code: number | null; stdout: string; stderr: string }

export type Example = {
  dir: string
  /** Runs `boathouse … -C dir` to its end. */
  boathouse(args: readonly string[], options?: { env?: Record<string, string> }): Promise<Answer>
  /** Starts it and leaves it running. */
  start(args: readonly string[], options?: { env?: Record<string, string> }): ChildProcess
  /** Rows of one statement, as `boathouse query --json` gives them, by a client that stays open. */
  rows(sql: string): Promise<unknown[][]>
  csv(): Order[]
  close(): Promise<void>
}

export type Order = {
  orderId: string
  customerId: string
  date: string
  product: string
  quantity: number
  cents: bigint
  region: string
}

/** `from`: another project than the example. */
export function openExample(from = join(root, 'examples/sales')): Example {
  const dir = mkdtempSync(join(tmpdir(), 'sales-'))
  cpSync(from, dir, { recursive: true, filter: (path) => !leftOut.has(basename(path)) })
  const alive = new Set<ChildProcess>()
  let client: Promise<App> | undefined

  const start: Example['start'] = (args, { env = {} } = {}) => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(root, 'src/boathouse.ts'), ...args, '-C', dir],
      {
        env: {
          ...process.env,
          NO_COLOR: '1',
          NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/boathouse'),
          BOATHOUSE_LIMITS_MEMORY: '2GB',
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    alive.add(child)
    child.once('exit', () => alive.delete(child))
    return child
  }
  const boathouse: Example['boathouse'] = async (args, options) => {
    const child = start(args, options)
    const read = async (stream: NodeJS.ReadableStream) => {
      let text = ''
      for await (const chunk of stream) text += String(chunk)
      return text
    }
    const [stdout, stderr, code] = await Promise.all([
      read(child.stdout!),
      read(child.stderr!),
      new Promise<number | null>((resolve) => child.once('exit', resolve)),
    ])
    return { code, stdout, stderr }
  }
  return {
    dir,
    boathouse,
    start,
    async rows(sql) {
      client ??= openClient(dir)
      const { lake, asking } = await client
      let rows: unknown[][] = []
      for await (const result of queryAll(lake, sql, { ...asking('cli'), cache: false }))
        rows = (await collect(result)).rows
      return JSON.parse(JSON.stringify(rows)) as unknown[][]
    },
    csv: () => parseOrders(readFileSync(join(dir, 'sales.csv'), 'utf8')),
    async close() {
      await client?.then((app) => app.close())
      if (existsSync(join(dir, '.boathouse', 'run', 'up.json'))) await boathouse(['down'])
      for (const child of alive) child.kill('SIGKILL')
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Opened at the first question, so that what a project is made of is there. */
function openClient(dir: string): Promise<App> {
  const { config, environment } = projectConfig(dir)
  return open(config, environment, { quiet: true })
}

/** The example's file has no quotes, so that it can be read here without any of the code under test. */
export function parseOrders(text: string): Order[] {
  const [, ...lines] = text.trim().split(/\r?\n/)
  return lines.map((line) => {
    const [orderId, customerId, date, product, quantity, amount, region] = line.split(',')
    const [whole, cents = ''] = amount!.split('.')
    return {
      orderId: orderId!,
      customerId: customerId!,
      date: date!,
      product: product!,
      quantity: Number(quantity),
      cents: BigInt(whole! + cents.padEnd(2, '0')),
      region: region!,
    }
  })
}

/** `2 x 79.87` summed without any rounding: cents as text with two decimals. */
export function revenue(orders: readonly Order[]): string {
  const cents = orders
    .reduce((sum, order) => sum + BigInt(order.quantity) * order.cents, 0n)
    .toString()
    .padStart(3, '0')
  return `${cents.slice(0, -2)}.${cents.slice(-2)}`
}
