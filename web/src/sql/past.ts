// The statements this person ran in this browser, newest first, and the text they were writing.

export type Past = { sql: string; at: string; status: 'done' | 'failed' | 'cancelled'; rows: number; ms: number | null }
const [key, draftKey, countMax] = ['boathouse.sql.history', 'boathouse.sql.draft', 100] as const

export function readPast(): Past[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(list) ? list.filter((one) => typeof one?.sql === 'string') : []
  } catch {
    return []
  }
}
/** A statement run again moves to the front. */
export function remember(past: Past): Past[] {
  const next = [past, ...readPast().filter(({ sql }) => sql !== past.sql)].slice(0, countMax)
  store(key, JSON.stringify(next))
  return next
}
export const forget = (): void => localStorage.removeItem(key)
export const readDraft = (): string => localStorage.getItem(draftKey) ?? ''
export const saveDraft = (text: string): void => store(draftKey, text)

function store(name: string, text: string): void {
  try {
    localStorage.setItem(name, text)
  } catch {
    // The storage is full or forbidden: the history is a convenience.
  }
}
