import { expect, onTestFinished, test } from 'vitest'
import { fakeS3 } from '../../../test/support/fake-s3.ts'
import { realClock } from '../../base/clock.ts'
import { memoryFileIO } from '../../io/index.ts'
import { vendedStorage } from './vended.ts'

async function opened() {
  const store = await fakeS3()
  onTestFinished(() => store.close())
  let now = 0
  const own = memoryFileIO()
  const storage = vendedStorage({ own, clock: { ...realClock, now: () => now } })
  const keys = (id: string, expiresAtMs?: number) => ({
    's3.endpoint': store.endpoint,
    's3.access-key-id': id,
    's3.secret-access-key': 'secret',
    's3.session-token': `token of ${id}`,
    ...(expiresAtMs !== undefined && { 's3.session-token-expires-at-ms': String(expiresAtMs) }),
  })
  const seenKey = () => /Credential=([^/]+)/.exec(store.requests.at(-1)!.headers.authorization ?? '')?.[1]
  return { own, ...storage, keys, seenKey, store, wait: (ms: number) => (now += ms) }
}
const none = async () => []
const bytes = Buffer.from('x')

test('the longest prefix gives the keys; what nothing was vended for uses our own', async () => {
  const { io, own, vend, keys, seenKey } = await opened()
  vend(
    's3://b/t',
    {},
    [
      { prefix: 's3://b/t', config: keys('table') },
      { prefix: 's3://b/t/data/', config: keys('data') },
    ],
    none,
  )
  await io.write('s3://b/t/metadata/a', bytes)
  expect(seenKey()).toBe('table')
  await io.write('s3://b/t/data/a', bytes)
  expect(seenKey()).toBe('data')
  await io.write('s3://b/tt/a', bytes)
  expect([...own.files.keys()]).toEqual(['s3://b/tt/a'])
})

test('keys in the configuration of a table are for its location', async () => {
  const { io, own, vend, keys, seenKey } = await opened()
  vend('s3://b/t', keys('config'), [], none)
  vend('s3://b/u', { 's3.endpoint': 'http://localhost:1' }, [], none) // without keys nothing changes
  await io.write('s3://b/t/a', bytes)
  expect(seenKey()).toBe('config')
  await io.write('s3://b/u/a', bytes)
  expect(own.files.size).toBe(1)
})

test('keys that are about to expire, or that the store refuses, are asked for again', async () => {
  const { io, vend, keys, seenKey, store, wait } = await opened()
  let count = 0
  const refresh = async () => [{ prefix: 's3://b/t', config: keys(`fresh${++count}`, 3_600_000 * (count + 1)) }]
  vend('s3://b/t', {}, [{ prefix: 's3://b/t', config: keys('first', 3_600_000) }], refresh)
  await io.write('s3://b/t/a', bytes)
  expect(seenKey()).toBe('first')
  wait(3_400_000)
  await io.write('s3://b/t/a', bytes)
  expect(seenKey()).toBe('fresh1')
  store.misbehave = ({ headers }) =>
    String(headers.authorization).includes('fresh1') ? { status: 400, code: 'ExpiredToken' } : undefined
  wait(10_000)
  await io.write('s3://b/t/a', bytes)
  expect(seenKey()).toBe('fresh2')
  vend('s3://b/t', {}, [{ prefix: 's3://b/t', config: keys('vended again') }], refresh)
  wait(7_200_000)
  await io.write('s3://b/t/a', bytes)
  expect(seenKey()).toBe('vended again')
})
