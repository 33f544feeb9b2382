// What there is under a name or in a schema: kinds and names, without looking into anything.

import type { PendingChange, Pointer, TableName, Tables } from '../../catalog/index.ts'
import type { QueryOptions } from '../lake.ts'
import type { Rights } from '../policy/rights.ts'
import { isTemporary, temporaryTable, unaliased } from '../write/run-names.ts'

export type Relation = { name: TableName; kind: 'table' | 'view' }

/** Through the change set where there is one; nothing of what the asker may not know. */
export async function relationsOf(
  of: { catalog: string; namespace: string; name?: string | undefined },
  options: Pick<QueryOptions, 'changes' | 'aliases' | 'temporary'>,
  rights: Pick<Rights, 'knows'>,
  tables: Pick<Tables, 'load' | 'list'>,
): Promise<Relation[]> {
  const { changes } = options
  const catalog = unaliased(of.catalog, options)
  const known = ({ name }: Relation) => isTemporary(name) || rights.knows(name)
  if (of.name !== undefined) {
    const temporary = of.namespace === '' ? await temporaryTable([of.name], options, changes) : undefined
    const name = temporary ?? { catalog, namespace: of.namespace, name: of.name }
    const found = await (changes ?? tables).load(name)
    return found && known(found) ? [{ name: found.name, kind: found.kind }] : []
  }
  const lower = of.namespace.toLowerCase()
  const inside = ({ name }: Pick<Pointer, 'name'>) => name.namespace.toLowerCase() === lower
  const published = (await tables.list(catalog)).filter(inside)
  return merged(published, ((await changes?.pending()) ?? []).filter(inside)).filter(known)
}

function merged(published: readonly Pointer[], pending: readonly PendingChange[]): Relation[] {
  const all = new Map(published.map(({ name, kind }): [string, Relation] => [name.name, { name, kind }]))
  for (const { name, kind, location } of pending) {
    if (location === null) all.delete(name.name)
    else all.set(name.name, { name, kind })
  }
  return [...all.values()].sort((a, b) => (a.name.name < b.name.name ? -1 : 1))
}
