// Files that a project's SQL names as dbt-duckdb lets it: `read_csv('data/x.csv')`, `from 'data/x.parquet'`, sources with an
// `external_location`.
//
// No SQL of the lake reads a file. Before such a text runs, each file that it names becomes a table (`files.x_1a2b3c4d`), and
// the text reads that: so views over files go on working, every reader has rights or none, and what a run has read is known.
// `glob('data/*.csv')` becomes the names of the files that there are, as models ask whether there are any.
// A table is loaded again only when its files have changed. Only data files of the project's own repository are read, and
// nothing in a folder or under a name that begins with a dot.

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { glob, realpath, stat } from 'node:fs/promises'
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { Failure } from '../../base/failure.ts'
import {
  closing,
  placeAt,
  quoteFile,
  quoteName,
  quoteTable,
  quoteText,
  splice,
  tokens,
  type ChangeSet,
  type Edit,
  type Token,
} from '../../lake/index.ts'
import { queryOptions, type Work } from '../work.ts'

type FileRead = {
  start: number
  end: number
  reader: string
  patterns: string[]
  options: string
  /** By what the text may call it where it gives it no name: as in DuckDB that of the file, or of the function. */
  alias: string | undefined
}

const lister = 'glob'
const readers: Readonly<Record<string, string>> = {
  glob: lister,
  read_csv: 'read_csv',
  read_csv_auto: 'read_csv_auto',
  read_parquet: 'read_parquet',
  parquet_scan: 'read_parquet',
  read_json: 'read_json',
  read_json_auto: 'read_json_auto',
  read_ndjson: 'read_ndjson',
  read_ndjson_auto: 'read_ndjson_auto',
}
const readerOf: Readonly<Record<string, string>> = {
  csv: 'read_csv_auto',
  tsv: 'read_csv_auto',
  txt: 'read_csv_auto',
  parquet: 'read_parquet',
  json: 'read_json_auto',
  jsonl: 'read_json_auto',
  ndjson: 'read_json_auto',
}
const filesMax = 10_000

