// What other databases write and is not here, each with what stands for it: by the words that it begins with, where they stand.

import type { Reader } from './reader.ts'
import { tokens } from './tokens.ts'

type Hints = Readonly<Record<string, string | undefined>>

const nothing = 'Leave it out: each statement reads what tables are when it begins.'
const folder = 'Leave it out: each table gets a folder of the lake.'
const files = 'Leave it out: a table is Iceberg, its files are Parquet.'
const asProperties = "Write TBLPROPERTIES ('key' = 'value')."
const policy = 'Row filters and masks stand in `access.yml`.'
const checked =
  'Write varchar: other engines write tables too, and nothing would hold them to a type of its own; test for it in the project.'
const scheduled = 'Write a model of the project, and when it is run in `schedules.yml`.'
const copied = 'Write CREATE TABLE … AS FROM other, which copies the rows; `boathouse env create` copies none.'

/** Whole statements. `*`: only with something behind. */
const statements: Hints = {
  'optimize *': "Write CALL rewrite_data_files('ns.t'), with sort_order => 'zorder(a, b)' to order rows, too.",
  vacuum:
    "Write CALL expire_snapshots('ns.t') and CALL remove_orphan_files('ns.t'): old rows keep their files until then.",
  analyze: 'Leave it out: what is known of the values of a file is kept when it is written.',
  checkpoint: 'Leave it out: what is committed is on disk.',
  'msck *': nothing,
  'refresh table *': nothing,
  'refresh materialized *': 'A model is made again by `boathouse build`.',
  'cache table *': 'Leave it out: answers are kept as long as their tables stay what they are.',
  'uncache table *': 'Leave it out: answers are kept as long as their tables stay what they are.',
  'restore table *': "Write CALL rollback_to_snapshot('ns.t', id), or rollback_to_timestamp.",
  'undrop *': '`boathouse publications rollback` brings back what was dropped.',
  'load data *': "Write COPY t FROM 'file', or a source of the project.",
  'copy into *': "Write COPY t FROM 'file', or COPY t TO 'file'.",
  'unload *': "Write COPY (SELECT …) TO 'file'.",
  'export data *': "Write COPY (SELECT …) TO 'file'.",
  'export database *': "Write COPY t TO 'file' for each table; `docs/how-to/backup.md` says how to keep all of a lake.",
  'insert overwrite directory *': "Write COPY (SELECT …) TO 'file'.",
  'attach *':
    "Write COPY t FROM 'file', or a source of the project; other environments are named catalog.namespace.table.",
  'rename table *': 'Write ALTER TABLE a RENAME TO b.',
  'exchange tables *': 'Write ALTER TABLE … RENAME TO for each, between BEGIN and COMMIT.',
  'describe history *': 'Write FROM "t$history", or FROM "t$snapshots".',
  'describe detail *': 'Write SHOW TBLPROPERTIES t, or FROM "t$files".',
  'describe namespace *': 'Write SHOW TABLES IN it.',
  'describe schema *': 'Write SHOW TABLES IN it.',
  'describe database *': 'Write SHOW TABLES IN it.',
  'show partitions *': 'Write FROM "t$partitions".',
  'show stats *': 'Write SUMMARIZE t, or FROM "t$files".',
  'show table extended *': 'Write SHOW TABLES, DESCRIBE t or SHOW TBLPROPERTIES t.',
  'deny *': 'Write REVOKE: what nothing grants is refused.',
}

/** Behind CREATE or DROP. */
const made: Hints = {
  macro: 'Write what it computes as a view, or as a query of WITH.',
  function:
    'Write what it computes as a view, or as a query of WITH; functions of a dbt project are known in its runs.',
  type: checked,
  domain: checked,
  index: 'A table has none: PARTITIONED BY and SORTED BY say which files a query need not read.',
  'unique index': 'Write ALTER TABLE t ADD UNIQUE (columns); clients of PostgreSQL may send it.',
  'materialized view': 'Make it a table of a model (`boathouse build`), or CREATE TABLE … AS SELECT.',
  'dynamic table': scheduled,
  database: 'An environment is one: `boathouse env create`.',
  user: 'Users are made by `boathouse user`.',
  'or alter': 'Write CREATE TABLE IF NOT EXISTS, and ALTER TABLE.',
  sequence: 'Write DROP SEQUENCE IF EXISTS before CREATE SEQUENCE.',
  'external table':
    'Write `boathouse table add-files` for files that there are, or `boathouse table register` for a table of Iceberg.',
  'transient table': 'Write CREATE TABLE, or CREATE TEMP TABLE for one of the session.',
  'iceberg table': 'Write CREATE TABLE: each is one of Iceberg.',
  'snapshot table': "Write ALTER TABLE t CREATE TAG name, and SELECT … FOR VERSION AS OF 'name'.",
  stream: "Write SELECT … FROM table_changes('ns.t', from, to).",
  task: scheduled,
  stage: "Write COPY t FROM 'file', or a source of the project.",
  'file format': "Write how a file is read behind its name: COPY t FROM 'file' (FORMAT csv, HEADER).",
  procedure: undefined,
  trigger: undefined,
  rule: undefined,
  aggregate: undefined,
  operator: undefined,
  policy,
  'row access policy': policy,
  'masking policy': policy,
  extension: undefined,
  server: undefined,
  publication: undefined,
  subscription: undefined,
}

