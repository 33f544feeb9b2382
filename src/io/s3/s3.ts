// Objects of an S3-compatible store as files.
//
// Creating is the hard part. `If-None-Match: *` makes the store refuse a second object under one key, but when the
// answer is lost nobody knows whether the first one is there, and a repeated request would be refused because of our own
// object. So every object that we create carries a mark of its creation in its metadata: after a lost answer, and after
// a refusal that follows one, the mark says whose object it is. Stores that ignore the condition are found out by the
// first object (it is sent twice); there, creating asks first and then writes, and two creators at the same moment
// may both be told that they won. Tables do not rely on it: their pointers are swapped in the catalog.

import { createHash, randomUUID } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { realClock, type Clock } from '../../base/clock.ts'
import { Failure } from '../../base/failure.ts'
import type { FileIO } from '../file-io.ts'
import { groups } from '../groups.ts'
import { defaultRetries, exchangeWithRetries, isLostConnection, isTransientStatus } from '../http.ts'
import type { HttpResponse, RetryPolicy } from '../http.ts'
import { s3Location } from '../location.ts'
import { storageFailure } from '../storage-failure.ts'
import { cachedCredentials, type CredentialSource } from './credentials.ts'
import { emptyHash, encodePath, encodeQuery, signRequest } from './sign.ts'
import { elements, escapeXml, textOf } from './xml.ts'

