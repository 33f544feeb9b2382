// The first plan of a process takes two or three times as long as the next: its code is still interpreted. Whoever waits for
// requests plans a table of its own first, in memory.

import { memoryFileIO } from '../io/index.ts'
import type { NewDataFile } from './manifest-types.ts'
import { newTableMetadata } from './metadata.ts'
import { planScan } from './scan.ts'
import type { Value } from './types.ts'
import { applyUpdates } from './update.ts'
import { prepareAppend } from './write.ts'

const [filesOfTable, plans] = [500, 4]

/** About a tenth of a second of work, in pieces that let others in between. */
export async function warmUp(): Promise<void> {
  const io = memoryFileIO()
  const metadata = newTableMetadata({
    uuid: 'warm-up',
    location: '/warm-up',
    nowMs: 0,
    schema: [
      { name: 'id', type: { kind: 'long' } },
      { name: 'text', type: { kind: 'string' } },
      { name: 'number', type: { kind: 'double' } },
    ],
  })
  const files = Array.from({ length: filesOfTable }, (_, number): NewDataFile => {
    const bounds = new Map<number, Value>([
      [1, BigInt(number)],
      [2, String(number)],
      [3, number],
    ])
    const counts = new Map([...bounds.keys()].map((id) => [id, number]))
    return {
      path: `/warm-up/${number}`,
      recordCount: 1,
      fileSizeBytes: 1,
      columnSizes: counts,
      valueCounts: counts,
      nullCounts: counts,
      lower: bounds,
      upper: bounds,
    }
  })
  const { updates } = await (await prepareAppend(io, metadata, files)).on(metadata, { nowMs: 0 })
  const table = applyUpdates(metadata, updates, { nowMs: 0 })
  for (let plan = 0; plan < plans; plan++) {
    await new Promise((resolve) => setImmediate(resolve))
    await planScan(io, table, { predicate: { op: '=', field: 1, value: 7n } })
  }
}
