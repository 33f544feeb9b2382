// Views: SQL text with its dialect and schema, versioned like tables. Pure functions of values, as in `update.ts`.

import { unreachable } from '../base/assert.ts'
import { checkSchema, refuse } from './metadata.ts'
import { printJson } from './json.ts'
import { sameSchema, withFreshIds } from './schema.ts'
import type { NewField, Schema } from './types.ts'
import { requirementFailed } from './update.ts'
import { viewVersionJson } from './view-json.ts'
import type { ViewMetadata, ViewRepresentation, ViewRequirement, ViewUpdate, ViewVersion } from './view-types.ts'

const versionsKeptDefault = 10

export type NewView = {
  uuid: string
  location: string
  schema: Schema | readonly NewField[]
  representations: readonly ViewRepresentation[]
  defaultNamespace: readonly string[]
  defaultCatalog?: string | undefined
  nowMs: number
  properties?: Readonly<Record<string, string>> | undefined
  summary?: Readonly<Record<string, string>> | undefined
}

export function newViewMetadata({ uuid, location, nowMs, properties = {}, ...version }: NewView): ViewMetadata {
  const schema = viewSchema(version.schema)
  const first = newViewVersion({ ...version, schemaId: 0, versionId: 1, nowMs })
  checkVersion(first)
  return {
    viewUuid: uuid,
    formatVersion: 1,
    location: location.replace(/\/+$/, ''),
    currentVersionId: 1,
    versions: [first],
    versionLog: [{ versionId: 1, timestampMs: nowMs }],
    schemas: [schema],
    properties,
  }
}

function viewSchema(given: Schema | readonly NewField[]): Schema {
  let last = 0
  const schema = {
    schemaId: 0,
    fields: withFreshIds('fields' in given ? given.fields : given, () => ++last),
    identifierFieldIds: [],
  }
  checkSchema(schema)
  return schema
}

function newViewVersion({
  versionId,
  schemaId,
  representations,
  defaultNamespace,
  defaultCatalog,
  summary = {},
  nowMs,
}: Omit<NewView, 'uuid' | 'location' | 'schema'> & { versionId: number; schemaId: number }): ViewVersion {
  return {
    versionId,
    schemaId,
    timestampMs: nowMs,
    summary,
    representations,
    defaultNamespace,
    ...(defaultCatalog !== undefined && { defaultCatalog }),
  }
}

/** The updates that give a view new SQL and a new schema: what `CREATE OR REPLACE VIEW` commits. */
export function replaceViewUpdates({
  schema,
  properties,
  ...version
}: Omit<NewView, 'uuid' | 'location'>): ViewUpdate[] {
  return [
    { action: 'add-schema', schema: viewSchema(schema) },
    { action: 'add-view-version', viewVersion: newViewVersion({ ...version, versionId: 1, schemaId: -1 }) },
    { action: 'set-current-view-version', viewVersionId: -1 },
    ...(properties ? [{ action: 'set-properties' as const, updates: properties }] : []),
  ]
}

/** The updates that make `metadata`, a view of one version, out of nothing: to be committed with `assert-create`. */
export const createViewUpdates = ({
  viewUuid,
  location,
  schemas,
  versions,
  properties,
}: ViewMetadata): ViewUpdate[] => [
  { action: 'assign-uuid', uuid: viewUuid },
  { action: 'set-location', location },
  { action: 'add-schema', schema: schemas[0]! },
  { action: 'add-view-version', viewVersion: { ...versions[0]!, schemaId: -1 } },
  { action: 'set-current-view-version', viewVersionId: -1 },
  { action: 'set-properties', updates: properties },
]

/** The view after `updates`, or `metadata` itself when they change nothing. REQUEST_INVALID when one does not fit. */
export function applyViewUpdates(
  metadata: ViewMetadata,
  updates: readonly ViewUpdate[],
  { nowMs }: { nowMs: number },
): ViewMetadata {
  let view = metadata
  let lastSchemaId: number | undefined
  let lastVersionId: number | undefined
  const added = new Map<number, ViewVersion>()
  for (const update of updates) {
    switch (update.action) {
      case 'assign-uuid':
        if (update.uuid !== view.viewUuid) refuse(`assign-uuid: the view has the uuid ${view.viewUuid} and keeps it`)
        break
      case 'upgrade-format-version':
        if (update.formatVersion !== 1)
          refuse(`upgrade-format-version: there is no view format version ${update.formatVersion}`)
        break
      case 'add-schema': {
        checkSchema(update.schema)
        const same = view.schemas.find((schema) => sameSchema(schema, update.schema))
        lastSchemaId = same?.schemaId ?? Math.max(-1, ...view.schemas.map(({ schemaId }) => schemaId)) + 1
        if (!same) view = { ...view, schemas: [...view.schemas, { ...update.schema, schemaId: lastSchemaId }] }
        break
      }
      case 'add-view-version': {
        const schemaId =
          update.viewVersion.schemaId === -1
            ? (lastSchemaId ?? refuse('add-view-version: no schema was added'))
            : update.viewVersion.schemaId
        if (!view.schemas.some((schema) => schema.schemaId === schemaId))
          refuse(`add-view-version: there is no schema ${schemaId}`)
        const version = { ...update.viewVersion, schemaId }
        checkVersion(version)
        const same = view.versions.find((one) => sameVersion(one, version))
        lastVersionId = same?.versionId ?? Math.max(0, ...view.versions.map(({ versionId }) => versionId)) + 1
        added.set(lastVersionId, same ?? { ...version, versionId: lastVersionId })
        if (!same) view = { ...view, versions: [...view.versions, added.get(lastVersionId)!] }
        break
      }
      case 'set-current-view-version': {
        const versionId =
          update.viewVersionId === -1
            ? (lastVersionId ?? refuse('set-current-view-version: no version was added'))
            : update.viewVersionId
        if (!view.versions.some((version) => version.versionId === versionId))
          refuse(`set-current-view-version: there is no version ${versionId}`)
        view = { ...view, currentVersionId: versionId }
        break
      }
      case 'set-location':
        view = { ...view, location: update.location.replace(/\/+$/, '') }
        break
      case 'set-properties':
        view = { ...view, properties: { ...view.properties, ...update.updates } }
        break
      case 'remove-properties':
        view = {
          ...view,
          properties: Object.fromEntries(
            Object.entries(view.properties).filter(([name]) => !update.removals.includes(name)),
          ),
        }
        break
      default:
        return unreachable(update)
    }
  }
  if (view === metadata) return metadata
  if (view.currentVersionId !== metadata.currentVersionId) {
    checkDialects(metadata, view)
    // A version that was just made has its own time; one from the past becomes current now.
    const { currentVersionId: versionId } = view
    const timestampMs = added.get(versionId)?.timestampMs ?? nowMs
    view = { ...view, versionLog: [...view.versionLog, { versionId, timestampMs }] }
  }
  return withoutOldVersions(view, new Set(added.keys()))
}

