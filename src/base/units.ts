// Durations and sizes as people write them: `30s`, `5 min`, `2GB`, `512 MiB`.

const durations: Record<string, number> = {
  ms: 1,
  s: 1_000,
  sec: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const sizes: Record<string, number> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
}

function parse(text: string, units: Record<string, number>): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text)
  const factor = match && units[match[2]!.toLowerCase()]
  return factor ? Number(match[1]) * factor : undefined
}

/** `'90s'` is 90000; undefined when it is not a duration. */
export const parseDurationMs = (text: string): number | undefined => parse(text, durations)
/** `'2GB'` is 2e9, `'2GiB'` is 2 ** 31; undefined when it is not a size. */
export const parseBytes = (text: string): number | undefined => {
  const bytes = parse(text, sizes)
  return bytes === undefined ? undefined : Math.floor(bytes)
}

/** `1536` is `1.5 KiB`. */
export function showBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const step = Math.min(names.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)))
  return `${step === 0 ? bytes : (bytes / 2 ** (10 * step)).toFixed(1)} ${names[step]}`
}

/** `61000` is `1m 1s`, `250` is `250ms`. */
export function showDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return `${minutes}m ${Math.round((ms % 60_000) / 1_000)}s`
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}
