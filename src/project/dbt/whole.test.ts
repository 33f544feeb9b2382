// What a dbt project holds besides models and tests: each in every form that dbt accepts.

import { createHash } from 'node:crypto'
import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { csvRecords } from './csv.ts'
import { ignoring } from './ignore.ts'
import {
  diskFiles,
  manifestOf,
  mayCall,
  parseCriterion,
  readDbtProject,
  readPackageFiles,
  readProfile,
  recordFiles,
} from './index.ts'
import { graphDict } from './node-dict.ts'
import { Dict, toJs } from '../../jinja/index.ts'
import { versionProblem } from './require-version.ts'
import type { DbtProject, ProjectOptions } from './types.ts'
import { targetDict } from './vars.ts'

const options: ProjectOptions = {
  target: { name: 'dev', database: 'shop', catalog: 'dev', type: 'duckdb', schema: 'main', profile: 'p', threads: 1 },
  vars: {},
  env: {},
  flags: { fullRefresh: false, command: 'build', storeFailures: false, empty: false },
  startedAt: Date.UTC(2024, 0, 2),
  invocationId: 'id',
  onLog: () => {},
}

async function read(files: Record<string, string>): Promise<DbtProject> {
  const all = { 'dbt_project.yml': 'name: shop\n', ...files }
  const { project, failures } = await readDbtProject(recordFiles(all), '/project', options)
  expect(failures).toEqual([])
  return project
}

const lines = (project: DbtProject) =>
  project.warnings.map(({ message, place }) => `${place.file}:${place.line} ${message}`)

test('snapshots: blocks of a file and entries of YAML', async () => {
  const project = await read({
    'models/orders.sql': 'select 1 as id',
    'snapshots/daily/s.sql': `{% snapshot first %}
{{ config(unique_key='id', strategy='check', check_cols='all', target_schema='history') }}
select * from {{ ref('orders') }}
{% endsnapshot %}
{% snapshot second %}{{ config(unique_key='id', strategy='timestamp', updated_at='at') }}select 2{% endsnapshot %}`,
    'snapshots/y.yml': `snapshots:
  - {name: third, relation: "ref('orders')", config: {unique_key: id, strategy: check, check_cols: [id], schema: past}}
  - {name: first, description: The first.}`,
  })
  const shown = [...project.nodes.values()]
    .filter(({ kind }) => kind === 'snapshot')
    .map((node) => [
      node.uniqueId,
      node.fqn.join('.'),
      node.schema,
      node.dependsOn.join(),
      node.rawSql.trim().slice(0, 8),
    ])
  expect(shown).toEqual([
    ['snapshot.shop.first', 'shop.daily.s.first', 'history', 'model.shop.orders', '{{ confi'],
    ['snapshot.shop.second', 'shop.daily.s.second', 'main', '', '{{ confi'],
    ['snapshot.shop.third', 'shop.third', 'main_past', 'model.shop.orders', 'select *'],
  ])
  expect(project.nodes.get('snapshot.shop.first')).toMatchObject({ description: 'The first.', place: { line: 1 } })
  expect(project.nodes.get('snapshot.shop.third')!.path).toBe('third.sql')
})

test('unit tests: rows, CSV, SQL, fixtures, seeds, and each version of a model', async () => {
  const project = await read({
    'models/a_v1.sql': "select * from {{ ref('raw') }}",
    'models/a_v2.sql': "select * from {{ ref('raw') }} where {{ is_incremental() }}",
    'models/u.yml': `models: [{name: a, versions: [{v: 1}, {v: 2}]}]
unit_tests:
  - name: both
    model: a
    given:
      - {input: ref('raw'), format: csv, rows: "id,name\\n1,\\n2,\\"b, c\\"\\n"}
    expect: {format: sql, fixture: wanted}
    overrides: {macros: {is_incremental: false}, vars: {day: 1}}
  - name: one
    model: a
    versions: {include: [1]}
    given: [{input: ref('raw')}]
    expect: {rows: [{id: 1}]}`,
    'seeds/raw.csv': 'id\n7\n',
    'tests/fixtures/wanted.sql': 'select 1 as id',
  })
  const shown = [...project.unitTests.values()].map(({ uniqueId, dependsOn, given }) => [
    uniqueId,
    dependsOn,
    given[0]!.rows,
  ])
  const rows = [
    { id: '2', name: 'b, c' },
    { id: '1', name: null },
  ]
  expect(shown).toEqual([
    ['unit_test.shop.a.both_v1', ['model.shop.a.v1'], rows],
    ['unit_test.shop.a.both_v2', ['model.shop.a.v2'], rows],
    ['unit_test.shop.a.one_v1', ['model.shop.a.v1'], [{ id: '7' }]],
  ])
  expect(project.unitTests.get('unit_test.shop.a.both_v1')).toMatchObject({
    given: [{ input: "ref('raw')", uniqueId: 'seed.shop.raw' }],
    expect: { format: 'sql', sql: 'select 1 as id', fixture: 'wanted' },
    overrides: { macros: { is_incremental: false }, vars: { day: 1 } },
  })
})

test('functions: their form, what they read, who calls them, and files that are overloads', async () => {
  const project = await read({
    'dbt_project.yml': 'name: shop\nfunctions: {shop: {sub: {+schema: udfs}}}',
    'functions/twice.sql': 'select value * 2',
    'functions/twice_float.sql': "select value * {{ function('half') }}(4.0)",
    'functions/sub/half.sql': "{{ config(volatility='stable') }}select value / 2 from {{ ref('ones') }}",
    'functions/f.yml': `functions:
  - name: twice
    description: Doubles.
    arguments: [{name: value, data_type: integer}]
    returns: {data_type: integer}
    overloads: [{defined_in: twice_float, arguments: [{name: value, data_type: float}], returns: {data_type: float}}]
  - {name: half, arguments: [{name: value, data_type: float, default_value: 1}], returns: {data_type: float}}`,
    'models/ones.sql': 'select 1 as id',
    'models/m.sql': "select {{ function('shop', 'twice') }}(id) as two from {{ ref('ones') }}",
  })
  expect([...project.nodes.values()].map(({ uniqueId, dependsOn }) => [uniqueId, dependsOn.join()])).toEqual([
    ['model.shop.m', 'model.shop.ones,function.shop.twice'],
    ['model.shop.ones', ''],
    ['function.shop.half', 'model.shop.ones'],
    ['function.shop.twice', 'function.shop.half'],
  ])
  const manifest = manifestOf(project, { generatedAt: 0 })
  expect(Object.keys(manifest['nodes'] as object)).toEqual(['model.shop.m', 'model.shop.ones'])
  expect(manifest).toMatchObject({
    functions: {
      'function.shop.half': { schema: 'main_udfs', config: { type: 'scalar', volatility: 'stable' } },
      'function.shop.twice': {
        description: 'Doubles.',
        path: 'twice.sql',
        relation_name: '"shop"."main"."twice"',
        arguments: [{ name: 'value', data_type: 'integer', description: null, default_value: null }],
        returns: { data_type: 'integer', description: null },
        overloads: [{ defined_in: 'twice_float', raw_body: "select value * {{ function('half') }}(4.0)" }],
      },
    },
    nodes: { 'model.shop.m': { functions: [['shop', 'twice']] } },
    docs: { 'doc.dbt.__overview__': { name: '__overview__' } },
  })
})

test('files of SQL may end as Jinja where the flag says so', async () => {
  const names = async (flags: string) => {
    const project = await read({
      'dbt_project.yml': `name: shop\n${flags}`,
      'models/a.sql.j2': 'select 1 as id',
      'models/b.sql': 'select 2 as id',
      'macros/m.sql.jinja': '{% macro one() %}1{% endmacro %}',
    })
    return [...project.nodes.values(), ...project.macros].map((each) => ('kind' in each ? each.uniqueId : ''))
  }
  expect(await names('')).toEqual(['model.shop.b'])
  expect(await names('flags: {allow_jinja_file_extensions: true}')).toEqual([
    'model.shop.a',
    'model.shop.b',
    'macro.shop.one',
  ])
})

