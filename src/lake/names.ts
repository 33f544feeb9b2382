// Names as people write them, as names of tables; and what to say of those that mean nothing.

import { Failure, type Place } from '../base/failure.ts'
import { suggest } from '../base/suggest.ts'
import { showName, type TableName } from '../catalog/index.ts'
import { metadataTableName, type At, type MetadataTableName } from '../iceberg/index.ts'
import { splitMetadataName } from './relations/metadata-tables.ts'
import { isTemporary, unaliased, type RunNames } from './write/run-names.ts'
import type { PrepareContext } from './sources.ts'
import type { NamedTable } from './sql/splice.ts'
import type { Statement, WrittenName } from './sql/statement.ts'

/** A metadata table, or the rows that came and went. */
export type AboutTable = MetadataTableName | 'changes'

/**
 * Names of Iceberg's metadata tables: `t$files` with any number of parts before it, or Spark's `ns.t.files`, where `ns`
 * is no catalog; `t$changes` likewise.
 */
export function aboutTable(
  { catalog, namespace, name }: NamedTable['reference'],
  catalogs: readonly string[],
): Pick<NamedTable['reference'], 'catalog' | 'namespace' | 'name'> & { about: AboutTable | undefined } {
  const split = splitMetadataName(name)
  if (split) return { catalog, namespace, name: split.table, about: split.metadata }
  const changing = /^(.+)\$changes$/i.exec(name)
  if (changing) return { catalog, namespace, name: changing[1]!, about: 'changes' }
  const about = name.toLowerCase() === 'changes' ? 'changes' : metadataTableName(name)
  const isCatalog = catalogs.some((one) => one.toLowerCase() === catalog?.toLowerCase())
  if (about && catalog !== undefined && namespace !== undefined && !isCatalog)
    return { catalog: undefined, namespace: catalog, name: namespace, about }
  return { catalog, namespace, name, about: undefined }
}

/**
 * Spark's names of what a table was, or is on a branch, behind the table's own: `raw.t.branch_audit`, `raw.t.tag_v1`,
 * `raw.t.snapshot_id_3`, `raw.t.at_timestamp_1700000000000`.
 */
export function refNamed(name: string): At | undefined {
  const ref = /^(?:branch|tag)_(.+)$/is.exec(name)?.[1]
  if (ref !== undefined) return { ref }
  const [, kind, number] = /^(snapshot_id|at_timestamp)_(\d{1,19})$/i.exec(name) ?? []
  if (kind === undefined) return undefined
  return kind.toLowerCase() === 'snapshot_id' ? { snapshotId: BigInt(number!) } : { timestampMs: Number(number) }
}

export function fullName(
  reference: Pick<NamedTable['reference'], 'catalog' | 'namespace' | 'name'>,
  catalog: string,
  namespace: string | undefined,
  catalogs: readonly string[],
  place: Place,
  names: RunNames = {},
): TableName {
  const { name } = reference
  if (reference.catalog !== undefined)
    return { catalog: exact(unaliased(reference.catalog, names), catalogs), namespace: reference.namespace!, name }
  if (reference.namespace !== undefined) return { catalog, namespace: reference.namespace, name }
  if (namespace !== undefined) return { catalog, namespace, name }
  throw new Failure('TABLE_NOT_FOUND', `${name} is named without a namespace`, {
    place,
    hint: `Write it as namespace.${name}, for example raw.${name}.`,
  })
}
const exact = (name: string, known: readonly string[]) =>
  known.find((one) => one.toLowerCase() === name.toLowerCase()) ?? name

export const notFound = (name: string, place: Place, suggestions: string[] = [], table = name) =>
  new Failure(
    'TABLE_NOT_FOUND',
    `there is no table ${name}${suggestions.length > 0 ? `; did you mean ${suggestions.join(' or ')}?` : ''}`,
    { place, suggestions, table },
  )

export async function missing(
  name: TableName,
  place: Place,
  context: Pick<PrepareContext, 'catalog' | 'resolver' | 'rights'>,
): Promise<Failure> {
  const all = (await context.resolver.list(name.catalog)).filter((one) => context.rights.knows(one.name))
  const shown = ({ namespace, name }: TableName) => `${namespace}.${name}`
  const namesakes = all.filter((one) => one.name.name.toLowerCase() === name.name.toLowerCase())
  const near = new Set([
    ...namesakes.map((one) => shown(one.name)),
    ...suggest(
      shown(name),
      all.map((one) => shown(one.name)),
    ),
  ])
  return notFound(
    name.catalog === context.catalog ? `${name.namespace}.${name.name}` : showName(name),
    place,
    [...near].slice(0, 3),
    showName(name),
  )
}

/** Where plain names are. */
type Here = RunNames & { catalog: string; namespace?: string | undefined }

export const isOfSchema = (statement: Statement): statement is Extract<Statement, { kind: `${string}-schema` }> =>
  statement.kind.endsWith('-schema')

/** What a statement is about: a table, or a schema in place of one. */
export function targetName(statement: Statement, options: Here): TableName {
  if (isOfSchema(statement)) {
    const [catalog, name] =
      statement.name.length > 1 ? [statement.name[0]!, statement.name[1]!] : [options.catalog, statement.name[0]!]
    return { catalog: unaliased(catalog, options), namespace: name, name }
  }
  if ('temporary' in statement && statement.temporary) return newTemporary(statement.name, options)
  return resolveName(statement.name, options)
}

/** The table of CREATE TEMPORARY, which no catalog or schema has but that of the run. */
function newTemporary(parts: WrittenName, { catalog, temporary }: Here): TableName {
  if (temporary === undefined)
    throw new Failure('SQL_UNSUPPORTED', 'a temporary table would be gone here at once', {
      hint: 'Send all statements that use it in one text, or use a WITH clause.',
    })
  return { catalog, namespace: temporary, name: parts.at(-1)! }
}

/** @throws TABLE_NOT_FOUND for a plain name where no namespace is meant by it */
export function resolveName(parts: WrittenName, { catalog, namespace, ...names }: Here): TableName {
  // What is made there goes with its files when the step ends: nothing else may be moved there.
  if (parts.length > 1 && isTemporary({ namespace: parts.at(-2)! })) throw notFound(parts.join('.'), {})
  if (parts.length === 3) return { catalog: unaliased(parts[0]!, names), namespace: parts[1]!, name: parts[2]! }
  if (parts.length === 2) return { catalog, namespace: parts[0]!, name: parts[1]! }
  if (namespace === undefined)
    throw new Failure('TABLE_NOT_FOUND', `${parts[0]} is named without a namespace`, {
      hint: `Write it as namespace.${parts[0]}.`,
    })
  return { catalog, namespace, name: parts[0]! }
}
