// Stands in for Apache Polaris where its images cannot be had: the addresses, the bootstrap, the log-in, the management
// calls and the prefix are Polaris' as its documentation has them, the catalog behind is Iceberg's REST server with its
// names in the same PostgreSQL. As `bootstrap …` it is the admin tool. It proves our settings and calls, not Polaris.

import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, request as ask } from 'node:http'

const env = process.env
const [javaPort, apiPort, managementPort] = [18181, 8181, 8182]

if (process.argv[2] === 'bootstrap') {
  const given = Object.fromEntries(process.argv.slice(3).map((word) => word.replace('--', '').split('=')))
  const [realm, id, secret] = given.credential.split(',')
  if (given.realm !== realm || !id || !secret) throw new Error('--credential=REALM,ID,SECRET')
  console.log(`Realm '${realm}' successfully bootstrapped.`)
  process.exit(0)
}

const [id, secret] = [env.STAND_IN_CLIENT_ID ?? 'root', env.STAND_IN_CLIENT_SECRET ?? 'polaris-secret']
/** Survives a restart of the container; Polaris keeps it in PostgreSQL. */
const kept = '/tmp/catalog.json'
let catalog = existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : undefined

function startCatalog({ properties, storageConfigInfo }) {
  spawn(
    '/opt/jdk/bin/java',
    [
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
      // It calls every 404 an error.
      '-Dorg.slf4j.simpleLogger.log.org.apache.iceberg.rest.RESTCatalogServlet=off',
      '-cp',
      '/opt/iceberg/*',
      'org.apache.iceberg.rest.LabCatalogServer',
      '127.0.0.1',
      String(javaPort),
    ],
    {
      stdio: 'inherit',
      env: {
        ...env,
        CATALOG_CATALOG__IMPL: 'org.apache.iceberg.jdbc.JdbcCatalog',
        CATALOG_URI: env.QUARKUS_DATASOURCE_JDBC_URL,
        CATALOG_JDBC_USER: env.QUARKUS_DATASOURCE_USERNAME,
        CATALOG_JDBC_PASSWORD: env.QUARKUS_DATASOURCE_PASSWORD,
        CATALOG_JDBC_SCHEMA__VERSION: 'V1',
        CATALOG_WAREHOUSE: properties['default-base-location'],
        CATALOG_IO__IMPL: 'org.apache.iceberg.aws.s3.S3FileIO',
        CATALOG_S3_ENDPOINT: storageConfigInfo.endpoint,
        CATALOG_S3_PATH__STYLE__ACCESS: String(storageConfigInfo.pathStyleAccess),
        CATALOG_CLIENT_REGION: storageConfigInfo.region,
        AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required',
        AWS_RESPONSE_CHECKSUM_VALIDATION: 'when_required',
      },
    },
  ).once('exit', (code) => process.exit(code ?? 1))
}

const json = (answer, status, body) => {
  answer.writeHead(status, { 'content-type': 'application/json' })
  answer.end(body === undefined ? '' : JSON.stringify(body))
}
const error = (answer, status, message) => json(answer, status, { error: { message, type: 'Stand-in', code: status } })

async function read(asked) {
  const chunks = []
  for await (const chunk of asked) chunks.push(chunk)
  return Buffer.concat(chunks)
}

let issued
async function token(asked, answer) {
  const body = await read(asked)
  const form = new URLSearchParams(body.toString())
  if (
    form.get('client_id') !== id ||
    form.get('client_secret') !== secret ||
    form.get('scope') !== 'PRINCIPAL_ROLE:ALL'
  )
    return json(answer, 401, { error: 'unauthorized_client' })
  issued ??= randomUUID()
  json(answer, 200, { access_token: issued, token_type: 'bearer', expires_in: 3600 })
}

async function manage(asked, answer, path) {
  const body = JSON.parse((await read(asked)).toString() || '{}')
  if (asked.method === 'POST' && path === '/api/management/v1/catalogs') {
    const given = body.catalog
    if (given?.type !== 'INTERNAL' || given.storageConfigInfo?.storageType !== 'S3')
      return error(answer, 400, 'no catalog')
    if (catalog) return error(answer, 409, 'there is a catalog')
    catalog = given
    writeFileSync(kept, JSON.stringify(catalog))
    startCatalog(catalog)
    return json(answer, 201, catalog)
  }
  if (
    asked.method === 'PUT' &&
    path === `/api/management/v1/catalogs/${catalog?.name}/catalog-roles/catalog_admin/grants`
  )
    return body.grant?.privilege === 'CATALOG_MANAGE_CONTENT' ? json(answer, 201) : error(answer, 400, 'no grant')
  error(answer, 404, path)
}

function pass(asked, answer, path) {
  const { authorization: _, host: __, ...headers } = asked.headers
  const behind = { host: '127.0.0.1', port: javaPort, method: asked.method, path, headers }
  const passed = ask(behind, (answered) => {
    answer.writeHead(answered.statusCode, answered.headers)
    answered.pipe(answer)
  })
  passed.on('error', (cause) => error(answer, 503, cause.message))
  asked.pipe(passed)
}

createServer(async (asked, answer) => {
  const url = new URL(asked.url, 'http://polaris')
  if (url.pathname === '/api/catalog/v1/oauth/tokens') return token(asked, answer)
  if (asked.headers.authorization !== `Bearer ${issued}`) return error(answer, 401, 'log in')
  if (url.pathname.startsWith('/api/management/')) return manage(asked, answer, url.pathname)
  if (!catalog) return error(answer, 404, 'no catalog yet')
  if (url.pathname === '/api/catalog/v1/config') {
    if (url.searchParams.get('warehouse') !== catalog.name) return error(answer, 404, 'no such warehouse')
    const behind = await fetch(`http://127.0.0.1:${javaPort}/v1/config`).catch(() => undefined)
    if (!behind?.ok) return error(answer, 503, 'starting')
    const config = await behind.json()
    return json(answer, 200, { ...config, overrides: { ...config.overrides, prefix: catalog.name } })
  }
  const below = `/api/catalog/v1/${catalog.name}/`
  if (!asked.url.startsWith(below)) return error(answer, 404, asked.url)
  pass(asked, answer, `/v1/${asked.url.slice(below.length)}`)
}).listen(apiPort)

/** Once there is a catalog, what is behind has to answer too. */
async function isUp() {
  return (
    !catalog ||
    (await fetch(`http://127.0.0.1:${javaPort}/v1/config`).then(
      ({ ok }) => ok,
      () => false,
    ))
  )
}
createServer(async (_, answer) => ((await isUp()) ? json(answer, 200, { status: 'UP' }) : json(answer, 503))).listen(
  managementPort,
)
if (catalog) startCatalog(catalog)
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0))
