// Manifests of earlier versions of dbt, compared with a project that nobody has changed.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recordOf } from '../../base/record.ts'
import { manifestOf, recordFiles } from '../../project/dbt/index.ts'
import { loadProject, selectNodes, type DbtProject } from '../index.ts'
import { readState } from './state.ts'

const files = {
  'dbt_project.yml': 'name: shop\n',
  'models/a.sql': "{{ config(materialized=var('as', 'table'), tags=['x'], alias='b', enabled=true) }} select 1 as id",
  'models/s.yml': "sources: [{name: raw, schema: \"{{ var('at', 'one') }}\", tables: [{name: t}]}]",
}
const load = (vars: Record<string, unknown> = {}) =>
  loadProject('/project', { files: recordFiles(files), target: { name: 'dev', catalog: 'dev' }, startedAt: 0, vars })

const modified = (project: DbtProject, before: Record<string, unknown>): string[] =>
  selectNodes(project, {
    select: ['state:modified'],
    exclude: [],
    selector: undefined,
    indirect: undefined,
    state: {
      dir: '/state',
      manifest: () => before,
      results: () => new Map(),
      sources: () => new Map(),
      sourcesNow: () => new Map(),
    },
  }).ids

const manifest = async (): Promise<Record<string, Record<string, Record<string, unknown>>>> =>
  JSON.parse(JSON.stringify(manifestOf(await load(), { generatedAt: 0 })))

test('another value of a variable is no change, of a model or of a source', async () => {
  expect(modified(await load({ as: 'view', at: 'two' }), await manifest())).toEqual([])
})

test("what dbt 1.9 to 1.11 wrote of a config is Jinja's tree; before that a source had no texts", async () => {
  const before = await manifest()
  const entry = before['nodes']!['model.shop.a']!
  entry['unrendered_config'] = {
    materialized: "Keyword(key='materialized', value=Call(node=Name(name='var', ctx='load'), args=[]))",
    tags: "Keyword(key='tags', value=List(items=[Const(value='x')]))",
    alias: "Keyword(key='alias', value=Const(value='b'))",
    enabled: "Keyword(key='enabled', value=Const(value=True))",
  }
  Object.assign(before['sources']!['source.shop.raw.t']!, { unrendered_schema: null })
  expect(modified(await load(), before)).toEqual([])
  recordOf(entry['unrendered_config'])['alias'] = "Keyword(key='alias', value=Const(value='c'))"
  expect(modified(await load(), before)).toEqual(['model.shop.a'])
})

test('texts of manifests of before dbt 1.3 are compared, their metrics are not; what is older still is refused', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'state-'))
  const stateOfVersion = (version: number, manifest: object) => {
    const metadata = { dbt_schema_version: `https://schemas.getdbt.com/dbt/manifest/v${version}.json` }
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify({ ...manifest, metadata }))
    return readState(dir, dir)
  }
  const before = await manifest()
  const { raw_code: text, ...node } = before['nodes']!['model.shop.a']!
  before['nodes']!['model.shop.a'] = { ...node, raw_sql: text }
  expect(modified(await load(), stateOfVersion(4, before).manifest())).toEqual([])
  expect(stateOfVersion(9, { metrics: { 'metric.shop.m': {} } }).manifest()).toMatchObject({ metrics: {} })
  expect(() => stateOfVersion(3, before).manifest()).toThrow('is of schema version 3')
  rmSync(dir, { recursive: true })
})
