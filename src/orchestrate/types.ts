// What a run is: a plan (data, made by whoever knows the project), its steps, and what became of them.

import type { FailureCode, Place } from '../base/failure.ts'
import type { Log, LogFields } from '../base/log.ts'
import type { RunStatus, StepStatus } from '../records/index.ts'

export type { RunStatus, StepStatus }

export type PlannedStep = {
  /** Unique in the plan, for example `build:staging.stg_sales`. */
  id: string
  /** Names the step function. */
  kind: string
  /** What it works on, for people: `staging.stg_sales`. */
  asset?: string
  /** JSON, handed to the step function. */
  input?: unknown
  /** Steps that must succeed before; `'all'` is every step before this one in the plan, as `publish` needs. */
  dependsOn?: readonly string[] | 'all'
  /** Runs once what it depends on has ended, however that ended, also after a cancel: for cleaning up. */
  always?: boolean
}

export type RunPlan = { steps: readonly PlannedStep[] }

export type Trigger = {
  kind: 'manual' | 'schedule' | 'upload' | 'dev' | 'retry'
  /** The name of the person, if it was one. */
  by: string | null
  schedule: string | null
  /** For a retry: the run it repeats. */
  runId: string | null
}

export type RunRequest = {
  environment: string
  catalog: string
  /** What sort of run, for people: `run`, `build`, `ingest`. */
  kind: string
  /** As the person wrote it; null is everything. */
  selection?: string | null
  trigger: { kind: Trigger['kind']; by?: string | null; schedule?: string | null; runId?: string | null }
  plan: RunPlan
  /** False for a run that changes no table: it does not wait for others of its catalog. */
  writes?: boolean
}

/** A `Failure` as JSON: what people see of it. */
export type Problem = { code: FailureCode; message: string; place?: Place; hint: string; all?: Problem[] }

export type Run = {
  id: string
  environment: string
  catalog: string
  kind: string
  selection: string | null
  trigger: Trigger
  status: RunStatus
  /** Times are ISO-8601 UTC. */
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
  workerId: string | null
  /** How often a worker took it; more than 1 after a crash or a restart of the worker. */
  attempt: number
  cancelRequested: boolean
  /** The first reason, when it failed. */
  failure: Problem | null
  /** From the output of the step that published, when it has `publicationId`. */
  publicationId: string | null
  /** From the output of the step that opened it, when it has `changeSetId`. */
  changeSetId: string | null
  counts: Record<'total' | StepStatus, number>
}

export type StepAttempt = {
  number: number
  workerId: string
  /** `lost`: its worker died. */
  status: 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost'
  startedAt: string
  finishedAt: string | null
  failure: Problem | null
}

export type Step = {
  id: string
  position: number
  kind: string
  asset: string | null
  status: StepStatus
  always: boolean
  dependsOn: string[]
  input: unknown
  output: unknown
  failure: Problem | null
  startedAt: string | null
  finishedAt: string | null
  attempt: number
  /** The step that this one is a part of: told, not started. */
  partOf: string | null
}

/** What a step tells of a part of its work. A key that is left out stays as it was. */
export type PartNews = {
  id: string
  status: StepStatus
  output?: unknown
  failure?: unknown
}

export type RunDetail = Run & { steps: (Step & { attempts: StepAttempt[] })[] }

/** One line of the log of a run. `seq` grows over all runs of the store. */
export type RunEvent = {
  seq: number
  runId: string
  stepId: string | null
  at: string
  level: 'debug' | 'info' | 'warn' | 'error'
  event: string
  fields: LogFields
}

export type StepContext = {
  runId: string
  stepId: string
  asset: string | null
  environment: string
  catalog: string
  /** 1 the first time; more when a worker died in the middle of it or a failure was worth another try. */
  attempt: number
  /** Written to the log of the run, durably, and to the log of the process. */
  log: Log
  /** Aborted by a cancel, by the end of the worker, and when another worker has taken the run. */
  signal: AbortSignal
  /** What has happened so far, for whoever watches. */
  progress(fields: LogFields): void
  /** Names the parts of this step, in order; those that an earlier attempt named stay as they are. */
  nameParts(parts: readonly Pick<PlannedStep, 'id' | 'kind' | 'asset' | 'dependsOn'>[]): Promise<void>
  /** Writes down how parts stand. A part that has ended is found by the next attempt, should this one be killed. */
  tellParts(news: readonly PartNews[]): Promise<void>
  /** The parts as they stand. */
  parts(): Promise<Step[]>
  /** Output of a finished step of this run; undefined when there is none. */
  outputOf(stepId: string): unknown
  /** Outputs of the finished steps of a kind. */
  outputsOf(kind: string): unknown[]
  /** @throws Failure RUN_CONFLICT when another worker has taken the run: to be asked before what cannot be undone */
  assertOwned(): Promise<void>
}

/** What a step does, by kind. What it resolves to is stored as JSON and marks the step as finished. */
export type StepFunctions = { [kind: string]: (input: unknown, context: StepContext) => Promise<unknown> }
