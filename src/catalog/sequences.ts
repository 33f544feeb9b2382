// Sequences, as PostgreSQL's clients make them for their keys. They are no part of Iceberg and of no transaction: a number that was
// taken is never given again, whoever rolls back or dies, so there are gaps. All processes of a lake take from the same record.

import { Failure } from '../base/failure.ts'
import type { CatalogTransaction, Records } from '../records/index.ts'
import type { TableName } from './names.ts'
import { namespaceNotEmpty } from './pointers.ts'

export type Sequence = {
  type: 'smallint' | 'integer' | 'bigint'
  start: bigint
  increment: bigint
  least: bigint
  most: bigint
  cycles: boolean
  cache: number
  /** The number that was given last; undefined: none so far. */
  last: bigint | undefined
  /** The column that it was made for, in the same namespace. */
  owner: { table: string; column: string } | undefined
}
export type NamedSequence = { name: TableName; sequence: Sequence }

export interface Sequences {
  find(name: TableName): Promise<NamedSequence | undefined>
  list(catalog: string): Promise<NamedSequence[]>
  /** Makes it, changes it or, with undefined, drops it, whatever others do meanwhile. */
  change(name: TableName, work: (now: Sequence | undefined) => Sequence | undefined): Promise<void>
  /** @throws NOT_FOUND, ALREADY_EXISTS */
  rename(from: TableName, to: string): Promise<void>
  /** All of a namespace. */
  dropAll(of: Pick<TableName, 'catalog' | 'namespace'>): Promise<void>
}

export function openSequences(records: Pick<Records, 'catalog' | 'transaction'>): Sequences {
  const named = ({ catalog, namespace, name, state_json: state }: Row): NamedSequence => ({
    name: { catalog, namespace, name },
    sequence: parsed(state),
  })
  return {
    async find({ catalog, namespace, name }) {
      const row = await records.catalog
        .selectFrom('sequences')
        .selectAll()
        .where('catalog', '=', catalog)
        .where('namespace', '=', namespace)
        .where('name', '=', name)
        .executeTakeFirst()
      return row && named(row)
    },
    async list(catalog) {
      const rows = await records.catalog
        .selectFrom('sequences')
        .selectAll()
        .where('catalog', '=', catalog)
        .orderBy('namespace')
        .orderBy('name')
        .execute()
      return rows.map(named)
    },
    // Durable before it is answered: a number that was seen may stand anywhere.
    change: ({ catalog, namespace, name }, work) =>
      records.transaction(async (trx) => {
        const key = { catalog, namespace, name }
        const row = await trx
          .selectFrom('sequences')
          .selectAll()
          .where('catalog', '=', catalog)
          .where('namespace', '=', namespace)
          .where('name', '=', name)
          .executeTakeFirst()
        const next = work(row && parsed(row.state_json))
        if (!next)
          await trx
            .deleteFrom('sequences')
            .where('catalog', '=', catalog)
            .where('namespace', '=', namespace)
            .where('name', '=', name)
            .execute()
        else {
          const state = { state_json: written(next) }
          await trx
            .insertInto('sequences')
            .values({ ...key, ...state })
            .onConflict((conflict) => conflict.columns(['catalog', 'namespace', 'name']).doUpdateSet(state))
            .execute()
        }
      }),
    rename: ({ catalog, namespace, name }, to) =>
      records.transaction(async (trx) => {
        const all = await trx
          .selectFrom('sequences')
          .select('name')
          .where('catalog', '=', catalog)
          .where('namespace', '=', namespace)
          .where('name', 'in', [name, to])
          .execute()
        const has = (one: string) => all.some((row) => row.name === one)
        if (!has(name)) throw new Failure('NOT_FOUND', `relation "${name}" does not exist`, { sqlState: '42P01' })
        if (has(to)) throw new Failure('ALREADY_EXISTS', `relation "${to}" already exists`, { sqlState: '42P07' })
        await trx
          .updateTable('sequences')
          .set({ name: to })
          .where('catalog', '=', catalog)
          .where('namespace', '=', namespace)
          .where('name', '=', name)
          .execute()
      }),
    dropAll: ({ catalog, namespace }) =>
      records.transaction(async (trx) => {
        await trx.deleteFrom('sequences').where('catalog', '=', catalog).where('namespace', '=', namespace).execute()
      }),
  }
}

/** What a namespace without tables may be left with: sequences of columns that are gone. @throws NAMESPACE_NOT_EMPTY */
export async function leaveSequences(trx: CatalogTransaction, catalog: string, namespace: string): Promise<void> {
  const of = trx.selectFrom('sequences').where('catalog', '=', catalog).where('namespace', '=', namespace)
  const rows = await of.select(['name', 'state_json']).execute()
  const own = rows.find(({ state_json: state }) => !parsed(state).owner)
  if (own)
    throw namespaceNotEmpty(catalog, namespace).with({
      hint: `The sequence ${own.name} lies in it: drop it first, or write DROP SCHEMA … CASCADE.`,
    })
  await trx.deleteFrom('sequences').where('catalog', '=', catalog).where('namespace', '=', namespace).execute()
}

/** A fork's sequences at its origin, too: none goes back there, as rows with later numbers may come along. */
export async function promoteSequences(trx: CatalogTransaction, fork: string, origin: string): Promise<void> {
  const rows = await trx.selectFrom('sequences').selectAll().where('catalog', 'in', [fork, origin]).execute()
  const atOrigin = new Map(
    rows.flatMap((row) => (row.catalog === origin ? [[`${row.namespace}\0${row.name}`, row]] : [])),
  )
  for (const row of rows.filter(({ catalog }) => catalog === fork)) {
    const there = atOrigin.get(`${row.namespace}\0${row.name}`)
    const [ours, theirs] = [parsed(row.state_json), there && parsed(there.state_json)]
    const isBehind =
      theirs?.last !== undefined && (ours.last === undefined || (theirs.last - ours.last) * ours.increment > 0n)
    const state = { state_json: written(isBehind ? { ...ours, last: theirs.last } : ours) }
    await trx
      .insertInto('sequences')
      .values({ catalog: origin, namespace: row.namespace, name: row.name, ...state })
      .onConflict((conflict) => conflict.columns(['catalog', 'namespace', 'name']).doUpdateSet(state))
      .execute()
  }
}

type Row = { catalog: string; namespace: string; name: string; state_json: string }

const written = ({ start, increment, least, most, last, ...rest }: Sequence): string =>
  JSON.stringify({ ...rest, numbers: [start, increment, least, most, last].map((one) => one?.toString() ?? null) })

function parsed(text: string): Sequence {
  const { numbers, ...rest } = JSON.parse(text) as Pick<Sequence, 'type' | 'cycles' | 'cache' | 'owner'> & {
    numbers: (string | null)[]
  }
  const [start, increment, least, most] = numbers.map((one) => BigInt(one ?? 0)) as [bigint, bigint, bigint, bigint]
  const last = numbers[4] ?? undefined
  return { ...rest, start, increment, least, most, last: last === undefined ? undefined : BigInt(last) }
}
