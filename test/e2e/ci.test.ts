import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openExample, type Example } from '../support/example.ts'

// A branch of a dbt project in git: checked, compared with what it left, built beside the base and taken away again.

let shop: Example
const git = (...args: string[]) =>
  execFileSync('git', ['-C', shop.dir, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { stdio: 'pipe' })
const file = (name: string) => join(shop.dir, name)
const edit = (name: string, from: string, to: string) =>
  writeFileSync(file(name), readFileSync(file(name), 'utf8').replace(from, to))

/** More than `state:modified` looks into. */
const large = (first: number) => `id,text\n${first},a\n${`2,${'a'.repeat(1000)}\n`.repeat(1200)}`

beforeAll(async () => {
  shop = openExample(fileURLToPath(new URL('../golden/dbt-shop', import.meta.url)))
  git('init', '-q', '-b', 'main')
  writeFileSync(file('models/of_variable.sql'), "select {{ var('share', 1) }} as factor")
  writeFileSync(file('models/of_hook.sql'), `{{ config(post_hook="select {{ var('share', 1) }}") }}select 1 as a`)
  writeFileSync(file('models/of_file.sql'), "select * from read_csv('rates.csv')")
  writeFileSync(file('models/of_large.sql'), "select count(*) as n from {{ ref('large') }}")
  writeFileSync(file('models/of_source.sql'), "select count(*) as n from {{ source('loaded', 'large') }}")
  writeFileSync(file('models/loaded.yml'), 'sources: [{name: loaded, schema: main, tables: [{name: large}]}]')
  writeFileSync(file('rates.csv'), 'rate\n1\n')
  writeFileSync(file('seeds/large.csv'), large(1))
  writeFileSync(file('.gitignore'), '.boathouse\ntarget\nlogs\n')
  git('add', '-A')
  git('commit', '-qm', 'base')
  await shop.boathouse(['dbt', 'seed'])
  const built = await shop.boathouse(['dbt', 'build'])
  expect(built.code, built.stdout + built.stderr).toBe(0)
}, 60_000)
afterAll(() => shop.close())

test('a branch is built in an environment of its own, its data compared, and nothing stays', async () => {
  git('switch', '-qc', 'more')
  edit('models/stg_payments.sql', 'select id, amount from', 'select id, amount * 2 as amount, amount as paid from')
  const { code, stdout, stderr } = await shop.boathouse([
    'ci',
    '--base',
    'dev',
    '--against',
    'main',
    '--output',
    file('diff.md'),
  ])
  expect(code, stderr).toBe(0)
  expect(stdout).toBe(`${readFileSync(file('diff.md'), 'utf8')}\n`)
  expect(stdout).toMatch(/^## Boathouse: 1 model changed, all passed$/m)
  expect(stdout).toMatch(
    /^\| `stg_payments` \| .*`amount` is made of payments.amount \(derived\)<br>\+ `paid` \| values may change \| /m,
  )
  expect(stdout).toMatch(/^\| `main.stg_payments` \| 3 \| 0 \| 0 \| 3 \| \+ `paid`<br>`amount`: 3 \|$/m)
  expect(stdout).toMatch(/^\| `main.totals` \| 1 \| 1 \| 1 \| - \| /m)
  expect(await shop.rows('select total from main.totals')).toEqual([['60']])
  const environments = await shop.boathouse(['env', 'ls'])
  expect(environments.stdout).not.toContain('ci_')
}, 60_000)

test('without --base the current environment is compared with while nothing is in prod', async () => {
  const { code, stdout, stderr } = await shop.boathouse(['ci', '--against', 'main'])
  expect(code, stderr).toBe(0)
  expect(stdout).toContain('compared with `dev`')
}, 60_000)

test('a mistake is told before anything runs, and a failed build keeps nothing either', async () => {
  edit('models/totals.sql', 'sum(amount)', 'sum(amont)')
  const checked = await shop.boathouse(['check', '--json'])
  expect(checked.code).toBe(1)
  expect(JSON.parse(checked.stdout)).toMatchObject({
    failures: [
      {
        code: 'SQL_INVALID',
        message: 'there is no column "amont"; did you mean "amount"?',
        place: { file: 'models/totals.sql', line: 1 },
      },
    ],
  })
  // What a check that was killed has left is dropped by the next.
  expect((await shop.boathouse(['env', 'create', 'ci_left', '--from', 'dev'])).code).toBe(0)
  mkdirSync(file('.boathouse/ci'), { recursive: true })
  writeFileSync(file('.boathouse/ci/ci_left'), '')
  utimesSync(file('.boathouse/ci/ci_left'), 1, 1)
  const { code, stdout } = await shop.boathouse(['ci', '--base', 'dev', '--against', 'main', '--samples', '0'])
  expect(code).toBe(1)
  expect(stdout).toMatch(/^### Failed$/m)
  expect(stdout).toContain('- `totals` (`models/totals.sql:1`)')
  expect(stdout).toMatch(/^\| `main.stg_payments` /m)
  expect(stdout).not.toMatch(/^\| `main.totals` /m)
  expect(existsSync(file('.boathouse'))).toBe(true)
  const environments = await shop.boathouse(['env', 'ls'])
  expect(environments.stdout).not.toContain('ci_')
}, 60_000)

test('what comes out otherwise by a variable, a file or a large seed is built, too', async () => {
  git('stash', '-q')
  git('switch', '-qc', 'other', 'main')
  const built = async () => {
    const { stdout, stderr } = await shop.boathouse(['ci', '--base', 'dev', '--against', 'main', '--json'])
    expect(stderr).not.toContain('Error')
    return (JSON.parse(stdout) as { results: { name: string }[] }).results
      .map(({ name }) => name)
      .filter((name) => name !== 'shop-on-run-end-0')
      .sort()
  }
  expect(await built()).toEqual([])
  writeFileSync(file('dbt_project.yml'), `${readFileSync(file('dbt_project.yml'), 'utf8')}\nvars: {share: 2}\n`)
  expect(await built()).toEqual(['of_hook', 'of_variable'])
  git('checkout', '-q', '.')
  writeFileSync(file('rates.csv'), 'rate\n2\n')
  writeFileSync(file('seeds/large.csv'), large(3))
  expect(await built()).toEqual(['large', 'of_file', 'of_large', 'of_source'])
}, 60_000)

test('a build says why it leaves a model alone', async () => {
  const build = async () => (await shop.boathouse(['build', '--select', 'of_variable'])).stderr
  expect(await build()).toMatch(/^success model of_variable /m)
  expect(await build()).toMatch(/^no-op +model of_variable .*because unchanged since 20/m)
}, 60_000)
