// A catalog of somebody else, over Iceberg's REST protocol: Polaris, Lakekeeper, Nessie, Unity, Iceberg's own server.
//
// The server applies updates and writes metadata; we send what should change and what must hold. An answer that was lost
// is the one difficulty: then the table is loaded and asked whether our change is in it. Metadata comes with the answer,
// so the storage is not read for it.

import type { Clock } from '../../base/clock.ts'
import { Failure } from '../../base/failure.ts'
import {
  allFields,
  schemaJson,
  checkRequirements,
  checkViewRequirements,
  tableMetadataFromJson,
  tableRequirementJson,
  tableUpdateJson,
  viewMetadataFromJson,
  viewUpdateJson,
  type Schema,
  type TableMetadata,
  type TableUpdate,
  type ViewMetadata,
  type ViewUpdate,
} from '../../iceberg/index.ts'
import { encodeName, type CredentialSource } from '../../io/index.ts'
import type { Catalog, CatalogChange, CommitOptions } from '../catalog.ts'
import { checkStorable, levelsOf, namespaceOf, showName, type TableName } from '../names.ts'
import {
  namespaceMissing,
  namespaceNotEmpty,
  pageOfNames,
  type EntryKind,
  type Pointer,
  type PropertiesChanged,
} from '../pointers.ts'
import type { Loaded } from '../tables.ts'
import { clientCredentials } from './oauth.ts'
import { openSession, type Answer, type Authentication, type Call, type Session } from './session.ts'
import type { VendedCredential, VendedStorage } from './vended.ts'

export type RestCatalogOptions = {
  uri: string
  /**
   * `warehouse`: each of our catalogs is a warehouse of the server. `namespace`: all are namespaces of the first level in
   * one warehouse.
   */
  environmentAs: 'warehouse' | 'namespace'
  /** The warehouse; `{catalog}` in it stands for the name of our catalog. Default: that name, or the server's default. */
  warehouse?: string | undefined
  /** What `catalogs()` gives where environments are warehouses: servers do not list theirs. */
  catalogs?: readonly string[]
  /** `id:secret`, changed for tokens. */
  credential?: string | undefined
  scope?: string | undefined
  audience?: string | undefined
  /** Default: the catalog's own `/v1/oauth/tokens`. */
  oauthUri?: string | undefined
  /** A token to send as it is. */
  token?: string | undefined
  sigv4?: { credentials: CredentialSource; region: string; service: string } | undefined
  headers?: Record<string, string>
  /** Given, the server is asked for credentials to its storage. */
  vended?: VendedStorage
  clock: Clock
}

type Place = { session: Session; levels: string[]; inNamespace: string }
type Commit = Extract<CatalogChange, { action: 'commit' }>
type LoadResult = {
  'metadata-location'?: string
  metadata: unknown
  config?: Record<string, string>
  'storage-credentials'?: VendedCredential[]
}

const [attemptsMax, waitMsMin, waitMsMax] = [20, 10, 500]
/** Entries that are asked for at the same time. */
const loadsAtOnce = 16
const keptMax = 1_000
const transactionEndpoint = 'POST /v1/{prefix}/transactions/commit'
const pathOf = { table: 'tables', view: 'views' } as const

