// Updates and requirements as the REST protocol sends them. What a client sent wrongly is REQUEST_INVALID.

import { JsonNode } from './json.ts'
import {
  partitionSpecFromNode,
  partitionSpecJson,
  partitionStatisticsFromNode,
  partitionStatisticsJson,
  snapshotFromNode,
  snapshotJson,
  snapshotRefFromNode,
  snapshotRefJson,
  sortOrderFromNode,
  sortOrderJson,
  statisticsFromNode,
  statisticsJson,
} from './metadata.ts'
import type { FormatVersion, TableRequirement, TableUpdate } from './metadata-types.ts'
import { schemaFromNode, schemaJson } from './schema.ts'
import type { PartitionSpec } from './types.ts'
import type { ViewUpdate } from './view-types.ts'
import { viewVersionFromNode, viewVersionJson } from './view-json.ts'

export function parseTableUpdate(json: unknown): TableUpdate {
  const node = new JsonNode(json, { code: 'REQUEST_INVALID' })
  const action = node.get('action').text() as TableUpdate['action']
  switch (action) {
    case 'assign-uuid':
      return { action, uuid: node.get('uuid').text() }
    case 'upgrade-format-version':
      return { action, formatVersion: formatVersionOf(node.get('format-version')) }
    case 'add-schema': {
      const lastColumnId = node.maybe('last-column-id', (at) => at.int())
      return { action, schema: schemaFromNode(node.get('schema')), ...(lastColumnId !== undefined && { lastColumnId }) }
    }
    case 'set-current-schema':
      return { action, schemaId: node.get('schema-id').int() }
    case 'add-spec':
      return { action, spec: newSpecFromNode(node.get('spec')) }
    case 'set-default-spec':
      return { action, specId: node.get('spec-id').int() }
    case 'add-sort-order':
      return { action, sortOrder: sortOrderFromNode(node.get('sort-order')) }
    case 'set-default-sort-order':
      return { action, sortOrderId: node.get('sort-order-id').int() }
    case 'add-snapshot':
      return { action, snapshot: snapshotFromNode(node.get('snapshot')) }
    case 'set-snapshot-ref':
      return { action, refName: node.get('ref-name').text(), ref: snapshotRefFromNode(node) }
    case 'remove-snapshots':
      return { action, snapshotIds: node.get('snapshot-ids').list((id) => id.long()) }
    case 'remove-snapshot-ref':
      return { action, refName: node.get('ref-name').text() }
    case 'set-location':
      return { action, location: node.get('location').text() }
    case 'set-properties':
      return { action, updates: (node.has('updates') ? node.get('updates') : node.get('updated')).texts() }
    case 'remove-properties':
      return {
        action,
        removals: (node.has('removals') ? node.get('removals') : node.get('removed')).list((name) => name.text()),
      }
    case 'set-statistics':
      return { action, statistics: statisticsFromNode(node.get('statistics')) }
    case 'remove-statistics':
      return { action, snapshotId: node.get('snapshot-id').long() }
    case 'set-partition-statistics':
      return { action, partitionStatistics: partitionStatisticsFromNode(node.get('partition-statistics')) }
    case 'remove-partition-statistics':
      return { action, snapshotId: node.get('snapshot-id').long() }
    case 'remove-partition-specs':
      return { action, specIds: node.get('spec-ids').list((id) => id.int()) }
    case 'remove-schemas':
      return { action, schemaIds: node.get('schema-ids').list((id) => id.int()) }
    case 'add-encryption-key':
      return { action, encryptionKey: node.get('encryption-key').value }
    case 'remove-encryption-key':
      return { action, keyId: node.get('key-id').text() }
    default:
      return node.get('action').fail(`"${action as string}" is not a table update`)
  }
}

function formatVersionOf(node: JsonNode): FormatVersion {
  const version = node.int()
  return version === 1 || version === 2 || version === 3 ? version : node.fail(`there is no format version ${version}`)
}

/** A spec of a client may lack its id and the ids of its fields: the table gives them. */
function newSpecFromNode(node: JsonNode): PartitionSpec {
  const fields = node
    .get('fields')
    .list((field) => (field.has('field-id') ? field.value : { ...field.object(), 'field-id': -1 }))
  return partitionSpecFromNode(
    new JsonNode(
      { ...node.object(), 'spec-id': node.maybe('spec-id', (at) => at.int()) ?? 0, fields },
      { path: node.path, code: 'REQUEST_INVALID' },
    ),
  )
}

