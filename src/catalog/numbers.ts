// Numbers of columns that number their rows: given to each asker once, in whatever process.

import { sql } from 'kysely'
import { Failure } from '../base/failure.ts'
import type { Records } from '../records/index.ts'

export type NumbersOf = { tableUuid: string; fieldId: number }
export type WantedNumbers = {
  /** None is below. */
  least: bigint
  /** None is above: what the column holds, and less than 2^63 - 1, as the next one is kept. */
  most: bigint
  count: bigint
  /** What the sequence is called, for an error. */
  called: string
}

/** Takes numbers that follow each other; gives the first of them. */
export async function takeNumbers(
  records: Pick<Records, 'transaction'>,
  { tableUuid, fieldId }: NumbersOf,
  { least, most, count, called }: WantedNumbers,
): Promise<bigint> {
  const place = { table_uuid: tableUuid, field_id: fieldId }
  return records.transaction(
    async (trx) => {
      const known = await trx
        .selectFrom('identity_numbers')
        // As text: a number of JavaScript ends at 2^53.
        .select(sql<string>`cast(next as text)`.as('next'))
        .where('table_uuid', '=', tableUuid)
        .where('field_id', '=', fieldId)
        .executeTakeFirst()
      const kept = BigInt(known?.next ?? least)
      const first = kept > least ? kept : least
      const next = first + count
      if (next - 1n > most)
        throw new Failure('QUERY_FAILED', `nextval: reached maximum value of sequence "${called}" (${most})`, {
          sqlState: '2200H',
        })
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
