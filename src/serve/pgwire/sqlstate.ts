// One SQLSTATE for each code of a Failure; where the engine says more, a closer one.
//
// Source: PostgreSQL documentation, appendix A "PostgreSQL Error Codes".

import type { Failure, FailureCode } from '../../base/failure.ts'

const states: Record<FailureCode, string> = {
  CONFIG_INVALID: 'F0000',
  USAGE: '42601',
  PROJECT_NOT_FOUND: '3D000',
  PROJECT_INVALID: 'F0000',
  REQUEST_INVALID: '22023',
  PORT_TAKEN: '58000',
  PAYLOAD_TOO_LARGE: '54000',
  UNAUTHENTICATED: '28P01',
  FORBIDDEN: '42501',
  RATE_LIMITED: '53400',
  NOT_FOUND: '42704',
  TABLE_NOT_FOUND: '42P01',
  NAMESPACE_NOT_FOUND: '3F000',
  NAMESPACE_NOT_EMPTY: '2BP01',
  ALREADY_EXISTS: '42P07',
  SQL_INVALID: '42601',
  SQL_REFUSED: '42501',
  SQL_UNSUPPORTED: '0A000',
  QUERY_FAILED: '22000',
  QUERY_CANCELLED: '57014',
  QUERY_TIMEOUT: '57014',
  QUERY_TOO_LARGE: '54000',
  ENGINE_LOST: '57P02',
  ENGINE_BUSY: '53300',
  COMMIT_CONFLICT: '40001',
  COMMIT_UNKNOWN: '08007',
  TRANSACTION_ABORTED: '25P02',
  TRANSACTION_STATE: '25000',
  METADATA_INVALID: 'XX001',
  UNSUPPORTED: '0A000',
  STORAGE_FAILED: '58030',
  CATALOG_FAILED: '08006',
  OWNER_MISMATCH: '55000',
  LAKE_MOVED: '55000',
  RECORDS_FAILED: '58000',
  RECORDS_NEWER: '58000',
  TEMPLATE_INVALID: '42601',
  TEMPLATE_FAILED: '22000',
  MODEL_INVALID: '42601',
  GRAPH_CYCLE: '42P19',
  TEST_FAILED: '23514',
  SOURCE_INVALID: '22023',
  METRIC_INVALID: '42704',
  DASHBOARD_INVALID: '22023',
  RUN_FAILED: '22000',
  RUN_CANCELLED: '57014',
  RUN_CONFLICT: '40001',
  DOCTOR_FAILED: '22000',
  INTERNAL: 'XX000',
}

/** Words of DuckDB's messages, by the kind of error that it gave. */
const closer: [type: RegExp, message: RegExp, state: string][] = [
  [/binder/, /GROUP BY/, '42803'],
  [/binder/, /column|not found in FROM/i, '42703'],
  [/binder/, /No function matches|type/i, '42883'],
  [/catalog/, /function/i, '42883'],
  [/catalog/, /type/i, '42704'],
  [/conversion/, /(date|time\w*) field value out of range/i, '22008'],
  [/conversion/, /out of range|overflow/i, '22003'],
  [/conversion/, /./, '22P02'],
  [/out of range/, /./, '22003'],
  [/divide|invalid input/, /division by zero/i, '22012'],
  [/invalid input/, / violates check constraint /, '23514'],
  [/invalid input/, /^relation ".*" does not exist$/, '42P01'],
  [/invalid input/, /^(function|procedure) ".*" does not exist$/, '42883'],
  [/invalid input/, /^value too long for type/, '22001'],
  [/invalid input/, /^(Malformed JSON|invalid input syntax)/, '22P02'],
  [/invalid input/, /./, '22023'],
  [/out of memory/, /./, '53200'],
]

/** Words of our own messages. */
const ours: [code: FailureCode, message: RegExp, state: string][] = [
  ['SQL_INVALID', / must not be null\b/, '23502'],
  ['SQL_INVALID', / needs a value for /, '23502'],
  ['SQL_INVALID', / has no column /, '42703'],
  ['ALREADY_EXISTS', /^the schema /, '42P06'],
]

export function sqlStateOf(failure: Failure): string {
  const said = ours.find(([code, words]) => failure.code === code && words.test(failure.message))
  if (said) return said[2]
  const { type = '' } = (failure.cause as { error?: { type?: string } } | undefined)?.error ?? {}
  const precise = closer.find(([kind, words]) => kind.test(type) && words.test(failure.message))
  return precise && ['SQL_INVALID', 'QUERY_FAILED'].includes(failure.code) ? precise[2] : states[failure.code]
}
