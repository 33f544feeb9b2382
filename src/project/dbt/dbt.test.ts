// Reading a dbt project: what is wrong is said with file, line and column; what is allowed in several spellings is one.

import { expect, test } from 'vitest'
import { Float } from '../../jinja/index.ts'
import { manifestOf, plainNames, readDbtProject, recordFiles } from './index.ts'
import { MacroTable } from './macros.ts'
import { renderSetting } from './yaml-context.ts'
import type { DbtProject } from './types.ts'

const head = 'name: shop\nversion: "1.0"\n'

async function read(files: Record<string, string>, vars: Record<string, unknown> = {}) {
  return readDbtProject(recordFiles({ 'dbt_project.yml': head, ...files }), '/project', {
    target: {
      name: 'dev',
      database: 'dev_analytics',
      catalog: 'dev_analytics',
      type: 'duckdb',
      schema: 'main',
      profile: 'p',
      threads: 1,
    },
    vars,
    env: { SET: 'x' },
    flags: { fullRefresh: false, command: 'build', storeFailures: false, empty: false },
    startedAt: Date.UTC(2024, 0, 2, 3, 4, 5),
    invocationId: 'id',
    onLog: () => {},
  })
}

const shown = ({ failures }: Awaited<ReturnType<typeof read>>) =>
  failures.map(
    ({ code, place, message }) => `${code} ${place?.file ?? ''}:${place?.line ?? ''}:${place?.column ?? ''} ${message}`,
  )

