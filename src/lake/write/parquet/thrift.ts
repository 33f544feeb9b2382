// Thrift's compact protocol, in which the footers and page headers of Parquet files are written: read into fields by
// number and written again, so that what is not changed, also what is not known here, stays as it was. Specification:
// thrift-compact-protocol.md of Apache Thrift.

import { assert } from '../../../base/assert.ts'

/** A field's value with its type, as the protocol numbers it. */
export type ThriftValue =
  | { type: 'boolean'; value: boolean }
  | { type: 'byte'; value: number }
  | { type: 'i16' | 'i32' | 'i64'; value: bigint }
  | { type: 'double' | 'binary'; value: Uint8Array }
  | { type: 'list' | 'set'; of: ThriftValue['type']; items: ThriftValue[] }
  | { type: 'struct'; fields: ThriftFields }
export type ThriftFields = Map<number, ThriftValue>

const [isTrue, isFalse] = [1, 2]
const types: ThriftValue['type'][] = []
for (const [number, type] of [
  [isFalse, 'boolean'],
  [3, 'byte'],
  [4, 'i16'],
  [5, 'i32'],
  [6, 'i64'],
  [7, 'double'],
  [8, 'binary'],
  [9, 'list'],
  [10, 'set'],
  [12, 'struct'],
] as const)
  types[number] = type

/** One struct that begins at `at`, and where it ends. The bytes are of our own program's making: others are a bug. */
export function readStruct(bytes: Uint8Array, at = 0): { fields: ThriftFields; end: number } {
  const byte = () => {
    const value = bytes[at++]
    assert(value !== undefined, 'a struct of Thrift ends within its bytes')
    return value
  }
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const next = byte()
      value |= BigInt(next & 0x7f) << shift
      if (next < 0x80) return value
    }
  }
  const zigzag = () => {
    const value = varint()
    return (value >> 1n) ^ -(value & 1n)
  }
  const slice = (length: number) => {
    assert(at + length <= bytes.length, 'a struct of Thrift ends within its bytes')
    return bytes.slice(at, (at += length))
  }
  const typeOf = (number: number) => {
    const type = types[number === isTrue ? isFalse : number]
    assert(type !== undefined, `type ${number} of Thrift is known`)
    return type
  }
  function value(type: ThriftValue['type'], isTrueField?: boolean): ThriftValue {
    switch (type) {
      case 'boolean':
        return { type, value: isTrueField ?? byte() === isTrue }
      case 'byte':
        return { type, value: byte() }
      case 'i16':
      case 'i32':
      case 'i64':
        return { type, value: zigzag() }
      case 'double':
        return { type, value: slice(8) }
      case 'binary':
        return { type, value: slice(Number(varint())) }
      case 'list':
      case 'set': {
        const head = byte()
        const count = head >> 4 === 15 ? Number(varint()) : head >> 4
        const of = typeOf(head & 15)
        return { type, of, items: Array.from({ length: count }, () => value(of)) }
      }
      case 'struct':
        return { type, fields: struct() }
    }
  }
  function struct(): ThriftFields {
    const fields: ThriftFields = new Map()
    for (let id = 0; ;) {
      const head = byte()
      if (head === 0) return fields
      id = head >> 4 === 0 ? Number(zigzag()) : id + (head >> 4)
      fields.set(id, value(typeOf(head & 15), (head & 15) === isTrue))
    }
  }
  const fields = struct()
  return { fields, end: at }
}

export function writeStruct(fields: ThriftFields): Uint8Array {
  const parts: Uint8Array[] = []
  const byte = (value: number) => parts.push(Uint8Array.of(value))
  const varint = (value: bigint) => {
    const bytes: number[] = []
    for (; value > 0x7fn; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80)
    parts.push(Uint8Array.of(...bytes, Number(value)))
  }
  const zigzag = (value: bigint) => varint(value < 0n ? -value * 2n - 1n : value * 2n)
  function write(one: ThriftValue): void {
    switch (one.type) {
      case 'boolean':
        return void byte(one.value ? isTrue : isFalse)
      case 'byte':
        return void byte(one.value)
      case 'i16':
      case 'i32':
      case 'i64':
        return zigzag(one.value)
      case 'double':
        return void parts.push(one.value)
      case 'binary':
        varint(BigInt(one.value.length))
        return void parts.push(one.value)
      case 'list':
      case 'set': {
        const { length } = one.items
        byte((Math.min(length, 15) << 4) | types.indexOf(one.of))
        if (length >= 15) varint(BigInt(length))
        return one.items.forEach(write)
      }
      case 'struct':
        return struct(one.fields)
    }
  }
  function struct(of: ThriftFields): void {
    let before = 0
    for (const [id, one] of [...of].toSorted(([a], [b]) => a - b)) {
      const type = one.type === 'boolean' && one.value ? isTrue : types.indexOf(one.type)
      if (id - before <= 15) byte(((id - before) << 4) | type)
      else {
        byte(type)
        zigzag(BigInt(id))
      }
      if (one.type !== 'boolean') write(one)
      before = id
    }
    byte(0)
  }
  struct(fields)
  return Buffer.concat(parts)
}
