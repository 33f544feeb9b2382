// Which files may hold a matching row. The answer "no" must be certain: whatever is not known, not understood or not
// comparable keeps the file (a wrong "no" loses rows without a trace).
//
// A predicate is bound to a schema once: negations are pushed down to the leaves, values take the form of their column,
// and leaves that cannot be understood become "true". The bound tree is then evaluated against what is known about a
// set of values - a manifest's partition summary, one partition value, a column of a file - which is always a `Range`.
//
// NaN is larger than every number for DuckDB and Spark and not comparable for others, and Iceberg's bounds leave it
// out. So an upper bound says nothing about `>` unless NaN is known to be absent.

import { unreachable } from '../base/assert.ts'
import { lowerBound, upperBound } from './manifest.ts'
import type { DataFile, FieldSummary, Manifest } from './manifest-types.ts'
import type { Predicate } from './predicate-types.ts'
import { fieldById, showType, type FoundField } from './schema.ts'
import { applyTransform } from './transform.ts'
import type { PartitionSpec, Schema, Transform, Type, Value } from './types.ts'
import { codePointPrefix, compareValues, decodeBound, isNaN_, isPrimitive, toForm } from './value.ts'

type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>='
type LeafOp =
  | Comparison
  | 'in'
  | 'not_in'
  | 'is_null'
  | 'not_null'
  | 'is_nan'
  | 'not_nan'
  | 'starts_with'
  | 'not_starts_with'
export type Leaf = { op: LeafOp; field: FoundField; values: readonly Value[] }
/** Negations are gone; what was not understood is `true`. */
export type Bound = { op: 'true' | 'false' } | { op: 'and' | 'or'; of: readonly Bound[] } | { op: 'leaf'; leaf: Leaf }

const opposite: Record<LeafOp, LeafOp> = {
  '=': '!=',
  '!=': '=',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
  in: 'not_in',
  not_in: 'in',
  is_null: 'not_null',
  not_null: 'is_null',
  is_nan: 'not_nan',
  not_nan: 'is_nan',
  starts_with: 'not_starts_with',
  not_starts_with: 'starts_with',
}
const always: Bound = { op: 'true' }

export function bindPredicate(predicate: Predicate, schema: Schema, negated = false): Bound {
  switch (predicate.op) {
    case 'true':
    case 'false':
      return { op: (predicate.op === 'true') !== negated ? 'true' : 'false' }
    case 'and':
    case 'or': {
      const op = (predicate.op === 'and') !== negated ? 'and' : 'or'
      return { op, of: predicate.of.map((part) => bindPredicate(part, schema, negated)) }
    }
    case 'not':
      return bindPredicate(predicate.of, schema, !negated)
    default: {
      const field = fieldById(schema, predicate.field)
      // Bounds of elements of lists and maps are about other rows than the predicate is.
      if (!field || field.repeated || !isPrimitive(field.type)) return always
      const given: readonly Value[] =
        'values' in predicate ? predicate.values : 'value' in predicate ? [predicate.value] : []
      const values = given.map((value) => toForm(field.type, value))
      if (values.includes(undefined)) return always
      return {
        op: 'leaf',
        leaf: { op: negated ? opposite[predicate.op] : predicate.op, field, values: values as Value[] },
      }
    }
  }
}

/** Whether `mayMatch` of the leaves lets the whole match. */
export function evaluate(bound: Bound, mayMatch: (leaf: Leaf) => boolean): boolean {
  switch (bound.op) {
    case 'true':
      return true
    case 'false':
      return false
    case 'and':
      return bound.of.every((part) => evaluate(part, mayMatch))
    case 'or':
      return bound.of.some((part) => evaluate(part, mayMatch))
    case 'leaf':
      return mayMatch(bound.leaf)
    default:
      return unreachable(bound)
  }
}

