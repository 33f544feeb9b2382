// The SQL that reads a table's files, as of one plan: `read_parquet` with the columns named by field id, so that a
// renamed, added or widened column needs no rewriting of old files, and without the rows that delete files delete.
//
//   files ──alike?──▶ branches:  by field id, no deletes    read_parquet(…, schema = MAP {id: …})      the usual case
//                                by their own names         read_parquet(…), an expression per column  (file-columns.ts)
//                                with deletes               … WHERE (file, position) NOT IN (…) ANTI JOIN keys ON …
//                                with many of its rows      … WHERE get_bit(bits of the file, position) = 0
//   branches ──UNION ALL──▶ one relation
//
// Branches keep the price of deletes and of old files to the files that have them, and conditions of the query are
// pushed into every `read_parquet`. Positions are checked by NOT IN and not by an anti join, because that keeps the order of
// the rows and never builds its hash table over the data instead of the deletes, whatever DuckDB believes of their sizes.

import { createHash } from 'node:crypto'
import { Failure } from '../../base/failure.ts'
import type { Engine, EngineColumn, HostClass } from '../../engine/index.ts'
import {
  allFields,
  decodeBound,
  fieldById,
  fieldInAnySchema,
  nameMappingOf,
  nameMappingOfSchema,
  placeOf,
  readDeletionVector,
  reservedFields,
  unpartitionedSpecs,
  type DataFile,
  type Default,
  type Field,
  type ScanFile,
  type Schema,
  type TableMetadata,
  type Type,
} from '../../iceberg/index.ts'
import { localPath, type FileIO } from '../../io/index.ts'
import {
  absentSql,
  columnSql,
  fileShapes,
  needsExpressions,
  withMappedIds,
  type FileColumn,
  type FileShape,
  type WantedColumn,
} from './file-columns.ts'
import { quoteFile, quoteName, quoteText } from '../sql/tokens.ts'
import { isReadOnly, literalSql, readOnlyColumn, sqlType } from '../types.ts'

export type ScanSource = {
  /** The table's full name, for messages. */
  table: string
  metadata: TableMetadata
  schema: Schema
  /** Of a plan; all of them and their delete files (`filesToRead`) are at hand under `localPathOf`. */
  files: readonly ScanFile[]
  /** Where deletion vectors are read. */
  io: FileIO
  /** Reads the footers of files whose columns cannot be told from the metadata. */
  engine: Engine
  /** On these hosts; default `interactive`. */
  hosts?: HostClass | undefined
  /** The path on this disk of a location. Default: the location must be local. */
  localPathOf?: ((location: string) => string) | undefined
  /** Columns besides those of the schema, after them in this order. */
  columns?:
    | {
        /** `_boathouse_file`: the data file's location, as the manifest spells it. */
        file?: boolean
        /** `_boathouse_pos`: the row's position in it, from 0. */
        position?: boolean
        /** `_row_id`, `_last_updated_sequence_number` (v3; null where a row has none). */
        rowId?: boolean
      }
    | undefined
  signal?: AbortSignal | undefined
}

const { _row_id: rowIdField, _last_updated_sequence_number: lastUpdatedField } = reservedFields

/**
 * A SELECT over the files, in parentheses, with exactly the columns of `schema` (and those asked for besides).
 * UNSUPPORTED for files that are no Parquet; METADATA_INVALID for damaged files.
 */
export async function scanSql(source: ScanSource): Promise<string> {
  const { table, schema, files } = source
  const outputs = schema.fields.map((field) => ({ ...field, sql: sqlType(field.type) }))
  if (files.length === 0) {
    const empty = [...outputs, ...extraColumns(source)]
    return `(SELECT ${empty.map(({ name, sql }) => `NULL::${sql} AS ${quoteName(name)}`).join(', ')} WHERE false)`
  }
  for (const { file, deletes } of files)
    for (const { path, format, content, keyMetadata } of [file, ...deletes.map(({ file }) => file)]) {
      if (format !== 'parquet' && !(format === 'puffin' && content === 'position-deletes'))
        throw new Failure('UNSUPPORTED', `${table} has files in ${format}; only Parquet is read`)
      if (keyMetadata && keyMetadata.length > 0)
        throw new Failure('UNSUPPORTED', `${table} has encrypted files, which are not read: ${path}`)
    }
  const room = { left: vectorTextMax }
  const branches = await Promise.all((await branchesOf(source)).map((branch) => branchSql(source, branch, room)))
  return `(${branches.join('\nUNION ALL\n')})`
}

