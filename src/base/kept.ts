// What takes a while to find out and may be told again for a moment.

/** Asks again only where the last answer for the key is older than `ms`. Nobody is told twice that asking failed. */
export function keptFor<T>(ms: number, now: () => number): (key: string, ask: () => Promise<T>) => Promise<T> {
  const kept = new Map<string, { at: number; told: Promise<T> }>()
  return (key, ask) => {
    const known = kept.get(key)
    if (known && now() - known.at < ms) return known.told
    const fresh = { at: now(), told: ask() }
    kept.set(key, fresh)
    fresh.told.catch(() => {
      if (kept.get(key) === fresh) kept.delete(key)
    })
    return fresh.told
  }
}
