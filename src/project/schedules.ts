// schedules.yml: when the pipeline runs by itself.

import { Cron } from 'croner'
import { z } from 'zod'
import { Failure } from '../base/failure.ts'
import { Name } from './names.ts'
import { readYaml, type Read } from './read.ts'
import { type Located } from './yaml.ts'

const CronText = z.string().superRefine((text, context) => {
  try {
    new Cron(text, { paused: true })
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error)
    context.addIssue({
      code: 'custom',
      message: `"${text}" is not a cron expression (${why}); "0 6 * * *" is every day at 06:00`,
    })
  }
})

const TimeZone = z.string().superRefine((text, context) => {
  if (isTimeZone(text)) return
  context.addIssue({ code: 'custom', message: `"${text}" is not a time zone; write one as in Europe/Berlin or UTC` })
})

export const Schedule = z.strictObject({
  name: Name.describe('Unique in the file.'),
  description: z.string().optional(),
  cron: CronText.describe('Minute, hour, day of month, month, day of week: `0 6 * * *` is every day at 06:00.'),
  timezone: TimeZone.optional().describe('For example `Europe/Berlin`; the time zone of the project when absent.'),
  environment: z.string().min(1).optional().describe('The environment to run in; the current one when absent.'),
  select: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .transform((select) => (select === undefined ? [] : [select].flat()))
    .describe('What to run, as in `boathouse run --select`; everything when absent.'),
  enabled: z.boolean().default(true),
})
export type Schedule = z.output<typeof Schedule>

export const SchedulesFile = z
  .strictObject({ schedules: z.array(Schedule).default([]) })
  .superRefine(({ schedules }, context) => {
    schedules.forEach(({ name }, index) => {
      if (schedules.findIndex((other) => other.name === name) < index)
        context.addIssue({
          code: 'custom',
          path: ['schedules', index, 'name'],
          message: `the schedule "${name}" is already defined above`,
        })
    })
  })

/** The schedules of `schedules.yml`, enabled or not; none when the file does not exist. */
export async function readSchedules(dir: string): Promise<Read<Schedule>> {
  const { items, failures } = await readYaml(dir, 'schedules.yml', SchedulesFile, 'PROJECT_INVALID')
  return {
    items: items.flatMap((file) =>
      file.value.schedules.map((schedule, index) => part(file, ['schedules', index], schedule)),
    ),
    failures,
  }
}

const part = <Value>(file: Located<unknown>, prefix: PropertyKey[], value: Value): Located<Value> => ({
  value,
  file: file.file,
  at: (path, what) => file.at([...prefix, ...path], what),
  within: (path, inner) => file.within([...prefix, ...path], inner),
})

function isTimeZone(text: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: text }))
  } catch (error) {
    if (error instanceof RangeError) return false
    throw new Failure('INTERNAL', `the time zone "${text}" could not be checked`, { cause: error })
  }
}
