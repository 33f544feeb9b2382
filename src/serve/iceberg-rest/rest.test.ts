import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { Failure } from '../../base/failure.ts'
import { rateLimiter } from '../../govern/index.ts'
import { filled, openWorld, schema, viewVersion, type World } from './world.testing.ts'

type Options = Parameters<typeof openWorld>[0]
async function opened(options?: Options): Promise<World> {
  const world = await openWorld(options)
  onTestFinished(() => world[Symbol.asyncDispose]())
  return world
}

const dev = '/v1/dev_analytics'
const raw = `${dev}/namespaces/raw`
const commit = (requirements: unknown[], updates: unknown[] = [setting('k', '1')]) => ({ requirements, updates })
const setting = (key: string, value: string) => ({ action: 'set-properties', updates: { [key]: value } })
const view = { name: 'v2', schema, 'view-version': viewVersion, properties: {} }

/** What is asked, with what, the status, the type of the error, and words that its message holds. */
const refusals: [line: string, asked: Parameters<World['ask']>[1], status: number, type: string, words: string][] = [
  // who asks
  ['GET /v1/config', { as: 'nobody' }, 401, 'NotAuthorizedException', 'token'],
  ['GET /v1/config', { as: 'bh_wrong' }, 401, 'NotAuthorizedException', 'opens nothing'],
  [`POST ${dev}/namespaces`, { as: 'reader', body: { namespace: ['x'] } }, 403, 'ForbiddenException', 'may not create'],
  [`POST ${raw}/tables/t`, { as: 'reader', body: commit([]) }, 403, 'ForbiddenException', 'may not write'],
  [`DELETE ${raw}/tables/t`, { as: 'reader' }, 403, 'ForbiddenException', 'may not drop'],
  ['POST /v1/prod_analytics/namespaces', { body: { namespace: ['x'] } }, 403, 'ForbiddenException', 'prod_analytics.x'],
  // warehouses, namespaces
  ['GET /v1/config?warehouse=other', {}, 404, 'NoSuchWarehouseException', 'Warehouse does not exist: other'],
  ['GET /v1/other/namespaces', {}, 404, 'NoSuchWarehouseException', 'other'],
  [`GET ${dev}/namespaces/none`, {}, 404, 'NoSuchNamespaceException', 'Namespace does not exist: none'],
  [`GET ${dev}/namespaces?parent=none`, {}, 404, 'NoSuchNamespaceException', 'Namespace does not exist: none'],
  [`GET ${dev}/namespaces/none/tables`, {}, 404, 'NoSuchNamespaceException', 'none'],
  [`GET ${dev}/namespaces/none/views`, {}, 404, 'NoSuchNamespaceException', 'none'],
  [`DELETE ${dev}/namespaces/none`, {}, 404, 'NoSuchNamespaceException', 'none'],
  [`DELETE ${raw}`, {}, 409, 'NamespaceNotEmptyException', 'Namespace raw is not empty'],
  [
    `POST ${dev}/namespaces`,
    { body: { namespace: ['raw'] } },
    409,
    'AlreadyExistsException',
    'Namespace already exists: raw',
  ],
  [`POST ${dev}/namespaces`, { body: { namespace: ['a', 'b'] } }, 400, 'BadRequestException', 'one level'],
  [`POST ${dev}/namespaces`, { body: { namespace: [] } }, 400, 'BadRequestException', 'body.namespace'],
  [`POST ${dev}/namespaces`, { body: { namespace: [''] } }, 400, 'BadRequestException', 'body.namespace'],
  [`POST ${dev}/namespaces`, { body: { namespace: ['..'] } }, 400, 'BadRequestException', '".."'],
  [`POST ${dev}/namespaces`, { body: { namespace: ['x'.repeat(256)] } }, 400, 'BadRequestException', '255'],
  [
    `POST ${dev}/namespaces`,
    { body: { namespace: ['x'], properties: { a: 1 } } },
    400,
    'BadRequestException',
    'properties.a',
  ],
  [
    `POST ${raw}/properties`,
    { body: { updates: { a: '1' }, removals: ['a'] } },
    422,
    'UnprocessableEntityException',
    'a',
  ],
  [
    `POST ${dev}/namespaces/none/properties`,
    { body: { updates: { a: '1' } } },
    404,
    'NoSuchNamespaceException',
    'none',
  ],
  ['POST /v1/namespaces', { body: { namespace: ['stage'] } }, 400, 'BadRequestException', 'env create'],
  ['DELETE /v1/namespaces/dev_analytics', {}, 406, 'UnsupportedOperationException', 'environment'],
  // tables
  [`GET ${raw}/tables/none`, {}, 404, 'NoSuchTableException', 'Table does not exist: raw.none'],
  [`GET ${raw}/tables/v`, {}, 404, 'NoSuchTableException', 'Table does not exist: raw.v'],
  [`GET ${dev}/namespaces/a%1Fb/tables/t`, {}, 404, 'NoSuchTableException', 'Table does not exist: a.b.t'],
  ['GET /v1/namespaces/dev_analytics%1Fraw/tables/none', {}, 404, 'NoSuchTableException', 'dev_analytics.raw.none'],
  [`GET ${raw}/tables/t?snapshots=some`, {}, 400, 'BadRequestException', 'snapshots'],
  [`POST ${raw}/tables`, { body: { name: 't', schema } }, 409, 'AlreadyExistsException', 'Table already exists: raw.t'],
  [
    `POST ${raw}/tables`,
    { body: { name: 'v', schema } },
    409,
    'AlreadyExistsException',
    'View with same name already exists: raw.v',
  ],
  [`POST ${raw}/tables`, { body: { name: 'v', schema, 'stage-create': true } }, 409, 'AlreadyExistsException', 'raw.v'],
  [`POST ${dev}/namespaces/none/tables`, { body: { name: 't', schema } }, 404, 'NoSuchNamespaceException', 'none'],
  [`POST ${raw}/tables`, { body: { name: 'n' } }, 400, 'BadRequestException', 'schema'],
  [`POST ${raw}/tables`, { body: { name: 'n', schema: { type: 'list' } } }, 400, 'BadRequestException', 'schema.type'],
  [`POST ${raw}/tables`, { body: { name: '.', schema } }, 400, 'BadRequestException', '"."'],
  [
    `POST ${raw}/tables`,
    { body: { name: 'n', schema, properties: { 'format-version': '9' } } },
    400,
    'BadRequestException',
    'version 9',
  ],
  [`POST ${raw}/tables`, { body: { name: 'n', schema, location: 'file:///etc' } }, 403, 'ForbiddenException', '/etc'],
  [`POST ${raw}/tables`, { body: { name: 'n', schema, location: '/lake/../etc/x' } }, 403, 'ForbiddenException', '..'],
  [`POST ${raw}/tables`, { body: { name: 'n', schema, location: 's3://bucket/x' } }, 403, 'ForbiddenException', 's3'],
  [
    `POST ${raw}/tables`,
    { body: { name: 'n', schema, location: '/lakeside/x' } },
    403,
    'ForbiddenException',
    'lakeside',
  ],
  [
    `POST ${raw}/register`,
    { body: { name: 'n', 'metadata-location': '/etc/passwd' } },
    403,
    'ForbiddenException',
    '/etc',
  ],
  [
    `POST ${raw}/register`,
    { body: { name: 'n', 'metadata-location': '/lake/none.json' } },
    404,
    'NotFoundException',
    'Failed to open',
  ],
  [`DELETE ${raw}/tables/none`, {}, 404, 'NoSuchTableException', 'Table does not exist: raw.none'],
  [`DELETE ${raw}/tables/t?purgeRequested=maybe`, {}, 400, 'BadRequestException', 'purgeRequested'],
  [`POST ${raw}/tables/none/metrics`, { body: { 'report-type': 'scan-report' } }, 404, 'NoSuchTableException', 'none'],
  [`POST ${raw}/tables/t/metrics`, { body: { 'report-type': 'other' } }, 400, 'BadRequestException', 'report-type'],
  [`GET ${raw}/tables/none/credentials`, {}, 404, 'NoSuchTableException', 'none'],
  // renames
  [
    `POST ${dev}/tables/rename`,
    { body: rename('none', 'n') },
    404,
    'NoSuchTableException',
    'Table does not exist: raw.none',
  ],
  [
    `POST ${dev}/tables/rename`,
    { body: rename('t', 'v') },
    409,
    'AlreadyExistsException',
    'Cannot rename raw.t to raw.v. View already exists',
  ],
  [
    `POST ${dev}/tables/rename`,
    { body: rename('t', 'n', 'none') },
    404,
    'NoSuchNamespaceException',
    'Namespace does not exist: none',
  ],
  [
    `POST ${dev}/tables/rename`,
    { body: { source: { namespace: ['raw'], name: 't' } } },
    400,
    'BadRequestException',
    'destination',
  ],
  [
    `POST ${dev}/views/rename`,
    { body: rename('none', 'n') },
    404,
    'NoSuchViewException',
    'View does not exist: raw.none',
  ],
  // commits
  [`POST ${raw}/tables/none`, { body: commit([]) }, 404, 'NoSuchTableException', 'raw.none'],
  [
    `POST ${raw}/tables/t`,
    { body: commit([{ type: 'assert-nothing' }]) },
    400,
    'BadRequestException',
    'assert-nothing',
  ],
  [`POST ${raw}/tables/t`, { body: commit([], [{ action: 'explode' }]) }, 400, 'BadRequestException', 'explode'],
  [`POST ${raw}/tables/t`, { body: { updates: [] } }, 400, 'BadRequestException', 'requirements'],
  [
    `POST ${raw}/tables/t`,
    { body: commit([], [{ action: 'set-location', location: '/etc/x' }]) },
    403,
    'ForbiddenException',
    '/etc',
  ],
  [
    `POST ${raw}/tables/t`,
    { body: commit([], [setting('write.metadata.path', '/etc')]) },
    403,
    'ForbiddenException',
    '/etc',
  ],
  [
    `POST ${raw}/tables/t`,
    { body: commit([], [{ action: 'set-current-schema', 'schema-id': 9 }]) },
    400,
    'BadRequestException',
    'no schema 9',
  ],
  [
    `POST ${raw}/tables/t`,
    { body: commit([{ type: 'assert-create' }, { type: 'assert-table-uuid', uuid: 'x' }]) },
    400,
    'BadRequestException',
    'assert-create',
  ],
  [
    `POST ${raw}/tables/t`,
    { body: { ...commit([]), identifier: { namespace: ['raw'], name: 'u' } } },
    400,
    'BadRequestException',
    'identifier',
  ],
  [`POST ${raw}/tables/t`, { text: '{"requirements":' }, 400, 'BadRequestException', 'JSON'],
  [`POST ${raw}/tables/t`, { text: '' }, 400, 'BadRequestException', 'body: empty'],
  [`POST ${raw}/tables/t`, { text: '[]' }, 400, 'BadRequestException', 'body'],
  [`POST ${raw}/tables/t`, { text: 'null' }, 400, 'BadRequestException', 'body'],
  [`POST ${raw}/tables/t`, { text: '['.repeat(200_000) }, 400, 'BadRequestException', 'body'],
  [`POST ${dev}/transactions/commit`, { body: { 'table-changes': [] } }, 400, 'BadRequestException', 'table-changes'],
  [
    `POST ${dev}/transactions/commit`,
    { body: { 'table-changes': [commit([])] } },
    400,
    'BadRequestException',
    'identifier',
  ],
  [
    `POST ${dev}/transactions/commit`,
    { body: { 'table-changes': [changeOf('none', [])] } },
    404,
    'NoSuchTableException',
    'raw.none',
  ],
  // every requirement that does not hold
  ...(
    [
      [{ type: 'assert-create' }, 'table already exists'],
      [{ type: 'assert-table-uuid', uuid: randomUUID() }, 'UUID does not match'],
      [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 7 }, 'branch or tag main is missing, expected 7'],
      [{ type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 9 }, 'last assigned field id changed'],
      [{ type: 'assert-current-schema-id', 'current-schema-id': 9 }, 'current schema changed'],
      [
        { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 9 },
        'last assigned partition id changed',
      ],
      [{ type: 'assert-default-spec-id', 'default-spec-id': 9 }, 'default partition spec changed'],
      [{ type: 'assert-default-sort-order-id', 'default-sort-order-id': 9 }, 'default sort order changed'],
    ] as const
  ).flatMap(([requirement, words]): typeof refusals => [
    [
      `POST ${raw}/tables/t`,
      { body: commit([requirement]) },
      409,
      'CommitFailedException',
      `Requirement failed: ${words}`,
    ],
    [
      `POST ${dev}/transactions/commit`,
      { body: { 'table-changes': [changeOf('t', [requirement])] } },
      409,
      'CommitFailedException',
      `Requirement failed: ${words}`,
    ],
  ]),
  // views
  [`GET ${raw}/views/none`, {}, 404, 'NoSuchViewException', 'View does not exist: raw.none'],
  [`GET ${raw}/views/t`, {}, 404, 'NoSuchViewException', 'View does not exist: raw.t'],
  [`POST ${raw}/views`, { body: { ...view, name: 'v' } }, 409, 'AlreadyExistsException', 'View already exists: raw.v'],
  [
    `POST ${raw}/views`,
    { body: { ...view, name: 't' } },
    409,
    'AlreadyExistsException',
    'Table with same name already exists: raw.t',
  ],
  [`POST ${dev}/namespaces/none/views`, { body: view }, 404, 'NoSuchNamespaceException', 'none'],
  [`POST ${raw}/views`, { body: { ...view, 'view-version': {} } }, 400, 'BadRequestException', 'representations'],
  [`POST ${raw}/views/none`, { body: { updates: [] } }, 404, 'NoSuchViewException', 'raw.none'],
  [`POST ${raw}/views/v`, { body: { updates: [{ action: 'explode' }] } }, 400, 'BadRequestException', 'explode'],
  [`POST ${raw}/views/v`, { body: { updates: [], requirements: [{ type: 'x' }] } }, 400, 'BadRequestException', 'type'],
  [
    `POST ${raw}/views/v`,
    { body: { updates: [setting('a', '1')], requirements: [{ type: 'assert-view-uuid', uuid: randomUUID() }] } },
    409,
    'CommitFailedException',
    'Requirement failed: view UUID does not match',
  ],
  [`DELETE ${raw}/views/none`, {}, 404, 'NoSuchViewException', 'raw.none'],
  [
    `POST ${raw}/register-view`,
    { body: { name: 'n', 'metadata-location': '/etc/x' } },
    403,
    'ForbiddenException',
    '/etc',
  ],
  // paths and headers
  ['GET /v1/nowhere/at/all', {}, 404, 'NotFoundException', 'there is no GET'],
  ['GET /v2/config', {}, 404, 'NotFoundException', 'there is no GET'],
  [`PUT ${raw}/tables/t`, { text: '{}' }, 400, 'BadRequestException', 'PUT is not defined'],
  [`GET ${dev}/namespaces/%FF`, {}, 400, 'BadRequestException', 'UTF-8'],
  [`GET ${dev}/namespaces//tables/t`, {}, 404, 'NoSuchTableException', 'Table does not exist'],
  [`GET ${dev}/namespaces/`, {}, 404, 'NoSuchNamespaceException', 'Namespace does not exist'],
  [`DELETE ${dev}/namespaces/`, {}, 404, 'NoSuchNamespaceException', 'Namespace does not exist'],
  [
    `POST ${dev}/namespaces//tables`,
    { body: { name: 'n', schema } },
    404,
    'NoSuchNamespaceException',
    'does not exist',
  ],
  [`GET ${dev}/namespaces/a%1F%1Fb`, {}, 400, 'BadRequestException', 'level is empty'],
  [`GET ${dev}/namespaces?pageToken=&pageSize=0`, {}, 400, 'BadRequestException', 'pageSize'],
  [`GET ${dev}/namespaces?pageToken=%21&pageSize=1`, {}, 400, 'BadRequestException', 'pageToken'],
  [
    `DELETE ${raw}/tables/t`,
    { headers: { 'idempotency-key': 'again' } },
    400,
    'BadRequestException',
    'Idempotency-Key',
  ],
  [`POST ${raw}/tables/t/plan`, { body: {} }, 406, 'UnsupportedOperationException', 'does not support'],
  [`GET ${raw}/functions`, {}, 406, 'UnsupportedOperationException', 'does not support'],
  [
    `POST ${raw}/tables/t/sign`,
    { body: { region: 'r', uri: 'http://s3/b/k', method: 'GET', headers: {} } },
    400,
    'BadRequestException',
    'nothing to sign',
  ],
]

