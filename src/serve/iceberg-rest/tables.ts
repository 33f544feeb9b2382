import { createHash, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { Failure } from '../../base/failure.ts'
import { showName, type CatalogChange, type LoadedTable, type TableName } from '../../catalog/index.ts'
import {
  createUpdates,
  mayDeleteFiles,
  newTableMetadata,
  parseTableRequirement,
  parseTableUpdate,
  reservedProperties,
  tableMetadataJson,
  type FormatVersion,
  type TableMetadata,
  type TableUpdate,
} from '../../iceberg/index.ts'
import {
  done,
  findName,
  Identifier,
  loadedOf,
  nameOf,
  newNameOf,
  noSuch,
  parseBody,
  Properties,
  type Answer,
  type Call,
  type Handler,
  type Rest,
} from './call.ts'
import { keepNames } from '../../lake/index.ts'
import { checkFiles, checkProperties, isTrusted, may, mayAlso, mustBeTrusted } from './rights.ts'
import { signerConfig } from './sign.ts'

const CreateTable = z.object({
  name: z.string().min(1),
  location: z.string().nullish(),
  schema: z.unknown(),
  'partition-spec': z.unknown().optional(),
  'write-order': z.unknown().optional(),
  'stage-create': z.boolean().nullish(),
  properties: Properties.nullish(),
})
const CommitTable = z.object({
  identifier: Identifier.nullish(),
  requirements: z.array(z.unknown()),
  updates: z.array(z.unknown()),
})
const CommitTransaction = z.object({ 'table-changes': z.array(CommitTable.extend({ identifier: Identifier })).min(1) })
const Register = z.object({
  name: z.string().min(1),
  'metadata-location': z.string().min(1),
  overwrite: z.boolean().nullish(),
})
export const Rename = z.object({ source: Identifier, destination: Identifier })

export const createTable: Handler = async (call, rest) => {
  const body = parseBody(CreateTable, call.body)
  const at = { namespace: call.params.namespace, name: body.name }
  const name = await newNameOf(call, rest, at)
  may(call, rest, 'create', name)
  if (body.location != null) mustBeTrusted(call, 'choose where a table lies')
  checkProperties(call, name, body.properties ?? {})
  const existing = await rest.catalog.load(name)
  if (existing) throw taken(name, existing.kind)
  const metadata = newMetadata(body, name, rest)
  await rest.deps.storage.makeFolders(metadata.location)
  if (body['stage-create'] === true) {
    const staged: LoadedTable = { kind: 'table', name, location: '', metadata }
    return { status: 200, body: { metadata: tableMetadataJson(metadata), ...(await access(call, rest, staged)) } }
  }
  const change: CatalogChange = {
    action: 'commit',
    kind: 'table',
    name,
    requirements: [{ type: 'assert-create' }],
    updates: createUpdates(metadata),
  }
  const [created] = await rest.catalog.commit([change], call.commit).catch((error: unknown) => {
    const lost = error instanceof Failure && error.code === 'COMMIT_CONFLICT'
    throw lost ? taken(name, 'table') : error
  })
  return await tableAnswer(call, rest, created as LoadedTable)
}

const taken = (name: TableName, kind: 'table' | 'view') =>
  new Failure('ALREADY_EXISTS', `there is a ${kind} ${showName(name)} already`, { name, kind, wanted: 'table' })

function newMetadata(body: z.infer<typeof CreateTable>, name: TableName, { deps, locations }: Rest): TableMetadata {
  const given = body.properties ?? {}
  const properties = Object.fromEntries(Object.entries(given).filter(([key]) => !reservedProperties.has(key)))
  locations.checkProperties(properties)
  const schema = parseTableUpdate({ action: 'add-schema', schema: body.schema })
  const spec =
    body['partition-spec'] == null ? undefined : parseTableUpdate({ action: 'add-spec', spec: body['partition-spec'] })
  const order =
    body['write-order'] == null
      ? undefined
      : parseTableUpdate({ action: 'add-sort-order', 'sort-order': body['write-order'] })
  return newTableMetadata({
    uuid: randomUUID(),
    location: body.location == null ? locations.fresh(name) : locations.check(body.location),
    nowMs: deps.clock.now(),
    schema: (schema as Extract<TableUpdate, { action: 'add-schema' }>).schema,
    spec: (spec as Extract<TableUpdate, { action: 'add-spec' }> | undefined)?.spec,
    order: (order as Extract<TableUpdate, { action: 'add-sort-order' }> | undefined)?.sortOrder,
    // As Java's core writes it down: what a writer does by default may change, what a table asked for does not.
    properties: { 'write.parquet.compression-codec': 'zstd', ...properties },
    formatVersion: formatVersionOf(given['format-version']),
  })
}

function formatVersionOf(text: string | undefined): FormatVersion | undefined {
  if (text === undefined) return undefined
  const version = Number(text)
  if (version === 1 || version === 2 || version === 3) return version
  throw new Failure('REQUEST_INVALID', `format-version: there is no version ${text}`)
}

export const registerTable: Handler = async (call, rest) => {
  const body = parseBody(Register, call.body)
  const name = await newNameOf(call, rest, { namespace: call.params.namespace, name: body.name })
  may(call, rest, body.overwrite === true ? 'write' : 'create', name)
  mustBeTrusted(call, 'register a table by its metadata file')
  rest.locations.check(body['metadata-location'])
  const options = { ...call.commit, kind: 'table' as const, replace: body.overwrite === true }
  const table = await rest.catalog.register(name, body['metadata-location'], options)
  return await tableAnswer(call, rest, table as LoadedTable)
}

export const loadTable: Handler = async (call, rest) => {
  const snapshots = call.query.get('snapshots') ?? 'all'
  if (snapshots !== 'all' && snapshots !== 'refs')
    throw new Failure('REQUEST_INVALID', `snapshots: expected all or refs, found ${snapshots.slice(0, 100)}`)
  const table = await tableOf(call, rest)
  const etag = etagOf(table, snapshots)
  const asked = (call.headers.get('if-none-match') ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''))
  if (asked.includes(etag) || asked.includes('*')) return { status: 304, headers: { etag } }
  return await tableAnswer(call, rest, table, snapshots)
}