/** Configuration of each warehouse is asked for when it is first used; that of a fixed one now, so that mistakes show. */
export async function openRestCatalog(options: RestCatalogOptions): Promise<Catalog> {
  const { clock, environmentAs, vended } = options
  const authentication = authenticationOf(options)
  const sessions = new Map<string, Promise<Session>>()
  /** What was loaded, with its ETag: asked for again, the server says only that it is unchanged. */
  const kept = new Map<string, { etag: string; loaded: Loaded }>()

  function sessionOf(catalog: string): Promise<Session> {
    const warehouse =
      options.warehouse?.replaceAll('{catalog}', catalog) ?? (environmentAs === 'warehouse' ? catalog : undefined)
    const key = warehouse ?? ''
    const known = sessions.get(key)
    if (known) return known
    const { uri, headers = {} } = options
    const opening = openSession({ uri, warehouse, authentication, headers, clock })
    sessions.set(key, opening)
    opening.catch(() => sessions.delete(key))
    return opening
  }

  async function placeOf({ catalog, namespace }: { catalog: string; namespace: string }): Promise<Place> {
    const session = await sessionOf(catalog)
    const own = namespace === '' ? [] : levelsOf(namespace)
    const levels = environmentAs === 'namespace' ? [catalog, ...own] : own
    return { session, levels, inNamespace: `namespaces/${session.namespacePath(levels)}` }
  }
  const ours = (levels: readonly string[]) => namespaceOf(environmentAs === 'namespace' ? levels.slice(1) : levels)
  const identifier = ({ levels }: Place, { name }: TableName) => ({ namespace: levels, name })
  const hasViews = (session: Session) => session.offers('GET /v1/{prefix}/namespaces/{namespace}/views')
  const delegation: Record<string, string> = vended ? { 'x-iceberg-access-delegation': 'vended-credentials' } : {}

  // ---- reading

  /** All pages of a listing. */
  async function pages<Item>(session: Session, path: string, query: Record<string, string>, field: string) {
    const items: Item[] = []
    for (let pageToken = ''; ;) {
      const { json } = await session.ask({ method: 'GET', path, query: { ...query, pageToken } })
      const page = json as { [field: string]: Item[] | undefined } & { 'next-page-token'?: string | null }
      items.push(...(page[field] ?? []))
      const next = page['next-page-token']
      if (!next || next === pageToken) return items
      pageToken = next
    }
  }

  /** Namespaces below these levels, at any depth. */
  async function below(session: Session, levels: readonly string[]): Promise<string[][]> {
    const query: Record<string, string> = levels.length === 0 ? {} : { parent: session.namespaceParameter(levels) }
    const children = await pages<string[]>(session, 'namespaces', query, 'namespaces').catch(ifMissing([]))
    const deeper = await Promise.all(
      // Some servers give all of them at once.
      children.filter((child) => child.length === levels.length + 1).map((child) => below(session, child)),
    )
    return [...children, ...deeper.flat()]
  }

  async function namespaces(catalog: string): Promise<string[]> {
    const { session, levels } = await placeOf({ catalog, namespace: '' })
    const all = (await below(session, levels)).map(ours)
    return [...new Set(all)].sort()
  }

  async function load(name: TableName, { kind }: { kind?: EntryKind } = {}): Promise<Loaded | undefined> {
    const place = await placeOf(name)
    if (kind !== 'view') {
      const table = await loadOne(name, 'table', place)
      if (table || kind === 'table') return table
    }
    return hasViews(place.session) ? loadOne(name, 'view', place) : undefined
  }

  async function loadOne(name: TableName, kind: EntryKind, place: Place): Promise<Loaded | undefined> {
    const { session, inNamespace } = place
    const path = `${inNamespace}/${pathOf[kind]}/${encodeName(name.name)}`
    const key = `${kind} ${showName(name)}`
    const before = kept.get(key)
    const headers = { ...delegation, ...(before && { 'if-none-match': before.etag }) }
    const answer = await session.ask({ method: 'GET', path, headers, accept: [304] }).catch(ifMissing(undefined))
    if (!answer) {
      kept.delete(key)
      return undefined
    }
    if (answer.status === 304 && before) return before.loaded
    return keep(loadedOf(name, kind, place, answer), answer)
  }

  function keep(loaded: Loaded, { headers: { etag } }: Answer): Loaded {
    const key = `${loaded.kind} ${showName(loaded.name)}`
    kept.delete(key)
    // What carries keys has to be asked for again, or they would grow old here.
    if (etag && !vended) kept.set(key, { etag, loaded })
    if (kept.size > keptMax) kept.delete(kept.keys().next().value!)
    return loaded
  }

  function loadedOf(name: TableName, kind: EntryKind, place: Place, { json }: Answer): Loaded {
    const result = json as LoadResult
    const location = result['metadata-location'] ?? ''
    if (kind === 'view')
      return { kind, name, location, metadata: viewMetadataFromJson(result.metadata, showName(name)) }
    const metadata = tableMetadataFromJson(result.metadata, showName(name))
    if (vended) {
      const config = { ...place.session.properties, ...result.config }
      const path = `${place.inNamespace}/tables/${encodeName(name.name)}/credentials`
      vended.vend(metadata.location, config, result['storage-credentials'] ?? [], async () => {
        const { json: fresh } = await place.session.ask({ method: 'GET', path })
        const credentials = (fresh as Pick<LoadResult, 'storage-credentials'>)['storage-credentials'] ?? []
        return credentials.map((one) => ({ ...one, config: { ...config, ...one.config } }))
      })
    }
    return { kind, name, location, metadata }
  }

  async function list(catalog: string, namespace?: string): Promise<Pointer[]> {
    const inside = namespace === undefined ? await namespaces(catalog) : [namespace]
    const names = await Promise.all(inside.map((one) => namesIn(catalog, one)))
    const found: Pointer[] = []
    const left = names.flat()
    const loader = async () => {
      for (let next = left.pop(); next; next = left.pop()) {
        const loaded = await load(next.name, { kind: next.kind })
        if (loaded) found.push({ name: loaded.name, kind: loaded.kind, location: loaded.location })
      }
    }
    await Promise.all(Array.from({ length: loadsAtOnce }, loader))
    return found.sort((a, b) => (showName(a.name) < showName(b.name) ? -1 : 1))
  }

  async function namesIn(catalog: string, namespace: string): Promise<{ name: TableName; kind: EntryKind }[]> {
    const place = await placeOf({ catalog, namespace })
    const found = await Promise.all(
      (['table', 'view'] as const).map(async (kind) =>
        (await namesOf(kind, place)).map((name) => ({ name: { catalog, namespace, name }, kind })),
      ),
    )
    return found.flat()
  }

  async function namesOf(kind: EntryKind, { session, inNamespace }: Place): Promise<string[]> {
    if (kind === 'view' && !hasViews(session)) return []
    const path = `${inNamespace}/${pathOf[kind]}`
    const entries = await pages<{ name: string }>(session, path, {}, 'identifiers').catch(ifMissing([]))
    return entries.map(({ name }) => name)
  }

  // ---- committing

  /** Runs again what lost a race although its requirements still hold: the server may leave that to its clients. */
  async function commitOne(asked: Commit, signal: AbortSignal | undefined): Promise<Loaded> {
    const { name, kind } = asked
    const place = await placeOf(name)
    const change = kind === 'view' && !creates(asked) ? numbered(asked, await load(name, { kind })) : asked
    const call: Call = {
      method: 'POST',
      path: `${place.inNamespace}/${pathOf[kind]}/${encodeName(name.name)}`,
      body: { identifier: identifier(place, name), ...bodyOf(change) },
      headers: delegation,
      signal,
    }
    if (kind === 'view' && creates(change)) Object.assign(call, viewCreation(place, change))
    // Some servers make a table where there is no namespace, others say something else.
    if (creates(change) && (await namespace(name.catalog, name.namespace)) === undefined)
      throw namespaceMissing(name.catalog, name.namespace)
    for (let attempt = 1; ; attempt++) {
      const answer = await place.session
        .change(call, () => landed([change]))
        .catch(async (error: unknown) => {
          if (attempt === attemptsMax || !(await stillHolds(change, error))) throw await explained(change, error)
          return 'lost' as const
        })
      if (answer === undefined || (answer !== 'lost' && !namesFile(answer)))
        return must(await load(name, { kind }), change)
      if (answer !== 'lost') return keep(loadedOf(name, kind, place, answer), answer)
      await pause(attempt, signal)
    }
  }

  /** One request for several tables. It answers nothing, so they are loaded afterwards. */
  async function commitTogether(changes: readonly Commit[], signal: AbortSignal | undefined): Promise<Loaded[]> {
    const places = await Promise.all(changes.map(({ name }) => placeOf(name)))
    const body = {
      'table-changes': changes.map((change, index) => ({
        identifier: identifier(places[index]!, change.name),
        ...bodyOf(change),
      })),
    }
    const call: Call = { method: 'POST', path: 'transactions/commit', body, signal }
    for (let attempt = 1; ; attempt++) {
      const outcome = await places[0]!.session
        .change(call, () => landed(changes))
        .catch(async (error: unknown) => {
          for (const change of changes)
            if (attempt === attemptsMax || !(await stillHolds(change, error))) throw await explained(change, error)
          return 'lost' as const
        })
      if (outcome !== 'lost')
        return Promise.all(changes.map(async (change) => must(await load(change.name, { kind: change.kind }), change)))
      await pause(attempt, signal)
    }
  }

  const pause = (attempt: number, signal: AbortSignal | undefined) =>
    clock.sleep(clock.random() * Math.min(waitMsMax, waitMsMin * 2 ** attempt), signal)

  /** Whether these changes are in what the catalog has now. */
  async function landed(changes: readonly Commit[]): Promise<boolean> {
    for (const { name, kind, updates } of changes) {
      const now = await load(name, { kind })
      if (!now) return false
      if (
        now.kind === 'table'
          ? !tableHas(now.metadata, updates as TableUpdate[])
          : !viewHas(now.metadata, updates as ViewUpdate[])
      )
        return false
    }
    return true
  }

  /** After a conflict: whether the change could be made on what is there now. */
  async function stillHolds(change: Commit, error: unknown): Promise<boolean> {
    if (!(error instanceof Failure) || error.code !== 'COMMIT_CONFLICT') return false
    const now = await load(change.name, { kind: change.kind })
    requirementsHold(change, now)
    return true
  }

  /** A conflict in our words: what stands under the name decides which one it is. */
  async function explained(change: Commit, error: unknown): Promise<unknown> {
    if (!(error instanceof Failure)) return error
    const { name, kind } = change
    const context = { cause: error, hint: error.hint, name, kind }
    if (error.code === 'NOT_FOUND')
      return new Failure('TABLE_NOT_FOUND', `there is no ${kind} ${showName(name)}`, context)
    if (!creates(change) || !['ALREADY_EXISTS', 'COMMIT_CONFLICT'].includes(error.code)) return error
    const now = await load(name)
    if (!now) return error
    return now.kind === kind
      ? new Failure('COMMIT_CONFLICT', `${showName(name)}: assert-create failed: it exists`, context)
      : new Failure('ALREADY_EXISTS', `there is a ${now.kind} ${showName(name)} already`, {
          ...context,
          kind: now.kind,
          wanted: kind,
        })
  }

  async function commit(changes: readonly CatalogChange[], { signal }: CommitOptions = {}): Promise<Loaded[]> {
    for (const { name } of changes) checkStorable(name.catalog, ...levelsOf(name.namespace), name.name)
    const results: Loaded[] = []
    for (const group of grouped(changes, await Promise.all(changes.map(({ name }) => sessionOf(name.catalog))))) {
      const [first] = group
      if (group.length > 1) results.push(...(await commitTogether(group as Commit[], signal)))
      else if (first!.action === 'commit') results.push(await commitOne(first!, signal))
      else await drop(first!.name, first!.kind, signal, first!.base)
    }
    return results
  }

  // ---- names

  async function drop(name: TableName, kind: EntryKind, signal?: AbortSignal, base?: string): Promise<Loaded> {
    const place = await placeOf(name)
    const before = await load(name, { kind })
    if (!before) throw missing(name, kind)
    if (base !== undefined && base !== before.location)
      throw new Failure('COMMIT_CONFLICT', `${showName(name)} was changed by another writer`, { name, kind })
    const path = `${place.inNamespace}/${pathOf[kind]}/${encodeName(name.name)}`
    const query: Record<string, string> = kind === 'table' ? { purgeRequested: 'false' } : {}
    await place.session
      .change({ method: 'DELETE', path, query, signal }, async () => !(await load(name, { kind })))
      .catch((error: unknown) => {
        throw isMissing(error) ? missing(name, kind) : error
      })
    return before
  }

  async function rename(
    from: TableName,
    to: TableName,
    kind: EntryKind,
    { signal }: CommitOptions = {},
  ): Promise<void> {
    checkStorable(to.catalog, ...levelsOf(to.namespace), to.name)
    const [source, target] = await Promise.all([placeOf(from), placeOf(to)])
    if (source.session !== target.session)
      throw new Failure('UNSUPPORTED', `${showName(from)} cannot be renamed into another warehouse`)
    const before = await load(from, { kind })
    if (!before) throw missing(from, kind)
    if (showName(from) === showName(to)) return
    if ((await namespace(to.catalog, to.namespace)) === undefined) throw namespaceMissing(to.catalog, to.namespace)
    const body = { source: identifier(source, from), destination: identifier(target, to) }
    await source.session.change(
      { method: 'POST', path: `${pathOf[kind]}/rename`, body, signal },
      async () => !(await load(from, { kind })) && (await load(to, { kind }))?.location === before.location,
    )
  }

  const register: Catalog['register'] = async (name, metadataLocation, { kind, replace = false, signal }) => {
    checkStorable(name.catalog, ...levelsOf(name.namespace), name.name)
    const place = await placeOf(name)
    const body = {
      name: name.name,
      'metadata-location': metadataLocation,
      ...(replace && { overwrite: true }),
    }
    const path = `${place.inNamespace}/${kind === 'table' ? 'register' : 'register-view'}`
    const answer = await place.session.change(
      { method: 'POST', path, body, headers: delegation, signal },
      async () => (await load(name, { kind }))?.location === metadataLocation,
    )
    if (answer) return loadedOf(name, kind, place, answer)
    const loaded = await load(name, { kind })
    if (!loaded) throw missing(name, kind)
    return loaded
  }

  async function namespace(catalog: string, name: string): Promise<Record<string, string> | undefined> {
    const { session, inNamespace } = await placeOf({ catalog, namespace: name })
    const answer = await session.ask({ method: 'GET', path: inNamespace }).catch(ifMissing(undefined))
    return answer && ((answer.json as { properties?: Record<string, string> }).properties ?? {})
  }

  async function createLevels(catalog: string, levels: string[], session: Session, properties: Record<string, string>) {
    const body = { namespace: levels, properties }
    // Another's would look the same; to be there is all that was wanted.
    const isThere = async () => (await namespace(catalog, ours(levels))) !== undefined
    return session.change({ method: 'POST', path: 'namespaces', body }, isThere).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Failure && error.code === 'ALREADY_EXISTS') return false
        throw error
      },
    )
  }

  const main = environmentAs === 'namespace' || (options.warehouse && !options.warehouse.includes('{catalog}'))
  const first = main ? '' : options.catalogs?.[0]
  const known = first === undefined ? undefined : await sessionOf(first)
  return {
    atomic: known?.offers(transactionEndpoint) ?? false,
    async catalogs() {
      if (environmentAs === 'warehouse') return [...(options.catalogs ?? [])]
      const all = await pages<string[]>(await sessionOf(''), 'namespaces', {}, 'namespaces')
      return [...new Set(all.map(([level]) => level!))].sort()
    },
    namespaces,
    namespace,
    async createNamespace(catalog, name, properties = {}) {
      checkStorable(catalog, ...levelsOf(name))
      const { session, levels } = await placeOf({ catalog, namespace: name })
      if (environmentAs === 'namespace') await createLevels(catalog, [catalog], session, {})
      return createLevels(catalog, levels, session, properties)
    },
    async updateNamespace(catalog, name, { set, remove }) {
      const { session, inNamespace } = await placeOf({ catalog, namespace: name })
      const body = { updates: set, removals: remove }
      const answer = await session
        .change({ method: 'POST', path: `${inNamespace}/properties`, body }, async () => {
          const now = (await namespace(catalog, name)) ?? {}
          return Object.entries(set).every(([key, value]) => now[key] === value) && remove.every((key) => !(key in now))
        })
        .catch((error: unknown) => {
          throw isMissing(error) ? namespaceMissing(catalog, name) : error
        })
      const {
        updated = Object.keys(set),
        removed = [...remove],
        missing: absent,
      } = (answer?.json ?? {}) as Partial<PropertiesChanged>
      return { updated, removed, missing: absent ?? [] }
    },
    async dropNamespace(catalog, name) {
      const { session, inNamespace } = await placeOf({ catalog, namespace: name })
      const gone = async () => (await namespace(catalog, name)) === undefined
      const dropped = session.change({ method: 'DELETE', path: inNamespace }, gone).then(() => true)
      return dropped.catch(ifMissing(false)).catch((error: unknown) => {
        const refused = error instanceof Failure && error.context['status'] === 409
        throw refused ? namespaceNotEmpty(catalog, name) : error
      })
    },
    list,
    // A token of theirs stands for no name, so every page is read.
    names: async (catalog, namespace, page) =>
      pageOfNames(await namesOf(page.kind, await placeOf({ catalog, namespace })), page),
    load,
    async stillCurrent(loaded) {
      const now = await Promise.all(loaded.map(({ name }) => load(name)))
      // Metadata files never come back, so what is current before and after was current all the time.
      return now.every((one, index) => one?.location === loaded[index]!.location)
    },
    commit,
    rename,
    register,
    drop: (name, kind, { signal } = {}) => drop(name, kind, signal),
  }
}

