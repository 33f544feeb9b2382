import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { silentLog } from '../base/log.ts'
import { openMemoryRecords } from '../records/index.ts'
import { decide, openGovern, systemPrincipal } from './index.ts'
import { looksLikeJwt, openJwtVerifier, type JwtSettings } from './jwt.ts'

const nowMs = Date.parse('2026-03-01T00:00:00Z')
const clock = { now: () => nowMs, random: () => 0.5, sleep: async () => {} }
const [issuer, audience] = ['https://login.example.com', 'boathouse']
let keys: { publicKey: CryptoKey; privateKey: CryptoKey }
let others: typeof keys
let jwks: string
beforeAll(async () => {
  keys = await generateKeyPair('ES256', { extractable: true })
  others = await generateKeyPair('ES256', { extractable: true })
  jwks = JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256' }] })
})
const settings = (more: Partial<JwtSettings> = {}): JwtSettings => ({
  issuer,
  audience,
  keys: { jwks },
  name: 'sub',
  roles: 'roles',
  groups: 'groups',
  attributes: ['region', 'level'],
  ...more,
})

type Signed = {
  claims?: JWTPayload
  alg?: string
  key?: CryptoKey | Uint8Array
  iss?: string
  aud?: string | string[]
  exp?: number | null
  kid?: string
}
function sign({
  claims = {},
  alg = 'ES256',
  key = keys.privateKey,
  iss = issuer,
  aud = audience,
  exp,
  kid = 'one',
}: Signed = {}) {
  const token = new SignJWT({ sub: 'u-17', ...claims }).setProtectedHeader({ alg, kid }).setIssuer(iss).setAudience(aud)
  return (exp === null ? token : token.setExpirationTime(exp ?? nowMs / 1_000 + 600)).sign(key)
}
const verify = async (token: string, more: Partial<JwtSettings> = {}) =>
  (await openJwtVerifier(settings(more), { clock, log: silentLog })).verify(token)

test('a token says who somebody is and what they are', async () => {
  const token = await sign({
    claims: { roles: ['Analyst', 'admin', 7], groups: 'eu us', region: 'EU', level: 3, other: 'x' },
  })
  expect(looksLikeJwt(token)).toBe(true)
  expect(await verify(token)).toEqual({
    id: expect.stringMatching(/^jwt:[0-9a-f]{32}$/),
    name: 'u-17',
    role: 'member',
    roles: ['analyst', 'admin'],
    groups: ['eu', 'us'],
    attributes: { region: 'EU', level: '3' },
  })
  expect(await verify(await sign({ claims: { email: 'a@b.c' } }), { name: 'email' })).toMatchObject({
    name: 'a@b.c',
    roles: [],
  })
  expect(await verify(await sign({ claims: { sub: 'system' } }))).toMatchObject({ name: 'system (jwt)' })
  expect(await verify(await sign({ aud: ['x', audience] }))).toBeDefined()
  expect(await verify(await sign(), { keys: { publicKey: await exportSPKI(keys.publicKey) } })).toBeDefined()
})

const tampered = (token: string, at: 0 | 1 | 2, change: (part: string) => string) =>
  token
    .split('.')
    .map((part, index) => (index === at ? change(part) : part))
    .join('.')
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

test.each<[string, () => Promise<string>]>([
  ['too old', () => sign({ exp: nowMs / 1_000 - 60 })],
  ['without an end', () => sign({ exp: null })],
  ['of another issuer', () => sign({ iss: 'https://login.example.org' })],
  ['for another audience', () => sign({ aud: 'other' })],
  ['not valid yet', () => sign({ claims: { nbf: nowMs / 1_000 + 600 } })],
  ['without a subject', () => sign({ claims: { sub: '' } })],
  ['signed by another key', () => sign({ key: others.privateKey })],
  [
    'signed with the public key as a shared secret',
    async () => sign({ alg: 'HS256', key: new TextEncoder().encode(await exportSPKI(keys.publicKey)) }),
  ],
  [
    'not signed',
    async () =>
      tampered(
        tampered(await sign(), 0, () => encode({ alg: 'none' })),
        2,
        () => '',
      ),
  ],
  [
    'with another content',
    async () => tampered(await sign(), 1, () => encode({ sub: 'admin', iss: issuer, aud: audience, exp: nowMs })),
  ],
  ['with a signature cut off', async () => tampered(await sign(), 2, (part) => part.slice(0, 20))],
  ['too long', () => sign({ claims: { x: 'x'.repeat(20_000) } })],
  ['of garbage', async () => 'a.b.c'],
])('a token %s opens nothing', async (_what, make) => {
  const token = await make()
  expect(await verify(token)).toBeUndefined()
  expect(await verify(token, { keys: { publicKey: await exportSPKI(keys.publicKey) } })).toBeUndefined()
})

