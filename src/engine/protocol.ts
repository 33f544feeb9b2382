// What the server and an engine host say to each other over the child process's IPC channel.
// One request is answered by: `columns`, any number of `chunk`s, then `done`; or by `failed` at any point. A message of the
// host holds a list of answers, so that a small result is one message. The host sends at most `creditMax` chunks that were
// not acknowledged, so a slow reader slows the query.

import type { Place } from '../base/failure.ts'

export const creditMax = 4

export type HostClass = 'plan' | 'interactive' | 'heavy' | 'write'

/** One output column: its name and DuckDB's type name, for example `DECIMAL(12,2)`. */
export type EngineColumn = { name: string; type: string }

/**
 * Some rows of a result, encoded in the host: `json` is a JSON array of row arrays. Where the request asked for formats
 * of the PostgreSQL protocol, `bytes` holds the rows as DataRow messages instead and `json` is empty.
 */
export type Chunk = { rowCount: number; json: string; bytes?: Uint8Array }

export type HostRequest =
  /** The first message; answered by `ready`. */
  | { kind: 'open'; settings: HostSettings }
  | {
      kind: 'run'
      id: number
      class: HostClass
      sql: string
      /** Statements that must have run before, `CREATE … IF NOT EXISTS`: each is run once in a host's life. */
      setup: string[]
      parameters: (string | number | null)[]
      rowsMax: number
      /** As in `EngineRequest`. */
      formats?: readonly number[]
      declared?: readonly (string | null)[]
      json?: 'JSON' | 'JSONB'
      shownIn?: string
      timeZone?: string
      /** The result is small: made whole it cannot end early, and needs no transaction to tell. */
      whole?: boolean
    }
  | { kind: 'bind'; id: number; class: HostClass; sql: string; setup: string[]; timeZone?: string }
  | { kind: 'cancel'; id: number }
  | { kind: 'ack'; id: number }

export type HostAnswer =
  | { kind: 'ready' }
  | { kind: 'broken'; message: string }
  /** `parameters`: of a bound statement, DuckDB's names for the types that it expects. */
  | { kind: 'columns'; id: number; columns: EngineColumn[]; parameters?: string[] }
  | { kind: 'chunk'; id: number; chunk: Chunk }
  | { kind: 'done'; id: number; truncated: boolean }
  | { kind: 'failed'; id: number; error: EngineError }

/**
 * What DuckDB said. Of type `fatal` the host is of no more use; its message is empty for a query that did not cause it.
 * `offset` is a byte offset into the UTF-8 text of the statement.
 */
export type EngineError = {
  type: string
  message: string
  offset?: number
  candidates?: string
  interrupted?: boolean
  place?: Place
}

/** Of each class whose queries the host runs: what the DuckDB instance of that class has. */
export type HostSettings = Partial<Record<HostClass, InstanceSettings>>

export type InstanceSettings = {
  memoryBytes: number
  threads: number
  tempDirectory: string
  tempBytes: number
  timeZone: string
  /** The only folders that it may read or write. */
  directories: string[]
  disabledOptimizers: string[]
}
