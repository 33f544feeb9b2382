// Time zones as the runtime knows them.

const formats = new Map<string, Intl.DateTimeFormat | undefined>()

function formatOf(name: string): Intl.DateTimeFormat | undefined {
  if (formats.has(name)) return formats.get(name)
  let format: Intl.DateTimeFormat | undefined
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    format = undefined // no such zone
  }
  // Names come from templates: what is kept of them is bounded by the number of zones there are.
  if (format) formats.set(name, format)
  return format
}

/** Milliseconds that clocks of a zone are ahead of UTC at an instant; undefined when there is no such zone. */
export function offsetOf(name: string, instant: number): number | undefined {
  const format = formatOf(name)
  if (!format) return undefined
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]))
  const [year, month, day, hour, minute, second] = (['year', 'month', 'day', 'hour', 'minute', 'second'] as const).map(
    (type) => Number(parts.get(type)),
  ) as [number, number, number, number, number, number]
  const shown = new Date(0)
  shown.setUTCFullYear(parts.get('era') === 'BC' ? 1 - year : year, month - 1, day)
  shown.setUTCHours(hour, minute, second)
  return shown.getTime() - Math.floor(instant / 1000) * 1000
}

/** `EST`, `CEST`; a zone without letters is called by its offset: `+03`. */
export function abbreviation(name: string, instant: number): string {
  // American English has the letters of America's zones, British those of Europe's.
  for (const language of ['en-US', 'en-GB', 'en-AU']) {
    const parts = new Intl.DateTimeFormat(language, { timeZone: name, timeZoneName: 'short' }).formatToParts(instant)
    const shown = parts.find(({ type }) => type === 'timeZoneName')!.value
    if (!/\d/.test(shown)) return shown
  }
  const minutes = Math.round(offsetOf(name, instant)! / 60_000)
  const pad = (value: number) => String(value).padStart(2, '0')
  const rest = Math.abs(minutes) % 60
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(minutes) / 60))}${rest === 0 ? '' : pad(rest)}`
}
