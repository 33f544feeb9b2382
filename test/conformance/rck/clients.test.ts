// Clients of others on the served catalog: what they make is seen by each other and by our own SQL.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { labServices } from '../storage/lab.ts'
import { serveProject, type Served } from './served.ts'

const python = process.env['PYICEBERG_PYTHON']
const here = import.meta.dirname
// An old SeaweedFS stores the trailing checksums of today's SDKs as content.
const env = { ...process.env, AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required' }
const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8', env })

const lab = await labServices('seaweedfs')
/** Where the store is, clients are told; the keys are their own. */
const stores = [
  { of: 'the local disk', lab: undefined, properties: {}, secret: [] },
  {
    of: 'SeaweedFS (skipped without the lab of services)',
    lab,
    properties: {
      's3.access-key-id': lab?.['AWS_ACCESS_KEY_ID'],
      's3.secret-access-key': lab?.['AWS_SECRET_ACCESS_KEY'],
    },
    secret: [
      `KEY_ID '${lab?.['AWS_ACCESS_KEY_ID']}', SECRET '${lab?.['AWS_SECRET_ACCESS_KEY']}', URL_STYLE 'path', USE_SSL false,
       ENDPOINT '${lab?.['LAB_S3_ENDPOINT']?.replace('http://', '')}'`,
    ],
  },
]

describe.each(stores)('over REST, tables on $of', (store) => {
  if (!python || (store.of !== 'the local disk' && !lab)) {
    const why = python ? 'no lab of services' : 'PYICEBERG_PYTHON names no Python that has it'
    test.skip(`PyIceberg and DuckDB: ${why}`, () => undefined)
    return
  }
  let served: Served
  beforeAll(async () => {
    served = await serveProject({ warehouses: [], ...(store.lab && { lab: store.lab }) })
  })
  afterAll(() => served.stop())

  test('PyIceberg creates, appends, evolves, deletes, renames, drops, purges', () => {
    const properties = JSON.stringify(store.properties)
    const printed = run(python, join(here, 'pyiceberg_rest.py'), served.uri, served.token, properties)
    expect(JSON.parse(printed)).toEqual({
      properties: { owner: 'ana', location: expect.stringContaining('/dev_analytics/') },
      exists: true,
      conflict: true,
      rows: [3, 4, 9],
      columns: ['id', 'day', 'title', 'amount'],
      snapshots: 4, // that of the overwrite's delete was never current
      staged: false,
      committed: true,
      tables: ['renamed', 'sales'],
      nested: true,
      notEmpty: true,
      dropped: true,
      odd: 1,
      views: [],
    })
  })

  test('what it wrote is read by SQL, and each of its commits is a publication', () => {
    const { rows } = served.boathouse('query', 'select id, title from raw.sales order by id', '--env', 'dev') as {
      rows: unknown[][]
    }
    expect(rows).toEqual([
      [3, 'n3'],
      [4, 'n4'],
      [9, 'n9'],
    ])
    const list = served.boathouse('publications', 'ls') as { publishedBy: string }[]
    expect(list.length).toBeGreaterThan(8)
    expect(list[0]!.publishedBy).toMatch(/^admin by /)
  })

  if (store.lab)
    test('a signature for a file of one table copies none of another, and writes its own', async () => {
      const query = (sql: string) => (served.boathouse('query', sql) as { rows: unknown[][] }).rows
      for (const name of ['mine', 'theirs']) query(`create table raw.${name} as select 1 as id`)
      const [[theirs]] = query('select file_path from raw."theirs$files"') as [[string]]
      const [[mine]] = query('select file_path from raw."mine$files"') as [[string]]
      const uri = `${store.lab!['LAB_S3_ENDPOINT']}/${mine.replace('s3://', '')}.new`
      const answer = await fetch(`${served.uri}/v1/dev/namespaces/raw/tables/mine/sign`, {
        method: 'POST',
        headers: { authorization: `Bearer ${served.token}` },
        body: JSON.stringify({ region: 'us-east-1', uri, method: 'PUT', headers: {} }),
      })
      const { headers } = (await answer.json()) as { headers: Record<string, string[]> }
      const given = Object.entries(headers).flatMap(([name, [value]]) => (name === 'host' ? [] : [[name, value!]]))
      const put = async (more: Record<string, string>) =>
        (await fetch(uri, { method: 'PUT', body: 'x', headers: { ...Object.fromEntries(given), ...more } })).status
      expect(await put({ 'x-amz-copy-source': `/${theirs.replace('s3://', '')}` })).toBe(403)
      expect(await put({})).toBe(200)
    })

  test("DuckDB's Iceberg extension creates, inserts, deletes, updates, and commits two tables as one", () => {
    const duckdb = run(join(here, '../python.sh'), 'duckdb-iceberg', join(here, 'requirements.txt')).trim()
    const rows = [1, 2, 3, 4, 5, 6].map((id) => [id, id === 1 ? 'z' : `n${id}`])
    expect(JSON.parse(run(duckdb, join(here, 'duckdb_rest.py'), served.uri, served.token, ...store.secret))).toEqual({
      rows,
      odd: [[1]],
      tables: ['a b+%#', 't'],
    })
    const ours = served.boathouse('query', 'select id, name from duck.t order by id') as { rows: unknown[][] }
    expect(ours.rows).toEqual(rows)
  })
})
