// What clients of the catalog need for tables in an S3-compatible store: where it is, and signatures for single requests.
// The keys themselves stay here: they open the whole store, and not only the table that a client may see.

import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { Failure } from '../../base/failure.ts'
import { encodeName, encodeQuery, signRequest, type CredentialSource } from '../../io/index.ts'
import type { IcebergRestStorage } from './deps.ts'

type Store = {
  /** `https://minio.example.com:9000`; without it Amazon's of the region. */
  endpoint?: string | undefined
  region?: string | undefined
  pathStyle?: boolean | undefined
  credentials: CredentialSource
  clock: Clock
}

/** `objectOf` and `sign` as in `deps.ts`; `config` is what a client needs to find the store. */
export function s3ForClients({ endpoint, region, pathStyle, credentials, clock }: Store): {
  config: Record<string, string>
  signing: NonNullable<IcebergRestStorage['signing']>
} {
  const host = endpoint === undefined ? undefined : new URL(endpoint).host
  return {
    config: {
      ...(endpoint !== undefined && { 's3.endpoint': endpoint }),
      ...(region !== undefined && { 'client.region': region, 's3.region': region }),
      's3.path-style-access': String(pathStyle ?? endpoint !== undefined),
    },
    signing: {
      objectOf: (url) => objectOf(url, host),
      async sign({ method, url, region: asked, headers, body }) {
        const keys = await credentials()
        if (!keys) throw new Failure('STORAGE_FAILED', 'there are no keys to sign requests to the store with')
        const path = url.pathname
          .split('/')
          .map((part) => encodeName(decodeURIComponent(part)))
          .join('/')
        const query = encodeQuery(Object.fromEntries(url.searchParams))
        const own = Object.entries(headers).filter(([name]) => name !== 'authorization' && name !== 'host')
        // Other headers may be changed on the way by the client's own library.
        const signed = signRequest(
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
        return { ...Object.fromEntries(own), ...signed }
      },
    },
  }
}

const mustBeSigned = /^(x-amz-(?!date$|content-sha256$|security-token$)|content-md5$)/

/** By path or by host name; undefined when the address is another store's. */
function objectOf(url: URL, endpointHost: string | undefined): string | undefined {
  const host = endpointHost ?? /(?:^|\.)(s3[.-][a-z0-9.-]*amazonaws\.com(?:\.cn)?)$/.exec(url.host)?.[1]
  if (host === undefined || (url.host !== host && !url.host.endsWith(`.${host}`))) return undefined
  const path = decodeURIComponent(url.pathname)
  return url.host === host ? `s3:/${path}` : `s3://${url.host.slice(0, -host.length - 1)}${path}`
}
