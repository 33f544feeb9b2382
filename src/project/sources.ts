// sources/*.yml: what to ingest. One file is one source.
//
// `kind` decides what else may stand in the file; a new kind of source is a new member of the union below, and the
// reader, the JSON schema and the error messages follow.

import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { z } from 'zod'
import { Failure } from '../base/failure.ts'
import { ColumnType, Name, TableRef } from './names.ts'
import { readFolder, uniqueNames, type Read } from './read.ts'

const shared = {
  name: Name.describe('How commands and runs call this source; unique in the project.'),
  description: z.string().optional(),
  table: TableRef.describe('The table it fills, for example `raw.sales`.'),
  mode: z
    .enum(['replace', 'append'])
    .default('replace')
    .describe('`replace`: the table holds what the files hold now; `append`: every run adds all rows.'),
  columns: z
    .record(z.string().min(1), ColumnType)
    .default({})
    .describe('Types of columns by name, where the guess from the data is not what you want.'),
  primary_key: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .transform((key) => (key === undefined ? [] : [key].flat()))
    .describe('The column or columns that identify a row.'),
}

const oneCharacter = z.string().regex(/^.$/su, 'One character is expected')

export const CsvOptions = z.strictObject({
  delimiter: z.string().min(1).max(4).optional().describe('Between values; found out when absent.'),
  header: z.boolean().optional().describe('Whether the first line names the columns; found out when absent.'),
  quote: z.union([oneCharacter, z.literal('')]).optional(),
  escape: z.union([oneCharacter, z.literal('')]).optional(),
  comment: oneCharacter.optional().describe('Lines that begin with it are skipped.'),
  nullstr: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .transform((text) => (text === undefined ? undefined : [text].flat()))
    .describe('Text that means "no value", or a list of such texts.'),
  encoding: z.enum(['utf-8', 'utf-16', 'latin-1']).optional(),
  dateformat: z.string().min(1).optional().describe('For example `%d.%m.%Y`.'),
  timestampformat: z.string().min(1).optional().describe('For example `%d.%m.%Y %H:%M`.'),
  decimal_separator: z.enum(['.', ',']).optional(),
  thousands: z.enum(['.', ',', ' ', "'"]).optional(),
  skip: z.int().min(0).optional().describe('Lines to skip at the start.'),
})
export type CsvOptions = z.output<typeof CsvOptions>

const CsvSource = z.strictObject({
  ...shared,
  kind: z.literal('csv'),
  path: z
    .string()
    .min(1)
    .describe(
      'A file, a folder (all *.csv and *.csv.gz in it) or a glob such as `data/2024-*.csv`, relative to the project.',
    ),
  options: CsvOptions.prefault({}),
})

export const Source = z.discriminatedUnion('kind', [CsvSource])
export type Source = z.output<typeof Source>
export type SourceInput = z.input<typeof Source>
export type CsvSource = z.output<typeof CsvSource>

/** All sources of a project, in the order of their files; names are unique. */
export async function readSources(dir: string): Promise<Read<Source>> {
  return uniqueNames(await readFolder(dir, 'sources', Source, 'SOURCE_INVALID'), 'source', 'SOURCE_INVALID')
}

/**
 * Writes `sources/<name>.yml`, all or nothing. Returns its path relative to the project.
 * @throws ALREADY_EXISTS unless `replace`; USAGE for a name or table that cannot be
 */
export async function writeSource(dir: string, source: SourceInput, { replace = false } = {}): Promise<string> {
  checkSource(source)
  const file = `sources/${source.name}.yml`
  await mkdir(join(dir, 'sources'), { recursive: true })
  const taken = (await readdir(join(dir, 'sources'))).find((name) => name.replace(/\.ya?ml$/, '') === source.name)
  if (taken && !replace)
    throw new Failure('ALREADY_EXISTS', `sources/${taken} is there already`, { place: { file: `sources/${taken}` } })
  const target = join(dir, taken ? `sources/${taken}` : file)
  const draft = `${target}.${process.pid}.new`
  await writeFile(draft, sourceText(source))
  await rename(draft, target)
  return taken ? `sources/${taken}` : file
}

/** @throws USAGE with what is wrong about a source that somebody named */
export function checkSource(source: SourceInput): void {
  const { error } = Source.safeParse(source)
  const [first] = error?.issues ?? []
  if (!first) return
  const key = first.path.join('.')
  const given = first.path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown>)[part], source)
  throw new Failure('USAGE', `${key} is "${String(given)}": ${first.message}`)
}

/** Keys in the order of the schema, so that the same source always gives the same text. */
export function sourceText(source: SourceInput): string {
  const order = ['name', 'kind', 'description', 'path', 'table', 'mode', 'primary_key', 'columns', 'options']
  const entries = Object.entries(source)
    .filter(([, value]) => value !== undefined && !(typeof value === 'object' && Object.keys(value).length === 0))
    .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
  return stringify(Object.fromEntries(entries), { lineWidth: 0 })
}
