import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { manifestOf, readDbtProject, recordFiles } from '../../project/dbt/index.ts'
import type { FreshnessResult } from '../freshness.ts'
import type { NodeResult } from '../work.ts'
import { catalogArtifact } from './catalog.ts'
import { messageOf, runResults } from './run-results.ts'
import { graphSummary } from './graph-summary.ts'
import { semanticManifest } from './semantic-manifest.ts'
import { sourcesArtifact } from './sources.ts'
import { pathInTarget, writeJson } from './write.ts'
import { ranSql } from './ran-sql.ts'

// The shapes; that dbt-core's own classes read them is tried in test/conformance/dbt-artifacts.

const options = {
  target: {
    name: 'dev',
    database: 'db',
    catalog: 'dev_shop',
    type: 'duckdb',
    schema: 'main',
    profile: 'shop',
    threads: 1,
  },
  vars: {},
  env: {},
  flags: { command: 'build', fullRefresh: false, storeFailures: false, empty: false },
  startedAt: 0,
  invocationId: 'i',
  onLog: () => {},
}

const { project, failures } = await readDbtProject(
  recordFiles({
    'dbt_project.yml': 'name: shop\nprofile: shop\n',
    'models/orders.sql': 'select 1 as id',
    'models/shop.yml':
      'models:\n  - name: orders\n    columns:\n      - name: id\n        data_tests: [not_null]\nsources:\n  - name: raw\n    tables: [{name: clicks}]\n',
    'seeds/codes.csv': 'id\n1\n',
  }),
  '/shop',
  options,
)
const invocation = { id: 'i', startedAt: 0, dbtVersion: '1.12.6', env: { DBT_ENV_CUSTOM_ENV_TEAM: 'crew', OTHER: 'x' } }
const test0 = [...project.nodes.keys()].find((id) => id.startsWith('test.'))!

const result = (more: Partial<NodeResult>): NodeResult => ({
  uniqueId: 'model.shop.orders',
  kind: 'model',
  name: 'orders',
  status: 'success',
  message: '1 rows',
  code: undefined,
  hint: undefined,
  place: undefined,
  executionMs: 1_500,
  timing: [{ name: 'compile', startedAt: 0, completedAt: 1_000 }],
  thread: 2,
  adapterResponse: { _message: 'OK' },
  rows: 1,
  failures: undefined,
  table: 'db.main.orders',
  compiledSql: 'select 1 as id',
  ...more,
})

test('run_results.json', () => {
  expect(failures).toEqual([])
  const artifact = runResults(
    project,
    [
      result({}),
      result({ uniqueId: 'seed.shop.codes', kind: 'seed', rows: 7 }),
      result({ status: 'error', code: 'TEMPLATE_FAILED', message: 'no\nname' }),
      result({ status: 'error', code: 'SQL_INVALID', message: 'no column' }),
      result({
        uniqueId: 'exposure.shop.board',
        kind: 'exposure',
        status: 'no-op',
        message: 'NO-OP',
        compiledSql: undefined,
      }),
    ],
    invocation,
    { elapsedMs: 2_000, args: { which: 'build' } },
  )
  expect(artifact).toMatchObject({
    metadata: {
      dbt_schema_version: 'https://schemas.getdbt.com/dbt/run-results/v6.json',
      invocation_id: 'i',
      env: { TEAM: 'crew' },
    },
    elapsed_time: 2,
    args: { which: 'build' },
    results: [
      {
        status: 'success',
        unique_id: 'model.shop.orders',
        thread_id: 'Thread-2 (worker)',
        execution_time: 1.5,
        message: 'OK',
        relation_name: '"db"."main"."orders"',
        compiled: true,
        compiled_code: 'select 1 as id',
        timing: [{ name: 'compile', started_at: '1970-01-01T00:00:00.000Z', completed_at: '1970-01-01T00:00:01.000Z' }],
      },
      { unique_id: 'seed.shop.codes', message: 'INSERT 7', compiled: null },
      { message: 'Compilation Error in model orders (models/orders.sql)\n  no\n  name' },
      { message: 'Runtime Error in model orders (models/orders.sql)\n  no column' },
      { unique_id: 'exposure.shop.board', message: 'NO-OP', failures: 0, compiled: null, relation_name: null },
    ],
  })
})

