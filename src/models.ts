// What the pipeline needs of a dbt project. Kept apart so that planning does not depend on how models are compiled.

import type { Environment } from './config/index.ts'
import type { ChangeSet } from './lake/index.ts'
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

export interface Models {
  /** In an order in which they can be built. Every mistake of the project's files at once. */
  plan(options: { environment: Environment; select: readonly string[]; exclude: readonly string[]; test: boolean }): Promise<PlannedModel[]>
  /** Builds one model and runs its tests; throws MODEL_INVALID, TEST_FAILED and the like. */
  build(uniqueId: string, options: { context: StepContext; changes: ChangeSet | undefined; testOnly: boolean }): Promise<unknown>
}