/** What is known about a set of values. Bounds leave out null and NaN. */
export type Range = {
  lower: Value | undefined
  upper: Value | undefined
  /** Both bounds are the one value that all (not null) rows have. */
  exact?: boolean
  mayHaveNull: boolean
  onlyNull: boolean
  mayHaveNan: boolean
  onlyNan: boolean
}

export function rangeMayMatch({ op, values }: Pick<Leaf, 'op' | 'values'>, range: Range): boolean {
  const [value] = values
  switch (op) {
    case 'is_null':
      return range.mayHaveNull
    case 'not_null':
      return !range.onlyNull
    case 'is_nan':
      return range.mayHaveNan
    case 'not_nan':
      return !range.onlyNan
    case '!=':
      return !(
        range.exact &&
        value !== undefined &&
        range.lower !== undefined &&
        compareValues(range.lower, value) === 0
      )
    case 'not_in':
      return !(range.exact && range.lower !== undefined && values.some((one) => compareValues(range.lower!, one) === 0))
    case 'not_starts_with':
      return !(range.exact && typeof range.lower === 'string' && range.lower.startsWith(value as string))
    case 'in':
      return values.some((one) => comparisonMayMatch('=', one, range))
    case 'starts_with':
      return !range.onlyNull && prefixMayMatch(value, range)
    default:
      return value === undefined || comparisonMayMatch(op, value, range)
  }
}

function comparisonMayMatch(op: Comparison, value: Value, { lower, upper, onlyNull, mayHaveNan }: Range): boolean {
  if (onlyNull) return false
  if (isNaN_(value)) return true
  switch (op) {
    case '=':
      return !isBelow(upper, value) && !isAbove(lower, value)
    case '<':
      return !(lower !== undefined && compareValues(lower, value) >= 0)
    case '<=':
      return !isAbove(lower, value)
    case '>':
      return mayHaveNan || !(upper !== undefined && compareValues(upper, value) <= 0)
    case '>=':
      return mayHaveNan || !isBelow(upper, value)
    case '!=':
      return true
    default:
      return unreachable(op)
  }
}

const isBelow = (upper: Value | undefined, value: Value) => upper !== undefined && compareValues(upper, value) < 0
const isAbove = (lower: Value | undefined, value: Value) => lower !== undefined && compareValues(lower, value) > 0

function prefixMayMatch(prefix: Value | undefined, { lower, upper }: Range): boolean {
  if (typeof prefix !== 'string') return true
  if (typeof upper === 'string' && compareValues(upper, prefix) < 0) return false
  return !(typeof lower === 'string' && compareValues(lower, prefix) > 0 && !lower.startsWith(prefix))
}

// --- columns of a file

/** `of`: by the place of the file. `whole`: of all files together, made when a second plan asks. */
type Column = { of: Range[]; whole?: Range }

/** Of manifests that are in memory: what the bounds of a column say of each file, decoded once for all plans to come. */
const decoded = new WeakMap<Manifest, Map<string, Column>>()
/** Columns that are kept for a manifest; the weight of a cached manifest counts them in. */
const columnsMax = 4

export type FilesEvaluator = {
  /** False where certainly no file of the manifest matches. */
  any(): boolean
  file(file: DataFile, index: number): boolean
}

/** `fileMayMatch` for the files of one manifest, by their place in it. */
export function filesEvaluator(bound: Bound, manifest: Manifest): FilesEvaluator {
  if (bound.op === 'true') return { any: () => true, file: ({ recordCount }) => recordCount > 0 }
  let columns = decoded.get(manifest)
  if (!columns) decoded.set(manifest, (columns = new Map()))
  const known = new Map<Leaf, Column>()
  const columnOf = (leaf: Leaf): Column => {
    const before = known.get(leaf)
    if (before) return before
    const key = `${leaf.field.id} ${showType(leaf.field.type)}`
    const asked = columns.get(key)
    const column = asked ?? { of: [] }
    columns.delete(key)
    columns.set(key, column) // youngest again
    if (columns.size > columnsMax) columns.delete(columns.keys().next().value!)
    known.set(leaf, column)
    if (asked && manifest.content === 'data')
      column.whole ??= wholeRange(manifest, (file, index) => (column.of[index] ??= columnRange(file, leaf.field)))
    return column
  }
  return {
    any: () =>
      evaluate(bound, (leaf) => {
        const { whole } = columnOf(leaf)
        return !whole || rangeMayMatch(leaf, whole)
      }),
    file: (file, index) =>
      file.recordCount > 0 &&
      evaluate(bound, (leaf) => rangeMayMatch(leaf, (columnOf(leaf).of[index] ??= columnRange(file, leaf.field)))),
  }
}

