// A change set in use: every table that a run writes, each as a metadata file that no catalog names yet. Whoever passes
// the change set along reads through it; nobody else sees it until `publish`, which shows all of it at once.

import { randomUUID } from 'node:crypto'
import { Failure } from '../../base/failure.ts'
import type { Clock } from '../../base/clock.ts'
import {
  checkName,
  showName,
  onlyAlike,
  openWhatever,
  tableCommitText,
  viewCommitText,
  type Loaded,
  type LoadedTable,
  type LoadedView,
  type Publications,
  type TableName,
  type Tables,
} from '../../catalog/index.ts'
import type { Privilege } from '../../govern/index.ts'
import type { Engine, EngineColumn } from '../../engine/index.ts'
import {
  applyUpdates,
  applyViewUpdates,
  createUpdates,
  createViewUpdates,
  currentSchema,
  defaultSortOrder,
  defaultSpec,
  currentViewVersion,
  newViewMetadata,
  evolveSchema,
  prepareAppend,
  prepareDelete,
  prepareOverwrite,
  prepareReplace,
  prepareRowDelta,
  replaceViewUpdates,
  schemaForReplace,
  snapshotById,
  specForReplace,
  writeTableMetadata,
  writeViewMetadata,
  type ViewMetadata,
  type TableUpdate,
  type Schema,
  type TableMetadata,
  type ViewUpdate,
} from '../../iceberg/index.ts'
import { joinLocation, type FileIO, type FileLease } from '../../io/index.ts'
import { columnsOfFiles, describeFiles, filesAt } from './add-files.ts'
import type { ChangeSet, RowsResult, TableOptions, WriteResult } from './change-set.ts'
import { rethrowBroken } from './broken-rules.ts'
import { columnProperties } from './column-property.ts'
import { appendProjection, checkColumns, distinctNames, renamed, withComment } from './columns.ts'
import { rethrowEngine } from '../answers/engine-failure.ts'
import { writtenSchema } from './computed-defaults.ts'
import {
  declarations,
  declarationsBefore,
  declaredByType,
  declaredTypes,
  isKeptAs,
  readTypes,
  type DeclaredType,
} from './declared-types.ts'
import { holdKeys, type Held, type Holding } from './enforced-keys.ts'
import { emptied, freshLocation, freshTable, tableProperties } from './fresh-table.ts'
import type { Files, Prepared } from '../prepare.ts'
import { schemaOfView } from '../relations/information.ts'
import { columnOf } from './perform-context.ts'
import { isOrdered, keyBounds, readAlike, type JoinKey, type KeyBounds } from './key-bounds.ts'
import { withCsv } from './load-csv.ts'
import { withFiles } from './load-files.ts'
import { enforcedKeys, type UniqueKey } from './named-keys.ts'
import { isTemporary, withoutAliases, type RunNames } from './run-names.ts'
import { meetingChecks } from './row-checks.ts'
import { changeRows, withRows, type RowOperation } from './rows.ts'
import { backticksInDuckDb } from '../sql/backticks.ts'
import { quoteName, quoteTable } from '../sql/tokens.ts'
import { changedAlias, type ChangedTable } from '../sources.ts'
import { takingTurns } from './turns.ts'
import { headId, idsKnown, inTurn, madeFor, openStaging, type Rebased } from './staging.ts'
import { writtenColumn } from '../types.ts'
import { beginFiles, limitsOf, type FilesUnderWay } from './write.ts'

/** Whether it has no files, as far as its snapshot tells. */
function isEmpty(metadata: TableMetadata, branch: string | undefined): boolean {
  const head = headId(metadata, branch)
  return head === undefined || snapshotById(metadata, head)?.summary['total-data-files'] === '0'
}

/** What is there goes, for something else of the name. */
const replacing: readonly Privilege[] = ['drop', 'create']
const needed: Readonly<Record<RowOperation, readonly Privilege[]>> = {
  delete: ['delete'],
  update: ['update'],
  merge: ['insert', 'update', 'delete'],
}