/**
 * Why rows of these files cannot be written again as they are: a column that is only read here, or read less than whole.
 * Undefined where they can.
 */
export async function cutColumn(
  source: Pick<ScanSource, 'table' | 'schema' | 'engine' | 'hosts' | 'localPathOf' | 'signal'>,
  files: readonly { path: string }[],
): Promise<Failure | undefined> {
  const only = readOnlyColumn(source.schema)
  if (only) return only
  const zoned = [...allFields(source.schema)].filter(({ type }) => type.kind === 'timestamptz_ns')
  if (zoned.length === 0) return undefined
  const shapes = await shapesOf(source, files)
  const isCut = (id: number, columns: readonly FileColumn[]): boolean =>
    columns.some((column) => (column.id === id && column.isCut) || isCut(id, column.children))
  const cut = zoned.find(({ id }) => [...shapes.values()].some(({ columns }) => isCut(id, columns)))
  if (!cut) return undefined
  return new Failure(
    'UNSUPPORTED',
    `the column "${cut.path}" of ${source.table} has nanoseconds with a time zone, which are read to the microsecond: its rows are not written again`,
    { hint: 'Change and compact this table with the engine that wrote it.' },
  )
}

export function extraColumns({ columns }: Pick<ScanSource, 'columns'>): { name: string; sql: string }[] {
  return [
    ...(columns?.file ? [{ name: '_boathouse_file', sql: 'VARCHAR' }] : []),
    ...(columns?.position ? [{ name: '_boathouse_pos', sql: 'BIGINT' }] : []),
    ...(columns?.rowId
      ? [
          { name: '_row_id', sql: 'BIGINT' },
          { name: '_last_updated_sequence_number', sql: 'BIGINT' },
        ]
      : []),
  ]
}

// --- branches

/** Files that one `read_parquet` reads alike. */
type Branch = {
  files: ScanFile[]
  hasDeletes: boolean
  /** The files' own columns, with ids; undefined: all is found by field id. */
  own: readonly FileColumn[] | undefined
  /** Columns that the files lack and that are the same in all rows of a partition: by field id. */
  constants: readonly Field[]
}

async function branchesOf(source: ScanSource): Promise<Branch[]> {
  const columnsOf = await ownColumns(source)
  const branches = new Map<string, Branch>()
  const numbers = new Map<readonly FileColumn[], number>()
  const dense = new Map<string, number>()
  for (const file of source.files) {
    const own = columnsOf(file.path)
    const constants = own ? constantsOf(source, file, own) : []
    const number = own && (numbers.get(own) ?? numbers.set(own, numbers.size).get(own)!)
    const alike = `${number} ${file.deletes.length > 0} ${constants.map(({ id }) => id).join()}`
    const key = isDense(file) ? `${alike} ${Math.floor(nextOf(dense, alike) / denseAtOnce)}` : alike
    const branch = branches.get(key)
    if (branch) branch.files.push(file)
    else branches.set(key, { files: [file], hasDeletes: file.deletes.length > 0, own, constants })
  }
  return [...branches.values()]
}

/**
 * Whether a deletion vector takes so many of the file's rows that a bit for each row is asked faster than a set of the
 * deleted ones: measured with 0.1 % to 50 %, they meet at some 2 %.
 */
const isDense = ({ recordCount, deletes }: ScanFile) =>
  recordCount < 2 ** 31 && deletes.some(({ file }) => file.format === 'puffin' && file.recordCount * 32 > recordCount)
/** Each row is held against the numbers of the files until its own is found. */
const denseAtOnce = 16

const nextOf = (counts: Map<string, number>, key: string): number => {
  const count = counts.get(key) ?? 0
  counts.set(key, count + 1)
  return count
}

/** Spec, "Column Projection": a column that a file lacks has the value of an identity partition, if there is one. */
function constantsOf({ metadata, schema }: ScanSource, file: ScanFile, own: readonly FileColumn[]): Field[] {
  return identityColumns(metadata, schema, file).filter((field) => columnSql(own, field) === undefined)
}

