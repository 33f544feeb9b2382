import { z } from 'zod'
import { Problem, Timestamp } from './common.ts'
import { DashboardSummary } from './dashboard.ts'
import { Run, Schedule } from './runs.ts'
import { TableSummary } from './catalog.ts'
import { Environment } from './session.ts'

export const Home = z.strictObject({
  project: z.strictObject({ name: z.string(), description: z.string().nullable() }),
  environment: Environment,
  dashboards: z.array(DashboardSummary),
  runs: z.array(Run).describe('The last five.'),
  nextSchedule: Schedule.nullable(),
  tables: z.array(TableSummary.omit({ columns: true })),
  open: z
    .array(
      z.strictObject({
        kind: z.enum(['run', 'test', 'project', 'schedule']),
        problem: Problem,
        runId: z.string().nullable(),
        at: Timestamp.nullable(),
      }),
    )
    .describe('What is wrong now: the last failed run if nothing succeeded since, mistakes in project files.'),
})
export type Home = z.infer<typeof Home>

export const ConnectText = z.strictObject({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  language: z.enum(['python', 'yaml', 'sql', 'shell', 'powershell', 'text']),
  code: z.string(),
  note: z.string().nullable(),
})
export type ConnectText = z.infer<typeof ConnectText>
export const Connect = z.strictObject({
  facts: z.array(z.strictObject({ label: z.string(), value: z.string() })),
  texts: z.array(ConnectText),
})
export type Connect = z.infer<typeof Connect>

export const Health = z.strictObject({
  status: z.enum(['ok', 'failed']),
  db: z.enum(['ok', 'failed']),
  redis: z.enum(['ok', 'off', 'failed']),
  message: z.string().optional().describe('What fails and why, when something does.'),
})
export type Health = z.infer<typeof Health>
