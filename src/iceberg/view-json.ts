import { Failure } from '../base/failure.ts'
import { JsonNode, parseJson, printJson } from './json.ts'
import { schemaFromNode, schemaJson } from './schema.ts'
import type { ViewMetadata, ViewVersion } from './view-types.ts'

/** View metadata (view spec, format version 1) from its text. METADATA_INVALID names the field, and `place` if given. */
export function parseViewMetadata(text: string, place?: string): ViewMetadata {
  return viewMetadataFromJson(parseJson(text, place), place)
}

export function viewMetadataFromJson(json: unknown, place?: string): ViewMetadata {
  const root = new JsonNode(json, { place })
  const formatVersion = root.get('format-version').int()
  if (formatVersion !== 1)
    throw new Failure(
      'UNSUPPORTED',
      `${place ?? 'the view'} has view format version ${formatVersion}; version 1 can be read`,
      { ...(place && { place: { file: place } }) },
    )
  const versions = root.get('versions').list(viewVersionFromNode)
  const currentVersionId = root.get('current-version-id').int()
  if (!versions.some(({ versionId }) => versionId === currentVersionId))
    root.get('current-version-id').fail(`there is no version ${currentVersionId}`)
  const schemas = root.get('schemas').list(schemaFromNode)
  const current = versions.find(({ versionId }) => versionId === currentVersionId)!
  if (!schemas.some(({ schemaId }) => schemaId === current.schemaId))
    root.get('versions').fail(`there is no schema ${current.schemaId}`)
  return {
    viewUuid: root.get('view-uuid').text(),
    formatVersion,
    location: root.get('location').text(),
    currentVersionId,
    versions,
    versionLog: root
      .get('version-log')
      .list((entry) => ({ versionId: entry.get('version-id').int(), timestampMs: entry.get('timestamp-ms').count() })),
    schemas,
    properties: root.maybe('properties', (at) => at.texts()) ?? {},
  }
}

export function viewVersionFromNode(node: JsonNode): ViewVersion {
  const defaultCatalog = node.maybe('default-catalog', (at) => at.text())
  const all = node.get('representations').list((one) => one)
  const isSql = (one: JsonNode) => one.get('type').text() === 'sql'
  const others = all.filter((one) => !isSql(one)).map(({ value }) => value)
  return {
    versionId: node.get('version-id').int(),
    schemaId: node.get('schema-id').int(),
    timestampMs: node.get('timestamp-ms').count(),
    summary: node.maybe('summary', (at) => at.texts()) ?? {},
    representations: all
      .filter(isSql)
      .map((one) => ({ type: 'sql', sql: one.get('sql').text(), dialect: one.get('dialect').text() })),
    ...(others.length > 0 && { otherRepresentations: others }),
    ...(defaultCatalog !== undefined && { defaultCatalog }),
    defaultNamespace: node.maybe('default-namespace', (at) => at.list((part) => part.text())) ?? [],
  }
}

export const printViewMetadata = (metadata: ViewMetadata): string => printJson(viewMetadataJson(metadata))

export const viewMetadataJson = (metadata: ViewMetadata): unknown => ({
  'view-uuid': metadata.viewUuid,
  'format-version': metadata.formatVersion,
  location: metadata.location,
  'current-version-id': metadata.currentVersionId,
  versions: metadata.versions.map(viewVersionJson),
  'version-log': metadata.versionLog.map(({ versionId, timestampMs }) => ({
    'timestamp-ms': timestampMs,
    'version-id': versionId,
  })),
  schemas: metadata.schemas.map(schemaJson),
  properties: metadata.properties,
})

export const viewVersionJson = (version: ViewVersion): unknown => ({
  'version-id': version.versionId,
  'schema-id': version.schemaId,
  'timestamp-ms': version.timestampMs,
  summary: version.summary,
  representations: [...version.representations, ...(version.otherRepresentations ?? [])],
  ...(version.defaultCatalog !== undefined && { 'default-catalog': version.defaultCatalog }),
  'default-namespace': version.defaultNamespace,
})
