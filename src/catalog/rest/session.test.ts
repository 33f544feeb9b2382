// What a session does before and around requests; what becomes of changes is tested against a real server
// (test/rest-client.test.ts).

import { expect, test } from 'vitest'
import { answering, type TestRequest } from '../../../test/support/http-server.ts'
import { realClock } from '../../base/clock.ts'
import { clientCredentials } from './oauth.ts'
import { openRestCatalog } from './rest-catalog.ts'
import { openSession } from './session.ts'

const clock = { ...realClock, sleep: async () => {} }

test('a token is asked for once, renewed before it is too old, and when it is refused', async () => {
  let [now, given] = [0, 0]
  const forms: Record<string, string>[] = []
  const uri = await answering(({ body }) => {
    forms.push(Object.fromEntries(new URLSearchParams(body)))
    return { json: { access_token: `t${++given}`, expires_in: 600 } }
  })
  const token = clientCredentials({
    credential: 'id:se:cret',
    tokenUri: `${uri}/tokens`,
    scope: 'a b',
    audience: 'x',
    clock: { ...clock, now: () => now },
  })
  expect(await Promise.all([token(), token()])).toEqual(['t1', 't1'])
  now = 530_000
  expect(await token()).toBe('t1')
  now = 550_000
  expect(await token()).toBe('t2')
  expect(await token({ refused: 't1' })).toBe('t2') // somebody else has renewed it
  expect(await token({ refused: 't2' })).toBe('t3')
  const form = {
    grant_type: 'client_credentials',
    client_id: 'id',
    client_secret: 'se:cret',
    scope: 'a b',
    audience: 'x',
  }
  expect(forms).toEqual([form, form, form])
})

test.each([
  [
    400,
    { error: 'invalid_scope', error_description: 'no such scope' },
    'UNAUTHENTICATED',
    'invalid_scope: no such scope',
  ],
  [401, { error: { message: 'Malformed credential', code: 401 } }, 'UNAUTHENTICATED', 'Malformed credential'],
  [200, { token: 'x' }, 'UNAUTHENTICATED', 'status 200'],
  [500, undefined, 'CATALOG_FAILED', 'status 500'],
])('no token: %s %o', async (status, json, code, words) => {
  const tokenUri = await answering(() => ({ status, json }))
  const token = clientCredentials({ credential: 'id:secret', tokenUri, clock })
  const failure = await token().catch((error: unknown) => error)
  expect(failure).toMatchObject({ code })
  expect(String(failure)).toContain(words)
  expect(String(failure)).not.toContain('secret')
})

test('a refused token is replaced and the request sent once more', async () => {
  let given = 0
  const seen: string[] = []
  const uri = await answering(({ url, headers }) => {
    if (url.endsWith('/tokens')) return { json: { access_token: `t${++given}`, expires_in: 600 } }
    seen.push(headers.authorization ?? '')
    return headers.authorization === 'Bearer t1' && seen.length > 1 ? { status: 401 } : { json: {} }
  })
  const token = clientCredentials({ credential: 's', tokenUri: `${uri}/v1/oauth/tokens`, clock })
  const authentication = { type: 'token', token } as const
  const session = await openSession({ uri, warehouse: undefined, authentication, headers: {}, clock })
  await session.ask({ method: 'GET', path: 'namespaces' })
  expect(seen).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t2'])
})

/** A server with this configuration; `answer` sees everything else. */
const configured = (
  config: object,
  answer: (request: TestRequest) => { json?: unknown; status?: number } | undefined,
) => answering((request) => (request.url.startsWith('/base/v1/config') ? { json: config } : answer(request)))