function rename(from: string, to: string, namespace = 'raw') {
  return { source: { namespace: ['raw'], name: from }, destination: { namespace: [namespace], name: to } }
}
function changeOf(name: string, requirements: unknown[]) {
  return { identifier: { namespace: ['raw'], name }, ...commit(requirements) }
}

test('what is refused, with its status, its type and its words; nothing is changed by it', async () => {
  const world = await opened()
  await filled(world)
  const before = await world.catalog.list('dev_analytics')
  for (const [line, asked, status, type, words] of refusals) {
    const answer = await world.ask(line, asked)
    const asSent = `${line} ${JSON.stringify(asked).slice(0, 200)}`
    const { type: foundType, code, message } = answer.body.error
    expect([answer.status, foundType, code, message], asSent).toEqual([
      status,
      type,
      status,
      // Java's clients put words of theirs before these, and look at how the whole begins.
      words.startsWith('Requirement failed')
        ? expect.stringMatching(new RegExp(`^${words}`))
        : expect.stringContaining(words),
    ])
    expect(Object.keys(answer.body), line).toEqual(['error'])
  }
  expect(await world.catalog.list('dev_analytics')).toEqual(before)
  expect(await world.catalog.namespaces('dev_analytics')).toEqual(['raw'])
})

test('a HEAD has no body, neither when it finds nor when it does not', async () => {
  const world = await opened()
  await filled(world)
  for (const [line, status] of [
    [`HEAD ${raw}`, 204],
    [`HEAD ${dev}/namespaces/none`, 404],
    [`HEAD ${dev}/namespaces//tables/t`, 404],
    [`HEAD ${raw}/tables/t`, 204],
    [`HEAD ${raw}/tables/v`, 404],
    [`HEAD ${raw}/views/v`, 204],
    [`HEAD ${raw}/views/t`, 404],
  ] as const)
    expect(await world.ask(line), line).toMatchObject({ status, body: undefined })
})

