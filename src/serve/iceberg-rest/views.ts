import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { Failure } from '../../base/failure.ts'
import { showName, type CatalogChange, type LoadedView, type TableName } from '../../catalog/index.ts'
import {
  parseViewUpdate,
  viewMetadataJson,
  type ViewRepresentation,
  type ViewRequirement,
} from '../../iceberg/index.ts'
import {
  done,
  Identifier,
  loadedOf,
  nameOf,
  newNameOf,
  parseBody,
  Properties,
  type Answer,
  type Call,
  type Handler,
  type Rest,
} from './call.ts'
import { may, mustBeTrusted } from './rights.ts'

const CreateView = z.object({
  name: z.string().min(1),
  location: z.string().nullish(),
  schema: z.unknown(),
  'view-version': z.looseObject({ representations: z.array(z.looseObject({ dialect: z.string() })) }),
  properties: Properties.nullish(),
})
const CommitView = z.object({
  identifier: Identifier.nullish(),
  requirements: z.array(z.unknown()).nullish(),
  updates: z.array(z.unknown()),
})
const RegisterView = z.object({ name: z.string().min(1), 'metadata-location': z.string().min(1) })
const Requirement = z.discriminatedUnion('type', [
  z.object({ type: z.literal('assert-view-uuid'), uuid: z.string() }),
  z.object({ type: z.literal('assert-create') }),
])

export const createView: Handler = async (call, rest) => {
  const body = parseBody(CreateView, call.body)
  const name = await newNameOf(call, rest, { namespace: call.params.namespace, name: body.name })
  may(call, rest, 'create', name)
  const existing = await rest.catalog.load(name)
  if (existing) throw taken(name, existing.kind)
  checkDialects(body['view-version'].representations)
  const { locations } = rest
  if (body.location != null) mustBeTrusted(call, 'choose where a view lies')
  const location = body.location == null ? locations.fresh(name) : locations.check(body.location)
  const change: CatalogChange = {
    action: 'commit',
    kind: 'view',
    name,
    requirements: [{ type: 'assert-create' }],
    updates: [
      { action: 'assign-uuid', uuid: randomUUID() },
      { action: 'set-location', location },
      parseViewUpdate({ action: 'add-schema', schema: body.schema }),
      // The schema that comes with it, whatever id the client gave it.
      parseViewUpdate({ action: 'add-view-version', 'view-version': { ...body['view-version'], 'schema-id': -1 } }),
      { action: 'set-current-view-version', viewVersionId: -1 },
      { action: 'set-properties', updates: body.properties ?? {} },
    ],
  }
  const [created] = await rest.catalog.commit([change], call.commit).catch((error: unknown) => {
    const lost = error instanceof Failure && error.code === 'COMMIT_CONFLICT'
    throw lost ? taken(name, 'view') : error
  })
  return viewAnswer(created as LoadedView)
}

/** Java's clients know this mistake by its type and its words. */
function checkDialects(representations: readonly { dialect: string }[]): void {
  const dialects = representations.map(({ dialect }) => dialect.toLowerCase())
  const twice = dialects.find((dialect, index) => dialects.indexOf(dialect) !== index)
  if (twice !== undefined)
    throw new Failure('REQUEST_INVALID', `Invalid view version: Cannot add multiple queries for dialect ${twice}`, {
      restType: 'IllegalArgumentException',
    })
}

const taken = (name: TableName, kind: 'table' | 'view') =>
  new Failure('ALREADY_EXISTS', `there is a ${kind} ${showName(name)} already`, { name, kind, wanted: 'view' })

export const registerView: Handler = async (call, rest) => {
  const body = parseBody(RegisterView, call.body)
  const name = await newNameOf(call, rest, { namespace: call.params.namespace, name: body.name })
  may(call, rest, 'create', name)
  mustBeTrusted(call, 'register a view by its metadata file')
  rest.locations.check(body['metadata-location'])
  const view = await rest.catalog.register(name, body['metadata-location'], { ...call.commit, kind: 'view' })
  return viewAnswer(view as LoadedView)
}

export const loadView: Handler = async (call, rest) => {
  const view = await viewOf(call, rest)
  const { principal, warehouse, commit } = call
  const { prefix: trinoCatalog } = warehouse
  // Where namespaces have several levels Trino has other names for the tables.
  const isFlat = trinoCatalog !== undefined && warehouse.levelsOf(view.name).length === 1
  const options = { principal, ...(commit.signal ? { signal: commit.signal } : {}) }
  const trino = isFlat ? await rest.deps.trinoText?.(view, { ...options, trinoCatalog }) : undefined
  return viewAnswer(trino === undefined ? view : withText(view, { type: 'sql', dialect: 'trino', sql: trino }))
}

/** A text that is made for the answer: a fork of the environment would find the names of another in one that is kept. */
function withText(view: LoadedView, text: ViewRepresentation): LoadedView {
  const { versions, currentVersionId } = view.metadata
  const withIt = versions.map((version) =>
    version.versionId === currentVersionId
      ? { ...version, representations: [...version.representations, text] }
      : version,
  )
  return { ...view, metadata: { ...view.metadata, versions: withIt } }
}

export const viewExists: Handler = async (call, rest) => {
  await viewOf(call, rest)
  return done
}

async function viewOf(call: Call, rest: Rest): Promise<LoadedView> {
  const name = await nameOf(call, { namespace: call.params.namespace, name: call.params.view }, 'view')
  may(call, rest, 'read', name, 'view')
  return (await loadedOf(name, 'view', rest)) as LoadedView
}

export const replaceView: Handler = async (call, rest) => {
  const body = parseBody(CommitView, call.body)
  const requirements: ViewRequirement[] = (body.requirements ?? []).map((one) => parseBody(Requirement, one))
  const updates = body.updates.map(parseViewUpdate)
  rest.locations.checkUpdates(updates)
  const name = await nameOf(call, { namespace: call.params.namespace, name: call.params.view }, 'view')
  may(call, rest, 'alter', name, 'view')
  const [view] = await rest.catalog.commit(
    [{ action: 'commit', kind: 'view', name, requirements, updates }],
    call.commit,
  )
  return viewAnswer(view as LoadedView)
}

export const dropView: Handler = async (call, rest) => {
  const name = await nameOf(call, { namespace: call.params.namespace, name: call.params.view }, 'view')
  may(call, rest, 'drop', name, 'view')
  await rest.catalog.drop(name, 'view', call.commit)
  return done
}

/** Without our name for its catalog: clients have their own, and take that where a view names none (view spec). */
export const viewAnswer = ({ name, location, metadata }: LoadedView): Answer => {
  const versions = metadata.versions.map((version) =>
    version.defaultCatalog === name.catalog ? { ...version, defaultCatalog: undefined } : version,
  )
  return {
    status: 200,
    body: { 'metadata-location': location, metadata: viewMetadataJson({ ...metadata, versions }), config: {} },
    shows: { name, kind: 'view' },
  }
}
