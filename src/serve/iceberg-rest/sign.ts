// Remote signing: a client that has no key to the store sends each of its requests here first. It is signed only when
// every object that it names lies in the table's own folder and the principal may do such a thing to the table.

import { z } from 'zod'
import { Failure } from '../../base/failure.ts'
import type { LoadedTable } from '../../catalog/index.ts'
import { parseBody, type Call, type Handler } from './call.ts'
import { isTrusted, may } from './rights.ts'
import { tableOf } from './tables.ts'

const SignRequest = z.object({
  region: z.string(),
  uri: z.url({ protocol: /^https?$/ }),
  method: z.enum(['PUT', 'GET', 'HEAD', 'POST', 'DELETE', 'PATCH', 'OPTIONS']),
  headers: z.record(z.string(), z.union([z.string().transform((value) => [value]), z.array(z.string())])),
  properties: z.record(z.string(), z.string()).nullish(),
  body: z.string().nullish(),
  provider: z.string().nullish(),
})

export const signRequest: Handler = async (call, rest) => {
  const asked = parseBody(SignRequest, call.body)
  const table = await tableOf(call, rest)
  const { signing } = rest.deps.storage
  if (!signing || (asked.provider ?? 's3') !== 's3' || !/^s3[an]?:/.test(table.metadata.location))
    throw new Failure('REQUEST_INVALID', `there is nothing to sign: the table lies at ${table.metadata.location}`, {
      hint: 'Open files of this table without remote signing.',
    })
  const url = new URL(asked.uri)
  const reads = asked.method === 'GET' || asked.method === 'HEAD' || asked.method === 'OPTIONS'
  if (!reads) may(call, rest, 'write', table.name)
  for (const object of objectsOf(asked, url, signing.objectOf(url))) checkInside(object, table)
  const headers = Object.fromEntries(
    Object.entries(asked.headers).map(([name, values]) => [name.toLowerCase(), values.join(',')]),
  )
  const signed = await signing.sign({
    method: asked.method,
    url,
    region: asked.region,
    headers,
    isTrusted: isTrusted(call),
    // The keys that were looked at are signed with it: another body would not be taken.
    ...(isDelete(asked.method, url) ? { body: asked.body ?? '' } : {}),
  })
  return {
    status: 200,
    body: {
      uri: asked.uri,
      headers: Object.fromEntries(Object.entries(signed).map(([name, value]) => [name, [value]])),
    },
    headers: { 'cache-control': reads ? 'private' : 'no-store' },
  }
}

type Asked = z.infer<typeof SignRequest>

/** Every object that the request reads or changes, as `s3://bucket/key`. @throws REQUEST_INVALID */
function objectsOf({ headers, body, method }: Asked, url: URL, target: string | undefined): string[] {
  if (target === undefined) throw new Failure('REQUEST_INVALID', `uri: ${url.host} is not the store of this table`)
  const [bucket = ''] = /^s3:\/\/[^/]+/.exec(target) ?? []
  const isBucket = target.replace(/\/+$/, '') === bucket
  const names = [...url.searchParams.keys()]
  // Of two that are called the same one would be looked at here and the other by the store. Headers may stand in the query too.
  if (new Set(names).size < names.length || names.some((name) => /^x-amz-/i.test(name)))
    throw new Failure('REQUEST_INVALID', `uri: ${url.search.slice(0, 300)} is not signed`)
  if (isBucket && isDelete(method, url)) return keysOf(body ?? '').map((key) => `${bucket}/${key}`)
  // Listing is for a prefix; the folder itself may be asked for with or without its slash. A bucket has other things to ask for.
  if (isBucket && method === 'GET' && names.includes('prefix') && names.every((name) => ofListing.has(name)))
    return [`${bucket}/${url.searchParams.get('prefix')!.replace(/\/*$/, '/')}`]
  const sources = Object.entries(headers).filter(([name]) => /^x-amz-.*-source$/i.test(name))
  const copied = sources.flatMap(([, values]) => values)
  return [target, ...copied.map((value) => `s3://${decodeURIComponent(value).replace(/^\//, '')}`)]
}

const isDelete = (method: string, url: URL) => method === 'POST' && url.searchParams.has('delete')

const ofListing = new Set(
  'list-type prefix delimiter continuation-token start-after max-keys encoding-type fetch-owner marker x-id'.split(' '),
)

/** Of a request to delete several objects. What is not understood whole might name more. @throws REQUEST_INVALID */
function keysOf(body: string): string[] {
  const rest = body
    .replace(/<Key>[^<]*<\/Key>/g, '')
    .replace(/<\/?(?:Object|Quiet|VersionId|ETag|Size)>|<\/?Delete(?: xmlns="[^"<>]*")?>|<\?xml [^<>]*\?>/g, '')
  const keys = [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => unescapeXml(key!))
  if (keys.length > 0 && !/[<&]/.test(rest)) return keys
  throw new Failure('REQUEST_INVALID', 'body: the keys to delete are needed to sign this request')
}

const unescapeXml = (text: string) =>
  text.replace(/&(lt|gt|quot|apos|amp|#\d{1,7}|#x[0-9a-f]{1,6});/gi, (_, name: string) =>
    name.startsWith('#')
      ? characterOf(Number(name.slice(1).replace(/^x/i, '0x')))
      : { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }[name]!,
  )

const characterOf = (code: number) => (code <= 0x10ffff ? String.fromCodePoint(code) : '')

function checkInside(object: string, { metadata }: LoadedTable): void {
  const folder = `${metadata.location.replace(/^s3[an]:/, 's3:').replace(/\/+$/, '')}/`
  const isPlain = !object.split('/').some((part) => part === '.' || part === '..')
  if (isPlain && object.startsWith(folder)) return
  throw new Failure('FORBIDDEN', `${object.slice(0, 300)} does not lie in the table's folder ${folder}`, {
    hint: 'Only requests for the files of the table are signed.',
  })
}

/** How a client finds the signer: under both names, as Java and PyIceberg read them. */
export function signerConfig(call: Call, table: LoadedTable): Record<string, string> {
  const levels = call.warehouse.levelsOf(table.name).map(encodeURIComponent).join('%1F')
  const prefix = call.warehouse.prefix === undefined ? '' : `${call.warehouse.prefix}/`
  const endpoint = `v1/${prefix}namespaces/${levels}/tables/${encodeURIComponent(table.name.name)}/sign`
  return {
    's3.remote-signing-enabled': 'true',
    's3.signer': 'S3V4RestSigner',
    's3.signer.endpoint': endpoint,
    'signer.endpoint': endpoint,
  }
}
