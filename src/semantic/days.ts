// Arithmetic of calendar days as text, `2024-03-31`: no time zone enters.

const dayMs = 86_400_000

export const isDay = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && toText(Date.parse(text)) === text

export const addDays = (day: string, count: number): string => toText(Date.parse(day) + count * dayMs)

/** Days from `from` to `to`, both counted. */
export const countDays = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / dayMs) + 1

const toText = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
