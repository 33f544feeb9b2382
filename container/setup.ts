// Makes what docker-compose.full.yml needs and nobody else makes: the bucket in the store, and in Apache Polaris the
// catalog with the right to change its content. What is there already is left as it is.

import { setTimeout as sleep } from 'node:timers/promises'
import { sha256, signRequest } from '../src/io/index.ts'

const [attemptsMax, waitMs, answerMsMax] = [30, 2_000, 10_000]

function setting(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set`)
  return value
}

type Ask = { method: string; url: string; headers: Record<string, string>; body?: string; statuses: number[] }

/** @throws when the answer has another status than these */
async function ask({ method, url, headers, body, statuses }: Ask): Promise<Response> {
  const signal = AbortSignal.timeout(answerMsMax)
  const answer = await fetch(url, { method, headers, signal, ...(body === undefined ? {} : { body }) })
  if (statuses.includes(answer.status)) return answer
  throw new Error(`${method} ${url} answered ${answer.status}: ${(await answer.text()).slice(0, 500)}`)
}

async function makeBucket(bucket: string) {
  const endpoint = new URL(setting('BOATHOUSE_STORAGE_ENDPOINT'))
  const request = { method: 'PUT', host: endpoint.host, path: `/${bucket}`, headers: {}, payloadHash: sha256('') }
  const keys = { accessKeyId: setting('AWS_ACCESS_KEY_ID'), secretAccessKey: setting('AWS_SECRET_ACCESS_KEY') }
  const headers = signRequest(request, keys, { region: setting('AWS_REGION'), service: 's3', nowMs: Date.now() })
  // 409: there is such a bucket.
  await ask({ method: 'PUT', url: new URL(request.path, endpoint).href, headers, statuses: [200, 409] })
}

/** By Polaris' management API, as its guides do it. */
async function makeCatalog(name: string, root: string) {
  const catalogUri = setting('BOATHOUSE_CATALOG_URI')
  const [id, secret] = setting('BOATHOUSE_CATALOG_CREDENTIAL').split(':') as [string, string]
  const form = { grant_type: 'client_credentials', client_id: id, client_secret: secret }
  const answer = await ask({
    method: 'POST',
    url: `${catalogUri}/v1/oauth/tokens`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...form, scope: setting('BOATHOUSE_CATALOG_SCOPE') }).toString(),
    statuses: [200],
  })
  const { access_token: token } = (await answer.json()) as { access_token: string }
  const catalogs = new URL('/api/management/v1/catalogs', catalogUri).href
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const catalog = {
    name,
    type: 'INTERNAL',
    readOnly: false,
    properties: {
      'default-base-location': root,
      // Boathouse chooses the folders of its tables itself, below this root.
      'polaris.config.allow.unstructured.table.location': 'true',
    },
    storageConfigInfo: {
      storageType: 'S3',
      allowedLocations: [root],
      endpoint: setting('BOATHOUSE_STORAGE_ENDPOINT'),
      pathStyleAccess: true,
      region: setting('AWS_REGION'),
      stsUnavailable: true,
    },
  }
  await ask({ method: 'POST', url: catalogs, headers, body: JSON.stringify({ catalog }), statuses: [201, 409] })
  await ask({
    method: 'PUT',
    url: `${catalogs}/${name}/catalog-roles/catalog_admin/grants`,
    headers,
    body: JSON.stringify({ grant: { type: 'catalog', privilege: 'CATALOG_MANAGE_CONTENT' } }),
    statuses: [201],
  })
}

const root = setting('BOATHOUSE_STORAGE_ROOT')
const bucket = new URL(root).host
const catalog = setting('BOATHOUSE_CATALOG_WAREHOUSE')
for (let attempt = 1; ; attempt++)
  try {
    await makeBucket(bucket)
    await makeCatalog(catalog, root)
    console.log(`the bucket ${bucket} and the catalog ${catalog} are there`)
    break
  } catch (error) {
    // The services said that they are ready; what they consist of may still be finding each other.
    console.error(error instanceof Error ? error.message : error)
    if (attempt === attemptsMax) process.exit(1)
    await sleep(waitMs)
  }
