// Selecting, planning and building, against a small lake; the real lake has the last test.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asFailure } from '../base/failure.ts'
import { openWorld } from '../lake/world.ts'
import { recordFiles } from '../project/dbt/index.ts'
import {
  compileNode,
  explain,
  graphOf,
  isBad,
  lineage,
  loadProject,
  ls,
  plan,
  runPlan,
  select,
  tablesRead,
  type NodeResult,
  type Selection,
} from './index.ts'
import { fakeLake } from './fake-lake.ts'
import { injectCtes } from './inject.ts'

const system = { id: 'system', name: 'system', role: 'system' as const }
const schemaMacro = '{% macro generate_schema_name(custom, node) %}{{ custom or target.schema }}{% endmacro %}'

const load = (files: Record<string, string>, more = {}) =>
  loadProject('/project', {
    files: recordFiles({
      'dbt_project.yml':
        'name: shop\nmodels: {shop: {staging: {+schema: staging, +tags: [early]}, marts: {+schema: marts, +materialized: table}}}',
      'macros/s.sql': schemaMacro,
      ...files,
    }),
    target: { name: 'dev', catalog: 'dev_analytics' },
    startedAt: 0,
    ...more,
  })

const shop = {
  'models/s.yml': `
sources: [{name: raw, tables: [{name: sales, columns: [{name: id, tests: [not_null]}]}]}]
models:
  - name: stg_sales
    description: Sales, cleaned.
    columns:
      - {name: id, description: The key, tests: [unique, not_null]}
      - {name: region, tests: [{accepted_values: {values: [N, S], config: {severity: warn}}}]}
  - name: daily
    columns: [{name: id, tests: [{relationships: {to: ref('stg_sales'), field: id}}]}]
`,
  'models/staging/stg_sales.sql': "select * from {{ source('raw', 'sales') }} where amount > 0",
  'models/staging/helper.sql': "{{ config(materialized='ephemeral') }} select id, amount from {{ ref('stg_sales') }}",
  'models/marts/daily.sql': "select id, sum(amount) as total from {{ ref('helper') }} group by 1",
  'models/marts/yearly.sql':
    "{{ config(tags=['slow', 'finance'], meta={'owner': 'ana'}) }} select count(*) as n from {{ ref('daily') }}",
  'models/marts/deep/top.sql': "{{ config(materialized='view') }} select * from {{ ref('yearly') }}",
  'tests/totals.sql': "select * from {{ ref('daily') }} where total < 0",
}
const raw = `create schema raw; create table raw.sales as select * from (values (1, 'N', 10.5), (2, 'S', 2), (3, 'N', -1)) t(id, region, amount);`

const names = (ids: readonly string[]) =>
  ids.map((id) => id.replace(/^(model|test|source)\.shop\./, '').replace(/\.[0-9a-f]{10}$/, ''))
const modelsOf = (ids: readonly string[]) => names(ids.filter((id) => !id.startsWith('test.')))

test.each<[string, string]>([
  ['stg_sales', 'stg_sales'],
  ['daily+', 'daily yearly top'],
  ['+daily', 'raw.sales stg_sales helper daily'],
  ['1+daily', 'helper daily'],
  ['daily+1', 'daily yearly'],
  ['1+daily+1', 'helper daily yearly'],
  ['@yearly', 'raw.sales stg_sales helper daily yearly top'],
  ['tag:slow', 'yearly'],
  ['tag:early', 'stg_sales helper'],
  ['tag:f*', 'yearly'],
  ['path:models/marts', 'daily yearly top'],
  ['models/marts/deep', 'top'],
  ['models/staging/stg_sales.sql', 'stg_sales'],
  ['stg_sales.sql', 'stg_sales'],
  ['file:daily', 'daily'],
  ['marts', ''],
  ['marts.*', 'daily yearly top'],
  ['shop.marts', 'daily yearly top'],
  ['shop.marts.deep', 'top'],
  ['marts.deep.top', 'top'],
  ['*ly', 'daily yearly'],
  ['config.materialized:view', 'stg_sales top'],
  ['config.meta.owner:ana', 'yearly'],
  ['config.tags:finance', 'yearly'],
  ['source:raw', 'raw.sales'],
  ['source:raw.sales+1', 'raw.sales stg_sales'],
  ['resource_type:source', 'raw.sales'],
  ['resource_type:model,tag:slow', 'yearly'],
  ['package:shop', 'raw.sales stg_sales helper daily yearly top'],
  ['tag:slow stg_sales', 'stg_sales yearly'],
  ['path:models/marts,config.materialized:table', 'daily yearly'],
  ['+yearly,tag:early', 'stg_sales helper'],
  ['nothing', ''],
])('--select %s', async (text, expected) => {
  const project = await load(shop)
  // A folder's name alone selects what lies in it, as a path of names from the package on.
  const found = modelsOf(select(project, { select: [text] }))
  expect(found.sort()).toEqual((text === 'marts' ? 'daily yearly top' : expected).split(' ').filter(Boolean).sort())
})

