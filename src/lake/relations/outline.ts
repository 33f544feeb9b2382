// What a SELECT is, without a row being read: its columns, its syntax tree, and the tables that it names with theirs.
//
// Tables that are not there yet are given by their columns, so a project whose models read each other can be looked at
// before any of them is built. Names, rights and functions are settled as for a statement that runs.

import { Failure } from '../../base/failure.ts'
import { showName, type TableName } from '../../catalog/index.ts'
import type { Engine, EngineColumn } from '../../engine/index.ts'
import type { Prepared } from '../prepare.ts'
import { treeText } from '../answers/analyses.ts'
import { schemaOfLoaded } from './information.ts'
import type { Source } from '../sources.ts'
import type { NamedTable } from '../sql/splice.ts'
import { sqlType } from '../types.ts'

/** Columns of a table that is looked at as if it were there, in types of the engine; undefined: the lake's own. */
export type Given = (name: TableName) => readonly EngineColumn[] | undefined

/** A table as the statement names it; `columns` are undefined where only the engine knows them. */
export type OutlineTable = {
  written: { catalog: string | undefined; namespace: string | undefined; name: string }
  /** `dev_analytics.raw.sales`; undefined for system relations. */
  table: string | undefined
  columns: readonly EngineColumn[] | undefined
}

export type Outline = {
  columns: readonly EngineColumn[]
  tables: readonly OutlineTable[]
  /** As `json_serialize_sql` gives it, without what is null, empty or default; parsed when it is asked for. */
  tree(): Promise<unknown>
  /** Casts that fail for every value but NULL. */
  vainCasts: Prepared['vainCasts']
}

/** @throws Failure with the place in the text, as the statement itself would fail */
export async function outlineOf(prepared: Prepared, engine: Engine, signal: AbortSignal | undefined): Promise<Outline> {
  const columns = await prepared.columns()
  return {
    columns,
    tables: prepared.named.map(outlineTable),
    tree: () => treeOf(prepared.text, engine, signal),
    vainCasts: prepared.vainCasts,
  }
}

async function treeOf(text: string, engine: Engine, signal: AbortSignal | undefined): Promise<unknown> {
  const { statements } = JSON.parse(await treeText(engine, text, signal)) as { statements?: unknown[] }
  if (statements?.length !== 1) throw new Failure('SQL_INVALID', 'only a SELECT has columns')
  return statements[0]
}

function outlineTable({ named, source }: { named: NamedTable; source: Source }): OutlineTable {
  const { catalog, namespace, name } = named.reference
  return { written: { catalog, namespace, name }, ...columnsOf(source) }
}

function columnsOf(source: Source): Pick<OutlineTable, 'table' | 'columns'> {
  switch (source.kind) {
    case 'given':
      return { table: showName(source.name), columns: source.columns }
    case 'scan':
      return {
        table: showName(source.table.name),
        columns: source.schema.fields.map(({ name, type }) => ({
          name,
          type: source.casts.get(name) ?? sqlType(type),
        })),
      }
    case 'view':
      return {
        table: showName(source.name),
        columns: schemaOfLoaded(source.loaded).fields.map(({ name, type }) => ({ name, type: sqlType(type) })),
      }
    default:
      return { table: undefined, columns: undefined }
  }
}