function authenticationOf(options: RestCatalogOptions): Authentication {
  const { credential, token, sigv4, uri, scope, audience, oauthUri, clock } = options
  if (sigv4) return { type: 'sigv4', ...sigv4 }
  if (token) return { type: 'token', token: async () => token }
  if (!credential) return { type: 'none' }
  const tokenUri = oauthUri ?? `${uri.replace(/\/+$/, '').replace(/\/v1$/, '')}/v1/oauth/tokens`
  // Polaris wants to know the realm for a token too. An identity provider of somebody else is told nothing.
  const headers = oauthUri === undefined ? options.headers : undefined
  return { type: 'token', token: clientCredentials({ credential, tokenUri, scope, audience, headers, clock }) }
}

/** Nessie answers a commit with an address of its own, and gives the file only when the table is loaded. */
const namesFile = ({ json }: Answer) => !/^https?:/.test((json as LoadResult)['metadata-location'] ?? 'http:')

const creates = ({ requirements }: Commit) => requirements.some(({ type }) => type === 'assert-create')

const bodyOf = (change: Commit) =>
  change.kind === 'table'
    ? {
        requirements: change.requirements.map(tableRequirementJson),
        updates: change.updates.map((update) => withLastColumn(update, tableUpdateJson(update))),
      }
    : {
        requirements: change.requirements,
        updates: change.updates.map((update) => withLastColumn(update, viewUpdateJson(update))),
      }