function identityColumns(metadata: TableMetadata, schema: Schema, { specId }: ScanFile): Field[] {
  const spec = metadata.partitionSpecs.find((spec) => spec.specId === specId)
  return (spec?.fields ?? []).flatMap(({ transform, sourceIds }) => {
    const field = transform.kind === 'identity' ? fieldById(schema, sourceIds[0] ?? 0) : undefined
    return field && field.parents.length === 0 ? [field] : []
  })
}

type ColumnsOf = (path: string) => readonly FileColumn[] | undefined

/** The columns of those files whose columns must be known, by path; undefined for those where field ids are enough. */
async function ownColumns(source: ScanSource): Promise<ColumnsOf> {
  const { metadata, schema, files } = source
  if (nameMappingOf(metadata) || needsNames(metadata, schema)) return columnsOfAll(source, files)
  const doubtful = files.filter((file) => isDoubtful(source, file))
  if (doubtful.length > 0) return columnsOfAll(source, doubtful)
  // A file without ids in a table without a mapping breaks the spec, and by ids its columns would all be null; statistics
  // of a column need not mean that it is in the file. One writer makes all files of a commit: its first and last are asked.
  const commits = Map.groupBy(files, ({ specId, snapshotId }) => `${specId} ${snapshotId}`)
  const asked = [...new Set([...commits.values()].flatMap((some) => [some[0]!, some.at(-1)!]))]
  const [first] = asked
  const shapes = await shapesOf(source, asked)
  const lacks = ({ hasIds, columns }: FileShape, file: ScanFile) =>
    !hasIds || constantsOf(source, file, columns).length > 0 || needsExpressions(columns, allFields(schema))
  if (asked.some((file) => shapes.has(file.path) && lacks(shapes.get(file.path)!, file)))
    return columnsOfAll(source, files)
  // Of a file that is read by ids DuckDB learns too late how large it is: a single one would be read by one thread.
  const isByName = files.length === 1 && !shapes.get(first!.path)?.columns.some(isPlaceName)
  return isByName ? columnsOfAll(source, files) : () => undefined
}

async function shapesOf(
  { engine, hosts, localPathOf = localPath, signal }: Pick<ScanSource, 'engine' | 'hosts' | 'localPathOf' | 'signal'>,
  files: readonly { path: string }[],
): Promise<Map<string, FileShape>> {
  const local = new Map(files.map(({ path }) => [path, localPathOf(path)]))
  const shapes = await fileShapes(engine, [...local.values()], { hosts, signal })
  return new Map([...local].flatMap(([path, there]) => (shapes.has(there) ? [[path, shapes.get(there)!]] : [])))
}

async function columnsOfAll(source: ScanSource, files: readonly { path: string }[]): Promise<ColumnsOf> {
  const shapes = await shapesOf(source, files)
  const mapping = nameMappingOf(source.metadata) ?? nameMappingOfSchema(source.schema)
  const mapped = new Map<FileShape, readonly FileColumn[]>()
  return (path) => {
    const shape = shapes.get(path)
    if (!shape || shape.hasIds) return shape?.columns
    let columns = mapped.get(shape)
    if (!columns) mapped.set(shape, (columns = withMappedIds(shape.columns, mapping)))
    return columns
  }
}

/** Whether the file may lack a partition's column (Hive does not write them), or is compared by a field inside a struct. */
function isDoubtful({ metadata, schema }: ScanSource, file: ScanFile): boolean {
  const { columnSizes, valueCounts } = file.file
  return (
    identityColumns(metadata, schema, file).some(({ id }) => !columnSizes?.has(id) && !valueCounts?.has(id)) ||
    file.deletes.some(({ file }) => file.equalityIds?.some((id) => isNested(metadata, id)))
  )
}

const isNested = (metadata: TableMetadata, id: number) => (fieldInAnySchema(metadata, id)?.parents.length ?? 0) > 0

const answers = new WeakMap<readonly Schema[], Map<number, boolean>>()

/**
 * Whether fields inside structs cannot be found by their names in every file: one was renamed, or dropped and added anew,
 * or has a default; or its name is spelled otherwise in Parquet; or a struct has no field left that it had; or schemas are
 * gone that could tell.
 */
function needsNames({ schemas }: TableMetadata, schema: Schema): boolean {
  let known = answers.get(schemas)
  if (!known) answers.set(schemas, (known = new Map()))
  let answer = known.get(schema.schemaId)
  if (answer === undefined) known.set(schema.schemaId, (answer = hasOtherNames(schemas, schema)))
  return answer
}

