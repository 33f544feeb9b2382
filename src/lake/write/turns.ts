// Nodes of a run work side by side in one change set, and their hooks may write the same table. Each write begins with what
// the one before it left, so those of one table take turns; writes of different tables do not wait for each other.

import { openSemaphore, type Semaphore } from '../../base/semaphore.ts'
import { showName, type TableName } from '../../catalog/index.ts'
import type { ChangeSet } from './change-set.ts'

const writes = [
  'replaceTable',
  'loadCsv',
  'loadFiles',
  'append',
  'overwrite',
  'changeRows',
  'upsert',
  'createTable',
  'alter',
  'apply',
  'truncate',
  'rename',
  'addFiles',
  'createView',
  'alterView',
  'drop',
] as const satisfies readonly (keyof ChangeSet)[]

/** Makes the writes of a change set wait for their turn. It stays the same object: others know it by that. */
export function takingTurns(changes: ChangeSet): ChangeSet {
  const turns = new Map<string, Semaphore>()
  for (const name of writes) {
    const write = changes[name] as (target: TableName, ...rest: unknown[]) => Promise<unknown>
    Object.assign(changes, {
      async [name](target: TableName, ...rest: unknown[]) {
        const key = showName(target).toLowerCase()
        const semaphore = turns.get(key) ?? openSemaphore(1)
        turns.set(key, semaphore)
        await using _ = await semaphore.acquire()
        return await write(target, ...rest)
      },
    })
  }
  return changes
}
