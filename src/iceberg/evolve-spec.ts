// How a table's partitions change (spec, "Partition Evolution"): a new spec, and files of older ones stay as they are.
//
// A partition field keeps its id as long as it has the same column and transform, in whichever spec: manifests of several
// specs then speak of one thing. Version 1 gave ids by position, so there a removed field stays as a void one.

import { Failure } from '../base/failure.ts'
import { currentSchema, defaultSpec, refuse, type NewPartitionField } from './metadata.ts'
import type { TableChange, TableMetadata } from './metadata-types.ts'
import { fieldById, findField } from './schema.ts'
import { defaultPartitionName, isTransformable, showTransform } from './transform.ts'
import type { PartitionField, PartitionSpec, Schema, SortField, Transform } from './types.ts'
import { sameSpec } from './update.ts'

/** Starts a change of the default partition spec. Each step is checked when it is made: REQUEST_INVALID says why not. */
export const evolveSpec = (metadata: TableMetadata, options: { caseSensitive?: boolean } = {}): SpecEvolution =>
  new SpecEvolution(metadata, options)

export class SpecEvolution {
  readonly #metadata: TableMetadata
  readonly #schema: Schema
  readonly #caseSensitive: boolean
  #fields: PartitionField[]
  /** Fields of the old spec that were removed: they come back as they were. */
  #removed: PartitionField[] = []
  #lastId: number

  constructor(metadata: TableMetadata, { caseSensitive = true }: { caseSensitive?: boolean }) {
    this.#metadata = metadata
    this.#schema = currentSchema(metadata)
    this.#caseSensitive = caseSensitive
    this.#fields = [...defaultSpec(metadata).fields]
    this.#lastId = metadata.lastPartitionId
    const unknown = this.#fields.find(({ transform }) => transform.kind === 'other')
    if (unknown)
      refuse(`partition field "${unknown.name}" has the unknown transform ${showTransform(unknown.transform)}`)
  }

  /** Without a name it gets Java's (`at_day`, `id_bucket_16`), or the one that it had in an earlier spec. */
  add(column: string, transform: Transform = { kind: 'identity' }, name?: string): this {
    const source =
      findField(this.#schema, column, { caseSensitive: this.#caseSensitive }) ??
      refuse(`there is no column "${column}" to partition by`)
    if (source.repeated || !isTransformable(transform, source.type))
      refuse(`${showTransform(transform)} does not apply to "${source.path}"`)
    const isSame = (field: PartitionField) =>
      field.sourceIds.length === 1 &&
      field.sourceIds[0] === source.id &&
      showTransform(field.transform) === showTransform(transform)
    const twin = this.#fields.find(isSame)
    if (twin)
      refuse(`the table is partitioned by ${showTransform(transform)} of "${source.path}" already: "${twin.name}"`)
    const isTime = ({ kind }: Transform) => ['year', 'month', 'day', 'hour'].includes(kind)
    const redundant = this.#fields.find(
      (field) =>
        isTime(field.transform) && field.sourceIds[0] === source.id && isTime(transform) && !this.#isOld(field),
    )
    if (redundant) refuse(`"${redundant.name}" partitions by the time of "${source.path}" already`)
    const old = this.#oldField(isSame, name)
    const given = name ?? old?.name ?? defaultPartitionName(source.path, transform)
    this.#freeName(given)
    const field: PartitionField = {
      sourceIds: [source.id],
      fieldId: old?.fieldId ?? ++this.#lastId,
      name: given,
      transform,
    }
    // v1 ids are places: a field that comes back takes the place that its void kept.
    const place = this.#fields.findIndex(({ fieldId }) => fieldId === field.fieldId)
    if (place >= 0) this.#fields[place] = field
    else this.#fields.push(field)
    return this
  }

  /** By the name of the partition field. */
  remove(name: string): this {
    const field = this.#named(name)
    this.#removed.push(field)
    this.#fields =
      this.#metadata.formatVersion === 1
        ? this.#fields.map((one) => (one === field ? { ...one, transform: { kind: 'void' } } : one))
        : this.#fields.filter((one) => one !== field)
    return this
  }

  rename(name: string, newName: string): this {
    const field = this.#named(name)
    if (name === newName) return this
    this.#freeName(newName)
    this.#fields = this.#fields.map((one) => (one === field ? { ...one, name: newName } : one))
    return this
  }