test.each<[Partial<NodeResult>, string | null]>([
  [{ uniqueId: test0, kind: 'test', status: 'fail', failures: 1 }, 'Got 1 result, configured to fail if != 0'],
  [{ uniqueId: test0, kind: 'test', status: 'warn', failures: 3 }, 'Got 3 results, configured to warn if != 0'],
  [{ uniqueId: test0, kind: 'test', status: 'pass', failures: 0 }, null],
  [{ status: 'error', message: 'no such column' }, 'no such column'],
  [{ adapterResponse: {} }, 'OK'],
])('the message of %o', (more, message) => expect(messageOf(project, result(more))).toBe(message))

test('catalog.json and sources.json', () => {
  const table = {
    kind: 'table' as const,
    columns: [{ name: 'id', type: 'BIGINT', comment: null }],
    rows: 3,
    bytes: 10,
    files: 1,
    updatedAt: '2026-01-01T00:00:00.000Z',
    snapshotId: '1',
  }
  const catalog = catalogArtifact(
    project,
    [
      { ...table, uniqueId: 'model.shop.orders' },
      {
        ...table,
        uniqueId: 'source.shop.raw.clicks',
        kind: 'view',
        rows: null,
        bytes: null,
        files: null,
        updatedAt: null,
        snapshotId: null,
      },
    ],
    [],
    invocation,
  )
  expect(catalog).toMatchObject({
    nodes: {
      'model.shop.orders': {
        metadata: { type: 'BASE TABLE', database: 'db', schema: 'main', name: 'orders' },
        columns: { id: { index: 1, type: 'BIGINT' } },
        stats: { num_rows: { value: 3, include: true }, has_stats: { value: true } },
      },
    },
    sources: {
      'source.shop.raw.clicks': {
        metadata: { type: 'VIEW', schema: 'raw', name: 'clicks' },
        stats: { has_stats: { value: false } },
      },
    },
    errors: null,
  })
  const looked = {
    maxLoadedAt: '2026-01-01T00:00:00.000Z',
    snapshottedAt: '2026-01-02T00:00:00.500Z',
    ageSeconds: 86_400,
  }
  const sources = sourcesArtifact(
    project,
    [
      { ...result({ uniqueId: 'source.shop.raw.clicks', kind: 'source', status: 'warn' }), freshness: looked },
      {
        ...result({ uniqueId: 'source.shop.raw.clicks', kind: 'source', status: 'runtime error', message: 'gone' }),
        freshness: undefined,
      },
    ] satisfies FreshnessResult[],
    invocation,
    1_000,
  )
  expect(sources['results']).toMatchObject([
    {
      status: 'warn',
      max_loaded_at: '2026-01-01T00:00:00+00:00',
      snapshotted_at: '2026-01-02T00:00:00.500000+00:00',
      max_loaded_at_time_ago_in_s: 86_400,
      criteria: { filter: null },
    },
    { unique_id: 'source.shop.raw.clicks', error: 'gone', status: 'runtime error' },
  ])
})

test('semantic_manifest.json of a project without metrics is empty, and has its configuration', () => {
  expect(semanticManifest(manifestOf(project, { generatedAt: 0 }))).toMatchObject({
    semantic_models: [],
    metrics: [],
    saved_queries: [],
    project_configuration: { time_spines: [] },
  })
})

