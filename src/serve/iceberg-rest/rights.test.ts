// The catalog for people who may do a part: what they are shown, and that no file of another table is theirs.

import { expect, onTestFinished, test } from 'vitest'
import { systemPrincipal, type Pattern, type Privilege } from '../../govern/index.ts'
import { tableCommitText, type LoadedTable } from '../../catalog/index.ts'
import { newTableMetadata, prepareAppend, writeTableMetadata } from '../../iceberg/index.ts'
import { filled, openWorld, schema, viewVersion } from './world.testing.ts'

const raw = '/v1/dev_analytics/namespaces/raw'
const by = { by: systemPrincipal, source: 'sql' as const }

async function opened() {
  const world = await openWorld()
  onTestFinished(() => world[Symbol.asyncDispose]())
  await filled(world)
  await world.ask('POST /v1/dev_analytics/namespaces', { body: { namespace: ['secret'] } })
  await world.ask(`POST ${raw}/tables`, { body: { name: 'other', schema } })
  const { id } = await world.govern.users.create({ name: 'mia', role: 'member' })
  const { token } = await world.govern.tokens.create(id, { name: 'mia' })
  const grant = (privileges: Privilege[], on: Pattern, columns?: string[]) =>
    world.govern.access.grant({ privileges, on, to: ['mia'], ...(columns ? { columns } : {}) }, by)
  const ask = async (line: string, body?: unknown) => {
    const answer = await world.ask(line, { as: token, ...(body === undefined ? {} : { body }) })
    return {
      status: answer.status,
      type: answer.body?.error?.type,
      message: answer.body?.error?.message,
      body: answer.body,
    }
  }
  return { world, grant, ask, token }
}

const on = (table: string) => ({ environment: '*', namespace: 'raw', table })
const setting = { requirements: [], updates: [{ action: 'set-properties', updates: { k: '1' } }] }

test('of whom nothing is granted sees nothing: what is there looks like what is not', async () => {
  const { ask } = await opened()
  expect((await ask('GET /v1/namespaces')).body.namespaces).toEqual([])
  expect((await ask('GET /v1/dev_analytics/namespaces')).body.namespaces).toEqual([])
  for (const line of [`GET ${raw}`, `GET ${raw}/tables`, `GET ${raw}/views`, `HEAD ${raw}`])
    expect((await ask(line)).status, line).toBe(404)
  const [there, not] = [await ask(`GET ${raw}/tables/t`), await ask(`GET ${raw}/tables/x`)]
  expect([there.status, there.type, there.message?.replace('raw.t', 'raw.x')]).toEqual([404, not.type, not.message])
  for (const [line, body] of [
    [`POST ${raw}/tables/t`, setting],
    [`DELETE ${raw}/tables/t`],
    [`GET ${raw}/views/v`],
    [`DELETE ${raw}/views/v`],
    [
      'POST /v1/dev_analytics/tables/rename',
      { source: { namespace: ['raw'], name: 't' }, destination: { namespace: ['raw'], name: 'u' } },
    ],
    [
      'POST /v1/dev_analytics/transactions/commit',
      { 'table-changes': [{ identifier: { namespace: ['raw'], name: 't' }, ...setting }] },
    ],
  ] as const)
    expect((await ask(line, body)).status, line).toBe(404)
  expect((await ask(`POST ${raw}/tables`, { name: 'mine', schema })).status).toBe(403)
  expect((await ask('POST /v1/dev_analytics/namespaces', { namespace: ['x'] })).status).toBe(403)
})

test('lists and loads what is granted, whole', async () => {
  const { ask, grant, world } = await opened()
  await grant(['select'], on('t'))
  expect((await ask('GET /v1/dev_analytics/namespaces')).body.namespaces).toEqual([['raw']])
  expect((await ask(`GET ${raw}/tables`)).body.identifiers).toEqual([{ namespace: ['raw'], name: 't' }])
  expect((await ask(`GET ${raw}/tables/t`)).status).toBe(200)
  expect(await ask(`POST ${raw}/tables/t`, setting)).toMatchObject({ status: 403, type: 'ForbiddenException' })
  expect((await ask(`DELETE ${raw}/tables/t`)).status).toBe(403)

  await world.govern.access.apply(
    {
      roles: [],
      groups: [],
      attributes: [],
      grants: [],
      masks: [],
      rowFilters: [{ on: on('t'), except: [], condition: 'id > 1' }],
    },
    { by: systemPrincipal, source: 'access.yml' },
  )
  expect(await ask(`GET ${raw}/tables/t`)).toMatchObject({ status: 403, message: expect.stringContaining('SQL') })
  expect((await ask(`GET ${raw}/tables/t/credentials`)).status).toBe(403)
  expect((await world.ask(`GET ${raw}/tables/t`, { as: 'reader' })).status).toBe(403)
  expect((await world.ask(`GET ${raw}/tables/t`)).status).toBe(200)
})

