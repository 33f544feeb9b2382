// Avro object container files, as far as Iceberg's manifests need them: reading with any schema, writing with ours.
//
// A schema is compiled once into functions that read (or write) its values, then run over the blocks. The caller says
// under which key a field lands in the result - Iceberg resolves fields by id, not by name - or that it is to be skipped.
// What comes out: int and long are numbers where they fit, else bigints; bytes and fixed are Uint8Array; a nullable
// field that is null is undefined; an array of {key, value} records (Iceberg's maps) is a Map, and where it maps numbers to
// numbers or bytes - the statistics, most of a manifest - a `PackedMap`, which decodes nothing before it is asked.
// Files come from anywhere, so every length is checked against what is left before anything is allocated.

import { randomBytes } from 'node:crypto'
import { deflateRawSync, inflateRawSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { Failure } from '../base/failure.ts'
import { unbzip2 } from './codecs/bzip2.ts'
import { unsnappy } from './codecs/snappy.ts'
import { CodecError } from './codecs/unpacked.ts'
import { unxz } from './codecs/xz.ts'
import { JsonNode, parseJson, printJson } from './json.ts'

export type AvroCodec = 'null' | 'deflate' | 'zstandard'
export type AvroField = {
  name: string
  type: AvroSchema
  'field-id'?: number
  default?: unknown
  doc?: string
  'iceberg-field-name'?: string
}
export type AvroRecord = { type: 'record'; name: string; fields: readonly AvroField[] }
export type AvroSchema =
  | string
  | AvroRecord
  | { type: 'array'; items: AvroSchema; logicalType?: string; 'element-id'?: number }
  | { type: 'map'; values: AvroSchema }
  | { type: 'fixed'; name: string; size: number; logicalType?: string; precision?: number; scale?: number }
  | { type: 'enum'; name: string; symbols: readonly string[] }
  | { type: string; logicalType?: string; 'adjust-to-utc'?: boolean; precision?: number; scale?: number }
  | readonly AvroSchema[]

export type AvroFile = {
  /** The header's own keys and those of the writer, as text. */
  header: ReadonlyMap<string, string>
  records: Record<string, unknown>[]
  /** Of all blocks, unpacked. */
  plainBytes: number
}
/** The key of a field in the result, or undefined to skip it. `inside` is the id of the field around it, or its name where it has none. */
export type KeyOf = (name: string, id: number | undefined, inside: number | string | undefined) => string | undefined

const magic = [0x4f, 0x62, 0x6a, 1]
const blockBytesMaxDefault = 512 * 1024 * 1024
/** A file that unpacks to more than a thousand times its size, and more than this, was made to keep its reader busy. */
const [plainFactorMax, plainBytesFree] = [1_000, 16 * 1024 * 1024]
const depthMax = 64

// --- reading

export function readAvro(
  bytes: Uint8Array,
  { place, keyOf, blockBytesMax = blockBytesMaxDefault }: { place: string; keyOf: KeyOf; blockBytesMax?: number },
): AvroFile {
  const failure = (code: 'METADATA_INVALID' | 'UNSUPPORTED', why: string, cause: unknown) =>
    new Failure(code, `${place} is not a readable Avro file: ${why}`, { place: { file: place }, cause })
  try {
    return readFile(bytes, keyOf, place, blockBytesMax)
  } catch (error) {
    if (error instanceof UnknownCodec) throw failure('UNSUPPORTED', error.message, error)
    if (error instanceof AvroError) throw failure('METADATA_INVALID', error.message, error)
    if (error instanceof RangeError) throw failure('METADATA_INVALID', 'nested too deeply', error)
    throw error
  }
}

class AvroError extends Error {}
class UnknownCodec extends AvroError {}

function readFile(bytes: Uint8Array, keyOf: KeyOf, place: string, blockBytesMax: number): AvroFile {
  const file = new Input(bytes)
  if (magic.some((byte) => file.byte() !== byte)) throw new AvroError('it does not begin as one')
  const header = new Map<string, string>()
  for (let count = file.blockCount(); count > 0; count = file.blockCount())
    for (; count > 0; count--) {
      const key = file.text()
      header.set(key, file.text())
    }
  const sync = file.take(16)
  const read = readerFor(header.get('avro.schema') ?? fail('the header has no schema'), keyOf, place)
  const codec = header.get('avro.codec') ?? 'null'
  const records: Record<string, unknown>[] = []
  const plainBytesMax = plainBytesFree + bytes.length * plainFactorMax
  let plainBytes = 0
  while (!file.isAtEnd()) {
    const count = file.count()
    const packed = file.take(file.count())
    const block = new Input(decompress(codec, packed, Math.min(blockBytesMax, plainBytesMax - plainBytes)))
    if (count > block.left()) throw new AvroError(`a block claims ${count} records in ${block.left()} bytes`)
    plainBytes += block.left()
    for (let index = 0; index < count; index++) records.push(read(block) as Record<string, unknown>)
    if (!block.isAtEnd()) throw new AvroError('a block is longer than its records')
    const marker = file.take(16)
    if (marker.some((byte, at) => byte !== sync[at])) throw new AvroError('the marker after a block is wrong')
  }
  return { header, records, plainBytes }
}

function fail(why: string): never {
  throw new AvroError(why)
}

function decompress(codec: string, packed: Uint8Array, maxOutputLength: number): Uint8Array {
  try {
    switch (codec) {
      case 'null':
        return packed
      case 'deflate':
        return inflateRawSync(packed, { maxOutputLength })
      case 'zstandard':
        return zstdDecompressSync(packed, { maxOutputLength })
      case 'snappy':
        return unsnappy(packed, maxOutputLength)
      case 'bzip2':
        return unbzip2(packed, maxOutputLength)
      case 'xz':
        return unxz(packed, maxOutputLength)
    }
  } catch (error) {
    const why = error instanceof CodecError ? `: ${error.message}` : ''
    throw new AvroError(`a ${codec} block cannot be unpacked${why}`, { cause: error })
  }
  throw new UnknownCodec(`the codec "${codec}" is not one of Avro's`)
}

/** Bytes with a position; every read is within them or fails. */
class Input {
  readonly #bytes: Buffer
  #at: number
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = at
  }
  /** The same bytes from here on may be read later. */
  get bytes(): Buffer {
    return this.#bytes
  }
  get at(): number {
    return this.#at
  }
  isAtEnd() {
    return this.#at >= this.#bytes.length
  }
  left() {
    return this.#bytes.length - this.#at
  }
  byte(): number {
    return this.#bytes[this.#at++] ?? fail('it ends too early')
  }
  take(length: number): Uint8Array {
    if (length > this.left()) fail('it ends too early')
    const start = this.#at
    this.#at += length
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, length)
  }
  skip(length: number): void {
    if (length > this.left()) fail('it ends too early')
    this.#at += length
  }
  text(): string {
    const length = this.count()
    if (length > this.left()) fail('it ends too early')
    const start = this.#at
    this.#at += length
    return this.#bytes.toString('utf8', start, this.#at)
  }
  /** Zigzag, seven bits a byte. */
  long(): number | bigint {
    const first = this.byte()
    if (first < 0x80) return (first >>> 1) ^ -(first & 1)
    let value = first & 0x7f
    let factor = 128
    for (let bytes = 2; bytes <= 7; bytes++, factor *= 128) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
    let big = BigInt(value)
    for (let shift = 49n; ; shift += 7n) {
      if (shift > 63n) fail('a number is longer than 64 bits')
      const byte = this.byte()
      big |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    const long = BigInt.asIntN(64, (big >> 1n) ^ -(big & 1n))
    return long >= BigInt(Number.MIN_SAFE_INTEGER) && long <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(long) : long
  }
  skipLong(): void {
    const bytes = this.#bytes
    const start = this.#at
    let at = start
    while (bytes[at]! >= 0x80) at++
    if (at >= bytes.length) fail('it ends too early')
    if (at - start >= 10) fail('a number is longer than 64 bits')
    this.#at = at + 1
  }
  /** A length: never negative. */
  count(): number {
    const value = this.long()
    return typeof value === 'number' && value >= 0 ? value : fail('a length is negative or too large')
  }
  /** The items of the next block of an array or map; 0 ends it. Each takes at least a byte: larger claims are refused. */
  blockCount(): number {
    let count = this.long()
    if (typeof count !== 'number') fail('a count is too large')
    if (count < 0) {
      count = -count
      this.count() // the block's size, for those that skip it
    }
    return count <= this.left() ? count : fail('a count is larger than what is left')
  }
  float() {
    this.skip(4)
    return this.#bytes.readFloatLE(this.#at - 4)
  }
  double() {
    this.skip(8)
    return this.#bytes.readDoubleLE(this.#at - 8)
  }
}

