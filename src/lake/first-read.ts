// Tables as whoever reads them met them first, all of them as they stood at one moment.

import type { Failure } from '../base/failure.ts'
import { showName, type Loaded, type Tables } from '../catalog/index.ts'

/** `moved`: what is thrown at the first use of a further table when one that was read before is not what it was. */
export function asFirstRead(tables: Tables, moved: () => Failure): Tables {
  const seen = new Map<string, Promise<Loaded | undefined>>()
  return {
    ...tables,
    async load(name) {
      const key = showName(name)
      const known = seen.get(key)
      if (known) return known
      const loading = tables.load(name)
      loading.catch(() => seen.delete(key))
      const before = [...seen.values()]
      seen.set(key, loading)
      const loaded = await loading
      const others = (await Promise.all(before)).filter((one) => one !== undefined)
      if (others.length === 0 || (await tables.stillCurrent(others))) return loaded
      seen.delete(key) // whoever asks again is told again
      throw moved()
    },
  }
}
