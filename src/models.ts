// What the pipeline needs of a dbt project. Kept apart so that planning does not depend on how models are compiled.

import type { Failure, Place } from './base/failure.ts'
import type { ListedNode } from './cli/app.ts'
import type { Environment } from './config/index.ts'
import type { ChangeSet, Key } from './lake/index.ts'
import type { StepContext } from './orchestrate/index.ts'
import type { BuildInput, LiveBuild } from './cli/dbt-run.ts'
import type { DbtProject } from './transform/index.ts'

/** A model as the tables page shows it: what it is made of and where it is written. */
export type ModelEdge = { table: string; reads: readonly string[]; place: Place | null }

export interface Models {
  /** The project for an environment; undefined when there is none. Throws every mistake of its files. */
  project(
    environment: Pick<Environment, 'name' | 'catalog'>,
    reading?: BuildInput['reading'],
  ): Promise<DbtProject | undefined>
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

  /**
   * Tables of the lake that the selection reads by source or plain name (`raw.sales`); undefined when nothing is
   * selected. Every mistake of the project's files at once.
   */
  plan(options: { environment: Environment } & BuildInput): Promise<{ reads: readonly string[] } | undefined>
  /** Does it all; throws MODEL_INVALID, TEST_FAILED and the like. `changes`: none for tests alone. */
  build(
    input: BuildInput,
    options: { context: StepContext; changes: ChangeSet | undefined; live?: LiveBuild | undefined },
  ): Promise<Record<string, unknown>>
}
