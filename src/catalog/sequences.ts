// Sequences, as PostgreSQL's clients make them for their keys. They are no part of Iceberg and of no transaction: a number that was
// taken is never given again, whoever rolls back or dies, so there are gaps. All processes of a lake take from the same record.

import { Failure } from '../base/failure.ts'
import type { CatalogTransaction, Records } from '../records/index.ts'
import { showName, type TableName } from './names.ts'
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

export const noSequence = (name: TableName): Failure =>
  new Failure('NOT_FOUND', `relation "${name.name}" does not exist`, {
    hint: `There is no sequence ${showName(name)}: CREATE SEQUENCE makes it.`,
    sqlState: '42P01',
  })
export const relationExists = ({ name }: TableName): Failure =>
  new Failure('ALREADY_EXISTS', `relation "${name}" already exists`, { sqlState: '42P07' })

export function openSequences(records: Pick<Records, 'catalog' | 'transaction'>): Sequences {
  return {
    async find(name) {
      const row = await find(records.catalog, name)
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
    change: (name, work) =>
      records.transaction(async (trx) => {
        const row = await find(trx, name)
        const next = work(row && parsed(row.state_json))
        if (next) await keep(trx, name, next)
        else await drop(trx, name)
      }),
    rename: (from, to) =>
      records.transaction(async (trx) => {
        if (!(await find(trx, from))) throw noSequence(from)
        const name = { ...from, name: to }
        if (await find(trx, name)) throw relationExists(name)
        await trx
          .updateTable('sequences')
          .set({ name: to })
          .where((is) => is.and(from))
          .execute()
      }),
    dropAll: (of) => records.transaction((trx) => drop(trx, of)),
  }
}

/** What a namespace without tables may be left with: sequences of columns that are gone. @throws NAMESPACE_NOT_EMPTY */
export async function leaveSequences(trx: CatalogTransaction, catalog: string, namespace: string): Promise<void> {
  const of = { catalog, namespace }
  const rows = await trx
    .selectFrom('sequences')
    .selectAll()
    .where((is) => is.and(of))
    .execute()
  const own = rows.find(({ state_json: state }) => !parsed(state).owner)
  if (own)
    throw namespaceNotEmpty(catalog, namespace).with({
      hint: `The sequence ${own.name} lies in it: drop it first, or write DROP SCHEMA … CASCADE.`,
    })
  await drop(trx, of)
}

/** A fork's sequences at its origin, too: none goes back there, as rows with later numbers may come along. */
export async function promoteSequences(trx: CatalogTransaction, fork: string, origin: string): Promise<void> {
  const all = await trx.selectFrom('sequences').selectAll().where('catalog', 'in', [fork, origin]).execute()
  const keyOf = ({ namespace, name }: TableName) => `${namespace}\0${name}`
  const of = (catalog: string) => all.filter((row) => row.catalog === catalog).map(named)
  const lastAtOrigin = new Map(of(origin).map(({ name, sequence }) => [keyOf(name), sequence.last]))
  for (const { name, sequence } of of(fork)) {
    const last = lastAtOrigin.get(keyOf(name))
    const isBehind =
      last !== undefined && (sequence.last === undefined || (last - sequence.last) * sequence.increment > 0n)
    await keep(trx, { ...name, catalog: origin }, isBehind ? { ...sequence, last } : sequence)
  }
}

const find = (database: Pick<CatalogTransaction, 'selectFrom'>, { catalog, namespace, name }: TableName) =>
  database
    .selectFrom('sequences')
    .selectAll()
    .where((is) => is.and({ catalog, namespace, name }))
    .executeTakeFirst()

async function keep(
  trx: CatalogTransaction,
  { catalog, namespace, name }: TableName,
  sequence: Sequence,
): Promise<void> {
  const state = { state_json: written(sequence) }
  await trx
    .insertInto('sequences')
    .values({ catalog, namespace, name, ...state })
    .onConflict((conflict) => conflict.columns(['catalog', 'namespace', 'name']).doUpdateSet(state))
    .execute()
}

/** One, or without a name all of the namespace. */
async function drop(
  trx: CatalogTransaction,
  of: Pick<TableName, 'catalog' | 'namespace'> & { name?: string },
): Promise<void> {
  const { catalog, namespace, name } = of
  const key = { catalog, namespace, ...(name === undefined ? {} : { name }) }
  await trx
    .deleteFrom('sequences')
    .where((is) => is.and(key))
    .execute()
}

type Row = { catalog: string; namespace: string; name: string; state_json: string }

const named = ({ catalog, namespace, name, state_json: state }: Row): NamedSequence => ({
  name: { catalog, namespace, name },
  sequence: parsed(state),
})

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
