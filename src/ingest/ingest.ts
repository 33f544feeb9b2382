// One source to one commit: find the files, copy them to the spool so that they cannot change while they are read, load
// them with one SELECT into the run's change set. What was loaded stands in the snapshot's summary: data and state are
// one commit.

import { createHash, randomUUID } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { copyFile, glob, mkdir, rm, stat } from 'node:fs/promises'
import { basename, isAbsolute, join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Failure } from '../base/failure.ts'
import { silentLog, type Log } from '../base/log.ts'
import type { ChangeSet, Column, Lake, WriteResult } from '../lake/index.ts'
import { checkSource, splitTable, writeSource, type Located, type Source, type SourceInput } from '../project/index.ts'
import { csvFailure, readCsv, selectCsv, skippedLines, snakeCase, tooLarge, wholeNumbers } from './csv.ts'

/** Of a folder that is a source. */
const csvFiles = '*.{csv,csv.gz,CSV}'

export type IngestDeps = {
  lake: Lake
  /** The project's folder; paths of sources are relative to it. */
  projectDir: string
  /** Boathouse's own folder for copies of files while they are loaded. */
  spoolDir: string
}
export type Loaded = WriteResult & { source: string; files: { path: string; bytes: number; sha256: string }[] }

/** Loads a source into a change set. SOURCE_INVALID names the source's line, or the line of the data, that is wrong. */
export async function ingestSource(
  source: Located<Source>,
  changes: ChangeSet,
  deps: IngestDeps,
  { signal, log = silentLog }: { signal?: AbortSignal; log?: Log } = {},
): Promise<Loaded> {
  const { value } = source
  const originals = await findFiles(source, deps.projectDir)
  const folder = join(deps.spoolDir, randomUUID())
  await mkdir(folder, { recursive: true })
  try {
    const files: Spooled[] = []
    for (const [index, path] of originals.entries()) files.push(await spool(path, folder, index, deps.projectDir))
    signal?.throwIfAborted()
    const copies = files.map(({ copy }) => copy)
    const original = (text: string) => files.find(({ copy }) => text.includes(basename(copy)) || text === copy)?.path
    const parts = splitTable(value.table)
    const [namespace, name] = parts.slice(-2)
    const target = { catalog: changes.catalog, namespace: namespace!, name: name! }
    try {
      await checkBeginnings(source, files, deps.lake, signal)
      const columns = await deps.lake.bindFiles(`SELECT * FROM ${readCsv(value, copies)}`, signal)
      log.info('columns found', { columns: columns.map((column) => `${column.name} ${column.type}`) })
      const loaded = files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }))
      const options = {
        files: copies,
        ...(value.description ? { comment: value.description } : {}),
        ...(signal ? { signal } : {}),
        summary: { 'boathouse.source': value.name, 'boathouse.files': JSON.stringify(loaded) },
      }
      const write = (select: string) =>
        value.mode === 'append'
          ? changes.append(target, select, options)
          : changes.replaceTable(target, select, options)
      const written = await write(selectCsv(value, copies, columns, true)).catch(async (error: unknown) => {
        if (!(error instanceof Failure) || !error.message.includes(tooLarge)) throw error
        const exact = await withWholeNumbers(value, copies, columns, deps.lake, signal)
        return write(selectCsv(exact, copies, columns))
      })
      log.info('loaded', {
        table: written.table,
        rows: written.rowsWritten,
        files: originals.length,
        bytes: written.bytesWritten,
      })
      return { ...written, source: value.name, files: loaded }
    } catch (error) {
      if (!(error instanceof Failure) || !['QUERY_FAILED', 'SQL_INVALID'].includes(error.code)) throw error
      throw csvFailure(error, source, original)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The source with the types of columns that hold whole numbers of more digits than DOUBLE keeps, where nobody says their type. */
async function withWholeNumbers(
  value: Source,
  copies: readonly string[],
  columns: readonly Column[],
  lake: Lake,
  signal: AbortSignal | undefined,
): Promise<Source> {
  const named = new Set(Object.keys(value.columns).map((name) => name.toLowerCase()))
  const doubles = columns.filter(({ name, type }) => type === 'DOUBLE' && !named.has(name.toLowerCase()))
  if (doubles.length === 0) return value
  const [[found] = []] = await lake.rowsOfFiles(wholeNumbers(value, copies, doubles), signal)
  const whole = doubles.filter((_, at) => (found as (boolean | null)[])[at])
  return {
    ...value,
    columns: { ...value.columns, ...Object.fromEntries(whole.map(({ name }) => [name, 'DECIMAL(38,0)'])) },
  }
}

/**
 * What a file begins with is guessed where nobody says it, and lines that do not look like the others are left out then: a title,
 * and rows that are broken. Only blank ones may go without a word.
 */
async function checkBeginnings(
  { value, at, file: written }: Located<Source>,
  files: readonly Spooled[],
  lake: Lake,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { path, copy, bytes } of files) {
    if (bytes === 0)
      throw new Failure('SOURCE_INVALID', `${path} is empty: it has not even names of columns`, { place: at(['path']) })
    if (value.options.skip !== undefined) continue
    const [[skipped] = []] = await lake.rowsOfFiles(skippedLines(value, copy), signal)
    const lines = await firstLines(copy, Number(skipped ?? 0))
    const line = lines.findIndex((text) => text.trim() !== '')
    if (line < 0) continue
    throw new Failure(
      'SOURCE_INVALID',
      `the first ${lines.length} lines of ${path} have not the columns of the others, and would be left out`,
      {
        place: { file: path, line: line + 1 },
        hint: `Correct them, or say in ${written} that they are no rows: options: { skip: ${lines.length} }.`,
      },
    )
  }
}

