// What tells one state of a table or view from another, without a look at its rows.

import { showName, type Loaded } from '../../catalog/index.ts'

/** `shape`: which table it is and its columns; `content`: its rows besides. Of a view both are its text. */
export type Version = { table: string; shape: string; content: string }

/** `volatile`: the answer depends on more than what is read (`now()`, `random()`). */
export type Versions = { volatile: boolean; read: readonly Version[] }

export function versionOf(loaded: Loaded): Version {
  const table = showName(loaded.name)
  if (loaded.kind === 'view') {
    const shape = `${loaded.metadata.viewUuid}:${loaded.metadata.currentVersionId}`
    return { table, shape, content: shape }
  }
  const { tableUuid, currentSchemaId, currentSnapshotId } = loaded.metadata
  const shape = `${tableUuid}:${currentSchemaId}`
  return { table, shape, content: `${shape}:${currentSnapshotId ?? ''}` }
}
