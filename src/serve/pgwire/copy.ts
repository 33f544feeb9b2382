// Rows as COPY … TO STDOUT sends them.
//
// Source: PostgreSQL documentation, COPY, "File Formats". A tuple of the binary format is the body of a DataRow.

import type { CopyFormat } from './classify.ts'
import { copyData, type Field } from './messages.ts'
import { valuesOf } from './rows.ts'

/** What goes before the rows. */
export function copyHead(to: CopyFormat, fields: readonly Field[]): Buffer[] {
  if (to.format === 'binary') return [copyData(Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1'))]
  if (!to.header) return []
  const line = fields.map(({ name }) => show(Buffer.from(name), to, false)).join(to.delimiter)
  return [copyData(Buffer.from(`${line}\n`))]
}

/** One message for the rows of a buffer of DataRow messages. */
export function copyRows(rows: Buffer, to: CopyFormat): Buffer[] {
  if (to.format === 'binary') return [...tuples(rows)].map(copyData)
  const lines: string[] = []
  for (const values of valuesOf(rows))
    lines.push(
      values.map((value) => (value === null ? to.nullText : show(value, to, to.forceQuote))).join(to.delimiter),
      '\n',
    )
  return [copyData(Buffer.from(lines.join('')))]
}

/** What goes after them. */
export const copyTail = (to: CopyFormat): Buffer[] =>
  to.format === 'binary' ? [copyData(Buffer.from([255, 255]))] : []

function* tuples(rows: Buffer): Generator<Buffer> {
  for (let at = 0; at < rows.length;) {
    const end = at + 1 + rows.readInt32BE(at + 1)
    yield rows.subarray(at + 5, end)
    at = end
  }
}

const escaped: Record<string, string> = {
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

function show(value: Buffer, to: CopyFormat, always: boolean): string {
  const text = value.toString()
  if (to.format === 'text') {
    const safe = text.replace(/[\\\b\f\n\r\t\v]/g, (character) => escaped[character]!)
    return to.delimiter === '\t' ? safe : safe.replaceAll(to.delimiter, `\\${to.delimiter}`)
  }
  const { delimiter, quote, escape, nullText } = to
  const needs =
    always || text === nullText || text === '\\.' || [delimiter, quote, '\n', '\r'].some((one) => text.includes(one))
  if (!needs) return text
  const inside = escape === quote ? text : text.replaceAll(escape, escape + escape)
  return quote + inside.replaceAll(quote, escape + quote) + quote
}
