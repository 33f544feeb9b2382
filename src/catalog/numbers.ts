// Numbers that columns give to new rows (`GENERATED … AS IDENTITY`). As a sequence of PostgreSQL they are outside of all
// transactions: who fails leaves a gap, and two writers at once never get the same number.

import type { Records } from '../records/index.ts'

export type NumbersOf = { tableUuid: string; fieldId: number }

/** Takes `count` numbers, none below `least`; gives the first of them. They are whole and below 2^53. */
export async function takeNumbers(
  records: Pick<Records, 'transaction'>,
  { tableUuid, fieldId }: NumbersOf,
  least: number,
  count: number,
): Promise<number> {
  const place = { table_uuid: tableUuid, field_id: fieldId }
  return records.transaction(
    async (trx) => {
      const known = await trx
        .selectFrom('identity_numbers')
        .select('next')
        .where('table_uuid', '=', tableUuid)
        .where('field_id', '=', fieldId)
        .executeTakeFirst()
      const first = Math.max(least, known?.next ?? least)
      const next = first + count
      await trx
        .insertInto('identity_numbers')
        .values({ ...place, next })
        .onConflict((conflict) => conflict.columns(['table_uuid', 'field_id']).doUpdateSet({ next }))
        .execute()
      return first
    },
    // What the machine forgets was given to nobody: rows that were committed since are above `least`.
    { flush: false },
  )
}