test('a token of a subject that is no text opens nothing', async () =>
  expect(
    await verify(await sign({ claims: { sub: {} as string, email: 'a@b.c' } }), { name: 'email' }),
  ).toBeUndefined())

test('a token of a key that the issuer does not have opens nothing', async () =>
  expect(await verify(await sign({ kid: 'two' }))).toBeUndefined())

test('keys are fetched from the issuer, and again when a new one signs', async () => {
  let served = JSON.stringify({ keys: [] })
  const server = createServer((_, response) => response.setHeader('content-type', 'application/json').end(served))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const fresh = () => openJwtVerifier(settings({ keys: { jwksUrl } }), { clock, log: silentLog })
  expect(await (await fresh()).verify(await sign())).toBeUndefined()
  served = jwks
  expect(await (await fresh()).verify(await sign())).toMatchObject({ name: 'u-17' })
})

test('keys that are none are a mistake of the settings', async () => {
  await expect(verify(await sign(), { keys: { jwks: 'not json' } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

let records: Awaited<ReturnType<typeof openMemoryRecords>>
afterAll(() => records?.close())
test('a JWT is taken where an API token is, and has what its roles are granted', async () => {
  records = await openMemoryRecords({ clock })
  const govern = openGovern({ records, clock, jwt: settings() })
  await govern.users.create({ name: 'u-17', role: 'admin' })
  const change = { by: systemPrincipal, source: 'sql' as const }
  await govern.access.createRole('analyst', change)
  await govern.access.grant({ privileges: ['select'], on: { namespace: 'raw' }, to: ['analyst'] }, change)
  const principal = await govern.tokens.authenticate(await sign({ claims: { roles: ['analyst'] } }))
  const policy = await govern.access.policy()
  const verdict = (namespace: string) =>
    decide(policy, principal!, 'select', { catalog: 'c', namespace, name: 't' }).verdict
  expect([verdict('raw'), verdict('marts')]).toEqual(['allowed', 'refused'])
  expect(await govern.tokens.authenticate('a.b.c')).toBeUndefined()
  expect(await openGovern({ records, clock }).tokens.authenticate(await sign())).toBeUndefined()
})

test('SQL clients give a JWT as the password of whom it names, for as long as it counts', async () => {
  const store = await openMemoryRecords({ clock })
  onTestFinished(() => store.close())
  let laterMs = 0
  const moving = { ...clock, now: () => nowMs + laterMs }
  const { wire, users } = openGovern({ records: store, clock: moving, jwt: settings({ name: 'email' }) })
  await users.create({ name: 'ana@example.com', role: 'admin' })
  const visitor = { address: '127.0.0.1' }
  const token = await sign({ claims: { email: 'Ana@example.com', roles: ['analyst'] } })
  const identity = await wire.logIn('ana@example.com', token, visitor)
  expect(identity.principal).toMatchObject({ id: expect.stringMatching(/^jwt:/), role: 'member', roles: ['analyst'] })
  expect(await wire.refresh(identity)).toEqual(identity.principal)
  const refused = { code: 'UNAUTHENTICATED' }
  await expect(wire.logIn('rob@example.com', token, visitor)).rejects.toMatchObject(refused)
  const forged = await sign({ claims: { email: 'ana@example.com' }, key: others.privateKey })
  await expect(wire.logIn('ana@example.com', forged, visitor)).rejects.toMatchObject(refused)
  laterMs = 24 * 3_600_000
  expect(await wire.refresh(identity)).toBeUndefined()
  await expect(wire.logIn('ana@example.com', token, visitor)).rejects.toMatchObject(refused)
})
