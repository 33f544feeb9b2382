// Which files hold nothing but matching rows: those may be dropped whole. The answer "all" must be certain, as "none" is
// in `predicate.ts`; with "some" the file must be read.
//
// All rows match P when no row can fail to match it. So the negation of P is evaluated with the same ranges, and whatever
// is unknown keeps it possible. SQL has a third answer, which does not match either: a null lets a comparison fail.

import { partitionTypes } from './manifest.ts'
import type { DataFile } from './manifest-types.ts'
import type { TableMetadata } from './metadata-types.ts'
import {
  bindPredicate,
  columnRange,
  evaluate,
  fileMayMatch,
  partitionEvaluator,
  project,
  rangeMayMatch,
  valueRange,
  type Leaf,
  type Range,
} from './predicate.ts'
import type { Predicate } from './predicate-types.ts'
import type { PartitionSpec, Schema, Type } from './types.ts'
import { compareValues } from './value.ts'

export type Coverage = 'all' | 'some' | 'none'

/** How much of a file matches, by its partition and its statistics; of a delete file by its partition alone. */
export function coverageOf(
  predicate: Predicate,
  schema: Schema,
  metadata: Pick<TableMetadata, 'partitionSpecs' | 'schemas' | 'currentSchemaId'>,
): (file: DataFile) => Coverage {
  const [matches, misses] = [bindPredicate(predicate, schema), bindPredicate(predicate, schema, true)]
  const specs = new Map(
    metadata.partitionSpecs.map((spec) => {
      const types = partitionTypes(metadata, spec)
      return [spec.specId, { spec, types, partition: partitionEvaluator(matches, spec, types).partition }]
    }),
  )
  return (file) => {
    const known = specs.get(file.specId)
    const isData = file.content === 'data'
    if (known && !known.partition(file.partition)) return 'none'
    if (isData && !fileMayMatch(matches, file)) return 'none'
    const mayMiss = evaluate(
      misses,
      (leaf) =>
        (!known || partitionMayMiss(leaf, file, known.spec, known.types)) && (!isData || columnMayMiss(leaf, file)),
    )
    return mayMiss ? 'some' : 'all'
  }
}

/** `leaf` is negated already: it may hold, or a null may keep both sides from holding. */
function mayMiss(leaf: Pick<Leaf, 'op' | 'values'>, range: Range): boolean {
  const isAboutNull = leaf.op === 'is_null' || leaf.op === 'not_null'
  return rangeMayMatch(leaf, range) || (!isAboutNull && range.mayHaveNull)
}

function columnMayMiss(leaf: Leaf, file: DataFile): boolean {
  const range = columnRange(file, leaf.field)
  const { lower, upper, mayHaveNan } = range
  const exact =
    !mayHaveNan && lower !== undefined && upper !== undefined && compareValues(lower, upper) === 0 && !range.onlyNull
  const isNeverNull = leaf.field.required && leaf.field.parents.length === 0
  return mayMiss(leaf, { ...range, exact, mayHaveNull: range.mayHaveNull && !isNeverNull })
}

/** False as soon as one field of the partition rules it out. */
function partitionMayMiss(
  leaf: Leaf,
  { partition }: DataFile,
  { fields }: PartitionSpec,
  types: readonly (Type | undefined)[],
): boolean {
  return fields.every(({ sourceIds, transform }, index) => {
    const type = types[index]
    const projected = type && sourceIds.length === 1 && sourceIds[0] === leaf.field.id && project(leaf, transform)
    const range = projected && valueRange(partition[index], type)
    return !range || mayMiss(projected, range)
  })
}
