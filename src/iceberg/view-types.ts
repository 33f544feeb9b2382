import type { Schema } from './types.ts'

export type ViewRepresentation = { type: 'sql'; sql: string; dialect: string }

export type ViewVersion = {
  versionId: number
  schemaId: number
  timestampMs: number
  summary: Readonly<Record<string, string>>
  /** At most one per dialect. */
  representations: readonly ViewRepresentation[]
  /** Representations of kinds that are not SQL, as they were written: later versions of the spec may have some. */
  otherRepresentations?: readonly unknown[] | undefined
  defaultCatalog?: string | undefined
  /** Where names of one part in the SQL are looked up. */
  defaultNamespace: readonly string[]
}

export type ViewMetadata = {
  viewUuid: string
  formatVersion: 1
  location: string
  currentVersionId: number
  versions: readonly ViewVersion[]
  versionLog: readonly { versionId: number; timestampMs: number }[]
  schemas: readonly Schema[]
  properties: Readonly<Record<string, string>>
}

/** Changes by the names of the REST specification (`ViewUpdate`). -1 is what was added last in the same list. */
export type ViewUpdate =
  | { action: 'assign-uuid'; uuid: string }
  | { action: 'upgrade-format-version'; formatVersion: number }
  | { action: 'add-schema'; schema: Schema }
  | { action: 'add-view-version'; viewVersion: ViewVersion }
  | { action: 'set-current-view-version'; viewVersionId: number }
  | { action: 'set-location'; location: string }
  | { action: 'set-properties'; updates: Readonly<Record<string, string>> }
  | { action: 'remove-properties'; removals: readonly string[] }

export type ViewRequirement = { type: 'assert-create' } | { type: 'assert-view-uuid'; uuid: string }
