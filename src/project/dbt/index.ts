export { openContext, dbtVersion, type Context } from './context.ts'
export type { DatabaseAnswer, DatabaseRequest, Session } from './session.ts'
export { diskFiles, recordFiles, type ProjectFiles } from './files.ts'
export { isMicrobatch } from './microbatch.ts'
export { mayCall } from './macro-calls.ts'
export { languagesOf, MacroTable, macrosOf } from './macros.ts'
export { isoTime, manifestOf, type CompiledNode } from './manifest.ts'
export { ResolvedMetric } from './metric-reference.ts'
export { externalLocation, nodeDict, relationNameOf } from './node-dict.ts'
export { keepGraph } from './graph-kept.ts'
export { withForeignTables } from './foreign-keys.ts'
export { behaviourFlag } from './config.ts'
export { atTest, renderKwargs, unknownTest } from './generic-tests.ts'
export { plainNames } from './plain-names.ts'
export { readDbtProject } from './read.ts'
export { readPackageFiles, type PackageFiles, type PackageWish } from './package-files.ts'
export { flagsOfProfiles, readProfile, type Profile, type ProfileRequest } from './profiles.ts'
export { parseCriterion } from './selectors.ts'
export {
  findFunction,
  findMetric,
  findRef,
  findSource,
  isTable,
  nodesByName,
  searchOrder,
  versionedName,
} from './references.ts'
export { ResultTable, type Answer } from './agate.ts'
export { Column } from './column.ts'
export { columnConstraints, modelConstraints } from './constraints.ts'
export { quotingOf } from './project-file.ts'
export { quoteAll, Relation, type Quoting } from './relation.ts'
export type {
  ColumnSpec,
  Config,
  Constraint,
  DbtDoc,
  DbtEntry,
  DbtExposure,
  DbtGroup,
  DbtMacro,
  DbtMetric,
  DbtNode,
  DbtOperation,
  DbtPackage,
  DbtProject,
  DbtSavedQuery,
  DbtSelector,
  DbtSemanticModel,
  DbtSource,
  DbtUnitTest,
  Flags,
  Freshness,
  Hook,
  NodeKind,
  Period,
  ProjectOptions,
  SelectorTree,
  Target,
  TestSpec,
  UnitRows,
} from './types.ts'
export { parseCacheFile } from './parse-cache.ts'
export { deprecations, type Deprecation } from './deprecations.ts'
export { varScopes } from './vars.ts'
export { PyDate, utc } from './python/dates.ts'
export { PlainObject } from './runtime-config.ts'
export { renderSetting } from './yaml-context.ts'
