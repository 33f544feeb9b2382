import { z } from 'zod'
import { Place, Problem, SnapshotId, Timestamp } from './common.ts'

export const RunStatus = z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled'])
export type RunStatus = z.infer<typeof RunStatus>

export const StepStatus = z.enum(['waiting', 'running', 'succeeded', 'failed', 'skipped', 'cancelled'])
export type StepStatus = z.infer<typeof StepStatus>

export const Run = z.strictObject({
  id: z.string(),
  environment: z.string(),
  trigger: z.strictObject({
    kind: z.enum(['manual', 'schedule', 'upload', 'dev', 'retry']),
    by: z.string().nullable().describe('The name of the person, if it was one.'),
    schedule: z.string().nullable(),
    runId: z.string().nullable().describe('For a retry: the run it repeats.'),
  }),
  select: z.string().nullable().describe('Null is everything.'),
  status: RunStatus,
  createdAt: Timestamp,
  startedAt: Timestamp.nullable(),
  endedAt: Timestamp.nullable(),
  counts: z.strictObject({
    total: z.int().min(0),
    succeeded: z.int().min(0),
    failed: z.int().min(0),
    skipped: z.int().min(0),
    running: z.int().min(0),
  }),
  failure: Problem.nullable().describe('The first reason, when it failed.'),
  publicationId: z.string().nullable(),
})
export type Run = z.infer<typeof Run>
export const Runs = z.strictObject({
  runs: z.array(Run).describe('Newest first.'),
  next: z.string().nullable().describe('Pass as `before` for older ones.'),
})
export type Runs = z.infer<typeof Runs>

export const NewRun = z.strictObject({
  select: z.string().min(1).max(1_000).optional().describe('For example `+daily_revenue`; everything when absent.'),
})
export type NewRun = z.infer<typeof NewRun>

export const TestOutcome = z.strictObject({
  name: z.string(),
  status: z.enum(['pass', 'warn', 'fail', 'error', 'skipped']),
  failures: z.int().min(0).nullable().describe('Rows that broke the rule.'),
  message: z.string().nullable(),
  sql: z.string().nullable().describe('The statement that shows the failing rows.'),
  place: Place.optional(),
})
export type TestOutcome = z.infer<typeof TestOutcome>

export const LogLine = z.strictObject({
  seq: z.int().min(0).describe('Grows within a run; pass the last one seen as `after`.'),
  at: Timestamp,
  level: z.enum(['debug', 'info', 'warn', 'error']),
  stepId: z.string().nullable(),
  event: z.string(),
  fields: z.record(z.string(), z.unknown()),
})
export type LogLine = z.infer<typeof LogLine>

export const Step = z.strictObject({
  id: z.string(),
  kind: z.string().describe('ingest, build, publish.'),
  asset: z.string().nullable().describe('What it works on, for example `staging.stg_sales`.'),
  status: StepStatus,
  dependsOn: z.array(z.string()),
  startedAt: Timestamp.nullable(),
  endedAt: Timestamp.nullable(),
  attempts: z.array(
    z.strictObject({
      number: z.int().min(1),
      worker: z.string().nullable(),
      startedAt: Timestamp,
      endedAt: Timestamp.nullable(),
      status: z.enum(['running', 'succeeded', 'failed', 'cancelled', 'lost']).describe('Lost: its worker died.'),
      failure: Problem.nullable(),
    }),
  ),
  result: z
    .strictObject({
      rowsWritten: z.int().min(0).nullable(),
      filesWritten: z.int().min(0).nullable(),
      bytesWritten: z.int().min(0).nullable(),
      snapshotId: SnapshotId.nullable(),
      tests: z.array(TestOutcome),
    })
    .nullable(),
  failure: Problem.nullable(),
  place: Place.optional().describe('The file of the project that defines it.'),
  logTail: z.array(LogLine),
})
export type Step = z.infer<typeof Step>

export const Publication = z.strictObject({
  id: z.string(),
  environment: z.string(),
  runId: z.string().nullable(),
  by: z.string().nullable(),
  publishedAt: Timestamp,
  undoes: z.string().nullable().describe('For a rollback: the publication it undid.'),
  undoneBy: z.string().nullable(),
  undoable: z.boolean().describe('False when a table moved on since, or it was undone already.'),
  tables: z.array(
    z.strictObject({
      table: z.string(),
      kind: z.enum(['table', 'view']),
      action: z.enum(['create', 'replace', 'append', 'drop', 'rollback']),
      fromSnapshot: SnapshotId.nullable(),
      toSnapshot: SnapshotId.nullable(),
    }),
  ),
})
export type Publication = z.infer<typeof Publication>
export const Publications = z.strictObject({ publications: z.array(Publication).describe('Newest first.') })
export type Publications = z.infer<typeof Publications>

export const RunDetail = Run.extend({ steps: z.array(Step), publication: Publication.nullable() })
export type RunDetail = z.infer<typeof RunDetail>

export const RunLog = z.strictObject({
  lines: z.array(LogLine),
  next: z.int().min(0).describe('Pass as `after` next time.'),
  ended: z.boolean().describe('True when no further line will come.'),
})
export type RunLog = z.infer<typeof RunLog>

export const Schedule = z.strictObject({
  name: z.string(),
  cron: z.string(),
  words: z.string().describe('The cron line in words, for example `every day at 06:00`.'),
  timezone: z.string(),
  environment: z.string(),
  select: z.string().nullable(),
  enabled: z.boolean(),
  nextAt: Timestamp.nullable(),
  lastRun: Run.nullable(),
  place: Place,
})
export type Schedule = z.infer<typeof Schedule>
export const Schedules = z.strictObject({ schedules: z.array(Schedule) })
export type Schedules = z.infer<typeof Schedules>