function hasOtherNames(schemas: readonly Schema[], schema: Schema): boolean {
  const isEmpty = (value: Default | undefined) =>
    value === undefined || (typeof value === 'object' && 'json' in value && value.json === null)
  const isPlain = (type: Type) => !['struct', 'list', 'map'].includes(type.kind)
  const nested = [...allFields(schema)].filter(({ parents }) => parents.length > 0)
  if ([...allFields(schema)].some((field) => !isPlain(field.type) && !isEmpty(field.initialDefault))) return true
  if (nested.some(({ name, initialDefault }) => !isEmpty(initialDefault) || !/^[A-Za-z_]\w*$/.test(name))) return true
  // PyIceberg writes UUIDs as plain bytes, which DuckDB makes UUIDs of only outside of structs.
  if (nested.some(({ type }) => type.kind === 'uuid')) return true
  if ([...allFields(schema)].some(({ type }) => isReadOnly(type))) return true
  if (nested.length === 0) return false
  // Ids of schemas are given in a row: a gap is a schema that was removed while files written under it may live on.
  const highest = Math.max(...schemas.map(({ schemaId }) => schemaId))
  if (schemas.length <= highest) return true
  const names = new Map<number, string>()
  const ids = new Map<string, number>()
  for (const one of schemas)
    for (const { id, name, parents } of allFields(one)) {
      if (parents.length === 0) continue
      const place = `${parents.at(-1)} ${name.toLowerCase()}`
      if ((names.get(id) ?? place) !== place || (ids.get(place) ?? id) !== id) return true
      names.set(id, place)
      ids.set(place, id)
    }
  const now = Map.groupBy(nested, ({ parents }) => parents.at(-1))
  return schemas.some((one) => {
    const then = Map.groupBy(allFields(one), ({ parents }) => parents.at(-1))
    return [...now].some(([struct, fields]) => {
      const kept = then.get(struct)
      return kept !== undefined && !fields.some(({ id }) => kept.some((field) => field.id === id))
    })
  })
}

// --- SQL of one branch

/** How many letters the texts of deleted positions may still have. */
type Room = { left: number }

async function branchSql(source: ScanSource, branch: Branch, room: Room): Promise<string> {
  const { schema, columns } = source
  const { files, own, constants, hasDeletes } = branch
  const misleads = (field: Floats) => files.some(({ file }) => mayHaveNan(file, field) || mayHideZeros(file, field))
  if (!hasDeletes && constants.length === 0 && extraColumns(source).length === 0) {
    const columns = schema.fields.map((field) => ({ field, as: field.name }))
    return readFiles(source, files, own, columns, { misleads })
  }

  const keys = hasDeletes ? await equalityGroups(source, branch) : []
  const conditions = hasDeletes ? await positionConditions(source, branch, room) : []
  const constant = new Set(constants.map(({ id }) => id))
  const lineage = columns?.rowId ? [lineageField(rowIdField), lineageField(lastUpdatedField)] : []
  const hidden = keys.flatMap(({ fields }) => fields)
  const wanted = new Map([...schema.fields, ...lineage, ...hidden].map((field) => [field.id, field]))
  for (const id of constant) wanted.delete(id)
  const inner = readFiles(
    source,
    files,
    own,
    [...wanted.values()].map((field) => ({ field, as: `c${field.id}` })),
    { withPlace: true, misleads },
  )
  const valueOf = ({ id }: Pick<Field, 'id'>) => (constant.has(id) ? `f.p${id}` : `d.c${id}`)
  const outputs = [
    ...schema.fields.map((field) => `${valueOf(field)} AS ${quoteName(field.name)}`),
    ...(columns?.file ? ['f.path AS _boathouse_file'] : []),
    ...(columns?.position ? ['d.pos AS _boathouse_pos'] : []),
    ...(columns?.rowId
      ? [
          `coalesce(d.c${rowIdField}, f.first_row_id + d.pos) AS _row_id`,
          `coalesce(d.c${lastUpdatedField}, f.added) AS _last_updated_sequence_number`,
        ]
      : []),
  ]
  const needsFacts = keys.length > 0 || constants.length > 0 || columns?.file || columns?.rowId
  const from = [
    `(${inner}) d`,
    ...(needsFacts ? [`JOIN ${factsSql(source, branch)} ON f.fi = d.fi`] : []),
    ...keys.map(({ sql, fields, isScoped }, index) => {
      const e = `e${index}`
      const same = fields.map((field) => `${e}.k${field.id} IS NOT DISTINCT FROM ${valueOf(field)}`)
      const place = isScoped ? [`${e}.place = f.place`] : []
      return `ANTI JOIN (${sql}) ${e} ON ${[...same, ...place, `${e}.seq > f.seq`].join(' AND ')}`
    }),
  ]
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  return `SELECT ${outputs.join(', ')} FROM ${from.join(' ')}${where}`
}

