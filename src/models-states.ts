// What nodes of the dbt project were made of when they last went well, in the records. Part of the composition root.

import type { Clock } from './base/clock.ts'
import type { Lake } from './lake/index.ts'
import type { Records } from './records/index.ts'
import type { NodeState, NodeStates } from './transform/index.ts'

export type KeptStates = NodeStates & {
  /** Writes down what was noted. Losing it costs work, never truth: a note counts only while its table is as it says. */
  save(): Promise<void>
}

const rowsAtOnce = 500

export async function openNodeStates(
  { catalog: db, transaction }: Records,
  { lake, catalog, runId, clock }: { lake: Lake; catalog: string; runId: string; clock: Pick<Clock, 'now'> },
): Promise<KeptStates> {
  const rows = await db.selectFrom('node_states').selectAll().where('catalog', '=', catalog).execute()
  const known = new Map(
    rows.map(({ node, fingerprint, left_behind: leftBehind, result_json: result, noted_at: notedAt }) => [
      node,
      { node, fingerprint, leftBehind, result: JSON.parse(result) as NodeState['result'], notedAt },
    ]),
  )
  const noted: Omit<NodeState, 'notedAt'>[] = []
  return {
    known,
    versions: (sql, options) => lake.versions(sql, options),
    outline: (sql, options) => lake.outline(sql, options),
    note: (state) => void noted.push(state),
    async save() {
      const at = new Date(clock.now()).toISOString()
      const all = noted.splice(0).map(({ node, fingerprint, leftBehind, result }) => ({
        catalog,
        node,
        fingerprint,
        left_behind: leftBehind,
        result_json: JSON.stringify(result),
        run_id: runId,
        noted_at: at,
      }))
      if (all.length === 0) return
      await transaction(
        async (trx) => {
          for (let from = 0; from < all.length; from += rowsAtOnce)
            await trx
              .insertInto('node_states')
              .values(all.slice(from, from + rowsAtOnce))
              .onConflict((conflict) =>
                conflict.columns(['catalog', 'node']).doUpdateSet(({ ref }) => ({
                  fingerprint: ref('excluded.fingerprint'),
                  left_behind: ref('excluded.left_behind'),
                  result_json: ref('excluded.result_json'),
                  run_id: ref('excluded.run_id'),
                  noted_at: ref('excluded.noted_at'),
                })),
              )
              .execute()
        },
        { flush: false },
      )
    },
  }
}
