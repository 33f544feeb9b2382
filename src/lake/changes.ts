// A change set in use: every table that a run writes, each as a metadata file that no catalog names yet. Whoever passes
// the change set along reads through it; nobody else sees it until `publish`, which shows all of it at once.

import { randomBytes, randomUUID } from 'node:crypto'
import { Failure } from '../base/failure.ts'
import type { Clock } from '../base/clock.ts'
import {
  checkName,
  showName,
  type ChangeAction,
  type Loaded,
  type PendingChange,
  type Publication,
  type Publications,
  type TableName,
  type Tables,
} from '../catalog/index.ts'
import type { Column } from '../contract/index.ts'
import { EngineFailure, type Engine, type EngineColumn } from '../engine/index.ts'
import {
  applyUpdates,
  currentSchema,
  defaultSortOrder,
  defaultSpec,
  newTableMetadata,
  newViewMetadata,
  prepareAppend,
  prepareReplace,
  replaceSortOrder,
  schemaForReplace,
  writeTableMetadata,
  writeViewMetadata,
  type NewDataFile,
  type NewField,
  type NewPartitionField,
  type Schema,
  type TableMetadata,
} from '../iceberg/index.ts'
import { joinLocation, type FileIO } from '../io/index.ts'
import { decodeAppended, encodeAppended } from './appended.ts'
import { engineFailure, type Prepared } from './prepare.ts'
import { quoteName } from './sql/tokens.ts'
import { sqlType, writtenColumn } from './types.ts'
import { writeFiles } from './write.ts'

export type TableOptions = {
  /** For one-part names inside the SELECT. */
  namespace?: string
  comment?: string
  columnComments?: Record<string, string>
  properties?: Record<string, string>
  /** Partitions and order of the rows of a table that is made. */
  partitionedBy?: readonly NewPartitionField[]
  sortedBy?: Parameters<typeof replaceSortOrder>[1]
  /** Further keys of the snapshot's summary: the cursor of a load, the run. */
  summary?: Record<string, string>
  signal?: AbortSignal
  timeoutMs?: number
  /** Ingestion's own SQL: it reads files of the spool and is not checked against the allow-list. */
  files?: string[]
}

export type WriteResult = {
  table: string
  kind: 'table' | 'view'
  columns: Column[]
  rowsWritten: number
  snapshotId: string | null
  filesWritten: number
  bytesWritten: number
}

export interface ChangeSet {
  readonly id: string
  readonly catalog: string
  /** CREATE OR REPLACE TABLE AS select. A table that exists keeps its uuid, its history, and the field ids of columns that stay. */
  replaceTable(target: TableName, select: string, options?: TableOptions): Promise<WriteResult>
  /** Adds the rows, columns matched by name; makes the table when it is missing. */
  append(target: TableName, select: string, options?: TableOptions): Promise<WriteResult>
  createView(target: TableName, select: string, options?: TableOptions): Promise<WriteResult>
  drop(target: TableName): Promise<void>
  /** The names changed so far. */
  pending(): Promise<PendingChange[]>
  /** The table or view as this change set leaves it; undefined when it drops it or nobody has it. */
  load(name: TableName): Promise<Loaded | undefined>
  /** All or nothing; COMMIT_CONFLICT names the other writer. Appends are moved onto what others wrote. */
  publish(): Promise<Publication>
  /** Gives it up: nothing was ever visible. */
  discard(): Promise<void>
}

export type ChangeSetDeps = {
  io: FileIO
  engine: Engine
  tables: Tables
  publications: Publications
  clock: Clock
  lakeRoot: string
  /** Where files are before they get their place in a table. */
  spoolDir: string
  /** Checks and binds a SELECT that reads through the change set. */
  prepare(select: string, changes: ChangeSet, options: TableOptions): Promise<Prepared>
  mayWrite(target: TableName, action: 'create' | 'write' | 'drop'): void
  principal: string
}

