import { appendFileSync } from 'node:fs'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { Failure } from '../../src/base/failure.ts'
import { loadConfig, resolveEnvironment } from '../../src/config/index.ts'
import { collect } from '../../src/lake/index.ts'
import { open } from '../../src/main.ts'
import { openExample, revenue } from '../support/example.ts'

// `kill -9` at random moments of a run, again and again on the same project, while somebody reads. Whatever was under
// way: readers see whole publications only, and one more run makes everything right.

const kills = process.env.SOAK ? 200 : 20

test(
  `${kills} kills of a run lose nothing, double nothing, and show no half`,
  { timeout: kills * 30_000 },
  async () => {
    const example = openExample()
    const config = loadConfig({ dir: example.dir, env: { BOATHOUSE_LOG_LEVEL: 'silent' } })
    const started = performance.now()
    expect(await example.boathouse(['run'])).toMatchObject({ code: 0 })
    const runMs = performance.now() - started
    const reader = await open(config, resolveEnvironment(config), { role: 'cli', quiet: true })
    const sizes = new Set([example.csv().length])
    let reading = true
    let reads = 0
    const watching = (async () => {
      while (reading) {
        const sql =
          'select (select count(*) from raw.sales), (select count(*) from staging.stg_sales), (select sum(orders) from marts.daily_revenue)'
        try {
          const { rows } = await collect(await reader.lake.query(sql, { ...reader.asking('dashboard'), cache: false }))
          const [raw, staged, orders] = rows[0]!.map(Number)
          expect(sizes).toContain(raw)
          expect([staged, orders]).toEqual([raw, raw])
          reads++
        } catch (error) {
          if (!(error instanceof Failure)) throw error
          throw new Error(`a reader was told ${error.code}: ${error.message}`, { cause: error })
        }
      }
    })()
    try {
      for (let round = 1; round <= kills; round++) {
        appendFileSync(
          `${example.dir}/sales.csv`,
          `ORD-K${String(round).padStart(4, '0')},CUST-0001,2024-03-31,Laptop,1,1500.00,North\n`,
        )
        sizes.add(example.csv().length)
        const child = example.start(['run'])
        child.stdout!.resume()
        child.stderr!.resume()
        const ended = once(child, 'exit')
        await new Promise((resolve) => setTimeout(resolve, Math.random() * runMs * 1.1))
        child.kill('SIGKILL')
        await ended
      }
      const last = await example.boathouse(['run'])
      expect(last, last.stderr).toMatchObject({ code: 0 })
    } finally {
      reading = false
      await watching.finally(() => reader.close())
    }
    expect(reads).toBeGreaterThan(kills)

    const orders = example.csv()
    expect(await example.rows('select count(*), count(distinct order_id) from raw.sales')).toEqual([
      [orders.length, orders.length],
    ])
    expect(
      await example.rows('select count(*), count(distinct order_id), sum(line_total)::varchar from staging.stg_sales'),
    ).toEqual([[orders.length, orders.length, revenue(orders)]])
    expect(await example.rows('select sum(revenue)::varchar from marts.daily_revenue')).toEqual([[revenue(orders)]])
    const { runs } = {
      runs: JSON.parse((await example.boathouse(['runs', 'ls', '--json', '--limit', '1000'])).stdout) as {
        status: string
      }[],
    }
    expect(runs.filter(({ status }) => status === 'running' || status === 'queued')).toEqual([])
    await example.close()
  },
)
