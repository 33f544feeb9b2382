// Times of batches and samples, in milliseconds since 1970, UTC; in texts as Python writes them.

export type Size = 'hour' | 'day' | 'month' | 'year'
export const sizes: readonly string[] = ['hour', 'day', 'month', 'year']

/** Milliseconds of `2026-01-01`, `2026-01-01 10:00:00` and what YAML makes of them. */
export function timeOf(value: unknown): number | undefined {
  if (value instanceof Date) return value.getTime()
  if (typeof value !== 'string' || value === '') return undefined
  const iso = value.trim().replace(' ', 'T')
  const ms = Date.parse(/[Z+]|T.*-/.test(iso) ? iso : iso.length === 10 ? `${iso}T00:00:00Z` : `${iso}Z`)
  return Number.isNaN(ms) ? undefined : ms
}

function parts(ms: number): [number, number, number, number] {
  const date = new Date(ms)
  return [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), date.getUTCHours()]
}

export const truncated = (ms: number, size: Size): number => moved(ms, size, 0)

/** The beginning of the batch that lies so many after the one that the time is in. */
export function moved(ms: number, size: Size, count: number): number {
  const [year, month, day, hour] = parts(ms)
  if (size === 'year') return Date.UTC(year + count, 0, 1)
  if (size === 'month') return Date.UTC(year, month + count, 1)
  return size === 'day' ? Date.UTC(year, month, day + count) : Date.UTC(year, month, day, hour + count)
}

export const ceiling = (ms: number, size: Size): number => (truncated(ms, size) === ms ? ms : moved(ms, size, 1))

/** As Python prints a time of UTC. */
export function shown(ms: number): string {
  const [date, time] = new Date(ms).toISOString().slice(0, -1).split('T')
  return `${date} ${time!.endsWith('.000') ? time!.slice(0, -4) : `${time}000`}+00:00`
}