test('hooks and operations, and what they read', async () => {
  const project = await read({
    'dbt_project.yml': `name: shop
on-run-start: "create schema if not exists {{ target.schema }}_log"
on-run-end:
  - "{% for r in results %}{{ r.status }}{% endfor %}"
  - "insert into log select * from {{ ref('a') }}"
models: {+pre-hook: "select 1"}`,
    'models/a.sql': `{{ config(post_hook=[{'sql': 'vacuum', 'transaction': false}, "analyze {{ ref('b') }}"]) }}select 1`,
    'models/b.sql': 'select 2',
  })
  expect(
    [...project.operations.values()].map(({ uniqueId, dependsOn, place }) => [uniqueId, dependsOn, place.line]),
  ).toEqual([
    ['operation.shop.shop-on-run-start-0', [], 2],
    ['operation.shop.shop-on-run-end-0', [], 4],
    ['operation.shop.shop-on-run-end-1', ['model.shop.a'], 5],
  ])
  const { hooks, dependsOn } = project.nodes.get('model.shop.a')!
  expect(hooks.pre.map(({ sql }) => sql)).toEqual(['select 1'])
  expect(hooks.post.map(({ sql, transaction }) => [sql, transaction])).toEqual([
    ['vacuum', false],
    ["analyze {{ ref('b') }}", true],
  ])
  expect(dependsOn).toEqual(['model.shop.b'])
})

test('groups, access, contracts, constraints, and columns that a version includes', async () => {
  const project = await read({
    'models/g.yml': `groups: [{name: finance, owner: {email: f@x.y, slack: "#f"}}]
models:
  - name: a
    config: {group: finance, access: private, contract: {enforced: true}}
    constraints: [{type: check, expression: id > 0, columns: [id]}]
    columns:
      - {name: id, data_type: int, constraints: [{type: not_null}], data_tests: [unique]}
      - {name: old, data_type: int}
    versions:
      - v: 1
      - {v: 2, columns: [{include: all, exclude: [old]}, {name: fresh, data_type: date}]}
  - {name: b, config: {group: finance}}`,
    'models/a_v1.sql': 'select 1 as id, 2 as old',
    'models/a.sql': 'select 1 as id, current_date as fresh',
    'models/b.sql': "select * from {{ ref('a') }} join {{ ref('a', v=1) }} using (id)",
  })
  const [v1, v2] = [project.nodes.get('model.shop.a.v1')!, project.nodes.get('model.shop.a.v2')!]
  expect([v1, v2].map(({ columns, alias }) => [alias, columns.map(({ name }) => name).join()])).toEqual([
    ['a_v1', 'id,old'],
    ['a_v2', 'id,fresh'],
  ])
  expect(v2).toMatchObject({ group: 'finance', access: 'private', contract: true, latestVersion: '2' })
  expect(v2.constraints[0]).toMatchObject({ type: 'check', expression: 'id > 0', columns: ['id'] })
  expect(project.nodes.get('model.shop.b')!.dependsOn).toEqual(['model.shop.a.v2', 'model.shop.a.v1'])
  expect([...project.nodes.keys()].filter((id) => id.startsWith('test.')).length).toBe(2)
})

test('freshness is laid over from source to table; null switches it off', async () => {
  const project = await read({
    'models/s.yml': `sources:
  - name: raw
    freshness: {warn_after: {count: 12, period: hour}, error_after: {count: 1, period: day}}
    loaded_at_field: at
    tables:
      - {name: kept}
      - {name: other, freshness: {warn_after: {count: 6, period: hour}, error_after: null, filter: day = 1}}
      - {name: never, config: {freshness: null}}
      - {name: asked, config: {loaded_at_query: select 1}}`,
  })
  const of = (name: string) => project.sources.get(`source.shop.raw.${name}`)!
  const error = { count: 1, period: 'day' }
  expect(of('kept')).toMatchObject({ freshness: { warnAfter: { count: 12 }, errorAfter: error }, loadedAtField: 'at' })
  expect(of('other').freshness).toEqual({
    warnAfter: { count: 6, period: 'hour' },
    errorAfter: undefined,
    filter: 'day = 1',
  })
  expect(of('never').freshness).toBeUndefined()
  expect(of('asked')).toMatchObject({ loadedAtQuery: 'select 1' })
})

test('exposures, metrics, semantic models and saved queries know what they stand on', async () => {
  const project = await read({
    'models/orders.sql': 'select 1 as id',
    'models/m.yml': `semantic_models:
  - name: orders
    model: ref('orders')
    defaults: {agg_time_dimension: at}
    entities: [{name: id, type: primary}]
    dimensions: [{name: at, type: time, type_params: {time_granularity: day}}]
    measures: [{name: order_count, agg: count, expr: id, create_metric: true}]
metrics:
  - {name: share, label: Share, type: ratio, type_params: {numerator: order_count, denominator: {name: order_count, filter: "{{ Dimension('id__x') }} > 1"}}}
saved_queries:
  - {name: weekly, query_params: {metrics: [share], where: "{{ TimeDimension('id__at', 'day') }} > 1"}}
exposures:
  - {name: board, type: dashboard, owner: {name: Ann}, depends_on: [ref('orders'), metric('share')], tags: [x]}`,
  })
  const all = [project.semanticModels, project.metrics, project.savedQueries, project.exposures].flatMap((map) => [
    ...map.values(),
  ])
  expect(Object.fromEntries(all.map(({ uniqueId, dependsOn }) => [uniqueId, dependsOn.join()]))).toEqual({
    'semantic_model.shop.orders': 'model.shop.orders',
    'metric.shop.order_count': 'semantic_model.shop.orders',
    'metric.shop.share': 'metric.shop.order_count',
    'saved_query.shop.weekly': 'metric.shop.share',
    'exposure.shop.board': 'model.shop.orders,metric.shop.share',
  })
})

test('macros that are there for the database of the profile alone, or for dbt to find, are no mistake', async () => {
  const macro = (name: string, asked: string) =>
    `{% macro ${name}() %}{{ return(adapter.dispatch(${asked})()) }}{% endmacro %}\n`
  const files = {
    'dbt_project.yml': 'name: shop\n',
    'macros/m.sql': `${macro('shown', "'shown', 'shop'")}${macro('listed', "'get_show_indexes_sql', 'dbt'")}${macro('asked', "'get_relations'")}
{% macro snowflake__shown() %}1{% endmacro %}`,
  }
  const failuresFor = async (type: string) => {
    const target = { ...options.target, type }
    return (await readDbtProject(recordFiles(files), '/project', { ...options, target })).failures
  }
  expect(await failuresFor('snowflake')).toEqual([])
  expect(await failuresFor('duckdb')).toEqual([
    expect.objectContaining({
      message: expect.stringContaining("No macro named 'shown' found within namespace: 'shop'"),
    }),
  ])
})

test('a materialization tells the languages that it is for', async () => {
  const of = (name: string, more = '') => `{% materialization ${name}, default${more} %}1{% endmaterialization %}\n`
  const project = await read({
    'macros/m.sql': of('plain') + of('frame', `, supported_languages=['python', "sql"]`),
  })
  const macros = manifestOf(project, { generatedAt: 0 })['macros'] as Record<string, unknown>
  expect(macros).toMatchObject({
    'macro.shop.materialization_plain_default': { supported_languages: ['sql'] },
    'macro.shop.materialization_frame_default': { supported_languages: ['python', 'sql'] },
  })
})