export function changeSet(id: string, catalog: string, deps: ChangeSetDeps): ChangeSet {
  const { io, engine, tables, publications, clock } = deps

  const load = async (name: TableName): Promise<Loaded | undefined> => {
    const lower = showName(name).toLowerCase()
    const change = (await publications.changes(id)).find((one) => showName(one.name).toLowerCase() === lower)
    if (!change) return tables.load(name)
    return change.location === null
      ? undefined
      : tables.open({ name: change.name, kind: change.kind, location: change.location })
  }

  /** The SELECT's columns and the text for the write host. */
  async function source(
    select: string,
    options: TableOptions,
  ): Promise<{ columns: EngineColumn[]; sql: () => Promise<string> }> {
    if (options.files) {
      const columns = await engine
        .bind({ class: 'write', sql: select, timeoutMs: 60_000, ...signalOf(options) })
        .catch(rethrow)
      return { columns, sql: async () => select }
    }
    const prepared = await deps.prepare(select, self, options)
    return { columns: await prepared.columns(), sql: async () => (await prepared.execute()).sql }
  }

  async function write(
    target: TableName,
    select: string,
    mode: 'replace' | 'append',
    options: TableOptions,
  ): Promise<WriteResult> {
    checkName(target)
    const published = await tables.load(target)
    deps.mayWrite(target, published ? 'write' : 'create')
    const { columns, sql } = await source(select, options)
    checkColumns(target, columns)
    const written = columns.map(writtenColumn)

    // A replace starts from what is published: doing it twice in one run leaves one new snapshot, not two.
    const base = mode === 'append' ? await load(target) : published
    if (mode === 'append' && base?.kind === 'view')
      throw new Failure('SQL_INVALID', `${showName(target)} is a view; rows cannot be added to it`)
    const before = base?.kind === 'table' ? base : undefined
    const fields = written.map(({ field }) => withComment(field, options))
    const metadata = before?.metadata ?? freshTable(target, fields, options)
    const schema =
      mode === 'append' && before
        ? currentSchema(metadata)
        : before
          ? schemaForReplace(metadata, fields)
          : currentSchema(metadata)
    const projection =
      mode === 'append' && before
        ? appendProjection(target, schema, columns)
        : written.map(({ field, castTo }) => `CAST(${quoteName(field.name)} AS ${castTo}) AS ${quoteName(field.name)}`)

    const files = await writeFiles(deps, {
      select: `SELECT ${projection.join(', ')} FROM (${await sql()}\n) AS written`,
      schema,
      spec: defaultSpec(metadata),
      sortOrder: defaultSortOrder(metadata),
      location: metadata.location,
      properties: metadata.properties,
      timeoutMs: options.timeoutMs,
      signal: options.signal,
    }).catch(rethrow)

    const summary = { ...options.summary, 'boathouse.change-set': id }
    const prepared =
      mode === 'append' || !before
        ? await prepareAppend(io, metadata, files, { summary, signal: options.signal })
        : await prepareReplace(io, metadata, files, { schema, summary, signal: options.signal })
    const nowMs = clock.now()
    const commit = await prepared.on(metadata, { nowMs, signal: options.signal })
    const properties = tableProperties(options)
    const next = applyUpdates(
      metadata,
      [
        ...commit.updates,
        ...(before && Object.keys(properties).length > 0
          ? [{ action: 'set-properties' as const, updates: properties }]
          : []),
      ],
      { nowMs, previous: before?.location },
    )
    const location = await writeTableMetadata(io, next, { previous: before?.location, signal: options.signal })
    await record(
      target,
      'table',
      mode === 'replace' ? (published ? 'replace' : 'create') : published ? 'append' : 'create',
      location,
      published,
      next,
      mode === 'append' ? files : undefined,
      summary,
    )
    return {
      table: showName(target),
      kind: 'table',
      columns: schema.fields.map((field) => ({
        name: field.name,
        type: sqlType(field.type),
        nullable: !field.required,
      })),
      rowsWritten: files.reduce((sum, { recordCount }) => sum + recordCount, 0),
      snapshotId: commit.snapshot.snapshotId.toString(),
      filesWritten: files.length,
      bytesWritten: files.reduce((sum, { fileSizeBytes }) => sum + fileSizeBytes, 0),
    }
  }

  async function record(
    name: TableName,
    kind: 'table' | 'view',
    action: ChangeAction,
    location: string | null,
    published: Loaded | undefined,
    next?: TableMetadata,
    files?: readonly NewDataFile[],
    summary?: Record<string, string>,
  ) {
    const earlier = (await publications.changes(id)).find((one) => showName(one.name) === showName(name))
    const all = files && [...(earlier?.appended ? decodeAppended(earlier.appended).files : []), ...files]
    await publications.put(id, {
      name,
      kind,
      action,
      location,
      base: published?.location ?? null,
      fromSnapshot: published?.kind === 'table' ? (published.metadata.currentSnapshotId?.toString() ?? null) : null,
      toSnapshot: next?.currentSnapshotId?.toString() ?? null,
      // An append to a table that this same change set replaced moves with the replacement, not alone.
      appended: all && (!earlier || earlier.appended) ? encodeAppended(all, summary ?? {}) : null,
    })
  }

  function freshTable(target: TableName, fields: readonly NewField[], options: TableOptions): TableMetadata {
    const metadata = newTableMetadata({
      uuid: randomUUID(),
      location: joinLocation(
        deps.lakeRoot,
        target.catalog,
        target.namespace,
        `${target.name}-${randomBytes(4).toString('hex')}`,
      ),
      schema: fields,
      spec: options.partitionedBy,
      properties: { 'write.parquet.compression-codec': 'zstd', ...tableProperties(options) },
      nowMs: clock.now(),
    })
    if (!options.sortedBy) return metadata
    return applyUpdates(metadata, replaceSortOrder(metadata, options.sortedBy).updates, { nowMs: clock.now() })
  }

  /** Makes the appends of this set again on top of what is published now. False when there is nothing to move. */
  async function rebase(conflict: Failure): Promise<boolean> {
    const change = (await publications.changes(id)).find(({ name }) => showName(name) === conflict.context.table)
    if (!change?.appended) return false
    const now = await tables.load(change.name)
    if (now?.kind !== 'table') return false
    const { files, summary } = decodeAppended(change.appended)
    const nowMs = clock.now()
    const commit = await (await prepareAppend(io, now.metadata, files, { summary })).on(now.metadata, { nowMs })
    const next = applyUpdates(now.metadata, commit.updates, { nowMs, previous: now.location })
    const location = await writeTableMetadata(io, next, { previous: now.location })
    await publications.put(id, {
      ...change,
      action: 'append',
      base: now.location,
      location,
      fromSnapshot: now.metadata.currentSnapshotId?.toString() ?? null,
      toSnapshot: next.currentSnapshotId?.toString() ?? null,
    })
    return true
  }

  const self: ChangeSet = {
    id,
    catalog,
    load,
    pending: () => publications.changes(id),
    replaceTable: (target, select, options = {}) => write(target, select, 'replace', options),
    append: (target, select, options = {}) => write(target, select, 'append', options),

    async createView(target, select, options = {}) {
      checkName(target)
      const published = await tables.load(target)
      deps.mayWrite(target, published ? 'write' : 'create')
      const prepared = await deps.prepare(select, self, options)
      const columns = await prepared.columns()
      checkColumns(target, columns)
      const fields = columns.map((column) => withComment(writtenColumn(column).field, options))
      const nowMs = clock.now()
      const metadata = newViewMetadata({
        uuid: published?.kind === 'view' ? published.metadata.viewUuid : randomUUID(),
        location:
          published?.kind === 'view'
            ? published.metadata.location
            : joinLocation(
                deps.lakeRoot,
                target.catalog,
                target.namespace,
                `${target.name}-${randomBytes(4).toString('hex')}`,
              ),
        schema: fields,
        representations: [{ type: 'sql', sql: select.trim().replace(/;\s*$/, ''), dialect: 'duckdb' }],
        defaultCatalog: target.catalog,
        defaultNamespace: [options.namespace ?? target.namespace],
        properties: tableProperties(options),
        nowMs,
      })
      const location = await writeViewMetadata(io, metadata, {
        previous: published?.kind === 'view' ? published.location : undefined,
      })
      await record(target, 'view', published ? 'replace' : 'create', location, published)
      return {
        table: showName(target),
        kind: 'view',
        columns: columns.map((column) => ({ ...column, nullable: true })),
        rowsWritten: 0,
        snapshotId: null,
        filesWritten: 0,
        bytesWritten: 0,
      }
    },

    async drop(target) {
      const published = await tables.load(target)
      deps.mayWrite(target, 'drop')
      const found = await load(target)
      if (!found) throw new Failure('TABLE_NOT_FOUND', `there is no table ${showName(target)}`)
      await record(found.name, found.kind, 'drop', null, published)
    },

    async publish() {
      for (let attempt = 1; ; attempt++) {
        try {
          return await publications.publish(id, deps.principal)
        } catch (error) {
          if (
            !(error instanceof Failure) ||
            error.code !== 'COMMIT_CONFLICT' ||
            attempt >= 20 ||
            !(await rebase(error))
          )
            throw error
          await clock.sleep(clock.random() * Math.min(1_000, 10 * 2 ** attempt))
        }
      }
    },
    discard: () => publications.discard(id),
  }
  return self
}