test('every endpoint that config lists is answered', async () => {
  const world = await opened()
  await filled(world)
  const { body } = await world.ask('GET /v1/config?warehouse=dev')
  expect(body.overrides).toEqual({ prefix: 'dev' })
  expect(body['idempotency-key-lifetime']).toBe('PT30M')
  for (const endpoint of body.endpoints as string[]) {
    const line = endpoint.replace('{prefix}', 'dev_analytics').replace(/\{\w+\}/g, 'none')
    const answer = await world.ask(line, line.startsWith('POST') ? { body: {} } : {})
    expect(answer.body?.error?.type, endpoint).not.toBe('NotFoundException')
    expect(answer.status, endpoint).toBeLessThan(500)
  }
})

test('the names of environments and of catalogs are warehouses; without one all of them are nested', async () => {
  const world = await opened()
  await filled(world)
  const prefixOf = async (name: string) => (await world.ask(`GET /v1/config${name}`)).body.overrides.prefix
  expect(await prefixOf('?warehouse=prod_analytics')).toBe('prod_analytics')
  expect(await prefixOf('?warehouse=free')).toBe('free')
  expect(await prefixOf('')).toBeUndefined()
  expect(await prefixOf('?warehouse=sales')).toBeUndefined()
  const top = await world.ask('GET /v1/namespaces')
  expect(top.body.namespaces).toEqual([['dev_analytics'], ['free'], ['prod_analytics']])
  const inner = await world.ask('GET /v1/namespaces?parent=dev_analytics')
  expect(inner.body.namespaces).toEqual([['dev_analytics', 'raw']])
  const { body } = await world.ask('GET /v1/namespaces/dev_analytics%1Fraw/tables')
  expect(body.identifiers).toEqual([{ namespace: ['dev_analytics', 'raw'], name: 't' }])
  const direct = await world.ask(`GET ${raw}/tables/t`)
  const nested = await world.ask('GET /v1/namespaces/dev_analytics%1Fraw/tables/t')
  expect(nested.body).toEqual(direct.body)
  const made = await world.ask('POST /v1/namespaces', { body: { namespace: ['dev_analytics', 'more'] } })
  expect(made.status).toBe(200)
  const moved = await world.ask('POST /v1/tables/rename', {
    body: {
      source: { namespace: ['dev_analytics', 'raw'], name: 't' },
      destination: { namespace: ['dev_analytics', 'more'], name: 't2' },
    },
  })
  expect(moved.status).toBe(204)
  expect((await world.ask(`HEAD ${dev}/namespaces/more/tables/t2`)).status).toBe(204)
})