  spec(): PartitionSpec {
    return { specId: -1, fields: this.#fields }
  }

  /** Without updates when nothing changed. */
  change(): TableChange {
    const { defaultSpecId, lastPartitionId, tableUuid } = this.#metadata
    if (sameSpec(this.spec(), defaultSpec(this.#metadata))) return { updates: [], requirements: [] }
    return {
      updates: [
        { action: 'add-spec', spec: this.spec() },
        { action: 'set-default-spec', specId: -1 },
      ],
      requirements: [
        { type: 'assert-table-uuid', uuid: tableUuid },
        { type: 'assert-default-spec-id', defaultSpecId },
        { type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: lastPartitionId },
      ],
    }
  }

  #isOld(field: PartitionField): boolean {
    return defaultSpec(this.#metadata).fields.some(({ fieldId }) => fieldId === field.fieldId)
  }

  #named(name: string): PartitionField {
    const field = this.#fields.find((one) => one.name === name && one.transform.kind !== 'void')
    if (field) return field
    const names = this.#fields.filter(({ transform }) => transform.kind !== 'void').map((one) => `"${one.name}"`)
    throw new Failure(
      'REQUEST_INVALID',
      `there is no partition field "${name}"; there ${names.length === 0 ? 'are none' : `is ${names.join(', ')}`}`,
    )
  }

  /** What a field of this column and transform was in this or an older spec. */
  #oldField(isSame: (field: PartitionField) => boolean, name: string | undefined): PartitionField | undefined {
    const removed = this.#removed.find(isSame)
    if (removed || this.#metadata.formatVersion === 1) return removed
    const known = this.#metadata.partitionSpecs.flatMap(({ fields }) => fields).filter(isSame)
    return name === undefined ? known[0] : known.find((field) => field.name === name)
  }

  /** The name of a void field may be taken: the void gets another. */
  #freeName(name: string) {
    const holder = this.#fields.find((field) => field.name === name)
    if (holder && holder.transform.kind !== 'void') refuse(`there is a partition field "${name}" already`)
    this.#fields = this.#fields.map((field) =>
      field === holder ? { ...field, name: `${name}_${field.fieldId}` } : field,
    )
  }
}

/** What is left of the default spec when the table is replaced by one of another schema. */
export function specForReplace(metadata: TableMetadata, schema: Schema): PartitionSpec {
  const old = defaultSpec(metadata)
  const stays = ({ sourceIds, transform, name }: PartitionField) => {
    const source = fieldById(schema, sourceIds[0] ?? 0)
    if (transform.kind === 'void') return true
    const namesake = schema.fields.find((field) => field.name === name)
    const isClash = namesake !== undefined && !(transform.kind === 'identity' && namesake.id === source?.id)
    return source !== undefined && !isClash && isTransformable(transform, source.type)
  }
  if (old.fields.every(stays)) return old
  const fields =
    metadata.formatVersion === 1
      ? old.fields.map((field): PartitionField =>
          stays(field) ? field : { ...field, name: `${field.name}_${field.fieldId}`, transform: { kind: 'void' } },
        )
      : old.fields.filter(stays)
  return { specId: -1, fields }
}

/** A new sort order; without fields the table is unsorted. Files that are there stay as they are. */
export function replaceSortOrder(
  metadata: TableMetadata,
  fields: readonly (NewPartitionField & Partial<Pick<SortField, 'direction' | 'nullOrder'>>)[],
): TableChange {
  const schema = currentSchema(metadata)
  const sorted = fields.map(({ column, transform, direction = 'asc', nullOrder }): SortField => {
    const source =
      findField(schema, column, { caseSensitive: false }) ?? refuse(`there is no column "${column}" to sort by`)
    if (source.repeated || !isTransformable(transform, source.type))
      refuse(`${showTransform(transform)} does not apply to "${column}"`)
    return {
      sourceIds: [source.id],
      transform,
      direction,
      nullOrder: nullOrder ?? (direction === 'asc' ? 'nulls-first' : 'nulls-last'), // as in Java and Spark
    }
  })
  return {
    updates: [
      { action: 'add-sort-order', sortOrder: { orderId: sorted.length === 0 ? 0 : -1, fields: sorted } },
      { action: 'set-default-sort-order', sortOrderId: -1 },
    ],
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata.tableUuid },
      { type: 'assert-default-sort-order-id', defaultSortOrderId: metadata.defaultSortOrderId },
    ],
  }
}
