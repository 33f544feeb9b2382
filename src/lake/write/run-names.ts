// What names mean inside a run or a session besides what they mean everywhere: a run's databases may be called otherwise, and
// both have tables of their own that are gone when they end.
//
// A temporary table is a table of a change set in a namespace that only those statements name that were given it
// (`temporary`). No publication takes such a namespace along, so what a killed step leaves is never seen. Those of a run lie
// in its change set, those of a session in one of their own that is never published (`scratch`).

import type { PendingChange, TableName, Tables } from '../../catalog/index.ts'
import type { Decision } from '../../govern/index.ts'
import type { Prepared } from '../prepare.ts'
import { splice, type Edit } from '../sql/splice.ts'
import { isName, nameOf, quoteName, quoteTable, tokens } from '../sql/tokens.ts'
import type { ChangeSet } from './change-set.ts'

export type RunNames = {
  /** Other names of catalogs, in lower case: a dbt project's database stands for an environment's catalog. */
  aliases?: Readonly<Record<string, string>> | undefined
  /** Where CREATE TEMPORARY puts tables, and where plain names are looked up first: a name of `temporaryNamespace`. */
  temporary?: string | undefined
  /** Where a session keeps its temporary tables, apart from what it changes of the lake. */
  scratch?: ChangeSet | undefined
  /** Tables as a statement of several parts reads them, whatever its other parts have changed already (`with-changes.ts`). */
  readAs?: Pick<Tables, 'load'> | undefined
  /** The temporary table that the rows of RETURNING become, rather than to be told. */
  toldTo?: TableName | undefined
}

const prefix = '__temporary_'

/** The namespace for the temporary tables of whoever is told `id`. */
export const temporaryNamespace = (id: string): string => `${prefix}${id}`

export const isTemporary = ({ namespace }: Pick<TableName, 'namespace'>): boolean => namespace.startsWith(prefix)

/** What the namespace is called by whoever has temporary tables in it. */
export const shownTemporary = 'pg_temp'

/** The catalog that is meant by a name. */
export const unaliased = (catalog: string, { aliases }: RunNames): string => aliases?.[catalog.toLowerCase()] ?? catalog

type Pending = { pending(): Promise<readonly PendingChange[]> }

/** The temporary table that a plain name means, when there is one. */
export async function temporaryTable(
  parts: readonly string[],
  { temporary, scratch }: RunNames,
  changes: Pending | undefined,
): Promise<TableName | undefined> {
  const [name, namespace = shownTemporary] = parts.toReversed()
  if (name === undefined || namespace.toLowerCase() !== shownTemporary) return undefined
  const lower = name.toLowerCase()
  return (await temporaryTables({ temporary, scratch }, changes)).find((one) => one.name.toLowerCase() === lower)
}

/** Those of the session or run. */
export async function temporaryTables(
  { temporary, scratch }: RunNames,
  changes: Pending | undefined,
): Promise<TableName[]> {
  const set = scratch ?? changes
  if (temporary === undefined || !set) return []
  const pending = await set.pending()
  return pending.flatMap(({ name, location }) => (name.namespace === temporary && location !== null ? [name] : []))
}

/** What a catalog is called by whoever has names of their own: the first of them. */
export const aliasOf = (catalog: string, { aliases = {} }: RunNames): string =>
  Object.entries(aliases).find(([, meant]) => meant === catalog)?.[0] ?? catalog

/** The text of a SELECT with the catalogs' own names: what is kept, a view's say, is read where nobody knows the others. */
export function withoutAliases(
  select: string,
  { text, named }: Pick<Prepared, 'text' | 'named'>,
  names: RunNames,
): string {
  const edits = named.flatMap(({ named: { reference, start, end } }): Edit[] => {
    const { catalog, namespace, name } = reference
    const meant = catalog === undefined ? undefined : unaliased(catalog, names)
    if (meant === catalog || meant === undefined || namespace === undefined) return []
    return [{ start, end, text: quoteTable({ catalog: meant, namespace, name }) }]
  })
  const all = names.aliases ? [...edits, ...columnEdits(text, names)] : edits
  return all.length === 0 ? select : splice(text, all).text
}

/** `dev.marts.sales.id`: columns that are written with another name of their catalog. */
function columnEdits(text: string, names: RunNames): Edit[] {
  const all = [...tokens(text)]
  return all.flatMap((token, at): Edit[] => {
    if (!isName(token) || all[at - 1]?.text === '.') return []
    const isColumn = [1, 3, 5].every((step) => all[at + step]?.text === '.' && isName(all[at + step + 1]))
    const meant = isColumn ? unaliased(nameOf(token), names) : nameOf(token)
    return meant === nameOf(token) ? [] : [{ start: token.start, end: token.end, text: quoteName(meant) }]
  })
}

/** Whoever made a temporary table sees all of it. */
export const seenByItsMaker: Decision = {
  verdict: 'allowed',
  columns: 'all',
  filters: [],
  masks: new Map(),
  because: ['it is a temporary table of this run or session'],
}
