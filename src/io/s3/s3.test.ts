import { mkdtempSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { fakeS3, type FakeS3, type Misbehaviour, type S3Request } from '../../../test/support/fake-s3.ts'
import { Failure } from '../../base/failure.ts'
import { s3FileIO, type S3Options } from './s3.ts'

const folder = mkdtempSync(join(tmpdir(), 'boathouse-s3-'))
const running: FakeS3[] = []
afterEach(async () => {
  for (const store of running.splice(0)) await store.close()
})
afterAll(() => rm(folder, { recursive: true }))

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes)
const secret = 'a-secret-key'

async function open(store: { conditional?: boolean; pageSize?: number } = {}, options: Partial<S3Options> = {}) {
  const fake = await fakeS3(store)
  running.push(fake)
  const io = s3FileIO({
    endpoint: fake.endpoint,
    credentials: async () => ({ accessKeyId: 'key', secretAccessKey: secret, sessionToken: 'session' }),
    retries: { waitMsMin: 1, waitMsMax: 2, attemptsMax: 4 },
    idleMs: 30_000,
    ...options,
  })
  return { fake, io }
}

/** Patience for a store that will never answer; else there is enough of it for a machine that is busy. */
const impatientOf = (wrong: Misbehaviour): Partial<S3Options> => ('silent' in wrong ? { idleMs: 150 } : {})

/** These misbehaviours for the first requests of this method, then none. */
const first = (method: string, ...wrongs: Misbehaviour[]) => {
  const left = [...wrongs]
  return (request: S3Request) => (request.method === method ? left.shift() : undefined)
}

test.each([
  ['a busy store', { status: 503, code: 'SlowDown' }],
  ['a limit', { status: 429 }],
  ['a cut connection', { cut: 'before' }],
  ['an answer that breaks off', { cut: 'midway' }],
  ['silence', { silent: true }],
] as const)('reading goes on after %s', async (_, wrong) => {
  const { fake, io } = await open({}, impatientOf(wrong))
  await io.write('s3://b/k', bytes('hello'))
  fake.misbehave = first('GET', wrong, wrong)
  expect(text(await io.read('s3://b/k'))).toBe('hello')
  fake.misbehave = first('GET', wrong, wrong, wrong, wrong, wrong)
  await expect(io.read('s3://b/k')).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
})

// The answer is lost, and whether the object is there decides.
test.each([
  ['after the effect', { cut: 'after' }, true],
  ['before the effect', { cut: 'before' }, true],
  ['by a time-out', { silent: true }, true],
  ['in a 500', { status: 500 }, true],
  ['in a conflict with another request', { status: 409, code: 'ConditionalRequestConflict' }, true],
] as const)('creating knows its own object when the answer is lost %s', async (_, wrong, mine) => {
  for (const conditional of [true, false]) {
    const { fake, io } = await open({ conditional }, impatientOf(wrong))
    fake.misbehave = first('PUT', wrong, wrong)
    expect(await io.create('s3://b/k', bytes('mine'))).toBe(mine)
    fake.misbehave = first('PUT', wrong)
    expect(await io.create('s3://b/k', bytes('other'))).toBe(false)
    expect(text(await io.read('s3://b/k'))).toBe('mine')
  }
})

test('another creator that came while the answer was lost has won', async () => {
  for (const conditional of [true, false]) {
    const { fake, io } = await open({ conditional })
    fake.misbehave = (request, index) => {
      if (request.method !== 'PUT' || index > 2) return undefined
      fake.objects.set('b/k', { bytes: Buffer.from('theirs'), headers: {}, modified: new Date() })
      return { cut: 'before' }
    }
    expect(await io.create('s3://b/k', bytes('mine'))).toBe(false)
    expect(text(await io.read('s3://b/k'))).toBe('theirs')
  }
})

test('a store that ignores the condition is found out by the first object, and objects are not overwritten', async () => {
  const { fake, io } = await open({ conditional: false })
  expect(await io.create('s3://b/1', bytes('1'))).toBe(true)
  expect(fake.requests.map(({ method }) => method)).toEqual(['HEAD', 'PUT', 'PUT'])
  expect(await io.create('s3://b/1', bytes('2'))).toBe(false)
  expect(await io.create('s3://b/2', bytes('2'))).toBe(true)
  expect(fake.requests.slice(3).map(({ method }) => method)).toEqual(['HEAD', 'HEAD', 'PUT'])
  const honest = await open()
  for (const name of ['1', '2']) await honest.io.create(`s3://b/${name}`, bytes(name))
  expect(honest.fake.requests.map(({ method }) => method)).toEqual(['HEAD', 'PUT', 'PUT', 'PUT'])
})

