// Tables as the pages show them: from the metadata that the catalog points to, what was published, and who makes and
// reads them in the project.

import { openWhatever, type Loaded, type LoadedTable, type Pointer, type Tables } from '../../../catalog/index.ts'
import type * as contract from '../../../contract/index.ts'
import { seesAll, type Decision } from '../../../govern/index.ts'
import { schemaOfLoaded, sqlType } from '../../../lake/index.ts'
import type { Records } from '../../../records/index.ts'

/** What `decision` shows of it. */
export function summaryOf(one: Loaded, decision: Decision): contract.TableSummary {
  const { namespace, name } = one.name
  const { columns, verdict } = decision
  const isShown = (column: string) => columns === 'all' || columns.has(column.toLowerCase())
  const fields = verdict === 'refused' ? [] : schemaOfLoaded(one).fields.filter((field) => isShown(field.name))
  return {
    namespace,
    name,
    kind: one.kind,
    comment: one.metadata.properties['comment'] ?? null,
    columns: fields.map((field) => ({
      name: field.name,
      type: columnType(field.type),
      nullable: !field.required,
      comment: field.doc ?? null,
    })),
    ...(seesAll(decision) ? sizeOf(one) : { rows: null, bytes: null }),
    updatedAt: updatedAt(one),
  }
}

type FieldType = Parameters<typeof sqlType>[0]

/** A type that we cannot read yet must not hide the whole table. */
function columnType(type: FieldType): string {
  try {
    return sqlType(type)
  } catch {
    return type.kind.toUpperCase()
  }
}

const snapshotOf = ({ metadata }: LoadedTable) =>
  metadata.snapshots.find(({ snapshotId }) => snapshotId === metadata.currentSnapshotId)

function sizeOf(one: Loaded): { rows: number | null; bytes: number | null } {
  if (one.kind === 'view') return { rows: null, bytes: null }
  const snapshot = snapshotOf(one)
  return snapshot
    ? { rows: total(snapshot.summary, 'records'), bytes: total(snapshot.summary, 'files-size') }
    : { rows: 0, bytes: 0 }
}

/** Totals are optional in the format: what another engine left out is unknown. */
function total(summary: Readonly<Record<string, string>>, what: string): number | null {
  const number = Number(summary[`total-${what}`] ?? Number.NaN)
  return Number.isSafeInteger(number) && number >= 0 ? number : null
}

/** When the data of a table changed, or the statement of a view. */
export function updatedAt(one: Loaded): string | null {
  if (one.kind === 'table') {
    const snapshot = snapshotOf(one)
    return snapshot ? new Date(snapshot.timestampMs).toISOString() : null
  }
  const version = one.metadata.versions.find(({ versionId }) => versionId === one.metadata.currentVersionId)
  return version ? new Date(version.timestampMs).toISOString() : null
}

export type Lineage = contract.Table['lineage']
type Details = { lineage: Lineage; definedAt: contract.Place | null; records: Pick<Records, 'catalog'> }

export async function tableOf(
  one: Loaded,
  { lineage, definedAt, records }: Details,
  decision: Decision,
): Promise<contract.Table> {
  const isWhole = seesAll(decision)
  const shared = {
    ...summaryOf(one, decision),
    catalog: one.name.catalog,
    // Properties and snapshots count rows and name columns that may be hidden.
    location: isWhole ? one.metadata.location : '',
    properties: isWhole ? { ...one.metadata.properties } : {},
    lineage,
    definedAt,
  }
  if (one.kind === 'view') {
    const version = one.metadata.versions.find(({ versionId }) => versionId === one.metadata.currentVersionId)
    return {
      ...shared,
      formatVersion: null,
      files: null,
      partitions: [],
      snapshots: [],
      sql: isWhole ? (version?.representations[0]?.sql ?? null) : null,
    }
  }
  const { metadata } = one
  const snapshot = snapshotOf(one)
  return {
    ...shared,
    formatVersion: metadata.formatVersion,
    files: !isWhole ? null : snapshot ? total(snapshot.summary, 'data-files') : 0,
    partitions: isWhole ? partitionsOf(one) : [],
    snapshots: isWhole ? await snapshotsOf(one, records) : [],
    sql: null,
  }
}