/** The specification no longer wants `last-column-id` with a schema; Nessie refuses one without. */
const withLastColumn = (update: TableUpdate | ViewUpdate, json: unknown): unknown =>
  update.action === 'add-schema'
    ? { 'last-column-id': Math.max(0, ...Array.from(allFields(update.schema), ({ id }) => id)), ...(json as object) }
    : json

/** Views have a request of their own for being made: schema and version instead of updates. */
function viewCreation({ inNamespace }: Place, { name, updates }: Commit): Pick<Call, 'path' | 'body'> {
  const all = updates as readonly ViewUpdate[]
  const find = <Action extends ViewUpdate['action']>(action: Action) =>
    all.findLast((one): one is Extract<ViewUpdate, { action: Action }> => one.action === action)
  const [schema, version] = [find('add-schema'), find('add-view-version')]
  if (!schema || !version) throw new Failure('REQUEST_INVALID', 'a new view needs add-schema and add-view-version')
  const json = (update: ViewUpdate) => viewUpdateJson(update) as Record<string, unknown>
  const viewVersion = json({ ...version, viewVersion: { ...version.viewVersion, schemaId: schema.schema.schemaId } })
  const properties = all.flatMap((one) => (one.action === 'set-properties' ? Object.entries(one.updates) : []))
  const location = find('set-location')?.location
  return {
    path: `${inNamespace}/views`,
    body: {
      name: name.name,
      ...(location !== undefined && { location }),
      schema: json(schema)['schema'],
      'view-version': viewVersion['view-version'],
      properties: Object.fromEntries(properties),
    },
  }
}

