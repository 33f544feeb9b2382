// COPY between tables and files of folders that the settings name. The files are never the lake's own, nor anything that a
// link leads to outside of those folders; what is written has its name only when it is whole.

import { randomUUID } from 'node:crypto'
import { lstat, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { Failure } from '../base/failure.ts'
import { didYouMean } from '../base/suggest.ts'
import { showName, type TableName } from '../catalog/index.ts'
import { EngineFailure } from '../engine/index.ts'
import { currentSchema } from '../iceberg/index.ts'
import type { CommandContext } from './commands.ts'
import { rethrowEngine } from './answers/engine-failure.ts'
import type { Command } from './sql/command.ts'
import { quoteFile, quoteName, quoteTable, quoteText } from './sql/tokens.ts'
import { forParquet } from './types.ts'
import { zoneOf } from './policy/zones.ts'

type Copy = Extract<Command, { kind: 'copy' }>
type Copied = { count: number; target: TableName | undefined }

const formats = ['csv', 'json', 'parquet'] as const
type Format = (typeof formats)[number]

/** What an option is called in DuckDB, and which formats have it. */
const known: Record<string, { name: string; of: readonly Format[]; flag?: true }> = {
  header: { name: 'header', of: ['csv'], flag: true },
  delimiter: { name: 'delim', of: ['csv'] },
  delim: { name: 'delim', of: ['csv'] },
  sep: { name: 'delim', of: ['csv'] },
  quote: { name: 'quote', of: ['csv'] },
  escape: { name: 'escape', of: ['csv'] },
  null: { name: 'nullstr', of: ['csv'] },
  nullstr: { name: 'nullstr', of: ['csv'] },
  dateformat: { name: 'dateformat', of: ['csv', 'json'] },
  timestampformat: { name: 'timestampformat', of: ['csv', 'json'] },
  compression: { name: 'compression', of: formats },
}

export async function copyTo(command: Copy, context: CommandContext): Promise<Copied> {
  const { table, select, file } = command
  const format = formatOf(command, context)
  const given = optionsOf(command, format, context)
  const columns = table?.columns?.map(quoteName).join(', ') ?? '*'
  const target = table && context.resolve(table.name)
  const prepared = await context.prepare(select ? select.sql : `SELECT ${columns} FROM ${quoteTable(target!)}`)
  const path = await placeOf(file.text, context, file.start)
  const part = `${path}.${randomUUID()}.part`
  const header = format === 'csv' && !given.has('header') ? ['HEADER true'] : []
  const options = [`FORMAT ${format}`, ...header, ...[...given].map(([name, value]) => `${name} ${value}`)]
  const { sql, lease } = await prepared.execute()
  const written = format === 'parquet' ? forParquet(sql, await prepared.columns()) : sql
  try {
    const [[count] = []] = await context.engine.rows({
      class: 'write',
      sql: `COPY (${written}) TO ${quoteText(part)} (${options.join(', ')})`,
      timeoutMs: context.timeoutMs,
      ...zoneOf(prepared),
      ...(context.signal ? { signal: context.signal } : {}),
    })
    await rename(part, path)
    return { count: Number(count), target }
  } catch (error) {
    throw error instanceof EngineFailure ? withoutPath(error, part) : error
  } finally {
    lease.release()
    await rm(part, { force: true })
  }
}

export async function copyFrom(command: Copy, context: CommandContext): Promise<Copied> {
  const { table, file } = command
  const target = context.resolve(table!.name)
  const format = formatOf(command, context)
  const given = optionsOf(command, format, context)
  const path = await placeOf(file.text, context, file.start)
  const kind = await lstat(path).catch(() => undefined)
  if (!kind?.isFile())
    throw new Failure('NOT_FOUND', `there is no file ${file.text}`, { place: context.at(file.start) })
  return context.changing(target.catalog, async (changes) => {
    const found = await changes.load(target)
    if (found?.kind !== 'table') throw new Failure('TABLE_NOT_FOUND', `there is no table ${showName(target)}`)
    const columns = table!.columns ?? currentSchema(found.metadata).fields.map(({ name }) => name)
    // Values of a CSV are text until the table's columns say what they are; columns go by position, as they have no types.
    if (format === 'csv') {
      given.set('all_varchar', 'true')
      if (!given.has('header')) given.set('header', 'true')
    }
    const options = [quoteFile(path), ...[...given].map(([name, value]) => `${name} = ${value}`)].join(', ')
    const names = columns.map(quoteName).join(', ')
    const select =
      format === 'csv'
        ? `SELECT * FROM read_csv(${options}) AS copied(${names})`
        : `SELECT ${table!.columns ? names : '*'} FROM read_${format}(${options})`
    const { rowsWritten } = await changes
      .append(target, select, { files: [path], timeoutMs: context.timeoutMs })
      .catch((error: unknown) => {
        throw error instanceof EngineFailure ? withoutPath(error, path) : error
      })
    return { count: rowsWritten, target }
  })
}

function formatOf({ options, file }: Copy, { at }: CommandContext): Format {
  const given = options.find(({ name }) => name === 'format')
  const text = given?.value ?? /\.(csv|json|ndjson|parquet)(?:\.gz|\.zst)?$/i.exec(file.text)?.[1] ?? 'csv'
  const found = formats.find((one) => one === text.toLowerCase().replace('ndjson', 'json'))
  if (!found)
    throw new Failure('SQL_INVALID', `the format ${text} is none of ${formats.join(', ')}`, {
      place: at(given?.start ?? file.start),
    })
  return found
}

function optionsOf({ options }: Copy, format: Format, { at }: CommandContext): Map<string, string> {
  const result = new Map<string, string>()
  for (const { name, value, start } of options) {
    if (name === 'format') continue
    const option = Object.hasOwn(known, name) ? known[name] : undefined
    if (!option?.of.includes(format))
      throw new Failure(
        'SQL_INVALID',
        `${format} files have no option ${name}${didYouMean(name, Object.keys(known))}`,
        {
          place: at(start),
        },
      )
    if (option.flag && !/^(true|false)$/i.test(value))
      throw new Failure('SQL_INVALID', `${name} is true or false, found ${value}`, { place: at(start) })
    result.set(option.name, option.flag ? value.toLowerCase() : quoteText(value))
  }
  return result
}

/** The path in one of the folders. @throws SQL_REFUSED for every other one */
async function placeOf(text: string, { copyDirectories = [], at }: CommandContext, start: number): Promise<string> {
  const place = at(start)
  const [first] = copyDirectories
  if (first === undefined)
    throw new Failure('SQL_REFUSED', 'no folder is set aside for COPY', {
      place,
      hint: 'Name one in the setting `copy.directories`.',
    })
  const refused = () =>
    new Failure('SQL_REFUSED', `${text} lies outside of the folders that COPY may use`, {
      place,
      hint: 'Name the file relative to the first folder of `copy.directories`.',
    })
  if (text.includes('\0') || /[*?[\]]/.test(text)) throw refused()
  const path = isAbsolute(text) ? resolve(text) : resolve(first, text)
  const parent = await realpath(dirname(path)).catch(() => undefined)
  const folders = await Promise.all(copyDirectories.map((folder) => realpath(folder).catch(() => undefined)))
  const isInside = folders.some((folder) => folder !== undefined && `${parent}${sep}`.startsWith(`${folder}${sep}`))
  if (parent === undefined || !isInside) throw refused()
  const full = join(parent, basename(path))
  const kind = await lstat(full).catch(() => undefined)
  if (kind && !kind.isFile()) throw refused()
  return full
}

function withoutPath(error: EngineFailure, path: string): Failure {
  try {
    return rethrowEngine(error)
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
    return new Failure(failure.code, failure.message.replaceAll(path, basename(path)), { hint: failure.hint })
  }
}
