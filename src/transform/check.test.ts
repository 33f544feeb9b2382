// A project is checked before anything of it is built, against a real lake that only has its sources.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openWorld } from '../lake/world.ts'
import { recordFiles } from '../project/dbt/index.ts'
import { checkProject, type Checked, type CheckWork } from './check.ts'
import { loadProject } from './project.ts'

const world = await openWorld()
afterAll(world.close)
const { lake, asking } = world
for (const sql of [
  'create schema raw',
  "create table raw.orders as select 1 as id, 'a' as customer, 2.50::decimal(9,2) as amount, date '2024-01-01' as day",
])
  await lake.query(sql, asking())

const principal = { id: 'system', name: 'system', role: 'system' as const }
const yml = 'sources: [{name: raw, tables: [{name: orders}]}]'

async function check(
  files: Record<string, string>,
  { dir = '/project', ...more }: Partial<CheckWork> & { dir?: string } = {},
): Promise<Checked> {
  const project = await loadProject(dir, {
    files: recordFiles({
      'dbt_project.yml': 'name: shop\nmodels: {+materialized: table}',
      'models/sources.yml': yml,
      'models/stg.sql': "select id, customer, amount, day from {{ source('raw', 'orders') }}",
      ...files,
    }),
    target: { name: 'dev', catalog: 'dev_analytics' },
    startedAt: 0,
  })
  return checkProject({ project, lake, principal, ...more })
}
const told = ({ failures }: Checked) =>
  failures.map(({ message, place }) => `${place?.file}:${place?.line}:${place?.column} ${message}`)
const columnsOf = ({ shapes }: Checked, id: string) =>
  shapes.get(`model.shop.${id}`)?.columns.map(({ name, type }) => `${name} ${type}`)

test('models that are not built yet have columns; tables have the types that are stored, views those of their SELECT', async () => {
  const found = await check({
    'models/a.sql': "select customer, sum(id) as n, count(*)::utinyint as few from {{ ref('stg') }} group by 1",
    'models/v.sql': "{{ config(materialized='view') }} select sum(id) as n, null as nothing from {{ ref('stg') }}",
    'models/e.sql': "{{ config(materialized='ephemeral') }} select n + 1 as more from {{ ref('v') }}",
    'models/b.sql': "select a.n, e.more from {{ ref('a') }} a cross join {{ ref('e') }} e",
    'models/own.sql': "select '101'::bit as b, interval 1 day as i, [1, 2]::float[2] as f, '[]'::json as j",
    'models/of_own.sql':
      "select bit_count(b) as b, date '2020-01-01' + i as i, array_distance(f, f) as f, json_keys(j) as j from {{ ref('own') }}",
  })
  expect(told(found)).toEqual([])
  expect(columnsOf(found, 'own')).toEqual(['b BIT', 'i INTERVAL', 'f FLOAT[2]', 'j JSON'])
  expect(columnsOf(found, 'stg')).toEqual(['id INTEGER', 'customer VARCHAR', 'amount DECIMAL(9,2)', 'day DATE'])
  expect(columnsOf(found, 'a')).toEqual(['customer VARCHAR', 'n HUGEINT', 'few INTEGER'])
  expect(columnsOf(found, 'v')).toEqual(['n HUGEINT', 'nothing INTEGER'])
  expect(columnsOf(found, 'b')).toEqual(['n HUGEINT', 'more HUGEINT'])
})

test('a PIVOT that finds its values is no mistake: what it makes is not known before', async () => {
  const found = await check({
    'models/wide.sql': "pivot {{ ref('stg') }} on customer using sum(amount) group by day",
    'models/of_wide.sql': "select day, a from {{ ref('wide') }}",
    'models/given.sql': "pivot {{ ref('stg') }} on customer in ('a') using sum(amount) group by day",
  })
  expect(told(found)).toEqual([])
  expect(columnsOf(found, 'wide')).toBeUndefined()
  expect(columnsOf(found, 'given')).toEqual(['day DATE', 'a DECIMAL(38,2)'])
})