test.each<[string, Record<string, string>, string[]]>([
  [
    'an unknown ref',
    { 'models/a.sql': "select *\nfrom {{ ref('ordres') }}", 'models/orders.sql': 'select 1' },
    [
      'MODEL_INVALID models/a.sql:2:9 model "a" depends on a node named \'ordres\' which was not found; did you mean "orders"?',
    ],
  ],
  [
    'an unknown ref behind a condition',
    { 'models/a.sql': "{% if true %}\n  {{ ref('nope') }}\n{% endif %}" },
    ['MODEL_INVALID models/a.sql:2:6 model "a" depends on a node named \'nope\' which was not found'],
  ],
  [
    'white space before a template',
    { 'models/a.sql': "\n\n  {{ ref('nope') }}" },
    ['MODEL_INVALID models/a.sql:3:6 model "a" depends on a node named \'nope\' which was not found'],
  ],
  [
    'enabled as a text',
    {
      'models/s.yml': `sources: [{name: raw, tables: [{name: sales, config: {enabled: 'maybe'}}]}]
exposures: [{name: board, type: dashboard, owner: {name: Ann}, config: {enabled: 'True and False'}}]`,
    },
    [
      `PROJECT_INVALID models/s.yml:1:32 "enabled" of "sales": 'maybe' is not of type 'boolean'`,
      `PROJECT_INVALID models/s.yml:2:13 "enabled" of "board": 'True and False' is not of type 'boolean'`,
    ],
  ],
  [
    'functions that are not there, and overloads that cannot be',
    {
      'functions/f.sql': "select {{ function('g') }}(a)",
      'functions/j.js': 'return a',
      'functions/f.yml': `functions:
  - {name: f, arguments: [{name: a, data_type: int, default_value: 0}, {name: b, data_type: int}]}
  - {name: j, overloads: [{defined_in: j}, {defined_in: k}]}`,
    },
    [
      'MODEL_INVALID functions/f.sql:1:11 function "f" depends on a function named \'g\' which was not found',
      "PROJECT_INVALID functions/f.yml:2:5 Non-defaulted argument 'b' of function 'f' comes after a defaulted argument.",
      "PROJECT_INVALID functions/f.yml:3:5 Function 'j' cannot list itself in overloads (defined_in: 'j').",
      "PROJECT_INVALID functions/f.yml:3:5 Function overload 'k' (defined_in) not found.",
      'MODEL_INVALID functions/f.yml:3:5 function "j" uses JavaScript',
    ],
  ],
  [
    'a measure that is switched off, a name of two elements',
    {
      'models/a.sql': 'select 1 as id',
      'models/s.yml': `semantic_models:
  - {name: hidden, model: ref('a'), config: {enabled: false}, measures: [{name: people, agg: count}]}
  - {name: twice, model: ref('a'), dimensions: [{name: id, type: categorical}], measures: [{name: id, agg: count}]}
metrics: [{name: m, label: M, type: simple, type_params: {measure: people}}]`,
    },
    [
      `PROJECT_INVALID models/s.yml:3:5 In semantic model "twice", can't use name "id" for a measure when it was already used for a dimension`,
      'PROJECT_INVALID models/s.yml:4:11 the metric "m" reads the measure "people", which is off: The measure `people` is referenced on disabled semantic model `hidden`.',
    ],
  ],
  [
    'words of quoting and freshness that are none',
    {
      'dbt_project.yml': `${head}quoting: {databse: false, snowflake_ignore_case: true}`,
      'models/s.yml': `sources:
  - {name: a, quoting: {identifer: true}, tables: [{name: t, quoting: {column: 'yes'}}]}
  - {name: b, tables: [{name: t, freshness: {warn_after: {count: '1', period: day, filter: x}}}]}`,
    },
    [
      'PROJECT_INVALID dbt_project.yml:3:20 Additional properties are not allowed: unknown key "databse"; did you mean "database"?',
      'PROJECT_INVALID models/s.yml:2:36 unknown key "identifer"; did you mean "identifier"?',
      'PROJECT_INVALID models/s.yml:2:80 "column" must be true or false',
      'PROJECT_INVALID models/s.yml:3:92 unknown key "filter"; there are: count, period',
    ],
  ],
  [
    'a build_after that is half said, names with spaces where a flag forbids them',
    {
      'dbt_project.yml': `${head}flags: {require_source_and_semantic_model_names_without_spaces: true}`,
      'models/a.sql': 'select 1',
      'models/b.sql': 'select 1',
      'models/s.yml': `models:
  - {name: a, config: {freshness: {build_after: {period: day}}}}
  - {name: b, config: {freshness: {build_after: {count: 1, period: week, updates_on: some}}}}
sources: [{name: my shop, tables: [{name: t}, {name: u}]}]`,
    },
    [
      'MODEL_INVALID models/s.yml:2:5 model "a" is half said: `freshness.build_after` must have a value for `count` if a `period` is provided',
      'MODEL_INVALID models/s.yml:3:5 model "b" has the period "week" in freshness.build_after; it must be one of minute, hour, day',
      'MODEL_INVALID models/s.yml:3:5 model "b" has updates_on "some" in freshness.build_after; it must be all or any',
      'PROJECT_INVALID models/s.yml:4:36 Resource names cannot contain spaces: Found spaces in the name of `source.shop.my shop`',
    ],
  ],
  [
    'two that say something over the source of a package',
    {
      'dbt_packages/p/dbt_project.yml': 'name: p',
      'dbt_packages/p/models/s.yml': 'sources: [{name: raw, tables: [{name: t}]}]',
      'models/a.yml': 'sources: [{name: raw, overrides: p, database: a}]',
      'models/b.yml': 'sources: [{name: raw, overrides: p, database: b}]',
    },
    [
      'PROJECT_INVALID models/b.yml:1:11 dbt found two schema.yml entries for the same source named raw in package p: here and in models/a.yml:1',
    ],
  ],
  [
    'two fixtures of one name, names of metrics',
    {
      'models/a.sql': 'select 1 as id',
      'models/u.yml': `unit_tests: [{name: u, model: a, given: [], expect: {rows: []}}]
metrics: [{name: a b, label: A, type: simple}, {name: 1a, label: A, type: simple}]`,
      'tests/fixtures/x/f.csv': 'id',
      'tests/fixtures/y/f.csv': 'id',
    },
    [
      "PROJECT_INVALID models/u.yml:2:18 The metric name 'a b' is invalid.  It cannot contain spaces",
      "PROJECT_INVALID models/u.yml:2:55 The metric name '1a' is invalid.  It must begin with a letter",
      'PROJECT_INVALID tests/fixtures/y/f.csv:: dbt found two fixtures with the name "f.csv": here and in tests/fixtures/x/f.csv',
    ],
  ],
  [
    'an unknown source',
    {
      'models/a.sql': "{{ source('raw', 'sale') }}",
      'models/s.yml': 'sources:\n  - name: raw\n    tables: [{name: sales}]',
    },
    [
      'MODEL_INVALID models/a.sql:1:4 model "a" depends on a source named \'raw.sale\' which was not found; did you mean "sales"?',
    ],
  ],
  [
    'a missing var in YAML',
    { 'models/a.yml': 'sources: [{name: s, schema: "{{ var(\'day\') }}"}]' },
    ["TEMPLATE_FAILED models/a.yml:1:29 Required var 'day' not found in config"],
  ],
  [
    'a missing environment variable',
    { 'models/a.sql': "select {{ env_var('NOPE') }}" },
    ['TEMPLATE_FAILED models/a.sql:1:11 the environment variable NOPE is not set and has no default'],
  ],
  [
    'a secret in SQL',
    { 'models/a.sql': "select {{ env_var('DBT_ENV_SECRET_KEY', 'x') }}" },
    [
      'TEMPLATE_FAILED models/a.sql:1:11 the environment variable DBT_ENV_SECRET_KEY is secret and may not be read here',
    ],
  ],
  [
    'a broken template',
    { 'models/a.sql': 'select\n  {{ ref("b" }}' },
    ['TEMPLATE_INVALID models/a.sql:2:9 this "(" is never closed: "}" of line 2 stands where ")" should'],
  ],
  [
    'a broken macro and a broken model at once',
    { 'macros/m.sql': '{% macro a() %}{{ }}{% endmacro %}', 'models/a.sql': '{% if %}' },
    [
      'TEMPLATE_INVALID macros/m.sql:1:19 an expression is expected, got "end of print statement"',
      'TEMPLATE_INVALID models/a.sql:1:7 an expression is expected, got "end of statement block"',
    ],
  ],
  [
    'an error raised by the project',
    {
      'models/a.sql': "{{ config(materialized='table') }}\n{{ check(1) }}",
      'macros/m.sql': '{% macro check(x) %}\n{{ exceptions.raise_compiler_error("x is " ~ x) }}{% endmacro %}',
    },
    ['TEMPLATE_FAILED macros/m.sql:2:15 x is 1'],
  ],
  [
    'two macros of one name',
    { 'macros/a.sql': '{% macro m() %}{% endmacro %}', 'macros/b.sql': '\n{% macro m() %}{% endmacro %}' },
    ['PROJECT_INVALID macros/b.sql:2:1 dbt found multiple macros named "m" in the project: here and in macros/a.sql:1'],
  ],
  [
    'two models of one name',
    { 'models/a.sql': 'select 1', 'models/x/a.sql': 'select 2' },
    ['PROJECT_INVALID models/x/a.sql:1:1 dbt found two models with the name "a": here and in models/a.sql'],
  ],
  [
    'arguments beside the name',
    {
      'models/a.sql': 'select 1',
      'models/s.yml':
        'models:\n  - name: a\n    columns:\n      - name: id\n        tests:\n          - accepted_values:\n            values: [1]',
    },
    [
      'PROJECT_INVALID models/s.yml:6:13 a test has one name, this entry has 2 keys (accepted_values, values); are its arguments indented below its name?',
    ],
  ],
  [
    'arguments that the macro of a test does not take, unless it asks for kwargs; dbt does not look at those of unique',
    {
      'models/a.sql': 'select 1 as id',
      'macros/t.sql': `{% test none(model, column_name) %}select 1{% endtest %}
{% test asks(model, column_name) %}select '{{ kwargs.foo }}'{% endtest %}
{% test sets(model, column_name) %}{{ config(tags='x') }}select 1{% endtest %}
{% test whole(model) %}select 1{% endtest %}`,
      'models/s.yml': `models:
  - name: a
    columns:
      - name: id
        tests:
          - none: {arguments: {foo: 1}}
          - asks: {arguments: {foo: 1}}
          - sets: {arguments: {foo: 1}}
          - unique: {arguments: {foo: 1}}
          - whole`,
    },
    [
      "TEMPLATE_FAILED models/s.yml:6:13 macro 'test_none' takes no keyword argument 'foo'",
      "TEMPLATE_FAILED models/s.yml:8:13 macro 'test_sets' takes no keyword argument 'foo'",
      "TEMPLATE_FAILED models/s.yml:10:13 macro 'test_whole' takes no keyword argument 'column_name'",
    ],
  ],
  [
    'texts, mappings and lists that are none, or are not there; dbt looks at the kind of each',
    {
      'models/a.sql': 'select 1 as id',
      'models/b.sql': "{{ config(contract=true, persist_docs=true, docs={'show': 'yes'}) }} select 1 as id",
      'models/c.sql': "{{ config(grants=['x'], full_refresh='no') }} select 1 as id",
      'models/s.yml': `models:
  - name: a
    description:
    meta:
    columns:
      - {name: id, description: 1, data_type: 2, quote: x, tests: [unique: ]}
      - {name: other, data_type: null, tests: ~}
  - {name: c, latest_version: 3, deprecation_date: tomorrow}
seeds: [{name: s, columns: ~}]`,
    },
    [
      'MODEL_INVALID models/b.sql:1:1 model "b" has a contract that is no mapping: {enforced: true}',
      'MODEL_INVALID models/b.sql:1:1 model "b" has persist_docs that are no mapping: {relation: true, columns: true}',
      'MODEL_INVALID models/b.sql:1:1 model "b" has docs without a mapping in which show is true or false',
      'PROJECT_INVALID models/s.yml:3:17 "description" must be text, and has no value',
      'PROJECT_INVALID models/s.yml:4:10 "meta" has no value',
      'PROJECT_INVALID models/s.yml:6:33 "description" must be text',
      'PROJECT_INVALID models/s.yml:6:47 "data_type" must be text',
      'PROJECT_INVALID models/s.yml:6:57 "quote" must be true or false',
      'PROJECT_INVALID models/s.yml:6:68 the arguments of the test "unique" must be a mapping',
      'PROJECT_INVALID models/s.yml:7:47 "tests" has no value',
      'MODEL_INVALID models/s.yml:8:5 model "c" has grants that are no mapping',
      'MODEL_INVALID models/s.yml:8:5 model "c" has a full_refresh that is not true or false',
      'PROJECT_INVALID models/s.yml:8:31 "latest_version" is 3, which is no version of "c"',
      'PROJECT_INVALID models/s.yml:8:52 "deprecation_date" is "tomorrow", which is no date',
      'PROJECT_INVALID models/s.yml:9:28 "columns" has no value',
    ],
  ],
  [
    'a list that is none',
    { 'models/s.yml': 'models:\n  a: 1' },
    ["PROJECT_INVALID models/s.yml:2:3 The schema file is invalid because the value of 'models' is not a list"],
  ],
  [
    'lists without entries; tests may be such a one, as in dbt',
    { 'models/s.yml': 'models:\nexposures: ~\ndata_tests:\n' },
    [
      "PROJECT_INVALID models/s.yml:1:8 The schema file is invalid because the value of 'models' is not a list",
      "PROJECT_INVALID models/s.yml:2:12 The schema file is invalid because the value of 'exposures' is not a list",
    ],
  ],
  [
    'a model without a name',
    { 'models/s.yml': 'models:\n  - description: x' },
    ['PROJECT_INVALID models/s.yml:2:5 "name" is missing'],
  ],
  [
    'broken YAML',
    { 'models/s.yml': 'models:\n  - name: "a' },
    ['PROJECT_INVALID models/s.yml:2:13 Missing closing "quote'],
  ],
  [
    'a model described twice',
    { 'models/a.sql': 'select 1', 'models/s.yml': 'models: [{name: a}]', 'models/t.yml': 'models:\n  - name: a' },
    ['PROJECT_INVALID models/t.yml:2:5 "a" is already described in models/s.yml:1'],
  ],
  [
    'keys that nobody knows, where dbt takes no others',
    {
      'dbt_project.yml': `${head}modles: {}\n`,
      'models/a.sql': 'select 1',
      'models/s.yml': `sources: [{name: s, catalog: c, tables: [{name: t, anything: 1}]}]
groups: [{name: g, owner: {name: Ann}, onwer: x}]
models: [{name: a, anything: 1}]`,
    },
    [
      'PROJECT_INVALID dbt_project.yml:3:9 Additional properties are not allowed: unknown key "modles"; did you mean "models"?',
      'PROJECT_INVALID models/s.yml:1:30 unknown key "catalog"; there are: name, config, database, schema, description, freshness, loaded_at_field, loaded_at_query, loader, meta, overrides, quoting, tables, tags',
      'PROJECT_INVALID models/s.yml:2:47 unknown key "onwer"; did you mean "owner"?',
    ],
  ],
  [
    'a docs block that is not there',
    { 'models/a.sql': 'select 1', 'models/s.yml': 'models:\n  - name: a\n    description: "{{ doc(\'x\') }}"' },
    ['PROJECT_INVALID models/s.yml:2:5 there is no docs block "x"'],
  ],
  [
    'a ref to what is switched off',
    { 'models/a.sql': '{{ config(enabled=false) }}', 'models/b.sql': "{{ ref('a') }}" },
    ['MODEL_INVALID models/b.sql:1:4 model "b" depends on a node named \'a\' which is disabled (enabled: false)'],
  ],
  [
    'a broken dbt_project.yml',
    { 'dbt_project.yml': "name: 1x\nmodels: 5\nvars: []\nversion: '1'" },
    [
      'PROJECT_INVALID dbt_project.yml:1:7 "name" is "1x"; letters, digits and underscores are allowed',
      'PROJECT_INVALID dbt_project.yml:2:9 "models" must be a mapping',
      'PROJECT_INVALID dbt_project.yml:3:7 "vars" must be a mapping',
      'PROJECT_INVALID dbt_project.yml:4:10 "version" is "1"; it has two or three numbers: "1.0" or "1.0.0"',
    ],
  ],
  [
    'a colour that browsers do not know',
    { 'models/a.sql': "{{ config(docs={'node_color': '#12'}) }} select 1" },
    ['MODEL_INVALID models/a.sql:1:1 model "a" has an invalid color name for docs.node_color: #12. It is neither'],
  ],
  [
    'enabled as a text',
    { 'models/a.sql': 'select 1', 'models/p.yml': 'models:\n  - name: a\n    config: {enabled: True and False}' },
    ['PROJECT_INVALID models/p.yml:2:5 "enabled" of "a": \'True and False\' is not of type \'boolean\''],
  ],
  [
    'several switched off, all switched on',
    {
      'models/x/a.sql': '{{ config(enabled=false) }} select 1',
      'models/y/a.sql': '{{ config(enabled=false) }} select 1',
      'models/p.yml': 'models:\n  - name: a\n    config: {enabled: true}',
    },
    ["PROJECT_INVALID models/p.yml:2:5 Found 2 matching disabled nodes for model 'a'"],
  ],
])('%s', async (_, files, expected) => {
  const lines = shown(await read(files))
  expect(lines.map((line, index) => line.slice(0, expected[index]?.length))).toEqual(expected)
})