test('tests come with what they test', async () => {
  const project = await load(shop)
  const pick = (selection: Selection) => names(select(project, selection).filter((id) => id.startsWith('test.'))).sort()
  expect(pick({ select: ['daily'] })).toEqual(['relationships_daily_id__id__ref_stg_sales_', 'totals'])
  expect(pick({ select: ['daily'], indirect: 'cautious' })).toEqual(['totals'])
  expect(pick({ select: ['stg_sales', 'daily'], indirect: 'cautious' })).toContain(
    'relationships_daily_id__id__ref_stg_sales_',
  )
  expect(pick({ select: ['test_type:singular'] })).toEqual(['totals'])
  expect(pick({ select: ['test_name:unique'] })).toEqual(['unique_stg_sales_id'])
  expect(pick({ select: ['source:raw'] })).toEqual(['source_not_null_raw_sales_id'])
  expect(pick({ exclude: ['stg_sales', 'source:*'] })).toEqual(['totals'])
})

test.each(['state:modified', '@a+'])('%j is no selector', async (text) => {
  const project = await load(shop)
  expect(() => select(project, { select: [text] })).toThrow(expect.objectContaining({ code: 'USAGE' }))
})

test('a circle is named', async () => {
  const error = asFailure(
    await load({
      'models/a.sql': "select 1\nfrom {{ ref('c') }}",
      'models/b.sql': "{{ ref('a') }}",
      'models/c.sql': "{{ ref('b') }}",
      'models/d.sql': "{{ ref('a') }}",
    }).catch((caught: unknown) => caught),
  )
  expect(error).toMatchObject({
    code: 'GRAPH_CYCLE',
    message: 'Found a cycle: models read each other: a → c → b → a',
    place: { file: 'models/a.sql', line: 2, column: 9 },
  })
})

test('the order holds for any graph, and a circle is always found', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 14 }), async (edges) => {
      const files: Record<string, string> = {}
      for (let node = 0; node < 8; node++) {
        files[`models/m${node}.sql`] = `select 1 ${edges
          .filter(([from]) => from === node)
          .map(([, to]) => `{{ ref('m${to}') }}`)
          .join(' ')}`
      }
      const cyclic = hasCycle(edges)
      const project = await load(files).catch((error: unknown) => asFailure(error).code)
      if (typeof project === 'string') {
        expect([project, cyclic]).toEqual(['GRAPH_CYCLE', true])
        return
      }
      expect(cyclic).toBe(false)
      const { order, parents } = graphOf(project)
      for (const [index, id] of order.entries())
        for (const parent of parents.get(id)!) expect(order.indexOf(parent)).toBeLessThan(index)
    }),
    { numRuns: 60 },
  ))

function hasCycle(edges: readonly (readonly [number, number])[]): boolean {
  let left = [...edges]
  for (;;) {
    const kept = left.filter(([, to]) => left.some(([from]) => from === to))
    if (kept.length === left.length) return left.length > 0
    left = kept
  }
}

test('a plan is data: tests come as soon as they can be judged, and readers wait for them', async () => {
  const project = await load(shop)
  expect(plan(project, 'build').steps.map(explain)).toEqual([
    'test  source_not_null_raw_sales_id',
    'build dev_analytics.staging.stg_sales (view)',
    'test  accepted_values_stg_sales_region__N__S',
    'test  not_null_stg_sales_id',
    'test  unique_stg_sales_id',
    'build dev_analytics.marts.daily (table)',
    'test  relationships_daily_id__id__ref_stg_sales_',
    'test  totals',
    'build dev_analytics.marts.yearly (table)',
    'build dev_analytics.marts.top (view)',
  ])
  const after = Object.fromEntries(
    plan(project, 'build').steps.map((step) => [names([step.node])[0], names(step.after).sort()]),
  )
  expect(after).toMatchObject({
    stg_sales: ['source_not_null_raw_sales_id'],
    daily: ['accepted_values_stg_sales_region__N__S', 'not_null_stg_sales_id', 'stg_sales', 'unique_stg_sales_id'],
    relationships_daily_id__id__ref_stg_sales_: ['daily', 'stg_sales'],
    yearly: ['daily', 'relationships_daily_id__id__ref_stg_sales_', 'totals'],
    top: ['yearly'],
  })
  expect(plan(project, 'run', { select: ['daily'] }).steps).toMatchObject([{ kind: 'model', after: [] }])
  expect(plan(project, 'run', { select: ['stg_sales', 'yearly'] }).steps).toMatchObject([
    { name: 'stg_sales' },
    { name: 'yearly', after: ['model.shop.stg_sales'] },
  ])
  expect(plan(project, 'test', { select: ['daily'] }).steps.map(({ kind }) => kind)).toEqual(['test', 'test'])
})

const brief = (results: readonly NodeResult[]) =>
  results.map(({ name, status, message }) => `${name} ${status}: ${message}`)

