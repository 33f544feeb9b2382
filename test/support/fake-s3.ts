// An object store over HTTP that misbehaves on request: what a real store does only on its worst day. Answers that real
// stores give as well are tested against a real store (test/conformance/storage).

import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Stored = { bytes: Buffer; headers: Record<string, string>; modified: Date }
export type S3Request = { method: string; path: string; query: URLSearchParams; headers: IncomingMessage['headers'] }
/** What happens to one request: nothing special when undefined. */
export type Misbehaviour =
  | { status: number; code?: string; headers?: Record<string, string> }
  /** The connection is cut before or after the request took effect. */
  | { cut: 'before' | 'after' }
  /** Half of the body, then the connection is cut. */
  | { cut: 'midway' }
  | { silent: true }

export type FakeS3 = {
  endpoint: string
  objects: Map<string, Stored>
  /** Multipart uploads that were neither completed nor aborted. */
  uploads: Map<string, unknown>
  requests: S3Request[]
  /** Asked for every request, in order. */
  misbehave: (request: S3Request, index: number) => Misbehaviour | undefined
  close(): Promise<void>
}

/** `conditional: false` ignores `If-None-Match`, as older SeaweedFS does. `pageSize` is of listings. */
export async function fakeS3({ conditional = true, pageSize = 1_000 } = {}): Promise<FakeS3> {
  const objects = new Map<string, Stored>()
  const uploads = new Map<string, { headers: Record<string, string>; parts: Map<number, Buffer> }>()
  const fake: FakeS3 = { endpoint: '', objects, uploads, requests: [], misbehave: () => undefined, close }

  const server = createServer((incoming, outgoing) => {
    const answered = bodyOf(incoming).then((body) => {
      const [rawPath = '', rawQuery = ''] = (incoming.url ?? '').split('?')
      const request = {
        method: incoming.method ?? '',
        path: decodeURIComponent(rawPath),
        query: new URLSearchParams(rawQuery.replaceAll('+', '%2B')),
        headers: incoming.headers,
      }
      fake.requests.push(request)
      const wrong = fake.misbehave(request, fake.requests.length - 1)
      if (!wrong) return answer(request, body, outgoing)
      if ('silent' in wrong) return
      if ('status' in wrong) {
        outgoing.writeHead(wrong.status, wrong.headers)
        return outgoing.end(wrong.code && `<Error><Code>${wrong.code}</Code><Message>as told</Message></Error>`)
      }
      if (wrong.cut === 'before') return outgoing.destroy()
      if (wrong.cut === 'after') {
        outgoing.end = (() => outgoing.destroy()) as never
        return answer(request, body, outgoing)
      }
      const { end } = outgoing
      outgoing.end = ((bytes: Buffer) => {
        outgoing.write(bytes.subarray(0, bytes.length >> 1), () => outgoing.destroy())
        outgoing.end = end
      }) as never
      return answer(request, body, outgoing)
    })
    // A client that hangs up in the middle of its request is no fault of the store.
    answered.catch(() => outgoing.destroy())
  })

  function answer({ method, path, query, headers }: S3Request, body: Buffer, out: ServerResponse): void {
    const key = path.slice(1)
    const refuse = (status: number, code: string) =>
      void out.writeHead(status).end(method === 'HEAD' ? '' : `<Error><Code>${code}</Code></Error>`)
    const taken = conditional && headers['if-none-match'] === '*' && objects.has(key)
    const meta = Object.fromEntries(
      Object.entries(headers).filter((entry): entry is [string, string] => entry[0].startsWith('x-amz-meta-')),
    )
    if (method === 'POST' && query.has('uploads')) {
      const id = `upload-${fake.requests.length}`
      uploads.set(id, { headers: meta, parts: new Map() })
      return void out
        .writeHead(200)
        .end(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`)
    }
    if (method === 'POST' && query.has('delete')) {
      for (const [, name] of body.toString().matchAll(/<Key>(.*?)<\/Key>/g))
        objects.delete(
          `${key.replace(/\/$/, '')}/${name!.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')}`,
        )
      return void out.writeHead(200).end('<DeleteResult></DeleteResult>')
    }
    const upload = uploads.get(query.get('uploadId') ?? '')
    if (query.has('uploadId') && !upload) return refuse(404, 'NoSuchUpload')
    if (upload && method === 'DELETE') {
      uploads.delete(query.get('uploadId')!)
      return void out.writeHead(204).end()
    }
    if (upload && method === 'PUT') {
      upload.parts.set(Number(query.get('partNumber')), body)
      return void out.writeHead(200, { etag: md5(body) }).end()
    }
    if (upload && method === 'POST') {
      if (taken) return refuse(412, 'PreconditionFailed')
      const parts = [...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part)
      put(key, Buffer.concat(parts), { ...upload.headers, etag: '"of-parts-2"' })
      uploads.delete(query.get('uploadId')!)
      return void out.writeHead(200).end('<CompleteMultipartUploadResult></CompleteMultipartUploadResult>')
    }
    if (method === 'PUT') {
      if (taken) return refuse(412, 'PreconditionFailed')
      put(key, body, { ...meta, etag: md5(body) })
      return void out.writeHead(200, { etag: md5(body) }).end()
    }
    if (method === 'DELETE') {
      objects.delete(key)
      return void out.writeHead(204).end()
    }
    if (query.has('list-type')) return list(key.replace(/\/$/, ''), query, out)
    const found = objects.get(key)
    if (!found) return refuse(404, 'NoSuchKey')
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '')
    if (range && Number(range[1]) >= found.bytes.length) return refuse(416, 'InvalidRange')
    const bytes = range ? found.bytes.subarray(Number(range[1]), Number(range[2]) + 1) : found.bytes
    out.writeHead(range ? 206 : 200, {
      ...found.headers,
      'content-length': bytes.length,
      'last-modified': found.modified.toUTCString(),
    })
    out.end(method === 'HEAD' ? undefined : bytes)
  }

  const put = (key: string, bytes: Buffer, headers: Record<string, string>) =>
    objects.set(key, { bytes, headers, modified: new Date() })

  function list(bucket: string, query: URLSearchParams, out: ServerResponse): void {
    const prefix = `${bucket}/${query.get('prefix') ?? ''}`
    const after = query.get('continuation-token') ?? ''
    const names = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort()
    const page = names.slice(0, pageSize)
    const more = names.length > page.length
    const entries = page.map((key) => {
      const { bytes, modified } = objects.get(key)!
      const name = encodeURIComponent(key.slice(bucket.length + 1)).replaceAll('%20', '+')
      return `<Contents><Key>${name}</Key><LastModified>${modified.toISOString()}</LastModified><Size>${bytes.length}</Size></Contents>`
    })
    const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
    out.writeHead(200)
    out.end(
      `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}<EncodingType>url</EncodingType>${entries.join('')}</ListBucketResult>`,
    )
  }

  function close(): Promise<void> {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(() => resolve()))
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  fake.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return fake
}

const md5 = (bytes: Buffer) => `"${createHash('md5').update(bytes).digest('hex')}"`

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
