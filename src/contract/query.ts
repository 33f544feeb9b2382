import { z } from 'zod'
import { AsOf, Cached, Column, Failure, Provenance, Result, Row } from './common.ts'

export const queryRowsMax = 100_000
export const Query = z.strictObject({
  sql: z.string().min(1).max(1_000_000),
  id: z
    .string()
    .min(8)
    .max(64)
    .regex(/^[\w-]+$/)
    .optional()
    .describe('Chosen by the asker, so that the query can be cancelled while it runs.'),
  rowsMax: z.int().min(1).max(queryRowsMax).default(10_000),
  asOf: AsOf.optional(),
})
/** What the asker writes: `rowsMax` may be left out. */
export type Query = z.input<typeof Query>

export const QueryResult = Result.extend({ id: z.string() })
export type QueryResult = z.infer<typeof QueryResult>

export const QueryLine = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('header'),
      id: z.string(),
      columns: z.array(Column),
      provenance: Provenance,
      cached: Cached,
    }),
    z.strictObject({ kind: z.literal('rows'), rows: z.array(Row) }),
    z.strictObject({ kind: z.literal('end'), rowCount: z.int().min(0), truncated: z.boolean(), ms: z.number().min(0) }),
    z.strictObject({ kind: z.literal('failure'), failure: Failure }),
  ])
  .describe(
    'One line of the stream. A complete stream is one header, any number of rows, and one end; a stream without an end is not complete. What fails before the header is an ordinary answer with its status.',
  )
export type QueryLine = z.infer<typeof QueryLine>