test('every mistake at once, each at its place in the template, and nothing of what waits for them', async () => {
  const found = await check({
    'models/unknown.sql': "select id,\n  amout -- {{ 1 + 1 }}\nfrom {{ ref('stg') }}",
    'models/behind.sql': "select amount from {{ ref('unknown') }}",
    'models/further.sql': "select amount from {{ ref('behind') }}",
    'models/qualified.sql': "{% set t = ref('stg') %}\nselect s.idd from {{ t }} s",
    'models/ambiguous.sql': "select id from {{ ref('stg') }} a join {{ ref('stg') }} b on a.id = b.id",
    'models/types.sql': "select sum(customer) as s from {{ ref('stg') }}",
    'models/compare.sql': "select * from {{ ref('stg') }} where day > 5",
    'models/twice.sql': "select id, amount as ID from {{ ref('stg') }}",
    'models/of_twice.sql': "select id + 1 as more, ID_1 from {{ ref('twice') }}",
    'models/gone.sql': 'select * from raw.oders',
    'models/intervals.sql': "select [interval 1 day] as i from {{ ref('stg') }}",
  })
  expect(told(found).sort()).toEqual([
    'models/ambiguous.sql:1:8 the column "id" is ambiguous: write "a.id" or "b.id"',
    expect.stringMatching(/^models\/compare.sql:1:\d+ Cannot compare values of type DATE and type INTEGER/),
    'models/gone.sql:1:15 there is no table raw.oders; did you mean raw.orders?',
    expect.stringMatching(/^models\/intervals.sql:1:1 intervals: .*INTERVAL\[\]/),
    'models/qualified.sql:2:8 there is no column "idd" in "s"; did you mean "id"?',
    'models/types.sql:1:8 there is no sum(VARCHAR): no function of this name takes these types',
    'models/unknown.sql:2:3 there is no column "amout"; did you mean "amount"?',
  ])
  expect(found.waiting.sort()).toEqual(['model.shop.behind', 'model.shop.further'])
})

test('tests are checked like models: columns that are not there, types that cannot be compared', async () => {
  const found = await check({
    'models/t.yml': `models:
  - name: stg
    columns:
      - name: id
        tests: [unique, not_null]
      - name: amont
        tests: [not_null]
`,
    'tests/single.sql': "select * from {{ ref('stg') }} where total < 0",
  })
  expect(told(found)).toEqual([
    expect.stringMatching(/^models\/t.yml:7:\d+ there is no column "amont"; did you mean "amount"\?$/),
    expect.stringMatching(/^tests\/single.sql:1:\d+ there is no column "total"; there are: id, customer, amount, day$/),
  ])
  expect(found.warnings.map(({ message }) => message)).toEqual([
    'the column "amont" is described, but stg does not have it',
  ])
})

test('a contract is held to its names and types, whatever the order', async () => {
  const found = await check({
    'models/promised.sql': "select amount, id, day as extra from {{ ref('stg') }}",
    'models/promised.yml': `models:
  - name: promised
    config: {contract: {enforced: true}}
    columns:
      - {name: id, data_type: varchar}
      - {name: amount, data_type: 'numeric(38, 2)'}
      - {name: gone, data_type: date}
      - {name: day, data_type: date}
`,
    'models/behind.sql': "select nothing from {{ ref('promised') }}",
  })
  const broken = (line: number, what: string) =>
    expect.stringMatching(new RegExp(`^models/promised.yml:${line}:\\d+ promised breaks its contract: ${what}$`))
  expect(told(found)).toEqual([
    broken(5, '"id" is promised as varchar, but it is INTEGER \\(data type mismatch\\)'),
    broken(7, '"gone" is promised, but the model does not have it \\(missing in definition\\)'),
    broken(8, '"day" is promised, but the model does not have it \\(missing in definition\\)'),
    broken(2, '"extra" \\(DATE\\) is not part of it \\(missing in contract\\)'),
  ])
  expect(found.waiting).toEqual(['model.shop.behind'])
})