/** What is true of the rows of every file. */
function wholeRange({ entries }: Manifest, rangeOf: (file: DataFile, index: number) => Range): Range {
  const ranges = entries.flatMap(({ file }, index) => (file.recordCount > 0 ? [rangeOf(file, index)] : []))
  const valued = ranges.filter(({ onlyNull }) => !onlyNull)
  const outermost = (bounds: (Value | undefined)[], isFurther: (a: Value, b: Value) => boolean) =>
    bounds.reduce((a, b) => (a === undefined || b === undefined ? undefined : isFurther(b, a) ? b : a), bounds[0])
  return {
    lower: outermost(
      valued.map(({ lower }) => lower),
      (a, b) => compareValues(a, b) < 0,
    ),
    upper: outermost(
      valued.map(({ upper }) => upper),
      (a, b) => compareValues(a, b) > 0,
    ),
    mayHaveNull: ranges.some(({ mayHaveNull }) => mayHaveNull),
    onlyNull: valued.length === 0,
    mayHaveNan: ranges.some(({ mayHaveNan }) => mayHaveNan),
    onlyNan: ranges.every(({ onlyNan }) => onlyNan),
  }
}

export function fileMayMatch(bound: Bound, file: DataFile): boolean {
  if (file.recordCount === 0) return false
  return evaluate(bound, (leaf) => rangeMayMatch(leaf, columnRange(file, leaf.field)))
}

/** What the statistics of a file say about one of its columns. */
export function columnRange(file: DataFile, field: FoundField): Range {
  const [values, nulls, nans] = [
    file.valueCounts?.get(field.id),
    file.nullCounts?.get(field.id),
    file.nanCounts?.get(field.id),
  ]
  return {
    lower: isOrdered(field.type) ? lowerBound(file, field) : undefined,
    upper: isOrdered(field.type) ? upperBound(file, field) : undefined,
    mayHaveNull: nulls !== 0,
    onlyNull: values !== undefined && nulls === values,
    mayHaveNan: isFloat(field.type) && nans !== 0,
    onlyNan: isFloat(field.type) && values !== undefined && nans === values,
  }
}

const isFloat = ({ kind }: Type) => kind === 'float' || kind === 'double'
/** Java compared UUIDs as signed numbers for years: bounds of files written then are in another order. */
const isOrdered = ({ kind }: Type) => kind !== 'uuid'

// --- partitions

/** Evaluates bound predicates against the partitions of one spec. Projections are made once per leaf. */
export function partitionEvaluator(bound: Bound, spec: PartitionSpec, types: readonly (Type | undefined)[]) {
  const projections = new Map<Leaf, { index: number; leaf: Pick<Leaf, 'op' | 'values'> }[]>()
  const projectionsOf = (leaf: Leaf) => {
    let found = projections.get(leaf)
    if (!found) {
      found = spec.fields.flatMap(({ sourceIds, transform }, index) => {
        if (sourceIds.length !== 1 || sourceIds[0] !== leaf.field.id || !types[index]) return []
        const projected = project(leaf, transform)
        return projected ? [{ index, leaf: projected }] : []
      })
      projections.set(leaf, found)
    }
    return found
  }
  const mayMatch = (rangeOf: (index: number) => Range | undefined) =>
    evaluate(bound, (leaf) =>
      projectionsOf(leaf).every(({ index, leaf: projected }) => {
        const range = rangeOf(index)
        return !range || rangeMayMatch(projected, range)
      }),
    )
  return {
    /** A file of this partition. */
    partition: (values: readonly (Value | null)[]) => mayMatch((index) => valueRange(values[index], types[index]!)),
    /** A manifest with these partition summaries. */
    manifest: (summaries: readonly FieldSummary[]) =>
      mayMatch((index) => summaries[index] && summaryRange(summaries[index], types[index]!)),
  }
}

