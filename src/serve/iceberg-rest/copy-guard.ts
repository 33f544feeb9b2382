// A signature for writing one object must not let its holder copy another object into it. Amazon refuses what is not signed;
// others (SeaweedFS 3.39) take a header `x-amz-copy-source` that was added afterwards. So the store is asked, once, with objects
// of our own: where it takes one, the header is signed as empty, and where that does not help nothing is signed for those who
// may not read the whole store anyhow.

import { randomUUID } from 'node:crypto'
import { Failure } from '../../base/failure.ts'

export const copySource = 'x-amz-copy-source'

/** What keeps copies from being made by a header that was added; undefined: nothing. */
export type CopyGuard = 'the store' | 'an empty header' | undefined

/** Sends a PUT of an empty object, or a DELETE; `added` are headers that are not signed. */
export type SendObject = (
  method: 'PUT' | 'DELETE',
  name: string,
  headers: { signed: Record<string, string>; added: Record<string, string> },
) => Promise<{ ok: boolean; copyOf: string }>

/** @throws STORAGE_FAILED where the store cannot be asked */
export async function copyGuardOf(send: SendObject): Promise<CopyGuard> {
  const name = `.boathouse-${randomUUID()}`
  const nothing = { signed: {}, added: {} }
  const source = await send('PUT', name, nothing)
  if (!source.ok) throw new Failure('STORAGE_FAILED', 'the store refused an object of a test of its signatures')
  const empty = { [copySource]: '' }
  const copying = { [copySource]: source.copyOf }
  const takes = async (signed: Record<string, string>, added: Record<string, string>) =>
    (await send('PUT', `${name}-copy`, { signed, added })).ok
  try {
    if (!(await takes({}, copying))) return 'the store'
    return (await takes(empty, {})) && !(await takes(empty, copying)) ? 'an empty header' : undefined
  } finally {
    for (const made of [name, `${name}-copy`]) await send('DELETE', made, nothing)
  }
}
