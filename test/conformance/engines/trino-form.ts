// Values in the form of Trino's JSON, to be compared: rows without the names of their fields, maps as objects. What its
// JSON has in many digits is cut on both sides: zeros of a time, and integers beyond 2^53.

/** Of a value as Boathouse writes it. */
export function asTrino(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value as unknown[]
    const isMap = items.length > 0 && items.every((one) => Object.keys(one ?? {}).join() === 'key,value')
    if (!isMap) return items.map(asTrino)
    return Object.fromEntries((items as { key: unknown; value: unknown }[]).map((one) => [one.key, asTrino(one.value)]))
  }
  if (typeof value === 'object' && value !== null) return Object.values(value).map(asTrino)
  return scalar(value)
}

/** Of a value as Trino writes it. */
export function ofTrino(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ofTrino)
  if (typeof value !== 'object' || value === null) return scalar(value)
  const entries = Object.entries(value)
  // An empty map is not told from an empty list here.
  return entries.length === 0 ? [] : Object.fromEntries(entries.map(([key, inner]) => [key, ofTrino(inner)]))
}

function scalar(value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (/^-?\d{16,19}$/.test(value)) return Number(value)
  return value
    .replace(/^(\d{4}-\d\d-\d\d)T(.*)Z$/, '$1 $2')
    .replace(/ UTC$/, '')
    .replace(/(:\d\d)\.(\d*?)0*$/, (_, seconds: string, digits: string) => (digits ? `${seconds}.${digits}` : seconds))
}