describe('catalogs.yml', () => {
  const integration =
    '{name: main, catalog_type: glue, table_format: ICEBERG, adapter_properties: {key: "{{ env_var(\'DBT_ENV_SECRET_KEY\') }}"}}'
  const failuresOf = async (files: Record<string, string>, type = 'duckdb') => {
    const all = {
      'dbt_project.yml': 'name: shop\n',
      'models/a.sql': "{{ config(catalog_name='lake', materialized='table') }} select 1 as id",
      ...files,
    }
    const own = { ...options, target: { ...options.target, type }, env: { DBT_ENV_SECRET_KEY: 's', NAME: 'lake' } }
    return (await readDbtProject(recordFiles(all), '/project', own)).failures.map(({ message }) => message)
  }
  test.each([
    [
      'with secrets and rendered names',
      { 'catalogs.yml': `catalogs: [{name: "{{ env_var('NAME') }}", write_integrations: [${integration}]}]` },
    ],
    [
      'of the newer form',
      {
        'dbt_project.yml': 'name: shop\nflags: {use_catalogs_v2: true}',
        'catalogs.yml':
          'catalogs: [{name: lake, type: unity, table_format: default, config: {snowflake: {external_volume: v}, duckdb: }}]',
      },
    ],
  ] as const)('%s', async (_, files) => expect(await failuresOf(files)).toEqual([]))

  test("a model of another platform may name one of that platform's own, and goes to no table that is none of Iceberg's", async () => {
    expect(await failuresOf({}, 'snowflake')).toEqual([])
    expect(await failuresOf({})).toEqual(['model "a" goes to the catalog "lake", which catalogs.yml does not have'])
    const delta = integration.replace('ICEBERG', 'delta')
    expect(
      await failuresOf({ 'catalogs.yml': `catalogs: [{name: lake, write_integrations: [${delta}]}]` }, 'databricks'),
    ).toEqual([
      'model "a" goes to the catalog "lake", whose tables have the format "delta"; here all tables are Iceberg\'s',
    ])
  })
})

test('what dbt_project.yml says of exposures', async () => {
  const { exposures } = await read({
    'dbt_project.yml': 'name: shop\nexposures: {meta: {a: 1, b: 1}, +tags: [all]}',
    'models/m.yml':
      'exposures: [{name: board, type: dashboard, owner: {name: Ann}, config: {meta: {b: 2}, tags: [own]}}]',
  })
  expect(exposures.get('exposure.shop.board')).toMatchObject({ meta: { a: 1, b: 2 }, tags: ['all', 'own'] })
})

// Compared with what dbt 1.12.6 itself writes for such a file: nothing differs.
test('a model says its semantic model and its metrics itself', async () => {
  const project = await read({
    'models/orders.sql': 'select 1 as id',
    'models/docs.md': '{% docs key %}The key.{% enddocs %}',
    'models/m.yml': `models:
  - name: orders
    semantic_model: {name: sales}
    agg_time_dimension: at
    columns:
      - {name: id, description: "{{ doc('key') }}", entity: primary}
      - {name: created, granularity: day, dimension: {name: at, type: time}}
    derived_semantics: {dimensions: [{name: big, type: categorical, expr: id > 9}]}
    metrics:
      - {name: many, type: simple, agg: count, expr: id, filter: "{{ Dimension('id__big') }}"}
      - {name: all_of, type: cumulative, input_metric: many, window: 7 days}
metrics:
  - {name: share, type: ratio, numerator: many, denominator: all_of}
`,
  })
  const manifest = manifestOf(project, { generatedAt: 0 }) as Record<string, Record<string, object>>
  expect(manifest['semantic_models']!['semantic_model.shop.sales']).toMatchObject({
    model: "ref('orders')",
    depends_on: { nodes: ['model.shop.orders'] },
    defaults: { agg_time_dimension: 'at' },
    entities: [{ name: 'id', type: 'primary', description: 'The key.', expr: null }],
    dimensions: [
      { name: 'at', type: 'time', expr: 'created', type_params: { time_granularity: 'day', validity_params: null } },
      { name: 'big', type: 'categorical', expr: 'id > 9', type_params: null },
    ],
    measures: [],
  })
  expect(manifest['metrics']!['metric.shop.many']).toMatchObject({
    label: 'many',
    depends_on: { nodes: ['semantic_model.shop.sales'] },
    filter: { where_filters: [{ where_sql_template: "{{ Dimension('id__big') }}" }] },
    type_params: {
      measure: null,
      expr: 'id',
      metric_aggregation_params: { semantic_model: 'sales', agg: 'count', agg_time_dimension: 'at' },
    },
  })
  expect(manifest['metrics']!['metric.shop.all_of']).toMatchObject({
    depends_on: { nodes: ['metric.shop.many'] },
    type_params: { cumulative_type_params: { metric: { name: 'many' }, window: { count: 7, granularity: 'day' } } },
  })
  expect(project.metrics.get('metric.shop.share')!.dependsOn).toEqual(['metric.shop.many', 'metric.shop.all_of'])
})

test('operations are nodes of the graph, with what the project says of its models', async () => {
  const project = await read({
    'dbt_project.yml':
      'name: shop\nversion: "1.0"\non-run-end: select 1\nmodels: {+tags: [all], shop: {+materialized: table}}',
    'models/a.sql': 'select 1 as id',
  })
  const nodes = graphDict(project).get('nodes') as Dict
  const operation = toJs(nodes.get('operation.shop.shop-on-run-end-0'))
  expect(operation).toMatchObject({
    resource_type: 'operation',
    config: { enabled: true, materialized: 'table', 'post-hook': [] },
    tags: ['on-run-end', 'all'],
  })
})

test('an operation has the schema that a model beside it would have, and runs unless such a model is switched off', async () => {
  const package_ = (name: string) => ({
    [`dbt_packages/${name}/dbt_project.yml`]: `name: ${name}\non-run-start: select 1`,
  })
  const { operations } = await read({
    'dbt_project.yml': 'name: shop\non-run-end: select 1\nmodels: {a: {+schema: extra}, b: {+enabled: false}}',
    ...package_('a'),
    ...package_('b'),
  })
  expect(Array.from(operations.values(), ({ uniqueId, schema }) => [uniqueId, schema])).toEqual([
    ['operation.shop.shop-on-run-end-0', 'main'],
    ['operation.a.a-on-run-start-0', 'main_extra'],
  ])
})

test('a constant in YAML is text, as in dbt, and what asks for a name keeps its type', async () => {
  const project = await read({
    'dbt_project.yml': `name: shop
models: {shop: {+meta: {a: "{{ false }}", b: "{{ target.name == 'prod' }}", c: "{{ 1 }}", d: "{{ var('n', 1) }}"}}}`,
    'models/m.sql': 'select 1 as id',
    'models/p.yml':
      'models: [{name: m, columns: [{name: id, data_tests: [{accepted_values: {arguments: {values: "{{ [1] }}"}}}]}]}]',
  })
  expect(project.nodes.get('model.shop.m')!.config.meta).toEqual({ a: 'False', b: false, c: '1', d: 1 })
  const refused = async (file: string) =>
    String((await readDbtProject(recordFiles({ 'dbt_project.yml': file, 'models/m.sql': '' }), '/p', options)).failures)
  expect(await refused('name: shop\nmodels: {shop: {+enabled: "{{ false }}"}}')).toContain("'False' is not of type")
  expect(await refused('name: shop\nversion: 1')).toContain('"version" is 1')
  expect(await refused('name: shop\nversion: 1.0')).toBe('')
})

test('a severity that there is not is refused wherever it is set', async () => {
  const failuresOf = async (files: Record<string, string>) =>
    (
      await readDbtProject(recordFiles({ 'dbt_project.yml': 'name: shop', ...files }), '/project', options)
    ).failures.map(({ message }) => message)
  const one = { 'models/a.sql': 'select 1 as id' }
  expect(await failuresOf({ ...one, 'tests/t.sql': "{{ config(severity='foo') }}select 1" })).toEqual([
    'test "t" has the severity "foo"; it must be warn or error',
  ])
  expect(
    await failuresOf({
      ...one,
      'dbt_project.yml': "name: shop\ndata_tests: {+severity: \"{{ env_var('S', 'foo') }}\"}",
      'models/s.yml': 'models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]',
    }),
  ).toEqual(['test "unique_a_id" has the severity "foo"; it must be warn or error'])
  expect(await failuresOf({ ...one, 'tests/t.sql': "{{ config(severity='WARN') }}select 1" })).toEqual([])
})