test('a store that refuses the header itself is written without it', async () => {
  const { fake, io } = await open({ conditional: false })
  fake.misbehave = ({ headers }) => (headers['if-none-match'] ? { status: 501, code: 'NotImplemented' } : undefined)
  expect(await io.create('s3://b/1', bytes('1'))).toBe(true)
  expect(await io.create('s3://b/1', bytes('1'))).toBe(false)
})

const mib = 2 ** 20
const big = Uint8Array.from({ length: 2.5 * mib }, (_, index) => index % 251)
async function bigFile() {
  const file = join(folder, 'big')
  await writeFile(file, big)
  return file
}

test.each([
  ['as planned', []],
  [
    'with lost parts',
    [
      { method: 'PUT', wrong: { cut: 'after' } },
      { method: 'PUT', wrong: { status: 503 } },
    ],
  ],
  ['with a lost end', [{ method: 'POST', query: 'uploadId', wrong: { cut: 'after' } }]],
  ['with an end that never came', [{ method: 'POST', query: 'uploadId', wrong: { cut: 'before' } }]],
  [
    'with an end that failed after its 200',
    [{ method: 'POST', query: 'uploadId', wrong: { status: 200, code: 'InternalError' } }],
  ],
] as { 0: string; 1: { method: string; query?: string; wrong: Misbehaviour }[] }[] as [
  string,
  { method: string; query?: string; wrong: Misbehaviour }[],
][])('large files go up in parts, %s', async (_, wrongs) => {
  const { fake, io } = await open({}, { partBytes: mib })
  const left = [...wrongs]
  fake.misbehave = ({ method, query }) => {
    const next = left[0]
    if (!next || next.method !== method || (next.query && !query.has(next.query))) return undefined
    return left.shift()!.wrong
  }
  expect(await io.upload('s3://b/big', await bigFile())).toBe(true)
  expect(left).toEqual([])
  expect(Buffer.compare((await io.read('s3://b/big'))!, big)).toBe(0)
  expect(await io.upload('s3://b/big', await bigFile())).toBe(false)
  expect(fake.uploads.size).toBe(0)
})

test('an upload that fails leaves no parts behind', async () => {
  const { fake, io } = await open({}, { partBytes: mib })
  fake.misbehave = ({ method, query }) =>
    method === 'PUT' && query.get('partNumber') === '2' ? { status: 403, code: 'AccessDenied' } : undefined
  await expect(io.upload('s3://b/big', await bigFile())).rejects.toThrow('AccessDenied')
  expect(fake.uploads.size).toBe(0)
  expect(fake.objects.size).toBe(0)
  expect((await readFile(join(folder, 'big'))).length).toBe(big.length)
})

test('listing goes through all pages', async () => {
  const { io } = await open({ pageSize: 2 })
  const names = ['a', 'b c+d', 'd/e=1%2F', 'ü&<>', 'z']
  for (const name of names) await io.write(`s3a://b/t/${name}`, bytes(name))
  await io.write('s3://b/tt', bytes(''))
  await io.write('s3://b/t/folder/', bytes(''))
  expect((await Array.fromAsync(io.list('s3a://b/t'), ({ path }) => path)).sort()).toEqual(
    names.map((name) => `s3a://b/t/${name}`).sort(),
  )
  await io.deleteAll(names.map((name) => `s3://b/t/${name}`))
  expect(await Array.fromAsync(io.list('s3://b/t/'), ({ path }) => path)).toEqual([])
})