export function tableUpdateJson(update: TableUpdate): unknown {
  const { action } = update
  switch (action) {
    case 'assign-uuid':
      return { action, uuid: update.uuid }
    case 'upgrade-format-version':
      return { action, 'format-version': update.formatVersion }
    case 'add-schema':
      return {
        action,
        schema: schemaJson(update.schema),
        ...(update.lastColumnId !== undefined && { 'last-column-id': update.lastColumnId }),
      }
    case 'set-current-schema':
      return { action, 'schema-id': update.schemaId }
    case 'add-spec':
      return { action, spec: partitionSpecJson(update.spec) }
    case 'set-default-spec':
      return { action, 'spec-id': update.specId }
    case 'add-sort-order':
      return { action, 'sort-order': sortOrderJson(update.sortOrder) }
    case 'set-default-sort-order':
      return { action, 'sort-order-id': update.sortOrderId }
    case 'add-snapshot':
      return { action, snapshot: snapshotJson(update.snapshot, update.snapshot.sequenceNumber === 0n ? 1 : 2) }
    case 'set-snapshot-ref':
      return { action, 'ref-name': update.refName, ...(snapshotRefJson(update.ref) as object) }
    case 'remove-snapshots':
      return { action, 'snapshot-ids': update.snapshotIds }
    case 'remove-snapshot-ref':
      return { action, 'ref-name': update.refName }
    case 'set-location':
      return { action, location: update.location }
    case 'set-properties':
      return { action, updates: update.updates }
    case 'remove-properties':
      return { action, removals: update.removals }
    case 'set-statistics':
      return { action, 'snapshot-id': update.statistics.snapshotId, statistics: statisticsJson(update.statistics) }
    case 'remove-statistics':
      return { action, 'snapshot-id': update.snapshotId }
    case 'set-partition-statistics':
      return { action, 'partition-statistics': partitionStatisticsJson(update.partitionStatistics) }
    case 'remove-partition-statistics':
      return { action, 'snapshot-id': update.snapshotId }
    case 'remove-partition-specs':
      return { action, 'spec-ids': update.specIds }
    case 'remove-schemas':
      return { action, 'schema-ids': update.schemaIds }
    case 'add-encryption-key':
      return { action, 'encryption-key': update.encryptionKey }
    case 'remove-encryption-key':
      return { action, 'key-id': update.keyId }
  }
}

export function parseTableRequirement(json: unknown): TableRequirement {
  const node = new JsonNode(json, { code: 'REQUEST_INVALID' })
  const type = node.get('type').text() as TableRequirement['type']
  switch (type) {
    case 'assert-create':
      return { type }
    case 'assert-table-uuid':
      return { type, uuid: node.get('uuid').text() }
    case 'assert-ref-snapshot-id':
      return { type, ref: node.get('ref').text(), snapshotId: node.maybe('snapshot-id', (at) => at.long()) }
    case 'assert-last-assigned-field-id':
      return { type, lastAssignedFieldId: node.get('last-assigned-field-id').int() }
    case 'assert-current-schema-id':
      return { type, currentSchemaId: node.get('current-schema-id').int() }
    case 'assert-last-assigned-partition-id':
      return { type, lastAssignedPartitionId: node.get('last-assigned-partition-id').int() }
    case 'assert-default-spec-id':
      return { type, defaultSpecId: node.get('default-spec-id').int() }
    case 'assert-default-sort-order-id':
      return { type, defaultSortOrderId: node.get('default-sort-order-id').int() }
    default:
      return node.get('type').fail(`"${type as string}" is not a table requirement`)
  }
}

export function tableRequirementJson(requirement: TableRequirement): unknown {
  const { type } = requirement
  switch (type) {
    case 'assert-create':
      return { type }
    case 'assert-table-uuid':
      return { type, uuid: requirement.uuid }
    case 'assert-ref-snapshot-id':
      return { type, ref: requirement.ref, 'snapshot-id': requirement.snapshotId ?? null }
    case 'assert-last-assigned-field-id':
      return { type, 'last-assigned-field-id': requirement.lastAssignedFieldId }
    case 'assert-current-schema-id':
      return { type, 'current-schema-id': requirement.currentSchemaId }
    case 'assert-last-assigned-partition-id':
      return { type, 'last-assigned-partition-id': requirement.lastAssignedPartitionId }
    case 'assert-default-spec-id':
      return { type, 'default-spec-id': requirement.defaultSpecId }
    case 'assert-default-sort-order-id':
      return { type, 'default-sort-order-id': requirement.defaultSortOrderId }
  }
}

export function parseViewUpdate(json: unknown): ViewUpdate {
  const node = new JsonNode(json, { code: 'REQUEST_INVALID' })
  const action = node.get('action').text() as ViewUpdate['action']
  switch (action) {
    case 'assign-uuid':
      return { action, uuid: node.get('uuid').text() }
    case 'upgrade-format-version':
      return { action, formatVersion: node.get('format-version').int() }
    case 'add-schema':
      return { action, schema: schemaFromNode(node.get('schema')) }
    case 'add-view-version':
      return { action, viewVersion: viewVersionFromNode(node.get('view-version')) }
    case 'set-current-view-version':
      return { action, viewVersionId: node.get('view-version-id').int() }
    case 'set-location':
      return { action, location: node.get('location').text() }
    case 'set-properties':
      return { action, updates: (node.has('updates') ? node.get('updates') : node.get('updated')).texts() }
    case 'remove-properties':
      return {
        action,
        removals: (node.has('removals') ? node.get('removals') : node.get('removed')).list((name) => name.text()),
      }
    default:
      return node.get('action').fail(`"${action as string}" is not a view update`)
  }
}

export function viewUpdateJson(update: ViewUpdate): unknown {
  const { action } = update
  switch (action) {
    case 'assign-uuid':
      return { action, uuid: update.uuid }
    case 'upgrade-format-version':
      return { action, 'format-version': update.formatVersion }
    case 'add-schema':
      return { action, schema: schemaJson(update.schema) }
    case 'add-view-version':
      return { action, 'view-version': viewVersionJson(update.viewVersion) }
    case 'set-current-view-version':
      return { action, 'view-version-id': update.viewVersionId }
    case 'set-location':
      return { action, location: update.location }
    case 'set-properties':
      return { action, updates: update.updates }
    case 'remove-properties':
      return { action, removals: update.removals }
  }
}