/**
 * A new version of a view with numbers that are free. Servers disagree about `-1` for a schema that the view has already
 * (Java: none was added; Nessie: the number is taken), so such a schema is named and not sent.
 */
function numbered(change: Commit, now: Loaded | undefined): Commit {
  if (change.kind !== 'view' || now?.kind !== 'view') return change
  const { schemas, versions } = now.metadata
  const added = change.updates.find((update) => update.action === 'add-schema')?.schema
  const fieldsOf = (schema: Schema) => JSON.stringify((schemaJson(schema) as { fields: unknown }).fields)
  const same = added && schemas.find((schema) => fieldsOf(schema) === fieldsOf(added))
  const schemaId = same?.schemaId ?? Math.max(...schemas.map((schema) => schema.schemaId)) + 1
  const versionId = Math.max(...versions.map((version) => version.versionId)) + 1
  const updates = change.updates.flatMap((update): ViewUpdate[] => {
    if (update.action === 'add-schema') return same ? [] : [{ ...update, schema: { ...update.schema, schemaId } }]
    if (update.action !== 'add-view-version') return [update]
    const { viewVersion } = update
    const ofAdded = added && [-1, added.schemaId].includes(viewVersion.schemaId)
    return [{ ...update, viewVersion: { ...viewVersion, versionId, ...(ofAdded && { schemaId }) } }]
  })
  return { ...change, updates }
}