const lineageField = (id: number): WantedColumn => ({ id, type: { kind: 'long' } })

/** DuckDB has these names for a row's place, and none other. */
const isPlaceName = ({ name }: FileColumn) => /^file_(index|row_number)$/i.test(name)

type Reading = {
  /** Also `fi`, the file's place in the list, and `pos`, the row's in the file. */
  withPlace?: boolean
  /** Whether what some file says of a column of floats, or of a field in it, is not all that it holds. */
  misleads?: (field: Floats) => boolean
}

/** A SELECT of the columns. */
function readFiles(
  { table, localPathOf = localPath }: ScanSource,
  files: readonly { path: string; recordCount: number }[],
  own: readonly FileColumn[] | undefined,
  columns: readonly { field: WantedColumn; as: string }[],
  { withPlace = false, misleads = () => false }: Reading = {},
): string {
  const list = `[${files.map(({ path }) => quoteFile(localPathOf(path))).join(', ')}]`
  const place = withPlace ? ['file_index::BIGINT AS fi', 'file_row_number AS pos'] : []
  if (own) {
    const taken = own.find(isPlaceName)
    if (withPlace && taken)
      throw new Failure('UNSUPPORTED', `${table} has files with a column "${taken.name}", a name that DuckDB needs`)
    const values = columns.map(({ field, as }) => {
      const value = columnSql(own, field)
      const sql = value !== undefined && isMisread(field, misleads) ? unfiltered(value) : (value ?? absentSql(field))
      return `${sql} AS ${quoteName(as)}`
    })
    // A folder named `day=5` must not answer for what is in the file.
    return `SELECT ${[...values, ...place].join(', ')} FROM read_parquet(${list}, hive_partitioning = false)`
  }
  const entries = columns.map(({ field, as }) => {
    const { initialDefault } = field
    const absent =
      initialDefault === undefined || (typeof initialDefault === 'object' && 'json' in initialDefault)
        ? 'NULL'
        : literalSql(field.type, initialDefault)
    return `${field.id}: {name: ${quoteText(as)}, type: ${quoteText(sqlType(field.type))}, default_value: ${absent}}`
  })
  // Fields of structs that are found by id are not held against statistics anyway.
  const names = columns.map(({ field, as }) =>
    field.type.kind !== 'struct' && isMisread(field, misleads)
      ? `${unfiltered(quoteName(as))} AS ${quoteName(as)}`
      : quoteName(as),
  )
  // With a schema DuckDB looks into no file before it plans, and would think that each has 1,000 rows.
  const rows = files.reduce((sum, { recordCount }) => sum + recordCount, 0)
  return `SELECT ${[...names, ...place].join(', ')} FROM read_parquet(${list}, schema = MAP {${entries.join(', ')}}, explicit_cardinality = ${rows})`
}

/** A condition on a call is not held against what Parquet says of a column. */
const unfiltered = (sql: string) => `greatest(${sql})`

/**
 * Whether DuckDB would skip rows by what Parquet says of a column (scan.test.ts). Its statistics leave out NaN, which is larger
 * than every number here: of other writers' files `> 1`, `<> 1` and `= 'NaN'` would find fewer rows. A Bloom filter knows 0.0 and
 * -0.0 apart, which are equal. And DuckDB looks for bytes in Bloom filters, also in its own, by their text: `= '\x80'` would
 * find none.
 */
function isMisread({ id, type }: Pick<WantedColumn, 'id' | 'type'>, misleads: (field: Floats) => boolean): boolean {
  switch (type.kind) {
    case 'struct':
      return type.fields.some((field) => isMisread(field, misleads))
    case 'float':
    case 'double':
      return misleads({ id, type })
    case 'binary':
    case 'fixed':
      return true
    default:
      return false
  }
}

type Floats = { id: number; type: Type }

