// "All rows match" must be certain: for random files and predicates it is compared with the rows themselves.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DataFile } from './manifest-types.ts'
import { currentSchema, newTableMetadata } from './metadata.ts'
import { coverageOf } from './predicate-strict.ts'
import type { Predicate } from './predicate-types.ts'
import { applyTransform, parseTransform } from './transform.ts'
import type { Type, Value } from './types.ts'
import { compareValues, encodeBound, isNaN_ } from './value.ts'

const types: Type[] = [{ kind: 'int' }, { kind: 'double' }, { kind: 'string' }, { kind: 'date' }]
const values: fc.Arbitrary<Value>[] = [
  fc.integer({ min: -4, max: 4 }),
  fc.constantFrom(-1.5, 0, -0, 2, Number.NaN),
  fc.constantFrom('', 'a', 'ab', 'abc', 'b'),
  fc.integer({ min: -40, max: 40 }),
]
type Row = readonly (Value | null)[]
const row = fc.tuple(...values.map((value) => fc.option(value, { freq: 5 }))) as fc.Arbitrary<Row>

const predicate = fc.letrec<{ predicate: Predicate }>((tie) => ({
  predicate: fc.oneof(
    { maxDepth: 3 },
    fc.nat(3).chain((index): fc.Arbitrary<Predicate> => {
      const field = fc.constant(index + 1)
      const value = values[index]!
      return fc.oneof(
        fc.record({ op: fc.constantFrom('=' as const, '!=', '<', '<=', '>', '>='), field, value }),
        fc.record({
          op: fc.constantFrom('in' as const, 'not_in'),
          field,
          values: fc.array(value, { minLength: 1, maxLength: 3 }),
        }),
        fc.record({ op: fc.constantFrom('is_null' as const, 'not_null', 'is_nan', 'not_nan'), field }),
        fc.record({
          op: fc.constantFrom('starts_with' as const, 'not_starts_with'),
          field: fc.constant(3),
          value: fc.constantFrom('', 'a', 'ab'),
        }),
      )
    }),
    fc.record({ op: fc.constantFrom('and' as const, 'or'), of: fc.array(tie('predicate'), { maxLength: 3 }) }),
    fc.record({ op: fc.constant('not' as const), of: tie('predicate') }),
  ),
})).predicate

/** SQL's three values; NaN is the largest number. */
function holds(one: Predicate, row: Row): boolean | null {
  switch (one.op) {
    case 'true':
    case 'false':
      return one.op === 'true'
    case 'and':
    case 'or': {
      const parts = one.of.map((part) => holds(part, row))
      const decisive = one.op === 'or'
      return parts.includes(decisive) ? decisive : parts.includes(null) ? null : !decisive
    }
    case 'not': {
      const inner = holds(one.of, row)
      return inner === null ? null : !inner
    }
    default: {
      const value = row[one.field - 1]!
      if (one.op === 'is_null' || one.op === 'not_null') return (value === null) === (one.op === 'is_null')
      if (value === null) return null
      const is = (other: Value) => compareValues(value, other) === 0
      switch (one.op) {
        case 'is_nan':
          return isNaN_(value)
        case 'not_nan':
          return !isNaN_(value)
        case 'in':
          return one.values.some(is)
        case 'not_in':
          return !one.values.some(is)
        case 'starts_with':
          return (value as string).startsWith(one.value)
        case 'not_starts_with':
          return !(value as string).startsWith(one.value)
        default: {
          if (!('value' in one)) return null
          const order = compareValues(value, one.value)
          return {
            '=': order === 0,
            '!=': order !== 0,
            '<': order < 0,
            '<=': order <= 0,
            '>': order > 0,
            '>=': order >= 0,
          }[one.op]
        }
      }
    }
  }
}

const specs = [
  [],
  [{ column: 'c0', transform: parseTransform('truncate[3]') }],
  [{ column: 'c1', transform: parseTransform('identity') }],
  [
    { column: 'c2', transform: parseTransform('truncate[1]') },
    { column: 'c3', transform: parseTransform('month') },
  ],
  [
    { column: 'c2', transform: parseTransform('bucket[2]') },
    { column: 'c0', transform: parseTransform('void') },
  ],
]

test('never "all" where a row stays, never "none" where one goes', () => {
  const answers = { all: 0, some: 0, none: 0 }
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 4 }),
      predicate,
      fc.nat(specs.length - 1),
      fc.boolean(),
      (some, one, at, hasStatistics) => {
        const metadata = newTableMetadata({
          uuid: 'u',
          location: '/t',
          nowMs: 1,
          schema: types.map((type, index) => ({ name: `c${index}`, type })),
          spec: specs[at],
        })
        const spec = metadata.partitionSpecs[0]!
        const partitionOf = (one: Row) =>
          spec.fields.map(({ sourceIds, transform }) =>
            applyTransform(transform, types[sourceIds[0]! - 1]!, one[sourceIds[0]! - 1]!),
          )
        const first = partitionOf(some[0]!)
        const rows = some.filter((one) => partitionOf(one).every((value, index) => Object.is(value, first[index])))
        const column = (index: number) => rows.map((one) => one[index]!)
        const known = (index: number) =>
          column(index)
            .filter((value) => value !== null && !isNaN_(value))
            .sort(compareValues)
        const ids = types.map((_, index) => index + 1)
        const bound = (end: 0 | -1) =>
          new Map(
            ids.flatMap((id) => {
              const value = known(id - 1).at(end)
              return value === undefined ? [] : [[id, encodeBound(types[id - 1]!, value)] as const]
            }),
          )
        const file: DataFile = {
          content: 'data',
          path: 'f',
          format: 'parquet',
          specId: 0,
          partition: first,
          recordCount: rows.length,
          fileSizeBytes: 1,
          ...(hasStatistics && {
            valueCounts: new Map(ids.map((id) => [id, rows.length])),
            nullCounts: new Map(ids.map((id) => [id, column(id - 1).filter((value) => value === null).length])),
            nanCounts: new Map([[2, column(1).filter(isNaN_).length]]),
            lowerBounds: bound(0),
            upperBounds: bound(-1),
          }),
        }
        const answer = coverageOf(one, currentSchema(metadata), metadata)(file)
        answers[answer]++
        const matching = rows.filter((row) => holds(one, row) === true).length
        if (answer === 'all') expect(matching).toBe(rows.length)
        if (answer === 'none') expect(matching).toBe(0)
      },
    ),
    { numRuns: 3000 },
  )
  expect(Object.values(answers).every((count) => count > 100)).toBe(true) // each of them is an answer that is given
})
