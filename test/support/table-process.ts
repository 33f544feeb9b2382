// One of many processes that change one table at the same time, on the records and the files of one project. Its work is
// such that whoever knows it knows the rows that have to be there in the end (`rowsAfter` in contended-table.ts).
// Argument: `Work` as JSON. Maintenance goes on until the parent says stop; then it, too, sends what came of it.

import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../src/config/index.ts'
import { Failure } from '../../src/base/failure.ts'
import type { TableName } from '../../src/catalog/index.ts'
import { maintenanceOf } from '../../src/cli/commands/table-maintenance.ts'
import { quoteName, type ChangeSet } from '../../src/lake/index.ts'
import { open } from '../../src/main.ts'
import type { Outcome, Work } from './contended-table.ts'

const { dir, table, writer, kind, count, keep = 1 } = JSON.parse(process.argv[2]!) as Work
const app = await open(loadConfig({ dir }), 'dev', { quiet: true })
const name: TableName = { catalog: app.environment.catalog, namespace: 'raw', name: table }
const sqlName = [name.catalog, name.namespace, name.name].map(quoteName).join('.')
const pauseMs = 200
const outcome: Outcome = { done: 0, conflicts: 0, failures: [] }
let stopped = false
process.once('message', () => (stopped = true))
// Nobody is left to be told.
process.once('disconnect', () => process.exit())

/** Until it wins: a conflict is an answer, and whoever gets it does the work again on what is there now. */
async function winning(work: () => Promise<unknown>): Promise<void> {
  for (;;)
    try {
      await work()
      outcome.done++
      return
    } catch (error) {
      if (error instanceof Failure && error.code === 'COMMIT_CONFLICT') outcome.conflicts++
      else {
        outcome.failures.push(`${kind}: ${error instanceof Failure ? error.code : ''} ${(error as Error).stack}`)
        if (outcome.failures.length > 10) return
      }
    }
}

const changing = (work: (changes: ChangeSet) => Promise<unknown>) =>
  winning(async () => {
    const changes = await app.lake.openChanges({ catalog: name.catalog, principal: app.principal })
    try {
      await work(changes)
      await changes.publish()
    } catch (error) {
      await changes.discard()
      throw error
    }
  })

const row = (seq: number) => `SELECT ${writer} AS writer, ${seq} AS seq, 'v${seq}' AS value`
const append = (seq: number) => changing((changes) => changes.append(name, row(seq)))
const upsert = (seq: number) =>
  changing((changes) =>
    changes.upsert(name, ['writer', 'seq'], `SELECT ${writer} AS writer, ${seq % 5} AS seq, 'v${seq}' AS value`),
  )
const remove = (seq: number) =>
  changing((changes) =>
    changes.changeRows(
      name,
      'delete',
      `SELECT _boathouse_file, _boathouse_pos, false AS _boathouse_new, writer, seq, value FROM ${sqlName} WHERE writer = ${writer} AND seq = ${seq}`,
    ),
  )

async function maintain(): Promise<void> {
  const maintenance = maintenanceOf(app)
  const by = `maintenance ${writer}`
  while (!stopped) {
    await winning(() => maintenance.compact(name, { by, minInputFiles: 3 }))
    await winning(() => maintenance.rewriteDeleteFiles(name, { by }))
    await winning(() => maintenance.rewriteManifests(name, { by }))
    await winning(() =>
      maintenance.expire(name, { by, olderThanMs: app.clock.now(), retainLast: keep, keepMetadata: keep }),
    )
    await winning(() => maintenance.removeOrphans(name, { by }))
    await sleep(pauseMs)
  }
}

if (kind === 'maintain') await maintain()
for (let seq = 0; seq < count && kind !== 'maintain'; seq++) {
  if (kind === 'append') await append(seq)
  else if (kind === 'upsert') await upsert(seq)
  else if (seq % 2 === 0) await append(seq)
  else await remove(seq - 1)
}
await app.close()
process.send!(outcome, () => process.disconnect())