const mayHaveNan = ({ nanCounts }: DataFile, { id }: Floats): boolean => nanCounts?.get(id) !== 0

/** Ours have no Bloom filters where there are floats (`write.ts`). */
function mayHideZeros({ path, lowerBounds, upperBounds }: DataFile, { id, type }: Floats): boolean {
  if (/\/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}-\d+\.parquet$/.test(path)) return false
  const bound = (bounds: DataFile['lowerBounds']) => {
    const bytes = bounds?.get(id)
    return bytes && decodeBound(type, bytes)
  }
  const [lower, upper] = [bound(lowerBounds), bound(upperBounds)]
  return !(typeof lower === 'number' && lower > 0) && !(typeof upper === 'number' && upper < 0)
}

/** What the manifests say of each file, for those that must know: one row a file. */
function factsSql({ metadata }: ScanSource, { files, constants }: Branch): string {
  const names = ['fi', 'seq', 'added', 'first_row_id', 'path', 'place', ...constants.map(({ id }) => `p${id}`)]
  const rows = files.map((file, index) => {
    const spec = metadata.partitionSpecs.find(({ specId }) => specId === file.specId)
    const values = constants.map(({ id, type }) => {
      const at = spec!.fields.findIndex(
        ({ transform, sourceIds }) => transform.kind === 'identity' && sourceIds[0] === id,
      )
      const value = file.partition[at] ?? null
      return `${value === null ? 'NULL' : literalSql(type, value)}::${sqlType(type)}`
    })
    const numbers = [
      index,
      file.sequenceNumber,
      file.fileSequenceNumber ?? file.sequenceNumber,
      file.file.firstRowId ?? 'NULL',
    ].map((number) => `${number}::BIGINT`)
    return row([...numbers, quoteText(file.path), quoteText(placeOf(file)), ...values])
  })
  return `(VALUES ${rows.join(', ')}) f(${names.join(', ')})`
}

const row = (values: readonly (string | number)[]) => `(${values.join(', ')})`

// --- deletes by position

/** What holds for a row `d` of the branch, by its file's place and its own, that no delete by position is about. */
async function positionConditions(source: ScanSource, { files }: Branch, room: Room): Promise<string[]> {
  const vectors: Vector[] = []
  const dense: DenseVector[] = []
  const listed: { index: number; file: ScanFile }[] = []
  const deletes = new Map<string, Delete>()
  files.forEach((file, index) => {
    const byPosition = file.deletes.filter(({ file }) => file.content === 'position-deletes')
    for (const one of byPosition)
      if (one.file.format !== 'puffin') deletes.set(one.file.path, one)
      else if (isDense(file)) dense.push({ index, file: one.file, recordCount: file.recordCount })
      else vectors.push({ index, file: one.file })
    if (byPosition.some(({ file }) => file.format !== 'puffin')) listed.push({ index, file })
  })
  const parts = [
    ...(listed.length > 0 ? [deleteFilesSql(source, listed, [...deletes.values()])] : []),
    ...(await vectorsSql(source, vectors, room)),
  ]
  return [
    ...(parts.length > 0 ? [`(d.fi, d.pos) NOT IN (${parts.join(' UNION ALL ')})`] : []),
    ...(dense.length > 0 ? [await bitsSql(source, dense, room)] : []),
  ]
}

/**
 * Position delete files: read once for all files that they may be about. A row of them counts only for a file of the same
 * partition that is not newer than the delete (spec, "Scan Planning").
 */
function deleteFilesSql(
  { localPathOf = localPath }: ScanSource,
  files: readonly { index: number; file: ScanFile }[],
  deletes: readonly Delete[],
): string {
  const list = deletes.map(({ file }) => quoteFile(localPathOf(file.path)))
  const about = deletes.map(({ file, sequenceNumber }, index) =>
    row([`${index}::BIGINT`, `${sequenceNumber}::BIGINT`, quoteText(placeOf(file))]),
  )
  const targets = files.map(({ index, file }) =>
    row([`${index}::BIGINT`, quoteText(file.path), `${file.sequenceNumber}::BIGINT`, quoteText(placeOf(file))]),
  )
  return [
    'SELECT t.fi, p.pos',
    // The specification fixes the names of both columns: they are found also where a writer left the ids out.
    `FROM (SELECT file_path, pos, file_index::BIGINT AS di FROM read_parquet([${list.join(', ')}], hive_partitioning = false)) p`,
    `JOIN (VALUES ${about.join(', ')}) a(di, seq, place) ON a.di = p.di`,
    `JOIN (VALUES ${targets.join(', ')}) t(fi, path, seq, place)`,
    'ON t.path = p.file_path AND t.place = a.place AND t.seq <= a.seq',
    // NOT IN would leave out every row of a file for one position that is null.
    'WHERE p.pos IS NOT NULL',
  ].join(' ')
}