export const tableExists: Handler = async (call, rest) => {
  await tableOf(call, rest)
  return done
}

export const loadCredentials: Handler = async (call, rest) => {
  const table = await tableOf(call, rest)
  const credentials = await rest.deps.storage.credentialsFor(table, accessOf(call, rest, table.name))
  return { status: 200, body: { 'storage-credentials': credentials } }
}

/** The table that the path names. @throws TABLE_NOT_FOUND, FORBIDDEN */
export async function tableOf(call: Call, rest: Rest): Promise<LoadedTable> {
  const name = await nameOf(call, { namespace: call.params.namespace, name: call.params.table }, 'table')
  may(call, rest, 'read', name)
  const table = (await loadedOf(name, 'table', rest)) as LoadedTable
  if (await rest.deps.storage.exists(table.location)) return table
  throw new Failure('TABLE_NOT_FOUND', 'its metadata file is gone', { location: table.location })
}

export const commitTable: Handler = async (call, rest) => {
  const body = parseBody(CommitTable, call.body)
  const at = { namespace: call.params.namespace, name: call.params.table }
  if (
    body.identifier &&
    JSON.stringify([body.identifier.namespace, body.identifier.name]) !== JSON.stringify([at.namespace, at.name])
  )
    throw new Failure('REQUEST_INVALID', 'body.identifier: another table than in the path')
  const change = await changeOf(call, rest, { ...body, identifier: at })
  const [table] = await rest.catalog.commit([change], call.commit)
  return await tableAnswer(call, rest, table as LoadedTable)
}

export const commitTransaction: Handler = async (call, rest) => {
  const { 'table-changes': bodies } = parseBody(CommitTransaction, call.body)
  const changes: CatalogChange[] = []
  for (const body of bodies) changes.push(await changeOf(call, rest, body))
  await rest.catalog.commit(changes, call.commit)
  return done
}

type Body = { identifier: z.infer<typeof Identifier>; requirements: unknown[]; updates: unknown[] }

/** Updates that change rows and nothing else. */
const rowsOnly: ReadonlySet<TableUpdate['action']> = new Set(['add-snapshot', 'set-snapshot-ref'])

async function changeOf(call: Call, rest: Rest, { identifier, requirements: asked, updates: given }: Body) {
  const requirements = asked.map(parseTableRequirement)
  const updates = given.map(parseTableUpdate)
  rest.locations.checkUpdates(updates)
  const creates = requirements.some(({ type }) => type === 'assert-create')
  const name = creates ? await newNameOf(call, rest, identifier) : await findName(call.warehouse, identifier)
  if (!name) throw noSuch('table', [...identifier.namespace, identifier.name])
  may(call, rest, creates ? 'create' : 'write', name)
  if (!creates && updates.some(({ action }) => !rowsOnly.has(action))) may(call, rest, 'alter', name)
  if (!isTrusted(call)) {
    const before = creates ? undefined : ((await loadedOf(name, 'table', rest)) as LoadedTable)
    await checkFiles(call, rest, name, updates, before)
  }
  const hasPlace = !creates || updates.some(({ action }) => action === 'set-location')
  const placed: TableUpdate[] = hasPlace
    ? await namesKept(updates, name, rest)
    : [...updates, { action: 'set-location', location: rest.locations.fresh(name) }]
  return { action: 'commit', kind: 'table', name, requirements, updates: placed } satisfies CatalogChange
}