test('no dbt_project.yml', async () => {
  const { failures } = await readDbtProject(recordFiles({}), '/x', (await read({})).project.options)
  expect(failures.map(({ code }) => code)).toEqual(['PROJECT_NOT_FOUND'])
})

const configOf = (project: DbtProject, id: string) => project.nodes.get(id)!.config

test('config: the nearer wins, tags add up, meta merges, + and no + are the same', async () => {
  const { project, failures } = await read({
    'dbt_project.yml': `${head}models:
  +tags: all
  shop:
    materialized: table
    +meta: {a: 1, b: 1}
    marts:
      +materialized: view
      tags: [mart]
      +persist_docs: {relation: true}
      sub: {+enabled: "{{ target.name == 'dev' }}"}
`,
    'models/marts/a.sql': "{{ config(tags='file', meta={'b': 3, 'c': 3}) }}{{ config(alias='x') }} select 1",
    'models/marts/sub/b.sql': 'select 1',
    'models/c.sql': 'select 1',
    'models/p.yml': 'models:\n  - name: a\n    config: {meta: {b: 2}, materialized: incremental, tags: [yaml]}',
  })
  expect(failures).toEqual([])
  expect(configOf(project, 'model.shop.a')).toMatchObject({
    materialized: 'incremental',
    tags: ['all', 'mart', 'yaml', 'file'],
    meta: { a: 1, b: 3, c: 3 },
    alias: 'x',
    persist_docs: { relation: true },
  })
  expect(configOf(project, 'model.shop.b')).toMatchObject({ materialized: 'view', enabled: true })
  expect(configOf(project, 'model.shop.c')).toMatchObject({
    materialized: 'table',
    tags: ['all'],
    meta: { a: 1, b: 1 },
  })
})

test('arguments that YAML gives a macro otherwise than it has them are told', async () => {
  const { project } = await read({
    'macros/m.sql': '{% macro m(a, b=1) %}{% endmacro %}{% macro generate_schema_name(c, n) %}{{ c }}{% endmacro %}',
    'macros/m.yml':
      'macros: [{name: m, arguments: [{name: a, type: "dict[str, list[int]]"}, {name: c, type: "int[int]"}]}]',
  })
  expect(project.warnings.map(({ message, event }) => [event?.name, message])).toEqual([
    ['InvalidMacroAnnotation', 'Argument c in yaml for macro m does not match the jinja definition.'],
    ['InvalidMacroAnnotation', 'Argument c in the yaml for macro m has an invalid type.'],
  ])
})

test('a name that a macro makes of a variable that is not there is a mistake', async () => {
  const { failures } = await read({
    'macros/s.sql': "{% macro generate_schema_name(custom, node) %}{{ var('base') }}{% endmacro %}",
    'models/a.sql': 'select 1',
  })
  expect(failures.map(({ message }) => message)).toEqual(["Required var 'base' not found in config"])
})

test('a seed may have the name of a model whose table is another, and is what ref means', async () => {
  const files = {
    'models/a.sql': "{{ config(alias='b') }} select 1",
    'seeds/a.csv': 'id\n1',
    'models/c.sql': "select * from {{ ref('a') }}",
  }
  const { project, failures } = await read(files)
  expect(failures).toEqual([])
  expect(project.nodes.get('model.shop.c')!.dependsOn).toEqual(['seed.shop.a'])
  expect(project.warnings.map(({ event }) => event?.name)).toEqual(['DuplicateNameDistinctNodeTypesDeprecation'])
  const strict = `${head}flags: {require_unique_project_resource_names: true}`
  expect(shown(await read({ ...files, 'dbt_project.yml': strict }))).toEqual([
    'PROJECT_INVALID seeds/a.csv:1:1 seed and model share the name "a": the other one is models/a.sql',
  ])
})