async function run(files: Record<string, string>, selection?: Selection) {
  const project = await load(files)
  const fake = await fakeLake('dev_analytics', raw)
  const work = { project, ...fake, principal: system, now: () => 0 }
  return { ...fake, work, project, results: await runPlan(plan(project, 'build', selection), work) }
}

test('builds models with their tests', async () => {
  const { results, written, run: query } = await run(shop)
  expect(brief(results)).toEqual([
    'source_not_null_raw_sales_id pass: passed',
    'stg_sales success: view created',
    'accepted_values_stg_sales_region__N__S pass: passed',
    'not_null_stg_sales_id pass: passed',
    'unique_stg_sales_id pass: passed',
    'daily success: 2 rows',
    'relationships_daily_id__id__ref_stg_sales_ pass: passed',
    'totals pass: passed',
    'yearly success: 1 rows',
    'top success: view created',
  ])
  expect(written).toEqual([
    'view dev_analytics.staging.stg_sales',
    'table dev_analytics.marts.daily',
    'table dev_analytics.marts.yearly',
    'view dev_analytics.marts.top',
  ])
  expect(await query('select n from marts.top')).toEqual([[2]])
})

test('a failing test keeps its children from being built; a warning does not', async () => {
  const { results } = await run({
    ...shop,
    'models/staging/stg_sales.sql': "select * from {{ source('raw', 'sales') }} union all select 1, 'X', 5",
    'models/marts/apart.sql': 'select 1 as one',
  })
  expect(brief(results).filter((line) => !line.includes(' pass'))).toEqual([
    'apart success: 1 rows',
    'stg_sales success: view created',
    'accepted_values_stg_sales_region__N__S warn: Got 1 result, configured to warn if != 0',
    'unique_stg_sales_id fail: Got 1 result, configured to fail if != 0',
    'daily skipped: the test unique_stg_sales_id failed',
    'relationships_daily_id__id__ref_stg_sales_ skipped: the test unique_stg_sales_id failed',
    'totals skipped: the test unique_stg_sales_id failed',
    'yearly skipped: the test unique_stg_sales_id failed',
    'top skipped: the test unique_stg_sales_id failed',
  ])
  const failed = results.find(({ status }) => status === 'fail')!
  expect(failed).toMatchObject({ failures: 1, place: { file: 'models/s.yml', line: 7 } })
  expect(failed.compiledSql).toContain('having count(*) > 1')
})

test.each<[string, string, Record<string, unknown>]>([
  ['in plain text', "select id,\n  amuont\nfrom {{ source('raw', 'sales') }}", { line: 2, column: 3 }],
  [
    'behind output of several lines',
    "{% set x %}\n1 as a,\n2 as b,\n{% endset %}select {{ x }}\n  nope\nfrom {{ source('raw', 'sales') }}",
    { line: 5, column: 3 },
  ],
  [
    'in a loop',
    "select\n{% for c in ['id', 'colour'] %}\n  {{ c }}{{ ',' if not loop.last }}\n{% endfor %}\nfrom {{ source('raw', 'sales') }}",
    { line: 3, column: 6 },
  ],
  ['behind an ephemeral model', "select\n  missing\nfrom {{ ref('helper') }}", { line: 2, column: 3 }],
  [
    'behind the CTEs of its own',
    "with a as (select 1)\nselect\n  missing\nfrom {{ ref('helper') }}",
    { line: 3, column: 3 },
  ],
])('an error of the database is shown in the template: %s', async (_, sql, place) => {
  const { results } = await run({ ...shop, 'models/marts/broken.sql': sql }, { select: ['+broken'] })
  const broken = results.find(({ name }) => name === 'broken')!
  expect(broken).toMatchObject({
    status: 'error',
    code: 'SQL_INVALID',
    place: { file: 'models/marts/broken.sql', ...place },
  })
})

test('an error of a hook says whose it is and where that stands', async () => {
  const { results } = await run({
    'dbt_project.yml': 'name: shop\nversion: 1.0.0\non-run-end: select nope\n',
    'models/a.sql': "select 1 as id\n{{ config(post_hook='select nope') }}",
  })
  expect(results).toMatchObject([
    { name: 'a', place: { file: 'models/a.sql' }, message: expect.stringMatching(/^post-hook: /) as unknown },
    { name: 'shop-on-run-end-0', place: { file: 'dbt_project.yml', line: 3 } },
  ])
})

test('who reads a model that fails with on_error: continue is built all the same', async () => {
  const { results } = await run({
    'models/a.sql': "{{ config(on_error='continue') }} select nope",
    'models/b.sql': "-- depends_on: {{ ref('a') }}\nselect 1 as id",
    'models/c.sql': 'select nope',
    'models/d.sql': "-- depends_on: {{ ref('c') }}\nselect 1 as id",
  })
  expect(Object.fromEntries(results.map(({ name, status }) => [name, status]))).toEqual({
    a: 'error',
    b: 'success',
    c: 'error',
    d: 'skipped',
  })
})

