import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { formatFailure } from '../../base/failure.ts'
import { parseYaml, placeIn, type Outline } from '../yaml.ts'
import { z } from 'zod'
import { Float } from '../../jinja/index.ts'
import { recordFiles } from './files.ts'
import { manifestOf } from './manifest.ts'
import { openParseCache, ParseCache, saveParseCache } from './parse-cache.ts'
import { readDbtProject } from './read.ts'
import type { Config, ProjectOptions } from './types.ts'

let count = 0
const dir = mkdtempSync(join(tmpdir(), 'boathouse-parse-'))
afterAll(() => rmSync(dir, { recursive: true }))

type Project = { files: Record<string, string>; vars: Config; env: Record<string, string>; target: string; run: number }

const optionsOf = ({ vars, env, target, run }: Project, cache?: ProjectOptions['cache']): ProjectOptions => ({
  target: { name: target, database: 'db', catalog: 'db', type: 'duckdb', schema: 'main', profile: 'p', threads: 1 },
  vars,
  env,
  flags: { command: 'parse', fullRefresh: run % 2 === 1, storeFailures: false, empty: false },
  startedAt: Date.UTC(2024 + run, 0, 1),
  invocationId: `00000000-0000-0000-0000-00000000000${run}`,
  onLog: () => {},
  ...(cache && { cache }),
})

/** Everything that reading says, as text. */
async function said(from: Project, cache?: ProjectOptions['cache']): Promise<string> {
  const logged: string[] = []
  const options = { ...optionsOf(from, cache), onLog: (...said: unknown[]) => void logged.push(said.join(' ')) }
  const { project, failures } = await readDbtProject(recordFiles(from.files), '/project', options)
  const { options: _, ...rest } = project
  const plain = (_key: string, value: unknown) =>
    value instanceof Map || value instanceof Set ? [...value] : value instanceof Float ? `float ${value}` : value
  const macros = project.macros.map(({ uniqueId, text, traces, parameters, origin, properties }) => ({
    uniqueId,
    text,
    traces,
    parameters,
    origin,
    properties,
  }))
  const manifest = failures.length === 0 ? manifestOf(project, { generatedAt: 0 }) : undefined
  return JSON.stringify({ ...rest, macros, manifest, logged, failures: failures.map(formatFailure) }, plain, 1)
}

const start: Project = {
  files: {
    'dbt_project.yml': 'name: shop\nversion: 1.0.0\nvars: {on: true, table: orders, rate: 1.0}\nmodels: {+tags: [t]}\n',
    'packages.yml': 'packages: [{local: vendor/u}]\n',
    'dbt_packages/u/dbt_project.yml': 'name: u\nversion: 1.0.0\n',
    'dbt_packages/u/macros/m.sql':
      "{% macro pick(x) %}{{ return(adapter.dispatch('pick', 'u')(x)) }}{% endmacro %}\n{% macro default__pick(x) %}{{ x }} * {{ var('rate') }}{% endmacro %}",
    'seeds/base.csv': 'id,n\n1,2\n',
    'macros/m.sql': "{% macro cents(c) %}{{ c }} / 100{% endmacro %}\n{% macro late() %}{{ cents('a') }}{% endmacro %}",
    'models/orders.sql':
      "{{ config(materialized='table', meta={'n': 1.5}) }}\nselect {{ cents('n') }} from {{ ref('base') }}",
    'models/late.sql': "select {{ late() }}, {{ u.pick('1') }} from {{ ref(var('table')) }}",
    'models/static.sql': "select {{ late() }} as n from {{ ref('orders') }} join {{ source('s', 't') }} using (n)",
    'models/p.yml':
      "version: 2\nsources: [{name: s, tables: [{name: t}]}]\nmodels:\n  - name: orders\n    description: \"{{ doc('d') }}\"\n    config: {enabled: \"{{ var('on') }}\"}\n    columns:\n      - {name: id, data_tests: [unique, {relationships: {to: ref('base'), field: id}}]}\n",
    'models/d.md': '{% docs d %}All {{ of }} it.{% enddocs %}',
  },
  vars: {},
  env: { SET: 'x' },
  target: 'dev',
  run: 0,
}