/** Texts of positions are split by DuckDB itself: a list of as many constants would take it ten times as long. */
const vectorTextMax = 64 * 1024 * 1024

/** `index`: of the data file in the branch. */
type Vector = { index: number; file: DataFile }
type DenseVector = Vector & { recordCount: number }

function takeRoom({ table }: ScanSource, room: Room, length: number) {
  room.left -= length
  if (room.left < 0)
    throw new Failure('QUERY_TOO_LARGE', `${table} has more deleted rows in this query than can be left out of it`, {
      hint: 'Narrow the query, or compact the table: rewriting its data files removes deleted rows.',
    })
}

/** A bit for each row of a file, as a constant that DuckDB makes once. */
async function bitsSql(source: ScanSource, vectors: readonly DenseVector[], room: Room): Promise<string> {
  const arms: string[] = []
  for (const { index, file, recordCount } of vectors) {
    const ranges = [...(await readDeletionVector(source.io, file, source.signal)).ranges()]
    // A manifest may say too few rows, and the vector name some beyond them.
    const size = Math.ceil(Math.max(recordCount, ranges.at(-1)?.[1] ?? 0) / 8)
    takeRoom(source, room, Math.ceil(size / 3) * 4)
    const bits = Buffer.alloc(size)
    for (const [start, end] of ranges) for (let at = start; at < end; at++) bits[at >>> 3]! |= 0x80 >>> (at & 7)
    const bit = `get_bit(from_base64('${bits.toString('base64')}')::BIT, d.pos::INTEGER)`
    arms.push(`WHEN ${index} THEN CASE WHEN d.pos < ${size * 8} THEN ${bit} ELSE 0 END`)
  }
  return `CASE d.fi ${arms.join(' ')} END = 0`
}

async function vectorsSql(source: ScanSource, vectors: readonly Vector[], room: Room): Promise<string[]> {
  const singles: string[] = []
  const runs: string[] = []
  for (const { index, file } of vectors) {
    const positions: number[] = []
    const [starts, ends]: [number[], number[]] = [[], []]
    for (const [start, end] of (await readDeletionVector(source.io, file, source.signal)).ranges()) {
      if (end - start < 3) for (let at = start; at < end; at++) positions.push(at)
      else {
        starts.push(start)
        ends.push(end)
      }
    }
    const texts = [positions, starts, ends].map((numbers) => numbers.join())
    takeRoom(
      source,
      room,
      texts.reduce((sum, text) => sum + text.length, 0),
    )
    const [single, from, to] = texts.map(quoteText) as [string, string, string]
    if (positions.length > 0) singles.push(row([`${index}::BIGINT`, single]))
    if (starts.length > 0) runs.push(row([`${index}::BIGINT`, from, to]))
  }
  const numbers = (text: string) => `unnest(string_split(${text}, ','))::BIGINT`
  return [
    ...(singles.length > 0
      ? [`SELECT fi, ${numbers('positions')} AS pos FROM (VALUES ${singles.join(', ')}) v(fi, positions)`]
      : []),
    ...(runs.length > 0
      ? [
          `SELECT fi, unnest(range(a, b)) AS pos FROM (SELECT fi, ${numbers('starts')} AS a, ${numbers('ends')} AS b FROM (VALUES ${runs.join(', ')}) v(fi, starts, ends))`,
        ]
      : []),
  ]
}

// --- deletes by value

/** Equality delete files that compare the same columns. */
type EqualityGroup = {
  fields: readonly Field[]
  /** Whether they are about one partition, or about all. */
  isScoped: boolean
  /** A SELECT of `k<id>` for each field, `place` and `seq`: the newest delete of each key. */
  sql: string
}

type Delete = { file: DataFile; sequenceNumber: bigint }

