// Changes of single rows: which rows go and which come is one SELECT, run once and kept as a file. What follows is either
// copy-on-write (files that lose rows are written again) or merge-on-read (delete files say which rows are gone).
//
//   SELECT file, position, new, columns… ──COPY──▶ changed.parquet ──▶ rows that come ─────────▶ data files ─┐
//                                                  └─────────▶ rows that stay │ delete files ────────┴▶ one commit

import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { assert } from '../../base/assert.ts'
import { Failure } from '../../base/failure.ts'
import { showName, type LoadedTable } from '../../catalog/index.ts'
import {
  currentSchema,
  defaultSortOrder,
  defaultSpec,
  placeOf,
  Positions,
  prepareOverwrite,
  prepareRowDelta,
  readDeletionVector,
  totalBytes,
  type CheckedOptions,
  type Isolation,
  type NewDeleteFile,
  type Predicate,
  type PreparedWrite,
  type ScanFile,
} from '../../iceberg/index.ts'
import type { FileLease } from '../../io/index.ts'
import { isByPartition, placeVectors, writePositionFiles } from './delete-files.ts'
import type { Prepared } from '../prepare.ts'
import { cutColumn, scanSql } from '../scan/scan.ts'
import { quoteFile, quoteName, quoteText } from '../sql/tokens.ts'
import { forParquet } from '../types.ts'
import { writtenSchema } from './computed-defaults.ts'
import { storedSql } from './declared-types.ts'
import { holdKeys, type Holding } from './enforced-keys.ts'
import { meetingChecks } from './row-checks.ts'
import { beginFiles, limitsOf, type FilesUnderWay, type Workshop } from './write.ts'

export type RowOperation = 'delete' | 'update' | 'merge'

export type RowsChanged = {
  /** Undefined when no row was changed. */
  write: PreparedWrite | undefined
  deleted: number
  inserted: number
  /** Rows that went, came or are others now. */
  changed: number
  /** Data files and delete files that were written. */
  files: number
  bytes: number
  /** When the data files are durable. */
  placed: Promise<void>
}

/** How long what is asked may take, and in which zone. */
type Limits = Parameters<typeof limitsOf>[0]
type Options = {
  operation: RowOperation
  summary: Record<string, string>
  /** Against what happened since then the change is checked. */
  since: Pick<CheckedOptions, 'startingSnapshotId' | 'own' | 'branch'>
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
  /** As in `TableOptions`. */
  onRows?: ((from: string) => Promise<void>) | undefined
  uniqueBy?: readonly string[] | undefined
  mayRefuse?: boolean | undefined
  holding?: Holding | undefined
}

const nothing: FilesUnderWay = { files: [], placed: Promise.resolve() }

/** Files that lose more than this part of their rows are written again: docs/decisions/0004 says why. */
const rewriteAbove = 0.1

/**
 * `changed` gives one row for each row that goes or comes: `_boathouse_file`, `_boathouse_pos` (null: a row that only comes), `_boathouse_new` (whether
 * a row comes), the columns of the table with their new values, and for tables of version 3 `_row_id`. It reads `table`.
 * SQL_INVALID when one row of the table is changed twice.
 */
