// The shapes that every other topic uses: a failure, a column, a row, where a result came from.
//
// Everything is strict: an answer with a field that is not written here fails the tests of the server, so the
// published description never lags behind. Times are ISO 8601 with an offset, sizes are bytes, durations are ms.

import { z } from 'zod'

export const Timestamp = z.iso
  .datetime({ offset: true })
  .describe('ISO 8601 with offset, for example `2024-03-31T06:02:00Z`.')
export const DateText = z.iso.date().describe('A calendar day, for example `2024-03-31`.')
export const SnapshotId = z
  .string()
  .regex(/^-?\d+$/)
  .describe('64 bits, so text: larger than a JavaScript number.')

export const Place = z
  .strictObject({
    file: z.string().optional().describe('Relative to the project folder.'),
    line: z.int().min(1).optional(),
    column: z.int().min(1).optional().describe('In UTF-16 units, from 1.'),
  })
  .describe('Where in a text something is wrong. Absent parts are unknown.')
export type Place = z.infer<typeof Place>

const failureFields = {
  code: z.string().regex(/^[A-Z][A-Z_]*$/),
  message: z.string(),
  place: Place.optional(),
  hint: z.string().describe('What to do about it, one sentence.'),
  suggestions: z
    .array(z.string())
    .optional()
    .describe('What may have been meant instead of the word at `place`, best first.'),
}
export const Problem = z.strictObject(failureFields).describe('Something in a file of the project that is wrong.')
export type Problem = z.infer<typeof Problem>

export const Failure = z
  .strictObject({
    ...failureFields,
    requestId: z.string(),
    all: z.array(Problem).optional().describe('When several independent mistakes were found: each of them.'),
  })
  .describe('The body of every answer that is not a success, with the HTTP status of its code.')
export type Failure = z.infer<typeof Failure>

export const Column = z.strictObject({
  name: z.string(),
  type: z.string().describe('A SQL type, for example `DECIMAL(12,2)`.'),
  nullable: z.boolean(),
})
export type Column = z.infer<typeof Column>

export const Row = z
  .array(z.unknown())
  .describe(
    'Values in column order. Exact: BIGINT beyond 2^53, HUGEINT and DECIMAL are strings; DATE is `2024-03-31`, TIMESTAMP `2024-03-31 12:00:00`, TIMESTAMP WITH TIME ZONE `2024-03-31T12:00:00Z`; blobs are base64.',
  )
export type Row = z.infer<typeof Row>

export const Provenance = z
  .strictObject({
    tables: z.array(
      z.strictObject({
        table: z.string().describe('Full name: catalog.namespace.table.'),
        at: z
          .string()
          .optional()
          .describe('What the text says of when it is read: a branch, a tag, a snapshot, milliseconds since 1970.'),
        snapshotId: SnapshotId.nullable(),
        schemaId: z
          .number()
          .int()
          .describe('Which of the schemas of the table: a column may be renamed without a new snapshot.'),
        committedAt: Timestamp.nullable(),
      }),
    ),
    views: z.array(
      z.strictObject({
        view: z.string().describe('Full name: catalog.namespace.view.'),
        versionId: z.number().int(),
      }),
    ),
  })
  .describe('Which versions of which tables and views the result was computed from.')
export type Provenance = z.infer<typeof Provenance>

export const Cached = z.strictObject({ hit: z.boolean(), ageMs: z.number().min(0) })
export type Cached = z.infer<typeof Cached>

export const Result = z.strictObject({
  columns: z.array(Column),
  rows: z.array(Row),
  truncated: z.boolean().describe('True when the limit on rows cut the result.'),
  ms: z.number().min(0),
  provenance: Provenance,
  cached: Cached,
})
export type Result = z.infer<typeof Result>

export const Done = z.strictObject({ ok: z.literal(true) })
export type Done = z.infer<typeof Done>

export const AsOf = z
  .string()
  .describe(
    'Read every table as it was then: an ISO 8601 time with offset, a snapshot id, or the `provenance` of an earlier answer as JSON, by which its tables are of the same snapshots and its views of the same texts.',
  )