/** Clients drop schemas that no snapshot has. Masks go by all names of a column: what alone tells one stays. */
async function namesKept(updates: TableUpdate[], name: TableName, rest: Rest): Promise<TableUpdate[]> {
  if (!updates.some(({ action }) => action === 'remove-schemas')) return updates
  const { metadata } = (await loadedOf(name, 'table', rest)) as LoadedTable
  return updates.flatMap(keepNames(metadata))
}

export const renameEntry =
  (kind: 'table' | 'view'): Handler =>
  async (call, rest) => {
    const { source, destination } = parseBody(Rename, call.body)
    const from = await nameOf(call, source, kind)
    may(call, rest, 'alter', from, kind)
    await loadedOf(from, kind, rest)
    const to = await newNameOf(call, rest, destination)
    may(call, rest, 'create', to)
    await rest.catalog.rename(from, to, kind, call.commit)
    return done
  }

export const dropTable: Handler = async (call, rest) => {
  const purge = call.query.get('purgeRequested') ?? 'false'
  if (!/^(true|false)$/i.test(purge)) throw new Failure('REQUEST_INVALID', `purgeRequested: expected true or false`)
  const name = await nameOf(call, { namespace: call.params.namespace, name: call.params.table }, 'table')
  may(call, rest, 'drop', name)
  const isPurge = purge.toLowerCase() === 'true'
  const table = await loadedOf(name, 'table', rest)
  if (isPurge && !mayDeleteFiles(table.metadata))
    throw new Failure('REQUEST_INVALID', `Cannot purge table: GC is disabled (gc.enabled=false): ${showName(name)}`, {
      hint: 'Its files are shared. Drop it without purge.',
    })
  const dropped = await rest.catalog.drop(name, 'table', call.commit)
  // The table is gone already: files that stay behind are orphans, not a failure of the drop.
  if (isPurge)
    await rest.deps.storage.purge(dropped).catch((error: unknown) => {
      call.log.warn('files of a dropped table stay behind', { table: showName(name), reason: (error as Error).message })
    })
  return done
}

/** Takes the name away and leaves every file, so that another catalog can register the table. */
export const unregisterTable: Handler = async (call, rest) => {
  const name = await nameOf(call, { namespace: call.params.namespace, name: call.params.table }, 'table')
  may(call, rest, 'drop', name)
  const { location, metadata } = (await rest.catalog.drop(name, 'table', call.commit)) as LoadedTable
  return { status: 200, body: { 'metadata-location': location, metadata: tableMetadataJson(metadata) } }
}

export async function tableAnswer(
  call: Call,
  rest: Rest,
  table: LoadedTable,
  snapshots: 'all' | 'refs' = 'all',
): Promise<Answer> {
  const metadata = snapshots === 'all' ? table.metadata : withoutHistory(table.metadata)
  return {
    status: 200,
    headers: { etag: etagOf(table, snapshots) },
    body: {
      'metadata-location': table.location,
      metadata: tableMetadataJson(metadata),
      ...(await access(call, rest, table)),
    },
    shows: { name: table.name, kind: 'table' },
  }
}

/** What the client needs to reach the files, in the ways that it understands. */
async function access(call: Call, rest: Rest, table: LoadedTable) {
  const { storage } = rest.deps
  const ways = (call.headers.get('x-iceberg-access-delegation') ?? '').split(',').map((way) => way.trim())
  const credentials = ways.includes('vended-credentials')
    ? await storage.credentialsFor(table, accessOf(call, rest, table.name))
    : []
  const signs = credentials.length === 0 && ways.includes('remote-signing') && storage.signing !== undefined
  // A store without keys would be taken for all that there is to know: DuckDB then forgets the keys that it was given.
  const config = credentials.length > 0 || signs ? storage.config : {}
  return {
    config: {
      ...config,
      ...(signs && signerConfig(call, table)),
      ...credentials.reduce((all, one) => ({ ...all, ...one.config }), {}),
    },
    ...(credentials.length > 0 && { 'storage-credentials': credentials }),
  }
}

const accessOf = (call: Call, rest: Rest, name: TableName) => (mayAlso(call, rest, 'write', name) ? 'write' : 'read')

/** Only snapshots that a branch or tag names; a client loads the others when it needs them. */
function withoutHistory(metadata: TableMetadata): TableMetadata {
  const named = new Set(Object.values(metadata.refs).map(({ snapshotId }) => snapshotId))
  return { ...metadata, snapshots: metadata.snapshots.filter(({ snapshotId }) => named.has(snapshotId)) }
}

/** A metadata file never changes, so its place stands for its content. */
const etagOf = ({ location }: LoadedTable, snapshots: string) =>
  `"${createHash('sha256').update(`${location} ${snapshots}`).digest('hex').slice(0, 32)}"`