test.each([
  'a%b',
  'a#b',
  'a?b',
  'a+b',
  'a b',
  'a/b',
  'a.b',
  '%2F',
  '%1F',
  'ünï 漢字 😀',
  "it's",
  'a"b',
  'a\\b',
  'a&b=c;d',
])('the name %j survives the path', async (odd) => {
  const world = await opened()
  const free = '/v1/free/namespaces'
  const path = `${free}/${encodeURIComponent(odd)}%1F${encodeURIComponent(odd)}`
  expect((await world.ask(`POST ${free}`, { body: { namespace: [odd] } })).status).toBe(200)
  expect((await world.ask(`POST ${free}`, { body: { namespace: [odd, odd] } })).status).toBe(200)
  const created = await world.ask(`POST ${path}/tables`, { body: { name: odd, schema } })
  expect(created.status).toBe(200)
  expect(created.body.metadata.location).toMatch(/^file:\/\/\/lake\/free\/[\w-]+\/[\w-]+\/[\w-]+-[0-9a-f]{8}$/)
  const { body } = await world.ask(`GET ${path}/tables`)
  expect(body.identifiers).toEqual([{ namespace: [odd, odd], name: odd }])
  expect((await world.ask(`GET ${path}/tables/${encodeURIComponent(odd)}`)).body).toEqual(created.body)
  // As Java's clients spell it.
  const java = encodeURIComponent(odd).replaceAll('%20', '+')
  expect((await world.ask(`HEAD ${path}/tables/${java}`)).status).toBe(204)
  expect((await world.ask(`GET ${free}?parent=${encodeURIComponent(odd)}`)).body.namespaces).toEqual([[odd, odd]])
  expect((await world.ask(`DELETE ${path}/tables/${java}`)).status).toBe(204)
  expect((await world.ask(`DELETE ${path}`)).status).toBe(204)
})

test('a namespace says where its tables go, unless its own properties do', async () => {
  const world = await opened()
  for (const [namespace, properties] of [
    ['plain', { owner: 'ana' }],
    ['placed', { location: 'file:///lake/else' }],
  ] as const)
    await world.ask(`POST ${dev}/namespaces`, { body: { namespace: [namespace], properties } })
  const properties = async (name: string) => (await world.ask(`GET ${dev}/namespaces/${name}`)).body.properties
  expect(await properties('plain')).toEqual({ owner: 'ana', location: 'file:///lake/dev_analytics/plain' })
  expect(await properties('placed')).toEqual({ location: 'file:///lake/else' })
})

