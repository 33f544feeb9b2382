// The reasons are dbt's own, word for word (dbt/contracts/graph/nodes.py, `same_contract`).

import { expect, test } from 'vitest'
import { readDbtProject, recordFiles } from '../../project/dbt/index.ts'
import { contractBreaks } from './contract-breaks.ts'
import { stateOf } from './state.ts'

const before: Record<string, string> = {
  'dbt_project.yml': 'name: shop\nversion: 1.0.0\n',
  'models/a.sql': "{{ config(materialized='table') }} select 1 as id, 'x' as name",
  'models/p.yml': `models:
  - name: a
    config: {contract: {enforced: true}}
    columns:
      - {name: id, data_type: int, constraints: [{type: not_null}]}
      - {name: name, data_type: varchar(10)}
`,
}
const yaml = before['models/p.yml']!

async function read(changes: Record<string, string>) {
  const files = Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, text]) => text !== ''))
  const target = { name: 'dev', database: 'd', catalog: 'c', type: 'duckdb', schema: 'main', profile: 'p', threads: 1 }
  const flags = { command: 'ls', fullRefresh: false, storeFailures: false, empty: false }
  const options = { target, vars: {}, env: {}, flags, startedAt: 0, invocationId: '0', onLog: () => {} }
  const { project, failures } = await readDbtProject(recordFiles(files), '/shop', options)
  expect(failures).toEqual([])
  return project
}

test.each<[string, Record<string, string>, string[]]>([
  ['nothing', {}, []],
  ['a longer text', { 'models/p.yml': yaml.replace('(10)', '(20)') }, []],
  ['one column more', { 'models/p.yml': `${yaml}      - {name: more, data_type: int}\n` }, []],
  [
    'no contract any more',
    { 'models/p.yml': yaml.replace('enforced: true', 'enforced: false') },
    [
      'Contract enforcement was removed: Previously, this model had an enforced contract. It is no longer configured to enforce its contract, and this is a breaking change.',
    ],
  ],
  [
    'a column less, another type, a constraint less',
    {
      'models/p.yml': yaml
        .replace(/ {6}- {name: name.*\n/, '')
        .replace('int, constraints: [{type: not_null}]', 'bigint'),
    },
    [
      'Columns were removed: \n    - name',
      'Columns with data_type changes: \n    - id (int -> bigint)',
      "Enforced column level constraints were removed: \n    - 'not_null' constraint on column id",
    ],
  ],
  [
    'a view',
    { 'models/a.sql': "select 1 as id, 'x' as name" },
    ['Materialization changed with enforced constraints: \n    - table -> view'],
  ],
  ['gone', { 'models/a.sql': '', 'models/p.yml': '' }, ["Contracted model 'model.shop.a' was deleted or renamed."]],
  [
    'disabled',
    { 'models/p.yml': yaml.replace('config: {', 'config: {enabled: false, ') },
    ["Contracted model 'model.shop.a' was disabled."],
  ],
])('%s', async (_, changes, reasons) => {
  const found = contractBreaks(await read(changes), stateOf(await read({})))
  expect(found.flatMap((one) => one.reasons)).toEqual(reasons)
})