test('templates see what was chosen; decimals keep their digits', async () => {
  const { results } = await run({
    'models/a.sql': `{% set row = run_query("select 1.50::decimal(5,2) as d, 100::decimal(10,0) as w, 2.5::double as f").rows[0] if execute else {'d': 0, 'w': 0, 'f': 0} %}
select '{{ selected_resources | sort | join(' ') }}' as chosen, {{ row['d'] }} as d, {{ row['w'] }} as w, {{ row['f'] }} as f, {{ row['d'] == 1.5 }} as same, '{{ row['d'] * 2 }}' as twice`,
    'models/b.sql': 'select 1 as id',
  })
  const sql = results.find(({ name }) => name === 'a')!.compiledSql!
  expect(sql.trim()).toBe(
    "select 'model.shop.a model.shop.b' as chosen, 1.50 as d, 100 as w, 2.5 as f, True as same, '3.00' as twice",
  )
})

test('what follows a failed on-run-start is skipped, unless the flag says otherwise', async () => {
  const statuses = async (flags: string) => {
    const { results } = await run({
      'dbt_project.yml': `name: shop\non-run-start: select nope\n${flags}`,
      'models/a.sql': 'select 1 as id',
    })
    return results.map(({ name, status }) => `${name} ${status}`)
  }
  expect(await statuses('')).toEqual(['shop-on-run-start-0 error', 'a skipped'])
  expect(await statuses('flags: {skip_nodes_if_on_run_start_fails: false}')).toEqual([
    'shop-on-run-start-0 error',
    'a success',
  ])
})

test("a project's own microbatch strategy works without batches if the flag says so", async () => {
  const batches = async (flags: string) => {
    const { results } = await run({
      'dbt_project.yml': `name: shop\n${flags}`,
      'macros/m.sql': '{% macro get_incremental_microbatch_sql(arg_dict) %}select 1{% endmacro %}',
      'models/a.sql': `{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='at', batch_size='day',
        begin='1970-01-01') }} select timestamp '1970-01-01' as at`,
    })
    return results.map(({ status, adapterResponse }) => [status, 'batch_results' in adapterResponse])
  }
  expect(await batches('')).toEqual([['success', true]])
  expect(await batches('flags: {require_batched_execution_for_custom_microbatch_strategy: false}')).toEqual([
    ['success', false],
  ])
})

test('functions are written out where they are called', async () => {
  const numbers = `- {name: %, arguments: [{name: id, data_type: integer}, {name: factor, data_type: integer, default_value: 2}],
     returns: {data_type: integer}}`
  const files = {
    'models/a.sql': 'select * from (values (1), (2)) t(id)',
    'functions/times.sql': 'SELECT id * factor',
    'functions/over.sql': "{{ function('times') }}(id, 10) + (select count(*) from {{ ref('a') }})",
    'functions/broken.sql': 'select nope(id)',
    'functions/f.yml': `functions:\n${['times', 'over', 'broken'].map((name) => `  ${numbers.replace('%', name)}`).join('\n')}`,
    'models/b.sql': `{{ config(materialized='table') }}
select id, {{ function('times') }}(id) as two, {{ function('over') }}({{ function('times') }}(id, 3), 0) as many
from {{ ref('a') }} where {{ function('times') }}(id, greatest(1, 2) -- by two
) > 2 -- {{ function('times') }}(`,
    'models/c.sql': "select {{ function('broken') }}(1) as id",
    'models/d.sql': "select {{ function('times') }}(1, 2, 3) as id",
  }
  const { results, run: query } = await run(files)
  expect(brief(results).toSorted()).toEqual([
    'a success: view created',
    'b success: 1 rows',
    'broken error: Catalog Error: Scalar Function with name nope does not exist!',
    'c skipped: broken failed',
    'd error: the function times takes 2 arguments, not 3',
    'over success: OK',
    'times success: OK',
  ])
  expect(await query('select id, two, many from main.b')).toEqual([[2, 4, 62]])
  expect(results.find(({ name }) => name === 'b')!.compiledSql).toContain('"main"."times"(id) as two')
})

test('each batch is told when it begins and ends; what follows a first one that failed is left out', async () => {
  const told = async (column: string) => {
    const lines: string[] = []
    const model = `{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='at', batch_size='month',
        begin='1969-11-01', pre_hook="{{ log('before ' ~ model.batch.event_time_start.strftime('%Y-%m')) }}",
        post_hook="{{ log('after ' ~ model.batch.id) }}") }} select timestamp '1970-01-01' as ${column}`
    const onLog = (_: string, message: string) => /^(?:before|after)/.test(message) && lines.push(message)
    const project = await load({ 'models/m.sql': model }, { onLog })
    // What hooks say while they are parsed, as in dbt.
    lines.length = 0
    const work = { project, ...(await fakeLake('dev_analytics', raw)), principal: system, now: () => 0 }
    await runPlan(plan(project, 'run'), work, {
      onBatch: (node, { name, index, total, status, sql }) => {
        lines.push(`${node.name} ${name} ${index}/${total} ${status}`)
        expect(sql === undefined).toBe(status === 'started' || status === 'skipped')
      },
    })
    return lines
  }
  const [first, second] = ['m 1969-11 1/2', 'm 1969-12 2/2']
  expect((await told('at')).slice(0, 4)).toEqual([
    `${first} started`,
    'before 1969-11',
    `${first} success`,
    `${second} started`,
  ])
  expect(await told('at, nope')).toEqual([`${first} started`, `${first} error`, `${second} skipped`])
})