test('lists come in pages when asked for, each name once', async () => {
  const world = await opened()
  const names = Array.from({ length: 7 }, (_, index) => `n${index}`)
  for (const name of names) await world.ask(`POST ${dev}/namespaces`, { body: { namespace: [name] } })
  const whole = await world.ask(`GET ${dev}/namespaces?pageSize=2`)
  expect([whole.body.namespaces.length, whole.body['next-page-token']]).toEqual([7, null])
  const seen: string[] = []
  let token = ''
  for (let pages = 0; ; pages++) {
    const { body } = await world.ask(`GET ${dev}/namespaces?pageSize=3&pageToken=${encodeURIComponent(token)}`)
    seen.push(...body.namespaces.flat())
    if (pages === 0) await world.ask(`POST ${dev}/namespaces`, { body: { namespace: ['a-new-one'] } })
    if (body['next-page-token'] === null) break
    token = body['next-page-token']
  }
  expect(seen).toEqual(names)
})

test('a table that did not change is answered with 304, one that did with a new ETag', async () => {
  const world = await opened()
  await filled(world)
  const first = await world.ask(`GET ${raw}/tables/t`)
  const etag = first.headers.get('etag')!
  expect(etag).toMatch(/^"[0-9a-f]+"$/)
  const again = await world.ask(`GET ${raw}/tables/t`, { headers: { 'if-none-match': `W/"x", ${etag}` } })
  expect([again.status, again.body, again.headers.get('etag')]).toEqual([304, undefined, etag])
  const refs = await world.ask(`GET ${raw}/tables/t?snapshots=refs`, { headers: { 'if-none-match': etag } })
  expect(refs.status).toBe(200)
  const changed = await world.ask(`POST ${raw}/tables/t`, { body: commit([]) })
  expect(changed.headers.get('etag')).not.toBe(etag)
  expect((await world.ask(`GET ${raw}/tables/t`, { headers: { 'if-none-match': etag } })).status).toBe(200)
  expect((await world.ask(`GET ${raw}/tables/t`)).headers.get('etag')).toBe(changed.headers.get('etag'))
})

test('snapshots that no branch names are left out when only refs are asked for', async () => {
  const world = await opened()
  await filled(world)
  const snapshot = (id: number, parent?: number) => ({
    'snapshot-id': id,
    ...(parent && { 'parent-snapshot-id': parent }),
    'sequence-number': id,
    'timestamp-ms': Date.now() + id,
    'manifest-list': `/lake/m${id}.avro`,
    summary: { operation: 'append' },
  })
  const main = (id: number) => ({ action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id })
  for (const [id, parent] of [[1], [2, 1]] as const)
    await world.ask(`POST ${raw}/tables/t`, {
      body: commit([], [{ action: 'add-snapshot', snapshot: snapshot(id, parent) }, main(id)]),
    })
  const idsOf = async (query: string) =>
    (await world.ask(`GET ${raw}/tables/t${query}`)).body.metadata.snapshots.map((one: never) => one['snapshot-id'])
  expect(await idsOf('')).toEqual([1, 2])
  expect(await idsOf('?snapshots=refs')).toEqual([2])
  const outside = { ...snapshot(3, 2), 'manifest-list': '/etc/m.avro' }
  const refused = await world.ask(`POST ${raw}/tables/t`, {
    body: commit([], [{ action: 'add-snapshot', snapshot: outside }]),
  })
  expect(refused.status).toBe(403)
})