test('defaults, overrides, prefix and separator come from the configuration', async () => {
  const seen: string[] = []
  const config = {
    defaults: { a: '1', b: '1' },
    overrides: { b: '2', prefix: 'main|lake/x', 'namespace-separator': '%2E' },
    endpoints: ['GET /v1/{prefix}/namespaces'],
  }
  const uri = await configured(config, ({ url }) => (seen.push(url), { json: {} }))
  const authentication = { type: 'none' } as const
  const session = await openSession({ uri: `${uri}/base/`, warehouse: 'w x', authentication, headers: {}, clock })
  expect(session.properties).toMatchObject({ a: '1', b: '2' })
  expect(session.offers('GET /v1/{prefix}/namespaces')).toBe(true)
  expect(session.offers('POST /v1/{prefix}/transactions/commit')).toBe(false)
  expect(session.namespacePath(['a b', 'c/d', 'ü'])).toBe('a%20b%2Ec%2Fd%2E%C3%BC')
  await session.ask({ method: 'GET', path: `namespaces/${session.namespacePath(['a', '..'])}` })
  expect(seen).toEqual(['/base/v1/main%7Clake/x/namespaces/a%2E..'])
})

test('listings go through all pages, namespaces through all levels', async () => {
  const pages: Record<string, { namespaces: string[][]; 'next-page-token'?: string | null }> = {
    '': { namespaces: [['c'], ['other']], 'next-page-token': null },
    c: { namespaces: [['c', 'a']], 'next-page-token': 'more' },
    'c more': { namespaces: [['c', 'b']], 'next-page-token': null },
    'c\u001fa': { namespaces: [['c', 'a', 'deep']] },
  }
  const uri = await configured({ endpoints: [] }, ({ url }) => {
    const query = new URL(url, 'http://x').searchParams
    const key = [query.get('parent'), query.get('pageToken')].filter(Boolean).join(' ')
    return { json: pages[key] ?? { namespaces: [] } }
  })
  const catalog = await openRestCatalog({ uri: `${uri}/base`, environmentAs: 'namespace', clock })
  expect(await catalog.namespaces('c')).toEqual(['a', 'a.deep', 'b'])
  expect(await catalog.catalogs()).toEqual(['c', 'other'])
  expect(catalog.atomic).toBe(false)
})

test.each([
  [400, 'BadRequestException', 'REQUEST_INVALID'],
  [403, 'ForbiddenException', 'FORBIDDEN'],
  [404, 'NoSuchNamespaceException', 'NAMESPACE_NOT_FOUND'],
  [404, 'NoSuchTableException', 'TABLE_NOT_FOUND'],
  [404, undefined, 'NOT_FOUND'],
  [406, 'UnsupportedOperationException', 'UNSUPPORTED'],
  [409, 'AlreadyExistsException', 'ALREADY_EXISTS'],
  [409, 'CommitFailedException', 'COMMIT_CONFLICT'],
  [409, 'NamespaceNotEmptyException', 'NAMESPACE_NOT_EMPTY'],
  [422, 'UnprocessableEntityException', 'REQUEST_INVALID'],
  [503, 'ServiceUnavailableException', 'CATALOG_FAILED'],
])('%s %s is %s, in the words of the server', async (status, type, code) => {
  const error = { message: 'as I say', type, code: status }
  const uri = await configured({}, () => ({ status, json: { error } }))
  const authentication = { type: 'none' } as const
  const session = await openSession({ uri: `${uri}/base`, warehouse: undefined, authentication, headers: {}, clock })
  await expect(session.ask({ method: 'GET', path: 'x' })).rejects.toMatchObject({
    code,
    message: 'the catalog says: as I say',
  })
})

test.each([
  ['no JSON', { text: '<html>' }],
  ['an answer of another kind', { json: [1, 2] }],
])('a server that answers the configuration with %s', async (_, answer) => {
  const uri = await answering(() => answer)
  const opened = openRestCatalog({ uri, environmentAs: 'namespace', clock })
  if ('text' in answer) await expect(opened).rejects.toMatchObject({ code: 'CATALOG_FAILED' })
  else expect((await opened).atomic).toBe(true)
})
