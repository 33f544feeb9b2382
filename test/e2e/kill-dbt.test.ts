import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { Failure } from '../../src/base/failure.ts'
import { loadConfig, resolveEnvironment } from '../../src/config/index.ts'
import { collect } from '../../src/lake/index.ts'
import { open } from '../../src/main.ts'
import { openExample } from '../support/example.ts'

// `kill -9` at random moments of a dbt build with a seed, a snapshot, an incremental model and hooks that write, while
// somebody reads. Readers see whole publications only; the next run goes on with what the killed one left, or begins it
// again, and nothing is lost or doubled: not even what a hook inserts.

const kills = process.env.SOAK ? 60 : 3

const files = {
  'boathouse.yml': 'name: shop\n',
  'dbt_project.yml': `
name: shop
on-run-start: "create table if not exists {{ target.database }}.main.audit (n bigint)"
models:
  shop:
    grown:
      +post-hook: "insert into {{ target.database }}.main.audit select count(*) from {{ this }}"
`,
  'models/seen.sql': "select id, amount from {{ ref('orders') }}",
  'models/built.sql': "{{ config(materialized='table') }} select id, amount * 2 as twice from {{ ref('seen') }}",
  'models/grown.sql':
    "{{ config(materialized='incremental') }} select id from {{ ref('built') }} {% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}",
  'models/keys.yml':
    'models: [{name: grown, columns: [{name: id, data_tests: [unique, not_null]}]}, {name: built, columns: [{name: id, data_tests: [unique]}]}]',
  'snapshots/kept.yml':
    "snapshots: [{name: kept, relation: ref('orders'), config: {strategy: check, check_cols: all, unique_key: id}}]",
}

const seed = (rows: number) =>
  `id,amount\n${Array.from({ length: rows }, (_, at) => `${at + 1},${at * 10}`).join('\n')}\n`

const everywhere = `select (select count(*) from main.orders), (select count(*) from main.built), (select count(*) from main.grown),
  (select count(distinct id) from main.grown), (select count(*) from main.kept where dbt_valid_to is null), (select max(n) from main.audit)`

test(`${kills} kills of a dbt build: readers see all of it or nothing`, { timeout: kills * 60_000 }, async () => {
  const from = mkdtempSync(join(tmpdir(), 'dbt-'))
  for (const [file, text] of Object.entries({ ...files, 'seeds/orders.csv': seed(3) })) {
    mkdirSync(dirname(join(from, file)), { recursive: true })
    writeFileSync(join(from, file), text)
  }
  const example = openExample(from)
  const started = performance.now()
  const first = await example.boathouse(['build'])
  expect(first, first.stderr).toMatchObject({ code: 0 })
  const runMs = performance.now() - started
  const config = loadConfig({ dir: example.dir, env: { BOATHOUSE_LOG_LEVEL: 'silent' } })
  const reader = await open(config, resolveEnvironment(config), { role: 'cli', quiet: true })
  let reading = true
  let reads = 0
  const watching = (async () => {
    while (reading) {
      try {
        const answer = await reader.lake.query(everywhere, { ...reader.asking('dashboard'), cache: false })
        const [rows] = (await collect(answer)).rows
        expect(new Set(rows!.map(Number)).size, JSON.stringify(rows)).toBe(1)
        reads++
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        throw new Error(`a reader was told ${error.code}: ${error.message}`, { cause: error })
      }
    }
  })()
  watching.catch(() => {}) // seen below
  try {
    for (let round = 1; round <= kills; round++) {
      writeFileSync(join(example.dir, 'seeds/orders.csv'), seed(3 + round))
      const child = example.start(round % 2 === 0 ? ['build'] : ['dbt', 'build'])
      child.stdout!.resume()
      child.stderr!.resume()
      const ended = once(child, 'exit')
      await new Promise((resolve) => setTimeout(resolve, runMs * (0.25 + Math.random() * 0.7)))
      child.kill('SIGKILL')
      await ended
    }
    const last = await example.boathouse(['build', '--force'])
    expect(last, last.stderr).toMatchObject({ code: 0 })
  } finally {
    reading = false
    await watching.finally(() => reader.close())
  }
  expect(reads).toBeGreaterThan(kills)
  const rows = 3 + kills
  expect(await example.rows(everywhere)).toEqual([[rows, rows, rows, rows, rows, rows]])
  // Every publication carries what the hook inserted, once.
  const publications = JSON.parse((await example.boathouse(['publications', 'ls', '--json'])).stdout) as unknown[]
  expect(await example.rows('select count(*) from main.audit')).toEqual([[publications.length]])
  const runs = JSON.parse((await example.boathouse(['runs', 'ls', '--json'])).stdout) as { status: string }[]
  expect(runs.filter(({ status }) => status === 'running' || status === 'queued')).toEqual([])
  // Nor is anything of them left on the disk: what there is belongs to this process.
  const left = readdirSync(join(config.stateDir, 'processes')).map((name) => name.split('.')[1])
  expect(
    left.every((pid) => pid === String(process.pid)),
    left.join(),
  ).toBe(true)
  await example.close()
})
