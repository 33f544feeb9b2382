// The rows of a CSV text as a SELECT of the write host: the text lies in the spool while it is read.

import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../base/failure.ts'
import { quoteFile, quoteText } from '../sql/tokens.ts'

/** A text with a line of names, and the names and types (DuckDB's) of all its columns in order. */
export type Csv = {
  text: string | AsyncIterable<string>
  columns: readonly { name: string; type: string }[]
  delimiter: string
  /** It has no line of names, quotes `"` by doubling it, and what is nothing without quotes is null. */
  exact?: boolean
}

/**
 * Quotes and escapes are found out by DuckDB, as they are by its COPY: seeds are to have the values that dbt-duckdb gives
 * them, even where a file quotes with something else. Calls `read` with the SELECT and its file.
 * @throws QUERY_FAILED with the line of a value that is not of its type
 */
export async function withCsv<Done>(
  spoolDir: string,
  { text, columns, delimiter, exact = false }: Csv,
  read: (select: string, file: string) => Promise<Done>,
): Promise<Done> {
  const file = join(spoolDir, `csv-${randomUUID()}.csv`)
  const types = columns.map(({ name, type }) => `${quoteText(name)}: ${quoteText(type)}`).join(', ')
  await mkdir(spoolDir, { recursive: true })
  try {
    await writeFile(file, text)
    const how = exact ? exactly : 'header = true'
    return await read(
      `SELECT * FROM read_csv(${quoteFile(file)}, columns = {${types}}, ${how}, delim = ${quoteText(delimiter)})`,
      file,
    )
  } catch (error) {
    throw error instanceof Failure ? inCsv(error) : error
  } finally {
    await rm(file, { force: true })
  }
}

const exactly = `header = false, auto_detect = false, quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, max_line_size = 16777216, buffer_size = 33554432, parallel = false`

/** DuckDB tells of the spooled file, and lists all its settings. The line itself comes last: it may be long, and what is wrong with it may not be cut off. */
function inCsv(failure: Failure): Failure {
  const line = /CSV Error on Line: (\d+)/.exec(failure.message)?.[1]
  if (line === undefined) return failure
  const lines = failure.message.split('\n').map((each) => each.trim())
  const told = [/^(?:Error when converting|Expected|Value|Could not|Row )/, /^Original Line/].flatMap((kind) =>
    lines.filter((each) => kind.test(each)),
  )
  return new Failure('QUERY_FAILED', `line ${line}: ${told.join('; ')}`.slice(0, 500), {
    cause: failure,
    place: { line: Number(line) },
  })
}