type Read = (input: Input) => unknown

/** A map from numbers that is still the bytes it was read from; they were checked. Of a manifest's files few are asked. */
export class PackedMap<Item> {
  readonly size: number
  readonly #bytes: Buffer
  readonly #at: number
  readonly #form: Packed<Item>
  constructor(input: Input, form: Packed<Item>) {
    this.#bytes = input.bytes
    this.#at = input.at
    this.#form = form
    let size = 0
    for (let count = input.blockCount(); count > 0; count = input.blockCount()) {
      size += count
      form.skip(input, count)
    }
    this.size = size
  }
  get(key: unknown): Item | undefined {
    const input = new Input(this.#bytes, this.#at)
    for (let count = input.blockCount(); count > 0; count = input.blockCount())
      for (; count > 0; count--) {
        if (input.long() === key) return this.#form.read(input)
        this.#form.skipOne(input)
      }
    return undefined
  }
  has(key: unknown): boolean {
    return this.get(key) !== undefined
  }
  *entries(): MapIterator<[number, Item]> {
    const input = new Input(this.#bytes, this.#at)
    for (let count = input.blockCount(); count > 0; count = input.blockCount())
      for (; count > 0; count--) yield [input.long() as number, this.#form.read(input)]
  }
  *keys(): MapIterator<number> {
    for (const [key] of this) yield key
  }
  *values(): MapIterator<Item> {
    for (const [, value] of this) yield value
  }
  forEach(visit: (value: Item, key: number, map: ReadonlyMap<number, Item>) => void): void {
    for (const [key, value] of this) visit(value, key, this)
  }
  [Symbol.iterator](): MapIterator<[number, Item]> {
    return this.entries()
  }
}
/** `skip` goes past so many pairs. */
type Packed<Item> = {
  read: (input: Input) => Item
  skipOne: (input: Input) => void
  skip: (input: Input, count: number) => void
}
const packedLongs: Packed<number | bigint> = {
  read: (input) => input.long(),
  skipOne: (input) => input.skipLong(),
  skip(input, count) {
    for (; count > 0; count--) {
      input.skipLong()
      input.skipLong()
    }
  },
}
const packedBytes: Packed<Uint8Array> = {
  read: (input) => input.take(input.count()),
  skipOne: (input) => input.skip(input.count()),
  skip(input, count) {
    for (; count > 0; count--) {
      input.skipLong()
      input.skip(input.count())
    }
  },
}
const packedForms: Record<string, Packed<unknown>> = { int: packedLongs, long: packedLongs, bytes: packedBytes }

/** Readers by the text of their schemas: those of a table's manifests are all the same, and most of them are small. */
const readers = new WeakMap<KeyOf, Map<string, Read>>()
const [readersMax, schemaTextMax] = [32, 64 * 1024]

function readerFor(schema: string, keyOf: KeyOf, place: string): Read {
  const known = readers.get(keyOf) ?? new Map<string, Read>()
  const before = known.get(schema)
  if (before) return before
  const read = compileReader(new JsonNode(parseJson(schema, place), { place }), keyOf)
  if (schema.length > schemaTextMax) return read
  if (known.size >= readersMax) known.delete(known.keys().next().value!)
  readers.set(keyOf, known.set(schema, read))
  return read
}

/** Fields under the keys that `keyOf` gives; what it does not want is read and dropped. */
function compileReader(root: JsonNode, keyOf: KeyOf): Read {
  const named = new Map<string, Read>()

  const compile = (node: JsonNode, inside: number | string | undefined, depth: number): Read => {
    if (depth > depthMax) fail('its schema is nested too deeply')
    if (Array.isArray(node.value)) return union(node.list((part) => compile(part, inside, depth + 1)))
    const type = typeof node.value === 'string' ? node.value : node.get('type').value
    if (typeof type !== 'string') return compile(node.get('type'), inside, depth + 1)
    switch (type) {
      case 'null':
        return () => undefined
      case 'boolean':
        return (input) => input.byte() !== 0
      case 'int':
      case 'long':
        return (input) => input.long()
      case 'float':
        return (input) => input.float()
      case 'double':
        return (input) => input.double()
      case 'string':
        return (input) => input.text()
      case 'bytes':
        return (input) => input.take(input.count())
      case 'fixed': {
        const size = node.get('size').count()
        return name(node, (input) => input.take(size))
      }
      case 'enum': {
        const symbols = node.get('symbols').list((symbol) => symbol.text())
        return name(node, (input) => symbols[input.count()] ?? fail('a value is outside of its list'))
      }
      case 'array':
        return array(node.get('items'), inside, depth)
      case 'map': {
        const value = compile(node.get('values'), inside, depth + 1)
        return (input) => {
          const result = new Map<string, unknown>()
          for (let count = input.blockCount(); count > 0; count = input.blockCount())
            for (; count > 0; count--) {
              const key = input.text()
              result.set(key, value(input))
            }
          return result
        }
      }
      case 'record': {
        const parts: { key: string | undefined; read: Read }[] = []
        // A copy of one that has all keys is made at once; one that grows key by key is moved in memory again and again.
        const blank: Record<string, unknown> = {}
        const read: Read = (input) => {
          const result = { ...blank }
          for (const { key, read } of parts) {
            const value = read(input)
            if (key !== undefined) result[key] = value
          }
          return result
        }
        name(node, read) // before its fields: they may name it
        parts.push(
          ...node.get('fields').list((field) => {
            const id = field.maybe('field-id', (at) => at.int())
            const name = field.get('name').text()
            return { key: keyOf(name, id, inside), read: compile(field.get('type'), id ?? name, depth + 1) }
          }),
        )
        for (const { key } of parts) if (key !== undefined) blank[key] = undefined
        return read
      }
      default:
        return named.get(type) ?? fail(`its schema uses an unknown type "${type}"`)
    }
  }

  const name = (node: JsonNode, read: Read): Read => {
    const name = node.get('name').text()
    const namespace = node.maybe('namespace', (at) => at.text())
    named.set(name, read)
    if (namespace !== undefined) named.set(`${namespace}.${name}`, read)
    return read
  }

  const array = (items: JsonNode, inside: number | string | undefined, depth: number): Read => {
    const fields =
      typeof items.value === 'object' && !Array.isArray(items.value)
        ? items.maybe('fields', (at) => at.list((field) => field))
        : undefined
    const names = fields?.map((field) => field.get('name').text())
    if (names?.length === 2 && names[0] === 'key' && names[1] === 'value') {
      const [keyType, valueType] = fields!.map((field) => field.get('type').value)
      const form =
        typeof valueType === 'string' && Object.hasOwn(packedForms, valueType) ? packedForms[valueType] : undefined
      if (form && (keyType === 'int' || keyType === 'long')) return (input) => new PackedMap(input, form)
      const [key, value] = fields!.map((field) => compile(field.get('type'), inside, depth + 1)) as [Read, Read]
      return (input) => {
        const result = new Map<unknown, unknown>()
        for (let count = input.blockCount(); count > 0; count = input.blockCount())
          for (; count > 0; count--) {
            const at = key(input)
            result.set(at, value(input))
          }
        return result
      }
    }
    const item = compile(items, inside, depth + 1)
    return (input) => {
      const result: unknown[] = []
      for (let count = input.blockCount(); count > 0; count = input.blockCount())
        for (; count > 0; count--) result.push(item(input))
      return result
    }
  }

  if (typeof root.value !== 'object' || Array.isArray(root.value) || root.get('type').value !== 'record')
    fail('its schema is no record')
  return compile(root, undefined, 0)
}

function union(parts: Read[]): Read {
  return (input) => (parts[input.count()] ?? fail('a value is of none of its types'))(input)
}

// --- writing

export type AvroWrite = { schema: AvroRecord; header: Readonly<Record<string, string>>; codec?: AvroCodec }

/** Records have their fields under the schema's names; `undefined` and `null` are null. */
export function writeAvro(
  { schema, header, codec = 'deflate' }: AvroWrite,
  records: Iterable<Readonly<Record<string, unknown>>>,
): Uint8Array {
  const write = compileWriter(schema)
  const file = new Output()
  const sync = randomBytes(16)
  for (const byte of magic) file.byte(byte)
  const entries = Object.entries({ 'avro.schema': printJson(schema), 'avro.codec': codec, ...header })
  file.long(entries.length)
  for (const [key, value] of entries) {
    file.text(key)
    file.text(value)
  }
  file.long(0)
  file.raw(sync)
  let block = new Output()
  let count = 0
  const flush = () => {
    if (count === 0) return
    const packed =
      codec === 'deflate'
        ? deflateRawSync(block.bytes())
        : codec === 'zstandard'
          ? zstdCompressSync(block.bytes())
          : block.bytes()
    file.long(count)
    file.long(packed.length)
    file.raw(packed)
    file.raw(sync)
    block = new Output()
    count = 0
  }
  for (const record of records) {
    write(block, record)
    count++
    if (block.length >= 256 * 1024) flush()
  }
  flush()
  return file.bytes()
}

class Output {
  #bytes = Buffer.allocUnsafe(4096)
  length = 0
  #room(count: number) {
    if (this.length + count <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.length + count))
    this.#bytes.copy(larger, 0, 0, this.length)
    this.#bytes = larger
  }
  bytes(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset, this.length)
  }
  byte(value: number) {
    this.#room(1)
    this.#bytes[this.length++] = value
  }
  raw(bytes: Uint8Array) {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.length)
    this.length += bytes.length
  }
  text(text: string) {
    const bytes = Buffer.from(text, 'utf8')
    this.long(bytes.length)
    this.raw(bytes)
  }
  long(value: number | bigint) {
    if (typeof value === 'number' && value >= -0x4000_0000 && value < 0x4000_0000) {
      let zigzag = ((value << 1) ^ (value >> 31)) >>> 0
      for (; zigzag >= 0x80; zigzag >>>= 7) this.byte((zigzag & 0x7f) | 0x80)
      return this.byte(zigzag)
    }
    const big = BigInt(value)
    let zigzag = BigInt.asUintN(64, (big << 1n) ^ (big >> 63n))
    for (; zigzag >= 0x80n; zigzag >>= 7n) this.byte(Number(zigzag & 0x7fn) | 0x80)
    return this.byte(Number(zigzag))
  }
  number(size: 4 | 8, value: number) {
    this.#room(size)
    if (size === 4) this.#bytes.writeFloatLE(value, this.length)
    else this.#bytes.writeDoubleLE(value, this.length)
    this.length += size
  }
}

