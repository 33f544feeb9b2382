import { z } from 'zod'
import { Problem } from './common.ts'
import { Run } from './runs.ts'

export const Event = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('hello'), version: z.string() }),
    z.strictObject({
      kind: z.literal('dashboard'),
      name: z.string(),
      revision: z.string().nullable().describe('Null when the file was removed.'),
    }),
    z.strictObject({
      kind: z.literal('published'),
      publication: z.string(),
      environment: z.string(),
      tables: z.array(z.string()).describe('Full names.'),
    }),
    z.strictObject({ kind: z.literal('run'), run: Run }),
    z.strictObject({ kind: z.literal('project'), problems: z.array(Problem) }),
  ])
  .describe(
    'The `data:` of one server-sent event, as JSON, without an event name. The first is a hello: whoever receives it may have missed events and asks again for what is on screen. A comment line is sent every 15 s.',
  )
export type Event = z.infer<typeof Event>