test('a version that says nothing of tests has those of the model', async () => {
  const { project } = await read({
    'models/a_v1.sql': 'select 1 as id',
    'models/a_v2.sql': 'select 1 as id',
    'models/a.yml': `models:
  - name: a
    tests: [{unique: {column_name: id}}]
    versions: [{v: 1, tests: }, {v: 2, tests: []}]`,
  })
  expect([...project.nodes.values()].flatMap(({ kind, name }) => (kind === 'test' ? [name] : []))).toEqual([
    'unique_a_v1_id',
  ])
})

test("versions of a package's model are not those of the project's own", async () => {
  const { project, failures } = await read({
    'models/a.sql': 'select 1',
    'dbt_packages/dep/dbt_project.yml': 'name: dep',
    'dbt_packages/dep/models/a.sql': "{{ config(alias='of_dep') }} select 1",
    'dbt_packages/dep/models/a.yml': 'models: [{name: a, versions: [{v: 1}]}]',
  })
  expect(failures).toEqual([])
  expect([...project.nodes.keys()].sort()).toEqual(['model.dep.a.v1', 'model.shop.a'])
})

test.each([
  [false, ['source.shop.raw.t', 'model.shop.a']],
  [true, ['source.dep.raw.t', 'model.dep.a']],
])(
  "what a package's model names is looked for in the project first, unless the flag is %s",
  async (isPackageFirst, found) => {
    const sources = 'sources: [{name: raw, tables: [{name: t}]}]'
    const { project, failures } = await read({
      'dbt_project.yml': `name: shop\nflags: {require_ref_searches_node_package_before_root: ${isPackageFirst}}`,
      'models/a.sql': "{{ config(alias='own') }} select 1",
      'models/s.yml': sources,
      'dbt_packages/dep/dbt_project.yml': 'name: dep',
      'dbt_packages/dep/models/a.sql': 'select 2',
      'dbt_packages/dep/models/b.sql': "select * from {{ ref('a') }}, {{ source('raw', 't') }}",
      'dbt_packages/dep/models/s.yml': sources,
    })
    expect(failures).toEqual([])
    expect(project.nodes.get('model.dep.b')!.dependsOn).toEqual(found)
    const warned = project.warnings.some(({ event }) => event?.name === 'PackageNodeDependsOnRootProjectNode')
    expect(warned).toBe(!isPackageFirst)
  },
)

test("the project's own hooks of a run go before those of its packages", async () => {
  const hook = (name: string) => `name: ${name}\nversion: 1.0.0\non-run-start: select 1\n`
  const { project } = await read({
    'dbt_project.yml': hook('shop'),
    'dbt_packages/b/dbt_project.yml': hook('b'),
    'dbt_packages/a/dbt_project.yml': hook('a'),
  })
  expect(Array.from(project.operations.values(), (each) => each.package)).toEqual(['shop', 'a', 'b'])
})

test('quotes of a source are those of the project where it says nothing; tests are of the group of what they test', async () => {
  const { project, failures } = await read({
    'dbt_project.yml': 'name: shop\nquoting: {database: false}',
    'models/a.sql': "{{ config(group='g') }} select 1 as id",
    'models/s.yml': `groups: [{name: g, owner: {name: o}}]
models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]
sources: [{name: raw, quoting: {identifier: false}, tables: [{name: t, columns: [{name: id, data_tests: [unique]}]}]}]`,
  })
  expect(failures).toEqual([])
  expect(project.sources.get('source.shop.raw.t')!.quoting).toEqual({
    database: false,
    schema: true,
    identifier: false,
  })
  const tests = [...project.nodes.values()].filter(({ kind }) => kind === 'test')
  expect(tests.map(({ name, group }) => [name, group])).toEqual([
    ['source_unique_raw_t_id', undefined],
    ['unique_a_id', 'g'],
  ])
})

test('an operation is looked for in the project, then in packages, then in dbt', async () => {
  const { project } = await read({
    'macros/m.sql': '{% macro both() %}{% endmacro %}',
    'dbt_packages/dep/dbt_project.yml': 'name: dep',
    'dbt_packages/dep/macros/m.sql': '{% macro both() %}{% endmacro %}{% macro theirs() %}{% endmacro %}',
  })
  const table = new MacroTable(project)
  expect(['both', 'theirs', 'type_string', 'none'].map((name) => table.findAnywhere(name)?.package)).toEqual([
    'shop',
    'dep',
    'dbt',
    undefined,
  ])
})

test('what a config is written as stands beside what it comes to', async () => {
  const { project } = await read({
    'models/a.sql':
      "{{ config(materialized=env_var('AS', 'view'), tags=[target.name, 'x'], enabled=not false, alias='b') }} select 1",
    'models/p.yml': 'models:\n  - name: a\n    meta: {by: "{{ target.name }}"}\n    config: {group: "{{ none }}"}',
  })
  expect(configOf(project, 'model.shop.a')).toMatchObject({ materialized: 'view', tags: ['dev', 'x'], alias: 'b' })
  expect(project.nodes.get('model.shop.a')!.unrenderedConfig).toEqual({
    materialized: "env_var('AS', 'view')",
    tags: "[target.name, 'x']",
    enabled: 'not False',
    alias: 'b',
    meta: { by: 'dev' },
    group: '{{ none }}',
  })
})

test.each([
  ['materialized="table", enabled=True, tags=["a"]', { materialized: 'table', enabled: true, tags: ['a'] }],
  ['enabled=true', { enabled: 'True' }],
  ["meta={'a': 1}", { meta: "{'a': 1}" }],
  ["tags=['a'], pre_hook='select 1'", { tags: "['a']", pre_hook: 'select 1' }],
  [
    "enabled=var('on', true) | as_bool",
    {
      enabled:
        "Filter(node=Call(node=Name(name='var', ctx='load'), args=[Const(value='on'), Const(value=True)], kwargs=[], dyn_args=None, dyn_kwargs=None), name='as_bool', args=[], kwargs=[], dyn_args=None, dyn_kwargs=None)",
    },
  ],
  [
    "alias='b' if 1 + 2 > 1 and target.name is not none else 'c'",
    {
      alias:
        "CondExpr(test=And(left=Compare(expr=Add(left=Const(value=1), right=Const(value=2)), ops=[Operand(op='gt', expr=Const(value=1))]), right=Not(node=Test(node=Getattr(node=Name(name='target', ctx='load'), attr='name', ctx='load'), name='none', args=[], kwargs=[], dyn_args=None, dyn_kwargs=None))), expr1=Const(value='b'), expr2=Const(value='c'))",
    },
  ],
])('config(%s) is kept as dbt keeps it', async (config, kept) => {
  const { project } = await read({ 'models/a.sql': `{{ config(${config}) }} select 1 from {{ ref('b') }}` })
  expect(project.nodes.get('model.shop.a')!.unrenderedConfig).toEqual(kept)
})

test('a float without a fraction in a config is a float', async () => {
  const { project } = await read({ 'models/a.sql': "{{ config(meta={'rate': 2.0, 'n': 2}) }} select 1" })
  expect(configOf(project, 'model.shop.a')['meta']).toEqual({ rate: new Float(2), n: 2 })
})

test('what dbt renders to know it is kept as it is written', async () => {
  const { project } = await read({
    'models/a.sql': '{{- config(enabled=True) -}} select 1',
    'models/b.sql': '{{ config(enabled=True) }} select {{ var("x", 1) }}',
    'tests/c.sql': '{{ config(enabled=True) }} select 1 where false',
    'models/d.sql': '{{ config({"enabled": true}) }} select 1',
  })
  const kept = (id: string) => project.nodes.get(id)!.unrenderedConfig['enabled']
  expect(['model.shop.a', 'model.shop.b', 'test.shop.c', 'model.shop.d'].map(kept)).toEqual([
    'True',
    'True',
    'True',
    true,
  ])
})

