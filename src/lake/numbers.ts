// Which numbers `nextval('s')` means: those of a sequence, or those that a column gives to its rows, under the name that
// PostgreSQL would have given its sequence.

import { noSequence, type TableName } from '../catalog/index.ts'
import { decide, mayKnow } from '../govern/index.ts'
import { mayChange } from './contexts.ts'
import type { Asking, Opened } from './lake.ts'
import { resolveName } from './names.ts'
import { outOfBounds, setOf, takeOf } from './sequences.ts'
import type { WrittenName } from './sql/reader.ts'
import { leastOf, mostOf, numberedFields, ownerOf, ownSequence } from './write/numbered.ts'

export type Numbers = {
  name: TableName
  /** So many that follow each other: the first of them. */
  take(count: bigint): Promise<{ first: bigint; increment: bigint }>
  /** The number that was given last, or, where none was, is the next. That of a column stays above all that its table holds. */
  set(value: bigint, isCalled: boolean): Promise<void>
}

type World = Pick<Opened, 'deps' | 'manifests' | 'policyNow' | 'environmentOf'>

export async function numbersOf(written: WrittenName, options: Asking, world: World): Promise<Numbers> {
  const { deps, manifests, policyNow } = world
  const name = resolveName(written, options)
  const { sequences, takeNumbers } = deps
  const mayTake = (of: TableName) => mayChange('insert', of, options, world)
  // The column's own first: a sequence of that name is left from a table that is gone.
  const own = await ownerOf(name, (one) => load(one, options, world))
  // Whether there is one that they may not know of is not told.
  if (!mayKnow(await policyNow(), options.principal, own?.table.name ?? name)) throw noSequence(name)
  if (!own && (await sequences?.find(name)))
    return {
      name,
      async take(count) {
        await mayTake(name)
        return takeOf(sequences!, name, count)
      },
      async set(value, isCalled) {
        await mayTake(name)
        await setOf(sequences!, name, value, isCalled)
      },
    }
  if (!own || !takeNumbers) throw noSequence(name)
  const { table, column } = own
  const of = { tableUuid: table.metadata.tableUuid, fieldId: column.field.id }
  const most = mostOf(column.field)
  const least = () => leastOf(column, table.metadata, deps.io, { signal: options.signal, manifests })
  return {
    name,
    async take(count) {
      await mayTake(table.name)
      const first = await takeNumbers(of, { least: await least(), most, count, called: name.name })
      return { first, increment: 1n }
    },
    async set(value, isCalled) {
      await mayTake(table.name)
      if (value > most) throw outOfBounds(value, name, 1n, most)
      const [next, own] = [isCalled ? value + 1n : value, await least()]
      await takeNumbers(of, { least: next > own ? next : own, most, count: 0n, called: name.name })
    },
  }
}

const load = (name: TableName, { changes, within }: Asking, { deps }: Pick<World, 'deps'>) =>
  (changes ?? within?.changes ?? within?.tables ?? deps.tables).load(name)

export async function sequenceOf(
  written: WrittenName,
  column: string,
  options: Asking,
  world: World,
): Promise<TableName | undefined> {
  const name = resolveName(written, options)
  const table = await load(name, options, world)
  const policy = await world.policyNow()
  if (table?.kind !== 'table' || !mayKnow(policy, options.principal, name)) throw noSequence(name)
  const { verdict, columns } = decide(policy, options.principal, 'select', name)
  if (verdict === 'allowed' && columns !== 'all' && !columns.has(column.toLowerCase())) return undefined
  const found = numberedFields(table.metadata).find(({ field }) => field.name.toLowerCase() === column.toLowerCase())
  if (found?.sequence) return { ...name, namespace: found.sequence[0]!, name: found.sequence[1]! }
  if (found) return { ...table.name, name: ownSequence(table.name.name, found.field.name) }
  const owned = (await world.deps.sequences?.list(name.catalog)) ?? []
  return owned.find(
    ({ name: { namespace }, sequence: { owner } }) =>
      namespace === name.namespace && owner?.table === name.name && owner.column.toLowerCase() === column.toLowerCase(),
  )?.name
}