/** Runs of table commits that one request can carry; everything else by itself, in order. */
function grouped(changes: readonly CatalogChange[], sessions: readonly Session[]): CatalogChange[][] {
  const groups: { session: Session; changes: CatalogChange[] }[] = []
  for (const [index, change] of changes.entries()) {
    const session = sessions[index]!
    const last = groups.at(-1)
    const fits = (one: CatalogChange) =>
      // Java's server, and those built on it, load every table of a transaction: what is new goes by itself.
      one.action === 'commit' && one.kind === 'table' && !creates(one) && session.offers(transactionEndpoint)
    const joins =
      last?.session === session &&
      fits(change) &&
      last.changes.every((one) => fits(one) && showName(one.name) !== showName(change.name))
    if (joins) last.changes.push(change)
    else groups.push({ session, changes: [change] })
  }
  return groups.map((group) => group.changes)
}

function requirementsHold(change: Commit, now: Loaded | undefined): void {
  if (change.kind === 'table') checkRequirements(now?.metadata as TableMetadata | undefined, change.requirements)
  else checkViewRequirements(now?.metadata as ViewMetadata | undefined, change.requirements)
}

/** Whether updates are in the metadata, told by what no other writer would have done: ids and values of ours. */
function tableHas(metadata: TableMetadata, updates: readonly TableUpdate[]): boolean {
  const signs = updates.flatMap((update): boolean[] => {
    switch (update.action) {
      case 'assign-uuid':
        return [metadata.tableUuid === update.uuid]
      case 'add-snapshot':
        return [metadata.snapshots.some(({ snapshotId }) => snapshotId === update.snapshot.snapshotId)]
      case 'remove-snapshots':
        return [!metadata.snapshots.some(({ snapshotId }) => update.snapshotIds.includes(snapshotId))]
      case 'set-properties':
        return [Object.entries(update.updates).every(([key, value]) => metadata.properties[key] === value)]
      case 'remove-properties':
        return [update.removals.every((key) => !(key in metadata.properties))]
      case 'set-location':
        return [metadata.location === update.location]
      default:
        return []
    }
  })
  return signs.length > 0 && signs.every(Boolean)
}

