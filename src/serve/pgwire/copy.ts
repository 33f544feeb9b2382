// Rows as COPY … TO STDOUT sends them.
//
// Source: PostgreSQL documentation, COPY, "File Formats". A tuple of the binary format is the body of a DataRow.

import { isFor, type CopyFormat } from './classify.ts'
import { copyData, type Field } from './messages.ts'
import { valuesOf } from './rows.ts'

/** The messages of one COPY. As PostgreSQL has it, the head of the binary format is part of the first message, a line of names is one. */
export class CopyWriter {
  readonly #to: CopyFormat
  /** Of each column, whether it is quoted whatever it holds. */
  readonly #quoted: readonly boolean[]
  #head: Buffer | undefined
  constructor(to: CopyFormat, fields: readonly Field[]) {
    this.#to = to
    this.#quoted = fields.map(({ name }) => isFor(to.forceQuote, name))
    if (to.format === 'binary') this.#head = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
    else if (to.header)
      this.#head = Buffer.from(`${fields.map(({ name }) => show(Buffer.from(name), to, false)).join(to.delimiter)}\n`)
  }

  #taken(bytes: Buffer): Buffer {
    const head = this.#head
    this.#head = undefined
    return copyData(head ? Buffer.concat([head, bytes]) : bytes)
  }

  /** The rows of a buffer of DataRow messages. */
  rows(rows: Buffer): Buffer[] {
    const to = this.#to
    if (to.format === 'binary') return [...tuples(rows)].map((tuple) => this.#taken(tuple))
    // A message for each row: some clients take what comes in one for a row.
    const line = (values: readonly (Buffer | null)[]) =>
      values.map((value, at) => (value === null ? to.nullText : show(value, to, this.#quoted[at]!))).join(to.delimiter)
    const names = this.#head
    this.#head = undefined
    const lines = Array.from(valuesOf(rows), (values) => copyData(Buffer.from(`${line(values)}\n`)))
    return names ? [copyData(names), ...lines] : lines
  }

  /** What goes after them. */
  end(): Buffer[] {
    if (this.#to.format === 'binary') return [this.#taken(Buffer.from([255, 255]))]
    return this.#head ? [this.#taken(Buffer.alloc(0))] : []
  }
}

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