/** What may become of each file: pieces that change who calls what, what is broken, and what is on. */
const edits: Record<string, readonly (string | null)[]> = {
  'macros/m.sql': [
    start.files['macros/m.sql']!,
    "{% macro cents(c) %}{{ ref('base') }}{% endmacro %}\n{% macro late() %}{{ cents('a') }}{% endmacro %}",
    "{% macro cents(c) %}{{ config(tags=['loud']) }}{% endmacro %}\n{% macro late() %}{% if var('on') %}{{ cents('a') }}{% endif %}{% endmacro %}",
    "{% macro late() %}{{ env_var('SET') }}{% endmacro %}",
    '{% macro cents(c %}{% endmacro %}',
    "{% macro ref(x) %}{{ builtins.ref('base') }}{% endmacro %}",
    "{% macro cents(c) %}{{ config(tags=[env_var('SET'), target.name, var('on') | string]) }}{% endmacro %}\n{% macro late() %}{{ config(meta={'full': flags.FULL_REFRESH}) }}{% endmacro %}",
    "{% macro shop__pick(x) %}{{ ref('base') }}{% endmacro %}{% macro default__pick(x) %}{{ source('s', 't') }}{% endmacro %}{% macro late() %}{% endmacro %}",
  ],
  'dbt_packages/u/macros/m.sql': [
    start.files['dbt_packages/u/macros/m.sql']!,
    "{% macro pick(x) %}{{ ref('base') }}{% endmacro %}",
    null,
  ],
  'models/orders.sql': [
    start.files['models/orders.sql']!,
    "\n\n{{ config(materialized='view', enabled=var('on')) }} select 1 as id",
    "{% if target.name == 'dev' %}select * from {{ ref('base') }}{% else %}select 1 as id{% endif %}",
    "select {{ 1e999 }}, {{ -0 }} from {{ ref('base', v=-0) }}",
    'select {{ broken',
    null,
  ],
  'models/late.sql': [start.files['models/late.sql']!, "select 1 from {{ ref(env_var('SET')) }}", null],
  'models/copy.sql': [null, start.files['models/static.sql']!, '  select 1'],
  'models/p.yml': [
    start.files['models/p.yml']!,
    start.files['models/p.yml']!.replace('version: 2', '# moved\n\nversion: 2'),
    'models:\n  - &a {name: orders, columns: [{name: id, data_tests: [not_null]}]}\n  - {<<: *a, name: late}\n',
    'models:\n  - {name: orders, name: orders, tags: [x], meta: {day: 2024-01-01, far: .inf, on: yes}}\nmacros: [{name: cents, description: d}]\n',
    'models: [{name: orders, columns: [{name: id, data_tests: [{nothing: {}}]}]}]\n',
    'models:\n - {name: [\n',
    null,
  ],
  'models/d.md': [start.files['models/d.md']!, '{% docs d %}Other.{% enddocs %}', null],
  'seeds/base.csv': ['id,n\n1,2\n', 'id\n', null],
  'dbt_project.yml': [
    start.files['dbt_project.yml']!,
    'name: shop\nversion: 1.0.0\nvars: {on: false, table: "{{ ref(\'base\') }}"}\nmodels: {shop: {+enabled: true, +schema: "{{ env_var(\'SET\') }}"}}\n',
    'name: shop\nversion: 1.0.0\nvars: {table: base}\ndispatch: [{macro_namespace: u, search_order: [shop, u]}]\n',
  ],
}

const edit = fc.oneof(
  ...Object.entries(edits).map(([file, texts]) =>
    fc.constantFrom(...texts).map((text) => (project: Project): Project => {
      const { [file]: _, ...others } = project.files
      return { ...project, files: text === null ? others : { ...others, [file]: text } }
    }),
  ),
  fc.constantFrom({}, { on: false }, { table: 'base' }).map((vars) => (project: Project): Project => ({
    ...project,
    vars,
  })),
  fc.constantFrom({ SET: 'x' }, { SET: 'base' }, {}).map((env) => (project: Project): Project => ({
    ...project,
    env: env as Record<string, string>,
  })),
  fc.nat(2).map((run) => (project: Project): Project => ({ ...project, run })),
  fc.constantFrom('dev', 'prod').map((target) => (project: Project): Project => ({ ...project, target })),
)

