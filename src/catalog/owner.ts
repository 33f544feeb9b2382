// The pointers of a lake live in one records store. A second store over the same files would commit past the first one,
// so the lake's root names its owner and every other store is refused. Tables name their files by their whole paths, so it says
// too where it was made: of a project that was copied, the tables are still those of the first one, whose files a build would
// replace and an expiry delete.

import { realpathSync } from 'node:fs'
import { Failure } from '../base/failure.ts'
import { isLocal, joinLocation, localPath, type FileIO } from '../io/index.ts'

/**
 * Marks the lake at `root` as belonging to the records store `storeId`; OWNER_MISMATCH when it belongs to another, LAKE_MOVED
 * when it was made elsewhere.
 */
export async function claimLake(io: FileIO, root: string, storeId: string): Promise<void> {
  const marker = joinLocation(root, '.boathouse-owner.json')
  const text = `${JSON.stringify({ store: storeId, root }, null, 2)}\n`
  if (await io.create(marker, Buffer.from(text))) return
  const bytes = await io.read(marker)
  const said = bytes && (JSON.parse(Buffer.from(bytes).toString('utf8')) as { store?: string; root?: string })
  if (said?.store !== storeId)
    throw new Failure(
      'OWNER_MISMATCH',
      `the lake at ${root} belongs to the records store ${said?.store ?? '(unreadable marker)'}, not to ${storeId}`,
      { root },
    )
  // Markers of before do not say.
  if (said.root !== undefined && !isSamePlace(said.root, root))
    throw new Failure(
      'LAKE_MOVED',
      `the lake at ${root} was made at ${said.root}, and its tables name their files there`,
      {
        root,
      },
    )
}

function isSamePlace(one: string, other: string): boolean {
  if (one.replace(/\/+$/, '') === other.replace(/\/+$/, '')) return true
  if (!isLocal(one) || !isLocal(other)) return false
  try {
    return realpathSync(localPath(one)) === realpathSync(localPath(other))
  } catch {
    return false // the old place is gone
  }
}
