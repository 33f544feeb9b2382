// What the pipeline needs of a dbt project. Kept apart so that planning does not depend on how models are compiled.

import type { Failure, Place } from './base/failure.ts'
import type { ListedNode } from './cli/app.ts'
import type { Environment } from './config/index.ts'
import type { ChangeSet, Key } from './lake/index.ts'
import type { StepContext } from './orchestrate/index.ts'

export type PlannedModel = {
  uniqueId: string
  /** `staging.stg_sales` */
  asset: string
  /** Models that are built first, of those that are planned. */
  parents: string[]
  /** Tables of the lake that it reads by source or plain name: `raw.sales`. */
  reads: string[]
}

/** A model as the tables page shows it: what it is made of and where it is written. */
export type ModelEdge = { table: string; reads: readonly string[]; place: Place | null }

export interface Models {
  /** The selected nodes and sources, in building order. */
  list(options: {
    environment: Environment
    select: readonly string[]
    exclude: readonly string[]
  }): Promise<ListedNode[]>
  /** The SQL of the selected models and tests, as it would run now. Templates that ask the database are answered. */
  compile(options: {
    environment: Environment
    select: readonly string[]
    exclude: readonly string[]
    signal: AbortSignal
  }): Promise<{ uniqueId: string; file: string; sql: string }[]>
  /** Every model with what it reads; throws what `plan` throws. */
  edges(environment: Environment): Promise<readonly ModelEdge[]>
  /** Keys that the project's tests hold true, as of a minute ago at the longest; none while its files have mistakes. */
  keys(environment: Pick<Environment, 'name' | 'catalog'>): Promise<readonly Key[]>
  /** Mistakes of the project's files, none when all is well. */
  problems(environment: Environment): Promise<readonly Failure[]>

  /** In an order in which they can be built. Every mistake of the project's files at once. */
  plan(options: {
    environment: Environment
    select: readonly string[]
    exclude: readonly string[]
    test: boolean
  }): Promise<PlannedModel[]>
  /** Builds one model and runs its tests; throws MODEL_INVALID, TEST_FAILED and the like. */
  build(
    uniqueId: string,
    options: { context: StepContext; changes: ChangeSet | undefined; testOnly: boolean },
  ): Promise<unknown>
}