test('integers of any size keep their digits, also in configs and the manifest', async () => {
  const project = await read({
    'models/m.sql': "{{ config(meta={'id': 2 ** 63 - 1, 'fees': [0xa020d57ab0448ef7]}) }}select {{ 10 ** 20 }} as id",
  })
  const { nodes } = manifestOf(project, { generatedAt: 0 }) as { nodes: object }
  expect(JSON.stringify(nodes)).toContain('"meta":{"id":9223372036854775807,"fees":[11538456968243220215]}')
})

test('versions that are described twice are those of the first description, as far as dbt has an order', async () => {
  const versions = 'versions: [{v: 1}, {v: 2}]'
  const project = await read({
    'models/m.sql': 'select 1 as id',
    'models/m_v1.sql': 'select 1 as id',
    'models/a.yml': `models: [{name: m, description: first, ${versions}}]`,
    'models/b.yml': `models: [{name: m, description: second, ${versions}}]`,
  })
  expect(project.nodes.get('model.shop.m.v2')!.description).toBe('first')
  expect(lines(project)).toEqual([
    'models/b.yml:1 the model "m" and its versions are already described in models/a.yml:1; what stands here counts for nothing',
  ])
})

test.each([
  ['plain', 'plain'],
  ['|\n          block\n', 'block'],
  ['>\n          block\n', 'block'],
  ['"with an escape\\n"', 'with an escape'],
  [`'over lines\n\n          '`, 'over lines'],
])('a text has no last line break, whatever it is written as: %j', async (written, expected) => {
  const project = await read({
    'models/m.sql': 'select 1 as id',
    'models/m.yml': `models:\n  - name: m\n    config:\n      meta:\n        told: ${written}\n        other: 1\n`,
  })
  expect(project.nodes.get('model.shop.m')!.config['meta']).toEqual({ told: expected, other: 1 })
})

test('odd and old spellings are read, some with a warning', async () => {
  const project = await read({
    'dbt_project.yml': `name: shop
config-version: 1
source-paths: [src]
data-paths: [data]
require-dbt-version: [">=1.0.0", "<3.0.0"]
models: {shop: {materialized: table}}
tests: {severity: warn}`,
    'src/A.SQL': "{# nothing #}select {{ var('unset') }}",
    'src/.#A.sql': 'left by an editor',
    'src/py.py': 'def model(dbt, session):\n    dbt.source("raw", "cars.csv")\n    return dbt.ref("a_seed")',
    'src/raw.yml': 'sources: [{name: raw, tables: [{name: cars.csv}]}]',
    'src/old/ignored.sql': '{% broken',
    '.dbtignore': '# comment\nold/\n',
    'data/a_seed.csv': 'id\n1\n',
    'src/p.yml': `models:
  - name: A
    tags: [unused]
    description: first
    description: second
    tests: [{unique: {column_name: id}}]`,
  })
  expect(project.nodes.get('model.shop.A')).toMatchObject({ config: { materialized: 'table' }, description: 'second' })
  expect(project.nodes.get('model.shop.py')).toMatchObject({
    language: 'python',
    dependsOn: ['source.shop.raw.cars.csv', 'seed.shop.a_seed'],
  })
  expect([...project.nodes.keys()].map((id) => id.replace(/\.\w{10}$/, ''))).toEqual([
    'model.shop.A',
    'model.shop.py',
    'seed.shop.a_seed',
    'test.shop.unique_A_id',
  ])
  expect(lines(project)).toEqual([
    'dbt_project.yml:3 The `source-paths` config has been renamed to `model-paths`. Please update your `dbt_project.yml` configuration to reflect this change.',
    'dbt_project.yml:4 The `data-paths` config has been renamed to `seed-paths`. Please update your `dbt_project.yml` configuration to reflect this change.',
    'dbt_project.yml:2 "config-version" is 1; it is read as 2',
    'src/p.yml:5 A key stands twice, the last one counts: line 5 in file `src/p.yml`',
    'src/p.yml:3 "tags" has no effect here; put it under "config"',
    "src/p.yml:6 Found top-level arguments to test `unique` defined on 'A' in package 'shop' (src/p.yml). Arguments to generic tests should be nested under the `arguments` property.",
  ])
})

test('the manifest has every node, its parents and its children', async () => {
  const project = await read({
    'models/a.sql': 'select 1 as id',
    'models/b.sql': "select * from {{ ref('a') }}",
    'models/p.yml':
      "models: [{name: b, columns: [{name: id, data_tests: [unique, not_null]}]}]\nexposures: [{name: e, type: ml, owner: {name: A}, depends_on: [ref('b')]}]",
    'macros/m.sql': '{% macro m(x) %}{{ helper(x) }}{% endmacro %}{% macro helper(x) %}{{ x }}{% endmacro %}',
    'models/off.sql': '{{ config(enabled=false) }}select 1',
  })
  const manifest = manifestOf(project, {
    generatedAt: 0,
    compiled: new Map([['model.shop.b', { sql: 'select 2', path: 'target/b.sql', ctes: [] }]]),
  }) as Record<string, Record<string, Record<string, unknown>>>
  expect(Object.keys(manifest['nodes']!)).toEqual([...project.nodes.keys()])
  expect(manifest['nodes']!['model.shop.b']).toMatchObject({
    relation_name: '"shop"."main"."b"',
    compiled_code: 'select 2',
    primary_key: ['id'],
    patch_path: 'shop://models/p.yml',
    depends_on: { macros: [], nodes: ['model.shop.a'] },
  })
  expect(manifest['child_map']!['model.shop.a']).toEqual(['model.shop.b'])
  expect(manifest['parent_map']!['exposure.shop.e']).toEqual(['model.shop.b'])
  expect(manifest['macros']!['macro.shop.m']!['depends_on']).toEqual({ macros: ['macro.shop.helper'] })
  expect(Object.keys(manifest['disabled']!)).toEqual(['model.shop.off'])
  expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest)
})

// --- files beside the project

test.each<[string, string, boolean]>([
  ['*.tmp.sql', 'models/a.tmp.sql', true],
  ['models/x', 'models/x/a.sql', true],
  ['models/x', 'other/models/x/a.sql', false],
  ['x/', 'models/x/a.sql', true],
  ['x/', 'models/x.sql', false],
  ['**/gone/*.sql', 'models/gone/a.sql', true],
  ['a?.sql', 'models/ab.sql', true],
  ['*.sql\n!keep.sql', 'models/keep.sql', false],
  ['# x', 'x', false],
])('.dbtignore %j: %s', (text, file, expected) => expect(ignoring(text)(file)).toBe(expected))

test.each<[unknown, string | undefined]>([
  ['>=1.0.0', undefined],
  [['>=1.3.0', '<2.0.0'], undefined],
  ['>=1.3.0,<1.10.0', 'it requires dbt <1.10.0; this program is like dbt 1.12.0'],
  ['1.12.0', undefined],
  ['newest', '"newest" is no version: write it as ">=1.6.0"'],
])('require-dbt-version %j', (required, problem) => expect(versionProblem(required, '1.12.0')).toBe(problem))

test.each<[string, Record<string, string | null>[]]>([
  ['a,b\n1,2\n', [{ a: '1', b: '2' }]],
  [
    'a,b\r\n"x ""y""",\r\n\r\n3',
    [
      { a: 'x "y"', b: null },
      { a: '3', b: null },
    ],
  ],
  ['a\n', []],
  ['', []],
])('CSV %j', (text, records) => expect(csvRecords(text)).toEqual(records))

test.each<[string, Record<string, unknown>]>([
  ['orders', { method: 'fqn', value: 'orders', parents: 0, children: 0 }],
  ['2+tag:x+', { method: 'tag', value: 'x', parents: 2, children: Infinity }],
  ['@models/a', { method: 'path', childrensParents: true }],
  ['config.materialized:view', { method: 'config.materialized', value: 'view' }],
  ['a.csv', { method: 'file' }],
])('criterion %s', (text, expected) => expect(parseCriterion(text)).toMatchObject(expected))