test('a snapshot has the columns that say when a row held', async () => {
  const found = await check({
    'snapshots/s.sql': `{% snapshot kept %}{{ config(unique_key='id', strategy='timestamp', updated_at='day', target_schema='main') }}
select * from {{ ref('stg') }}{% endsnapshot %}`,
    'models/now.sql': "select id, dbt_valid_from from {{ ref('kept') }} where dbt_valid_to is null",
  })
  expect(told(found)).toEqual([])
  expect(columnsOf(found, 'now')).toEqual(['id INTEGER', 'dbt_valid_from DATE'])
})

test('an incremental model is checked as it is first built and as it is added to', async () => {
  const incremental = (later: string) => ({
    'models/inc.sql': `{{ config(materialized='incremental') }}
select id, amount from {{ ref('stg') }}
{% if is_incremental() %}where ${later}{% endif %}`,
  })
  expect(told(await check(incremental('id > (select max(id) from {{ this }})')))).toEqual([])
  expect(told(await check(incremental('id > (select max(idx) from {{ this }})')))).toEqual([
    expect.stringMatching(/^models\/inc.sql:3:\d+ there is no column "idx"; did you mean "id"\?$/),
  ])
})

test('a template that asks is answered as far as the answer is known, and the check says where it was not', async () => {
  const found = await check({
    'models/star.sql':
      "select {% for c in adapter.get_columns_in_relation(ref('stg')) %}{{ c.name }} as x_{{ c.name }}{{ ',' if not loop.last }}{% endfor %} from {{ ref('stg') }}",
    'models/rows.sql':
      "select 1 as one {% for row in run_query('select customer from ' ~ source('raw', 'orders')).rows %}, '{{ row[0] }}' as c_{{ row[0] }}{% endfor %}",
    'models/unbuilt.sql':
      "select {{ run_query('select count(*) from ' ~ ref('stg')).rows | length }} as n from {{ ref('stg') }}",
    'models/wrong.sql':
      "select {{ run_query('select nothing from ' ~ ref('stg')).rows | length }} as n from {{ ref('stg') }}",
    'models/changes.sql': "{% do run_query('drop table raw.orders') %} select 1 as one",
    'models/after.sql': "select * from {{ ref('unbuilt') }}",
  })
  expect(columnsOf(found, 'star')).toEqual([
    'x_id INTEGER',
    'x_customer VARCHAR',
    'x_amount DECIMAL(9,2)',
    'x_day DATE',
  ])
  expect(columnsOf(found, 'rows')).toEqual(['one INTEGER', 'c_a VARCHAR'])
  expect(told(found)).toEqual([expect.stringMatching(/^models\/wrong.sql:.*there is no column "nothing"/)])
  expect(Object.fromEntries(found.partly.map(({ name, because }) => [name, because]))).toEqual({
    rows: expect.stringContaining('asks for rows'),
    unbuilt: expect.stringContaining('not built yet'),
    changes: expect.stringContaining('changes the database'),
    after: expect.stringContaining('unbuilt is not built yet'),
  })
  expect((await lake.bind('from raw.orders', asking())).length).toBe(4)
})

test('what on-run-start puts into graph is there, and what cannot be tried of it makes failures doubtful', async () => {
  const files = (hook: string) => ({
    'dbt_project.yml': `name: shop\non-run-start: ["{{ begin() }}"]`,
    'macros/m.sql': `{% macro begin() %}{% if execute %}${hook}{% endif %}{% endmacro %}`,
    'models/m.sql': "select {% if execute %}{{ graph['kept'].value }}{% endif %} as one",
  })
  const put = "{% do graph.setdefault('kept', {'value': 1}) %}"
  expect(told(await check(files(`{% do run_query('create table raw.x (id int)') %}${put}`)))).toEqual([])
  expect(told(await check(files('')))).toEqual([expect.stringMatching(/^models\/m.sql:1/)])
  const found = await check(files(`{% set t = run_query('select * from raw.later') %}${put}`))
  expect(told(found)).toEqual([])
  expect(found.partly.map(({ name, because }) => [name, because])).toEqual([
    ['m', expect.stringContaining('on-run-start could not be tried')],
  ])
})

