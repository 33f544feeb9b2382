// Columns of bytes that all have one length, as the format wants them (spec, "Parquet": fixed is fixed_len_byte_array).
//
// DuckDB has no such type. It writes a BLOB, which neither Spark nor PyIceberg takes for a fixed. Its values differ from
// values of a fixed length by the four bytes before each, so a file is put right after it was written: in pages and
// dictionaries of these columns the lengths are left out, all else is copied as it is, and the footer says where it lies now.
//
//   magic │ chunk of a │ chunk of f: shorter │ chunk of a │ chunk of f: shorter │ bloom filters │ footer │ its size │ magic
//                          └ pages: header │ packed (levels │ values)

import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { assert } from '../../../base/assert.ts'
import { Failure } from '../../../base/failure.ts'
import { readStruct, writeStruct, type ThriftFields } from './thrift.ts'

// Numbers of fields and values in parquet.thrift, which says what they mean.
const file = { schema: 2, rowGroups: 4 }
const element = { type: 1, length: 2, repetition: 3, children: 5, id: 9 }
const group = { columns: 1, unpackedSize: 2, offset: 5, size: 6 }
const chunk = { metadata: 3, offsetIndex: 4, columnIndex: 6 }
const column = { type: 1, codec: 4, unpackedSize: 6, size: 7, data: 9, dictionary: 11, statistics: 12, bloomFilter: 14 }
const bounds = [1, 2, 5, 6]
const page = { type: 1, unpackedSize: 2, size: 3, checksum: 4, data: 5 }
const dataPage = { encoding: 2 }
const [anyLength, fixedLength] = [6, 7]
const [pageOfData, pageOfDictionary] = [0, 2]
const [optional, repeated] = [1, 2]
const plain = 0

type Pack = (bytes: Uint8Array) => Promise<Uint8Array>
const asItIs: Pack = async (bytes) => bytes
const brotli = promisify<Uint8Array, zlib.BrotliOptions, Uint8Array>(zlib.brotliCompress)
/** The best quality, which is Node's default, takes a hundred times as long. */
const brotliParams = { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 }
const codecs: Record<number, { pack: Pack; unpack: Pack }> = {
  0: { pack: asItIs, unpack: asItIs },
  2: { pack: promisify(zlib.gzip), unpack: promisify(zlib.gunzip) },
  4: { pack: (bytes) => brotli(bytes, { params: brotliParams }), unpack: promisify(zlib.brotliDecompress) },
  6: { pack: promisify(zlib.zstdCompress), unpack: promisify(zlib.zstdDecompress) },
}
/** What such files may be packed with, as COPY calls it: what Node can pack too. */
export const codecsOfFixed: readonly string[] = ['uncompressed', 'gzip', 'brotli', 'zstd']

export type FixedColumn = { id: number; name: string; length: number }
export type Measured = { fileSizeBytes: number; columnSizes: Map<number, number> }

const copiedAtOnce = 2 ** 20
/** Headers of pages are small: DuckDB puts no statistics into them. */
const headerBytesMax = 1024

/**
 * Gives the columns with these field ids their fixed length, in a file that DuckDB has just written. Returns what the
 * file and these columns measure then. @throws SQL_INVALID when a value has another length
 */
export async function fixLengths(path: string, fixed: readonly FixedColumn[]): Promise<Measured> {
  const to = `${path}.fixed`
  try {
    const measured = await rewrite(path, to, fixed)
    await rename(to, path)
    return measured
  } catch (error) {
    await rm(to, { force: true }).catch(() => {})
    throw error
  }
}