test('links to folders are followed, a link to a folder above is not followed for ever', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'boathouse-dbt-'))
  try {
    await mkdir(join(dir, 'real/macros'), { recursive: true })
    await mkdir(join(dir, 'dbt_packages'))
    await writeFile(join(dir, 'real/macros/m.sql'), '')
    await symlink(join(dir, 'real'), join(dir, 'dbt_packages/linked'))
    await symlink(join(dir, 'real'), join(dir, 'real/self'))
    const found = await diskFiles(dir).list('dbt_packages')
    expect(found).toContain('dbt_packages/linked/macros/m.sql')
    expect(found.length).toBeLessThan(4)
  } finally {
    await rm(dir, { recursive: true })
  }
})

test('profiles.yml: the target, with secrets that go no further', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'boathouse-dbt-'))
  const request = { dir, vars: {}, env: { WHERE: 'prod', DBT_ENV_SECRET_TOKEN: 'hush' }, home: join(dir, 'home') }
  try {
    expect(await readProfile(request)).toBeUndefined()
    await writeFile(join(dir, 'dbt_project.yml'), 'name: shop\nprofile: shop')
    await writeFile(
      join(dir, 'profiles.yml'),
      `shop:
  target: "{{ env_var('WHERE') }}"
  outputs:
    prod: {type: duckdb, path: data/my.shop.duckdb, schema: sales, threads: 3, motherduck_token: "{{ env_var('DBT_ENV_SECRET_TOKEN') }}", attach: [{path: x.db}]}
    pg: {type: postgres, dbname: warehouse, schema: public, host: "{{ env_var('MISSING') }}"}
    snow: {type: snowflake, database: DB, schema: S}
    odd: {type: duckdb, path: a.duckdb, database: b}`,
    )
    const found = await readProfile(request)
    expect(found).toMatchObject({
      target: { name: 'prod', database: 'my', schema: 'sales', threads: 3, profile: 'shop', type: 'duckdb' },
      warnings: ['"attach" of the target "prod" has no meaning here: tables live in the lake'],
    })
    expect(JSON.stringify(found)).not.toContain('hush')
    expect(await readProfile({ ...request, target: 'snow', threads: 8 })).toMatchObject({
      target: { name: 'snow', database: 'DB', schema: 'S', threads: 8, type: 'duckdb' },
      warnings: [expect.stringContaining('snowflake')],
    })
    await expect(readProfile({ ...request, target: 'prd' })).rejects.toThrow('did you mean "prod"?')
    await expect(readProfile({ ...request, profile: 'shp' })).rejects.toThrow('did you mean "shop"?')
    await expect(readProfile({ ...request, target: 'odd' })).rejects.toThrow('the path makes it a')
    await expect(readProfile({ ...request, target: 'pg' })).rejects.toThrow()
  } finally {
    await rm(dir, { recursive: true })
  }
})

test('packages.yml in every form', async () => {
  const files = recordFiles({
    'packages.yml': `packages:
  - {package: dbt-labs/dbt_utils, version: [">=1.0.0", "<2.0.0"]}
  - {git: "https://{{ env_var('DBT_ENV_SECRET_TOKEN') }}@example.com/x.git", revision: 1.0, subdirectory: pkg}
  - {local: ../common}
  - {tarball: "https://example.com/x.tar.gz", name: x}`,
    'package-lock.yml': 'packages: [{package: dbt-labs/dbt_utils, version: 1.3.0}]\nsha1_hash: abc',
  })
  const { file, wishes, locked } = await readPackageFiles(files, '', { vars: {}, env: { DBT_ENV_SECRET_TOKEN: 't' } })
  expect(file).toBe('packages.yml')
  expect(wishes).toMatchObject([
    { kind: 'hub', package: 'dbt-labs/dbt_utils', versions: ['>=1.0.0', '<2.0.0'] },
    { kind: 'git', url: 'https://t@example.com/x.git', revision: '1.0', subdirectory: 'pkg' },
    { kind: 'local', path: '../common' },
    { kind: 'tarball', name: 'x' },
  ])
  expect(locked).toMatchObject({ wishes: [{ versions: ['1.3.0'] }], hash: 'abc' })
})

test('what a project says of a column in words of its own is kept', async () => {
  const project = await read({
    'models/one.sql': 'select 1 as a',
    'models/one.yml': `models:
  - {name: one, columns: [{name: a, source_field: x.y, mapping: {to: b}, config: {meta: {k: 1}, policy_tags: [p]}}]}`,
  })
  const { nodes } = manifestOf(project, { generatedAt: 0 }) as { nodes: Record<string, { columns: object }> }
  expect(nodes['model.shop.one']!.columns).toMatchObject({
    a: {
      name: 'a',
      source_field: 'x.y',
      mapping: { to: 'b' },
      config: { meta: { k: 1 }, tags: [], policy_tags: ['p'] },
    },
  })
})

test('as many packages are installed as were settled, whatever packages.yml wants since', async () => {
  const wanted = {
    'packages.yml':
      'packages: [{package: dbt-labs/dbt_utils, version: 1.3.0}, {package: dbt-labs/codegen, version: 0.12.1}]',
    'dbt_packages/dbt_utils/dbt_project.yml': 'name: dbt_utils\n',
    'models/one.sql': 'select 1 as a',
  }
  const locked = 'packages: [{package: dbt-labs/dbt_utils, version: 1.3.0}]\nsha1_hash: abc'
  const failuresOf = async (files: Record<string, string>) =>
    (await readDbtProject(recordFiles({ 'dbt_project.yml': 'name: shop\n', ...files }), '/project', options)).failures
  expect(String(await failuresOf(wanted))).toContain('2 packages are wanted and 1 is installed')
  expect(await failuresOf({ ...wanted, 'package-lock.yml': locked })).toEqual([])
})

test('what becomes a table here says so, unless the project defines it itself', async () => {
  const models = {
    'models/written.sql': "{{ config(materialized='external') }} select 1 as a",
    'models/kept.sql': "{{ config(materialized='materialized_view') }} select 1 as a",
  }
  expect(lines(await read(models))).toEqual([
    'models/kept.sql:1 "kept" is materialized as materialized_view: here it is a table',
    'models/written.sql:1 "written" is materialized as external: here it is a table',
  ])
  const own = '{% materialization external, default %}{% endmaterialization %}'
  expect(lines(await read({ ...models, 'macros/own.sql': own }))).toHaveLength(1)
})

test('properties that a package gives a name of another one are about that one', async () => {
  const { nodes, warnings } = await read({
    'seeds/exceptions.csv': 'a\n1\n',
    'models/plain.sql': 'select 1 as a',
    'models/own.sql': "{{ config(alias='ours') }} select 1 as a",
    'dbt_packages/checks/dbt_project.yml': 'name: checks\n',
    'dbt_packages/checks/models/own.sql': 'select 1 as a',
    'dbt_packages/checks/models/plain.sql': '{{ config(enabled=false) }} select 1 as a',
    'dbt_packages/checks/models/all.yml': [
      'seeds: [{name: exceptions, columns: [{name: a, description: why}]}]',
      'models: [{name: plain, description: of the package}, {name: own, description: only its own}]',
    ].join('\n'),
  })
  expect(warnings).toEqual([])
  expect(nodes.get('seed.shop.exceptions')?.columns).toMatchObject([{ name: 'a', description: 'why' }])
  expect(nodes.get('model.shop.plain')?.description).toBe('of the package')
  expect(nodes.get('model.shop.own')?.description).toBe('')
  expect(nodes.get('model.checks.own')?.description).toBe('only its own')
})

