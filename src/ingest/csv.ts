// A CSV source as one SELECT over files of the spool. DuckDB reads and types the text; we say which files, which types
// the user fixed, and what the columns are called.

import type { Failure } from '../base/failure.ts'
import { Failure as Fail } from '../base/failure.ts'
import { quoteFile, quoteName, quoteText, type Column } from '../lake/index.ts'
import type { CsvSource, Located } from '../project/index.ts'

/** `read_csv(…)` over the spooled files. The whole file is looked at before types are chosen, so none fails later. */
export const readCsv = (source: CsvSource, files: readonly string[], more: readonly string[] = []): string =>
  `read_csv([${files.map(quoteFile).join(', ')}], ${['sample_size = -1', ...settingsOf(source, files), ...more].join(', ')})`

/** How many lines at the begin of a file would be left out because they do not look like the others. */
export const skippedLines = (source: CsvSource, file: string): string =>
  `SELECT SkipRows::INTEGER FROM sniff_csv(${[quoteFile(file), ...settingsOf(source, [file])].join(', ')})`

function settingsOf({ options, columns }: CsvSource, files: readonly string[]): string[] {
  const settings: string[] = ['auto_detect = true', 'null_padding = false', 'ignore_errors = false']
  if (files.length > 1) settings.push('union_by_name = true')
  const text = (name: string, value: string | undefined) =>
    value !== undefined && settings.push(`${name} = ${quoteText(value)}`)
  text('delim', options.delimiter)
  // Named, not guessed: a guess would call a quote that is never closed a part of the text and load it.
  text('quote', options.quote ?? '"')
  text('escape', options.escape ?? (options.quote === '' ? '' : '"'))
  text('comment', options.comment)
  text('encoding', options.encoding)
  text('dateformat', options.dateformat)
  text('timestampformat', options.timestampformat)
  text('decimal_separator', options.decimal_separator)
  text('thousands', options.thousands)
  if (options.header !== undefined) settings.push(`header = ${options.header}`)
  if (options.skip !== undefined) settings.push(`skip = ${options.skip}`)
  if (options.nullstr) settings.push(`nullstr = [${options.nullstr.map(quoteText).join(', ')}]`)
  const types = Object.entries(columns).map(([name, type]) => `${quoteText(name)}: ${quoteText(String(type))}`)
  if (types.length > 0) settings.push(`types = {${types.join(', ')}}`)
  return settings
}

/** `Order ID` is `order_id`; two columns of the same name become `name` and `name_2`. */
export function columnNames(columns: readonly Column[]): { from: string; to: string }[] {
  const taken = new Set<string>()
  return columns.map(({ name }) => {
    const base = snakeCase(name)
    let to = base
    for (let count = 2; taken.has(to); count++) to = `${base}_${count}`
    taken.add(to)
    return { from: name, to }
  })
}

export function snakeCase(name: string): string {
  const words = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1_$2')
    .replace(/[^\p{L}\d]+/gu, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase()
  return words === '' ? 'column' : /^\d/.test(words) ? `_${words}` : words
}

/** `guarded`: fails with `tooLarge` at a DOUBLE that no whole number of 64 bits is as large as. */
export function selectCsv(
  source: CsvSource,
  files: readonly string[],
  columns: readonly Column[],
  guarded = false,
): string {
  const names = columnNames(columns)
  const items = names.map(({ from, to }, at) => {
    const column = quoteName(from)
    const isGuarded = guarded && columns[at]!.type === 'DOUBLE'
    const value = isGuarded
      ? `CASE WHEN isfinite(${column}) AND abs(${column}) >= 9223372036854775808 THEN error(${quoteText(tooLarge)}) ELSE ${column} END`
      : column
    return `${value} AS ${quoteName(to)}`
  })
  return `SELECT ${items.join(', ')} FROM ${readCsv(source, files)}`
}
export const tooLarge = 'boathouse: a number of more than 64 bits'

/**
 * Of columns that are DOUBLE: whether all that is written there are whole numbers. DuckDB takes those of more than 64 bits for
 * DOUBLE, which keeps sixteen of their digits.
 */
export function wholeNumbers(source: CsvSource, files: readonly string[], columns: readonly Column[]): string {
  const items = columns.map(({ name }) => `bool_and(regexp_full_match(trim(${quoteName(name)}), '[-+]?[0-9]{1,38}'))`)
  return `SELECT [${items.join(', ')}] FROM ${readCsv({ ...source, columns: {} }, files, ['all_varchar = true'])}`
}

/** DuckDB's CSV complaints name the spooled copy; people know their own file. */
export function csvFailure(
  failure: Failure,
  source: Located<CsvSource>,
  original: (spooled: string) => string | undefined,
): Failure {
  const message = failure.message
  const line = /(?:CSV Error on Line|Line): ?(\d+)/i.exec(message)?.[1]
  const path = /(?:file|File):? "?([^"\n]+?\.csv(?:\.gz)?)"?(?:[.\s]|$)/i.exec(message)?.[1]
  const file = (path && original(path)) ?? (source.value.path.includes('*') ? undefined : source.value.path)
  const declared = /(?:types?|Columns?).*?(?:not exist|could not be found|do not exist)[^"]*"?([^"\n]*)/i.exec(message)
  if (/COLUMN_TYPES|types.*do not exist|not found in the CSV/i.test(message) && declared)
    return new Fail('SOURCE_INVALID', `${source.value.path} has no column ${declared[1]!.trim()}`, {
      place: source.at(['columns']),
      cause: failure,
    })
  const told = message
    .split('\n')
    .map((part) => part.trim())
    .filter(
      (part) =>
        part !== '' &&
        !/^(Possible (solutions|fixes)|\*|file ?=|delimiter ?=|quote ?=|escape ?=|new_line|header|skip_rows|comment|strict_mode|date_format|timestamp_format|null_padding|sample_size|ignore_errors|all_varchar|encoding|The following|These settings|LINE|decimal|auto_detect|thousands|max_line|buffer)/i.test(
          part,
        ),
    )
    .slice(0, 3)
    .join(' ')
    .replace(/"?\/[^\s"]+\//g, '')
  const isOtherText = /not utf-8 encoded/i.test(message) && source.value.options.encoding === undefined
  return new Fail('SOURCE_INVALID', told || message, {
    place: file ? { file, ...(line ? { line: Number(line) } : {}) } : source.at(['path']),
    hint: isOtherText
      ? `Say in ${source.file} which encoding it has: options: { encoding: latin-1 }, or utf-16.`
      : 'Correct the row, or fix types and format in the source file (columns, options).',
    cause: failure,
  })
}