test('pages hold what is granted and nothing else, and are full', async () => {
  const { ask, grant, world } = await opened()
  const many = Array.from({ length: 2_500 }, (_, index) => `t${String(index).padStart(4, '0')}`)
  for (let start = 0; start < many.length; start += 500)
    await world.records.catalog
      .insertInto('iceberg_tables')
      .values(
        many.slice(start, start + 500).map((table_name) => ({
          catalog_name: 'dev_analytics',
          table_namespace: 'raw',
          table_name,
          metadata_location: `/lake/${table_name}`,
          previous_metadata_location: null,
          iceberg_type: 'TABLE',
        })),
      )
      .execute()
  const granted = ['t0001', 't0002', 't1100', 't2498', 't2499']
  for (const name of granted) await grant(['select'], on(name))
  const pages: string[][] = []
  const tokens: string[] = []
  for (let token: string | null = ''; token !== null;) {
    const { body } = await ask(`GET ${raw}/tables?pageSize=2&pageToken=${token}`)
    pages.push(body.identifiers.map(({ name }: { name: string }) => name))
    token = body['next-page-token'] as string | null
    if (token !== null) tokens.push(Buffer.from(token, 'base64url').toString())
  }
  expect(pages).toEqual([granted.slice(0, 2), granted.slice(2, 4), granted.slice(4)])
  expect(tokens).toEqual(['1t0002', '1t2498'])
  expect((await ask(`GET ${raw}/tables`)).body.identifiers).toHaveLength(granted.length)
  expect((await world.ask(`GET ${raw}/tables`)).body.identifiers).toHaveLength(many.length + 2)
})

test('granted columns are no table', async () => {
  const { ask, grant } = await opened()
  await grant(['select'], on('t'), ['id'])
  expect((await ask(`GET ${raw}/tables`)).body.identifiers).toHaveLength(1)
  expect((await ask(`GET ${raw}/tables/t`)).status).toBe(403)
  expect((await ask(`HEAD ${raw}/tables/t`)).status).toBe(403)
})

test('who may write a table gives it no files of another, and does not choose where it lies', async () => {
  const { ask, grant, world } = await opened()
  await grant(['select', 'insert', 'update', 'delete', 'alter', 'create'], on('mine'))
  const elsewhere = { name: 'mine', schema, properties: { 'write.metadata.path': 'memory:///elsewhere' } }
  for (const more of [{}, { 'stage-create': true }])
    expect(await ask(`POST ${raw}/tables`, { ...elsewhere, ...more })).toMatchObject({ status: 403 })
  expect((await ask(`POST ${raw}/tables`, { name: 'mine', schema })).status).toBe(200)
  const other = (await world.ask(`GET ${raw}/tables/other`)).body.metadata.location as string
  const mine = (await ask(`GET ${raw}/tables/mine`)).body.metadata.location as string
  expect((await ask(`POST ${raw}/tables/mine`, setting)).status).toBe(200)
  const snapshot = (list: string) => ({
    requirements: [],
    updates: [
      {
        action: 'add-snapshot',
        snapshot: {
          'snapshot-id': 1,
          'sequence-number': 1,
          'timestamp-ms': 1,
          'manifest-list': list,
          summary: { operation: 'append' },
        },
      },
      { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 1 },
    ],
  })
  for (const body of [
    snapshot(`${other}/metadata/snap-1.avro`),
    snapshot(`${mine}/../${other.split('/').at(-1)}/metadata/snap-1.avro`),
    { requirements: [], updates: [{ action: 'set-location', location: other }] },
    { requirements: [], updates: [{ action: 'set-properties', updates: { 'write.data.path': other } }] },
    {
      requirements: [],
      updates: [{ action: 'set-properties', updates: { 'boathouse.identity.1': 'by default of ["raw","s"]' } }],
    },
  ])
    expect(await ask(`POST ${raw}/tables/mine`, body)).toMatchObject({ status: 403 })
  await grant(['create', 'select'], on('*'))
  expect((await ask(`POST ${raw}/tables`, { name: 'm2', schema, location: other })).status).toBe(403)
  const staged = { requirements: [{ type: 'assert-create' }], updates: [{ action: 'set-location', location: other }] }
  expect((await ask(`POST ${raw}/tables/m2`, staged)).status).toBe(403)

  const metadata = newTableMetadata({
    uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1',
    location: other,
    schema: [],
    nowMs: 1,
  })
  const location = await writeTableMetadata(world.io, metadata, { previous: undefined })
  expect((await ask(`POST ${raw}/register`, { name: 'm3', 'metadata-location': location })).status).toBe(403)
  expect((await ask(`POST ${raw}/register-view`, { name: 'm4', 'metadata-location': location })).status).toBe(403)
})

