import { refuse } from './metadata.ts'
import type { TableMetadata } from './metadata-types.ts'
import { fieldInAnySchema } from './schema.ts'
import { applyTransform, showTransform } from './transform.ts'
import type { Value } from './types.ts'

/**
 * The partition that a row belongs to, for any spec of the table (default: its default spec). `valueOf` gives the row's
 * values by field id. REQUEST_INVALID for a transform that is not known: no row can be written by it.
 */
export function partitionOf(
  metadata: TableMetadata,
  valueOf: (fieldId: number) => Value | null,
  specId = metadata.defaultSpecId,
): (Value | null)[] {
  const spec =
    metadata.partitionSpecs.find((one) => one.specId === specId) ?? refuse(`there is no partition spec ${specId}`)
  return spec.fields.map(({ name, transform, sourceIds }) => {
    if (transform.kind === 'void') return null
    const [id] = sourceIds
    const source = id === undefined ? undefined : fieldInAnySchema(metadata, id)
    if (!source || transform.kind === 'other' || sourceIds.length > 1)
      refuse(`rows cannot be written by partition field "${name}" (${showTransform(transform)})`)
    return applyTransform(transform, source.type, valueOf(source.id))
  })
}