async function rewrite(path: string, to: string, fixed: readonly FixedColumn[]): Promise<Measured> {
  await using input = await open(path, 'r')
  await using output = await open(to, 'wx')
  const { size } = await input.stat()
  const tail = await read(input, size - 8, 8)
  const footerAt = size - 8 - tail.readUInt32LE()
  const footer = readStruct(await read(input, footerAt, size - 8 - footerAt)).fields
  const leaves = fixLeaves(structs(footer, file.schema), fixed)

  let [at, written] = [0, 0]
  const write = async (bytes: Uint8Array) => {
    for (let from = 0; from < bytes.length;) from += (await output.write(bytes, from)).bytesWritten
    written += bytes.length
  }
  const copyUpTo = async (end: number) => {
    while (at < end) {
      const length = Math.min(copiedAtOnce, end - at)
      await write(await read(input, at, length))
      at += length
    }
  }
  /** What began at `from` or behind it is so many bytes further ahead. */
  const moves: { from: number; by: number }[] = []
  const firstData = new Map<ThriftFields, number>()
  const columnSizes = new Map<number, number>()
  const groups = structs(footer, file.rowGroups)
  for (const { rowGroup, metadata, leaf } of chunksOf(groups, leaves)) {
    if (!leaf.fixed) continue
    await copyUpTo(numberIf(metadata, column.dictionary) ?? number(metadata, column.data))
    const [startsAt, end] = [written, at + number(metadata, column.size)]
    const codec = codecs[number(metadata, column.codec)]
    assert(codec !== undefined, 'files with columns of fixed lengths are packed with a codec of codecsOfFixed')
    let unpacked = 0
    while (at < end) {
      const found = await fixedPage(input, at, end, codec, leaf, leaf.fixed)
      if (found.type === pageOfData && !firstData.has(metadata)) firstData.set(metadata, written)
      await write(found.header)
      await write(found.body)
      at += found.length
      unpacked += found.header.length + found.unpackedSize
    }
    moves.push({ from: end, by: end - written })
    const unpackedBefore = put(metadata, column.unpackedSize, unpacked)
    const before = put(metadata, column.size, written - startsAt)
    put(rowGroup, group.unpackedSize, number(rowGroup, group.unpackedSize) + unpacked - unpackedBefore)
    if (rowGroup.has(group.size)) put(rowGroup, group.size, number(rowGroup, group.size) + written - startsAt - before)
    put(metadata, column.type, fixedLength)
    dropOtherBounds(metadata, leaf.fixed.length)
    columnSizes.set(leaf.fixed.id, (columnSizes.get(leaf.fixed.id) ?? 0) + written - startsAt)
  }
  await copyUpTo(footerAt)

  const move = (fields: ThriftFields, id: number) => {
    const offset = numberIf(fields, id)
    if (offset !== undefined) put(fields, id, offset - (moves.findLast(({ from }) => from <= offset)?.by ?? 0))
  }
  for (const rowGroup of groups) move(rowGroup, group.offset)
  for (const { metadata } of chunksOf(groups, leaves))
    for (const id of [column.data, column.dictionary, column.bloomFilter]) move(metadata, id)
  for (const [metadata, offset] of firstData) put(metadata, column.data, offset)
  const newFooter = writeStruct(footer)
  tail.writeUInt32LE(newFooter.length)
  await write(newFooter)
  await write(tail)
  return { fileSizeBytes: written, columnSizes }
}

type Leaf = { fixed: FixedColumn | undefined; isOptional: boolean; isRepeated: boolean }

/** The columns in the order of their chunks; those of fixed length become so in the schema. */
function fixLeaves(elements: readonly ThriftFields[], fixed: readonly FixedColumn[]): Leaf[] {
  const leaves: Leaf[] = []
  let next = 0
  const visit = (above: Omit<Leaf, 'fixed'>) => {
    const one = elements[next++]!
    const repetition = numberIf(one, element.repetition)
    const levels = {
      isOptional: above.isOptional || repetition === optional || repetition === repeated,
      isRepeated: above.isRepeated || repetition === repeated,
    }
    const children = numberIf(one, element.children) ?? 0
    for (let child = 0; child < children; child++) visit(levels)
    if (children > 0) return
    const found = fixed.find(({ id }) => id === numberIf(one, element.id))
    leaves.push({ fixed: found, ...levels })
    if (!found) return
    assert(put(one, element.type, fixedLength) === anyLength, 'DuckDB writes bytes of any length')
    one.set(element.length, { type: 'i32', value: BigInt(found.length) })
  }
  visit({ isOptional: false, isRepeated: false })
  return leaves
}

