// Properties and format version: the parts of a table that say how it is to be written.

import { refuse } from './metadata.ts'
import type { FormatVersion, TableChange, TableMetadata, TableRequirement } from './metadata-types.ts'
import { reservedProperties } from './reserved.ts'

const sameTable = (metadata: TableMetadata): TableRequirement[] => [
  { type: 'assert-table-uuid', uuid: metadata.tableUuid },
]

/** Setting `format-version` upgrades the table, as in Spark. REQUEST_INVALID for names that are not properties. */
export function changeProperties(
  metadata: TableMetadata,
  { set = {}, remove = [] }: { set?: Readonly<Record<string, string>>; remove?: readonly string[] },
): TableChange {
  const { 'format-version': version, ...updates } = set
  for (const name of [...Object.keys(updates), ...remove])
    if (reservedProperties.has(name)) refuse(`"${name}" is not a property that can be changed`)
  const twice = remove.find((name) => name in set)
  if (twice !== undefined) refuse(`the property "${twice}" cannot be set and removed at once`)
  const removals = remove.filter((name) => name in metadata.properties)
  const upgrade = version === undefined ? { updates: [] } : upgradeFormat(metadata, Number(version))
  return {
    updates: [
      ...upgrade.updates,
      ...(Object.keys(updates).length > 0 ? [{ action: 'set-properties' as const, updates }] : []),
      ...(removals.length > 0 ? [{ action: 'remove-properties' as const, removals }] : []),
    ],
    requirements: sameTable(metadata),
  }
}

/** Files that are there stay as they are. REQUEST_INVALID for a version that is lower or does not exist. */
export function upgradeFormat(metadata: TableMetadata, formatVersion: number): TableChange {
  if (![1, 2, 3].includes(formatVersion)) refuse(`there is no format version ${formatVersion}; there are 1, 2 and 3`)
  if (formatVersion < metadata.formatVersion)
    refuse(`a table of format version ${metadata.formatVersion} does not go back to ${formatVersion}`)
  if (formatVersion === metadata.formatVersion) return { updates: [], requirements: [] }
  return {
    updates: [{ action: 'upgrade-format-version', formatVersion: formatVersion as FormatVersion }],
    requirements: sameTable(metadata),
  }
}