export type S3Options = {
  /** `https://minio.example.com:9000`; without it Amazon's of the region. */
  endpoint?: string | undefined
  /** Default us-east-1; the store's answer corrects it. */
  region?: string | undefined
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`; by default with an endpoint of one's own. */
  pathStyle?: boolean | undefined
  /** Undefined from the source: requests are not signed. */
  credentials: CredentialSource
  /** Whether the store honours `If-None-Match: *` on a put; `auto` finds out. */
  conditionalWrites?: 'auto' | 'on' | 'off' | undefined
  /** Files above this size are sent in parts of at least this size; 5 MiB is the least that stores take. */
  partBytes?: number
  /** Longest silence of the store. */
  idleMs?: number
  retries?: Partial<RetryPolicy>
  clock?: Clock
}

type Object = { location: string; bucket: string; key: string }
type Call = {
  doing: string
  at: Object
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: Uint8Array
  signal?: AbortSignal | undefined
  bytesMax?: number
  /** Statuses that are an answer and no failure. */
  accept?: readonly number[]
  /** False for requests that must not take effect twice. */
  repeatable?: boolean
}

const markHeader = 'x-amz-meta-boathouse-creation'
const partsAtOnce = 4
/** More than this the clocks may not differ; stores refuse at 15 minutes. */
const skewMsMax = 5 * 60_000
const correctionsMax = 3

/** Failures name the object and the store's own code and words, never a key or token. */
export function s3FileIO(options: S3Options): FileIO {
  const { idleMs = 30_000, partBytes = 16 * 2 ** 20, clock = realClock } = options
  const retries: RetryPolicy = { ...defaultRetries, clock, ...options.retries }
  const credentials = cachedCredentials(options.credentials, clock)
  const wanted = options.conditionalWrites ?? (options.endpoint === undefined ? 'on' : 'auto')
  /** Per bucket; absent while it is not known. */
  const conditional = new Map<string, boolean>()
  const regions = new Map<string, string>()
  let skewMs = 0
  /** False once a store was seen whose ETags of whole objects are no MD5. */
  let etagsAreMd5 = true

  const honours = (bucket: string) => (wanted === 'auto' ? conditional.get(bucket) : wanted === 'on')
  const regionOf = (bucket: string) => regions.get(bucket) ?? options.region ?? 'us-east-1'

  // ---- one request

  /** The store's answer; STORAGE_FAILED for what is no success and not in `accept`. */
  async function call(request: Call): Promise<HttpResponse> {
    const { doing, at, accept = [], repeatable = true, signal } = request
    const policy = repeatable ? retries : { ...retries, attemptsMax: 1 }
    for (let corrections = 0; ; corrections++) {
      const response = await exchangeWithRetries(() => signed(request), policy).catch((error: unknown) => {
        signal?.throwIfAborted()
        throw storageFailure(doing, at.location, error)
      })
      const { status } = response
      if ((status >= 200 && status < 300) || accept.includes(status)) return response
      if (corrections < correctionsMax && (await corrected(request, response))) continue
      throw refusal(request, response)
    }
  }

  async function signed({ at, method, query, headers = {}, body, signal, bytesMax }: Call) {
    const region = regionOf(at.bucket)
    const address = new URL(options.endpoint ?? amazonEndpoint(region))
    const pathStyle = options.pathStyle ?? (options.endpoint !== undefined || at.bucket.includes('.'))
    const base = address.pathname.replace(/\/+$/, '')
    const host = pathStyle ? address.host : `${at.bucket}.${address.host}`
    const resource = `${base}/${pathStyle ? `${at.bucket}/` : ''}${encodePath(at.key)}`
    const path = query ? `${resource}?${encodeQuery(query)}` : resource
    const keys = await credentials({ signal })
    const payloadHash = body ? await digest('sha256', body) : emptyHash
    const all = keys
      ? signRequest({ method, host, path, headers, payloadHash }, keys, {
          region,
          service: 's3',
          nowMs: clock.now() + skewMs,
        })
      : { ...headers, host }
    return {
      method,
      origin: `${address.protocol}//${host}`,
      path,
      headers: all,
      body: body ?? (method === 'PUT' || method === 'POST' ? new Uint8Array() : undefined),
      signal,
      idleMs,
      ...(bytesMax !== undefined && { bytesMax }),
    }
  }

  /** True when something was learned from a refusal that makes the request worth another try. */
  async function corrected({ at, signal }: Call, { status, headers, body }: HttpResponse): Promise<boolean> {
    const text = status >= 300 && body.length < 65_536 ? Buffer.from(body).toString() : ''
    const code = textOf(text, 'Code')
    const region = headers['x-amz-bucket-region'] ?? textOf(text, 'Region')
    if (region && region !== regionOf(at.bucket) && [301, 307, 400, 403].includes(status)) {
      regions.set(at.bucket, region)
      return true
    }
    if (status !== 400 && status !== 403) return false
    const differenceMs = Date.parse(headers['date'] ?? '') - (clock.now() + skewMs)
    if (Math.abs(differenceMs) > skewMsMax) {
      skewMs += differenceMs
      return true
    }
    // An answer to HEAD has no body that could say why.
    const tokenRefused = code === undefined || /^(ExpiredToken|TokenRefreshRequired|InvalidToken)$/.test(code)
    const before = await credentials({ signal })
    if (!tokenRefused || before?.sessionToken === undefined) return false
    const after = await credentials({ fresh: true, signal })
    return after?.sessionToken !== before.sessionToken
  }

  const head = async (at: Object, doing: string, signal?: AbortSignal) => {
    const response = await call({ doing, at, method: 'HEAD', signal, accept: [404] })
    return response.status === 404 ? undefined : response
  }

  // ---- creating

  /**
   * Runs `put` until it is certain whether the object is ours. `put` sends once, with the headers given, and answers
   * with the status, or undefined when the answer was lost.
   */
  async function createBy(
    at: Object,
    signal: AbortSignal | undefined,
    mark: string,
    put: (headers: Record<string, string>) => Promise<number | undefined>,
  ): Promise<boolean> {
    const markOf = async () => {
      const found = await head(at, 'create', signal)
      return found && (found.headers[markHeader] ?? '')
    }
    for (let attempt = 1; ; attempt++) {
      if (honours(at.bucket) !== true || attempt > 1) {
        const other = await markOf()
        if (other !== undefined) return other === mark
      }
      const asks = honours(at.bucket) !== false
      const status = await put(asks ? { 'if-none-match': '*' } : {})
      if (status !== undefined && status < 300) {
        if (asks && honours(at.bucket) === undefined) await learn(at, put)
        return true
      }
      if (status === 412) return attempt > 1 && (await markOf()) === mark
      if (asks && status !== undefined && [400, 501].includes(status) && honours(at.bucket) === undefined)
        conditional.set(at.bucket, false) // refuses the header itself; a second refusal is a real one
      else if (attempt >= retries.attemptsMax)
        throw new Failure('STORAGE_FAILED', `cannot create "${at.location}": the store does not answer`, {
          path: at.location,
        })
      else await clock.sleep(clock.random() * Math.min(retries.waitMsMax, retries.waitMsMin * 2 ** attempt), signal)
    }
  }

  /** The same object once more: a store that honours the condition refuses it, any other stores the same bytes again. */
  async function learn(at: Object, put: (headers: Record<string, string>) => Promise<number | undefined>) {
    const status = await put({ 'if-none-match': '*' }).catch(() => undefined)
    if (status === 412) conditional.set(at.bucket, true)
    else if (status !== undefined && status < 300) conditional.set(at.bucket, false)
  }

  /** The status of one attempt; undefined when it is unknown what became of it. */
  async function once(request: Call): Promise<HttpResponse | undefined> {
    try {
      const response = await call({ ...request, repeatable: false, accept: [404, 409, 412, 501, ...transient] })
      return isTransientStatus(response.status) || response.status === 409 ? undefined : response
    } catch (error) {
      if (error instanceof Failure && isLostConnection(error.cause)) return undefined
      throw error
    }
  }

  async function create(location: string, bytes: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    const at = objectAt(location)
    const mark = randomUUID()
    return createBy(at, signal, mark, async (headers) => {
      const all = { ...headers, [markHeader]: mark }
      const response = await once({ doing: 'create', at, method: 'PUT', headers: all, body: bytes, signal })
      if (response?.status === 404) throw refusal({ doing: 'create', at, method: 'PUT' }, response)
      return response?.status
    })
  }

  /** Large files in parts, several at once; the store makes them one object when all are there. */
  async function createInParts(location: string, localFile: string, sizeBytes: number, signal?: AbortSignal) {
    const at = objectAt(location)
    const doing = 'create'
    const mark = randomUUID()
    const begun = await call({
      doing,
      at,
      method: 'POST',
      query: { uploads: '' },
      headers: { [markHeader]: mark },
      signal,
    })
    const uploadId = textOf(Buffer.from(begun.body).toString(), 'UploadId')
    if (!uploadId) throw new Failure('STORAGE_FAILED', `cannot create "${location}": the store began no upload`)
    try {
      const etags = await sendParts(at, uploadId, localFile, sizeBytes, signal)
      const parts = etags.map(
        (etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`,
      )
      const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`)
      const created = await createBy(at, signal, mark, async (headers) => {
        const response = await once({ doing, at, method: 'POST', query: { uploadId }, headers, body, signal })
        // Completing answers 200 before it knows, and may then say that it failed; a repeated one finds no upload.
        const failed = response?.status === 404 || (response && Buffer.from(response.body).includes('<Error>'))
        return failed ? undefined : response?.status
      })
      if (!created) await abandon(at, uploadId)
      return created
    } catch (error) {
      await abandon(at, uploadId)
      throw error
    }
  }

  async function sendParts(at: Object, uploadId: string, localFile: string, sizeBytes: number, signal?: AbortSignal) {
    const size = Math.max(partBytes, Math.ceil(sizeBytes / 10_000)) // a store takes at most 10,000 parts
    const etags: string[] = Array.from({ length: Math.ceil(sizeBytes / size) })
    await using file = await open(localFile, 'r')
    let next = 0
    const sender = async () => {
      for (let index = next++; index < etags.length; index = next++) {
        const body = Buffer.alloc(Math.min(size, sizeBytes - index * size))
        const { bytesRead } = await file.read(body, 0, body.length, index * size)
        if (bytesRead !== body.length)
          throw new Failure('STORAGE_FAILED', `cannot create "${at.location}": ${localFile} became shorter meanwhile`)
        const query = { partNumber: String(index + 1), uploadId }
        const { headers } = await call({ doing: 'create', at, method: 'PUT', query, body, signal })
        etags[index] = headers['etag'] ?? ''
      }
    }
    const outcomes = await Promise.allSettled(Array.from({ length: partsAtOnce }, sender))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    return etags
  }

  /** Parts that are never put together cost money until somebody removes them; the first error is the one to tell. */
  const abandon = async (at: Object, uploadId: string) =>
    void (await call({ doing: 'create', at, method: 'DELETE', query: { uploadId }, accept: [404] }).catch(() => {}))

  // ---- the interface

  /** A body that does not fit its ETag is asked for once more; when it is the same, the ETag is no MD5 here. */
  async function readWhole(at: Object, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const get = () => call({ doing: 'read', at, method: 'GET', signal, accept: [404] })
    const first = await get()
    if (first.status === 404) return foundNothing('read', at, first)
    if (!etagsAreMd5 || (await fitsEtag(first))) return first.body
    const second = await get()
    if (second.status === 404) return foundNothing('read', at, second)
    if (await fitsEtag(second)) return second.body
    if (Buffer.compare(first.body, second.body) !== 0)
      throw new Failure(
        'STORAGE_FAILED',
        `cannot read "${at.location}": the store answers with different bytes each time`,
      )
    etagsAreMd5 = false
    return second.body
  }

  async function remove(paths: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const failed: Failure[] = []
    for (const [bucket, objects] of Map.groupBy(paths.map(objectAt), ({ bucket }) => bucket))
      for (const some of groups(objects, 1_000)) {
        const body = Buffer.from(
          `<Delete><Quiet>true</Quiet>${some.map(({ key }) => `<Object><Key>${escapeXml(key)}</Key></Object>`).join('')}</Delete>`,
        )
        const headers = {
          'content-md5': createHash('md5').update(body).digest('base64'),
          'content-type': 'application/xml',
        }
        const at = { location: `s3://${bucket}`, bucket, key: '' }
        const request: Call = {
          doing: 'delete files of',
          at,
          method: 'POST',
          query: { delete: '' },
          headers,
          body,
          signal,
        }
        const { body: answer } = await call(request)
        for (const error of elements(Buffer.from(answer).toString(), 'Error')) {
          const [key, code, message] = ['Key', 'Code', 'Message'].map((name) => textOf(error, name))
          if (code === 'NoSuchKey') continue
          failed.push(new Failure('STORAGE_FAILED', `cannot delete "s3://${bucket}/${key}": ${code}: ${message}`))
        }
      }
    if (failed[0]) throw failed[0]
  }

  return {
    read: (location, signal) => readWhole(objectAt(location), signal),

    async readRange(location, offset, length, signal) {
      const at = objectAt(location)
      if (length === 0) return (await head(at, 'read', signal)) && new Uint8Array()
      const headers = { range: `bytes=${offset}-${offset + length - 1}` }
      const accept = [404, 416]
      const response = await call({ doing: 'read', at, method: 'GET', headers, signal, accept })
      if (response.status === 404) return foundNothing('read', at, response)
      if (response.status === 416) return new Uint8Array()
      return response.status === 206 ? response.body : response.body.subarray(offset, offset + length)
    },

    create,

    async upload(location, localFile, signal) {
      const { size } = await stat(localFile)
      if (size > partBytes) return createInParts(location, localFile, size, signal)
      return create(location, await readFile(localFile, { signal }), signal)
    },

    async write(location, body, signal) {
      await call({ doing: 'write', at: objectAt(location), method: 'PUT', body, signal })
    },

    async delete(location, signal) {
      const at = objectAt(location)
      // Deleting answers the same whether or not the object was there.
      if (!(await head(at, 'delete', signal))) return false
      await call({ doing: 'delete', at, method: 'DELETE', signal, accept: [404] })
      return true
    },

    deleteAll: remove,

    async stat(location, signal) {
      const response = await head(objectAt(location), 'look at', signal)
      if (!response) return undefined
      const { 'content-length': size, 'last-modified': time } = response.headers
      return { path: location, sizeBytes: Number(size ?? 0), modifiedAtMs: Date.parse(time ?? '') || 0 }
    },

    async *list(prefix, signal) {
      const folder = prefix.replace(/\/+$/, '')
      const { bucket, key } = objectAt(folder)
      const at = { location: folder, bucket, key: '' }
      const below = key === '' ? '' : `${key}/`
      for (let token: string | undefined; ;) {
        const query: Record<string, string> = { 'encoding-type': 'url', 'list-type': '2', prefix: below }
        if (token !== undefined) query['continuation-token'] = token
        const { body } = await call({ doing: 'list', at, method: 'GET', query, signal })
        const page = Buffer.from(body).toString()
        const encoded = textOf(page, 'EncodingType') === 'url'
        for (const entry of elements(page, 'Contents')) {
          const text = textOf(entry, 'Key') ?? ''
          const name = (encoded ? decodeURIComponent(text.replaceAll('+', ' ')) : text).slice(below.length)
          if (name === '' || name.endsWith('/')) continue // a mark that some tools make for a folder
          const [size, time] = [textOf(entry, 'Size'), textOf(entry, 'LastModified')]
          yield { path: `${folder}/${name}`, sizeBytes: Number(size), modifiedAtMs: Date.parse(time ?? '') || 0 }
        }
        const next = textOf(page, 'IsTruncated') === 'true' ? textOf(page, 'NextContinuationToken') : undefined
        if (next === undefined || next === token) return
        token = next
      }
    },
  }
}