test('run/ says what dbt sends: a view, a table, a table with a contract, a count of a test', () => {
  const node = project.nodes.get('model.shop.orders')!
  const plain = (text: string) => text.replace(/\s+/g, ' ').trim()
  const as = (materialized: string, more = {}) =>
    plain(ranSql(project, { ...node, ...more, config: { ...node.config, materialized } }, 'select 1 as id'))
  const name = `"${node.database}"."${node.schema}"."${node.alias}__dbt_tmp"`
  expect(as('view')).toBe(`create view ${name} as ( select 1 as id );`)
  expect(as('table')).toBe(`create table ${name} as ( select 1 as id );`)
  expect(as('incremental')).toBe('select 1 as id')
  const id = { ...node.columns[0]!, name: 'id', dataType: 'int', quote: false }
  const constraint = { name: undefined, expression: undefined, columns: [], to: undefined, toColumns: [] }
  const notNull = { ...constraint, type: 'not_null' as const, warnUnenforced: true, warnUnsupported: true }
  expect(as('table', { contract: true, columns: [{ ...id, constraints: [notNull] }] })).toBe(
    `create table ${name} ( id int not null ) ; insert into ${name} ( id ) ( select id from ( select 1 as id ) as model_subq );`,
  )
  expect(plain(ranSql(project, project.nodes.get(test0)!, 'select 1'))).toBe(
    'select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error from ( select 1 ) dbt_internal_test',
  )
})

test('files lie where dbt puts them, below the folder whatever a name says, and are there whole or not at all', () => {
  const node = project.nodes.get('model.shop.orders')!
  expect(pathInTarget('compiled', node)).toBe('compiled/shop/models/orders.sql')
  expect(pathInTarget('run', project.nodes.get(test0)!)).toBe('run/shop/models/shop.yml/not_null_orders_id.sql')
  expect(pathInTarget('compiled', { ...node, path: '../../../x.sql', fileInPackage: 'models/../../../y.yml' })).toBe(
    'compiled/shop/x.sql',
  )
  const kept = {
    ...node,
    kind: 'snapshot',
    name: 'kept',
    path: 'kept.sql',
    fileInPackage: 'snapshots/kept.sql',
  } as const
  expect(pathInTarget('compiled', kept)).toBe('compiled/shop/snapshots/kept.sql/kept.sql')
  const folder = mkdtempSync(join(tmpdir(), 'artifacts-'))
  try {
    for (const value of [1, 2, 3]) writeJson(join(folder, 'a/one.json'), { value })
    expect(readdirSync(join(folder, 'a'))).toEqual(['one.json'])
    expect(JSON.parse(readFileSync(join(folder, 'a/one.json'), 'utf8'))).toHaveProperty('value')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('graph_summary.json has the edges of the graph as numbers, those of a build by tests, too', async () => {
  const files = {
    'dbt_project.yml': 'name: shop\nprofile: shop\n',
    'models/a.sql': 'select 1 as id',
    'models/b.sql': "select * from {{ ref('a') }}",
    'models/m.yml': 'models: [{name: a, columns: [{name: id, data_tests: [not_null]}]}]',
  }
  const { project } = await readDbtProject(recordFiles(files), '/shop', { ...options, startedAt: 0 })
  const manifest = manifestOf(project, { generatedAt: 0 })
  const summary = graphSummary(manifest, project, { invocationId: 'i', isBuild: true })
  const edgesOf = (part: string) => {
    const nodes = summary[part] as Record<string, { name: string; type: string; succ?: number[] }>
    const name = (index: number) => nodes[index]!.name.split('.')[2]!
    return Object.entries(nodes)
      .map(([index, { type, succ }]) => `${type} ${name(Number(index))} → ${(succ ?? []).map(name).sort().join()}`)
      .sort()
  }
  const linked = ['model a → b,not_null_a_id', 'model b → ', 'test not_null_a_id → ']
  expect(edgesOf('linked')).toEqual(linked)
  expect(edgesOf('with_test_edges')).toEqual([...linked.slice(0, 2), 'test not_null_a_id → b'])
  const compiled = graphSummary(manifest, project, { invocationId: 'i', isBuild: false })
  expect(compiled).toEqual({ _invocation_id: 'i', linked: summary['linked'] })
})