test('reading with what was kept says what reading without it says, whatever is edited in between', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 8 }), async (changes) => {
      const cache = { file: join(dir, `${count++}.cache`), isFresh: false }
      let project = start
      await said(project, cache)
      for (const change of changes) {
        project = change(project)
        expect(await said(project, cache)).toBe(await said(project))
      }
    }),
    { numRuns: 25 },
  )
})

const named = (text: string, others: Partial<Project> = {}): Project => ({
  ...start,
  ...others,
  files: { 'dbt_project.yml': 'name: shop\n', 'macros/m.sql': macro, 'models/m.sql': text, ...others.files },
})
const macro = '{% macro of(x) %}{{ return(x) }}{% endmacro %}'
const [project, other] = ['name: shop\nvars: {x: 1}\n', 'name: shop\nvars: {x: 1.0}\n']

test.each<[asks: string, change: Partial<Project>, first?: Partial<Project>]>([
  ["env_var('SET')", { env: { SET: 'y' } }],
  ["context['env_var']('SET')", { env: { SET: 'y' } }],
  ["builtins.env_var('SET')", { env: { SET: 'y' } }],
  ["env_var('SET', 'none')", { env: {} }],
  ['target.name', { target: 'prod' }],
  ["var('x', 2)", { vars: { x: 3 } }],
  ["var('x')", { files: { 'dbt_project.yml': other } }, { files: { 'dbt_project.yml': project } }],
  ['model.config.alias', { files: { 'dbt_project.yml': 'name: shop\nmodels: {+alias: b}\n' } }],
  ["of('a')", { files: { 'macros/m.sql': '{% macro of(x) %}{{ return(5) }}{% endmacro %}' } }],
  [
    "adapter.dispatch('of')('a')",
    { files: { 'macros/m.sql': `{% macro duckdb__of(x) %}b{% endmacro %}` } },
    { files: { 'macros/m.sql': `{% macro default__of(x) %}c{% endmacro %}` } },
  ],
  ['run_started_at.year', { run: 1 }],
  ['modules.datetime.datetime.now().year', { run: 1 }],
  ['modules.datetime.date.today().year', { run: 1 }],
  ['flags.FULL_REFRESH', { run: 1 }],
  ["invocation_args_dict['full_refresh']", { run: 1 }],
  ['invocation_id', { run: 1 }],
  ['ref.config.to_profile_info()', { target: 'prod' }],
  ['dbt_metadata_envs', { env: { DBT_ENV_CUSTOM_ENV_X: 'y' } }],
  ["log('said')", {}],
  ["exceptions.warn('said')", {}],
])('a text that asks for %s is rendered again when that is another', async (asks, change, first = {}) => {
  const cache = { file: join(dir, `${count++}.cache`), isFresh: false }
  const text = `{{ config(meta={'found': of(${asks})}) }}`
  const [before, after] = [named(text, first), named(text, { ...first, ...change })]
  if (Object.keys(change).length > 0) expect(await said(after)).not.toBe(await said(before))
  for (const each of [before, after, after, before]) expect(await said(each, cache)).toBe(await said(each))
})

test('a float is one when it comes back', async () => {
  const cache = { file: join(dir, `${count++}.cache`), isFresh: false }
  const project = named("{{ config(meta={'found': of(1.0)}) }}")
  for (const each of [project, project]) expect(await said(each, cache)).toContain('float 1.0')
})

