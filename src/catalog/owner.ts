// The pointers of a lake live in one records store. A second store over the same files would commit past the first one,
// so the lake's root names its owner and every other store is refused.

import { Failure } from '../base/failure.ts'
import { joinLocation, type FileIO } from '../io/index.ts'

/** Marks the lake at `root` as belonging to the records store `storeId`; OWNER_MISMATCH when it belongs to another. */
export async function claimLake(io: FileIO, root: string, storeId: string): Promise<void> {
  const marker = joinLocation(root, '.boathouse-owner.json')
  const text = `${JSON.stringify({ store: storeId }, null, 2)}\n`
  if (await io.create(marker, Buffer.from(text))) return
  const bytes = await io.read(marker)
  const owner = bytes && (JSON.parse(Buffer.from(bytes).toString('utf8')) as { store?: string }).store
  if (owner !== storeId)
    throw new Failure(
      'OWNER_MISMATCH',
      `the lake at ${root} belongs to the records store ${owner ?? '(unreadable marker)'}, not to ${storeId}`,
      { root },
    )
}