test('macros that hooks of a seed call are those of the node, those that arguments of a test call are not', async () => {
  const { project } = await read({
    'models/a.sql': 'select 1 as id',
    'models/b.sql': "select {{ dbt.date_trunc('day', dbt.current_timestamp()) }}",
    'seeds/s.csv': 'id\n1\n',
    'macros/m.sql': '{% macro limit() %}1{% endmacro %}{% test below(model, most) %}select 1{% endtest %}',
    'models/p.yml': `
models: [{name: a, data_tests: [{below: {arguments: {most: "{{ limit() }}"}}}]}]
seeds: [{name: s, config: {post_hook: "select {{ limit() }}"}}]`,
  })
  const test = [...project.nodes.values()].find(({ kind }) => kind === 'test')!
  expect(test.macros).toEqual(['macro.shop.test_below', 'macro.dbt.get_where_subquery'])
  const { nodes } = manifestOf(project, { generatedAt: 0 }) as { nodes: Record<string, unknown> }
  expect(nodes['seed.shop.s']).toMatchObject({ depends_on: { macros: ['macro.shop.limit'] } })
  // In the order in which they run.
  expect(nodes['model.shop.b']).toMatchObject({
    depends_on: { macros: ['macro.dbt.current_timestamp', 'macro.dbt.date_trunc'] },
  })
})

test('a snapshot of a package may be described by the project; a model that its package describes may not be', async () => {
  const files = {
    'packages.yml': 'packages: [{local: dbt_packages/dep}]',
    'dbt_packages/dep/dbt_project.yml': 'name: dep',
    'dbt_packages/dep/models/a.sql': 'select 1 as id',
    'dbt_packages/dep/models/a.yml': 'models: [{name: a, description: of dep}]',
    'dbt_packages/dep/snapshots/s.sql':
      "{% snapshot s %}{{ config(strategy='check', unique_key='id', check_cols=['id']) }}select 1 as id{% endsnapshot %}",
    'models/p.yml': 'snapshots: [{name: s, description: of shop}]',
  }
  const { project, failures } = await read(files)
  expect(failures).toEqual([])
  expect(project.nodes.get('snapshot.dep.s')!.description).toBe('of shop')
  const again = await read({ ...files, 'models/q.yml': 'models: [{name: a, columns: [{name: id, tests: [unique]}]}]' })
  expect(again.failures.map(({ message, place }) => `${place?.file} ${message}`)).toEqual([
    'models/q.yml "a" is already described in dbt_packages/dep/models/a.yml:1',
  ])
})

test('old ways are told under the names that dbt has for them', async () => {
  const { project } = await read({
    'dbt_project.yml': `${head}flags: {require_generic_test_arguments_property: false}`,
    'macros/m.sql':
      '{% macro generate_schema_name(custom, node) %}{{ return(none) }}{% endmacro %}{% test odd(model, arguments) %}select 1{% endtest %}',
    'models/a.sql': 'select 1 as id',
    'models/p.yml': `
models: [{name: a, data_tests: [{odd: {arguments: {x: 1}}}]}]
exposures: [{name: "my board!", type: dashboard, owner: {name: ana}}]`,
  })
  expect(new Set(project.warnings.map(({ event }) => event?.name))).toEqual(
    new Set([
      'ArgumentsPropertyInGenericTestDeprecation',
      'ExposureNameDeprecation',
      'GenerateSchemaNameNullValueDeprecation',
    ]),
  )
})

test('lists in the config of a version add to those of the model; what is written beside what it comes to has both', async () => {
  const { project } = await read({
    'models/a_v1.sql': 'select 1',
    'models/b.sql': 'select 1',
    'models/p.yml': `
models:
  - name: a
    config: {tags: [base], meta: {of: [1]}}
    versions: [{v: 1, config: {tags: [one], meta: {of: [2]}}}]
  - name: b
    config: {tags: ["{{ target.name }}"], unique_key: [x, y]}`,
  })
  expect(configOf(project, 'model.shop.a.v1')).toMatchObject({ tags: ['one', 'base'], meta: { of: [2, 1] } })
  expect(project.nodes.get('model.shop.a.v1')!.unrenderedConfig).toEqual({
    tags: ['one', 'one', 'base'],
    meta: { of: [2, 2, 1] },
  })
  expect(project.nodes.get('model.shop.b')!.unrenderedConfig).toEqual({
    tags: ['{{ target.name }}', 'dev'],
    unique_key: ['x', 'y', 'x', 'y'],
  })
})

test('grants add to what stands above a file, however many configs it has', async () => {
  const { project } = await read({
    'dbt_project.yml': `${head}models: {+grants: {select: [bi]}}\n`,
    'models/a.sql': "{{ config(grants={'+select': 'eve'}) }}{{ config(grants={'+select': ['bob']}) }} select 1",
    'models/b.sql': "{{ config(grants={'select': ['eve']}) }} select 1",
  })
  expect(configOf(project, 'model.shop.a')['grants']).toEqual({ select: ['bi', 'eve', 'bob'] })
  expect(configOf(project, 'model.shop.b')['grants']).toEqual({ select: ['eve'] })
})

test('vars.yml takes the place of vars, and dbt_project.yml may use it; not both', async () => {
  const files = {
    'dbt_project.yml': `${head}models: {+meta: {at: "{{ var('at') }}"}}\n`,
    'vars.yml': 'vars: {at: here, shop: {mine: 1}}',
    'models/a.sql': "{{ config(alias=var('at') ~ var('mine')) }} select 1",
  }
  const { project, failures } = await read(files)
  expect(failures).toEqual([])
  expect(configOf(project, 'model.shop.a')).toMatchObject({ alias: 'here1', meta: { at: 'here' } })
  const both = await read({ ...files, 'dbt_project.yml': `${files['dbt_project.yml']}vars: {a: 1}\n` })
  expect(both.failures.map(({ message }) => message)).toEqual([
    'Variables cannot be defined in both vars.yml and dbt_project.yml.',
  ])
})

test('a schema that a macro makes none of is main, or a mistake when the flag says so', async () => {
  const files = {
    'macros/m.sql': '{% macro generate_schema_name(name, node) %}{{ return(name) }}{% endmacro %}',
    'models/a.sql': 'select 1',
  }
  expect((await read(files)).project.nodes.get('model.shop.a')!.schema).toBe('main')
  const strict = `${head}flags: {require_valid_schema_from_generate_schema_name: true}\n`
  const { failures } = await read({ ...files, 'dbt_project.yml': strict })
  expect(failures.map(({ message }) => message)).toEqual([
    expect.stringContaining('has a schema set to None as a result of a generate_schema_name call'),
  ])
})