async function firstLines(file: string, count: number): Promise<string[]> {
  const found: string[] = []
  if (count === 0) return found
  const bytes = createReadStream(file)
  const input = file.toLowerCase().endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    found.push(line)
    if (found.length === count) break
  }
  bytes.destroy()
  return found
}

/** The files a source means, sorted. SOURCE_INVALID at its `path` when there is none. */
export async function findFiles(source: Located<Source>, projectDir: string): Promise<string[]> {
  const { path } = source.value
  const place = source.at(['path'])
  const full = resolve(projectDir, path)
  const found = await stat(full).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined
    throw new Failure('SOURCE_INVALID', `${path} cannot be read: ${cause.message}`, { place, cause })
  })
  if (found?.isFile()) return [full]
  const pattern = found?.isDirectory() ? join(path, csvFiles) : path
  if (!found && !/[*?[{]/.test(path))
    throw new Failure('SOURCE_INVALID', `there is no file ${path}`, {
      place,
      hint: `Put the file there, or correct \`path\` in ${source.file}.`,
    })
  const files = (await Array.fromAsync(glob(pattern, { cwd: projectDir })))
    .map((file) => resolve(projectDir, file))
    .sort()
  if (files.length === 0) throw new Failure('SOURCE_INVALID', `no file matches ${pattern}`, { place })
  return files
}

type Spooled = { copy: string; path: string; bytes: number; sha256: string }

async function spool(path: string, folder: string, index: number, projectDir: string): Promise<Spooled> {
  // A copy-on-write clone where the file system has it; the index keeps files of the same name apart.
  const copy = join(folder, `${String(index).padStart(6, '0')}-${basename(path).replace(/[^\w.-]/g, '_')}`)
  try {
    await copyFile(path, copy, constants.COPYFILE_FICLONE)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOSPC')
      throw new Failure('STORAGE_FAILED', `the disk is full: ${basename(path)} could not be copied to the spool`, {
        cause,
      })
    throw new Failure('SOURCE_INVALID', `${basename(path)} cannot be read: ${message}`, { cause })
  }
  const hash = createHash('sha256')
  await pipeline(createReadStream(copy), hash)
  const { size } = await stat(copy)
  const inside = relative(projectDir, path)
  return {
    copy,
    path: inside.startsWith('..') ? path : inside.replaceAll('\\', '/'),
    bytes: size,
    sha256: hash.digest('hex'),
  }
}

export type AddOptions = {
  file: string
  table?: string | undefined
  name?: string | undefined
  mode?: 'replace' | 'append' | undefined
  replace?: boolean | undefined
}

/** Writes the YAML of a source for a CSV file; a file outside the project is copied into `data/`. */
export async function addSource(
  projectDir: string,
  { file, table, name, mode = 'replace', replace = false }: AddOptions,
): Promise<{ file: string; source: SourceInput }> {
  const full = isAbsolute(file) ? file : resolve(file)
  const found = await stat(full).catch(() => undefined)
  if (!found) throw new Failure('USAGE', `there is no file ${file}`)
  if (found.isFile() && !/\.(csv|tsv|txt|csv\.gz)$/i.test(full))
    throw new Failure('UNSUPPORTED', `${basename(file)} is not a CSV file`, {
      hint: 'CSV files (.csv, .tsv, .txt, .csv.gz) can be added so far.',
    })
  const stem = snakeCase(basename(full).replace(/\.(csv|tsv|txt)(\.gz)?$/i, ''))
  const sourceName = name ?? stem
  const plan = { name: sourceName, kind: 'csv', path: full, table: table ?? `raw.${sourceName}`, mode } as const
  checkSource(plan) // before anything is copied
  if (found.isDirectory() && (await Array.fromAsync(glob(join(full, csvFiles)))).length === 0)
    throw new Failure('USAGE', `there is no CSV file in ${file}`)
  const inside = relative(projectDir, full)
  let path = inside.replaceAll('\\', '/')
  if (inside.startsWith('..') || isAbsolute(inside)) {
    if (found.isDirectory()) path = full
    else {
      path = `data/${basename(full)}`
      await mkdir(join(projectDir, 'data'), { recursive: true })
      await copyFile(full, join(projectDir, path), replace ? 0 : constants.COPYFILE_EXCL).catch(
        (cause: NodeJS.ErrnoException) => {
          if (cause.code === 'EEXIST')
            throw new Failure('ALREADY_EXISTS', `${path} is there already`, {
              hint: 'Rename the file, or say that it replaces the old one (--replace).',
            })
          throw cause
        },
      )
    }
  }
  const source: SourceInput = { ...plan, path }
  return { file: await writeSource(projectDir, source, { replace }), source }
}