function viewHas(metadata: ViewMetadata, updates: readonly ViewUpdate[]): boolean {
  const signs = updates.flatMap((update): boolean[] => {
    if (update.action === 'set-properties')
      return [Object.entries(update.updates).every(([key, value]) => metadata.properties[key] === value)]
    if (update.action !== 'add-view-version') return []
    const text = JSON.stringify(update.viewVersion.representations)
    return [metadata.versions.some(({ representations }) => JSON.stringify(representations) === text)]
  })
  return signs.length > 0 && signs.every(Boolean)
}

const missing = (name: TableName, kind: EntryKind) =>
  new Failure('TABLE_NOT_FOUND', `there is no ${kind} ${showName(name)}`, { name, kind })

function must(loaded: Loaded | undefined, { name }: Commit): Loaded {
  if (loaded) return loaded
  throw new Failure('COMMIT_UNKNOWN', `${showName(name)} was committed and is not there any more`, { name })
}

const missingCodes: ReadonlySet<string> = new Set(['NOT_FOUND', 'TABLE_NOT_FOUND', 'NAMESPACE_NOT_FOUND'])
const isMissing = (error: unknown) => error instanceof Failure && missingCodes.has(error.code)

/** For `catch`: the value when what was asked for is not there. */
const ifMissing =
  <Value>(value: Value) =>
  (error: unknown): Value => {
    if (!isMissing(error)) throw error
    return value
  }