test('a snapshot of somebody who is no administrator has the files of its own table only', async () => {
  const { ask, grant, world, token } = await opened()
  await grant(['select', 'insert', 'update', 'delete', 'create'], on('mine'))
  expect((await ask(`POST ${raw}/tables`, { name: 'mine', schema })).status).toBe(200)
  const loaded = await world.catalog.load(
    { catalog: 'dev_analytics', namespace: 'raw', name: 'mine' },
    { kind: 'table' },
  )
  const { metadata } = loaded as LoadedTable
  const other = (await world.ask(`GET ${raw}/tables/other`)).body.metadata.location as string
  const commit = async (path: string, as: string) => {
    const write = await prepareAppend(world.io, metadata, [{ path, recordCount: 1, fileSizeBytes: 10 }])
    const { requirements, updates } = await write.on(metadata, { nowMs: metadata.lastUpdatedMs + 1 })
    const text = tableCommitText(requirements, updates)
    return (await world.ask(`POST ${raw}/tables/mine`, { as, text })).status
  }
  for (const path of [
    `${other}/data/a.parquet`,
    `${metadata.location}x/a.parquet`,
    `${metadata.location}/../a.parquet`,
    '/etc/passwd',
  ])
    expect([path, await commit(path, token)]).toEqual([path, 403])
  expect(await commit(`${metadata.location}/data/a.parquet`, token)).toBe(200)
})

test('a view that a client makes or changes has no owner', async () => {
  const { ask, grant, world } = await opened()
  await grant(['create', 'select', 'alter'], on('mv'))
  const body = { name: 'mv', schema, 'view-version': viewVersion, properties: { 'boathouse.owner': 'admin' } }
  expect((await ask(`POST ${raw}/views`, body)).status).toBe(200)
  expect(await world.records.catalog.selectFrom('view_owners').selectAll().execute()).toEqual([])
})

test('a right that is taken away is gone at the next request', async () => {
  const { ask, grant, world } = await opened()
  await grant(['select'], on('t'))
  expect((await ask(`GET ${raw}/tables/t`)).status).toBe(200)
  await world.govern.access.revoke({ privileges: ['select'], on: on('t'), to: ['mia'] }, by)
  expect((await ask(`GET ${raw}/tables/t`)).status).toBe(404)
})

test('schemas that alone tell what a column was called are kept: masks go by all its names', async () => {
  const { world } = await opened()
  const commit = (...updates: object[]) =>
    world.ask(`POST ${raw}/tables/other`, { body: { requirements: [], updates } })
  const renamed = (id: number, name: string) => ({
    action: 'add-schema',
    schema: {
      ...schema,
      'schema-id': id,
      fields: schema.fields.map((field, at) => (at > 0 ? field : { ...field, name })),
    },
  })
  const current = { action: 'set-current-schema', 'schema-id': -1 }
  for (const name of ['passing', 'last']) expect((await commit(renamed(9, name), current)).status).toBe(200)
  const doubled = {
    ...renamed(9, 'last').schema,
    fields: [...renamed(9, 'last').schema.fields, { id: 77, name: 'more', required: false, type: 'int' }],
  }
  expect((await commit({ action: 'add-schema', schema: doubled }, current)).status).toBe(200)
  expect((await commit({ action: 'remove-schemas', 'schema-ids': [3] })).status).toBe(400)
  const { body } = await commit({ action: 'remove-schemas', 'schema-ids': [0, 1, 2] })
  const names = body.metadata.schemas.map(({ fields }: { fields: { name: string }[] }) => fields[0]!.name)
  expect(names).toEqual([schema.fields[0]!.name, 'passing', 'last'])
})
