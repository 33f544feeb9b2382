// Storage as the catalog hands it out: keys that hold for a table, for a while. Each answer about a table may carry some;
// they are kept by the prefix of locations that they are for, and asked for again before they expire.
// (Specification: `LoadTableResult.config`, `storage-credentials`, `/credentials`.)

import type { Clock } from '../../base/clock.ts'
import { routedFileIO, s3FileIO, type ExpiringCredentials, type FileIO } from '../../io/index.ts'

type Properties = Readonly<Record<string, string>>
export type VendedCredential = { prefix: string; config: Properties }
/** Asks the catalog for new credentials of the same table. */
export type Refresh = () => Promise<VendedCredential[]>

export type VendedStorage = {
  /** Goes by what was vended, to `own` for all other locations. */
  io: FileIO
  /** What an answer about the table at `location` brought. Answers without keys change nothing. */
  vend(location: string, config: Properties, credentials: readonly VendedCredential[], refresh: Refresh): void
}

type Entry = { io: FileIO; now: Properties; askedMs: number; refresh: Refresh }

/** Prefixes that are kept; the ones that were vended longest ago go first. */
const keptMax = 10_000

export function vendedStorage({ own, clock }: { own: FileIO; clock: Clock }): VendedStorage {
  const entries = new Map<string, Entry>()

  /** The longest prefix wins, as the specification says. Looked for from the whole location upwards. */
  function entryOf(location: string): Entry | undefined {
    for (let prefix = location; ; prefix = prefix.slice(0, prefix.lastIndexOf('/'))) {
      const found = entries.get(prefix)
      if (found || !prefix.includes('/')) return found
    }
  }

  function put(prefix: string, config: Properties, refresh: Refresh): void {
    const key = prefix.replace(/\/+$/, '')
    const before = entries.get(key)
    entries.delete(key)
    if (before && sameStore(before.now, config)) {
      entries.set(key, Object.assign(before, { now: config, askedMs: clock.now(), refresh }))
      return
    }
    const entry: Entry = { now: config, askedMs: clock.now(), refresh, io: undefined as never }
    entry.io = s3FileIO({
      endpoint: config['s3.endpoint'],
      region: config['s3.region'] ?? config['client.region'],
      pathStyle: config['s3.path-style-access'] === undefined ? undefined : config['s3.path-style-access'] === 'true',
      credentials: async ({ fresh = false } = {}) => {
        const keys = keysOf(entry.now)
        const isOld = keys?.expiresAtMs !== undefined && keys.expiresAtMs - clock.now() < 5 * 60_000
        if (!isOld && !(fresh && clock.now() - entry.askedMs > 1_000)) return keys
        const renewed = (await entry.refresh()).find((one) => one.prefix.replace(/\/+$/, '') === key)
        if (renewed) Object.assign(entry, { now: renewed.config, askedMs: clock.now() })
        return keysOf(entry.now)
      },
      clock,
    })
    entries.set(key, entry)
    if (entries.size > keptMax) entries.delete(entries.keys().next().value!)
  }

  return {
    io: routedFileIO((location) => entryOf(location)?.io ?? own),
    vend(location, config, credentials, refresh) {
      for (const { prefix, config: more } of credentials) if (keysOf(more)) put(prefix, { ...config, ...more }, refresh)
      if (credentials.length === 0 && keysOf(config)) put(location, config, refresh)
    },
  }
}

const sameStore = (a: Properties, b: Properties) =>
  ['s3.endpoint', 's3.region', 'client.region', 's3.path-style-access'].every((name) => a[name] === b[name])

function keysOf(config: Properties): ExpiringCredentials | undefined {
  const { 's3.access-key-id': accessKeyId, 's3.secret-access-key': secretAccessKey } = config
  if (!accessKeyId || !secretAccessKey) return undefined
  const expiresAtMs = Number(config['s3.session-token-expires-at-ms'])
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: config['s3.session-token'],
    ...(expiresAtMs > 0 && { expiresAtMs }),
  }
}
