// What a change set offers: writes of tables that nobody sees until they are published together.

import type { Loaded, PendingChange, Publication, ReadPointer, TableName } from '../../catalog/index.ts'
import type { Column } from '../../contract/index.ts'
import type { Privilege } from '../../govern/index.ts'
import type {
  NewField,
  NewPartitionField,
  OnOptions,
  PreparedWrite,
  replaceSortOrder,
  TableChange,
  TableMetadata,
  Value,
} from '../../iceberg/index.ts'
import type { FileIO } from '../../io/index.ts'
import type { ToldRows } from '../sources.ts'
import type { JoinKey, KeyBounds } from './key-bounds.ts'
import type { Csv } from './load-csv.ts'
import type { LocalFile } from './load-files.ts'
import type { RowOperation } from './rows.ts'
import type { RunNames } from './run-names.ts'

export type TableOptions = RunNames & {
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
  /** Rows of this branch are written rather than those of `main`; it is there. */
  branch?: string | undefined
  signal?: AbortSignal
  timeoutMs?: number | undefined
  timeZone?: string
  /** Called with what gives the rows that came, went or are others now, before anything is kept of them. */
  onRows?: (from: string) => Promise<void>
  /** Columns: no two rows that come may be alike in them. */
  uniqueBy?: readonly string[]
  /** The columns whose values become others, where no row comes that is new; undefined where any may. */
  sets?: readonly string[]
  /** The SELECT of changed rows says by a column `refusal` of which of them nothing comes but an error. */
  mayRefuse?: boolean
  /** What changing rows needs, all of which have to be seen: less than the operation would. */
  needs?: readonly Privilege[]
  /** Changes of columns that come with the rows: their snapshot is of the table after these. */
  evolving?: readonly AlterStep[]
  /** Ingestion's own SQL: it reads files of the spool and is not checked against the allow-list. */
  files?: string[]
  /** The SELECT is that of RETURNING, of these rows. */
  told?: ToldRows
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

/** `rowsChanged`: rows that went, came or are others now. */
export type RowsResult = WriteResult & { rowsDeleted: number; rowsChanged: number }

/** Properties of a view, its comment among them, and `doc`, the comment of one of its columns. */
export type ViewChange = {
  set: Readonly<Record<string, string>>
  remove: readonly string[]
  doc?: { column: string; text: string | undefined }
}

/** What a step does to the table as it is by then. */
export type AlterStep = (now: TableMetadata, at: OnOptions & { io: FileIO }) => TableChange | Promise<TableChange>

export interface ChangeSet {
  readonly id: string
  readonly catalog: string
  /** CREATE OR REPLACE TABLE AS select. A table that exists keeps its uuid, its history, and the field ids of columns that stay. */
  replaceTable(target: TableName, select: string, options?: TableOptions): Promise<WriteResult>
  /** The same from the text of a CSV file. */
  loadCsv(target: TableName, csv: Csv, options?: TableOptions): Promise<WriteResult>
  /**
   * The same from local files. `select` gets the folder and the paths where they lie meanwhile; its text is not checked, so it
   * has nothing in it that somebody else wrote but literals.
   */
  loadFiles(
    target: TableName,
    files: readonly LocalFile[],
    select: (folder: string, paths: readonly string[]) => string,
    options?: TableOptions,
  ): Promise<WriteResult>
  /** Adds the rows, columns matched by name; makes the table when it is missing. */
  append(target: TableName, select: string, options?: TableOptions): Promise<WriteResult>
  /** Rows of a SELECT in place of those of the partitions that they fall into. One snapshot. */
  overwrite(target: TableName, select: string, options?: TableOptions): Promise<WriteResult>
  /**
   * Rows go and come by one SELECT (`rows.ts`): `_boathouse_file`, `_boathouse_pos` of the row of `target` that goes or null, `_boathouse_new` whether
   * one comes, and its columns.
   */
  changeRows(
    target: TableName,
    operation: RowOperation,
    select: string,
    options?: TableOptions,
    /** What the SELECT narrows its table by. */
    bounds?: KeyBounds,
  ): Promise<RowsResult>
  /** Which rows of a table can equal a row of a source, where both are joined by these keys (`key-bounds.ts`). */
  keyBounds(from: string, keys: readonly JoinKey[], options?: TableOptions): Promise<KeyBounds | undefined>
  /** Rows of a SELECT, each in place of the row with the same values in `keys`, or as a new one. */
  upsert(target: TableName, keys: readonly string[], select: string, options?: TableOptions): Promise<RowsResult>
  /** A table without rows; `defaults` by column (format version 3). */
  createTable(
    target: TableName,
    fields: readonly NewField[],
    defaults: ReadonlyMap<string, Value>,
    options?: TableOptions,
  ): Promise<void>
  /** Changes of columns, partitions, properties: each step sees what those before it did. */
  alter(target: TableName, steps: readonly AlterStep[], options?: TableOptions): Promise<void>
  /** A commit that was prepared from the table's metadata. */
  apply(target: TableName, prepare: (now: TableMetadata) => Promise<PreparedWrite>): Promise<void>
  /** All rows go, by metadata alone. */
  truncate(target: TableName, options?: TableOptions): Promise<void>
  /** @throws ALREADY_EXISTS when there is something under `to` */
  rename(from: TableName, to: TableName): Promise<void>
  /** Parquet files, or those below a folder, become files of the table where they lie; it is made when it is missing. */
  addFiles(
    target: TableName,
    paths: readonly string[],
    options?: TableOptions & {
      /** Of folders only the files below these partitions, as Hive names them: `day=2024-01-01`. */
      partition?: Readonly<Record<string, string>> | undefined
      /** Files that the table has already are added again. */
      mayRepeat?: boolean | undefined
    },
  ): Promise<WriteResult>
  createView(target: TableName, select: string, options?: TableOptions): Promise<WriteResult>
  alterView(target: TableName, change: ViewChange, options?: TableOptions): Promise<void>
  /** Undefined: there is nothing of that name. Also of what cannot be read. */
  kindOf(target: TableName): Promise<Loaded['kind'] | undefined>
  drop(target: TableName): Promise<void>
  /** The temporary tables of a namespace go, files and all (`run-names.ts`). */
  dropTemporary(namespace: string): Promise<void>
  /** The names changed so far. */
  pending(): Promise<readonly PendingChange[]>
  /** The table or view as this change set leaves it; undefined when it drops it or nobody has it. */
  load(name: TableName): Promise<Loaded | undefined>
  /** All or nothing; COMMIT_CONFLICT names the other writer. Appends are moved onto what others wrote. */
  publish(options?: {
    /** What was read and must be as it was, or COMMIT_CONFLICT. */
    unchanged?: readonly ReadPointer[]
  }): Promise<Publication>
  /** What the set holds now; the function takes it back to that. */
  savepoint(): Promise<() => Promise<void>>
  /** What is not to be kept is given up: its names are as they are published. */
  keepOnly(isKept: (change: PendingChange) => boolean): Promise<void>
  /** These names become what they were in what `pending` answered once: for a step that failed while others went on. */
  putBack(names: readonly TableName[], pending: readonly PendingChange[]): Promise<void>
  /** Gives it up: nothing was ever visible. */
  discard(): Promise<void>
}