test('a variable may be a template: a source that another project replaces', async () => {
  const { nodes } = await read({
    'dbt_project.yml': [
      'name: shop',
      'vars:',
      "  orders: \"{{ source('raw', 'orders') }}\"",
      '  others: "{{ var(\'orders\') }}"',
      '  place: "{{ target.schema }}_raw"',
    ].join('\n'),
    'models/sources.yml': 'sources: [{name: raw, schema: "{{ var(\'place\') }}", tables: [{name: orders}]}]',
    'models/direct.sql': "select * from {{ var('orders') }}",
    'models/through.sql': "select * from {{ var('others') }}",
    'models/macro.sql': "select * from {{ table('orders') }}",
    'models/none.sql': "select '{{ var('place') }}' as a",
    'macros/table.sql': '{% macro table(name) %}{{ return(var(name)) }}{% endmacro %}',
  })
  const reads = Object.fromEntries([...nodes.values()].map(({ name, dependsOn }) => [name, dependsOn]))
  const source = ['source.shop.raw.orders']
  expect(reads).toEqual({ direct: source, through: source, macro: source, none: [] })
})

test('variables that are made of each other are told', async () => {
  const files = {
    'dbt_project.yml': 'name: shop\nvars: {a: "{{ var(\'b\') }}", b: "{{ var(\'a\') }}"}',
    'models/m.sql': "select {{ var('a') }}",
  }
  const { failures } = await readDbtProject(recordFiles(files), '/project', options)
  expect(failures.map(({ code, message }) => [code, message])).toEqual([
    ['TEMPLATE_FAILED', expect.stringMatching(/^var "[ab]" is made of variables that are made of it/)],
  ])
})

test('what nodes are built upon stands in the order of dbt; what another package says of one stands there', async () => {
  const project = await read({
    'dbt_project.yml': "name: shop\non-run-end: 'select 2'\nmodels: {+meta: {a: 1}}",
    'dbt_packages/pk/dbt_project.yml': 'name: pk',
    'dbt_packages/pk/models/q.sql': 'select 1 as id',
    'models/c.sql': 'select 1 as id',
    'models/a.sql':
      "select * from {{ ref('c') }}, {{ source('raw', 'z') }}, {{ ref('q') }}, {{ source('raw', 'a') }}, {{ ref('c') }}",
    'models/s.yml': `sources: [{name: raw, tables: [{name: z}, {name: a}]}]
snapshots: [{name: y, relation: "ref('c')", config: {unique_key: id, strategy: check, check_cols: all}}]
models:
  - {name: q, columns: [{name: id, data_tests: [unique]}]}
  - name: c
    columns: [{name: id, data_tests: [{unique: {config: {enabled: false}}}]}]
  - name: a
    data_tests:
      - relationships: {arguments: {column_name: id, to: "source('raw', 'a')", field: x}}
      - relationships: {arguments: {column_name: id, to: "ref('c')", field: x}}
exposures: [{name: e, type: dashboard, owner: {name: x}, depends_on: ["ref('c')", "source('raw', 'z')"]}]
`,
  })
  const manifest = JSON.parse(JSON.stringify(manifestOf(project, { generatedAt: 0 })))
  const nodes = Object.values<Record<string, any>>(manifest.nodes)
  const parents = [...nodes, ...Object.values<Record<string, any>>(manifest.exposures)].map((node) => [
    node['name'],
    node['depends_on']?.nodes?.map((id: string) => id.split('.').at(-1)).join(' '),
    node['attached_node'],
    node['primary_key']?.join(),
  ])
  expect(parents).toEqual([
    ['a', 'z a c q', undefined, ''],
    ['c', '', undefined, 'id'],
    ['y', 'c', undefined, undefined],
    ['q', '', undefined, ''],
    ['unique_q_id', 'q', null, undefined],
    ['relationships_a_id__x__source_raw_a_', 'a a', 'model.shop.a', undefined],
    ['relationships_a_id__x__ref_c_', 'c a', 'model.shop.a', undefined],
    ['shop-on-run-end-0', '', undefined, undefined],
    ['e', 'z c', undefined, undefined],
  ])
  expect(manifest.nodes['model.pk.q'].patch_path).toBe('shop://models/s.yml')
  const file = manifest.nodes['operation.shop.shop-on-run-end-0']
  expect([file.checksum.checksum, file.unrendered_config]).toEqual([
    createHash('sha256').update("name: shop on-run-end: 'select 2' models: {+meta: {a: 1}}").digest('hex'),
    { meta: { a: 1 } },
  ])
})

test('arguments of tests are what Python reads: numbers, truth and nothing as keys, dates in lists', async () => {
  const project = await read({
    'models/a.sql': 'select 1 as id',
    'macros/t.sql': '{% test my(model, column_name, m) %}{% endtest %}',
    'models/s.yml': `models:
  - name: a
    columns:
      - name: id
        data_tests:
          - my: {arguments: {m: {3: a, 1: b}}}
          - my: {name: booly, arguments: {m: {true: a, false: b}}}
          - my: {name: lists, arguments: {m: [{10: a, 9: b}, 2024-01-01, 2024-01-01 10:00:00]}}
          - my: {name: nulls, arguments: {m: {~: a}}}
          - my: {arguments: {m: {9: [2024-01-04], 10: 1.0}}}
          - {test_name: my, name: mixed, m: {3: a, x: b}}
`,
  })
  // Ids as dbt has them, but of the last, for which it fails.
  expect([...project.nodes.keys()].slice(1, -1)).toEqual([
    'test.shop.my_a_id__a__b.131317d69f',
    'test.shop.booly.287df35ff6',
    'test.shop.lists.b2c9e0e24f',
    'test.shop.nulls.7b12953486',
    'test.shop.my_a_id___datetime_date_2024_1_4___1_0.55f367dd12',
  ])
  const manifest = JSON.parse(JSON.stringify(manifestOf(project, { generatedAt: 0 })))
  expect(manifest.nodes['test.shop.lists.b2c9e0e24f'].test_metadata.kwargs.m).toEqual([
    { 10: 'a', 9: 'b' },
    '2024-01-01',
    '2024-01-01T10:00:00',
  ])
})

type TestEntry = {
  name: string
  config: { tags: string[]; severity: string }
  depends_on: { macros: string[] }
  unrendered_config: unknown
  file_key_name: string
}

test('what the manifest says of generic tests: configs twice over, macros by name, the entry that they stand in', async () => {
  const project = await read({
    'models/m.sql': 'select 1 as a',
    'seeds/s.csv': 'a\n1\n',
    'macros/mine.sql':
      "{% test mine(model, column_name) %}{{ config(severity='warn', tags='z') }}select 1{% endtest %}",
    'dbt_packages/utils/dbt_project.yml': 'name: utils\n',
    'dbt_packages/utils/macros/mine.sql': '{% test mine(model, column_name) %}select 1{% endtest %}',
    'dbt_packages/utils/macros/theirs.sql': '{% test theirs(model, column_name) %}select 1{% endtest %}',
    'models/m.yml': `
models:
  - name: m
    columns:
      - name: a
        data_tests:
          - not_null: {config: {tags: [x], meta: {k: 1}}}
          - mine: {config: {tags: [x, y], limit: 4, meta: {k: v}}}
          - utils.mine
          - utils.theirs
  - {name: s, columns: [{name: a, data_tests: [unique]}]}`,
  })
  const said = manifestOf(project, { generatedAt: 0 }) as unknown as { nodes: Record<string, TestEntry> }
  const shown = Object.entries(said.nodes).flatMap(([id, node]) => {
    if (!id.startsWith('test.')) return []
    const { tags, severity } = node.config
    return [[node.name, tags, severity, node.unrendered_config, node.depends_on.macros, node.file_key_name]]
  })
  // Made by dbt 1.12.6.
  expect(shown).toEqual([
    ['not_null_m_a', ['x'], 'ERROR', { tags: ['x'], meta: { k: 1 } }, ['macro.dbt.test_not_null'], 'models.m'],
    [
      'mine_m_a',
      ['x', 'y', 'z', 'x', 'y'],
      'warn',
      { tags: "['x', 'y']", limit: '4', meta: "{'k': 'v'}" },
      ['macro.shop.test_mine', 'macro.dbt.get_where_subquery'],
      'models.m',
    ],
    ['utils_mine_m_a', [], 'ERROR', {}, ['macro.shop.test_mine', 'macro.dbt.get_where_subquery'], 'models.m'],
    ['utils_theirs_m_a', [], 'ERROR', {}, ['macro.utils.test_theirs', 'macro.dbt.get_where_subquery'], 'models.m'],
    ['unique_s_a', [], 'ERROR', {}, ['macro.dbt.test_unique'], 'models.s'],
  ])
})

