// Time zones by name: which of those that a client may write there are, and how far east of Greenwich one is at a moment.

/**
 * The name that the engine knows a zone by; undefined where it has none. Offsets are taken as PostgreSQL takes them: of whole
 * hours, by themselves east of Greenwich, with minutes (`+03:00`) or behind letters (`GMT+3`, `<-03>3`) west of it, as POSIX has them.
 */
export function timeZoneNamed(text: string): string | undefined {
  const written = text.trim()
  const offset = /^([+-]?\d{1,2})(?:\.0+)?$/.exec(written)?.[1]
  const posix = /^(?:[a-z]{3,}|<[+-]?\w+>|(?=.+:))([+-]?\d{1,2})(?::?00)?$/i.exec(written)?.[1]
  if (offset !== undefined || posix !== undefined) {
    const west = posix === undefined ? -Number(offset) : Number(posix)
    return west >= -14 && west <= 12 ? (west === 0 ? 'UTC' : `Etc/GMT${west > 0 ? '+' : ''}${west}`) : undefined
  }
  if (!/^[a-z]/i.test(written)) return undefined
  try {
    return new Intl.DateTimeFormat('en', { timeZone: written }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

/** Seconds east of Greenwich at a moment in seconds since 1970. */
export type Offsets = (second: number) => number

/** Before the first clocks that went alike the offset is that of the place; behind the last the calendar ends. */
const [firstSecond, lastSecond] = [Date.UTC(1800, 0) / 1000, 8.63e12]
/** No zone changes its offset twice within so many seconds, but for some of a century ago. */
const step = 6 * 86_400
const stepsMax = 50_000
const shows = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/

const kept = new Map<string, Offsets>()
const zonesMax = 8

/** Of a zone that is known by `timeZoneNamed`. What was found once is found again by a look into a list. */
export function offsetsOf(zone: string): Offsets {
  const known = kept.get(zone)
  if (known) return known
  const offsets = findOffsets(zone)
  if (kept.size >= zonesMax) kept.clear()
  kept.set(zone, offsets)
  return offsets
}

function findOffsets(zone: string): Offsets {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
  const asked = (second: number): number => {
    const [, sign, hours, minutes, seconds] = shows.exec(format.format(second * 1000)) ?? []
    if (!sign) return 0
    return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds ?? 0))
  }
  /** By step: the offset, or the second from which on it is another. */
  const steps = new Map<number, { before: number; change: number; after: number }>()
  const look = (at: number) => {
    const from = at * step
    const [before, after] = [asked(from), asked(from + step)]
    let [low, high] = [from, from + step]
    while (before !== after && high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (asked(middle) === before) low = middle
      else high = middle
    }
    return { before, change: high, after }
  }
  return (second) => {
    const known = Math.min(Math.max(second, firstSecond), lastSecond)
    const at = Math.floor(known / step)
    let found = steps.get(at)
    if (!found) {
      if (steps.size >= stepsMax) steps.clear()
      steps.set(at, (found = look(at)))
    }
    return known < found.change ? found.before : found.after
  }
}