test('a file that is damaged, of another version or of somebody else is no cache', async () => {
  const file = join(dir, 'damaged.cache')
  const [right, cache] = [await said(start), { file, isFresh: false }]
  expect(await said(start, cache)).toBe(right)
  const written = readFileSync(file)
  const foreign = [
    Buffer.alloc(0),
    written.subarray(0, written.length / 2),
    Buffer.from(written).fill('x', 100, 101),
    Buffer.from(written.toString().replace(/^boathouse \S+/, 'boathouse 9.9.9')),
    Buffer.from('SQLite format 3'),
  ]
  for (const bytes of foreign) {
    writeFileSync(file, bytes)
    expect(await said(start, cache)).toBe(right)
    expect(readFileSync(file).equals(written), 'and is written anew').toBe(true)
  }
  expect(readdirSync(dir).filter((name) => !name.endsWith('.cache'))).toEqual([])
})

test('what is kept is used, fresh reading does not, and what cannot be written does not matter', async () => {
  const file = join(dir, 'used.cache')
  const cache = new ParseCache()
  const [made, read] = [{ list: [1, { a: undefined, b: 'ü\n' }] }, { list: [1, { b: 'ü\n' }] }]
  expect(cache.of('kind', ['a', 1], 'text', () => made)).toBe(made)
  for (const odd of [Infinity, -0, new Date(0), [undefined], undefined, 1n]) cache.of('odd', [], String(odd), () => odd)
  await saveParseCache(file, cache)
  const again = await openParseCache(file)
  const never = () => expect.unreachable()
  expect(again.of('kind', ['a', 1], 'text', never)).toEqual(read)
  expect(again.of('kind', ['a', 1], 'text', never), 'each gets a value of its own').not.toBe(
    again.of('kind', ['a', 1], 'text', never),
  )
  expect(again.lines(), 'nothing new').toBeUndefined()
  for (const [kind, where, text] of [
    ['kind', ['a', '1'], 'text'],
    ['kind', ['a'], '1text'],
    ['dnik', ['a', 1], 'text'],
  ] as const)
    expect(again.of(kind, where, text, () => 'other')).toBe('other')
  expect(again.of('odd', [], 'Infinity', () => 'made')).toBe('made')
  await saveParseCache(join(file, 'below', 'a-file'), again)
  expect(await said(start, { file: join(file, 'x'), isFresh: true })).toBe(await said(start))
})

test('a document that stands for more than any file has keeps no outline', () => {
  const many = (count: number, what: string) => Array.from({ length: count }, () => what).join(', ')
  let outline: Outline | undefined = null
  const text = `a: &x [${many(200, '1')}]\nb: [${many(600, '*x')}]\n`
  const located = parseYaml('f.yml', text, z.unknown(), { version: '1.1', onOutline: (found) => (outline = found) })
  expect([outline, located.at(['b', 1, 1]).line]).toEqual([null, 1])
})

test('an outline knows the places that the document knows', () => {
  const texts = [
    edits['models/p.yml']![0]!,
    edits['models/p.yml']![1]!,
    '',
    'a:\nb: [1, {c: x}, []]\nc: |\n  text\n"d e": \'x\'\n',
    '- - 1\n  - a: b\n',
    'a: &x {b: [1, {c: 2}], c: &y [3]}\nd: *x\nmodels:\n  - *x\n  - <<: *x\n    name: *y\n  - {columns: [*x, *y]}\n',
    'a: &x [1]\nb: &y [*x]\nc: &z [*y, *x]\nd: [*z, {name: *y}]\n',
  ]
  const step = fc.constantFrom<string | number>(
    'd',
    '<<',
    'models',
    'sources',
    'columns',
    'name',
    'a',
    'b',
    'c',
    'd e',
    'nothing',
    0,
    1,
    '1',
    7,
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.array(step, { maxLength: 6 }),
      fc.constantFrom('key', 'value'),
      (text, path, what) => {
        let outline: Outline | undefined
        const located = parseYaml('f.yml', text, z.unknown(), {
          version: '1.1',
          onOutline: (found) => (outline = found),
        })
        expect(placeIn(outline!, 'f.yml', path, what as 'key' | 'value')).toEqual(
          located.at(path, what as 'key' | 'value'),
        )
      },
    ),
    { numRuns: 500 },
  )
})
