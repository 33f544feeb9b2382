// Apache Polaris, which cannot be installed here, as its documentation and its issues describe it: the realm in a header,
// the log-in, the warehouse that becomes a prefix, and keys to storage that it gives, or refuses to give.

import { expect, onTestFinished, test } from 'vitest'
import { fakeS3 } from '../../../test/support/fake-s3.ts'
import { answering, type TestRequest } from '../../../test/support/http-server.ts'
import { realClock } from '../../base/clock.ts'
import { newTableMetadata, printTableMetadata } from '../../iceberg/index.ts'
import { memoryFileIO } from '../../io/index.ts'
import { openRestCatalog } from './rest-catalog.ts'
import { vendedStorage } from './vended.ts'

const name = { catalog: 'dev', namespace: 'raw', name: 'sales' }
const location = 's3://lake/dev/raw/sales'
const metadata = JSON.parse(
  printTableMetadata(
    newTableMetadata({
      uuid: crypto.randomUUID(),
      location,
      nowMs: 1,
      schema: [{ name: 'id', type: { kind: 'int' } }],
    }),
  ),
) as unknown

/** `vends`: whether the catalog's storage has an STS. */
async function polaris({ vends = true } = {}) {
  const store = await fakeS3()
  onTestFinished(() => store.close())
  const requests: TestRequest[] = []
  const refused = (status: number, type: string, message: string) => ({
    status,
    json: { error: { message, type, code: status } },
  })
  let issued = 0
  const path = '/api/catalog/v1'
  const keysOf = (id: string) => ({
    's3.endpoint': store.endpoint,
    's3.path-style-access': 'true',
    's3.access-key-id': id,
    's3.secret-access-key': 'secret',
    's3.session-token': `session of ${id}`,
    's3.session-token-expires-at-ms': String(Date.now() + 3_600_000),
    'client.refresh-credentials-endpoint': 'v1/lake/namespaces/dev%1Fraw/tables/sales/credentials',
  })
  const uri = await answering((request) => {
    requests.push(request)
    const { url, headers, body } = request
    if (headers['polaris-realm'] !== 'analytics')
      return refused(404, 'MissingOrInvalidRealm', 'Missing or invalid realm')
    if (url === `${path}/oauth/tokens`) {
      const form = new URLSearchParams(body)
      if (!form.get('scope')?.startsWith('PRINCIPAL_ROLE:'))
        return { status: 400, json: { error: 'invalid_scope', error_description: 'The scope is invalid' } }
      if (form.get('client_id') !== 'id' || form.get('client_secret') !== 'secret')
        return {
          status: 401,
          json: { error: 'unauthorized_client', error_description: 'The client is not authorized' },
        }
      issued++
      return { json: { access_token: `t${issued}`, token_type: 'bearer', expires_in: 3600 } }
    }
    if (headers.authorization !== `Bearer t${issued}`) return { status: 401 }
    if (url.startsWith(`${path}/config`))
      return new URL(url, 'http://x').searchParams.get('warehouse') === 'lake'
        ? { json: { defaults: { 'default-base-location': 's3://lake' }, overrides: { prefix: 'lake' } } }
        : refused(404, 'NotFoundException', 'Unable to find warehouse other')
    const wantsKeys = headers['x-iceberg-access-delegation'] === 'vended-credentials'
    if (url === `${path}/lake/namespaces/dev%1Fraw/tables/sales`) {
      if (wantsKeys && !vends)
        return refused(
          400,
          'IllegalArgumentException',
          'Credential vending was requested for table dev.raw.sales, but no credentials are available',
        )
      const config = wantsKeys ? keysOf('vended') : {}
      const credentials = wantsKeys ? [{ prefix: location, config }] : []
      return {
        json: {
          'metadata-location': `${location}/metadata/1.json`,
          metadata,
          config,
          'storage-credentials': credentials,
        },
      }
    }
    return refused(404, 'NotFoundException', `nothing at ${url}`)
  })
  return { uri: `${uri}/api/catalog`, store, requests, forgetTokens: () => issued++ }
}

const own = memoryFileIO()
async function opened({ uri }: { uri: string }, more: Partial<Parameters<typeof openRestCatalog>[0]> = {}) {
  const vended = vendedStorage({ own, clock: realClock })
  const settings = {
    uri,
    warehouse: 'lake',
    environmentAs: 'namespace',
    credential: 'id:secret',
    scope: 'PRINCIPAL_ROLE:ALL',
    headers: { 'Polaris-Realm': 'analytics' },
    vended,
    clock: { ...realClock, sleep: async () => {} },
  } as const
  return { catalog: await openRestCatalog({ ...settings, ...more }), io: vended.io }
}

test('a log-in with its realm, the prefix of the warehouse, and keys for the table', async () => {
  const server = await polaris()
  const { catalog, io } = await opened(server)
  expect(await catalog.load(name)).toMatchObject({ kind: 'table', metadata: { location } })
  await io.write(`${location}/data/a`, Buffer.from('x'))
  const [put] = server.store.requests
  expect(put!.headers.authorization).toContain('Credential=vended/')
  expect(put!.headers['x-amz-security-token']).toBe('session of vended')
  expect(server.requests.every(({ headers }) => headers['polaris-realm'] === 'analytics')).toBe(true)
  server.forgetTokens()
  expect(await catalog.load(name)).toMatchObject({ kind: 'table' })
})

test.each<[string, Partial<Parameters<typeof openRestCatalog>[0]>, object]>([
  ['the realm is missing', { headers: {} }, { code: 'UNAUTHENTICATED', message: /Missing or invalid realm/ }],
  ['the scope is of another server', { scope: 'catalog' }, { code: 'UNAUTHENTICATED', message: /invalid_scope/ }],
  ['the secret is wrong', { credential: 'id:wrong' }, { code: 'UNAUTHENTICATED', message: /unauthorized_client/ }],
  [
    'there is no such catalog',
    { warehouse: 'other' },
    { code: 'NOT_FOUND', message: /Unable to find warehouse other/ },
  ],
])('%s: its own words', async (_, more, { message, ...failure }: { message?: RegExp }) => {
  const error = await opened(await polaris(), more).catch((cause: unknown) => cause)
  expect(error).toMatchObject(failure)
  expect((error as Error).message).toMatch(message!)
})

test('a realm is not told to an identity provider of somebody else', async () => {
  const server = await polaris()
  const asked: TestRequest[] = []
  const provider = await answering((request) => (asked.push(request), { json: { access_token: 't0', expires_in: 60 } }))
  await opened(server, { oauthUri: `${provider}/token` })
  expect(asked[0]!.headers['polaris-realm']).toBeUndefined()
})

test('keys that it cannot give: the hint says what to set, and with that it works', async () => {
  const server = await polaris({ vends: false })
  const { catalog } = await opened(server)
  await expect(catalog.load(name)).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    hint: expect.stringContaining('catalog.vended_credentials: false'),
  })
  const without = await openRestCatalog({
    uri: server.uri,
    warehouse: 'lake',
    environmentAs: 'namespace',
    credential: 'id:secret',
    scope: 'PRINCIPAL_ROLE:ALL',
    headers: { 'Polaris-Realm': 'analytics' },
    clock: realClock,
  })
  expect(await without.load(name)).toMatchObject({ kind: 'table' })
})