export type ChangeSetDeps = {
  io: FileIO
  engine: Engine
  /** What the set begins with: as of now, or as of a transaction's begin. */
  tables: Tables
  /** As they are now. */
  current: Pick<Tables, 'load'>
  publications: Publications
  clock: Clock
  lakeRoot: string
  /** Where files are before they get their place in a table. */
  spoolDir: string
  files: Files
  /** Checks and binds a SELECT that reads through the change set. `pivots`: or a PIVOT, of the values that there are now. */
  prepare(
    select: string,
    changes: ChangeSet,
    options: TableOptions & { rowsOf?: ChangedTable; pivots?: boolean },
  ): Promise<Prepared>
  /** `whole`: what is hidden from the principal would be changed too. @throws FORBIDDEN */
  mayWrite(target: TableName, privileges: readonly Privilege[], options?: { whole?: boolean }): Promise<void>
  /** Notes with whose rights a view reads, before anybody can see it. */
  ownsView(view: Pick<LoadedView, 'name' | 'metadata'>): Promise<void>
  principal: string
}

export function changeSet(id: string, catalog: string, deps: ChangeSetDeps): ChangeSet {
  const { io, engine, tables, publications, clock } = deps
  const staging = openStaging(id, deps)
  const { load, since, stage, become, vanish } = staging
  /** What was allowed so far, to be asked once more at the end: rights may be taken in between. */
  const allowed = new Map<string, () => Promise<void>>()
  const mayWrite: ChangeSetDeps['mayWrite'] = async (target, privileges, options) => {
    const again = () => deps.mayWrite(target, privileges, options)
    await again()
    allowed.set(JSON.stringify([showName(target), privileges, options]), again)
  }

  /** The SELECT's columns, and its text for the write host together with the files that it reads. */
  async function source(
    select: string,
    options: TableOptions,
  ): Promise<{
    columns: readonly EngineColumn[]
    declared: readonly (DeclaredType | undefined)[]
    planned: () => Promise<{ sql: string; lease?: FileLease; timeZone?: string | undefined }>
  }> {
    if (options.files) {
      const columns = await engine
        .bind({ class: 'write', sql: select, timeoutMs: 60_000, ...signalOf(options) })
        .catch(rethrowEngine)
      return {
        columns,
        declared: columns.map(({ type }) => declaredByType(type)),
        planned: async () => ({ sql: select }),
      }
    }
    const prepared = await deps.prepare(select, self, { ...options, pivots: true })
    const given = await prepared.columns()
    const columns = distinctNames(given)
    const planned = async () => {
      const plan = await prepared.execute()
      return { ...plan, timeZone: prepared.timeZone, sql: renamed(plan.sql, given, columns) }
    }
    return { columns, declared: await keptTypes(prepared), planned }
  }

  async function write(
    target: TableName,
    select: string,
    mode: 'replace' | 'append',
    options: TableOptions,
  ): Promise<WriteResult> {
    const published = await tables.load(target)
    if (!published) checkName(target)
    await mayWrite(target, !published ? ['create'] : mode === 'append' ? ['insert'] : replacing)
    // A replace starts from what is published: doing it twice in one run leaves one new snapshot, not two.
    const [{ columns, declared, planned }, base] = await Promise.all([
      source(select, options),
      mode === 'append' ? load(target, published) : published,
    ])
    checkColumns(target, columns)
    if (mode === 'append' && base?.kind === 'view')
      throw new Failure('SQL_INVALID', `${showName(target)} is a view; rows cannot be added to it`)
    const before = base?.kind === 'table' ? base : undefined
    const written = columns.map(writtenColumn)
    if (before) checkBranch(before, options.branch)
    const keys = mode === 'append' && before ? enforcedKeys(before.metadata, before.name.name) : []
    if (keys.length > 0) await mayHold(target, ['insert'])
    const fields = written.map(({ field }) => withComment(field, options))
    const metadata = before?.metadata ?? freshTable(deps, target, fields, options)
    const schema =
      mode === 'append' && before
        ? currentSchema(metadata)
        : before
          ? schemaForReplace(metadata, fields)
          : currentSchema(metadata)
    const projection =
      mode === 'append' && before
        ? appendProjection(target, writtenSchema(metadata), columns)
        : written.map(({ field, castTo }) => `CAST(${quoteName(field.name)} AS ${castTo}) AS ${quoteName(field.name)}`)

    let held: Held | undefined
    const onRows = async (from: string) => {
      held = await holdKeys(before!, { come: from }, holdingOf(before!, keys, options))
      await options.onRows?.(from)
    }
    const writing = keys.length > 0 ? { ...options, onRows } : options
    const { files, placed } = await writeSelected(target, metadata, schema, projection, await planned(), writing)
    const { signal, branch } = options
    const about = { summary: { ...options.summary, 'boathouse.change-set': id }, signal, branch }
    const prepared = held
      ? await prepareRowDelta(
          io,
          metadata,
          { addFiles: files, readsTable: true },
          { ...since(published, before!, branch), ...about, isolation: 'serializable', conflictFilter: held.others },
        )
      : mode === 'append' || !before
        ? await prepareAppend(io, metadata, files, about)
        : await prepareReplace(io, metadata, files, { schema, summary: about.summary, signal })
    const properties = {
      ...(before ? tableProperties(options) : {}),
      ...(mode === 'replace' || !before ? declarations(schema, declared) : {}),
    }
    // A table that is made anew has none of the keys, checks, numbers and defaults of the one before.
    const stale = before && mode === 'replace' ? columnProperties(before.metadata) : []
    const removals = stale.filter((key) => !(key in properties))
    const more: TableUpdate[] = propertyUpdates(properties, removals)
    // What another process puts on top of others' work is an append to `main`.
    const isAppend = mode === 'append' && options.branch === undefined && !held
    const action = isAppend ? 'append' : 'replace'
    const appended = isAppend ? { files, summary: about.summary } : undefined
    return stage({
      target,
      published,
      before,
      metadata,
      write: prepared,
      more,
      action,
      appended,
      files,
      placed,
      options,
    })
  }

  /** Also what cannot be read, so that it can be dropped. */
  async function loadWhatever(target: TableName): Promise<Loaded | undefined> {
    try {
      return await tables.load(target)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      const pointer = onlyAlike(target, await tables.list(target.catalog, target.namespace))
      if (!pointer) throw error
      return openWhatever(tables, pointer)
    }
  }

  /** A table of this change set that rows of can be changed. */
  async function existing(
    target: TableName,
    privileges: readonly Privilege[],
    { whole = false, branch, readAs }: { whole?: boolean; branch?: string | undefined } & Pick<RunNames, 'readAs'> = {},
  ): Promise<{ published: Loaded | undefined; before: LoadedTable }> {
    const published = await tables.load(target)
    await mayWrite(target, privileges, { whole })
    const before = await load(target, published)
    if (before?.kind !== 'table')
      throw new Failure(
        before ? 'SQL_INVALID' : 'TABLE_NOT_FOUND',
        before ? `${showName(target)} is a view; its rows cannot be changed` : `there is no table ${showName(target)}`,
      )
    checkBranch(before, branch)
    const begun = await readAs?.load(target)
    if (readAs && begun?.location !== before.location)
      throw new Failure(
        'SQL_UNSUPPORTED',
        `rows of ${showName(target)} are changed by two parts of one statement, of which none sees what the other does`,
        {
          hint: 'Write two statements between BEGIN and COMMIT. Only rows that are added go together with other changes.',
        },
      )
    return { published, before }
  }

  async function change(
    target: TableName,
    operation: RowOperation,
    select: string,
    options: TableOptions,
    bounds?: KeyBounds,
  ): Promise<RowsResult> {
    const { needs } = options
    const { published, before } = await existing(target, needs ?? needed[operation], {
      whole: needs !== undefined,
      branch: options.branch,
      readAs: options.readAs,
    })
    const prepared = await deps.prepare(select, self, {
      ...options,
      rowsOf: { name: before.name, branch: options.branch },
    })
    const keys = enforcedKeys(before.metadata, before.name.name).filter(
      ({ columns }) => operation !== 'delete' && (!options.sets || columns.some((one) => options.sets!.includes(one))),
    )
    if (keys.length > 0) await mayHold(before.name, needs ?? needed[operation])
    if (bounds && !readAlike(bounds, prepared.loaded))
      throw new Failure('COMMIT_CONFLICT', `what ${showName(before.name)} is to be changed by was changed meanwhile`)
    const summary = { ...options.summary, 'boathouse.change-set': id }
    const {
      write: written,
      deleted,
      inserted,
      changed,
      files,
      bytes,
      placed,
    } = await changeRows(deps, before, prepared, {
      operation,
      summary,
      since: { ...since(published, before, options.branch), branch: options.branch },
      timeoutMs: options.timeoutMs,
      signal: options.signal,
      onRows: options.onRows,
      uniqueBy: options.uniqueBy,
      mayRefuse: options.mayRefuse,
      holding: keys.length > 0 ? holdingOf(before, keys, options) : undefined,
    }).catch(rethrowBroken(before.name))
    const nothing = {
      table: showName(before.name),
      kind: 'table' as const,
      columns: [],
      snapshotId: headId(before.metadata, options.branch)?.toString() ?? null,
    }
    const result = written
      ? await stage({
          target: before.name,
          published,
          before,
          metadata: before.metadata,
          write: inserted > 0 ? madeFor(before.metadata, written, idsKnown(published)) : written,
          action: 'replace',
          files: [],
          placed,
          options,
        })
      : nothing
    return {
      ...result,
      rowsWritten: inserted,
      rowsDeleted: deleted,
      rowsChanged: changed,
      filesWritten: files,
      bytesWritten: bytes,
    }
  }

  /** Whoever is told that a key is there learns of rows. */
  const mayHold = (target: TableName, privileges: readonly Privilege[]) =>
    mayWrite(target, privileges, { whole: true }).catch((error: unknown) => {
      const isForbidden = error instanceof Failure && error.code === 'FORBIDDEN'
      const hint = 'Rows get into a table with an enforced key by those who see all of it.'
      throw isForbidden ? error.with({ hint }) : error
    })

  function holdingOf({ name }: LoadedTable, keys: readonly UniqueKey[], options: TableOptions): Holding {
    // The table as it is by now, also to a later part of a statement that reads it as it was.
    const { files: _, onRows: __, told: ___, readAs: ____, ...asked } = options
    const { timeoutMs, signal } = options
    return {
      keys,
      prepare: (sql) => deps.prepare(sql, self, { ...asked, rowsOf: { name, branch: options.branch } }),
      rows: (sql) => engine.rows({ class: 'write', sql, ...limitsOf({ timeoutMs, signal }) }).catch(rethrowEngine),
    }
  }

  /** The rows of `select` as data files of the table. */
  async function writeRows(before: LoadedTable, select: string, options: TableOptions): Promise<FilesUnderWay> {
    const { columns, planned } = await source(select, options)
    checkColumns(before.name, columns)
    const { metadata } = before
    const schema = currentSchema(metadata)
    const projection = appendProjection(before.name, writtenSchema(metadata), columns)
    return writeSelected(before.name, metadata, schema, projection, await planned(), options)
  }

  async function writeSelected(
    target: TableName,
    metadata: TableMetadata,
    schema: Schema,
    projection: readonly string[],
    { sql, lease, timeZone }: { sql: string; lease?: FileLease; timeZone?: string | undefined },
    { timeoutMs, signal, onRows }: TableOptions,
  ): Promise<FilesUnderWay> {
    const writing = (select: string) =>
      beginFiles(deps, {
        select,
        schema,
        spec: schema === currentSchema(metadata) ? defaultSpec(metadata) : specForReplace(metadata, schema),
        sortOrder: defaultSortOrder(metadata),
        location: metadata.location,
        properties: metadata.properties,
        timeoutMs,
        timeZone,
        signal,
      })
    try {
      const rows = `SELECT ${projection.join(', ')} FROM (${sql}\n) AS written`
      const checked = { fields: schema.fields, properties: metadata.properties }
      const isReplaced = schema !== currentSchema(metadata)
      const select = isReplaced ? rows : await meetingChecks(rows, target, checked, { engine, signal })
      if (!onRows) return await writing(select)
      return await withRows(deps, select, { timeoutMs, timeZone, signal }, async (from) => {
        await onRows(from)
        return writing(`SELECT * FROM ${from}`)
      })
    } catch (error) {
      return rethrowBroken(target)(error)
    } finally {
      lease?.release()
    }
  }

  /** In place of the rows of the partitions that those of the SELECT fall into. */
  async function overwrite(target: TableName, select: string, options: TableOptions): Promise<WriteResult> {
    const { branch, readAs } = options
    const { published, before } = await existing(target, ['insert', 'delete'], { whole: true, branch, readAs })
    if (enforcedKeys(before.metadata, before.name.name).length > 0)
      throw new Failure('SQL_UNSUPPORTED', `INSERT OVERWRITE of ${showName(before.name)}, which has an enforced key`, {
        hint: 'Write DELETE and INSERT between BEGIN and COMMIT.',
      })
    const { files, placed } = await writeRows(before, select, options)
    const prepared = await prepareOverwrite(
      io,
      before.metadata,
      { remove: { partitions: 'dynamic' }, add: files },
      {
        ...since(published, before, branch),
        summary: { ...options.summary, 'boathouse.change-set': id },
        signal: options.signal,
        branch,
      },
    )
    const { name, metadata } = before
    return stage({
      target: name,
      published,
      before,
      metadata,
      write: prepared,
      action: 'replace',
      files,
      placed,
      options,
    })
  }

  async function upsert(target: TableName, keys: readonly string[], select: string, options: TableOptions) {
    const { before } = await existing(target, needed.merge)
    const { metadata } = before
    const known = new Map(currentSchema(metadata).fields.map(({ name }) => [name.toLowerCase(), name]))
    const unknown = keys.find((key) => !known.has(key.toLowerCase()))
    if (keys.length === 0 || unknown !== undefined)
      throw new Failure('SQL_INVALID', `${showName(before.name)} has no column ${unknown ?? ''} to find rows by`)
    const source = await deps.prepare(select, self, options)
    const types = new Map((await source.columns()).map(({ name, type }) => [name.toLowerCase(), type]))
    const readAs = readTypes(declaredTypes(metadata, currentSchema(metadata)))
    const joined = currentSchema(metadata).fields.flatMap((field): JoinKey[] => {
      const type = types.get(field.name.toLowerCase())
      const isKey = keys.some((key) => key.toLowerCase() === field.name.toLowerCase())
      return isKey && type !== undefined && isOrdered(field, readAs)
        ? [{ field, value: `after.${quoteName(field.name)}`, type }]
        : []
    })
    const bounds = await boundsOf(`(${select}\n) AS after`, joined, { ...options, nulls: true })
    const on = keys.map((key) => `before.${quoteName(key)} IS NOT DISTINCT FROM after.${quoteName(key)}`).join(' AND ')
    const columns = [...known.values()].map((name) => `after.${quoteName(name)}`)
    const rowId = metadata.formatVersion >= 3 ? ', before._row_id' : ''
    return change(
      before.name,
      'merge',
      `SELECT before._boathouse_file, before._boathouse_pos, true AS _boathouse_new, ${columns.join(', ')}${rowId}
      FROM (SELECT * FROM ${quoteTable(before.name)} AS ${changedAlias}${bounds ? ` WHERE ${bounds.condition}` : ''}) AS before
      RIGHT JOIN (${select}\n) AS after ON ${on}`,
      options,
      bounds,
    )
  }

  const boundsOf = (from: string, keys: readonly JoinKey[], { nulls, ...options }: TableOptions & { nulls: boolean }) =>
    keyBounds(from, keys, {
      engine,
      prepare: (sql) => deps.prepare(sql, self, options),
      nulls,
      timeoutMs: options.timeoutMs,
      signal: options.signal,
    })

  const self: ChangeSet = {
    id,
    catalog,
    load: (name) => load(name),
    pending: () => publications.changes(id),
    replaceTable: (target, select, options = {}) => write(target, select, 'replace', options),
    loadCsv: (target, csv, options = {}) =>
      withCsv(deps.spoolDir, csv, (select, file) => write(target, select, 'replace', { ...options, files: [file] })),
    loadFiles: (target, files, select, options = {}) =>
      withFiles(deps.spoolDir, files, (folder, paths) =>
        write(target, select(folder, paths), 'replace', { ...options, files: paths }),
      ),
    append: (target, select, options = {}) => write(target, select, 'append', options),
    overwrite: (target, select, options = {}) => overwrite(target, select, options),
    changeRows: (target, operation, select, options = {}, bounds) => change(target, operation, select, options, bounds),
    keyBounds: (from, keys, options = {}) => boundsOf(from, keys, { ...options, nulls: false }),
    upsert: (target, keys, select, options = {}) => upsert(target, keys, select, options),

    async createTable(target, fields, defaults, options = {}) {
      checkColumns(target, fields)
      const published = await tables.load(target)
      if (!published) checkName(target)
      await mayWrite(target, published ? replacing : ['create'])
      const nowMs = clock.now()
      const before = await load(target)
      if (before?.kind === 'table') {
        const write = await emptied(io, before.metadata, fields, defaults, {
          ...options,
          summary: { ...options.summary, 'boathouse.change-set': id },
        })
        const { name, metadata } = before
        await stage({ target: name, published, before, metadata, write, action: 'replace', files: [], options })
        return
      }
      let metadata = freshTable(deps, target, fields, options)
      for (const [name, value] of defaults)
        metadata = applyUpdates(metadata, evolveSchema(metadata).setDefault(name, value).change().updates, { nowMs })
      const location = await writeTableMetadata(io, metadata, { previous: undefined, signal: options.signal })
      const commit = tableCommitText([{ type: 'assert-create' }], createUpdates(metadata))
      await become({
        name: target,
        kind: 'table',
        action: published ? 'replace' : 'create',
        location,
        published,
        next: metadata,
        commit,
      })
    },

    async alter(target, changes, options = {}) {
      const { published, before } = await existing(target, ['alter'])
      if (changes.length === 0) return
      const write: Rebased = { on: (base, at) => inTurn(base, changes, { io, ...at }) }
      const { name, metadata } = before
      await stage({ target: name, published, before, metadata, write, action: 'replace', files: [], options })
    },

    async alterView(target, { set, remove, doc }, options = {}) {
      const published = await tables.load(target)
      await mayWrite(target, ['alter'])
      const before = await load(target, published)
      if (before?.kind !== 'view') throw new Failure('TABLE_NOT_FOUND', `there is no view ${showName(target)}`)
      const updates: ViewUpdate[] = [
        ...(doc ? commentedColumn(before.metadata, doc, target, clock.now()) : []),
        ...propertyUpdates(set, remove),
      ]
      const metadata = applyViewUpdates(before.metadata, updates, { nowMs: clock.now() })
      if (metadata === before.metadata) return
      const location = await writeViewMetadata(io, metadata, { previous: before.location, signal: options.signal })
      const { name } = before
      tables.keep({ kind: 'view', name, location, metadata })
      // Of one that was made or renamed in this change set the catalog knows nothing that could be built on.
      const isKnown = before.location === published?.location
      const commit = isKnown ? viewCommitText([{ type: 'assert-view-uuid', uuid: metadata.viewUuid }], updates) : null
      await become({ name, kind: 'view', action: published ? 'replace' : 'create', location, published, commit })
    },

    async apply(target, prepare) {
      const { published, before } = await existing(target, ['maintain'])
      const { name, metadata } = before
      const write = await prepare(metadata)
      await stage({ target: name, published, before, metadata, write, action: 'replace', files: [], options: {} })
    },

    async truncate(target, options = {}) {
      const { signal, branch, readAs } = options
      const { published, before } = await existing(target, ['delete'], { whole: true, branch, readAs })
      const { name, metadata } = before
      // Django and Rails empty all tables before each test, and most are.
      if (isEmpty(metadata, branch)) return
      const summary = { ...options.summary, 'boathouse.change-set': id }
      const write = await prepareDelete(io, metadata, { filter: { op: 'true' } }, { summary, signal, branch })
      await stage({ target: name, published, before, metadata, write, action: 'replace', files: [], options })
    },

    async rename(from, to) {
      checkName(to)
      const published = await tables.load(from)
      await mayWrite(from, ['alter'])
      await mayWrite(to, ['create'])
      const found = await load(from)
      if (!found) throw new Failure('TABLE_NOT_FOUND', `there is no table ${showName(from)}`)
      if (await load(to)) throw new Failure('ALREADY_EXISTS', `${showName(to)} exists already`)
      const { kind, location } = found
      await vanish({ name: found.name, kind, published })
      // What was published under that name is replaced by this one when the set is.
      const replaced = await tables.load(to)
      await become({
        name: replaced?.name ?? to,
        kind,
        action: replaced ? 'replace' : 'create',
        location,
        commit: null,
        published: replaced,
      })
    },

    async addFiles(target, given, { partition, mayRepeat, ...options } = {}) {
      const published = await tables.load(target)
      if (!published) checkName(target)
      await mayWrite(target, published ? ['insert'] : ['create'])
      const found = await load(target)
      if (found?.kind === 'view') throw new Failure('SQL_INVALID', `${showName(target)} is a view and has no files`)
      const parts = { ...deps, signal: options.signal }
      const paths = await filesAt(parts, given, partition)
      const metadata = found?.metadata ?? freshTable(deps, target, await columnsOfFiles(parts, paths), options)
      const { files, mapping } = await describeFiles(parts, metadata, paths, { mayRepeat })
      const summary = { ...options.summary, 'boathouse.change-set': id }
      return stage({
        target: found?.name ?? target,
        published,
        before: found,
        metadata,
        write: await prepareAppend(io, metadata, files, { summary, signal: options.signal }),
        more: mapping ? [{ action: 'set-properties', updates: { 'schema.name-mapping.default': mapping } }] : [],
        action: 'append',
        files,
        options,
      })
    },

    async createView(target, written, options = {}) {
      // Other engines read its text, too.
      const select = backticksInDuckDb(written).text
      const published = await tables.load(target)
      if (!published) checkName(target)
      await mayWrite(target, published ? replacing : ['create'])
      const prepared = await deps.prepare(select, self, options)
      const given = await prepared.columns()
      const columns = distinctNames(given)
      checkColumns(target, columns)
      const fields = columns.map((column) => withComment(writtenColumn(column).field, options))
      const nowMs = clock.now()
      const before = published?.kind === 'view' ? published : undefined
      const version = {
        schema: fields,
        representations: [
          {
            type: 'sql' as const,
            sql: renamed(withoutAliases(select, prepared, options).trim().replace(/;\s*$/, ''), given, columns),
            dialect: 'duckdb',
          },
        ],
        defaultCatalog: target.catalog,
        defaultNamespace: [options.namespace ?? target.namespace],
        properties: tableProperties(options),
        nowMs,
      }
      const made = before
        ? applyViewUpdates(before.metadata, replaceViewUpdates(version), { nowMs })
        : newViewMetadata({ ...version, uuid: randomUUID(), location: freshLocation(deps.lakeRoot, target) })
      const types = declarations(schemaOfView(made), await keptTypes(prepared))
      const typed: ViewUpdate[] = propertyUpdates(types, declarationsBefore(made, types))
      const metadata = applyViewUpdates(made, typed, { nowMs })
      const updates = before ? [...replaceViewUpdates(version), ...typed] : createViewUpdates(metadata)
      const location = await writeViewMetadata(io, metadata, { previous: before?.location })
      tables.keep({ kind: 'view', name: target, location, metadata })
      await deps.ownsView({ name: target, metadata })
      const requirement = before
        ? ({ type: 'assert-view-uuid', uuid: before.metadata.viewUuid } as const)
        : ({ type: 'assert-create' } as const)
      await become({
        name: target,
        kind: 'view',
        action: published ? 'replace' : 'create',
        location,
        published,
        commit: viewCommitText([requirement], updates),
      })
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

    async kindOf(target) {
      return (await load(target, await loadWhatever(target)))?.kind
    },

    async drop(target) {
      const published = await loadWhatever(target)
      await mayWrite(target, ['drop'])
      const found = await load(target, published)
      if (!found) throw new Failure('TABLE_NOT_FOUND', `there is no table ${showName(target)}`)
      await vanish({ name: found.name, kind: found.kind, published })
    },

    async dropTemporary(namespace) {
      const own = (await publications.changes(id)).filter(
        ({ name }) => isTemporary(name) && name.namespace === namespace,
      )
      await staging.forget(own.map(({ name }) => name))
      for (const { name, kind, location } of own) {
        if (location === null) continue
        const loaded = await tables.open({ name, kind, location })
        for await (const { path } of io.list(loaded.metadata.location)) await io.delete(path)
      }
      // What was dropped or taken back before.
      const folder = joinLocation(deps.lakeRoot, catalog, namespace)
      for await (const { path } of io.list(folder)) await io.delete(path)
    },

    savepoint: staging.savepoint,
    keepOnly: staging.keepOnly,
    putBack: staging.putBack,

    async publish({ unchanged = [] } = {}) {
      for (const stillAllowed of allowed.values()) await stillAllowed()
      return staging.publish(deps.principal, unchanged)
    },
    discard: () => publications.discard(id),
  }
  return takingTurns(self)
}

function checkBranch({ name, metadata }: LoadedTable, branch: string | undefined): void {
  const ref = branch === undefined ? undefined : metadata.refs[branch]
  if (branch === undefined || ref?.type === 'branch') return
  throw new Failure(
    'NOT_FOUND',
    ref
      ? `"${branch}" of ${showName(name)} is a tag, which nobody writes to`
      : `${showName(name)} has no branch "${branch}"`,
    { hint: `Make one first: ALTER TABLE ${name.namespace}.${name.name} CREATE BRANCH …` },
  )
}

/** Of a table or a view. */
const propertyUpdates = (updates: Readonly<Record<string, string>>, removals: readonly string[]) => [
  ...(removals.length > 0 ? [{ action: 'remove-properties', removals } as const] : []),
  ...(Object.keys(updates).length > 0 ? [{ action: 'set-properties', updates } as const] : []),
]

/** How columns were declared that a SELECT passes on, or makes. */
async function keptTypes(
  prepared: Pick<Prepared, 'columns' | 'declared'>,
): Promise<readonly (DeclaredType | undefined)[]> {
  const declared = await prepared.declared()
  return (await prepared.columns()).map(({ type }, at) => {
    const one = declared?.[at]
    return one !== undefined && isKeptAs(one, type) ? one : declaredByType(type)
  })
}

/** The same view, whose schema says something else of a column. */
function commentedColumn(
  metadata: ViewMetadata,
  { column, text }: { column: string; text: string | undefined },
  target: TableName,
  nowMs: number,
): ViewUpdate[] {
  const schema = schemaOfView(metadata)
  const { id } = columnOf(column, schema, target)
  const fields = schema.fields.map((field) => (field.id === id ? { ...field, doc: text } : field))
  const { representations, defaultCatalog, defaultNamespace } = currentViewVersion(metadata)!
  return replaceViewUpdates({ schema: fields, representations, defaultCatalog, defaultNamespace, nowMs })
}

const signalOf = ({ signal }: TableOptions) => (signal ? { signal } : {})
