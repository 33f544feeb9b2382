// What a run of the dbt project is asked for with, and what is told of it: shared by commands and the pipeline.

import type { Environment } from '../config/index.ts'
import type { RunDetail } from '../orchestrate/index.ts'
import type { Flags, Target } from '../project/dbt/index.ts'
import type { Command, DbtProject, LoopOptions, NodeResult, Plan, Work } from '../transform/index.ts'

/** What is to be done with the project, as a step of a durable run keeps it: plain data. */
export type BuildInput = {
  command: Command
  select: readonly string[]
  exclude: readonly string[]
  /** These unique ids instead of what is selected. */
  ids?: readonly string[]
  /** Whoever asked for it. */
  by: string
  /** When readers see it: when nothing failed (the default), or in any case. */
  publish?: PublishMode
  threads?: number
  failFast?: boolean
  /** What has not changed since it was last published is not built again. */
  stateAware?: boolean
  /** Types of all that is planned are checked before anything of it runs. */
  check?: boolean
  /** Of microbatch models, by unique id: only the batches that failed before. */
  batches?: Work['batches']
  batchesUntil?: Work['batchesUntil']
  /** How the project is read, where not as usual. */
  reading?: { target?: Partial<Target>; vars?: Record<string, unknown>; flags?: Partial<Flags> }
}
export type PublishMode = 'passed-only' | 'always'

/** A build that the asking process does itself: with the project that it has read, telling as it goes. */
export type LiveBuild = Pick<LoopOptions, 'onStart' | 'onResult' | 'onBatch'> & {
  project: DbtProject
  plan: Plan
  /** Filled when all is done. */
  results: NodeResult[]
}

export type DbtRunRequest = {
  environment: Environment
  input: BuildInput
  live: Omit<LiveBuild, 'results'>
  signal: AbortSignal
  /** Another run writes the environment; this one begins when that has ended. */
  onWait?: ((runId: string) => void) | undefined
}
/** `run.publicationId`: what readers see now; null when nothing was published. */
export type DbtRunDone = { run: RunDetail; results: readonly NodeResult[] }