test('an input of a unit test may say more to ref() than its name if the flag says so', async () => {
  const passes = async (flag: boolean) => {
    const { results } = await run({
      'dbt_project.yml': `name: shop\nflags: {support_custom_ref_kwargs: ${flag}}`,
      'macros/ref.sql': '{% macro ref(name, label=none) %}{{ return(builtins.ref(name)) }}{% endmacro %}',
      'models/a.sql': 'select 1 as id',
      'models/b.sql': "select id + 1 as id from {{ ref('a', label='x') }}",
      'models/b.yml': `unit_tests:
  - {name: u, model: b, given: [{input: "ref('a', label='x')", rows: [{id: 5}]}], expect: {rows: [{id: 6}]}}`,
    })
    return results.find(({ kind }) => kind === 'unit_test')?.status
  }
  expect([await passes(true), await passes(false)]).toEqual(['pass', 'error'])
})

test('of a microbatch model whose first batch fails all batches have failed, as in dbt', async () => {
  const { results } = await run({
    'models/m.sql': `{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='at', batch_size='month',
        begin='1969-11-01') }} select timestamp '1970-01-01' as at, nope`,
  })
  expect(results[0]).toMatchObject({
    status: 'error',
    adapterResponse: {
      batch_results: {
        successful: [],
        failed: [
          ['1969-11-01T00:00:00+00:00', '1969-12-01T00:00:00+00:00'],
          ['1969-12-01T00:00:00+00:00', '1970-01-01T00:00:00+00:00'],
        ],
      },
    },
  })
})

test('a package replaces a materialization of dbt only if the flag says so', async () => {
  const statuses = async (flags: string) => {
    const { results } = await run({
      'dbt_project.yml': `name: shop\n${flags}`,
      'dbt_packages/p/dbt_project.yml': 'name: p',
      'dbt_packages/p/macros/m.sql':
        "{% materialization table, adapter='duckdb' %}{{ exceptions.raise_compiler_error('of the package') }}{% endmaterialization %}",
      'models/a.sql': "{{ config(materialized='table') }}select 1 as id",
    })
    return results.map(({ status }) => status)
  }
  expect(await statuses('')).toEqual(['success'])
  expect(await statuses('flags: {require_explicit_package_overrides_for_builtin_materializations: false}')).toEqual([
    'error',
  ])
})

test('what cannot be built says so', async () => {
  const { results } = await run({
    'models/inc.sql': 'select 1 as id',
    'models/odd.sql': "{{ config(materialized='oddly') }} select 1 as id",
    'models/fails.sql': 'select {{ 1 / 0 if execute }}',
    'models/late.sql': "{% if execute %}select * from {{ ref('inc') }}{% endif %}",
  })
  expect(results.filter(isBad).map(({ name, code }) => [name, code])).toEqual([
    ['fails', 'TEMPLATE_FAILED'],
    ['late', 'MODEL_INVALID'],
    ['odd', 'MODEL_INVALID'],
  ])
})

test('a saved query waits for the models that its metrics are made of, as in dbt', async () => {
  const { results } = await run({
    'models/m.sql': 'select nope as sold, 1 as amount',
    'models/spine.sql': "select date '2024-01-01' as day",
    'models/s.yml': `
models:
  - {name: spine, time_spine: {standard_granularity_column: day}, columns: [{name: day, granularity: day}]}
semantic_models:
  - name: sales
    model: ref('m')
    defaults: {agg_time_dimension: sold}
    entities: [{name: id, type: primary, expr: sold}]
    dimensions: [{name: sold, type: time, type_params: {time_granularity: day}}]
    measures: [{name: amount, agg: sum}]
metrics: [{name: total, label: Total, type: simple, type_params: {measure: amount}}]
saved_queries: [{name: totals, query_params: {metrics: [total]}}]
`,
  })
  expect(results.map(({ name, status }) => [name, status]).toSorted()).toEqual([
    ['m', 'error'],
    ['spine', 'success'],
    ['totals', 'skipped'],
  ])
})