const signalOf = ({ signal }: TableOptions) => (signal ? { signal } : {})
const rethrow = (error: unknown): never => {
  throw error instanceof EngineFailure ? engineFailure(error) : error
}

function checkColumns(target: TableName, columns: readonly EngineColumn[]): void {
  const seen = new Set<string>()
  for (const { name } of columns) {
    // Iceberg tells columns apart by case; DuckDB, Trino and Spark do not.
    if (seen.has(name.toLowerCase()))
      throw new Failure('SQL_INVALID', `${showName(target)} would have two columns named ${name}`, {
        hint: 'Give one of them another name with AS.',
      })
    seen.add(name.toLowerCase())
  }
  if (columns.length === 0) throw new Failure('SQL_INVALID', `${showName(target)} would have no columns`)
}

const withComment = (field: NewField, { columnComments = {} }: TableOptions): NewField => {
  const doc = columnComments[field.name] ?? columnComments[field.name.toLowerCase()]
  return doc ? { ...field, doc } : field
}

const tableProperties = ({ comment, properties }: TableOptions): Record<string, string> => ({
  ...properties,
  ...(comment ? { comment } : {}),
})

/** Every column of the table, from the SELECT's column of the same name or NULL. */
function appendProjection(target: TableName, schema: Schema, columns: readonly EngineColumn[]): string[] {
  const given = new Map(columns.map(({ name }) => [name.toLowerCase(), name]))
  const projection = schema.fields.map((field) => {
    const name = given.get(field.name.toLowerCase())
    given.delete(field.name.toLowerCase())
    if (name === undefined && field.required)
      throw new Failure('SQL_INVALID', `${showName(target)} needs a value for ${field.name}`)
    return `CAST(${name === undefined ? 'NULL' : quoteName(name)} AS ${sqlType(field.type)}) AS ${quoteName(field.name)}`
  })
  if (given.size > 0)
    throw new Failure('SQL_INVALID', `${showName(target)} has no column ${[...given.values()].join(', ')}`, {
      hint: 'Leave it out, or replace the table to give it the column.',
    })
  return projection
}
