// The catalogs that keep their own pointers.

import type { Clock } from '../base/clock.ts'
import { realClock } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import { memoryFileIO, type FileIO } from '../io/index.ts'
import type { CatalogTransaction, Records } from '../records/index.ts'
import type { Catalog } from './catalog.ts'
import { embeddedCatalog } from './embedded.ts'
import { memoryPointers } from './memory.ts'
import { catalogOver, type Move } from './over-pointers.ts'
import { recordPublication } from './record-publication.ts'
import { openTables, type Tables } from './tables.ts'

type Embedded = { records: Records; io: FileIO; clock: Clock; tables?: Tables }

/** Pointers in the records. A commit with `by` is a publication; one with `once` is remembered in the same step. */
export function openEmbeddedCatalog({ records, io, clock, tables }: Embedded): Catalog {
  const pointers = embeddedCatalog(records)
  return catalogOver({
    pointers,
    tables: tables ?? openTables(pointers, io),
    io,
    clock,
    swap: (moves, { by, once }) =>
      pointers.swapAnd(moves, async (transaction) => {
        if (by !== undefined) await recordByCatalog(transaction, moves, by, clock.now())
        if (once !== undefined)
          await transaction.updateTable('idempotency_keys').set({ happened: 1 }).where('id', '=', once).execute()
      }),
  })
}

/** Pointers and, unless told otherwise, files that last as long as the process. */
export function memoryCatalog({
  io = memoryFileIO(),
  clock = realClock,
}: { io?: FileIO; clock?: Clock } = {}): Catalog {
  const pointers = memoryPointers()
  return catalogOver({ pointers, tables: openTables(pointers, io), io, clock })
}

/** A publication belongs to one catalog; a step over several is one for each. */
async function recordByCatalog(
  transaction: CatalogTransaction,
  moves: readonly Move[],
  by: string,
  nowMs: number,
): Promise<void> {
  for (const [catalog, tables] of Map.groupBy(moves, ({ name }) => name.catalog))
    await recordPublication(transaction, {
      id: newId(nowMs),
      catalog,
      runId: null,
      publishedAt: new Date(nowMs).toISOString(),
      by,
      undoes: null,
      tables,
    })
}