test("the fingerprint of a unit test is dbt's, so that its manifest can be compared with", async () => {
  const project = await read({
    'models/raw.sql': "select 1 as id, 'x' as name",
    'models/a_v1.sql': "select * from {{ ref('raw') }}",
    'models/a_v2.sql': "select * from {{ ref('raw') }}",
    'models/b.sql': "select * from {{ ref('raw') }}",
    'tests/fixtures/rows.csv': `id,name\n1,\n2,"b, c"\n3,it's\n`,
    'tests/fixtures/wanted.sql': 'select 1 as id\n',
    'models/u.yml': `
models: [{name: a, latest_version: 2, versions: [{v: 1}, {v: 2}]}]
unit_tests:
- name: both
  model: a
  given: [{input: ref('raw'), format: csv, fixture: rows}]
  expect: {format: sql, fixture: wanted}
  overrides: {macros: {is_incremental: false}, vars: {day: 1, f: 2.0, t: "x'y"}, env_vars: {A: b}}
- name: one
  model: a
  versions: {include: [1]}
  given: [{input: ref('raw'), rows: [{id: null, name: 'it''s'}, {id: 2.0, name: "q\\"q"}, {id: 3, name: x}]}]
  expect: {rows: [{id: 1, name: true}]}
- name: two
  model: a
  versions: {exclude: [1]}
  given: [{input: ref('raw'), format: sql, rows: "select 1 as id"}]
  expect: {format: csv, rows: "id,name\\n1,a\\n"}
- name: three
  model: b
  description: some
  given: []
  expect: {rows: [{id: 2024-01-01, name: "ü\\n\\t"}]}
`,
  })
  const { unit_tests: found } = manifestOf(project, { generatedAt: 0 }) as unknown as {
    unit_tests: Record<string, { checksum: string }>
  }
  const sums = Object.entries(found).map(([id, { checksum }]) => [id.split('.').at(-1), checksum])
  // Made by dbt 1.12.6.
  expect(Object.fromEntries(sums)).toEqual({
    three: '176062a9bdba2812e6f0e40529515ca2988623ef992d4f7a7fd62a76c9eb47e0',
    both_v1: '22b0794ef7554a5fa39e3422aca80a936eada747d1015d58ceec8eb3a7f4c763',
    both_v2: '22b0794ef7554a5fa39e3422aca80a936eada747d1015d58ceec8eb3a7f4c763',
    one_v1: 'f0d64fecbce98eca0981422b9f72548ee967bff676a2c549f658bc1e359e06ef',
    two_v2: '9cd0bf863c4d875b5660479770fced5c29e8dec860b6fea099c078f1f267afc5',
  })
})

test('arguments of a generic test that say nothing count for nothing, as in dbt', async () => {
  const project = await read({
    'models/m.sql': 'select 1 as a',
    'models/m.yml': `
models:
  - name: m
    columns:
      - name: a
        data_tests:
          - accepted_values:
              arguments:
              values: [1]`,
  })
  const [found] = [...project.nodes.values()].filter(({ kind }) => kind === 'test')
  expect(found).toMatchObject({ name: 'accepted_values_m_a__1', test: { kwargs: { values: [1], column_name: 'a' } } })
  expect(found!.test).not.toHaveProperty(['kwargs', 'arguments'])
})

test("target has dbt-duckdb's keys, with the paths of the profile", async () => {
  const shown = (target: ProjectOptions['target']) =>
    toJs(targetDict({ ...options, target })) as Record<string, unknown>
  const { target } = options
  expect(Object.keys(shown(target)).toSorted()).toEqual(
    // Of dbt-duckdb 1.11.1.
    `attach config_options database disable_transactions extensions external_root filesystems name path plugins profile_name
    remote schema settings target_name threads type use_credential_provider`.split(/\s+/),
  )
  expect(shown(target)).toMatchObject({
    path: ':memory:',
    external_root: '.',
    settings: {},
    disable_transactions: false,
  })
  expect(shown({ ...target, path: 'db/x.duckdb', externalRoot: '../out' })).toMatchObject({
    path: 'db/x.duckdb',
    external_root: '../out',
  })
  const project = await read({
    'models/m.sql':
      "{{ config(materialized='external', location=adapter.external_root() ~ '/m.parquet') }} select 1 as a",
  })
  expect(project.nodes.get('model.shop.m')!.config).toMatchObject({ location: './m.parquet' })
})

test('what stands behind the name of a test is passed over, and that is said', async () => {
  const project = await read({
    'models/a.sql': 'select 1 as id',
    'models/m.yml':
      'models:\n  - name: a\n    columns:\n      - name: id\n        data_tests:\n          - unique\n            - not_null\n',
  })
  expect([...project.nodes.values()].flatMap(({ kind, name }) => (kind === 'test' ? [name] : []))).toEqual([
    'unique_a_id',
  ])
  expect(lines(project)).toEqual([
    'models/m.yml:6 this is the test "unique", and "- not_null" behind its name means nothing',
  ])
})

test('the manifest says which package describes a node of the project', async () => {
  const project = await read({
    'seeds/exceptions.csv': 'id\n1\n',
    'models/a.sql': 'select 1 as id',
    'models/m.yml': 'models: [{name: a}]',
    'dbt_packages/judge/dbt_project.yml': 'name: judge\n',
    'dbt_packages/judge/seeds/s.yml': 'seeds: [{name: exceptions, description: What is let pass}]',
  })
  const { nodes } = manifestOf(project, { generatedAt: 0 }) as { nodes: Record<string, { patch_path: string }> }
  expect(Object.values(nodes).map((node) => node.patch_path)).toEqual(['shop://models/m.yml', 'judge://seeds/s.yml'])
})

test('YAML of a package knows the project that runs, and only data_tests describes tests at the root, as in dbt', async () => {
  const { nodes, sources } = await read({
    'dbt_packages/p/dbt_project.yml': 'name: p',
    'dbt_packages/p/models/s.yml': `sources: [{name: raw, schema: "of_{{ project_name }}", tables: [{name: a}]}]`,
    'tests/t.sql': 'select 1',
    'tests/u.sql': 'select 1',
    'tests/t.yml': `tests: [{name: t, config: {severity: "{{ nothing.there }}"}}]\ndata_tests: [{name: u, config: {severity: warn}}]`,
  })
  expect(sources.get('source.p.raw.a')?.schema).toBe('of_shop')
  expect(['t', 'u'].map((name) => nodes.get(`test.shop.${name}`)?.config['severity'])).toEqual(['ERROR', 'warn'])
})

test('a variable made of what is not there is told where it is asked for', async () => {
  const files = {
    'dbt_project.yml': `name: shop\nvars: {schema: "{{ env_var('MDL_SCHEMA') }}"}\n`,
    'models/a.sql': "select 1 as id\n-- {{ ref(var('schema')) }}",
  }
  const { failures } = await readDbtProject(recordFiles(files), '/project', options)
  expect(failures.map(({ message, place }) => `${place?.file}:${place?.line} ${message}`)).toEqual([
    'models/a.sql:2 var "schema": the environment variable MDL_SCHEMA is not set and has no default',
  ])
})