async function equalityGroups(source: ScanSource, { files }: Branch): Promise<EqualityGroup[]> {
  const everywhere = unpartitionedSpecs(source.metadata)
  const groups = new Map<string, { ids: number[]; isScoped: boolean; deletes: Map<string, Delete> }>()
  for (const { deletes } of files)
    for (const one of deletes) {
      const { content, equalityIds = [], specId, path } = one.file
      if (content !== 'equality-deletes') continue
      if (equalityIds.length === 0)
        throw new Failure('METADATA_INVALID', `${source.table}: the equality deletes ${path} name no columns`)
      const ids = [...new Set(equalityIds)].sort((a, b) => a - b)
      const isScoped = !everywhere.has(specId)
      const key = `${isScoped} ${ids.join()}`
      const group = groups.get(key) ?? { ids, isScoped, deletes: new Map() }
      group.deletes.set(path, one)
      groups.set(key, group)
    }
  return Promise.all(
    [...groups.values()].map(async ({ ids, isScoped, deletes }) => {
      const fields = ids.map((id) => comparedField(source, id))
      return { fields, isScoped, sql: await keysSql(source, fields, isScoped, [...deletes.values()]) }
    }),
  )
}

/** Also of columns that were dropped since: their values are still in the files. */
function comparedField({ table, metadata, schema }: ScanSource, id: number): Field {
  const field = fieldById(schema, id) ?? fieldInAnySchema(metadata, id)
  if (!field)
    throw new Failure('METADATA_INVALID', `${table}: equality deletes compare field ${id}, which is not known`)
  return field
}

async function keysSql(
  source: ScanSource,
  fields: readonly Field[],
  isScoped: boolean,
  deletes: readonly Delete[],
): Promise<string> {
  const files = deletes.map(({ file }) => file)
  // Of a file without ids all keys would be null, and rows without values would go.
  const shapes = await shapesOf(source, [...new Set([files[0]!, files.at(-1)!])])
  const isPlain =
    !nameMappingOf(source.metadata) &&
    !fields.some(({ id }) => isNested(source.metadata, id)) &&
    [...shapes.values()].every(({ hasIds, columns }) => hasIds && !needsExpressions(columns, fields))
  const columnsOf = isPlain ? () => undefined : await columnsOfAll(source, files)
  const parts = [...Map.groupBy(deletes, ({ file }) => columnsOf(file.path))].map(([own, some]) => {
    const columns = fields.map((field) => ({ field, as: `k${field.id}` }))
    const about = some.map(({ file, sequenceNumber }, index) =>
      row([`${index}::BIGINT`, `${sequenceNumber}::BIGINT`, isScoped ? quoteText(placeOf(file)) : "''"]),
    )
    return `SELECT * EXCLUDE (fi, pos, di) FROM (${readFiles(
      source,
      some.map(({ file }) => file),
      own,
      columns,
      { withPlace: true },
    )}) r JOIN (VALUES ${about.join(', ')}) a(di, seq, place) ON a.di = r.fi`
  })
  const keys = [...fields.map(({ id }) => `k${id}`), 'place']
  return `SELECT ${keys.join(', ')}, max(seq) AS seq FROM (${parts.join(' UNION ALL ')}) GROUP BY ${keys.join(', ')}`
}

// --- the planning host

/** The empty stand-in for a table on the planning host. `use` tells several uses in one statement apart. */
export type Shadow = { name: string; ddl: string }

export function shadowOf(
  schema: Schema,
  use: number,
  extra: ScanSource['columns'] = {},
  typeOf: (field: Field) => string = ({ type }) => sqlType(type),
): Shadow {
  const columns = [
    ...schema.fields.map((field) => `${quoteName(field.name)} ${typeOf(field)}`),
    ...extraColumns({ columns: extra }).map(({ name, sql }) => `${name} ${sql}`),
  ].join(', ')
  return shadowNamed(columns, use)
}

/** The same for columns of the engine's types: nothing is asked of such a shadow but its columns, so uses need no telling apart. */
export const shadowOfColumns = (columns: readonly EngineColumn[]): Shadow =>
  shadowNamed(columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', '), 0)

function shadowNamed(columns: string, use: number): Shadow {
  const name = `s_${createHash('sha256').update(columns).digest('hex').slice(0, 20)}_${use}`
  // A table needs a column; a table without any is legal in Iceberg and useless in SQL.
  return { name, ddl: `CREATE TABLE IF NOT EXISTS ${name} (${columns || '"no columns" INTEGER'})` }
}
