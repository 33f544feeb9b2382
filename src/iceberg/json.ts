// JSON as Iceberg uses it: snapshot ids are 64-bit integers, so numbers beyond 2^53 are bigints here, read and written
// digit by digit. `JsonNode` walks a document that somebody else wrote and names the field where it breaks the spec.

import { randomUUID } from 'node:crypto'
import { Failure, type FailureCode } from '../base/failure.ts'

const json = JSON as unknown as { rawJSON(text: string): unknown } // TypeScript's library does not know it yet

// A reviver could see the digits of a number too, and takes ten times as long. So long numbers become strings for the
// time of parsing; strings are stepped over whole, also one that does not end.
const stringOrLong = /"[^"\\]*(?:\\[^][^"\\]*)*"?|(?<![\d.eE+-])-?[1-9]\d{15,}(?![\d.eE])/g
const mark = `${randomUUID()} ` // nobody else's string starts with it

/** Integers beyond 2^53 become bigint. METADATA_INVALID with `place` when it is no JSON. */
export function parseJson(text: string, place?: string): unknown {
  try {
    if (!/\d{16}/.test(text)) return JSON.parse(text)
    return withLongs(JSON.parse(text.replace(stringOrLong, (part) => (part[0] === '"' ? part : `"${mark}${part}"`))))
  } catch (error) {
    const why =
      error instanceof RangeError ? 'nested too deeply' : error instanceof Error ? error.message : String(error)
    throw new Failure('METADATA_INVALID', `${place ?? 'document'} is not valid JSON: ${why}`, {
      cause: error,
      ...(place && { place: { file: place } }),
    })
  }
}

/** The value itself, its long numbers put back in place. */
function withLongs(value: unknown): unknown {
  if (typeof value === 'string') {
    if (!value.startsWith(mark)) return value
    const long = BigInt(value.slice(mark.length))
    return Number.isSafeInteger(Number(long)) ? Number(long) : long
  }
  if (typeof value !== 'object' || value === null) return value
  const parts = value as Record<string, unknown>
  for (const name of Object.keys(parts)) {
    const part = parts[name]
    if (typeof part === 'string' ? part.startsWith(mark) : typeof part === 'object') parts[name] = withLongs(part)
  }
  return value
}

/** bigints are written as numbers. `indent` as in JSON.stringify. */
export function printJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_, part: unknown) => (typeof part === 'bigint' ? json.rawJSON(part.toString()) : part),
    indent,
  )
}

/** A JSON value and where it stands. Every accessor either gives the shape it names or fails with the path of the field. */
export class JsonNode {
  readonly value: unknown
  readonly path: string
  readonly #place: string | undefined
  readonly #code: FailureCode
  constructor(
    value: unknown,
    {
      path = '',
      place,
      code = 'METADATA_INVALID',
    }: { path?: string; place?: string | undefined; code?: FailureCode } = {},
  ) {
    this.value = value
    this.path = path
    this.#place = place
    this.#code = code
  }

  fail(problem: string): never {
    const field = this.path === '' ? '' : `${this.path}: `
    const file = this.#place === undefined ? '' : `${this.#place}: `
    throw new Failure(this.#code, `${file}${field}${problem}`, {
      field: this.path,
      ...(this.#place && { place: { file: this.#place } }),
    })
  }

  #child(value: unknown, path: string) {
    return new JsonNode(value, { path, place: this.#place, code: this.#code })
  }

  object(): Readonly<Record<string, unknown>> {
    const { value } = this
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      this.fail(`expected an object, found ${show(value)}`)
    return value as Readonly<Record<string, unknown>>
  }

  has(name: string): boolean {
    const value = this.object()[name]
    return value !== undefined && value !== null
  }

  /** The field, which must be there. */
  get(name: string): JsonNode {
    if (!this.has(name)) this.fail(`"${name}" is missing`)
    return this.#child(this.object()[name], this.path === '' ? name : `${this.path}.${name}`)
  }

  /** `read` of the field, or undefined when it is absent or null. */
  maybe<Result>(name: string, read: (node: JsonNode) => Result): Result | undefined {
    return this.has(name) ? read(this.get(name)) : undefined
  }

  list<Item>(read: (node: JsonNode) => Item): Item[] {
    const { value } = this
    if (!Array.isArray(value)) this.fail(`expected a list, found ${show(value)}`)
    return value.map((item, index) => read(this.#child(item, `${this.path}[${index}]`)))
  }

  entries<Item>(read: (node: JsonNode) => Item): Record<string, Item> {
    return Object.fromEntries(
      Object.entries(this.object()).map(([name, value]) => [name, read(this.#child(value, `${this.path}["${name}"]`))]),
    )
  }

  text(): string {
    return typeof this.value === 'string' ? this.value : this.fail(`expected text, found ${show(this.value)}`)
  }

  boolean(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.fail(`expected true or false, found ${show(this.value)}`)
  }

  /** A 32-bit integer. */
  int(): number {
    const { value } = this
    if (typeof value !== 'number' || (value | 0) !== value) this.fail(`expected a 32-bit integer, found ${show(value)}`)
    return value
  }

  /** A 64-bit integer. */
  long(): bigint {
    const { value } = this
    const long = typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(value as number) : undefined
    if (long === undefined || BigInt.asIntN(64, long) !== long)
      this.fail(`expected a 64-bit integer, found ${show(value)}`)
    return long
  }

  /** A count, a size or milliseconds: a 64-bit integer that is small enough for a number. */
  count(): number {
    const { value } = this
    return Number.isSafeInteger(value)
      ? (value as number)
      : this.fail(`expected an integer below 2^53, found ${show(value)}`)
  }

  /** Milliseconds since 1970, as far as a date can be made of them. */
  time(): number {
    const value = this.count()
    return Number.isNaN(new Date(value).getTime()) ? this.fail(`${value} ms are no time`) : value
  }

  /** Text values of an object; numbers and booleans, which some writers leave unquoted, become text. */
  texts(): Record<string, string> {
    return this.entries((node) =>
      ['number', 'boolean', 'bigint'].includes(typeof node.value) ? String(node.value) : node.text(),
    )
  }

  /** The same without those that are null, as some writers say that there is none. */
  knownTexts(): Record<string, string> {
    const known = Object.entries(this.object()).filter(([, value]) => value !== null)
    return this.#child(Object.fromEntries(known), this.path).texts()
  }

  oneOf<Option extends string>(...options: Option[]): Option {
    const text = this.text()
    return (
      options.find((option) => option === text) ?? this.fail(`expected one of ${options.join(', ')}, found "${text}"`)
    )
  }
}

function show(value: unknown): string {
  const text = printJson(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
