import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openExample, type Example } from '../support/example.ts'

// dbt's command line in a folder that has nothing but a dbt project.

let shop: Example
beforeAll(() => {
  shop = openExample(fileURLToPath(new URL('../golden/dbt-shop', import.meta.url)))
})
afterAll(() => shop.close())

const program = fileURLToPath(new URL('../../src/boathouse.ts', import.meta.url))
const dbt = (line: string, env: Record<string, string> = {}) => shop.boathouse(['dbt', ...line.split(' ')], { env })
const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\d\d:\d\d:\d\d {2}/, '').replace(/\d+\.\d\ds/g, 'N.NNs'))
const artifact = (name: string) =>
  JSON.parse(readFileSync(join(shop.dir, 'target', name), 'utf8')) as Record<string, unknown>
const results = () =>
  Object.fromEntries(
    (artifact('run_results.json')['results'] as { unique_id: string; status: string }[]).map(
      ({ unique_id, status }) => [unique_id, status],
    ),
  )
const edit = (file: string, text: string) => writeFileSync(join(shop.dir, file), text)

describe('build', () => {
  test('says what dbt says, and leaves what dbt leaves', async () => {
    const { code, stdout, stderr } = await dbt('build')
    expect(code, stdout + stderr).toBe(0)
    const said = lines(stdout)
    expect(said[0]).toMatch(/^Running with dbt=1\.12\.\d+ \(boathouse /)
    expect(said[1]).toMatch(
      /^Environment dev \(catalog dev_shop\), target 'dev' of .*profiles\.yml; state in .*\.boathouse$/,
    )
    expect(said).toContain("Concurrency: 2 threads (target='dev')")
    expect(said).toContain('1 of 8 START seed file main.payments ........................................... [RUN]')
    expect(said).toContain(
      '1 of 8 OK loaded seed file main.payments ....................................... [INSERT 3 in N.NNs]',
    )
    expect(
      said.filter((line) => /OK created sql (view|table) model main\.\w+ \.+ \[OK in N\.NNs\]$/.test(line)),
    ).toHaveLength(3)
    expect(said.filter((line) => /PASS (unique|not_null|no_large)\w* \.+ \[PASS in N\.NNs\]$/.test(line))).toHaveLength(
      3,
    )
    expect(said).toContain('Completed successfully')
    expect(said.at(-1)).toMatch(/^Done\. PASS=9 WARN=0 ERROR=0 SKIP=0 NO-OP=0 REUSED=0 TOTAL=9$/)
    expect(await shop.rows('select result from main.report')).toEqual([['60']])
    expect(readFileSync(join(shop.dir, 'target/compiled/shop/models/totals.sql'), 'utf8')).toContain(
      'from "shop"."main"."stg_payments"',
    )
    expect(readFileSync(join(shop.dir, 'logs/dbt.log'), 'utf8')).toContain('OK created sql table model main.report')
    expect(results()).toMatchObject({ 'model.shop.report': 'success', 'test.shop.no_large_payment': 'pass' })
    expect(artifact('manifest.json')).toHaveProperty(['nodes', 'model.shop.report', 'compiled_code'])
    const nodes = artifact('manifest.json')['nodes'] as Record<string, { depends_on: { macros: string[] } }>
    const [, unique] = Object.entries(nodes).find(([id]) => id.startsWith('test.shop.unique_'))!
    expect(unique.depends_on.macros).toEqual(['macro.dbt.test_unique', 'macro.dbt.get_where_subquery'])
  })

  test('an exposure is passed by in one line', async () => {
    const owner = '{name: Ana, email: ana@example.com}'
    edit(
      'models/uses.yml',
      `exposures: [{name: weekly, type: dashboard, owner: ${owner}, depends_on: [ref('report')]}]`,
    )
    const said = lines((await dbt('build --select exposure:weekly')).stdout)
    rmSync(join(shop.dir, 'models/uses.yml'))
    expect(said.filter((line) => line.includes('weekly'))).toEqual([
      '1 of 1 NO-OP exposure weekly ................................................... [NO-OP in N.NNs]',
    ])
  })

  test('a red test: exit code 1, readers see what was, and retry does the rest', async () => {
    edit('seeds/payments.csv', 'id,amount\n1,10\n2,20\n3,3000\n')
    const { code, stdout } = await dbt('build')
    expect(code).toBe(1)
    const said = lines(stdout)
    expect(said).toContain('[ERROR]: in test no_large_payment (tests/no_large_payment.sql)')
    expect(said).toContain('  Got 1 result, configured to fail if != 0')
    expect(said).toContain('  compiled code at target/compiled/shop/tests/no_large_payment.sql')
    expect(said.at(-1)).toMatch(/^Done\. PASS=\d WARN=0 ERROR=1 SKIP=\d NO-OP=0 REUSED=0 TOTAL=\d$/)
    expect(await shop.rows('select result from main.report')).toEqual([['60']])
    expect(results()).toMatchObject({ 'test.shop.no_large_payment': 'fail', 'model.shop.totals': 'skipped' })

    expect((await dbt('build --publish always')).code).toBe(1)
    expect(await shop.rows('select max(amount) from main.payments')).toEqual([[3000]])
    // Its reader was held back, as in dbt.
    expect(await shop.rows('select result from main.report')).toEqual([['60']])

    // Nothing of the first red run was published; of the second all but what was held back.
    edit('tests/no_large_payment.sql', "select * from {{ ref('stg_payments') }} where amount > 5000\n")
    const again = await dbt('retry')
    expect(again.code, again.stdout).toBe(0)
    expect(Object.keys(results()).filter((id) => id.startsWith('seed'))).toEqual([])
    expect(await shop.rows('select result from main.report')).toEqual([['3030']])
  })
})

test('retry does the batches of a microbatch model again that failed, and no others', async () => {
  edit(
    'models/batched.sql',
    `{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='seen', batch_size='day', begin='2026-01-01') }}
select '{{ model.batch.id }}' as batch, timestamp '{{ model.batch.event_time_start }}' as seen,
  cast('{{ 'x' if model.batch.id == '20260102' and var('bad', true) else run_started_at.microsecond }}' as integer) as made`,
  )
  const batches = () =>
    (artifact('run_results.json')['results'] as { unique_id: string; status: string; batch_results: unknown }[])
      .filter(({ unique_id }) => unique_id === 'model.shop.batched')
      .map(({ status, batch_results }) => [status, batch_results])
  const day = (number: number) => [1, 0].map((less) => `2026-01-0${number + 1 - less}T00:00:00+00:00`)
  const window = '--event-time-start 2026-01-01 --event-time-end 2026-01-04'
  expect((await dbt(`run -s batched ${window} --publish always`)).code).toBe(1)
  expect(batches()).toEqual([['partial success', { successful: [day(1), day(3)], failed: [day(2)] }]])
  // The SQL of each batch is left, as by dbt; that of the failed one above all.
  for (const kind of ['compiled', 'run'])
    expect(
      readFileSync(join(shop.dir, 'target', kind, 'shop/models/batched/batched_2026-01-02.sql'), 'utf8'),
    ).toContain("'20260102' as batch")
  const made = 'select made from main.batched where batch <> 20260102 order by batch'
  const before = await shop.rows(made)
  const again = await shop.boathouse(['dbt', 'retry', '--vars', '{bad: false}'])
  expect(again.code, again.stdout).toBe(0)
  expect(batches()).toEqual([['success', { successful: [day(2), day(1), day(3)], failed: [] }]])
  expect(await shop.rows('select batch from main.batched order by 1')).toEqual([
    ['20260101'],
    ['20260102'],
    ['20260103'],
  ])
  expect(await shop.rows(made)).toEqual(before)
  rmSync(join(shop.dir, 'models/batched.sql'))
})

test('retry compiles again what could not be compiled, and nothing else', async () => {
  const model = 'models/asking.sql'
  edit(model, "{% if execute %}{{ exceptions.raise_compiler_error('not yet') }}{% endif %} select 1 as one")
  expect((await dbt('compile')).code).toBe(2)
  edit(model, 'select 1 as one')
  const again = await dbt('retry')
  expect(again.code, again.stdout).toBe(0)
  expect(results()).toEqual({ 'model.shop.asking': 'success' })
  expect((await dbt('retry')).stdout).toContain('Nothing to do')
  rmSync(join(shop.dir, model))
})

test('flags: before the verb, by variable, several words, YAML', async () => {
  const { code, stdout } = await shop.boathouse(
    ['dbt', '--quiet', 'run', '--select', 'totals', 'report', '--vars', '{factor: 2}', '--target-path', 'elsewhere'],
    {
      env: { DBT_THREADS: '7', DBT_LOG_FORMAT: 'json' },
    },
  )
  expect([code, stdout]).toEqual([0, ''])
  expect(await shop.rows('select result from main.report')).toEqual([['6060']])
  expect(existsSync(join(shop.dir, 'elsewhere/run_results.json'))).toBe(true)
  const json = await dbt('ls -s +report --log-format json --resource-type model')
  const events = json.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { info: { name: string; msg: string } })
  expect(events.filter(({ info }) => info.name === 'PrintEvent').map(({ info }) => info.msg)).toEqual([
    'shop.report',
    'shop.stg_payments',
    'shop.totals',
  ])
  // Spelled as by Python, for those who look for a piece of it.
  const keys = await dbt('ls -q -s report --output json --output-keys name config.materialized tags')
  expect(keys.stdout.trimEnd()).toBe('{"name": "report", "config.materialized": "table", "tags": []}')
})

