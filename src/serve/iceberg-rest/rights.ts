// What a principal may do over REST. A client of the catalog reads files and not rows, so it gets a table whole or not at all;
// who sees a part of one asks in SQL. Who writes says which files are a table's: those of somebody who is no administrator
// must lie in the table's own folder, or a table of theirs would open the files of another.

import { Failure } from '../../base/failure.ts'
import type { EntryKind, LoadedTable, TableName } from '../../catalog/index.ts'
import {
  decide,
  mayActInEnvironment,
  mayKnow,
  mayKnowOf,
  seesAll,
  subjectOf,
  type Governed,
  type Privilege,
} from '../../govern/index.ts'
import { applyUpdates, readManifest, readManifestList, type TableUpdate } from '../../iceberg/index.ts'
import { isSequenceProperty } from '../../lake/index.ts'
import type { Call, Rest } from './call.ts'

export type RestAction = 'read' | 'write' | 'create' | 'drop' | 'alter'

const needed: Readonly<Record<RestAction, readonly Privilege[]>> = {
  read: ['select'],
  // A commit may hold anything.
  write: ['select', 'insert', 'update', 'delete'],
  create: ['create'],
  drop: ['drop'],
  alter: ['select', 'alter'],
}

type Named = Pick<TableName, 'catalog'> & Partial<TableName>

/** @throws FORBIDDEN; TABLE_NOT_FOUND or NAMESPACE_NOT_FOUND for what is not to be known */
export function may(call: Call, rest: Rest, action: RestAction, name: Named, kind: EntryKind = 'table'): void {
  if (action !== 'read' && !call.touched.includes(shown(name))) call.touched.push(shown(name))
  const { principal, policy } = call
  if (name.name === undefined && action === 'read') {
    if (mayKnowOf(policy, principal, name)) return
    const { catalog, namespace } = name
    const levels = namespace === undefined ? [catalog] : call.warehouse.levelsOf({ catalog, namespace })
    throw new Failure('NAMESPACE_NOT_FOUND', `Namespace does not exist: ${levels.join('.')}`)
  }
  if (isTable(name) && action !== 'create' && !mayKnow(policy, principal, name))
    throw new Failure('TABLE_NOT_FOUND', `there is no ${kind} ${shown(name)}`, { name, kind })
  const environment = rest.warehouses.environmentOf(name.catalog)
  if (action !== 'read') mayActInEnvironment(principal, action, shown(name), environment)
  const refused = (hint: string) =>
    new Failure(
      'FORBIDDEN',
      `${principal.name} may not ${action} ${kind === 'view' ? 'the view ' : ''}${shown(name)} over REST`,
      { hint },
    )
  for (const privilege of needed[action]) {
    const decision = decide(policy, principal, privilege, governed(name))
    if (decision.verdict === 'refused')
      throw refused(`That needs the right to ${privilege}: an administrator grants it.`)
    if (privilege === 'select' && isTable(name) && !seesAll(decision))
      throw refused('A part of it is hidden from you, and clients of the catalog read whole files: ask for it in SQL.')
  }
}

export function mayAlso(call: Call, rest: Rest, action: RestAction, name: TableName): boolean {
  const touched = [...call.touched]
  try {
    may(call, rest, action, name)
    return true
  } catch {
    return false
  } finally {
    call.touched.splice(0, Infinity, ...touched)
  }
}

export const knows = (call: Call, name: Named): boolean =>
  isTable(name) ? mayKnow(call.policy, call.principal, name) : mayKnowOf(call.policy, call.principal, governed(name))

/** Whether what this client says is believed: where tables lie, which files they have. */
export const isTrusted = ({ policy, principal }: Call): boolean => subjectOf(policy, principal).role === 'admin'

/** @throws FORBIDDEN for anybody but an administrator */
export function mustBeTrusted(call: Call, what: string): void {
  if (isTrusted(call)) return
  throw new Failure('FORBIDDEN', `${call.principal.name} may not ${what}`, {
    hint: 'Files anywhere in the lake would be read by it: that is for administrators.',
  })
}

/** Another table's folder could be among the places where files go. @throws FORBIDDEN */
export function checkProperties(call: Call, name: TableName, properties: Readonly<Record<string, string>>): void {
  if (Object.keys(properties).some((key) => /^write\..*path$/i.test(key)))
    mustBeTrusted(call, `say where the files of ${shown(name)} go`)
  if (Object.entries(properties).some(([key, value]) => isSequenceProperty(key, value)))
    mustBeTrusted(call, `say which sequence numbers ${shown(name)}`)
}

/** Of a commit by somebody who is no administrator. `before`: undefined for a table that is made. @throws FORBIDDEN */
export async function checkFiles(
  call: Call,
  { deps, locations }: Rest,
  name: TableName,
  updates: readonly TableUpdate[],
  before: LoadedTable | undefined,
): Promise<void> {
  const inside = (folder: string, path: string) => {
    if (locations.isInside(folder, path)) return
    throw new Failure('FORBIDDEN', `${path.slice(0, 300)} does not lie in the folder of ${shown(name)}`, {
      hint: 'The files of a table lie in its own folder.',
    })
  }
  let folder = before?.metadata.location
  for (const update of updates) {
    if (update.action !== 'set-location') continue
    if (
      update.location.replace(/\/+$/, '') !== folder &&
      !(before === undefined && locations.isFresh(name, update.location))
    )
      mustBeTrusted(call, `place ${shown(name)} at ${update.location.slice(0, 300)}`)
    folder = update.location
  }
  for (const update of updates) {
    if (update.action === 'set-properties') checkProperties(call, name, update.updates)
    if (update.action !== 'add-snapshot') continue
    const { snapshot } = update
    if (folder === undefined || snapshot.manifestList === undefined || !before)
      return mustBeTrusted(call, `give ${shown(name)} files while it is made`)
    inside(folder, snapshot.manifestList)
    const after = applyUpdates(before.metadata, updates, { nowMs: deps.clock.now() })
    const known = new Set<string>()
    for (const old of before.metadata.snapshots)
      for (const { path } of await readManifestList(deps.io, before.metadata, old)) known.add(path)
    for (const manifest of await readManifestList(deps.io, after, snapshot)) {
      if (known.has(manifest.path)) continue
      inside(folder, manifest.path)
      for (const { status, file } of await readManifest(deps.io, after, manifest))
        if (status !== 'deleted') inside(folder, file.path)
    }
  }
}

const isTable = (name: Named): name is TableName => name.namespace !== undefined && name.name !== undefined
const governed = ({ catalog, namespace, name }: Named): Governed => ({
  catalog,
  ...(namespace === undefined ? {} : { namespace }),
  ...(name === undefined ? {} : { name }),
})
const shown = ({ catalog, namespace, name }: Named) =>
  [catalog, namespace, name].filter((part) => part !== undefined).join('.')
