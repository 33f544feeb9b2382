// What an engine host said, as a Failure for people.

import { Failure, type Place } from '../../base/failure.ts'
import { EngineFailure, isDiskFull } from '../../engine/index.ts'

/** Newer writers may encode all numbers so. */
export const isSplit = (column: string, cause?: unknown): Failure =>
  new Failure(
    'UNSUPPORTED',
    `${column} is no float and encoded as BYTE_STREAM_SPLIT, which DuckDB reads of floats alone`,
    {
      cause,
      hint: 'Write the file again with the engine that wrote it, without this encoding.',
    },
  )

/** DuckDB's words without what is ours alone: shadow names and paths. */
export function engineFailure(error: EngineFailure, place?: Place): Failure {
  const { type, message, candidates } = error.error
  // Where in the engine's own code a mistake of it happened helps nobody here.
  const clean = message
    .replace(/\n\s*Stack Trace:[^]*$/, '')
    .replace(/\bs_[0-9a-f]{20}_\d+\b/g, 'the table')
    .replace(/'?\/[^\s'"]*\/(data|metadata)\/[^\s'",)]*'?/g, 'a data file')
    .replace(/ when casting from source column _boathouse_\w+/, '')
    .replace(/"\/[^"]*\/duckdb_temp_[^"]*"/g, 'of what was spilled to disk')
    .replace(/\n+Candidate bindings: (.*)$/m, (_, listed: string) => {
      const known = listed.split(', ').filter((one) => !ours.test(one))
      return known.length > 0 ? `\nCandidate bindings: ${known.join(', ')}` : ''
    })
    .trim()
  const near = candidates?.split(',').flatMap((one) => (ours.test(one.trim()) ? [] : [one.trim()]))
  const more = {
    cause: error,
    ...(place ? { place } : {}),
    ...(near ? { suggestions: near } : {}),
  }
  if (/BYTE_STREAM_SPLIT/.test(message)) return isSplit('a column of a data file', error)
  const depth = /expression depth limit of (\d+)/i.exec(message)?.[1]
  if (depth !== undefined)
    return new Failure('QUERY_TOO_LARGE', `an expression is nested deeper than ${depth} levels`, {
      ...more,
      hint: 'Give a part of it a name in a WITH clause; `concat(…)` takes a hundred texts at once.',
    })
  if (/^column "_boathouse_\w+" must appear in the GROUP BY/.test(clean))
    return new Failure('SQL_INVALID', 'an aggregate of all rows cannot be the value of each', {
      ...more,
      hint: 'Write it as a query of its own: (SELECT max(n) FROM t).',
    })
  if (['parser', 'binder', 'catalog', 'syntax'].includes(type)) return new Failure('SQL_INVALID', clean, more)
  if (type === 'not implemented') return new Failure('SQL_UNSUPPORTED', clean, more)
  if (type === 'out of memory') {
    const isDisk = isOfDisk(error)
    // What else DuckDB says of it are settings of its own.
    const [amount] = clean.split('\n')
    return new Failure(
      'QUERY_TOO_LARGE',
      `the query needs more ${isDisk ? 'disk to spill to' : 'memory'} than it may use: ${amount}`,
      {
        ...more,
        hint: `Aggregate or filter earlier, or ${isDisk ? 'make room on the disk and raise `limits.temp_bytes`' : 'raise `limits.memory`'}.`,
      },
    )
  }
  if (type === 'fatal')
    return new Failure('QUERY_FAILED', `DuckDB met a fault of its own at this query: ${clean}`, {
      ...more,
      hint: 'Write the query in another way: the same one would fail again.',
    })
  if (type === 'permission') return new Failure('SQL_REFUSED', clean, more)
  if (type === 'io' && isDiskFull(message)) return new Failure('STORAGE_FAILED', `the disk is full: ${clean}`, more)
  if (type === 'io') return new Failure('STORAGE_FAILED', clean, more)
  return new Failure('QUERY_FAILED', clean, more)
}

/** That a query spilled to disk as much as it may. */
export const isOfDisk = ({ error }: EngineFailure): boolean => error.message.includes('max_temp_directory_size')

/** Columns that a scan for changes has besides those of the table. */
const ours = /^"?_(?:row_id|last_updated_sequence_number|boathouse_\w+)"?$/

/** For `catch`: throws what an engine host said as a Failure, everything else as it is. */
export const rethrowEngine = (error: unknown): never => {
  throw error instanceof EngineFailure ? engineFailure(error) : error
}
