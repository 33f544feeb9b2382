// `--sample`: a run that reads only a window of time of what it refers to, where that says which column its time is.
//
// "3 days" is the last three until the run began; "{start: '2026-01-01', end: '2026-02-01'}" says both bounds.

import { parse as parseYaml } from 'yaml'
import { isRecord } from '../base/record.ts'
import { Failure } from '../base/failure.ts'
import type { ProjectOptions } from '../project/dbt/index.ts'
import type { Stretch } from './materializations/narrowed.ts'
import { shown, sizes, timeOf, type Size } from './materializations/times.ts'

/** The window of the run; undefined without one. @throws USAGE */
export function sampleOf({ flags, startedAt }: Pick<ProjectOptions, 'flags' | 'startedAt'>): Stretch | undefined {
  const text = flags.others?.['sample']
  return typeof text === 'string' && text.trim() !== '' ? sampleWindow(text, startedAt) : undefined
}

/** `now` in milliseconds since 1970. @throws USAGE for what is no window */
export function sampleWindow(text: string, now: number): Stretch {
  const wrong = (message: string) =>
    new Failure('USAGE', `--sample "${text}": ${message}`, {
      hint: `Write "3 days" or "{start: '2026-01-01', end: '2026-02-01'}".`,
    })
  if (text.trimStart().startsWith('{')) {
    const bounds = mappingOf(text)
    const [start, end] = [timeOf(bounds?.['start']), timeOf(bounds?.['end'])]
    if (start === undefined || end === undefined) throw wrong('a window has a start and an end, both times')
    return { start: shown(start), end: shown(end) }
  }
  const [count = '', unit = '', ...more] = text.split(' ')
  const size = unit.toLowerCase().replace(/s+$/, '')
  if (!/^[+-]?\d{1,6}$/.test(count) || unit === '' || more.length > 0) throw wrong('it is a number and a unit')
  if (!sizes.includes(size)) throw wrong(`"${unit}" is none of ${sizes.join(', ')}`)
  const start = before(now, Number(count), size as Size)
  if (!(start > 0)) throw wrong('it begins before 1970')
  return { start: shown(start), end: shown(now) }
}

function mappingOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = parseYaml(text, { maxAliasCount: 0, version: '1.1' })
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** So much earlier, by the calendar: a month before 31 March is the last of February. */
function before(ms: number, count: number, size: Size): number {
  if (size === 'hour') return ms - count * 3_600_000
  if (size === 'day') return ms - count * 86_400_000
  const date = new Date(ms)
  const months = date.getUTCFullYear() * 12 + date.getUTCMonth() - count * (size === 'year' ? 12 : 1)
  const [year, month] = [Math.floor(months / 12), ((months % 12) + 12) % 12]
  const day = Math.min(date.getUTCDate(), new Date(Date.UTC(year, month + 1, 0)).getUTCDate())
  return Date.UTC(year, month, day) + (ms % 86_400_000)
}