test('names of models have dots and letters of any script, as in DuckDB', async () => {
  const { results } = await run({
    'models/raw.one.sql': 'select 1 as id',
    'models/stg.users.sql': "{{ config(materialized='table') }} select * from {{ ref('raw.one') }}",
    'models/município.sql': "{{ config(materialized='incremental') }} select * from {{ ref('stg.users') }}",
    'models/all.sql': "select count(*) as n from {{ ref('município') }} join {{ ref('stg.users') }} using (id)",
    'models/s.yml': 'models: [{name: stg.users, columns: [{name: id, data_tests: [unique]}]}]',
  })
  expect(results.map(({ name, status }) => [name, status]).toSorted()).toEqual([
    ['all', 'success'],
    ['município', 'success'],
    ['raw.one', 'success'],
    ['stg.users', 'success'],
    ['unique_stg.users_id', 'pass'],
  ])
})

test('of two models whose tables differ in case alone the second is red, as in dbt', async () => {
  const { results } = await run({ 'models/REL.sql': 'select 1 as id', 'models/rel.sql': 'select 2 as id' })
  expect(results.map(({ name, status, code }) => [name, status, code])).toEqual([
    ['REL', 'success', undefined],
    ['rel', 'error', 'MODEL_INVALID'],
  ])
})

test('who reads an ephemeral model that is wrong is skipped for its error, as in dbt', async () => {
  const { results } = await run({
    'models/e.sql': "{{ config(materialized='ephemeral') }} select {{ 1 / 0 if execute }} as id",
    'models/m.sql': "select * from {{ ref('e') }}",
    'models/n.sql': "select * from {{ ref('m') }}",
  })
  expect(results.map(({ name, status, code, place }) => [name, status, code, place?.file])).toEqual([
    ['m', 'skipped', 'TEMPLATE_FAILED', 'models/e.sql'],
    ['n', 'skipped', undefined, undefined],
  ])
  expect(results[0]!.message).toMatch(
    /^Compilation Error in .*, caused by compilation error in referenced ephemeral model model\./,
  )
  expect(results.filter(isBad).map(({ name }) => name)).toEqual(['m'])
})

test('severity, thresholds and limits decide about a test', async () => {
  const cases: [string, string, number][] = [
    ['{severity: warn}', 'warn', 2],
    ['{error_if: ">2"}', 'warn', 2],
    ['{error_if: ">2", warn_if: ">5"}', 'pass', 0],
    ['{limit: 1}', 'fail', 1],
    ['{where: "region = \'S\'"}', 'pass', 0],
    ['{fail_calc: "sum(n_records)"}', 'fail', 4],
    ['{enabled: false}', '', 0],
  ]
  for (const [config, status, failures] of cases) {
    const { results } = await run({
      'models/a.sql':
        "select * from {{ source('raw', 'sales') }} union all select * from {{ source('raw', 'sales') }} where region = 'N'",
      'models/s.yml': `sources: [{name: raw, tables: [{name: sales}]}]\nmodels: [{name: a, columns: [{name: id, tests: [{unique: {config: ${config}}}]}]}]`,
    })
    expect([config, results[1]?.status ?? '', results[1]?.failures ?? 0]).toEqual([config, status, failures])
  }
})

test("a project's own get_columns_in_relation is what the adapter answers", async () => {
  const project = await load({
    ...shop,
    'macros/own.sql':
      "{% macro default__get_columns_in_relation(relation) %}{{ return(adapter.get_columns_in_relation(relation) + ['x']) }}{% endmacro %}",
    'models/ask.sql':
      "select {{ adapter.get_columns_in_relation(ref('stg_sales')) | length }}, {{ get_columns_in_relation(ref('stg_sales')) | length }} as k",
  })
  const fake = await fakeLake('dev_analytics', raw)
  const work = { project, ...fake, principal: system }
  await runPlan(plan(project, 'run', { select: ['stg_sales'] }), work)
  expect((await compileNode('ask', work)).sql).toBe('select 4, 4 as k')
})

test('a template asks the database, is stopped, and goes on with the answer', async () => {
  const logged: string[] = []
  const project = await load(
    {
      ...shop,
      'models/ask.sql': `{% set regions = run_query('select distinct region from ' ~ ref('stg_sales') ~ ' order by 1').columns[0].values() if execute else [] %}
{{ log('asked', info=true) }}{% set columns = adapter.get_columns_in_relation(ref('stg_sales')) %}
select {% for r in regions %}'{{ r }}' as {{ r }}, {% endfor %}{{ columns | length }} as k, '{{ adapter.get_relation(this.database, 'raw', 'gone') is none }}' as gone`,
    },
    { onLog: (level: string, message: string) => logged.push(`${level} ${message}`) },
  )
  logged.length = 0
  const fake = await fakeLake('dev_analytics', raw)
  const work = { project, ...fake, principal: system }
  await runPlan(plan(project, 'run', { select: ['stg_sales'] }), work)
  const { sql } = await compileNode('ask', work)
  expect(sql.trim()).toBe("select 'N' as N, 'S' as S, 3 as k, 'True' as gone")
  expect(logged.filter((line) => line === 'info asked')).toHaveLength(1)
  const [result] = await runPlan(plan(project, 'run', { select: ['ask'] }), work)
  expect(result).toMatchObject({ status: 'success' })
})