type Write = (output: Output, value: unknown) => void

function compileWriter(schema: AvroSchema): Write {
  if (isUnion(schema)) {
    const nullAt = schema.indexOf('null')
    const valueAt = schema.findIndex((part) => part !== 'null')
    const write = compileWriter(schema[valueAt]!)
    return (output, value) => {
      const isNull = value === undefined || value === null
      output.long(isNull ? nullAt : valueAt)
      if (!isNull) write(output, value)
    }
  }
  const type = typeof schema === 'string' ? schema : schema.type
  switch (type) {
    case 'boolean':
      return (output, value) => output.byte(value ? 1 : 0)
    case 'int':
    case 'long':
      return (output, value) => void output.long(value as number | bigint)
    case 'float':
      return (output, value) => output.number(4, value as number)
    case 'double':
      return (output, value) => output.number(8, value as number)
    case 'string':
      return (output, value) => output.text(value as string)
    case 'fixed':
      return (output, value) => output.raw(value as Uint8Array)
    case 'bytes':
      return (output, value) => {
        output.long((value as Uint8Array).length)
        output.raw(value as Uint8Array)
      }
    case 'array': {
      const item = compileWriter((schema as { items: AvroSchema }).items)
      return (output, value) => {
        const items =
          value instanceof Map || value instanceof PackedMap
            ? Array.from(value as Iterable<[unknown, unknown]>, ([key, value]) => ({ key, value }))
            : (value as readonly unknown[])
        if (items.length > 0) output.long(items.length)
        for (const one of items) item(output, one)
        output.long(0)
      }
    }
    case 'record': {
      const parts = (schema as AvroRecord).fields.map(({ name, type }) => ({ name, write: compileWriter(type) }))
      return (output, value) => {
        for (const { name, write } of parts) write(output, (value as Record<string, unknown>)[name])
      }
    }
    default:
      throw new AvroError(`no writer for Avro's ${type}`)
  }
}

const isUnion = (schema: AvroSchema): schema is readonly AvroSchema[] => Array.isArray(schema)