test('warnings are errors where the flags say so', async () => {
  edit('models/none.yml', 'models: [{name: not_there, description: x}]')
  const parse = async (...more: string[]) => (await shop.boathouse(['dbt', 'parse', ...more])).code
  expect(await parse()).toBe(0)
  expect(await parse('--warn-error')).toBe(2)
  expect(await parse('--warn-error-options', '{error: all, silence: [NoNodeForYamlKey]}')).toBe(0)
  rmSync(join(shop.dir, 'models/none.yml'))
})

test('docs, freshness, an operation, and what clean takes away', async () => {
  expect((await dbt('docs generate')).code).toBe(0)
  expect(artifact('run_results.json')['args']).toMatchObject({ which: 'generate' })
  expect(artifact('catalog.json')).toMatchObject({
    nodes: {
      'model.shop.report': {
        metadata: { type: 'BASE TABLE', schema: 'main', name: 'report', database: 'shop' },
        columns: { result: { index: 1, name: 'result' } },
        stats: { num_rows: { value: 1 } },
      },
    },
    errors: null,
  })
  expect((await dbt('source freshness')).code).toBe(0)
  expect(artifact('sources.json')).toMatchObject({
    results: [
      {
        unique_id: 'source.shop.outside.payments',
        status: 'pass',
        criteria: { warn_after: { count: 1, period: 'day' } },
      },
    ],
  })
  // `print()` is told also when it shall be quiet: files are made of it.
  edit('macros/said.sql', "{% macro said() %}{% do log('logged', info=true) %}{% do print('printed') %}{% endmacro %}")
  expect((await dbt('run-operation said -q')).stdout).toBe('printed\n')
  expect((await dbt('--no-print run-operation said')).stdout).not.toContain('printed')
  rmSync(join(shop.dir, 'macros/said.sql'))
  const noted = await shop.boathouse(['dbt', 'run-operation', 'note', '--args', '{text: hello}'])
  expect(noted.code, noted.stdout).toBe(0)
  expect(noted.stdout).toContain('noted hello')
  expect(await shop.rows('select text from main.notes')).toEqual([['hello']])
  const shown = await dbt('show -s report --limit 1 --output json -q')
  expect(JSON.parse(shown.stdout)).toEqual({ node: 'report', show: [{ result: expect.anything() as unknown }] })
  const secret = await dbt('compile -q --vars {"DBT_ENV_SECRET_KEY":"sesame","seen":"open"}')
  expect(secret.code, secret.stdout).toBe(0)
  expect(artifact('run_results.json')).toMatchObject({ args: { vars: { DBT_ENV_SECRET_KEY: '*****', seen: 'open' } } })
  expect(readFileSync(join(shop.dir, 'target/run_results.json'), 'utf8')).not.toContain('sesame')
  expect((await dbt('clean')).code).toBe(0)
  expect(existsSync(join(shop.dir, 'target'))).toBe(false)
  expect(existsSync(join(shop.dir, '.boathouse'))).toBe(true)
})