test('what templates put into graph and take out of it they do once, however often they ask the database', async () => {
  const { run: query } = await run({
    'macros/noted.sql': `{% macro noted() %}{{ return(graph.setdefault('of_ours', {'list': [], 'deep': {'names': [['first']]}})) }}{% endmacro %}`,
    'models/a.sql': `{% if execute %}{% do noted().list.append('a') %}{% do noted().deep.names[0].append(this.name) %}{% endif %}
select {{ run_query('select 1').columns[0].values()[0] if execute else 0 }} + {{ run_query('select 2').columns[0].values()[0] if execute else 0 }} as n`,
    'models/b.sql': `-- depends_on: {{ ref('a') }}
{% if execute %}{% set list = noted().pop('list') %}{% set n = run_query('select 3').columns[0].values()[0] %}{% do noted().update({'left': list | length}) %}{% do run_query('select 4') %}
select '{{ list | join(',') }} {{ noted().deep.names[0] | join(';') }} {{ noted().left }} {{ noted().list is defined }}' as told, {{ n }} as n{% else %}select 1{% endif %}`,
  })
  expect(await query('select n from main.a')).toEqual([[3]])
  expect(await query('select told, n from main.b')).toEqual([['a first;a 1 False', 3]])
})

test('what a template takes at random differs from run to run, and not between the answers of one', async () => {
  const pick = 'range(100000) | random'
  const project = await load({
    'macros/pick.sql': `{% macro pick() %}{{ return(${pick}) }}{% endmacro %}`,
    'models/plain.sql': `select {{ ${pick} }} + {{ ${pick} }} as n`,
    'models/asks.sql': `{% set asked = [${pick}, pick()] %}
{% if execute %}{% for each in asked %}{% if run_query('select ' ~ each).columns[0].values()[0] | int != each %}other {% endif %}{% endfor %}{% endif %}{{ asked }}`,
  })
  const work = { project, ...(await fakeLake('dev_analytics', '')), principal: system }
  for (const name of ['plain', 'asks']) {
    const [first, second] = [(await compileNode(name, work)).sql, (await compileNode(name, work)).sql]
    expect(first).not.toBe(second)
    expect(first).not.toContain('other')
  }
})

test('a template that asks the database nothing is rendered once for all who need it', async () => {
  const logged: string[] = []
  const log = (text: string) => `{{ log('${text}', info=true) if execute }}`
  const project = await load(
    {
      'models/below.sql': `{{ config(materialized='ephemeral') }}${log('below')} select 1 as id`,
      'models/quiet.sql': `${log('quiet')} select * from {{ ref('below') }}`,
      'models/asking.sql': `${log('asking')} {% set rows = run_query('select 1') %} select * from {{ ref('below') }}`,
    },
    { onLog: (_: string, message: string) => logged.push(message) },
  )
  const work = { project, ...(await fakeLake('dev_analytics', '')), principal: system }
  const sqlOf = async (name: string) => (await compileNode(name, work)).sql
  expect([await sqlOf('quiet'), await sqlOf('asking')]).toEqual([await sqlOf('quiet'), await sqlOf('asking')])
  expect(logged.sort()).toEqual(['asking', 'asking', 'below', 'quiet'])
})

test('when a model is compiled, config.get() tells what its config came to: layers together, what is not set as none', async () => {
  const project = await load({
    'models/staging/s.sql': `{{ config(tags='own', meta={'b': 2}, foo=none) }} select $x${"{{ config.get('tags') }} {{ config.get('meta') }} {{ config.get('foo', 1) }} {{ config.get('unique_key', 'id') }} {{ config.get('bar', 'id') }}"}$x as x`,
    'models/staging/s.yml': 'models: [{name: s, config: {meta: {a: 1}}}]',
  })
  const work = { project, ...(await fakeLake('dev_analytics', '')), principal: system }
  expect((await compileNode('s', work)).sql).toContain("$x['early', 'own'] {'a': 1, 'b': 2} None None id$x")
})

test('a question that fails is an error of the model', async () => {
  const { results } = await run({ 'models/a.sql': "select 1\n{% do run_query('selec 1') %}" })
  expect(results[0]).toMatchObject({ status: 'error', code: 'SQL_INVALID', place: { file: 'models/a.sql' } })
  expect(results[0]!.message).toMatch(/^a (query|statement) of this template failed: /)
})

test('a cancelled run is no result', async () => {
  const project = await load(shop)
  const fake = await fakeLake('dev_analytics', raw)
  const signal = AbortSignal.abort(new Error('stop'))
  await expect(runPlan(plan(project, 'build'), { project, ...fake, principal: system, signal })).rejects.toThrow('stop')
})

