// Files that SQL of a project names, over the real lake.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { openWorld } from '../lake/world.ts'
import { loadProject, plan, runPlan } from './index.ts'
import { namesFiles } from './materializations/files.ts'

const principal = { id: 'system', name: 'system', role: 'system' as const }
const world = await openWorld()
afterAll(world.close)
const catalog = 'dev_analytics'

let above: string
let dir: string
beforeEach(() => {
  above = mkdtempSync(join(tmpdir(), 'dbt-files-'))
  dir = join(above, 'transform')
  put('../shared/people.csv', 'id,name\n7,Flo\n')
  put('dbt_project.yml', 'name: shop\n')
  put('data/people.csv', 'id,name\n1,Ann\n2,Bo\n')
  put('data/day=1/visits.csv', 'id,n\n1,3\n')
  put('data/day=2/visits.csv', 'id,n\n2,4\n')
  put('data/odd[1].csv', 'a\n1\n')
  put('data/odd1.csv', 'a\n2\n')
  put('data/it.json', '{"a": 1}\n{"a": 2}\n')
  put('.hidden/secret.csv', 'a\n1\n')
})
afterEach(() => rmSync(above, { recursive: true }))

function put(file: string, text: string): void {
  mkdirSync(dirname(join(dir, file)), { recursive: true })
  writeFileSync(join(dir, file), text)
}

async function build() {
  const project = await loadProject(dir, { target: { name: 'dev', catalog, schema: 'marts' } })
  const changes = await world.lake.openChanges({ catalog, principal })
  const results = await runPlan(plan(project, 'build'), { project, lake: world.lake, changes, principal })
  return { changes, results }
}

test.each([
  [
    "select * from 'data/people.csv' order by id",
    [
      [1, 'Ann'],
      [2, 'Bo'],
    ],
  ],
  // Without another name a file is called by its own, what a function reads by that of the function.
  [
    "select people.name, read_csv.n from 'data/people.csv' left join read_csv('data/day=1/visits.csv') on read_csv.id = people.id where people.id = 1",
    [['Ann', 3]],
  ],
  ["select p.name from 'data/people.csv' p where p.id = 2", [['Bo']]],
  [
    "select p.name from read_csv('data/people.csv', header = true, types = {'id': 'INT'}) as p where p.id = 2",
    [['Bo']],
  ],
  [
    "select id, n, day, filename from read_csv_auto('data/*/visits.csv', hive_partitioning = true, filename = true) order by id",
    [
      [1, 3, 1, 'data/day=1/visits.csv'],
      [2, 4, 2, 'data/day=2/visits.csv'],
    ],
  ],
  ["select count(*)::int from read_csv(['data/day=1/visits.csv', 'data/day=2/visits.csv'])", [[2]]],
  ["select a from 'data/odd*.csv' order by a", [[1], [2]]],
  ["select a from read_json('data/it.json') order by a desc", [[2], [1]]],
  ["select file from glob('data/*/visits.csv') order by 1", [['data/day=1/visits.csv'], ['data/day=2/visits.csv']]],
  [
    `select g.file, "glob".file from glob('../shared/*') g, glob('data/it.json')`,
    [['../shared/people.csv', 'data/it.json']],
  ],
  // Files that are no data, and those whose names begin with a dot, are not there.
  ["select count(*)::int from glob(['*', '.hidden/*', 'linked.csv', 'data/nobody*.csv'])", [[0]]],
  ['select {{ run_query("select count(*) from glob(\'data/*.csv\')").columns[0].values()[0] }} as n', [[3]]],
  [
    "{{ source('raw', 'people') }}",
    [
      [1, 'Ann'],
      [2, 'Bo'],
    ],
  ],
])('a model reads %s', async (select, expected) => {
  symlinkSync('/etc/hostname', join(dir, 'linked.csv'))
  put('models/it.sql', select.startsWith('{{ source') ? `select * from ${select}` : select)
  put(
    'models/s.yml',
    `sources: [{name: raw, meta: {external_location: "data/{name}.csv"}, tables: [{name: people, columns: [{name: id, data_tests: [unique]}]}]}]`,
  )
  const { changes, results } = await build()
  expect(results.map(({ status, message }) => [status, message]).filter(([status]) => status === 'error')).toEqual([])
  expect(await world.rows('select * from marts.it', { changes })).toEqual(expected)
  await changes.discard()
})

test.each([
  ["select * from '.hidden/secret.csv'", 'SQL_REFUSED'],
  ["select * from read_csv('data/../.hidden/secret.csv')", 'SQL_REFUSED'],
  ["select * from 'linked.csv'", 'SQL_REFUSED'],
  ["select * from read_csv('/etc/passwd')", 'SQL_REFUSED'],
  ["select * from read_csv('/**/*.csv')", 'SQL_REFUSED'],
  ["select * from read_csv('../../*.csv')", 'SQL_REFUSED'],
  ["select * from read_parquet('https://example.org/x.parquet')", 'SQL_REFUSED'],
  ["select * from glob('s3://bucket/*')", 'SQL_REFUSED'],
  ["select * from glob('/etc/*')", 'SQL_REFUSED'],
  ["select * from glob('../../*')", 'SQL_REFUSED'],
  ["select * from read_csv('data/people.csv', names = (select ['a']))", 'SQL_REFUSED'],
  ["select * from read_csv(getenv('HOME'))", 'SQL_REFUSED'],
  ["select * from read_csv('data/nobody.csv')", 'NOT_FOUND'],
  ["select * from read_text('data/people.csv')", 'SQL_REFUSED'],
])('refused: %s', async (select, code) => {
  symlinkSync('/etc/hostname', join(dir, 'linked.csv'))
  put('models/it.sql', `\n${select}`)
  const { changes, results } = await build()
  expect(results.map((result) => [result.status, result.code, result.place?.line])).toEqual([['error', code, 2]])
  await changes.discard()
})

test('a file is loaded again when it has changed, and only then; what it became stays for readers of a view', async () => {
  put('models/it.sql', "{{ config(materialized='view') }} select name from 'data/people.csv' order by 1")
  const versions: unknown[] = []
  for (const text of [undefined, undefined, 'id,name\n1,Cy\n']) {
    if (text !== undefined) put('data/people.csv', text)
    const { changes } = await build()
    await changes.publish()
    const [[name] = []] = await world.rows(
      "select table_name from information_schema.tables where table_schema = 'files'",
    )
    versions.push(await world.rows(`select count(*)::int from files."${String(name)}$snapshots"`))
  }
  expect(versions).toEqual([[[1]], [[1]], [[2]]])
  rmSync(join(dir, 'data/people.csv'))
  expect(await world.rows('select * from marts.it')).toEqual([['Cy']])
})

test.each([
  ["select trim('a' from 'b.csv.x'), 'from x.csv'", false],
  ["-- from 'x.csv'\nselect 1", false],
  ["select 1 from 'x.csv'", true],
])('%s names files: %s', (sql, expected) => expect(namesFiles(sql)).toBe(expected))
