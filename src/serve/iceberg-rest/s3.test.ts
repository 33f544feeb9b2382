import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { realClock } from '../../base/clock.ts'
import { signRequest } from '../../io/index.ts'
import { s3ForClients } from './s3.ts'

const credentials = async () => ({
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
})
const root = 's3://lake/tables'
const clock = { ...realClock, now: () => Date.UTC(2013, 4, 24) }

test.each([
  ['https://minio:9000', 'https://minio:9000/lake/t/a%20b', 's3://lake/t/a b'],
  ['https://minio:9000', 'https://lake.minio:9000/t/a', 's3://lake/t/a'],
  ['https://minio:9000', 'https://minio:9001/lake/t/a', undefined],
  ['https://minio:9000', 'https://evilminio:9000/lake/t/a', undefined],
  [undefined, 'https://lake.s3.eu-west-1.amazonaws.com/t/a', 's3://lake/t/a'],
  [undefined, 'https://s3.eu-west-1.amazonaws.com/lake/t/a', 's3://lake/t/a'],
  [undefined, 'https://s3.eu-west-1.amazonaws.com.evil.org/lake/t/a', undefined],
])('with the endpoint %s, %s is %s', (endpoint, url, object) => {
  expect(s3ForClients({ root, endpoint, credentials, clock }).signing.objectOf(new URL(url))).toBe(object)
})

test('the signature is that of the example in the S3 API reference; what a library may change is not signed', async () => {
  const { signing } = s3ForClients({ root, region: 'us-east-1', credentials, clock })
  const url = new URL('https://examplebucket.s3.amazonaws.com/?prefix=J&max-keys=2')
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const headers = { 'user-agent': 'x', 'x-amz-content-sha256': empty, authorization: 'old' }
  const signed = await signing.sign({ method: 'GET', url, region: 'other', headers, isTrusted: false })
  expect(signed['authorization']).toMatch(/Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7$/)
  expect(signed).toMatchObject({ 'user-agent': 'x', host: url.host, 'x-amz-date': '20130524T000000Z' })
})

test('a body that was looked at is part of the signature, whatever hash was sent', async () => {
  const { signing } = s3ForClients({ root, region: 'us-east-1', credentials, clock })
  const url = new URL('https://examplebucket.s3.amazonaws.com/?delete')
  const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
  const sign = (body: string) =>
    signing.sign({ method: 'POST', url, region: 'us-east-1', headers, body, isTrusted: false })
  const [one, other] = [await sign('<Delete>one</Delete>'), await sign('<Delete>other</Delete>')]
  expect(one['x-amz-content-sha256']).toMatch(/^[0-9a-f]{64}$/)
  expect(one['authorization']).not.toBe(other['authorization'])
})

type Laxity = { unsigned: boolean; empty: boolean }

/** A store that checks signatures, and takes headers that were not signed or not. It keeps of each object what it is a copy of. */
async function storeThat({ unsigned, empty }: Laxity) {
  const objects = new Map<string, string>()
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request
    const names = /SignedHeaders=([^,]+)/.exec(String(headers.authorization))![1]!.split(';')
    const nowMs = Date.parse(String(headers['x-amz-date']).replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5'))
    const sent = names.filter((name) => !/^(host|x-amz-date|x-amz-content-sha256)$/.test(name))
    const again = signRequest(
      {
        method,
        host: headers.host!,
        path: url,
        headers: Object.fromEntries(sent.map((name) => [name, String(headers[name] ?? '')])),
        payloadHash: String(headers['x-amz-content-sha256']),
      },
      { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
      { region: 'us-east-1', service: 's3', nowMs },
    )
    const source = headers['x-amz-copy-source']
    const isRefused =
      again['authorization'] !== headers.authorization ||
      (source !== undefined && !names.includes('x-amz-copy-source') && !unsigned) ||
      (!source && names.includes('x-amz-copy-source') && !empty)
    if (!isRefused && method === 'PUT') objects.set(url, source ? `copy of ${String(source)}` : 'own')
    if (!isRefused && method === 'DELETE') objects.delete(url)
    response.writeHead(isRefused ? 403 : 200).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { objects, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test.each<[string, Laxity, boolean]>([
  ['takes only what is signed', { unsigned: false, empty: false }, true],
  ['takes headers that were added', { unsigned: true, empty: true }, true],
  ['takes headers that were added, and none that is empty', { unsigned: true, empty: false }, false],
])('where a store %s, a signature for one file copies no other', async (_, laxity, isSigned) => {
  const { endpoint, objects } = await storeThat(laxity)
  const { signing } = s3ForClients({ root, endpoint, region: 'us-east-1', credentials, clock: realClock })
  const url = new URL(`${endpoint}/lake/tables/t/x`)
  const sign = (isTrusted: boolean) => signing.sign({ method: 'PUT', url, region: 'us-east-1', headers: {}, isTrusted })
  expect(Object.keys(await sign(true))).toContain('authorization')
  expect([...objects.keys()]).toEqual([])
  if (!isSigned) return expect(sign(false)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  const { host: _host, ...headers } = await sign(false)
  const put = (more: Record<string, string>) => fetch(url, { method: 'PUT', headers: { ...headers, ...more } })
  expect((await put({ 'x-amz-copy-source': '/lake/secret' })).status).toBe(403)
  expect((await put({})).status).toBe(200)
  expect([...objects]).toEqual([['/lake/tables/t/x', 'own']])
})