test('ls and lineage show what reads what', async () => {
  const project = await load({ ...shop, 'models/plain.sql': 'select * from raw.other join marts.daily using (id)' })
  expect(
    ls(project, { select: ['+daily'], exclude: ['source:*', 'resource_type:test'] }).map(
      ({ name, table, materialized }) => [name, table, materialized],
    ),
  ).toEqual([
    ['stg_sales', 'dev_analytics.staging.stg_sales', 'view'],
    ['helper', null, 'ephemeral'],
    ['daily', 'dev_analytics.marts.daily', 'table'],
  ])
  expect(tablesRead(project, project.nodes.get('model.shop.plain')!)).toEqual(['dev_analytics.raw.other'])
  expect(tablesRead(project, project.nodes.get('model.shop.stg_sales')!)).toEqual(['dev_analytics.raw.sales'])
  const inlined = await load({
    'models/e.sql': "{{ config(materialized='ephemeral') }} select * from raw.deep",
    'models/r.sql': "select * from {{ ref('e') }}",
  })
  expect(tablesRead(inlined, inlined.nodes.get('model.shop.r')!)).toEqual(['dev_analytics.raw.deep'])
  const { edges } = lineage(project)
  expect(edges).toContainEqual({ from: 'table:dev_analytics.raw.other', to: 'model.shop.plain' })
  expect(edges).toContainEqual({ from: 'model.shop.daily', to: 'model.shop.plain' })
  expect(edges).toContainEqual({ from: 'source.shop.raw.sales', to: 'model.shop.stg_sales' })
})

test.each([
  ['select 1', 'with a as (\nx\n) select 1'],
  ['with b as (select 1) select 2', 'with  a as (\nx\n), b as (select 1) select 2'],
  [
    "select ')with(' from (with z as (select 1) select 1)",
    "with a as (\nx\n) select ')with(' from (with z as (select 1) select 1)",
  ],
  [
    '/* with */ with recursive b as (select 1) select 2',
    '/* with */ with recursive  a as (\nx\n), b as (select 1) select 2',
  ],
])('ephemeral text goes in front: %s', (sql, expected) => {
  expect(injectCtes(sql, [{ name: 'a', sql: 'x' }]).sql).toBe(expected)
})

test('the real lake: models and tests in a change set, then published', async () => {
  const world = await openWorld()
  try {
    const seed = await world.lake.openChanges({ catalog: 'dev_analytics', principal: system })
    await seed.replaceTable(
      { catalog: 'dev_analytics', namespace: 'raw', name: 'sales' },
      "select * from (values (1, 'N', 10.50::decimal(12,2)), (2, 'S', 2.00), (3, 'N', -1.00)) t(id, region, amount)",
    )
    await seed.publish()
    const project = await load({
      ...shop,
      'models/marts/asks.sql':
        "select {% for r in run_query('select distinct region from ' ~ ref('stg_sales') ~ ' order by 1').columns[0].values() %}'{{ r }}' as {{ r }}, {% endfor %}{{ adapter.get_columns_in_relation(ref('daily')) | length }} as k, '{{ adapter.get_relation(target.database, 'marts', 'gone') is none }}' as gone -- {{ ref('daily') }}",
      'models/marts/wrong.sql': "select\n  nothing\nfrom {{ ref('daily') }}",
      'models/marts/keyed_v1.sql': 'select 1 as id',
      'models/marts/keyed_v2.sql': 'select 1 as id union all select null',
      'models/marts/orphan.sql': 'select 9 as id',
      'models/marts/keyed.yml': `
models:
  - name: keyed
    latest_version: 2
    config: {contract: {enforced: true}, latest_version_pointer: {enabled: true}}
    columns: [{name: id, data_type: int, constraints: [{type: foreign_key, to: ref('daily'), to_columns: [id]}]}]
    versions: [{v: 1}, {v: 2}]
  - name: orphan
    config: {contract: {enforced: true}}
    constraints: [{type: foreign_key, columns: [id], to: "ref('keyed', v=2)", to_columns: [id]}]
    columns: [{name: id, data_type: int}]
`,
    })
    expect(project.nodes.get('model.shop.keyed.v2')!.dependsOn).toEqual(['model.shop.daily'])
    const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: system })
    const results = await runPlan(plan(project, 'build'), { project, lake: world.lake, changes, principal: system })
    expect(
      results
        .filter(({ status }) => status === 'error')
        .map(({ name, code, place }) => [name, code, place])
        .toSorted(),
    ).toEqual([
      ['orphan', 'QUERY_FAILED', expect.objectContaining({ file: 'models/marts/keyed.yml' })],
      ['wrong', 'SQL_INVALID', { file: 'models/marts/wrong.sql', line: 2, column: 3 }],
    ])
    expect(results.find(({ name }) => name === 'orphan')!.message).toContain(
      'FOREIGN KEY constraint failed: orphan (id)',
    )
    await changes.publish()
    expect(await world.rows('select id, total from marts.daily order by 1')).toEqual([
      [1, '10.50'],
      [2, '2.00'],
    ])
    expect(await world.rows('select * from marts.asks')).toEqual([['N', 'S', 2, 'True']])
    expect(await world.rows('select n from marts.top')).toEqual([[2]])
    expect(await world.rows('select * from marts.keyed order by 1')).toEqual([[1], [null]])
  } finally {
    await world.close()
  }
})