export async function changeRows(
  workshop: Workshop,
  table: LoadedTable,
  changed: Prepared,
  options: Options,
): Promise<RowsChanged> {
  const folder = join(workshop.spoolDir, `change-${randomUUID()}`)
  const limits = { timeoutMs: options.timeoutMs, timeZone: changed.timeZone, signal: options.signal }
  const rows = asking(workshop, limits)
  let lease: FileLease | undefined
  try {
    await mkdir(folder, { recursive: true })
    const staged = join(folder, 'changed.parquet')
    const planned = await changed.execute()
    const { scans } = planned
    lease = planned.lease
    const met = await stage(forParquet(planned.sql, await changed.columns(), { kept: true }), staged, rows)
    const once = join(folder, 'once.parquet')
    const { from, counted } = options.operation === 'update' ? await eachOnce(met, once, rows) : await asMet(met, rows)
    const gone = new Map<string, number>()
    let [inserted, all] = [0, 0]
    for (const [file, count, distinct, news] of counted) {
      inserted += Number(news)
      all += Number(count)
      if (file === null) continue
      if (Number(count) !== Number(distinct))
        throw new Failure('SQL_INVALID', `a row of ${showName(table.name)} would be changed twice by one statement`, {
          hint: 'See that each row of the table meets at most one row of the other side, for example by QUALIFY row_number() OVER (PARTITION BY key) = 1.',
        })
      gone.set(String(file), Number(count))
    }
    await checkRefused(from, options.mayRefuse, rows)
    await checkUnique(from, table, options.uniqueBy, rows)
    // A statement's values are of its own types; a column's are those of the table.
    const values = writtenSchema(table.metadata).fields.map(
      (field) => `${storedSql(quoteName(field.name), field)} AS ${quoteName(field.name)}`,
    )
    const moving = {
      come: `(SELECT ${values.join(', ')} FROM ${from} WHERE _boathouse_new)`,
      ...(gone.size > 0 && { gone: from }),
    }
    const held = options.holding && inserted > 0 ? await holdKeys(table, moving, options.holding) : undefined
    await options.onRows?.(from)
    const deleted = [...gone.values()].reduce((sum, count) => sum + count, 0)
    if (deleted === 0 && inserted === 0)
      return { write: undefined, deleted, inserted, changed: 0, files: 0, bytes: 0, placed: nothing.placed }

    const { metadata } = table
    const schema = currentSchema(metadata)
    const scan = scans.find(({ isChanged }) => isChanged)
    const concerned = (scan?.files ?? []).filter(({ path }) => gone.has(path))
    assert(concerned.length === gone.size, 'each row that goes is of a file that was planned')
    const mode = metadata.properties[`write.${options.operation}.mode`]?.toLowerCase()
    const source = {
      table: showName(table.name),
      metadata,
      schema,
      io: workshop.io,
      engine: workshop.engine,
      hosts: 'write',
      localPathOf: lease.pathOf,
      signal: options.signal,
    } as const
    const cut = await cutColumn(source, concerned)
    if (cut && (inserted > 0 || mode === 'copy-on-write')) throw cut
    const lineage = metadata.formatVersion >= 3
    const columns = schema.fields.map(({ name }) => quoteName(name)).join(', ')
    const rowsThatCome = `SELECT ${values.join(', ')}${lineage ? ', _row_id, NULL::BIGINT AS _last_updated_sequence_number' : ''} FROM ${from} WHERE _boathouse_new`
    const checked = { ...schema, properties: metadata.properties }
    const comes = inserted > 0 ? await meetingChecks(rowsThatCome, table.name, checked, { ...workshop, ...limits }) : ''
    const write = (select: string) =>
      beginFiles(workshop, {
        select,
        schema,
        spec: defaultSpec(metadata),
        sortOrder: defaultSortOrder(metadata),
        location: metadata.location,
        properties: metadata.properties,
        lineage,
        ...limits,
      })
    const since = {
      ...options.since,
      summary: options.summary,
      signal: options.signal,
      isolation: held
        ? ('serializable' as const)
        : isolationOf(metadata.properties[`write.${options.operation}.isolation-level`]),
      conflictFilter: held && scan ? either(scan.predicate, held.others) : held ? held.others : scan?.predicate,
    }

    if (deleted > 0 && !cut && isCopied(table, mode, concerned, deleted)) {
      const partly = concerned.filter(({ path, recordCount }) => gone.get(path)! < recordCount)
      const stay =
        partly.length === 0
          ? undefined
          : `SELECT ${columns}${lineage ? ', _row_id, _last_updated_sequence_number' : ''} FROM ${await scanSql({
              ...source,
              files: partly,
              columns: { file: true, position: true, rowId: lineage },
            })} AS stays WHERE (_boathouse_file, _boathouse_pos) NOT IN (SELECT (_boathouse_file, _boathouse_pos) FROM ${from} WHERE _boathouse_file IS NOT NULL)`
      const selects = [...(stay ? [stay] : []), ...(inserted > 0 ? [comes] : [])]
      const { files: added, placed } = selects.length === 0 ? nothing : await write(selects.join(' UNION ALL '))
      const prepared = await prepareOverwrite(
        workshop.io,
        metadata,
        { remove: { files: concerned.map(({ file }) => file) }, add: added },
        since,
      )
      return { write: prepared, deleted, inserted, changed: all, files: added.length, bytes: totalBytes(added), placed }
    }

    const whole = concerned.filter((file) => gone.get(file.path) === liveRows(file))
    const wholePaths = new Set(whole.map(({ path }) => path))
    const partly = concerned.filter(({ path }) => !wholePaths.has(path))
    const { files: added, placed } = inserted > 0 ? await write(comes) : nothing
    const deletes =
      metadata.formatVersion >= 3
        ? await writeVectors(workshop, table, partly, from, lease, rows, options.signal)
        : await writePositions(workshop, table, partly, from, folder, rows, options.signal)
    const prepared = await prepareRowDelta(
      workshop.io,
      metadata,
      {
        addFiles: added,
        addDeletes: deletes.added,
        removeDeletes: deletes.removed,
        removeFiles: whole.map(({ file }) => file),
        referencedFiles: partly.map(({ path }) => path),
        readsTable: true,
      },
      since,
    )
    return {
      write: prepared,
      deleted,
      inserted,
      changed: all,
      files: added.length + deletes.added.length,
      bytes: totalBytes(added) + totalBytes(deletes.added),
      placed,
    }
  } finally {
    lease?.release()
    await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}

/** The column of a text that MERGE … THEN ERROR gives. */
export const refusal = '_boathouse_refusal'

async function checkRefused(from: string, mayRefuse: boolean | undefined, rows: Rows) {
  const [refused] = mayRefuse ? await rows(`SELECT ${refusal} FROM ${from} WHERE ${refusal} IS NOT NULL LIMIT 1`) : []
  if (refused) throw new Failure('QUERY_FAILED', String(refused[0]))
}

/** No index holds a key to be unique: what one statement gives is at least not given twice. */
async function checkUnique(from: string, { name }: LoadedTable, key: readonly string[] | undefined, rows: Rows) {
  if (!key) return
  const names = key.map(quoteName)
  const known = names.map((one) => `${one} IS NOT NULL`).join(' AND ')
  const [twice] = await rows(
    `SELECT 1 FROM ${from} WHERE _boathouse_new AND ${known} GROUP BY ${names.join(', ')} HAVING count(*) > 1 LIMIT 1`,
  )
  if (twice)
    throw new Failure(
      'SQL_INVALID',
      `two rows with the same ${key.join(', ')} would come into ${showName(name)} by one statement`,
      {
        hint: 'Give one of them only, for example by QUALIFY row_number() OVER (PARTITION BY key) = 1.',
        sqlState: '21000',
      },
    )
}

/** The rows of a SELECT in a file, for `work`. */
export async function withRows<Done>(
  workshop: Pick<Workshop, 'spoolDir' | 'engine'>,
  select: string,
  limits: Limits,
  work: (from: string) => Promise<Done>,
): Promise<Done> {
  const folder = join(workshop.spoolDir, `change-${randomUUID()}`)
  try {
    await mkdir(folder, { recursive: true })
    return await work(await stage(select, join(folder, 'rows.parquet'), asking(workshop, limits)))
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}

const asking =
  ({ engine }: Pick<Workshop, 'engine'>, limits: Limits): Rows =>
  (sql) =>
    engine.rows({ class: 'write', sql, ...limitsOf(limits) })

type Met = { from: string; counted: unknown[][] }

/** By file: how many rows there are, of how many places, and how many of them come. */
async function asMet(from: string, rows: Rows): Promise<Met> {
  const counted = await rows(
    `SELECT _boathouse_file, count(*), count(DISTINCT _boathouse_pos), count(*) FILTER (_boathouse_new) FROM ${from} GROUP BY _boathouse_file`,
  )
  return { from, counted }
}

/** A row that meets several of the other side and becomes the same by each is changed once, as wherever UPDATE has a FROM. */
async function eachOnce(met: string, file: string, rows: Rows): Promise<Met> {
  const all = await asMet(met, rows)
  const isOnce = all.counted.every(([, count, places]) => Number(count) === Number(places))
  return isOnce ? all : asMet(await stage(`SELECT DISTINCT * FROM ${met}`, file, rows), rows)
}

/** Keeps the rows of a SELECT in a file; gives what stands behind FROM to read it. */
async function stage(select: string, file: string, rows: Rows): Promise<string> {
  await rows(`COPY (${select}) TO ${quoteText(file)} (FORMAT parquet, COMPRESSION lz4_raw)`)
  return `read_parquet(${quoteFile(file)})`
}

/** What is not known is everything. */
const either = (one: Predicate | undefined, other: Predicate | undefined): Predicate | undefined =>
  one && other ? { op: 'or', of: [one, other] } : undefined

const isolationOf = (text: string | undefined): Isolation =>
  text?.toLowerCase() === 'snapshot' ? 'snapshot' : 'serializable'

/** `mode` is `write.delete.mode` and so on; without it the cheaper way for this many rows. */
function isCopied(
  { metadata }: LoadedTable,
  mode: string | undefined,
  concerned: readonly ScanFile[],
  deleted: number,
) {
  if (metadata.formatVersion === 1) return true
  if (mode === 'copy-on-write' || mode === 'merge-on-read') return mode === 'copy-on-write'
  return deleted > rewriteAbove * concerned.reduce((sum, { recordCount }) => sum + recordCount, 0)
}

/** Undefined where deletes may overlap, or may be about other files too. */
function liveRows({ path, recordCount, deletes }: ScanFile): number | undefined {
  if (deletes.some(({ file }) => file.content !== 'position-deletes' || file.referencedDataFile !== path))
    return undefined
  return recordCount - deletes.reduce((sum, { file }) => sum + file.recordCount, 0)
}

type Rows = (sql: string) => Promise<unknown[][]>
type Deletes = { added: NewDeleteFile[]; removed: { path: string }[] }

/**
 * A file of positions for each data file or each partition. One about several data files is a conflict for writers of
 * every data file whose path lies between theirs, and is read with each of them.
 */
async function writePositions(
  workshop: Workshop,
  { metadata }: LoadedTable,
  files: readonly ScanFile[],
  from: string,
  folder: string,
  rows: Rows,
  signal: AbortSignal | undefined,
): Promise<Deletes> {
  const byPartition = isByPartition(metadata)
  const added = await writePositionFiles(
    workshop,
    metadata,
    {
      groups: [...Map.groupBy(files, ({ file, path }) => (byPartition ? placeOf(file) : path)).values()],
      positions: `(SELECT _boathouse_file AS file_path, _boathouse_pos AS pos FROM ${from})`,
      folder: join(folder, 'deletes'),
    },
    rows,
    signal,
  )
  return { added, removed: [] }
}

/** Each data file has one vector of all its deleted rows, so the new one takes over what was deleted before. */
async function writeVectors(
  { io }: Workshop,
  { metadata }: LoadedTable,
  files: readonly ScanFile[],
  from: string,
  lease: FileLease,
  rows: Rows,
  signal: AbortSignal | undefined,
): Promise<Deletes> {
  if (files.length === 0) return { added: [], removed: [] }
  const vectors = new Map<string, Positions>()
  const removed = new Map<string, { path: string }>()
  for (const { path, deletes } of files) {
    const positions = new Positions()
    vectors.set(path, positions)
    for (const { file } of deletes) {
      if (file.content !== 'position-deletes') continue
      if (file.format === 'puffin') positions.addAll(await readDeletionVector(io, file))
      else {
        // Written before the table became version 3.
        const old = await rows(
          `SELECT pos FROM read_parquet(${quoteFile(lease.pathOf(file.path))}, hive_partitioning = false) WHERE file_path = ${quoteText(path)} AND pos IS NOT NULL`,
        )
        for (const [position] of old) positions.add(Number(position))
        if (file.referencedDataFile === path) removed.set(file.path, file)
      }
    }
  }
  const paths = files.map(({ path }) => quoteText(path)).join(', ')
  for (const [path, positions] of await rows(
    `SELECT _boathouse_file, to_json(list(_boathouse_pos ORDER BY _boathouse_pos))::VARCHAR FROM ${from} WHERE _boathouse_file IN (${paths}) GROUP BY _boathouse_file`,
  ))
    for (const position of JSON.parse(String(positions)) as number[]) vectors.get(String(path))!.add(position)
  const placed = files.map(({ path, specId, partition }) => ({
    referencedDataFile: path,
    positions: vectors.get(path)!,
    specId,
    partition,
  }))
  const added = await placeVectors(io, metadata, placed, signal)
  return { added, removed: [...removed.values()] }
}
