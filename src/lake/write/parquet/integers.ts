// Columns of 32-bit integers without a note that they are such. DuckDB writes one (INT_32, or an integer of 32 bits with a
// sign), which says nothing that the physical type does not say, and Spark's reader of Iceberg then takes the column for one
// of 32 bits also where the table has widened it to a long since, and fails. Java writes none. Only the schema at the
// beginning of the footer changes; what lies before and behind it stays as it is.

import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { assert } from '../../../base/assert.ts'
import { readStruct, writeStruct, type ThriftFields } from './thrift.ts'

// Numbers of fields and values in parquet.thrift, which says what they mean.
const element = { type: 1, converted: 6, logical: 10 }
const [int32, convertedInt32] = [1n, 17n]
const logicalInteger = 10
/** Field 1 of the footer, a number, and field 2, a list, as Thrift's compact protocol begins them. */
const [beginsVersion, beginsSchema] = [0x15, 0x19]

/** Changes the footer of a file that DuckDB has just written; gives how large the file is then. */
export function plainIntegers(path: string): number {
  const file = openSync(path, 'r+')
  try {
    const { size } = fstatSync(file)
    const tail = read(file, size - 8, 8)
    const footerAt = size - 8 - tail.readUInt32LE()
    const footer = read(file, footerAt, size - 8 - footerAt)
    const changed = withPlainIntegers(footer)
    if (!changed) return size
    tail.writeUInt32LE(changed.length)
    const written = Buffer.concat([changed, tail])
    for (let at = 0; at < written.length;) at += writeSync(file, written, at, written.length - at, footerAt + at)
    ftruncateSync(file, footerAt + written.length)
    return footerAt + written.length
  } finally {
    closeSync(file)
  }
}

/** Undefined where there is nothing to change. */
function withPlainIntegers(footer: Buffer): Buffer | undefined {
  assert(footer[0] === beginsVersion, 'a footer begins with its version')
  let at = 1
  const varint = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const next = footer[at++]!
      value += (next & 0x7f) * scale
      if (next < 0x80) return value
    }
  }
  varint()
  assert(footer[at++] === beginsSchema, 'the schema comes second')
  const head = footer[at++]!
  const count = head >> 4 === 15 ? varint() : head >> 4
  const from = at
  const elements: Uint8Array[] = []
  let isChanged = false
  for (let index = 0; index < count; index++) {
    const { fields, end } = readStruct(footer, at)
    const isOne = isInteger(fields)
    isChanged ||= isOne
    if (isOne) for (const id of [element.converted, element.logical]) fields.delete(id)
    elements.push(isOne ? writeStruct(fields) : footer.subarray(at, end))
    at = end
  }
  return isChanged ? Buffer.concat([footer.subarray(0, from), ...elements, footer.subarray(at)]) : undefined
}

/** Whether it is noted to be an integer of 32 bits; narrower ones, and those without a sign, are no columns of tables. */
function isInteger(fields: ThriftFields): boolean {
  const [type, converted, logical] = [element.type, element.converted, element.logical].map((id) => fields.get(id))
  if (type?.type !== 'i32' || type.value !== int32) return false
  if (converted?.type === 'i32') return converted.value === convertedInt32
  return logical?.type === 'struct' && logical.fields.has(logicalInteger)
}

function read(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let have = 0; have < length;) {
    const count = readSync(file, bytes, have, length - have, at + have)
    assert(count > 0, 'a file that was just written has all of its bytes')
    have += count
  }
  return bytes
}
