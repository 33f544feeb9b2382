import type { Value } from './types.ts'

/** On a column named by field id; values in the internal form of the column's type in the scanned schema. */
export type Predicate =
  | { op: 'true' }
  | { op: 'false' }
  | { op: 'and' | 'or'; of: readonly Predicate[] }
  | { op: 'not'; of: Predicate }
  | { op: '=' | '!=' | '<' | '<=' | '>' | '>='; field: number; value: Value }
  | { op: 'in' | 'not_in'; field: number; values: readonly Value[] }
  | { op: 'is_null' | 'not_null' | 'is_nan' | 'not_nan'; field: number }
  | { op: 'starts_with' | 'not_starts_with'; field: number; value: string }
