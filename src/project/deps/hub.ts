// Packages of the hub, by its JSON API: `/api/v1/NAMESPACE/NAME.json` lists the versions and where each can be fetched.

import { recordOf } from '../../base/record.ts'
import { Failure } from '../../base/failure.ts'
import { limits, unpack } from './archive.ts'

export type Hub = { url: string; fetch: typeof fetch; signal: AbortSignal | undefined }

export type HubVersion = { version: string; tarball: string; requires: unknown }
export type HubPackage = { name: string; movedTo: string | undefined; versions: HubVersion[] }

const answerBytesMax = 20_000_000
const attempts = 3

/** @throws Failure NOT_FOUND for a package that the hub does not have, STORAGE_FAILED when it does not answer */
export async function hubPackage(hub: Hub, name: string): Promise<HubPackage> {
  const url = `${hub.url.replace(/\/+$/, '')}/api/v1/${name.split('/').map(encodeURIComponent).join('/')}.json`
  const response = await ask(hub, url, `the package ${name}`)
  const text = Buffer.concat(await Array.fromAsync(bounded(response, answerBytesMax, name))).toString('utf8')
  const root = recordOf(parsed(text, name))
  const versions = Object.entries(recordOf(root['versions'])).flatMap(([version, entry]): HubVersion[] => {
    const { tarball } = recordOf(recordOf(entry)['downloads'])
    return typeof tarball === 'string' ? [{ version, tarball, requires: recordOf(entry)['require_dbt_version'] }] : []
  })
  const [namespace, own] = name.split('/')
  const { redirectnamespace: toNamespace, redirectname: toName } = root
  const movedTo = toNamespace || toName ? `${textOf(toNamespace) ?? namespace}/${textOf(toName) ?? own}` : undefined
  return { name, movedTo, versions }
}

/** Fetches an archive and unpacks it. */
export async function fetchArchive(hub: Omit<Hub, 'url'>, url: string, into: string, what: string): Promise<void> {
  const response = await ask(hub, url, what)
  await unpack(bounded(response, limits.downloadBytes, what), into, what, hub.signal)
}

async function ask({ fetch: get, signal }: Omit<Hub, 'url'>, url: string, what: string): Promise<Response> {
  if (!URL.canParse(url) || !['http:', 'https:'].includes(new URL(url).protocol))
    throw new Failure(
      'PROJECT_INVALID',
      `${what} is to be fetched from ${JSON.stringify(withoutSecret(url))}, which is no http address`,
    )
  let cause: unknown
  for (let attempt = 1; attempt <= attempts; attempt++) {
    signal?.throwIfAborted()
    try {
      const response = await get(url, {
        signal: AbortSignal.any([AbortSignal.timeout(60_000), ...(signal ? [signal] : [])]),
      })
      if (response.ok) return response
      await response.body?.cancel()
      if (response.status === 404) throw new Failure('NOT_FOUND', `${what} is not at ${withoutSecret(url)}`)
      cause = new Error(`HTTP ${response.status}`)
      if (response.status < 500) break
    } catch (error) {
      if (error instanceof Failure || signal?.aborted) throw error
      cause = error
    }
  }
  throw new Failure(
    'STORAGE_FAILED',
    `${what} cannot be fetched from ${withoutSecret(url)}: ${(cause as Error).message}`,
    {
      cause,
      hint: 'Check the network. DBT_PACKAGE_HUB_URL names another hub; packages that are in dbt_packages/ already need none.',
    },
  )
}

async function* bounded(response: Response, bytesMax: number, what: string): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).length
    if (bytes > bytesMax) throw new Failure('PROJECT_INVALID', `${what} is larger than ${bytesMax} bytes`)
    yield chunk as Uint8Array
  }
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Failure('STORAGE_FAILED', `the hub's answer about ${name} is no JSON`, { cause })
  }
}

/** An address without its user and password. */
export function withoutSecret(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1')
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