function* chunksOf(groups: readonly ThriftFields[], leaves: readonly Leaf[]) {
  for (const rowGroup of groups)
    for (const [index, one] of structs(rowGroup, group.columns).entries()) {
      assert(!one.has(chunk.offsetIndex) && !one.has(chunk.columnIndex), 'DuckDB writes no indexes of pages')
      const metadata = one.get(chunk.metadata)
      assert(metadata?.type === 'struct', 'a chunk has metadata')
      yield { rowGroup, metadata: metadata.fields, leaf: leaves[index]! }
    }
}

/** The page at an offset, with its values in their fixed length; `length`: what it had. */
async function fixedPage(
  input: FileHandle,
  at: number,
  end: number,
  { pack, unpack }: { pack: Pack; unpack: Pack },
  { isOptional, isRepeated }: Leaf,
  fixed: FixedColumn,
) {
  const { fields, end: headerLength } = readStruct(await read(input, at, Math.min(headerBytesMax, end - at)))
  const [type, size] = [number(fields, page.type), number(fields, page.size)]
  assert(type === pageOfData || type === pageOfDictionary, 'DuckDB writes pages of data in their first version')
  let body: Uint8Array = await read(input, at + headerLength, size)
  const data = fields.get(page.data)
  // The others name values of the dictionary by their number.
  if (data?.type !== 'struct' || number(data.fields, dataPage.encoding) === plain) {
    const values = Buffer.from(await unpack(body))
    const levels = type === pageOfDictionary ? 0 : [isRepeated, isOptional].filter(Boolean).length
    const plainBody = withoutLengths(values, levels, fixed)
    body = await pack(plainBody)
    put(fields, page.unpackedSize, plainBody.length)
    put(fields, page.size, body.length)
    fields.delete(page.checksum)
  }
  const unpackedSize = number(fields, page.unpackedSize)
  return { type, header: writeStruct(fields), body, unpackedSize, length: headerLength + size }
}

/** Behind the levels, which say their length, stand values that each say theirs. */
function withoutLengths(bytes: Buffer, levels: number, { name, length }: FixedColumn): Uint8Array {
  let at = 0
  for (let level = 0; level < levels; level++) at += 4 + bytes.readUInt32LE(at)
  let to = at
  while (at < bytes.length) {
    const found = bytes.readUInt32LE(at)
    if (found !== length)
      throw new Failure('SQL_INVALID', `${name} is of the type fixed[${length}], and a row's value has ${found} bytes`)
    bytes.copyWithin(to, at + 4, at + 4 + length)
    at += 4 + length
    to += length
  }
  return bytes.subarray(0, to)
}

/** Bounds that were cut are no values of a column of fixed length. */
function dropOtherBounds(metadata: ThriftFields, length: number): void {
  const statistics = metadata.get(column.statistics)
  if (statistics?.type !== 'struct') return
  for (const id of bounds) {
    const bound = statistics.fields.get(id)
    if (bound?.type === 'binary' && bound.value.length !== length) statistics.fields.delete(id)
  }
}

// ---- bytes and fields

async function read(from: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  for (let have = 0; have < length;) {
    const { bytesRead } = await from.read(bytes, have, length - have, at + have)
    assert(bytesRead > 0, 'a file that was just written has all of its bytes')
    have += bytesRead
  }
  return bytes
}

function structs(fields: ThriftFields, id: number): ThriftFields[] {
  const list = fields.get(id)
  return list?.type === 'list' ? list.items.flatMap((one) => (one.type === 'struct' ? [one.fields] : [])) : []
}

function numberIf(fields: ThriftFields, id: number): number | undefined {
  const field = fields.get(id)
  return typeof field !== 'object' || !('value' in field) || typeof field.value !== 'bigint'
    ? undefined
    : Number(field.value)
}

function number(fields: ThriftFields, id: number): number {
  const found = numberIf(fields, id)
  assert(found !== undefined, `field ${id} is a number`)
  return found
}

/** Returns what it was. */
function put(fields: ThriftFields, id: number, value: number): number {
  const before = number(fields, id)
  fields.set(id, { ...(fields.get(id) as { type: 'i64' }), value: BigInt(value) })
  return before
}
