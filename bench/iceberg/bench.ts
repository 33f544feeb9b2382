// What every part of these measurements is given.

import type { Peer } from './child.ts'
import type { BenchLake } from './lake.ts'

export type Bench = {
  lake: BenchLake
  duckdb: Peer
  /** Undefined where there is no Python. */
  pyiceberg: Peer | undefined
  /** Another one, which has done nothing yet: for its memory. */
  freshPyiceberg: Peer | undefined
  rounds: number
  /** Of the large tables. */
  rows: number
  /** Commits in a row. */
  commits: number
  /** Files of the table that is planned, and of the large one. */
  files: number
  manyFiles: number
  /** Tables of the environment that is forked. */
  tables: number
}
