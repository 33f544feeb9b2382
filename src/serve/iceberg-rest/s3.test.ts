import { expect, test } from 'vitest'
import { realClock } from '../../base/clock.ts'
import { s3ForClients } from './s3.ts'

const credentials = async () => ({
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
})
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
  expect(s3ForClients({ endpoint, credentials, clock }).signing.objectOf(new URL(url))).toBe(object)
})

test('the signature is that of the example in the S3 API reference; what a library may change is not signed', async () => {
  const { signing } = s3ForClients({ region: 'us-east-1', credentials, clock })
  const url = new URL('https://examplebucket.s3.amazonaws.com/?prefix=J&max-keys=2')
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const headers = { 'user-agent': 'x', 'x-amz-content-sha256': empty, authorization: 'old' }
  const signed = await signing.sign({ method: 'GET', url, region: 'other', headers })
  expect(signed['authorization']).toMatch(/Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7$/)
  expect(signed).toMatchObject({ 'user-agent': 'x', host: url.host, 'x-amz-date': '20130524T000000Z' })
})

test('a body that was looked at is part of the signature, whatever hash was sent', async () => {
  const { signing } = s3ForClients({ region: 'us-east-1', credentials, clock })
  const url = new URL('https://examplebucket.s3.amazonaws.com/?delete')
  const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
  const sign = (body: string) => signing.sign({ method: 'POST', url, region: 'us-east-1', headers, body })
  const [one, other] = [await sign('<Delete>one</Delete>'), await sign('<Delete>other</Delete>')]
  expect(one['x-amz-content-sha256']).toMatch(/^[0-9a-f]{64}$/)
  expect(one['authorization']).not.toBe(other['authorization'])
})