/** Behind the name or the columns of a new table. */
const clauses: Hints = {
  location: folder,
  'cluster by': 'Write SORTED BY (…), or PARTITIONED BY (bucket(16, id)).',
  'clustered by': 'Write PARTITIONED BY (bucket(16, id)).',
  'partition by': 'Write PARTITIONED BY (region, day(at), bucket(16, id)).',
  'order by': 'Write SORTED BY (…).',
  'stored as': files,
  'row format': files,
  engine: files,
  options: asProperties,
  settings: asProperties,
  data_retention_time_in_days: "Write TBLPROPERTIES ('history.expire.max-snapshot-age-ms' = '…').",
  clone: copied,
  'shallow clone': copied,
  'deep clone': copied,
  copy: copied,
}

/** Behind ALTER TABLE and the name. */
const changes: Hints = {
  change: 'Write RENAME COLUMN a TO b, and ALTER COLUMN b TYPE …, COMMENT …, FIRST or AFTER c.',
  modify: 'Write ALTER COLUMN a TYPE …, SET NOT NULL, DROP NOT NULL or COMMENT ….',
  'replace columns': 'Write DROP COLUMNS and ADD COLUMNS, or CREATE OR REPLACE TABLE … AS SELECT, which keeps values.',
  'recover partitions': nothing,
  'add partition (': 'Leave it out: rows find their partition by their values.',
  'add if not exists partition (': 'Leave it out: rows find their partition by their values.',
  'drop partition (': "Write DELETE FROM t WHERE region = 'x': files of whole partitions go unread.",
  'drop if exists partition (': "Write DELETE FROM t WHERE region = 'x': files of whole partitions go unread.",
  'partition (': "Write UPDATE t SET region = 'y' WHERE region = 'x'.",
  'set location': folder,
  'set options': asProperties,
  'set serdeproperties': asProperties,
  'set authorization': 'Write GRANT all ON t TO somebody.',
  'swap with': 'Write ALTER TABLE … RENAME TO for each, between BEGIN and COMMIT.',
  'cluster by': 'Write SET SORTED BY (…), or ADD PARTITION FIELD bucket(16, id).',
  'order by': 'Write SET SORTED BY (…).',
  update: 'Write UPDATE t SET … WHERE ….',
  'delete where': 'Write DELETE FROM t WHERE ….',
  'clear column': 'Write UPDATE t SET a = NULL.',
  'comment column': "Write COMMENT ON COLUMN t.a IS '…'.",
  'add row access policy': policy,
}

/** @throws SQL_UNSUPPORTED for what is made elsewhere alone */
export const refuseMade = (reader: Reader, verb: 'CREATE' | 'DROP'): void => refuse(reader, made, `${verb} `)
/** @throws SQL_UNSUPPORTED for a clause of a new table elsewhere */
export const refuseClause = (reader: Reader): void => refuse(reader, clauses)
/** @throws SQL_UNSUPPORTED for a change of a table elsewhere */
export const refuseChange = (reader: Reader): void => refuse(reader, changes, 'ALTER TABLE … ')

function refuse(reader: Reader, hints: Hints, before = ''): void {
  for (const [written, hint] of Object.entries(hints)) {
    const words = written.split(' ')
    if (words.every((word, at) => reader.peek(word, at))) throw reader.unsupported(`${before}${shown(words)}`, hint)
  }
}

const shown = (words: readonly string[]) =>
  words
    .filter((word) => /^\w/.test(word))
    .join(' ')
    .toUpperCase()

/** Whether the text is such a statement. */
export const isElsewhere = (sql: string): boolean => found(sql) !== undefined

/** @throws SQL_UNSUPPORTED for a statement that others have */
export function refuseStatement(reader: Reader): void {
  const one = found(reader.sql)
  if (one) throw reader.unsupported(shown(one.words), one.hint)
}

const byFirst = Map.groupBy(
  Object.entries(statements).map(([written, hint]) => ({ words: written.split(' '), hint })),
  ({ words }) => words[0]!,
)

function found(sql: string): { words: string[]; hint: string | undefined } | undefined {
  const all = tokens(sql)
  const first = all.next().value
  const known = first?.kind === 'word' ? byFirst.get(first.text.toLowerCase()) : undefined
  if (!known) return undefined
  const next = [first!, ...all.take(3)]
  return known.find(({ words }) =>
    words.every((word, at) => {
      const token = next[at]
      return word === '*'
        ? token?.kind === 'word' || token?.kind === 'quoted' || token?.kind === 'string'
        : token?.text.toLowerCase() === word
    }),
  )
}