/** Most texts name no file, which this tells without cutting them into tokens. */
const mayRead = /\b(?:read_(?:csv|parquet|json|ndjson)|parquet_scan|glob\s*\()|\b(?:from|join)\s+'/i

/** Whether a text names files. */
export const namesFiles = (sql: string): boolean => mayRead.test(sql) && fileReads(sql).length > 0

/** The files that a text names, as they are now. @throws SQL_REFUSED, NOT_FOUND */
export async function filesNamed(sql: string, dir: string): Promise<Found[]> {
  if (!mayRead.test(sql)) return []
  return (await Promise.all(fileReads(sql).map((read) => filesOf(dir, read)))).flat()
}

/** The text with tables in place of the files that it names, which are loaded where they are missing or out of date. */
export async function filesAsTables(sql: string, work: Reading): Promise<string> {
  if (!mayRead.test(sql)) return sql
  const edits: Edit[] = []
  for (const read of fileReads(sql)) {
    const rows = read.reader === lister ? await namesOf(read, sql, work) : quoteTable(await tableOf(read, sql, work))
    const alias = read.alias === undefined ? '' : ` as ${quoteName(read.alias)}`
    edits.push({ start: read.start, end: read.end, text: `${rows}${alias}` })
  }
  return edits.length === 0 ? sql : splice(sql, edits).text
}

type Reading = Omit<Work, 'changes'> & { changes?: ChangeSet | undefined }

function fileReads(sql: string): FileRead[] {
  const all = [...tokens(sql)]
  const found: FileRead[] = []
  for (const [at, token] of all.entries()) {
    const [before, after] = [all[at - 1], all[at + 1]]
    const reader = token.kind === 'word' && after?.text === '(' ? readers[token.text.toLowerCase()] : undefined
    if (reader !== undefined) found.push(callAt(sql, all, at, reader))
    else if (token.kind === 'string' && before?.kind === 'word' && /^(?:from|join)$/i.test(before.text)) {
      const pattern = textOf(token)
      const byName = readerOf[extensionOf(pattern)]
      if (byName !== undefined)
        found.push({
          start: token.start,
          end: token.end,
          reader: byName,
          patterns: [pattern],
          options: '',
          alias: isNamed(after) || /[*?[]/.test(pattern) ? undefined : basename(pattern).split('.')[0],
        })
    }
  }
  return found
}

/** A call whose first argument is a path or a list of paths, and whose options are literals. */
function callAt(sql: string, all: readonly Token[], at: number, reader: string): FileRead {
  const close = closing(all, at + 1)
  const inner = all.slice(at + 2, close)
  const refuse = (token: Token | undefined, message: string) =>
    new Failure('SQL_REFUSED', `${all[at]!.text}: ${message}`, {
      place: placeAt(sql, (token ?? all[at]!).start),
      hint: 'Its first argument is a path in quotes or a list of them, its options are plain values.',
    })
  const isList = inner[0]?.text === '['
  const listEnd = isList ? inner.findIndex(({ text }) => text === ']') : 0
  const paths = isList ? inner.slice(1, listEnd).filter(({ text }) => text !== ',') : inner.slice(0, 1)
  const odd = paths.find(({ kind }) => kind !== 'string')
  if (paths.length === 0 || listEnd < 0 || odd) throw refuse(odd, 'its files are not written out')
  const rest = inner.slice(listEnd + 1)
  const strange = rest.find((token, index) => !isLiteral(token, rest[index + 1]))
  if (strange) throw refuse(strange, `${strange.text} is no plain value`)
  const options = rest.length === 0 ? '' : sql.slice(rest[0]!.start, rest.at(-1)!.end)
  const alias = isNamed(all[close + 1]) ? undefined : all[at]!.text
  return { start: all[at]!.start, end: all[close]!.end, reader, patterns: paths.map(textOf), options, alias }
}

/** Whether what stands behind a table is a name for it. */
const isNamed = (after: Token | undefined): boolean =>
  after !== undefined &&
  (after.text === '(' || after.kind === 'quoted' || (after.kind === 'word' && !behindTables.test(after.text)))
const behindTables =
  /^(?:anti|asof|cross|except|fetch|full|group|having|inner|intersect|join|left|limit|natural|offset|on|order|outer|pivot|positional|qualify|right|sample|select|semi|tablesample|union|unpivot|using|where|window)$/i

/** Strings, numbers, lists and mappings of such, and names of options. */
function isLiteral({ kind, text }: Token, next: Token | undefined): boolean {
  if (kind === 'string' || kind === 'number') return true
  if (kind === 'symbol') return /^(?:[,[\]{}:=-]|=>)$/.test(text)
  if (/^(?:true|false|null)$/i.test(text)) return true
  return next !== undefined && /^(?:=|:|=>)$/.test(next.text)
}

const textOf = ({ text }: Token): string => {
  if (!text.startsWith("'")) throw new Failure('SQL_UNSUPPORTED', `the path ${text} is to stand in plain quotes`)
  return text.slice(1, -1).replaceAll("''", "'")
}

const extensionOf = (path: string): string =>
  extname(path.replace(/\.(?:gz|zst)$/i, ''))
    .slice(1)
    .toLowerCase()

/** The names of the files, written as the pattern is: from the project's folder, or whole. */
async function namesOf(read: FileRead, sql: string, { project }: Reading): Promise<string> {
  const files = await atPlace(filesOf(project.dir, read), sql, read.start)
  const isWhole = isAbsolute(read.patterns[0]!)
  const names = files.map(({ path, written }) => quoteText(isWhole ? path : written))
  return names.length === 0
    ? '(SELECT NULL::VARCHAR AS file WHERE false)'
    : `(SELECT unnest([${names.join(', ')}]) AS file)`
}

function atPlace<Value>(work: Promise<Value>, sql: string, start: number): Promise<Value> {
  return work.catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error
    throw error.with({ place: placeAt(sql, start) })
  })
}

type Table = { catalog: string; namespace: string; name: string }

async function tableOf(read: FileRead, sql: string, work: Reading): Promise<Table> {
  const { project, lake, changes } = work
  const { reader, patterns, options } = read
  const id = createHash('sha256')
    .update(JSON.stringify([reader, patterns, options]))
    .digest('hex')
    .slice(0, 8)
  const stem = basename(patterns[0]!)
    .split('.')[0]!
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '_')
  const target = { catalog: project.target.catalog, namespace: 'files', name: `${stem}_${id}` }
  if (changes) await once(changes, target.name, () => load(read, sql, target, { ...work, changes }))
  else if ((await lake.relations(target, queryOptions(work))).length === 0)
    throw new Failure('TABLE_NOT_FOUND', `${patterns[0]!} was not loaded yet`, {
      place: placeAt(sql, read.start),
      hint: 'Files are loaded by commands that build: `boathouse dbt build`.',
    })
  return target
}

const loading = new WeakMap<ChangeSet, Map<string, Promise<void>>>()

/** Files are read once in a run, whatever number of nodes names them. */
function once(changes: ChangeSet, name: string, work: () => Promise<void>): Promise<void> {
  const known = loading.get(changes) ?? new Map<string, Promise<void>>()
  loading.set(changes, known)
  const found = known.get(name) ?? work()
  known.set(name, found)
  return found
}

