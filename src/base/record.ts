/** An object with named values, as JSON and YAML have them: no list, no null, no boxed number. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Number)

/** The value, or an empty one for what is none: for files of others whose mistakes somebody else tells. */
export const recordOf = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {})