// With dbt-core, too, each is a mistake of the project or something that only shows when SQL is made.
test.each([
  ['{{ two(1, 2, 3) }}', "models/m.sql:1 macro 'two' takes not more than 2 argument(s)"],
  ['{{ two(1, c=3) }}', "models/m.sql:1 macro 'two' takes no keyword argument 'c'"],
  ["{{ checked('b') }}", 'macros/m.sql:2 no: b'],
  ["{{ checked('a') }}", undefined],
  ["{{ adapter.dispatch('nothing')() }}", "models/m.sql:1 In dispatch: No macro named 'nothing' found"],
  ['{{ set_strict(1) }}', "models/m.sql:1 'int' object is not iterable"],
  ['{{ 1 / 0 }}', 'models/m.sql:1 division by zero'],
  ["{{ 'a' | nothing }}", 'models/m.sql:1 no filter named "nothing"'],
  ["{{ exceptions.raise_compiler_error('no') if execute }}", undefined],
  ["{{ exceptions.raise_compiler_error('no') if not execute }}", 'models/m.sql:1 no'],
  ['{{ nothing() }}{{ none.nothing }}', undefined],
  ["{{ config(post_hook='select {{ two(1, 2, 3) }}') }}", 'models/m.sql:1 a hook of "m": macro'],
])('a template that fails before anything runs is a mistake of the project: %s', async (sql, expected) => {
  const files = {
    'dbt_project.yml': 'name: shop',
    'models/m.sql': sql,
    'macros/m.sql': `{% macro two(a, b) %}{{ a }}{% endmacro %}
{% macro checked(a) %}{% if a != 'a' %}{{ exceptions.raise_compiler_error('no: ' ~ a) }}{% endif %}{% endmacro %}`,
  }
  const { failures } = await readDbtProject(recordFiles(files), '/project', options)
  const told = failures.map(({ message, place }) => `${place?.file}:${place?.line} ${message}`)
  expect(told).toEqual(expected === undefined ? [] : [expect.stringContaining(expected)])
})

test('a node depends upon the macros that its text calls while it is parsed', async () => {
  const project = await read({
    'models/m.sql': `{{ config(pre_hook="{{ hooked() }}") }}{% if execute %}{{ late() }}{% endif %}
{{ outer(inner()) }}{{ adapter.dispatch('found')() }}{% call around() %}{{ inside() }}{% endcall %}`,
    'macros/m.sql': ['hooked', 'late', 'inner', 'deep', 'default__found', 'inside']
      .map((name) => `{% macro ${name}() %}{% endmacro %}`)
      .concat('{% macro outer(x) %}{{ deep() }}{% endmacro %}{% macro around() %}{{ caller() }}{% endmacro %}')
      .join('\n'),
  })
  const names = ['inner', 'outer', 'default__found', 'around', 'hooked']
  expect(project.nodes.get('model.shop.m')!.macros).toEqual(names.map((name) => `macro.shop.${name}`))
})

test.each([
  ['select 1 as id', false],
  ["select {{ run_query('select 1') }}", true],
  ['select {{ outer() }}', true],
  ['select {{ quiet() }}', false],
])('whether %s asks the database, as far as macros say', async (sql, expected) => {
  const project = await read({
    'models/m.sql': sql,
    'macros/m.sql': `{% macro outer() %}{{ adapter.dispatch('asking')() }}{% endmacro %}
{% macro default__asking() %}{% if execute %}{% call statement('x') %}select 1{% endcall %}{% endif %}1{% endmacro %}
{% macro quiet() %}{{ quiet() if false }}{{ dbt.type_string() }}{% endmacro %}`,
  })
  const macros = [...project.nodes.values()].flatMap((node) => node.macros)
  expect(mayCall(project, macros, 'macro.dbt.statement')).toBe(expected)
})

test('folders that are named from the root of the disk lie in the project', async () => {
  const project = await read({
    'dbt_project.yml': 'name: shop\nmodel-paths: [/project/sql]\ndocs-paths: [/project/words]\n',
    'sql/core/a.sql': 'select 1 as id',
    'sql/s.yml': 'models: [{name: a, description: "{{ doc(\'a\') }}"}]',
    'words/a.md': '{% docs a %}Words.{% enddocs %}',
  })
  expect(project.nodes.get('model.shop.a')).toMatchObject({ fqn: ['shop', 'core', 'a'], description: 'Words.' })
})

test('which docs blocks a description is made of is told as dbt does: those that it names outright', async () => {
  const description = (text: string) => JSON.stringify(text)
  const project = await read({
    'models/a.sql': 'select 1 as id',
    'models/a.md': '{% docs one %}{name}{% enddocs %}{% docs two %}2{% enddocs %}',
    'models/s.yml': `models:
  - name: a
    description: ${description(`{{ doc("one") }} and {{- doc('shop', 'two') -}}`)}
    columns:
      - {name: b, description: ${description("{{ doc('one').format(name='b') }}")}}
      - {name: c, description: ${description("{{ doc('t' ~ 'wo') }}")}}`,
  })
  const { docBlocks, columns, description: text } = project.nodes.get('model.shop.a')!
  expect(text).toBe('{name} and2')
  expect(docBlocks).toEqual(['doc.shop.one', 'doc.shop.two'])
  expect(columns.map((column) => [column.description, column.docBlocks])).toEqual([
    ['b', []],
    ['2', []],
  ])
})

test('what dbt does not know of a contract is passed over', async () => {
  const project = await read({
    'models/a.sql': "{{ config(contract={'enforce': true, 'alias_types': false}) }} select 1 as id",
  })
  expect(project.nodes.get('model.shop.a')!.config['contract']).toEqual({ enforced: false, alias_types: false })
})

test('static_analysis is a text, as in dbt', async () => {
  const project = await read({
    'dbt_project.yml': 'name: shop\nmodels: {+static_analysis: off}\n',
    'models/a.sql': 'select 1 as id',
    'models/b.sql': "{{ config(static_analysis='unsafe') }} select 1 as id",
  })
  expect(Array.from(project.nodes.values(), ({ config }) => config['static_analysis'])).toEqual(['False', 'unsafe'])
})

test("a package's test belongs to the package's own model, where the project has one of that name, too", async () => {
  const project = await read({
    'models/a.sql': 'select 1 as id',
    'dbt_packages/lib/dbt_project.yml': 'name: lib\n',
    'dbt_packages/lib/models/a.sql': "{{ config(alias='b') }} select 1 as id",
    'dbt_packages/lib/models/s.yml': 'models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]',
  })
  const found = Object.values(manifestOf(project, { generatedAt: 0 })['nodes'] as Record<string, any>)
  const { attached_node: attached, depends_on: on } = found.find((node) => node['name'] === 'unique_a_id')!
  expect([attached, on.nodes]).toEqual(['model.lib.a', ['model.shop.a']])
})

test('dbt-cloud is a mapping, as in dbt', async () => {
  const files = { 'dbt_project.yml': 'name: shop\ndbt-cloud: text\n' }
  const { failures } = await readDbtProject(recordFiles(files), '/project', options)
  expect(failures.map(({ message }) => message)).toEqual(['"dbt-cloud" must be a mapping'])
})

test('what an exposure depends on and is no call is passed over, and that is said: dbt takes it', async () => {
  const project = await read({
    'models/a.sql': 'select 1 as id',
    'models/s.yml': 'exposures: [{name: e, type: dashboard, owner: {name: x}, depends_on: [a, "ref(\'a\')"]}]',
  })
  expect(project.exposures.get('exposure.shop.e')!.dependsOn).toEqual(['model.shop.a'])
  expect(lines(project)).toEqual([expect.stringContaining('"a" is passed over')])
})

test('a materialization that is nothing, or a number, is a matter of who builds the model, as in dbt', async () => {
  const project = await read({
    'dbt_project.yml': 'name: shop\nmodels: {+materialized: null}\n',
    'models/a.sql': 'select 1 as id',
    'models/b.sql': '{{ config(materialized=123) }} select 1 as id',
  })
  expect(project.nodes.size).toBe(2)
})

test('selectors.yml may be empty, and of two selectors of a name the last one counts, as in dbt', async () => {
  const one = { 'models/a.sql': 'select 1 as id' }
  for (const text of ['', '[]']) expect((await read({ ...one, 'selectors.yml': text })).selectors.size).toBe(0)
  const twice = 'selectors: [{name: x, definition: "tag:a"}, {name: x, description: The last., definition: "tag:b"}]'
  const { selectors } = await read({ ...one, 'selectors.yml': twice })
  expect(Array.from(selectors.values(), ({ description }) => description)).toEqual(['The last.'])
})
