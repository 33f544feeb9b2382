// The public surface of this room: other rooms import this file only.

export type * from './types.ts'
export type * from './metadata-types.ts'
export type * from './manifest-types.ts'
export type * from './predicate-types.ts'
export { parseJson, printJson } from './json.ts'
export {
  currentSchema,
  dataFolder,
  defaultSortOrder,
  defaultSpec,
  metadataFolder,
  needsVersion3,
  newTableMetadata,
  parseTableMetadata,
  printTableMetadata,
  tableMetadataFromJson,
  tableMetadataJson,
  type NewPartitionField,
  type NewTable,
} from './metadata.ts'
export { readTableMetadata, readViewMetadata, writeTableMetadata, writeViewMetadata } from './metadata-file.ts'
export {
  allFields,
  fieldById,
  isPromotable,
  fieldInAnySchema,
  findField,
  parsePrimitive,
  parseSchema,
  schemaForReplace,
  newlyRequired,
  schemaJson,
  showType,
  type FoundField,
} from './schema.ts'
export {
  ancestorsOf,
  findSnapshot,
  history,
  schemaOf,
  snapshotAsOf,
  snapshotById,
  type At,
  type HistoryEntry,
} from './snapshot.ts'
export { applyTransform, parseTransform, partitionPath, showTransform, transformedType } from './transform.ts'
export { applyUpdates, checkRequirements, createUpdates, followedBy } from './update.ts'
export {
  parseTableRequirement,
  parseTableUpdate,
  parseViewUpdate,
  tableRequirementJson,
  tableUpdateJson,
  viewUpdateJson,
} from './update-json.ts'
export { decodeBound, encodeBound, showValue } from './value.ts'
export {
  applyViewUpdates,
  checkViewRequirements,
  currentViewVersion,
  createViewUpdates,
  newViewMetadata,
  replaceViewUpdates,
  type NewView,
} from './view.ts'
export { parseViewMetadata, printViewMetadata, viewMetadataFromJson, viewMetadataJson } from './view-json.ts'
export type * from './view-types.ts'

export { lowerBound, readManifest, readManifestList, upperBound, type ReadOptions } from './manifest.ts'
export { manifestCache, type BoundedManifestCache } from './manifest-cache.ts'
export {
  filesToRead,
  placeOf,
  mapAhead,
  planScan,
  unpartitionedSpecs,
  type ScanDelete,
  type ScanFile,
  type ScanOptions,
  type ScanPlan,
} from './scan.ts'
export type { CheckedOptions, Isolation } from './conflicts.ts'
export { evolveSpec, replaceSortOrder, specForReplace, type SpecEvolution } from './evolve-spec.ts'
export { prepareDelete, prepareOverwrite, type Overwrite } from './overwrite.ts'
export { coverageOf, type Coverage } from './predicate-strict.ts'
export { prepareRewrite, type Rewrite, type RewriteOptions } from './rewrite.ts'
export { prepareRowDelta, type RowDelta } from './row-delta.ts'
export { refuseEncrypted, type OnOptions, type PreparedWrite, type TableCommit, type WriteOptions } from './work.ts'
export { warmUp } from './warm-up.ts'
export { prepareAppend, startBranch, prepareReplace, type AppendOptions, type ReplaceOptions } from './write.ts'

export {
  droppedMetadataFiles,
  expirePlan,
  unreachableFiles,
  unusedMetadataUpdates,
  type ExpireOptions,
  type ExpirePlan,
} from './expire.ts'
export { isWithin, orphanAgeDefaultMs, orphanFiles, tableFolders, type Orphan, type OrphanOptions } from './orphans.ts'
export { mayDeleteFiles, reachableFiles, type ReachedFile, type Root } from './reachable.ts'
export {
  encodeDeletionVectors,
  readDeletionVector,
  readPuffinBlob,
  readPuffinFooter,
  type DeletionVector,
  type PuffinBlob,
} from './puffin.ts'
export { Positions } from './roaring.ts'
export {
  canTravel,
  metadataTable,
  metadataTableName,
  propertyRows,
  type Cell,
  type MetadataTable,
  type MetadataTableName,
  type MetadataTableOptions,
} from './metadata-tables.ts'
export { valueToJson } from './value.ts'
export { nameMappingOf, nameMappingOfSchema, printNameMapping, type NameMapping } from './name-mapping.ts'
export { cherryPick } from './cherry-pick.ts'
export {
  changeRef,
  createBranch,
  createTag,
  fastForward,
  removeRef,
  rollbackTo,
  setCurrent,
  type Retention,
} from './refs.ts'
export { changeProperties, upgradeFormat } from './evolve-properties.ts'
export { evolveSchema, type EvolveOptions, type NewColumn, type Place, type SchemaEvolution } from './evolve-schema.ts'
export {
  manifestPlan,
  prepareRewriteManifests,
  type ManifestGroup,
  type RewriteManifestsOptions,
} from './rewrite-manifests.ts'
export { rewritePlan, totalBytes, type RewriteGroup, type RewritePlanOptions } from './rewrite-plan.ts'
export { planAppends, changesThatMayMatch, planChanges, type Between, type SnapshotChanges } from './incremental.ts'
export { partitionOf } from './partition.ts'
export { positionDeleteSchema, reservedFields, reservedProperties } from './reserved.ts'