/** Engines that read the view by a dialect must not lose it by another engine's replace, unless a property says so. */
function checkDialects(before: ViewMetadata, { currentVersionId, versions, properties }: ViewMetadata) {
  if (properties['replace.drop-dialect.allowed']?.toLowerCase() === 'true') return
  const dialectsOf = (version: ViewVersion | undefined) =>
    version?.representations.map(({ dialect }) => dialect.toLowerCase()) ?? []
  const now = dialectsOf(versions.find(({ versionId }) => versionId === currentVersionId))
  const lost = dialectsOf(currentViewVersion(before)).filter((dialect) => !now.includes(dialect))
  if (lost.length > 0)
    refuse(
      `Cannot replace view due to loss of view dialects: ${lost.join(', ')} (the property "replace.drop-dialect.allowed" is not true)`,
    )
}

/** Undefined only while a view is being made. */
export const currentViewVersion = ({ versions, currentVersionId }: ViewMetadata): ViewVersion | undefined =>
  versions.find(({ versionId }) => versionId === currentVersionId)

function checkVersion({ representations }: ViewVersion) {
  if (representations.length === 0) refuse('a view needs SQL in at least one dialect')
  const dialects = representations.map(({ dialect }) => dialect.toLowerCase())
  const twice = dialects.find((dialect, index) => dialects.indexOf(dialect) !== index)
  if (twice !== undefined) refuse(`a view has at most one SQL text per dialect: "${twice}" is given twice`)
}

/** Same but for its id and time. */
function sameVersion(a: ViewVersion, b: ViewVersion): boolean {
  const text = (version: ViewVersion) =>
    printJson({ ...(viewVersionJson(version) as object), 'version-id': 0, 'timestamp-ms': 0 })
  return text(a) === text(b)
}

/** Keeps the newest versions (`version.history.num-entries`), the current one, and all that were just added. */
function withoutOldVersions(view: ViewMetadata, added: ReadonlySet<number>): ViewMetadata {
  const wanted = Number(view.properties['version.history.num-entries'] ?? versionsKeptDefault)
  if (!Number.isSafeInteger(wanted) || wanted < 1)
    refuse(`version.history.num-entries must be positive but was ${view.properties['version.history.num-entries']}`)
  const kept = Math.max(new Set([...added, view.currentVersionId]).size, wanted)
  if (view.versions.length <= kept) return view
  const others = view.versions.filter(({ versionId }) => versionId !== view.currentVersionId)
  const newest = others.sort((a, b) => b.versionId - a.versionId).slice(0, kept - 1)
  const ids = new Set([view.currentVersionId, ...newest.map(({ versionId }) => versionId)])
  const isKept = ({ versionId }: { versionId: number }) => ids.has(versionId)
  const lastGone = view.versionLog.findLastIndex((entry) => !isKept(entry))
  return { ...view, versions: view.versions.filter(isKept), versionLog: view.versionLog.slice(lastGone + 1) }
}

/** COMMIT_CONFLICT names the first requirement that does not hold. `undefined`: the view does not exist. */
export function checkViewRequirements(
  metadata: ViewMetadata | undefined,
  requirements: readonly ViewRequirement[],
): void {
  for (const requirement of requirements) {
    const fail = (problem: string): never => {
      throw requirementFailed(requirement.type, problem)
    }
    if (requirement.type === 'assert-create') {
      if (metadata) fail('view already exists')
    } else if (!metadata) fail('view does not exist')
    else if (metadata.viewUuid.toLowerCase() !== requirement.uuid.toLowerCase())
      fail(`view UUID does not match: expected ${metadata.viewUuid} != ${requirement.uuid}`)
  }
}