test('hooks run around tests and the look at sources, too, and may write', async () => {
  const project = readFileSync(join(shop.dir, 'dbt_project.yml'), 'utf8')
  edit('dbt_project.yml', `${project}\non-run-end: create table if not exists main.hooked as select 1 as a\n`)
  const { code, stdout } = await dbt('test')
  expect(code, stdout).toBe(0)
  expect(await shop.rows('select a from main.hooked')).toEqual([[1]])
  // A model that is only read within others is something to do.
  edit('dbt_project.yml', `${project}\non-run-start: insert into main.hooked values (0)\n`)
  edit('models/inner.sql', "{{ config(materialized='ephemeral') }} select 1 as id")
  const inner = await dbt('run -s inner')
  expect(inner.stdout).toContain('1 of 1 OK hook: shop.on-run-start.0 ...')
  expect((await dbt('snapshot -s inner')).stdout).toContain('Nothing to do')
  expect(await shop.rows('select a from main.hooked order by a')).toEqual([[0], [1]])
  rmSync(join(shop.dir, 'models/inner.sql'))
  edit('dbt_project.yml', `${project}\non-run-start: insert into main.hooked values (2)\n`)
  const looked = await dbt('source freshness')
  expect(looked.code, looked.stdout).toBe(0)
  expect(await shop.rows('select a from main.hooked order by a')).toEqual([[0], [1], [2]])
  // They are among what is compiled, and not sent; what a node calls only then is noted.
  edit('models/snake.py', 'def model(dbt, session):\n    return dbt.ref("report")\n')
  edit('models/late.sql', '{% if execute %}{{ dbt.type_string() }}{% endif %} select 1 as id')
  edit('dbt_project.yml', `${project}\non-run-start: insert into main.hooked select {{ 1 + 2 }}\n`)
  expect((await dbt('compile')).code).toBe(0)
  expect(artifact('run_results.json')['results']).toContainEqual(
    expect.objectContaining({
      unique_id: 'operation.shop.shop-on-run-start-0',
      compiled_code: 'insert into main.hooked select 3',
    }),
  )
  expect(artifact('manifest.json')).toMatchObject({
    nodes: {
      'model.shop.late': { depends_on: { macros: ['macro.dbt.type_string'] } },
      'operation.shop.shop-on-run-start-0': {
        compiled: true,
        compiled_path: 'target/compiled/shop/dbt_project.yml/hooks/shop-on-run-start-0.sql',
      },
    },
  })
  expect((await dbt('show -q -s snake')).stdout).toContain('is a Python model')
  rmSync(join(shop.dir, 'models/snake.py'))
  rmSync(join(shop.dir, 'models/late.sql'))
  expect(await shop.rows('select count(*) from main.hooked')).toEqual([[3]])
  edit('dbt_project.yml', `${project}\non-run-start: select nope\n`)
  expect((await dbt('source freshness')).code).toBe(1)
  edit('dbt_project.yml', project)
})