test('a type of a seed that there is not is told where the seed is described', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'check-'))
  await mkdir(join(dir, 'seeds'))
  await writeFile(join(dir, 'seeds/s.csv'), 'id\n1\n')
  const files = {
    'seeds/s.csv': 'id\n1\n',
    'seeds/s.yml': 'seeds:\n  - name: s\n    config: {column_types: {id: timestamp_ntz}}',
  }
  const mistakes = told(await check(files, { dir }))
  await rm(dir, { recursive: true })
  expect(mistakes).toEqual([
    expect.stringMatching(/^seeds\/s.yml:2:\d+ .*timestamp_ntz[^]*column_types of the seed "s"/),
  ])
})

test('a model may be called as a branch or tag of a table would be', async () => {
  const found = await check({
    'models/tag_v1.sql': "select id from {{ ref('stg') }}",
    'models/a.sql': "select id from {{ ref('tag_v1') }}",
    'models/b.sql': 'select id from {{ this.schema }}.tag_v1 -- depends_on: {{ ref("tag_v1") }}',
  })
  expect(told(found)).toEqual([])
  expect(columnsOf(found, 'b')).toEqual(['id INTEGER'])
})

test('a seed that is read as a source is known, in whatever order', async () => {
  // Rows of seeds are read from the disk.
  const dir = await mkdtemp(join(tmpdir(), 'check-'))
  const seed = 'n,t\n1,a\n'
  await mkdir(join(dir, 'seeds'))
  await writeFile(join(dir, 'seeds/a_seed.csv'), seed)
  const found = await check(
    {
      'models/fed.yml': 'sources: [{name: fed, schema: "{{ target.schema }}", tables: [{name: a_seed}]}]',
      'models/a.sql': "select n + 1 as more from {{ source('fed', 'a_seed') }}",
      'models/b.sql':
        "{% if load_relation(source('fed', 'a_seed')) is none %}select 1 as x{% else %}select nothing from {{ source('fed', 'a_seed') }}{% endif %}",
      'seeds/a_seed.csv': seed,
    },
    { dir },
  )
  await rm(dir, { recursive: true })
  expect(columnsOf(found, 'a')).toEqual(['more INTEGER'])
  expect(told(found)).toEqual([expect.stringMatching(/^models\/b.sql:.*there is no column "nothing"/)])
  expect(found.partly).toEqual([])
})

test('what is not selected is taken as it is in the lake; what will be loaded is no mistake', async () => {
  const files = { 'models/b.sql': "select id from {{ ref('stg') }}", 'models/c.sql': 'select * from raw.coming' }
  const only = new Set(['model.shop.b'])
  expect((await check(files, { only })).partly.map(({ because }) => because)).toEqual([
    'stg is not built yet, and its columns are not known before',
  ])
  const found = await check(files, { awaited: (table) => table.endsWith('.raw.coming') })
  expect(told(found)).toEqual([])
  expect(found.partly.map(({ name, because }) => [name, because])).toEqual([
    ['c', 'dev_analytics.raw.coming is not loaded yet'],
  ])
})

test('a cast that no value survives is told where it stands', async () => {
  const found = await check({
    'models/a.sql': `{{ config(materialized='incremental') }}
select
  {% if true %}
  cast(amount as date) as a,
  {% endif %}
  id::uuid as b, day::integer as c,
  try_cast(id as date) as d, cast(customer as date) as e, id::varchar as f, day::timestamp as g, cast(null as date) as h
from {{ ref('stg') }}`,
  })
  expect(told(found)).toEqual([])
  expect(found.warnings.map(({ message, place }) => `${place.line}:${place.column} ${message}`)).toEqual([
    '4:3 a cast of DECIMAL to DATE fails for every value but NULL',
    '6:5 a cast of INTEGER to UUID fails for every value but NULL',
    '6:21 a cast of DATE to INTEGER fails for every value but NULL',
  ])
})

test('a name is not said to be meant by itself', async () => {
  const found = await check({
    'models/a.sql': "select o.customer from {{ ref('stg') }} s join (select id from {{ ref('stg') }}) o using (id)",
  })
  expect(told(found)).toEqual(['models/a.sql:1:8 there is no column "customer" in "o"; there are: id, amount, day'])
})
