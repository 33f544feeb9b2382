// Where a node's relation is in the lake, and what is said about it there.

import { Failure } from '../../base/failure.ts'
import { isRecord } from '../../base/record.ts'
import type { TableOptions } from '../../lake/index.ts'
import type { Config, DbtNode, DbtProject } from '../../project/dbt/index.ts'
import type { Work } from '../work.ts'

export type LakeName = { catalog: string; namespace: string; name: string }

/** The catalog behind a database of templates: the target's own name is an alias of its environment. */
export const catalogOf = ({ target }: Pick<DbtProject, 'target'>, database: string): string =>
  database.toLowerCase() === target.database.toLowerCase() ? target.catalog : database

export const lakeName = (
  project: DbtProject,
  { database, schema, alias }: Pick<DbtNode, 'database' | 'schema' | 'alias'>,
): LakeName => ({ catalog: catalogOf(project, database), namespace: schema, name: alias })

/** Descriptions, partitions and order, and the bounds of the run. */
export function tableOptions(node: DbtNode, work: Work): TableOptions {
  const { config } = node
  const comments = Object.fromEntries(
    node.columns.filter(({ description }) => description !== '').map(({ name, description }) => [name, description]),
  )
  const partitions = columnsNamed(partitionedBy(config))
  const order = columnsNamed(sortedBy(config))
  const properties = config['table_properties'] ?? config['tblproperties']
  return {
    ...(node.description !== '' && { comment: node.description }),
    ...(Object.keys(comments).length > 0 && { columnComments: comments }),
    ...(partitions.length > 0 && { partitionedBy: partitions.map(partitionOf) }),
    ...(order.length > 0 && { sortedBy: order.map(orderOf) }),
    ...(isRecord(properties) && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, String(value)])),
    }),
    namespace: work.project.target.schema,
    aliases: { [work.project.target.database.toLowerCase()]: work.project.target.catalog },
    ...(work.signal && { signal: work.signal }),
    ...(work.timeoutMs !== undefined && { timeoutMs: work.timeoutMs }),
  }
}

const partitionedBy = (config: Config): unknown =>
  [config['partitioned_by'], config['partition_by']].find((one) => one !== undefined && one !== null && one !== '')

const sortedBy = (config: Config): unknown => config['sorted_by'] ?? config['sort_by']

/**
 * What dbt-duckdb accepts as the partitions and the order of a table that is made: texts. What other adapters mean by a mapping
 * (`{field: at, granularity: day}`) fails there, and so here.
 * @throws MODEL_INVALID
 */
export function checkLayout({ config, name, place }: Pick<DbtNode, 'config' | 'name' | 'place'>): void {
  const refuse = (what: string, asked: string) => {
    throw new Failure('MODEL_INVALID', `${asked} of ${name} ${what}`, {
      place,
      hint: 'Write the names of columns: [region], or "day(created_at)".',
    })
  }
  for (const [asked, value] of [
    ['partitioned_by/partition_by', partitionedBy(config)],
    ['sorted_by/sort_by', sortedBy(config)],
  ] as const) {
    if (value === undefined || value === null || typeof value === 'string') continue
    if (!Array.isArray(value)) refuse('must be a list of strings or a string', asked)
    else if (value.length === 0) refuse('must contain at least one column', asked)
    else if (!value.every((each) => typeof each === 'string')) refuse('list values must be non-empty strings', asked)
  }
}

/** `'a, b'` or `['a', 'b']`. */
const columnsNamed = (value: unknown): string[] => {
  const list = Array.isArray(value) ? value : typeof value === 'string' ? value.split(/,(?![^(]*\))/) : []
  return list.flatMap((each) => (typeof each === 'string' && each.trim() !== '' ? [each.trim()] : []))
}

type Partition = NonNullable<TableOptions['partitionedBy']>[number]

/** `region`, `day(at)`, `bucket(16, id)`. */
function partitionOf(text: string): Partition {
  const [, name, first, second] = /^(\w+)\(\s*"?(\w+)"?\s*(?:,\s*"?(\w+)"?\s*)?\)$/.exec(text) ?? []
  if (name === undefined) return { column: text.replaceAll('"', ''), transform: { kind: 'identity' } }
  const kind = name.toLowerCase().replace(/s$/, '')
  const number = [first, second].find((each) => each !== undefined && /^\d+$/.test(each))
  const column = [first, second].find((each) => each !== undefined && !/^\d+$/.test(each)) ?? ''
  if (kind === 'bucket') return { column, transform: { kind: 'bucket', buckets: Number(number) } }
  if (kind === 'truncate') return { column, transform: { kind: 'truncate', width: Number(number) } }
  return { column, transform: { kind: kind as 'day' } }
}

const orderOf = (text: string): NonNullable<TableOptions['sortedBy']>[number] => {
  const [, column = text, direction = 'asc'] = /^"?(.+?)"?(?:\s+(asc|desc))?$/i.exec(text) ?? []
  return { ...partitionOf(column), direction: direction.toLowerCase() as 'asc' | 'desc' }
}

/**
 * For the summary of a snapshot: which snapshots of its inputs a model that keeps its rows has read, by full name, as JSON
 * under `boathouse.read`. Empty for all others.
 */
export async function readSnapshots(node: DbtNode, work: Work): Promise<Record<string, string>> {
  if (node.kind !== 'snapshot' && node.config['materialized'] !== 'incremental') return {}
  return { 'boathouse.read': JSON.stringify(await snapshotsBelow(node, work)) }
}

/** The current snapshot of each table that a node depends on, through views, by full name. */
export async function snapshotsBelow(node: DbtNode, work: Work): Promise<Record<string, string>> {
  const read: Record<string, string> = {}
  const seen = new Set<string>()
  const visit = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) {
      if (seen.has(id)) continue
      seen.add(id)
      const [source, parent] = [work.project.sources.get(id), work.project.nodes.get(id)]
      const name = source
        ? { ...lakeName(work.project, { ...source, alias: source.identifier }) }
        : parent && lakeName(work.project, parent)
      if (!name) continue
      const loaded = parent?.config['materialized'] === 'ephemeral' ? undefined : await work.changes.load(name)
      if (loaded?.kind === 'table')
        read[[name.catalog, name.namespace, name.name].join('.')] = loaded.metadata.currentSnapshotId?.toString() ?? ''
      else if (parent) await visit(parent.dependsOn)
    }
  }
  await visit(node.dependsOn)
  return read
}

/** As dbt's `should_full_refresh`: the node's own word before that of the command. */
export const isFullRefresh = ({ config }: DbtNode, { options }: DbtProject): boolean =>
  typeof config['full_refresh'] === 'boolean' ? config['full_refresh'] : options.flags.fullRefresh