test('models past their time, settings that reach nothing and constraints that nobody holds are told', async () => {
  const { project } = await read({
    'dbt_project.yml': `${head}models: {shop: {+tags: [a], gone: {+tags: [b]}, off: {+enabled: false}}}\n`,
    'models/old.sql': 'select 1 as id',
    'models/off/o.sql': 'select 1',
    'models/new.sql': "select * from {{ ref('old') }}",
    'models/p.yml': `models:
  - name: old
    deprecation_date: 2001-01-01
    config: {contract: {enforced: true}}
    columns: [{name: id, data_type: int, constraints: [{type: not_null}]}]
`,
  })
  expect(project.warnings.map(({ message, event }) => `${event?.name}: ${message.split('\n').at(-1)}`)).toEqual([
    'DeprecatedModel: Model old has passed its deprecation date of 2001-01-01. This model should be disabled or removed.',
    "DeprecatedReference: While compiling 'new': Found a reference to old, which was deprecated on '2001-01-01'.",
    'UnusedResourceConfigPath: - models.shop.gone',
    expect.stringMatching(/^UnsupportedConstraintMaterialization: Constraint types are not supported for view/),
  ])
  expect(project.warnings.slice(0, 2).map(({ event }) => event?.data)).toMatchObject([
    { model_name: 'old', deprecation_date: '2001-01-01' },
    { model_name: 'new', ref_model_name: 'old', ref_model_package: 'shop' },
  ])
})

test('a macro may have its meta and docs in both places, and dispatch without a package finds those of packages', async () => {
  const { project, failures } = await read({
    'macros/m.sql': '{% macro twice() %}{% endmacro %}',
    'macros/m.yml': `macros:
  - name: twice
    meta: {a: 1, b: 1}
    docs: {show: false}
    config: {meta: {b: 2}, docs: {node_color: red}}
`,
    'dbt_packages/p/dbt_project.yml': 'name: p\nversion: 1.0.0\n',
    'dbt_packages/p/macros/t.sql': `{% test same(model) %}{{ return(adapter.dispatch('test_same')(model)) }}{% endtest %}
{% macro default__test_same(model) %}select * from {{ model }}{% endmacro %}`,
    'models/a.sql': 'select 1',
    'models/p.yml': 'models: [{name: a, tests: [p.same]}]',
  })
  expect(failures).toEqual([])
  expect(project.macros.find(({ macroName }) => macroName === 'twice')!.properties).toMatchObject({
    meta: { a: 1, b: 2 },
    docs: { show: false, node_color: 'red' },
  })
})

test('operations are named by macros too, docs and snapshots keep their line breaks', async () => {
  const { project, failures } = await read({
    'dbt_project.yml': `${head}on-run-end: [select 1]\n`,
    'macros/m.sql': `{% macro generate_alias_name(custom_alias_name=none, node=none) %}{{ node.name.split('-')[1] }}{% endmacro %}`,
    'snapshots/s.sql':
      "{% snapshot s %}\r\n{{ config(strategy='check', check_cols='all', unique_key='id') }}\r\nselect 1 as id\r\n{% endsnapshot %}\r\n",
    'models/docs.md': '{% docs one %}\r\na\r\nb\r\n{% enddocs %}\r\n{% docs two %}\r\n{{ 1 }}\r\nb{% enddocs %}\r\n',
  })
  expect(failures).toEqual([])
  expect([...project.operations.values()].map(({ alias }) => alias)).toEqual(['on'])
  expect([...project.docs.values()].filter((one) => one.package === 'shop').map(({ text }) => text)).toEqual([
    'a\r\nb',
    '1\nb',
  ])
  const { rawSql } = project.nodes.get('snapshot.shop.s')!
  expect([rawSql.match(/\r\n/g)?.length, rawSql.match(/\n/g)?.length]).toEqual([3, 3])
})

test('a setting that is needed before the project may use variables and the calendar', () => {
  const text = "t_{{ env_var('T', 'x') }}_{{ var('v') }}_{{ modules.datetime.date(2020, 1, 2) }}"
  expect(renderSetting(text, { T: 'y' }, { v: 1 })).toBe('t_y_1_2020-01-02')
  expect(() => renderSetting("{{ env_var('NONE') }}", {}, {})).toThrow(/NONE is not set/)
})

test('every spelling of a test', async () => {
  const { project, failures } = await read({
    'models/a.sql': 'select 1 as id',
    'models/b.sql': 'select 1 as id',
    'models/p.yml': `
models:
  - name: a
    data_tests:
      - relationships: {column_name: id, to: ref('b'), field: id}
      - row_count: {at_least: 1}
    columns:
      - name: id
        tests:
          - unique
          - not_null: {severity: warn}
          - not_null: {name: mine, config: {where: "id > 0", error_if: ">10"}}
          - accepted_values: {values: [1, 2], quote: false}
          - accepted_values: {arguments: {values: [3, 4.0, 08]}, tags: [x]}
          - test_name: unique
            name: other
`,
    'tests/generic/row_count.sql':
      '{% test row_count(model, at_least) %}{{ config(severity="warn") }}select count(*) from {{ model }} having count(*) < {{ at_least }}{% endtest %}',
    'tests/one.sql': "select * from {{ ref('a') }} where id < 0",
  })
  expect(failures).toEqual([])
  const tests = [...project.nodes.values()].filter(({ kind }) => kind === 'test')
  expect(
    tests.map(({ name, config, dependsOn }) => [
      name,
      config['severity'],
      config['where'] ?? '',
      dependsOn.map((id) => id.split('.').at(-1)).join(),
    ]),
  ).toEqual([
    ['unique_a_id', 'ERROR', '', 'a'],
    ['not_null_a_id', 'warn', '', 'a'],
    ['mine', 'ERROR', 'id > 0', 'a'],
    ['accepted_values_a_id__False__1__2', 'ERROR', '', 'a'],
    ['accepted_values_a_id__3__4_0__08', 'ERROR', '', 'a'],
    ['other', 'ERROR', '', 'a'],
    ['relationships_a_id__id__ref_b_', 'ERROR', '', 'b,a'],
    ['row_count_a_1', 'warn', '', 'a'],
    ['one', 'ERROR', '', 'a'],
  ])
})

test('a batch begins at a moment; a version has no deprecation date but its own; analyses lie where a flag says', async () => {
  const files = {
    'models/a.sql':
      "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='t', batch_size='day', begin='2024-01-01') }} select 1",
    'models/b_v1.sql': 'select 1',
    'models/b_v2.sql': 'select 1',
    'models/b.yml':
      'models: [{name: b, deprecation_date: 2024-01-01, versions: [{v: 1}, {v: 2, deprecation_date: 2030-01-01}]}]',
    'analyses/sub/c.sql': 'select 1',
  }
  const { project, failures } = await read(files)
  expect(failures).toEqual([])
  expect(configOf(project, 'model.shop.a')).toMatchObject({ begin: '2024-01-01T00:00:00' })
  const datesOf = ['v1', 'v2'].map((v) => project.nodes.get(`model.shop.b.${v}`)?.deprecationDate)
  expect(datesOf).toEqual([undefined, '2030-01-01'])
  expect(project.nodes.get('analysis.shop.c')).toMatchObject({
    fqn: ['shop', 'analysis', 'sub', 'c'],
    path: 'analysis/sub/c.sql',
  })
  const flag = `${head}flags: {require_corrected_analysis_fqns: true}`
  const { project: corrected } = await read({ ...files, 'dbt_project.yml': flag })
  expect(corrected.nodes.get('analysis.shop.c')).toMatchObject({ fqn: ['shop', 'sub', 'c'], path: 'sub/c.sql' })
  const { failures: wrong } = await read({ 'models/a.sql': files['models/a.sql'].replace('01-01', '02-31') })
  expect(wrong.map(({ message }) => message)).toEqual([
    `model "a" is incremental by microbatch and must provide a 'begin': a date such as 2026-01-31, not "2024-02-31"`,
  ])
})