const transient = [408, 425, 429, 500, 502, 503, 504]

const amazonEndpoint = (region: string) => `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`

function objectAt(location: string): Object {
  const found = s3Location(location)
  if (!found) throw new Failure('UNSUPPORTED', `"${location}" is not an object of a store`, { location })
  return { location, ...found }
}

/** A missing object is an answer, a missing bucket is not. */
function foundNothing(doing: string, at: Object, response: HttpResponse): undefined {
  if (textOf(Buffer.from(response.body).toString(), 'Code') === 'NoSuchBucket')
    throw refusal({ doing, at, method: 'GET' }, response)
}

const hints: Record<string, string> = {
  NoSuchBucket: 'Create the bucket, or correct the location; Boathouse makes no buckets.',
  InvalidAccessKeyId: 'Check AWS_ACCESS_KEY_ID and whether the endpoint is the store that it belongs to.',
  SignatureDoesNotMatch: 'Check AWS_SECRET_ACCESS_KEY.',
  ExpiredToken: 'The session token is too old: get new keys.',
}

function refusal(
  { doing, at, method }: Pick<Call, 'doing' | 'at' | 'method'>,
  { status, body }: HttpResponse,
): Failure {
  const text = body.length < 65_536 ? Buffer.from(body).toString() : ''
  const code = textOf(text, 'Code')
  const words = [code, textOf(text, 'Message')].filter(Boolean).join(': ')
  const silent = method === 'HEAD' && status === 403 ? 'access denied' : 'the store gave no reason'
  const hint = code === undefined ? undefined : hints[code]
  return new Failure('STORAGE_FAILED', `cannot ${doing} "${at.location}": ${words || silent} (status ${status})`, {
    path: at.location,
    status,
    ...(code !== undefined && { storeCode: code }),
    ...(hint !== undefined && { hint }),
  })
}

/** True also when the ETag says nothing: of several parts, or encrypted by the store. */
async function fitsEtag({ headers, body }: HttpResponse): Promise<boolean> {
  const md5 = /^"?([0-9a-f]{32})"?$/.exec(headers['etag'] ?? '')?.[1]
  if (md5 === undefined || headers['x-amz-server-side-encryption'] !== undefined) return true
  return (await digest('md5', body)) === md5
}

/** In steps of a millisecond or two, so that others get their turn. */
async function digest(algorithm: 'md5' | 'sha256', body: Uint8Array): Promise<string> {
  const hash = createHash(algorithm)
  const step = 2 ** 20
  for (let at = 0; at < body.length; at += step) {
    if (at > 0) await setImmediate()
    hash.update(body.subarray(at, at + step))
  }
  return hash.digest('hex')
}