test('a staged table is no table until its commit', async () => {
  const world = await opened()
  await filled(world)
  const staged = await world.ask(`POST ${raw}/tables`, { body: { name: 's', schema, 'stage-create': true } })
  expect(staged.body).not.toHaveProperty('metadata-location')
  expect((await world.ask(`HEAD ${raw}/tables/s`)).status).toBe(404)
  const { metadata } = staged.body
  expect(world.folders).toContain(metadata.location)
  const created = await world.ask(`POST ${raw}/tables/s`, {
    body: commit(
      [{ type: 'assert-create' }],
      [
        { action: 'assign-uuid', uuid: metadata['table-uuid'] },
        { action: 'upgrade-format-version', 'format-version': 2 },
        { action: 'add-schema', schema },
        { action: 'set-current-schema', 'schema-id': -1 },
        { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
        { action: 'set-default-spec', 'spec-id': -1 },
        { action: 'add-sort-order', 'sort-order': { 'order-id': 0, fields: [] } },
        { action: 'set-default-sort-order', 'sort-order-id': -1 },
        { action: 'set-location', location: metadata.location },
      ],
    ),
  })
  expect(created.body.metadata['table-uuid']).toBe(metadata['table-uuid'])
})

test('several tables change in one step, or none', async () => {
  const world = await opened()
  await filled(world)
  await world.ask(`POST ${raw}/tables`, { body: { name: 'u', schema } })
  const both = await world.ask(`POST ${dev}/transactions/commit`, {
    body: { 'table-changes': [changeOf('t', []), changeOf('u', [])] },
  })
  expect([both.status, both.body]).toEqual([204, undefined])
  const valueOf = async (name: string) => (await world.ask(`GET ${raw}/tables/${name}`)).body.metadata.properties.k
  expect([await valueOf('t'), await valueOf('u')]).toEqual(['1', '1'])
  const half = { ...changeOf('t', []), updates: [setting('k', '2')] }
  const failed = await world.ask(`POST ${dev}/transactions/commit`, {
    body: { 'table-changes': [half, changeOf('u', [{ type: 'assert-current-schema-id', 'current-schema-id': 5 }])] },
  })
  expect([failed.status, await valueOf('t')]).toEqual([409, '1'])
})

test('a purge deletes only when the table lets it', async () => {
  const world = await opened()
  await filled(world)
  await world.ask(`POST ${raw}/tables/t`, { body: commit([], [setting('gc.enabled', 'false')]) })
  const refused = await world.ask(`DELETE ${raw}/tables/t?purgeRequested=true`)
  expect([refused.status, refused.body.error.message]).toEqual([400, expect.stringContaining('GC is disabled')])
  await world.ask(`POST ${raw}/tables/t`, { body: commit([], [setting('gc.enabled', 'true')]) })
  expect((await world.ask(`DELETE ${raw}/tables/t?purgeRequested=True`)).status).toBe(204)
  expect(world.purged).toHaveLength(1)
  await world.ask(`POST ${raw}/tables`, { body: { name: 't', schema } })
  expect((await world.ask(`DELETE ${raw}/tables/t`)).status).toBe(204)
  expect(world.purged).toHaveLength(1)
})

test('a table is unregistered, registered again and replaced by another metadata file', async () => {
  const world = await opened()
  await filled(world)
  const gone = await world.ask(`POST ${raw}/tables/t/unregister`, { text: '{}' })
  const location = gone.body['metadata-location']
  expect((await world.ask(`HEAD ${raw}/tables/t`)).status).toBe(404)
  const register = (more = {}) =>
    world.ask(`POST ${raw}/register`, { body: { name: 't', 'metadata-location': location, ...more } })
  expect((await register()).body['metadata-location']).toBe(location)
  expect((await register()).status).toBe(409)
  await world.ask(`POST ${raw}/tables/t`, { body: commit([]) })
  expect((await register({ overwrite: true })).body['metadata-location']).toBe(location)
})

test('a view is replaced and keeps its versions', async () => {
  const world = await opened()
  await filled(world)
  const replaced = await world.ask(`POST ${raw}/views/v`, {
    body: {
      updates: [
        {
          action: 'add-view-version',
          'view-version': { ...viewVersion, representations: [{ type: 'sql', sql: 'select 2', dialect: 'spark' }] },
        },
        { action: 'set-current-view-version', 'view-version-id': -1 },
      ],
    },
  })
  expect(replaced.body.metadata['current-version-id']).toBe(2)
  expect(replaced.body.metadata.versions).toHaveLength(2)
  expect((await world.ask(`POST ${dev}/views/rename`, { body: rename('v', 'w') })).status).toBe(204)
  const { body } = await world.ask(`GET ${raw}/views/w`)
  expect((await world.ask(`DELETE ${raw}/views/w`)).status).toBe(204)
  const register = { name: 'back', 'metadata-location': body['metadata-location'] }
  expect((await world.ask(`POST ${raw}/register-view`, { body: register })).body.metadata).toEqual(body.metadata)
})

test("a view tells its clients no name of ours for its catalog, and another's as it was given", async () => {
  const world = await opened()
  await filled(world)
  const told = async (name: string) => {
    const version = { ...viewVersion, 'default-catalog': name }
    await world.ask(`POST ${raw}/views`, { body: { ...view, name: `of_${name}`, 'view-version': version } })
    return (await world.ask(`GET ${raw}/views/of_${name}`)).body.metadata.versions[0]['default-catalog']
  }
  expect([await told('dev_analytics'), await told('lakehouse')]).toEqual([undefined, 'lakehouse'])
})

test('the same key has its effect once and the same answer always', async () => {
  const world = await opened()
  await filled(world)
  const key = { 'idempotency-key': randomUUID() }
  const body = { name: 'once', schema }
  const first = await world.ask(`POST ${raw}/tables`, { body, headers: key })
  const second = await world.ask(`POST ${raw}/tables`, { body, headers: key })
  expect([second.status, second.body]).toEqual([200, first.body])
  const other = await world.ask(`POST ${raw}/tables`, { body: { ...body, name: 'other' }, headers: key })
  expect([other.status, other.body.error.type]).toEqual([422, 'UnprocessableEntityException'])
  const drop = { 'idempotency-key': randomUUID() }
  const drops = await Promise.all([1, 2, 3].map(() => world.ask(`DELETE ${raw}/tables/once`, { headers: drop })))
  expect(drops.map(({ status }) => status)).toEqual([204, 204, 204])
  expect((await world.ask(`DELETE ${raw}/tables/once`)).status).toBe(404)
  // A refusal is an answer too, even if the request would succeed by now.
  const again = { 'idempotency-key': randomUUID() }
  expect((await world.ask(`DELETE ${raw}/tables/once`, { headers: again })).status).toBe(404)
  await world.ask(`POST ${raw}/tables`, { body })
  expect((await world.ask(`DELETE ${raw}/tables/once`, { headers: again })).status).toBe(404)
})

test('a request whose answer failed may come again; one whose change was made does not make it twice', async () => {
  const failures: Failure[] = []
  const world = await opened({
    through: (catalog) => ({
      ...catalog,
      async commit(changes, options) {
        const failure = failures.shift()
        if (failure?.code === 'STORAGE_FAILED') throw failure
        const done = await catalog.commit(changes, options)
        if (failure) throw failure
        return done
      },
    }),
  })
  await filled(world)
  const { body } = await world.ask(`GET ${raw}/tables/t`)
  const asked = {
    headers: { 'idempotency-key': randomUUID() },
    body: commit([{ type: 'assert-table-uuid', uuid: body.metadata['table-uuid'] }]),
  }
  failures.push(new Failure('STORAGE_FAILED', 'the disk is full'), new Failure('COMMIT_UNKNOWN', 'lost'))
  const full = await world.ask(`POST ${raw}/tables/t`, asked)
  expect([full.status, full.body.error.type]).toEqual([503, 'ServiceUnavailableException'])
  const lost = await world.ask(`POST ${raw}/tables/t`, asked)
  expect([lost.status, lost.body.error.type]).toEqual([500, 'CommitStateUnknownException'])
  const create = { headers: { 'idempotency-key': randomUUID() }, body: { name: 'n', schema } }
  failures.push(new Failure('COMMIT_UNKNOWN', 'lost'))
  expect((await world.ask(`POST ${raw}/tables`, create)).status).toBe(500)
  expect((await world.ask(`POST ${raw}/tables`, create)).body.metadata.location).toContain('/raw/n-')
  const told = await world.ask(`POST ${raw}/tables/t`, asked)
  expect([told.status, told.body.metadata['metadata-log'].length]).toEqual([200, 1])
})

test('one principal is slowed down, but for signatures of files', async () => {
  const perPrincipal = rateLimiter({ burst: 2, perMinute: 60 }, { now: () => 0 })
  const world = await opened({ perPrincipal })
  const statuses = []
  for (let count = 0; count < 3; count++) statuses.push((await world.ask('GET /v1/config')).status)
  expect(statuses).toEqual([200, 200, 503])
  const refused = await world.ask('GET /v1/config')
  expect([refused.body.error.type, refused.headers.get('retry-after')]).toEqual(['SlowDownException', '1'])
  expect((await world.ask(`POST ${raw}/tables/t/sign`, { body: {} })).status).not.toBe(503)
  expect((await world.ask('GET /v1/config', { as: 'reader' })).status).toBe(200)
})

test('a token that is too old is told so; OAuth2 clients log in by the name of a token', async () => {
  const world = await opened()
  const old = await world.govern.tokens.create(world.users.admin.id, { name: 'old', validForMs: 1 })
  await new Promise((resolve) => setTimeout(resolve, 5))
  const late = await world.ask('GET /v1/config', { as: old.token })
  expect([late.status, late.body.error.type]).toEqual([419, 'AuthenticationTimeoutException'])

  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const logIn = (fields: Record<string, string>, headers = {}) =>
    world.ask('POST /v1/oauth/tokens', {
      as: 'nobody',
      text: String(new URLSearchParams(fields)),
      headers: { ...form, ...headers },
    })
  const client = { grant_type: 'client_credentials', client_id: 'spark', client_secret: world.tokens.admin }
  const granted = await logIn({ ...client, scope: 'PRINCIPAL_ROLE:ALL' })
  expect(granted.body).toMatchObject({ token_type: 'bearer', scope: 'PRINCIPAL_ROLE:ALL' })
  expect((await world.ask('GET /v1/config', { as: granted.body.access_token })).status).toBe(200)
  const basic = `Basic ${Buffer.from(`spark:${world.tokens.admin}`).toString('base64')}`
  expect((await logIn({ grant_type: 'client_credentials' }, { authorization: basic })).status).toBe(200)
  for (const [fields, status, error] of [
    [{ ...client, client_id: 'look' }, 401, 'invalid_client'],
    [{ ...client, client_secret: 'bh_x' }, 401, 'invalid_client'],
    [{ grant_type: 'client_credentials' }, 400, 'invalid_request'],
    [{}, 400, 'invalid_request'],
    [{ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' }, 400, 'unsupported_grant_type'],
  ] as const) {
    const refused = await logIn(fields as Record<string, string>)
    expect([refused.status, refused.body.error], JSON.stringify(fields)).toEqual([status, error])
  }
  await world.ask('GET /v1/config', { as: 'bh_wrong' })
  const told = (await world.govern.audit.list({ limit: 3 })).map(({ door, action, verdict, failure_code }) =>
    [door, action, verdict, failure_code].join(' · '),
  )
  expect(told).toEqual([
    'iceberg · log in by token · refused · UNAUTHENTICATED',
    'iceberg · log in as spark · refused · UNAUTHENTICATED',
    'iceberg · log in as look · refused · UNAUTHENTICATED',
  ])
})

test('protected environments are read by clients, and written only where the project says so', async () => {
  const world = await opened({ settings: { protectedWrites: true } })
  expect((await world.ask('POST /v1/prod_analytics/namespaces', { body: { namespace: ['raw'] } })).status).toBe(200)
  expect((await world.ask('GET /v1/prod_analytics/namespaces', { as: 'reader' })).status).toBe(200)
})

test('every change stands in the audit, allowed or not, and is nameable as a publication', async () => {
  const world = await opened()
  await filled(world)
  await world.ask(`POST ${raw}/tables/t`, { body: commit([]), headers: { 'user-agent': 'PyIceberg/0.12.0' } })
  await world.ask(`DELETE ${raw}/tables/t`, { as: 'reader' })
  const rows = await world.govern.audit.list({ limit: 2 })
  expect(
    rows.map(({ principal, door, action, verdict, tables_json }) => [principal, door, action, verdict, tables_json]),
  ).toEqual([
    ['rob', 'iceberg', `DELETE ${raw}/tables/t`, 'refused', '["dev_analytics.raw.t"]'],
    ['ada', 'iceberg', `POST ${raw}/tables/t`, 'allowed', '["dev_analytics.raw.t"]'],
  ])
  const last = await world.records.catalog
    .selectFrom('publications')
    .select('published_by')
    .orderBy('id', 'desc')
    .limit(1)
    .execute()
  expect(last).toEqual([{ published_by: 'ada by PyIceberg/0.12.0' }])
})

test('who opened a table or view, or asked for what is not theirs, stands in the audit', async () => {
  const world = await opened()
  await filled(world)
  const before = (await world.govern.audit.list({ limit: 100 })).length
  await world.ask(`GET ${raw}/tables/t`, { as: 'reader' })
  await world.ask(`GET ${raw}/tables/t/credentials`, { as: 'reader' })
  await world.ask(`GET ${raw}/tables/nothing`)
  await world.ask(`GET ${raw}/tables`)
  await world.ask(`HEAD ${raw}/tables/t`)
  const rows = await world.govern.audit.list({ limit: 100 })
  expect(
    rows
      .slice(0, rows.length - before)
      .map(({ principal, action, verdict, tables_json, failure_code }) => [
        principal,
        action,
        verdict,
        tables_json,
        failure_code,
      ]),
  ).toEqual([
    ['ada', `GET ${raw}/tables/nothing`, 'failed', '["dev_analytics.raw.nothing"]', 'TABLE_NOT_FOUND'],
    ['rob', `GET ${raw}/tables/t/credentials`, 'allowed', '["dev_analytics.raw.t"]', null],
    ['rob', `GET ${raw}/tables/t`, 'allowed', '["dev_analytics.raw.t"]', null],
  ])
})

test('what is refused before the catalog is asked has its shape too', async () => {
  const { rest } = await opened()
  const answer = rest.failed(new Failure('RATE_LIMITED', 'too many', { retryAfterMs: 1_500 }), 'id')
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2'])
  expect(await answer.json()).toEqual({ error: { message: 'too many', type: 'SlowDownException', code: 503 } })
  const crash = rest.failed(new TypeError('secret of /etc'), 'id')
  expect([crash.status, await crash.text()]).toEqual([500, expect.not.stringContaining('secret')])
})

test('a closed catalog says why; a body that is too large is not read', async () => {
  const closed = await opened({ settings: { closed: 'set catalog.trust_clients' } })
  const answer = await closed.ask('GET /v1/config')
  expect([answer.status, answer.body.error.message]).toEqual([403, expect.stringContaining('trust_clients')])
  const small = await opened({ settings: { bodyBytesMax: 100 } })
  const large = await small.ask(`POST ${dev}/namespaces`, { text: 'x'.repeat(101) })
  expect([large.status, large.headers.get('connection')]).toEqual([413, 'close'])
})

test('credentials and signatures are for the files of the table only', async () => {
  const signed: string[] = []
  const world = await opened({
    storage: {
      root: 's3://lake/tables',
      locations: [],
      exists: async () => true,
      config: { 'client.region': 'eu-west-1' },
      credentialsFor: async (table, access) => [
        { prefix: table.metadata.location, config: { 's3.access-key-id': access } },
      ],
      signing: {
        objectOf: (url) => (url.host === 'store' ? `s3:/${decodeURIComponent(url.pathname)}` : undefined),
        async sign({ method, url, headers }) {
          signed.push(`${method} ${url.pathname}`)
          return { ...headers, authorization: 'AWS4-HMAC-SHA256 …' }
        },
      },
    },
  })
  await filled(world)
  const load = (as: string, ways: string) =>
    world.ask(`GET ${raw}/tables/t`, { as, headers: { 'x-iceberg-access-delegation': ways } })
  const vended = await load('reader', 'vended-credentials,remote-signing')
  expect(vended.body.config).toEqual({ 'client.region': 'eu-west-1', 's3.access-key-id': 'read' })
  expect(vended.body['storage-credentials']).toEqual([
    { prefix: vended.body.metadata.location, config: { 's3.access-key-id': 'read' } },
  ])
  expect((await load('reader', '')).body.config).toEqual({})
  expect((await world.ask('GET /v1/config')).body.defaults).toMatchObject({ 'client.region': 'eu-west-1' })
  const { body } = await world.ask(`GET ${raw}/tables/t/credentials`)
  expect(body['storage-credentials'][0].config).toEqual({ 's3.access-key-id': 'write' })
  const remote = await load('admin', 'remote-signing')
  const endpoint = remote.body.config['signer.endpoint']
  expect(endpoint).toBe('v1/dev_analytics/namespaces/raw/tables/t/sign')

  const folder = remote.body.metadata.location.replace('s3://lake/', '')
  const sign = (uri: string, { method = 'GET', as = 'admin', ...more }: Record<string, unknown> = {}) =>
    world.ask(`POST /${endpoint}`, {
      as: as as string,
      body: { region: 'r', uri, method, headers: { 'x-a': ['1'] }, ...more },
    })
  const fine = await sign(`http://store/lake/${folder}/data/a%20b.parquet`)
  expect(fine.body.headers).toEqual({ 'x-a': ['1'], authorization: ['AWS4-HMAC-SHA256 …'] })
  const deleting = (key: string) => ({ method: 'POST', body: `<Delete><Object><Key>${key}</Key></Object></Delete>` })
  const copying = (source: string) => ({ method: 'PUT', headers: { 'x-amz-copy-source': [source] } })
  for (const [uri, more, status] of [
    [`http://store/lake/${folder}/data/x`, { method: 'PUT' }, 200],
    [`http://store/lake/${folder}/data/x`, { method: 'PUT', as: 'reader' }, 403],
    [`http://store/lake/${folder}/data/x`, { as: 'reader' }, 200],
    [`http://store/lake/${folder}2/x`, {}, 403],
    [`http://store/lake/${folder}/%2e%2e%2Fx`, {}, 403],
    [`http://store/other/${folder}/x`, {}, 403],
    [`http://evil/lake/${folder}/x`, {}, 400],
    [`http://store/lake?list-type=2&prefix=${folder}`, {}, 200],
    [`http://store/lake?list-type=2&prefix=`, {}, 403],
    [`http://store/lake?prefix=${folder}&prefix=other`, {}, 400],
    [`http://store/lake?prefix=${folder}&policy`, {}, 403],
    [`http://store/lake/${folder}/data/x?X-Amz-Copy-Source=lake/secret`, { method: 'PUT' }, 400],
    [`http://store/lake?delete`, deleting(`${folder}/data/x</Key><Key >tables/other/x</Key ><Key>${folder}/y`), 400],
    [
      `http://store/lake?delete`,
      deleting(`${folder}/x</Key><Key><![CDATA[tables/other/x]]></Key><Key>${folder}/y`),
      400,
    ],
    [`http://store/lake?delete`, deleting(`${folder}/&#x2e;./other/x`), 403],
    [`http://store/lake?delete`, deleting(`${folder}/data/x`), 200],
    [`http://store/lake?delete`, deleting('tables/other/x'), 403],
    [`http://store/lake?delete`, { method: 'POST' }, 400],
    [`http://store/lake/${folder}/data/y`, copying(`/lake/${folder}/data/x`), 200],
    [`http://store/lake/${folder}/data/y`, copying('/lake/secret'), 403],
    [`http://store/lake/${folder}/data/y`, { method: 'PUT', headers: { 'X-Amz-Rename-Source': '/lake/secret' } }, 403],
  ] as const)
    expect([uri, (await sign(uri, more)).status]).toEqual([uri, status])
  expect(signed).toHaveLength(6)
})
