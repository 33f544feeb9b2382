// What clients of the catalog need for tables in an S3-compatible store: where it is, and signatures for single requests.
// The keys themselves stay here: they open the whole store, and not only the table that a client may see.

import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { Failure } from '../../base/failure.ts'
import { encodeName, encodeQuery, signRequest, type CredentialSource } from '../../io/index.ts'
import { copyGuardOf, copySource, type CopyGuard, type SendObject } from './copy-guard.ts'
import type { IcebergRestStorage, ObjectRequest } from './deps.ts'

type Store = {
  /** `s3://bucket/folder`, where the store is tested before the first write is signed. */
  root: string
  /** `https://minio.example.com:9000`; without it Amazon's of the region. */
  endpoint?: string | undefined
  region?: string | undefined
  pathStyle?: boolean | undefined
  credentials: CredentialSource
  clock: Clock
}

/** `objectOf` and `sign` as in `deps.ts`; `config` is what a client needs to find the store. */
export function s3ForClients({
  root,
  endpoint,
  region,
  pathStyle = endpoint !== undefined,
  credentials,
  clock,
}: Store): {
  config: Record<string, string>
  signing: NonNullable<IcebergRestStorage['signing']>
} {
  const host = endpoint === undefined ? undefined : new URL(endpoint).host

  async function signed({ method, url, region: asked, headers, body }: Omit<ObjectRequest, 'isTrusted'>) {
    const keys = await credentials()
    if (!keys) throw new Failure('STORAGE_FAILED', 'there are no keys to sign requests to the store with')
    const path = url.pathname
      .split('/')
      .map((part) => encodeName(decodeURIComponent(part)))
      .join('/')
    const query = encodeQuery(Object.fromEntries(url.searchParams))
    const own = Object.entries(headers).filter(([name]) => name !== 'authorization' && name !== 'host')
    // Other headers may be changed on the way by the client's own library.
    const made = signRequest(
      {
        method,
        host: url.host,
        path: query === '' ? path : `${path}?${query}`,
        headers: Object.fromEntries(own.filter(([name]) => mustBeSigned.test(name))),
        payloadHash:
          body === undefined
            ? (headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD')
            : createHash('sha256').update(body).digest('hex'),
      },
      keys,
      { region: region ?? asked, service: 's3', nowMs: clock.now() },
    )
    return { ...Object.fromEntries(own), ...made }
  }

  const send: SendObject = async (method, name, { signed: bound, added }) => {
    const [, bucket, folder] = /^s3[an]?:\/\/([^/]+)\/?(.*)$/.exec(root.replace(/\/+$/, ''))!
    const key = folder === '' ? name : `${folder}/${name}`
    const base = new URL(endpoint!)
    const url = new URL(
      pathStyle ? `/${bucket}/${key}` : `/${key}`,
      pathStyle ? base : `${base.protocol}//${bucket}.${base.host}`,
    )
    const request = { method, url, region: region ?? 'us-east-1', headers: bound, body: '' }
    const { host: _, ...headers } = await signed(request)
    try {
      const answer = await fetch(url, {
        method,
        headers: { ...headers, ...added },
        signal: AbortSignal.timeout(probeMs),
      })
      await answer.arrayBuffer()
      return { ok: answer.ok, copyOf: `/${bucket}/${key}` }
    } catch (cause) {
      throw new Failure('STORAGE_FAILED', `the store at ${base.host} does not answer`, { cause })
    }
  }
  let asked: Promise<CopyGuard> | undefined
  const guard = (): Promise<CopyGuard> => {
    if (endpoint === undefined) return Promise.resolve('the store')
    asked ??= copyGuardOf(send).catch((error: unknown) => {
      asked = undefined // to be asked again
      throw error
    })
    return asked
  }

  return {
    config: {
      ...(endpoint !== undefined && { 's3.endpoint': endpoint }),
      ...(region !== undefined && { 'client.region': region, 's3.region': region }),
      's3.path-style-access': String(pathStyle),
    },
    signing: {
      objectOf: (url) => objectOf(url, host),
      async sign({ isTrusted, ...request }) {
        if (request.method !== 'PUT' || copySource in request.headers) return signed(request)
        const by = await guard()
        if (by === 'the store') return signed(request)
        if (by === undefined && !isTrusted)
          throw new Failure(
            'FORBIDDEN',
            'the store lets a signature for one file copy any other: nothing is signed to be written',
            {
              hint: 'Write by SQL, or as an administrator.',
            },
          )
        if (by === undefined) return signed(request)
        return signed({ ...request, headers: { ...request.headers, [copySource]: '' } })
      },
    },
  }
}

const probeMs = 10_000
const mustBeSigned = /^(x-amz-(?!date$|content-sha256$|security-token$)|content-md5$)/

/** By path or by host name; undefined when the address is another store's. */
function objectOf(url: URL, endpointHost: string | undefined): string | undefined {
  const host = endpointHost ?? /(?:^|\.)(s3[.-][a-z0-9.-]*amazonaws\.com(?:\.cn)?)$/.exec(url.host)?.[1]
  if (host === undefined || (url.host !== host && !url.host.endsWith(`.${host}`))) return undefined
  const path = decodeURIComponent(url.pathname)
  return url.host === host ? `s3:/${path}` : `s3://${url.host.slice(0, -host.length - 1)}${path}`
}