test('another target is another environment, and --defer reads what is not built there', async () => {
  edit('models/making.sql', "{% do run_query('create table main.made as select 1 as id') %}select 1 as id")
  expect((await dbt('compile -q --target dev')).code).toBe(0)
  rmSync(join(shop.dir, 'models/making.sql'))
  // What does not compile is no red run.
  edit('models/unbound.sql', 'select {{ none.unbound.more }} as id')
  for (const verb of ['compile', 'show', 'docs generate'])
    expect((await dbt(`${verb} -q -s unbound`)).code, verb).toBe(2)
  rmSync(join(shop.dir, 'models/unbound.sql'))
  // A header that is a WITH clause goes before the query; a file without text is nothing to do.
  edit(
    'models/headed.sql',
    '{% call set_sql_header(config) %}with one as (select 7 as n){% endcall %}select n from one',
  )
  edit('models/blank.sql', '\n')
  expect((await dbt('show -q -s headed blank --output json')).stdout).toContain('"n": 7')
  for (const model of ['headed', 'blank']) rmSync(join(shop.dir, `models/${model}.sql`))
  expect(await shop.rows("select count(*) from information_schema.tables where table_name = 'made'")).toEqual([[0]])
  const { code, stdout } = await shop.boathouse([
    'dbt',
    'run',
    '-s',
    'report',
    '--target',
    'prod',
    '--defer',
    '--state',
    join(shop.dir, 'target'),
  ])
  expect(code, stdout).toBe(0)
  const rows = await shop.boathouse(['query', 'select result from main.report', '--env', 'prod', '--json'])
  expect(JSON.parse(rows.stdout)).toMatchObject({ rows: [[expect.anything()]] })
  rmSync(join(shop.dir, 'target'), { recursive: true })
})

test('init makes a project that builds; .env above it says flags', async () => {
  const base = mkdtempSync(join(tmpdir(), 'init-'))
  const run = (line: string, cwd: string) => {
    const args = ['--disable-warning=ExperimentalWarning', program, 'dbt', ...line.split(' ')]
    const env = { ...process.env, NO_COLOR: '1', BOATHOUSE_LIMITS_MEMORY: '2GB' }
    return spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' })
  }
  try {
    expect(run('init fresh', base).stdout).toContain('Your new dbt project "fresh" was created in')
    expect(lines(run('build', join(base, 'fresh')).stdout).at(-1)).toBe(
      'Done. PASS=6 WARN=0 ERROR=0 SKIP=0 NO-OP=0 REUSED=0 TOTAL=6',
    )
    expect(run('init fresh', base)).toMatchObject({ status: 1, stderr: expect.stringContaining('ALREADY_EXISTS') })
    // Flags may stand in .env, too.
    writeFileSync(join(base, '.env'), 'DBT_TARGET_PATH=elsewhere\n')
    expect(run('parse', join(base, 'fresh')).status).toBe(0)
    expect(existsSync(join(base, 'fresh/elsewhere/manifest.json'))).toBe(true)
    expect(run('init', join(base, 'fresh'))).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('is a dbt project already'),
    })
  } finally {
    rmSync(base, { recursive: true })
  }
})
