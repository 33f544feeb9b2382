import type { Manifest, ManifestCache } from './manifest-types.ts'

export type BoundedManifestCache = ManifestCache & {
  readonly bytes: number
  readonly hits: number
  readonly misses: number
}

/** Keeps the manifests used last, up to about `bytesMax` of memory. */
export function manifestCache({ bytesMax }: { bytesMax: number }): BoundedManifestCache {
  const kept = new Map<string, Manifest>() // a Map iterates in the order of insertion: the first is the oldest
  let [bytes, hits, misses] = [0, 0, 0]
  const drop = (path: string) => {
    const manifest = kept.get(path)
    if (!manifest) return
    kept.delete(path)
    bytes -= manifest.weightBytes
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
      const manifest = kept.get(path)
      if (!manifest) {
        misses++
        return undefined
      }
      hits++
      kept.delete(path)
      kept.set(path, manifest)
      return manifest
    },
    put(path, manifest) {
      drop(path)
      if (manifest.weightBytes > bytesMax) return
      kept.set(path, manifest)
      bytes += manifest.weightBytes
      for (const oldest of kept.keys()) {
        if (bytes <= bytesMax) break
        drop(oldest)
      }
    },
  }
}