test('null takes nothing away that dbt_project.yml says of a key that dbt knows, but for names', async () => {
  const { project, failures } = await read({
    'dbt_project.yml': `${head}models: {shop: {+unique_key: id, +schema: sc, +own: v}}
snapshots: {+strategy: check, +check_cols: all, +unique_key: id}`,
    'models/a.sql': 'select 1 as id',
    'models/b.sql': '{{ config(unique_key=none, schema=none) }} select 1 as id',
    'models/s.yml': 'models: [{name: a, config: {unique_key: null, schema: null, own: null}}]',
    'snapshots/s.yml': "snapshots: [{name: s, relation: ref('a'), config: {check_cols: null}}]",
  })
  expect(failures).toEqual([])
  expect(configOf(project, 'model.shop.a')).toMatchObject({ unique_key: 'id', own: null })
  expect(configOf(project, 'model.shop.b')).toMatchObject({ unique_key: 'id', own: 'v' })
  expect(project.nodes.get('model.shop.b')?.schema).toBe('main')
  expect(configOf(project, 'snapshot.shop.s')).toMatchObject({ check_cols: 'all' })
})

test('what YAML says of a test counts more than what its macro says of all of its kind', async () => {
  const { project } = await read({
    'tests/generic/t.sql':
      "{% test t(model) %}{{ config(severity='warn', fail_calc='sum(x)', tags='macro') }} select 1 as x{% endtest %}",
    'models/a.sql': 'select 1 as id',
    'models/s.yml': 'models: [{name: a, tests: [t, {t: {name: strict, config: {severity: error, tags: own}}}]}]',
  })
  const tests = [...project.nodes.values()].filter(({ kind }) => kind === 'test')
  expect(tests.map(({ name, tags, config }) => [name, config['severity'], config['fail_calc'], tags])).toEqual([
    ['t_a_', 'warn', 'sum(x)', ['macro']],
    ['strict', 'error', 'sum(x)', expect.arrayContaining(['own', 'macro'])],
  ])
})

test("the fingerprint of a contract is dbt's", async () => {
  const { project } = await read({
    'models/dim_v1.sql': 'select 1 as id, 2 as c',
    'models/dim_v2.sql': 'select 1 as id',
    'models/s.yml': `
models:
  - name: dim
    config: {contract: {enforced: true}, materialized: table}
    columns:
      - {name: id, data_type: int, constraints: [{type: not_null}, {type: check, expression: "id > 0", name: x}]}
      - {name: c, data_type: int}
    versions: [{v: 2, columns: [{include: all, exclude: [c]}]}, {v: 1, config: {alias: dim_old}}]`,
  })
  const manifest = manifestOf(project, { generatedAt: 0 }) as { nodes: Record<string, { contract: unknown }> }
  const sums = {
    v1: 'b955eae67f774cace34740f7bf0eb9362953d7fd874423aed8210f8b04bab07e',
    v2: '3c3567efeff1991b1b4004ab858bbc498c02d389aff002a48354033cca48e071',
  }
  for (const [version, checksum] of Object.entries(sums))
    expect(manifest.nodes[`model.shop.dim.${version}`]?.contract).toMatchObject({ enforced: true, checksum })
})

test('a manifest has what is written of tests, where sources lie, and no analyses that are switched off', async () => {
  const { project, failures } = await read({
    'dbt_project.yml': `${head}flags: {require_corrected_analysis_fqns: true}\nanalyses: {shop: {off: {+enabled: false}}}`,
    'analyses/a.sql': 'select 1',
    'analyses/off/b.sql': 'select 1',
    'models/a.sql': 'select 1 as id',
    'models/s.yml': `
models: [{name: a, columns: [{name: id, tests: [{unique: {config: {store_failures: true}}}]}]}]
sources: [{name: raw files, meta: {external_location: 'data/{name}.csv'}, tables: [{name: t}]}]`,
  })
  expect(failures).toEqual([])
  const manifest = manifestOf(project, { generatedAt: 0 }) as Record<string, Record<string, Record<string, unknown>>>
  expect(manifest['sources']!['source.shop.raw files.t']).toMatchObject({ relation_name: "'data/t.csv'" })
  expect(Object.keys(manifest['nodes']!).filter((id) => id.startsWith('analysis'))).toEqual(['analysis.shop.a'])
  const test = Object.values(manifest['nodes']!).find(({ resource_type: type }) => type === 'test')
  expect(test).toMatchObject({
    unrendered_config: { store_failures: true },
    config: { store_failures: true, store_failures_as: 'table' },
  })
  expect(test!['unrendered_config']).not.toHaveProperty('store_failures_as')
  expect(project.warnings.map(({ message }) => message)).toContain(
    'Found spaces in the name of `source.shop.raw files`',
  )
})

test('YAML is rendered with var, env_var and target; descriptions with doc', async () => {
  const { project, failures } = await read({
    'dbt_project.yml': `${head}vars: {db: other, on: false}`,
    'models/a.sql': "select * from {{ source('s', 't') }}",
    'models/d.md': '{% docs about %}\n{% raw %}All {{ about }}{% endraw %} it{{ nobody }}.\n{% enddocs %}',
    'models/p.yml': `
sources:
  - {name: s, database: "{{ var('db') }}", schema: "raw_{{ env_var('SET') }}", tables: [{name: t, identifier: "{{ target.name }}_t"}]}
models:
  - {name: a, description: "{{ doc('about') }}", config: {enabled: "{{ (not var('on')) | as_bool }}"}}
`,
  })
  expect(failures).toEqual([])
  expect(project.sources.get('source.shop.s.t')).toMatchObject({
    database: 'other',
    schema: 'raw_x',
    identifier: 'dev_t',
  })
  expect(project.nodes.get('model.shop.a')).toMatchObject({
    description: 'All {{ about }} it.',
    config: { enabled: true },
  })
})

test('YAML has the names that dbt offers everywhere; a text loses its last line break, filters of metrics stay', async () => {
  const { project, failures } = await read({
    'models/a.sql': "{{ config({'materialized': 'table', 'tags': ['x']}) }} select 1 as n",
    'models/b.sql': "{% set x = config(dict(materialized='ephemeral')) %} select 1 as n",
    'models/m.yml': `
models:
  - name: a
    config:
      enabled: "{{ (dbt_version.split('.')[0] | int) < 2 }}"
      meta:
        day: "{{ run_started_at.strftime('%Y') }}"
        expression: |
          a
            and b
        parts: "{{ fromjson('[1]')[0] }} {{ modules.re.sub('a', 'b', 'aa') }}"
    metrics:
      - name: m
        type: simple
        filter: "{{ Dimension('a__b') }} = 1"
`,
    'models/end.yml': 'models:\n  - name: b\n    description: >\n      ends with\n      the file\n\n',
    'seeds/off.csv': 'id\n1\n',
    'dbt_project.yml': `${head}seeds:\n  shop:\n    off:\n      +enabled: "{{ target.type == 'bigquery' | as_bool }}"\n`,
  })
  expect(shown({ project, failures })).toEqual([])
  expect(project.nodes.get('model.shop.a')!.config).toMatchObject({
    materialized: 'table',
    tags: ['x'],
    meta: { day: '2024', expression: 'a\n  and b', parts: '1 bb' },
  })
  expect(project.nodes.get('model.shop.b')).toMatchObject({
    config: { materialized: 'ephemeral' },
    description: 'ends with the file',
  })
  expect(project.nodes.has('seed.shop.off')).toBe(false)
})

test('while a project is read a template knows its file and what dbt_project.yml says of it', async () => {
  const { project, failures } = await read({
    'dbt_project.yml': `${head}models: {shop: {deep: {+materialized: table}}}`,
    'models/deep/silver_a.sql': `select * from {{ ref(this.name | replace('silver', 'bronze')) }}
{{ config(tags=[model.path, model.original_file_path, model.config.materialized, this.schema] + model.fqn) }}`,
    'models/bronze_a.sql': "select * from {{ ref('twice') }} join {{ ref('twice') }} using (id)",
    'models/twice.sql': 'select 1 as id',
  })
  expect(shown({ project, failures })).toEqual([])
  expect(project.nodes.get('model.shop.silver_a')).toMatchObject({
    dependsOn: ['model.shop.bronze_a'],
    tags: ['deep/silver_a.sql', 'models/deep/silver_a.sql', 'table', 'main', 'shop', 'deep', 'silver_a'],
  })
  // Each call is listed, as in dbt.
  expect(project.nodes.get('model.shop.bronze_a')!.refs.map(({ name }) => name)).toEqual(['twice', 'twice'])
})

