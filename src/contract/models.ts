import { z } from 'zod'
import { Place, Problem, Timestamp } from './common.ts'

const Last = z
  .strictObject({
    status: z.string().describe('success, pass, warn, fail, error, skipped …: as dbt says it.'),
    at: Timestamp.nullable(),
    ms: z.int().min(0).nullable(),
    runId: z.string(),
  })
  .describe('What became of it in the newest run that did it.')

export const ModelSummary = z.strictObject({
  id: z.string().describe('As dbt has it: `model.shop.orders`; a table that the project does not know: `table:…`.'),
  name: z.string(),
  kind: z.enum(['model', 'seed', 'snapshot', 'source', 'exposure']),
  materialized: z.string().nullable(),
  table: z.string().nullable().describe('`marts.orders`; null for what is no table.'),
  description: z.string(),
  tags: z.array(z.string()),
  group: z.string().nullable(),
  tests: z.int().min(0),
  problems: z.int().min(0).describe('Mistakes that the check of the project finds in it or its tests.'),
  last: Last.nullable(),
})
export type ModelSummary = z.infer<typeof ModelSummary>

export const Models = z
  .strictObject({
    models: z.array(ModelSummary).describe('Parents before children.'),
    edges: z.array(z.strictObject({ from: z.string(), to: z.string() })),
  })
  .describe('The dbt project as a graph.')
export type Models = z.infer<typeof Models>

const ColumnRef = z.strictObject({ model: z.string(), column: z.string() })

export const Model = ModelSummary.extend({
  package: z.string(),
  owner: z.string().nullable(),
  place: Place.nullable(),
  template: z.string().nullable(),
  compiled: z.string().nullable(),
  columns: z.array(
    z.strictObject({
      name: z.string(),
      type: z.string().nullable(),
      description: z.string(),
      tests: z.array(z.string()),
      from: z.array(ColumnRef.extend({ how: z.enum(['identity', 'derived', 'aggregated']) })),
      into: z.array(ColumnRef.extend({ how: z.enum(['identity', 'derived', 'aggregated']) })),
    }),
  ),
  rows: z
    .array(ColumnRef.extend({ use: z.enum(['filter', 'join', 'group', 'order']) }))
    .describe('Columns that decide which rows there are.'),
  testList: z.array(
    z.strictObject({
      id: z.string(),
      name: z.string(),
      column: z.string().nullable(),
      severity: z.string(),
      place: Place.nullable(),
      last: Last.nullable(),
    }),
  ),
  runs: z.array(Last).describe('Newest first.'),
  mistakes: z.array(Problem),
  partly: z.string().nullable().describe('Why not all could be checked.'),
})
export type Model = z.infer<typeof Model>