/** `day(order_date)`, `bucket[16](customer_id)`, `region`: as Iceberg's documentation writes them. */
function partitionsOf({ metadata }: LoadedTable): string[] {
  const names = new Map(metadata.schemas.flatMap(({ fields }) => fields.map(({ id, name }) => [id, name])))
  const spec = metadata.partitionSpecs.find(({ specId }) => specId === metadata.defaultSpecId)
  return (spec?.fields ?? []).flatMap(({ transform, sourceIds, name }) => {
    const source = sourceIds.map((id) => names.get(id) ?? name).join(', ')
    switch (transform.kind) {
      case 'void':
        return []
      case 'identity':
        return [source]
      case 'bucket':
        return [`bucket[${transform.buckets}](${source})`]
      case 'truncate':
        return [`truncate[${transform.width}](${source})`]
      case 'other':
        return [`${transform.text}(${source})`]
      default:
        return [`${transform.kind}(${source})`]
    }
  })
}

async function snapshotsOf(
  { name, metadata }: LoadedTable,
  records: Pick<Records, 'catalog'>,
): Promise<contract.Snapshot[]> {
  const published = await records.catalog
    .selectFrom('publication_tables')
    .innerJoin('publications', 'publications.id', 'publication_tables.publication_id')
    .select(['publication_tables.to_snapshot', 'publications.id', 'publications.run_id', 'publications.undoes'])
    .where('publications.catalog', '=', name.catalog)
    .where('publication_tables.namespace', '=', name.namespace)
    .where('publication_tables.name', '=', name.name)
    .orderBy('publications.published_at', 'desc')
    .execute()
  // A rollback names an old snapshot again; the publication that made it is the one meant.
  const by = new Map(published.filter(({ undoes }) => undoes === null).map((one) => [one.to_snapshot, one]))
  return [...metadata.snapshots]
    .sort((a, b) => b.timestampMs - a.timestampMs || Number(b.sequenceNumber - a.sequenceNumber))
    .map((snapshot) => {
      const publication = by.get(snapshot.snapshotId.toString())
      const { operation = 'unknown', ...summary } = snapshot.summary
      return {
        id: snapshot.snapshotId.toString(),
        parentId: snapshot.parentSnapshotId?.toString() ?? null,
        committedAt: new Date(snapshot.timestampMs).toISOString(),
        operation,
        summary,
        current: snapshot.snapshotId === metadata.currentSnapshotId,
        publicationId: publication?.id ?? null,
        runId: publication?.run_id ?? null,
      }
    })
}

/** What makes a table and what it reads: a model of the project. Tables as `namespace.name`. */
export type ModelEdge = { table: string; reads: readonly string[]; place: contract.Place | null }
/** Other things of the project that fill or show tables. */
export type OtherEdges = {
  sources: readonly { name: string; table: string; place: contract.Place }[]
  dashboards: readonly { name: string; reads: readonly string[] }[]
}

/** Neighbours of one table. Pure. */
export function lineageOf(
  table: string,
  models: readonly ModelEdge[],
  { sources, dashboards }: OtherEdges,
  pointers: readonly Pointer[],
): { lineage: Lineage; definedAt: contract.Place | null } {
  const kinds = new Map(pointers.map(({ name, kind }) => [`${name.namespace}.${name.name}`, kind]))
  const reference = (text: string): contract.TableRef => {
    const at = text.indexOf('.')
    return { namespace: text.slice(0, at), name: text.slice(at + 1), kind: kinds.get(text) ?? 'table' }
  }
  const own = models.find((model) => model.table === table)
  const source = sources.find((one) => one.table === table)
  const reads = [...new Set(own?.reads)].sort()
  return {
    definedAt: own?.place ?? source?.place ?? null,
    lineage: {
      upstream: [
        ...(source ? [{ namespace: 'sources', name: source.name, kind: 'source' as const }] : []),
        ...reads.map(reference),
      ],
      downstream: [
        ...models.filter((model) => model.reads.includes(table)).map((model) => reference(model.table)),
        ...dashboards
          .filter((one) => one.reads.includes(table))
          .map(({ name }) => ({ namespace: 'dashboards', name, kind: 'dashboard' as const })),
      ],
    },
  }
}

export async function listLoaded(tables: Tables, catalog: string): Promise<Loaded[]> {
  return await Promise.all((await tables.list(catalog)).map((pointer) => openWhatever(tables, pointer)))
}
