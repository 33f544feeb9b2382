// AWS Signature Version 4: a request carries a keyed hash of everything in it, so it cannot be changed on the way or
// sent again a quarter of an hour later. ("Authenticating Requests", Amazon S3 API reference.)

import { createHash, createHmac } from 'node:crypto'

export type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string | undefined }

export type Signable = {
  method: string
  host: string
  /** Percent-encoded, with its query: `/bucket/a%20b?list-type=2`. */
  path: string
  /** Signed as they are, beside `host` and the `x-amz-…` headers that signing adds. */
  headers: Record<string, string>
  /** SHA-256 of the body in hexadecimal, or `UNSIGNED-PAYLOAD`. */
  payloadHash: string
}

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')
export const emptyHash = sha256('')

/** The headers to send: those given, `host`, `x-amz-date`, `x-amz-content-sha256` and `authorization`. */
export function signRequest(
  { method, host, path, headers, payloadHash }: Signable,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  { region, service, nowMs }: { region: string; service: string; nowMs: number },
): Record<string, string> {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '')
  const all: Record<string, string> = {
    ...headers,
    host,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': time,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  }
  const signed = Object.entries(all)
    .map(([name, value]) => [name.toLowerCase(), value.trim().replace(/\s+/g, ' ')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const names = signed.map(([name]) => name).join(';')
  const [resource, query = ''] = splitAt(path, '?')
  const canonical = [
    method,
    // S3 takes the path as it was sent, every other service encodes it once more.
    service === 's3' ? resource : encodePath(resource),
    query.split('&').filter(Boolean).map(withEquals).sort(byText).join('&'),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    payloadHash,
  ].join('\n')
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`
  const key = [time.slice(0, 8), region, service, 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${secretAccessKey}`,
  )
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')).toString('hex')
  return {
    ...all,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  }
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
const withEquals = (pair: string) => (pair.includes('=') ? pair : `${pair}=`)
const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function splitAt(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

/** All but letters, digits and `-_.~` as `%XX`, as the signature wants it. */
export const encodeName = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** As `encodeName`, and slashes stay. */
export const encodePath = (text: string): string => text.split('/').map(encodeName).join('/')

/** `{ 'list-type': '2', prefix: 'a b' }` is `list-type=2&prefix=a%20b`. */
export const encodeQuery = (query: Record<string, string>): string =>
  Object.entries(query)
    .map(([name, value]) => `${encodeName(name)}=${encodeName(value)}`)
    .join('&')