test('clocks that differ are set right by the first refusal', async () => {
  const clock = { now: () => Date.now() - 3_600_000, random: () => 0, sleep: async () => {} }
  const { fake, io } = await open({}, { clock })
  fake.misbehave = ({ headers }) => {
    const [date] = /\d{8}T\d{6}/.exec(String(headers['x-amz-date']))!
    const iso = date.replace(/(....)(..)(..)T(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z')
    return Math.abs(Date.parse(iso) - Date.now()) > 900_000 ? { status: 403, code: 'RequestTimeTooSkewed' } : undefined
  }
  await io.write('s3://b/k', bytes('x'))
  expect(text(await io.read('s3://b/k'))).toBe('x')
  expect(fake.requests).toHaveLength(3)
})

test('the region that the store names is used from then on', async () => {
  const { fake, io } = await open()
  const headers = { 'x-amz-bucket-region': 'eu-central-1' }
  fake.misbehave = (request) =>
    request.headers.authorization?.includes('/eu-central-1/')
      ? undefined
      : { status: 400, code: 'AuthorizationHeaderMalformed', headers }
  await io.write('s3://b/k', bytes('x'))
  await io.write('s3://b/k2', bytes('x'))
  expect(fake.requests).toHaveLength(3)
})

test('a session that expired early is renewed', async () => {
  let asked = 0
  const credentials = async () => ({ accessKeyId: 'k', secretAccessKey: secret, sessionToken: `session ${++asked}` })
  const { fake, io } = await open({}, { credentials })
  fake.misbehave = ({ headers }) =>
    headers['x-amz-security-token'] === 'session 1' ? { status: 400, code: 'ExpiredToken' } : undefined
  await io.write('s3://b/k', bytes('x'))
  expect(asked).toBe(2)
})

test('a body that does not fit its ETag is read again; a store whose ETags are no MD5 is trusted', async () => {
  const { fake, io } = await open()
  await io.write('s3://b/k', bytes('hello'))
  fake.objects.get('b/k')!.headers['etag'] = `"${'0'.repeat(32)}"`
  expect(text(await io.read('s3://b/k'))).toBe('hello')
  expect(text(await io.read('s3://b/k'))).toBe('hello')
  expect(fake.requests.filter(({ method }) => method === 'GET')).toHaveLength(3)
})

test.each([
  [
    'GET',
    { status: 403, code: 'SignatureDoesNotMatch' },
    'cannot read "s3://b/k": SignatureDoesNotMatch: as told (status 403)',
  ],
  ['GET', { status: 404, code: 'NoSuchBucket' }, 'cannot read "s3://b/k": NoSuchBucket: as told (status 404)'],
  ['GET', { status: 301 }, 'cannot read "s3://b/k": the store gave no reason (status 301)'],
] as const)('%s refused with %o', async (method, wrong, message) => {
  const { fake, io } = await open()
  fake.misbehave = first(method, wrong, wrong, wrong, wrong)
  const failure = await io.read('s3://b/k').catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(Failure)
  expect((failure as Failure).message).toBe(message)
  expect(JSON.stringify(failure)).not.toContain(secret)
})

test('an aborted request stops at once, also while it waits for its next attempt', async () => {
  const { fake, io } = await open({}, { idleMs: 10_000, retries: { waitMsMin: 60_000, waitMsMax: 60_000 } })
  for (const wrong of [{ silent: true }, { status: 503 }] as const) {
    fake.misbehave = () => wrong
    const abort = new AbortController()
    const reading = io.read('s3://b/k', abort.signal)
    setTimeout(() => abort.abort(), 20)
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
  }
})

test('nobody there: the words of the network', async () => {
  const { fake, io } = await open()
  await fake.close()
  running.length = 0
  await expect(io.read('s3://b/k')).rejects.toThrow('cannot read "s3://b/k": nobody listens there (ECONNREFUSED)')
  await expect(io.create('s3://b/k', bytes(''))).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
})

test('without credentials requests are not signed', async () => {
  const { fake, io } = await open({}, { credentials: async () => undefined })
  await io.write('s3://b/k', bytes('x'))
  expect(fake.requests[0]!.headers.authorization).toBeUndefined()
})

test('names of objects reach the store as they are', async () => {
  const { fake, io } = await open()
  for (const key of ['a/../b', 'a//b', './c', 'a%2Fb', 'x?y#z', "it's (1)*!"]) {
    await io.write(`s3://b/${key}`, bytes(key))
    expect(fake.objects.has(`b/${key}`)).toBe(true)
    expect(text(await io.read(`s3://b/${key}`))).toBe(key)
  }
})