async function load(
  read: FileRead,
  sql: string,
  target: Table,
  { project, changes, signal, timeoutMs }: Work,
): Promise<void> {
  const { start, reader, patterns, options } = read
  const files = await atPlace(filesOf(project.dir, read), sql, start)
  const stamp = createHash('sha256')
    .update(JSON.stringify(files.map(({ name, size, mtimeMs }) => [name, size, mtimeMs])))
    .digest('hex')
  const kept = await changes.load(target)
  if (kept?.kind === 'table') {
    const { snapshots, currentSnapshotId } = kept.metadata
    const current = snapshots.find(({ snapshotId }) => snapshotId === currentSnapshotId)
    if (current?.summary?.['boathouse.files'] === stamp) return
  }
  const select = (folder: string, paths: readonly string[]) => {
    const given = options === '' ? '' : ` ${options}`
    // The path that a row comes from is that of the project.
    const shown = /\bfilename\s*(?:=>?|:=)\s*true\b/i.test(options)
      ? ` REPLACE (substr(filename, ${folder.length + 2}) AS filename)`
      : ''
    return `SELECT *${shown} FROM ${reader}([${paths.map(quoteFile).join(', ')}]${given})`
  }
  await changes
    .loadFiles(target, files, select, {
      comment: `Rows of ${patterns.join(', ')}`,
      summary: { 'boathouse.files': stamp },
      ...(signal && { signal }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    })
    .catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
      const message = error.message.replace(/\S*\/files-[0-9a-f-]{36}\//g, '')
      throw new Failure(error.code, `${patterns.join(', ')}: ${message}`, { place: placeAt(sql, start) })
    })
}

/** `name`: without a way out of the project's folder; `written`: with it. */
type Found = { path: string; name: string; written: string; size: number; mtimeMs: number }

/** The files that the patterns mean. @throws SQL_REFUSED for others than data files of the repository, NOT_FOUND */
async function filesOf(dir: string, { patterns, reader }: Pick<FileRead, 'patterns' | 'reader'>): Promise<Found[]> {
  const isListed = reader === lister
  const root = await realpath(rootOf(dir)).catch(() => dir)
  const found: Found[] = []
  for (const pattern of patterns) {
    const refused = (why: string) =>
      new Failure('SQL_REFUSED', `${pattern} ${why}`, {
        hint: 'SQL of a project reads CSV, JSON and Parquet files of its own repository; load others as sources.',
      })
    if (/^[a-z0-9+.-]+:\/\//i.test(pattern)) throw refused('lies on the network')
    const isData = (path: string) => readerOf[extensionOf(path)] !== undefined
    if (!isListed && !isData(pattern)) throw refused('is not named as a data file')
    const begins = pattern.split(/[*?[]/)[0]!
    const outside = (from: string) => relative(rootOf(dir), resolve(from, begins)).startsWith('..')
    if (outside(dir)) throw refused('lies outside of the repository')
    const here = await matching(pattern, dir)
    // dbt-duckdb looks from where the command was typed, which with --project-dir is elsewhere.
    const typed = process.cwd()
    const paths = here.length > 0 || typed === dir || outside(typed) ? here : await matching(pattern, typed)
    if (paths.length === 0 && !isListed) throw new Failure('NOT_FOUND', `there is no file ${pattern} in ${dir}`)
    for (const each of paths) {
      const path = await realpath(each)
      const isInside = !relative(root, path)
        .split(sep)
        .some((part) => part.startsWith('.'))
      if (isListed && !(isInside && isData(path))) continue
      if (!isInside) throw refused('is no data file of the repository')
      if (!isData(path)) throw refused('leads to another kind of file')
      const { size, mtimeMs } = await stat(path)
      const written = relative(here.length > 0 ? dir : typed, each)
      found.push({ path, name: relative(dir, each).replaceAll('..', '__'), written, size, mtimeMs })
    }
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Absolute paths of the files that there are. */
async function matching(pattern: string, dir: string): Promise<string[]> {
  const isPattern = /[*?[]/.test(pattern)
  const found: string[] = []
  for await (const each of isPattern ? glob(pattern, { cwd: dir }) : [pattern]) {
    const path = resolve(dir, each)
    const info = await stat(path).catch(() => undefined)
    if (info?.isFile()) found.push(path)
    if (found.length > filesMax) throw new Failure('QUERY_TOO_LARGE', `${pattern} means more than ${filesMax} files`)
  }
  return found
}

/** The repository that the project belongs to. Without one, the folder that the project's lies in: data often lies beside it. */
function rootOf(dir: string): string {
  for (let folder = dir; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder
    if (folder === dirname(folder)) break
  }
  const above = dirname(dir)
  return above === dirname(above) ? dir : above
}