test('the macros of a package are a dict that may be asked for what is not there', async () => {
  const { project, failures } = await read({
    'macros/m.sql': '{% macro there() %}x{% endmacro %}',
    'models/a.sql': `{{ config(tags=[context.get(project_name, {}).get('there')(), context[project_name].get('nope', 'none')]) }} select 1 as id`,
  })
  expect(shown({ project, failures })).toEqual([])
  expect(project.nodes.get('model.shop.a')!.tags).toEqual(['x', 'none'])
})

test('line breaks of another system make no other seed; what a freshness does not say is a time without a count', async () => {
  const { project } = await read({
    'seeds/unix.csv': 'id\n1\n',
    'seeds/dos.csv': 'id\r\n1\r\n',
    'models/s.yml':
      "sources: [{name: s, database: '', freshness: {warn_after: {count: 1, period: day}}, tables: [{name: t}]}]",
  })
  const checksum = (name: string) => project.nodes.get(`seed.shop.${name}`)!.checksum
  expect(checksum('dos')).toEqual(checksum('unix'))
  expect(project.sources.get('source.shop.s.t')).toMatchObject({
    database: 'dev_analytics',
    config: { freshness: { warn_after: { count: 1 }, error_after: { count: null, period: null }, filter: null } },
  })
})

test('the information schema of a relation is named, whatever of itself the relation shows', async () => {
  const { project, failures } = await read({
    'models/a.sql': `{% set all = api.Relation.create(database='d', schema='s', identifier='t') %}
{{ config(tags=[all.information_schema('COLUMNS').render(), all.without_identifier().information_schema('TABLES').render(), all.include(database=false).information_schema().render()]) }} select 1 as id`,
  })
  expect(shown({ project, failures })).toEqual([])
  expect(project.nodes.get('model.shop.a')!.config['tags']).toEqual([
    '"d".INFORMATION_SCHEMA.COLUMNS',
    '"d".INFORMATION_SCHEMA.TABLES',
    '"d".INFORMATION_SCHEMA',
  ])
})

test('texts of a data test lose their last line break', async () => {
  const { project, failures } = await read({
    'models/a.sql': 'select 1 as id',
    'models/s.yml':
      'models:\n  - name: a\n    data_tests:\n      - positive:\n          severity: |\n            warn\n          where: >\n            id > 0\n',
    'tests/generic/positive.sql': '{% test positive(model) %} select 1 {% endtest %}',
  })
  expect(shown({ project, failures })).toEqual([])
  expect([...project.nodes.values()].find(({ kind }) => kind === 'test')!.config).toMatchObject({
    severity: 'warn',
    where: 'id > 0',
  })
})

test('what a template puts into its context is there for the macros that come after', async () => {
  const { project, failures } = await read({
    'macros/m.sql': `{% macro note(x) %}{% do context.update({'noted': context.get('noted', []) + [x]}) %}{% endmacro %}
{% macro noted_ones() %}{{ return(context['noted']) }}{% endmacro %}`,
    'models/a.sql': `{% do note('u') %}{% do note('v') %}{{ config(tags=noted_ones(), meta={'n': noted | length}) }} select 1 as n`,
  })
  expect(shown({ project, failures })).toEqual([])
  expect(project.nodes.get('model.shop.a')!.config).toMatchObject({ tags: ['u', 'v'], meta: { n: 2 } })
})

test('versions of a model', async () => {
  const { project, failures } = await read({
    'models/dim_v1.sql': 'select 1',
    'models/dim_v2.sql': "select * from {{ ref('dim', v=1) }}",
    'models/reader.sql': "select * from {{ ref('dim') }}",
    'models/p.yml':
      'models:\n  - name: dim\n    latest_version: 2\n    versions: [{v: 1}, {v: 2}]\n    columns: [{name: id, tests: [unique]}]',
  })
  expect(failures).toEqual([])
  expect(project.nodes.get('model.shop.dim.v2')).toMatchObject({
    alias: 'dim_v2',
    dependsOn: ['model.shop.dim.v1'],
    fqn: ['shop', 'dim', 'v2'],
  })
  expect(project.nodes.get('model.shop.reader')!.dependsOn).toEqual(['model.shop.dim.v2'])
  expect([...project.nodes.values()].filter(({ kind }) => kind === 'test').map(({ name }) => name)).toEqual([
    'unique_dim_v1_id',
    'unique_dim_v2_id',
  ])
})

test('a plain table name orders models, unless that would make a circle', async () => {
  const { project } = await read({
    'models/a.sql': "{{ config(schema='x') }} select * from raw.sales",
    'models/b.sql': 'select * from main_x.a join "main_x"."a" using (id) -- from main.c',
    'models/c.sql': "select * from {{ ref('d') }}",
    'models/d.sql': 'select * from main.c',
  })
  expect(project.nodes.get('model.shop.b')!.dependsOn).toEqual(['model.shop.a'])
  expect(project.nodes.get('model.shop.d')!.dependsOn).toEqual([])
  expect(
    plainNames(
      "select 'from a.b' /* from a.c */ from a.d, {{ ref('x') }} left join \"q\".e.f -- join a.g\n from fn.x(1)",
    ),
  ).toEqual(['a.d', 'q.e.f'])
})

test('a microbatch model that reads nothing by its time is told', async () => {
  const warned = async (eventTime: string) => {
    const { project } = await read({
      'models/a.sql': `{{ config(${eventTime}) }}select 1 as at`,
      'models/m.sql': `{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='at', batch_size='day',
        begin='2024-01-01') }}select * from {{ ref('a') }}`,
    })
    return project.warnings.map(({ message, event }) => `${event?.name} ${message.slice(0, 24)}`)
  }
  const { project, failures } = await read({
    'models/m.sql': `{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='at', batch_size='day',
      begin=modules.datetime.datetime(2024, 1, 1)) }}select 1`,
    'models/odd.sql': `{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='at', batch_size='day',
      begin=2) }}select 1`,
  })
  expect(project.nodes.get('model.shop.m')!.config['begin']).toBe('2024-01-01T00:00:00')
  expect(failures.map(({ message }) => message)).toEqual([
    expect.stringContaining(`must provide a 'begin': a date such as 2026-01-31, not "2"`),
  ])
  expect(await warned("event_time='at'")).toEqual([])
  expect(await warned('')).toEqual(["MicrobatchModelNoEventTimeInputs The microbatch model 'm'"])
})

test('odd things are warnings', async () => {
  const { project, failures } = await read({
    'models/p.yml': 'models: [{name: gone, tests: [unique]}]\nsource: []',
    'models/t.yml': 'data_tests:\n  - unique: {where: "{{ ref(1) }}"}',
  })
  expect(failures).toEqual([])
  expect(project.warnings.map(({ message, place }) => `${place.file}:${place.line} ${message}`)).toEqual([
    'models/p.yml:2 unknown key "source"; did you mean "sources"?',
    "models/t.yml:2 Unable to parse 'data_tests' section of file 'models/t.yml': Entry did not contain a name",
    "models/p.yml:1 Did not find matching node for patch with name 'gone' in the 'models' section of file 'models/p.yml'",
  ])
})
