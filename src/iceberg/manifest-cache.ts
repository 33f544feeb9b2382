import type { Manifest, ManifestCache, ManifestList } from './manifest-types.ts'

export type BoundedManifestCache = ManifestCache & {
  readonly bytes: number
  readonly hits: number
  readonly misses: number
}

/** Keeps the manifests and lists used last, up to about `bytesMax` of memory. Hits and misses are those of manifests. */
export function manifestCache({ bytesMax }: { bytesMax: number }): BoundedManifestCache {
  const kept = new Map<string, Manifest | ManifestList>() // a Map iterates in the order of insertion: the first is the oldest
  let [bytes, hits, misses] = [0, 0, 0]
  const drop = (path: string) => {
    const item = kept.get(path)
    if (!item) return
    kept.delete(path)
    bytes -= item.weightBytes
  }
  const take = (path: string) => {
    const item = kept.get(path)
    if (!item) return undefined
    kept.delete(path)
    kept.set(path, item)
    return item
  }
  const put = (path: string, item: Manifest | ManifestList) => {
    drop(path)
    if (item.weightBytes > bytesMax) return
    kept.set(path, item)
    bytes += item.weightBytes
    for (const oldest of kept.keys()) {
      if (bytes <= bytesMax) break
      drop(oldest)
    }
  }
  return {
    get bytes() {
      return bytes
    },
    get hits() {
      return hits
    },
    get misses() {
      return misses
    },
    get(path) {
      const found = take(path)
      if (!found || !('entries' in found)) {
        misses++
        return undefined
      }
      hits++
      return found
    },
    put,
    getList(path) {
      const found = take(path)
      return found && 'manifests' in found ? found : undefined
    },
    putList: put,
  }
}