/** What a partition value says about itself. */
export function valueRange(value: Value | null | undefined, type: Type): Range | undefined {
  if (value === undefined) return undefined
  const isKnown = value !== null && !isNaN_(value)
  const bound = isKnown ? value : undefined
  return {
    lower: bound,
    upper: bound,
    exact: isKnown,
    mayHaveNull: value === null,
    onlyNull: value === null,
    mayHaveNan: isFloat(type) && isNaN_(value),
    onlyNan: isNaN_(value),
  }
}

function summaryRange({ containsNull, containsNan, lowerBound, upperBound }: FieldSummary, type: Type): Range {
  const decoded = (bytes: Uint8Array | undefined) => {
    const value = bytes && isOrdered(type) ? decodeBound(type, bytes) : undefined
    return isNaN_(value) ? undefined : value
  }
  return {
    lower: decoded(lowerBound),
    upper: decoded(upperBound),
    mayHaveNull: containsNull,
    onlyNull: false,
    mayHaveNan: isFloat(type) && containsNan !== false,
    onlyNan: false,
  }
}

/**
 * What must hold for a partition value if the leaf holds for one of its rows (an inclusive projection); undefined when
 * nothing follows.
 */
export function project(leaf: Leaf, transform: Transform): Pick<Leaf, 'op' | 'values'> | undefined {
  const { op, field, values } = leaf
  if (transform.kind === 'void' || transform.kind === 'other') return undefined
  if (op === 'is_null' || op === 'not_null' || transform.kind === 'identity') return { op, values }
  if (values.some(isNaN_)) return undefined
  const apply = (value: Value) => applyTransform(transform, field.type, value)!
  const [value] = values
  if (value === undefined) return undefined
  switch (transform.kind) {
    case 'bucket':
      return op === '=' || op === 'in' ? { op, values: values.map(apply) } : undefined
    case 'truncate':
      if (op === '=' || op === 'in') return { op, values: values.map(apply) }
      if (op === 'starts_with' && typeof value === 'string') {
        const isLonger = codePointPrefix(value, transform.width) !== value
        return isLonger ? { op: '=', values: [apply(value)] } : { op, values }
      }
      return range(op, value, apply)
    case 'year':
    case 'month':
    case 'day':
    case 'hour': {
      // Old writers rounded times before 1970 towards zero: such a partition value may be one too high.
      const orOneMore = (projected: Value) => (Number(projected) < 0 ? Number(projected) + 1 : projected)
      if (op === '=' || op === 'in')
        return { op: 'in', values: [...new Set(values.map(apply).flatMap((one) => [one, orOneMore(one)]))] }
      const projected = range(op, value, apply)
      return projected?.op === '<=' ? { op: '<=', values: projected.values.map(orOneMore) } : projected
    }
    default:
      return unreachable(transform)
  }
}

/** For transforms that keep the order. `<` and `>` go one step inwards where the type has steps. */
function range(op: LeafOp, value: Value, apply: (value: Value) => Value): Pick<Leaf, 'op' | 'values'> | undefined {
  const step = (by: 1 | -1) =>
    typeof value === 'bigint' ? value + BigInt(by) : typeof value === 'number' ? value + by : value
  switch (op) {
    case '<':
      return { op: '<=', values: [apply(step(-1))] }
    case '<=':
      return { op: '<=', values: [apply(value)] }
    case '>':
      return { op: '>=', values: [apply(step(1))] }
    case '>=':
      return { op: '>=', values: [apply(value)] }
    default:
      return undefined
  }
}
