// Views: SQL text with its dialect and schema, versioned like tables. Pure functions of values, as in `update.ts`.

import { unreachable } from '../base/assert.ts'
import { Failure } from '../base/failure.ts'
import { checkSchema, refuse } from './metadata.ts'
import { printJson } from './json.ts'
import { sameSchema, withFreshIds } from './schema.ts'
import type { NewField, Schema } from './types.ts'
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

/** The view after `updates`, or `metadata` itself when they change nothing. REQUEST_INVALID when one does not fit. */
export function applyViewUpdates(
  metadata: ViewMetadata,
  updates: readonly ViewUpdate[],
  { nowMs }: { nowMs: number },
): ViewMetadata {
  let view = metadata
  let lastSchemaId: number | undefined
  let lastVersionId: number | undefined
  const added = new Set<number>()
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
        added.add(lastVersionId)
        if (!same) view = { ...view, versions: [...view.versions, { ...version, versionId: lastVersionId }] }
        break
      }
      case 'set-current-view-version': {
        const versionId =
          update.viewVersionId === -1
            ? (lastVersionId ?? refuse('set-current-view-version: no version was added'))
            : update.viewVersionId
        if (!view.versions.some((version) => version.versionId === versionId))
          refuse(`set-current-view-version: there is no version ${versionId}`)
        if (versionId !== view.currentVersionId)
          view = {
            ...view,
            currentVersionId: versionId,
            versionLog: [...view.versionLog, { versionId, timestampMs: nowMs }],
          }
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
  return view === metadata ? metadata : withoutOldVersions(view, added)
}

function checkVersion({ representations }: ViewVersion) {
  if (representations.length === 0) refuse('a view needs SQL in at least one dialect')
  const dialects = representations.map(({ dialect }) => dialect.toLowerCase())
  const twice = dialects.find((dialect, index) => dialects.indexOf(dialect) !== index)
  if (twice !== undefined) refuse(`a view has at most one SQL text per dialect: "${twice}" is given twice`)
}

/** Same but for its id and time. */
function sameVersion(a: ViewVersion, b: ViewVersion): boolean {
  const text = ({ schemaId, summary, representations, defaultCatalog, defaultNamespace }: ViewVersion) =>
    printJson([schemaId, summary, representations, defaultCatalog ?? null, defaultNamespace])
  return text(a) === text(b)
}

/** Keeps the newest versions (`version.history.num-entries`), the current one, and all that were just added. */
function withoutOldVersions(view: ViewMetadata, added: ReadonlySet<number>): ViewMetadata {
  const wanted = Number(view.properties['version.history.num-entries'] ?? versionsKeptDefault)
  const kept = Math.max(added.size, Number.isInteger(wanted) && wanted > 0 ? wanted : versionsKeptDefault)
  if (view.versions.length <= kept) return view
  const newest = [...view.versions]
    .sort((a, b) => b.versionId - a.versionId)
    .slice(0, kept)
    .map(({ versionId }) => versionId)
  const isKept = ({ versionId }: { versionId: number }) =>
    newest.includes(versionId) || versionId === view.currentVersionId
  const lastGone = view.versionLog.findLastIndex((entry) => !isKept(entry))
  return { ...view, versions: view.versions.filter(isKept), versionLog: view.versionLog.slice(lastGone + 1) }
}

/** COMMIT_CONFLICT names the first requirement that does not hold. `undefined`: the view does not exist. */
export function checkViewRequirements(
  metadata: ViewMetadata | undefined,
  requirements: readonly ViewRequirement[],
): void {
  for (const requirement of requirements) {
    if (requirement.type === 'assert-create') {
      if (metadata) throw new Failure('COMMIT_CONFLICT', 'assert-create failed: the view exists already')
    } else if (!metadata) throw new Failure('COMMIT_CONFLICT', 'assert-view-uuid failed: the view does not exist')
    else if (metadata.viewUuid.toLowerCase() !== requirement.uuid.toLowerCase())
      throw new Failure(
        'COMMIT_CONFLICT',
        `assert-view-uuid failed: the uuid is ${metadata.viewUuid}, not ${requirement.uuid}`,
      )
  }
}
