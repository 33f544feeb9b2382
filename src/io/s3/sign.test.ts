import { expect, test } from 'vitest'
import { encodePath, sha256, signRequest } from './sign.ts'

// The examples of "Signature Calculations for the Authorization Header" (Amazon S3 API reference).
const example = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const at = { region: 'us-east-1', service: 's3', nowMs: Date.UTC(2013, 4, 24) }
const host = 'examplebucket.s3.amazonaws.com'

test.each([
  ['GET', '/test.txt', { range: 'bytes=0-9' }, '', 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'],
  [
    'PUT',
    '/test%24file.text',
    { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
    'Welcome to Amazon S3.',
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  ['GET', '/?lifecycle', {}, '', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
  ['GET', '/?max-keys=2&prefix=J', {}, '', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
  ['GET', '/?prefix=J&max-keys=2', {}, '', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
])('%s %s', (method, path, headers, body, signature) => {
  const signed = signRequest({ method, host, path, headers: headers as never, payloadHash: sha256(body) }, example, at)
  expect(signed['authorization']).toMatch(new RegExp(`Signature=${signature}$`))
})

test('the session token is signed and sent', () => {
  const signed = signRequest(
    { method: 'GET', host, path: '/', headers: {}, payloadHash: sha256('') },
    { ...example, sessionToken: 'token' },
    at,
  )
  expect(signed['x-amz-security-token']).toBe('token')
  expect(signed['authorization']).toContain('x-amz-date;x-amz-security-token')
})

test.each([
  ['a b/c=1%2F/ü', 'a%20b/c%3D1%252F/%C3%BC'],
  ["!'()*~-_.", '%21%27%28%29%2A~-_.'],
])('%s in a path is %s', (text, encoded) => expect(encodePath(text)).toBe(encoded))
