import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readAvro, writeAvro, type AvroCodec, type AvroRecord, type PackedMap } from './avro.ts'
import { avroName, decimalBytes, manifestEntrySchema, partitionSchema } from './manifest-schema.ts'

const schema: AvroRecord = {
  type: 'record',
  name: 'all',
  fields: [
    { name: 'long', type: 'long' },
    { name: 'text', type: ['null', 'string'] },
    { name: 'flag', type: 'boolean' },
    { name: 'double', type: 'double' },
    { name: 'bytes', type: 'bytes' },
    { name: 'fixed', type: { type: 'fixed', name: 'f', size: 3 } },
    { name: 'list', type: { type: 'array', items: 'int' } },
    {
      name: 'map',
      type: {
        type: 'array',
        logicalType: 'map',
        items: {
          type: 'record',
          name: 'kv',
          fields: [
            { name: 'key', type: 'int' },
            { name: 'value', type: 'bytes' },
          ],
        },
      },
    },
    { name: 'inner', type: { type: 'record', name: 'i', fields: [{ name: 'x', type: ['null', 'int'] }] } },
  ],
}
const longs = fc
  .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  .map((big) => (Number.isSafeInteger(Number(big)) ? Number(big) : big))
const bytes = fc.uint8Array({ maxLength: 20 })
const record = fc.record({
  long: fc.oneof(longs, fc.maxSafeInteger()),
  text: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
  flag: fc.boolean(),
  double: fc.double({ noNaN: true }),
  bytes,
  fixed: fc.uint8Array({ minLength: 3, maxLength: 3 }),
  list: fc.array(fc.integer()),
  map: fc.array(fc.tuple(fc.integer(), bytes)).map((entries) => new Map(entries)),
  inner: fc.record({ x: fc.option(fc.integer(), { nil: undefined }) }),
})
const keyOf = (name: string) => name

test.each<AvroCodec>(['null', 'deflate', 'zstandard'])('what was written with the codec %s is read back', (codec) =>
  fc.assert(
    fc.property(fc.array(record), (records) => {
      const file = writeAvro({ schema, header: { extra: 'ü' }, codec }, records)
      const read = readAvro(file, { place: 'a.avro', keyOf })
      const unpacked = read.records.map((one) => ({ ...one, map: new Map(one.map as PackedMap<Uint8Array>) }))
      expect(unpacked).toEqual(records)
      for (const [index, { map }] of records.entries()) {
        const packed = read.records[index]!.map as PackedMap<Uint8Array>
        expect(packed.size).toBe(map.size)
        for (const [key, value] of map) expect(packed.get(key)).toEqual(value)
        expect(packed.get(0.5)).toBeUndefined()
      }
      // A manifest that is rewritten takes them over as they are.
      expect(readAvro(writeAvro({ schema, header: {} }, read.records), { place: 'b', keyOf }).records).toEqual(
        read.records,
      )
      expect(read.header.get('extra')).toBe('ü')
    }),
    { numRuns: 50 },
  ),
)

test('many records make several blocks', () => {
  const records = Array.from({ length: 5000 }, (_, index) => ({ long: index, text: 'x'.repeat(100) }))
  const small: AvroRecord = { type: 'record', name: 's', fields: schema.fields.slice(0, 2) }
  expect(
    readAvro(writeAvro({ schema: small, header: {}, codec: 'null' }, records), { place: 'a', keyOf }).records,
  ).toEqual(records)
})

test('fields that are not wanted are skipped', () => {
  const file = writeAvro({ schema, header: {} }, [
    {
      long: 1,
      flag: true,
      double: 1,
      bytes: Uint8Array.of(),
      fixed: Uint8Array.of(1, 2, 3),
      list: [],
      map: new Map(),
      inner: { x: 5 },
    },
  ])
  expect(
    readAvro(file, { place: 'a', keyOf: (name) => (name === 'inner' || name === 'x' ? name : undefined) }).records,
  ).toEqual([{ inner: { x: 5 } }])
})

/** `file` with another codec in its header and one block of those bytes. */
function withBlock(codec: string, schema: AvroRecord, count: number, block: Uint8Array): Uint8Array {
  const header = writeAvro({ schema, header: {}, codec: 'null' }, [])
  const name = Buffer.concat([varint('avro.codec'.length), Buffer.from('avro.codec'), varint(4), Buffer.from('null')])
  const at = Buffer.from(header).indexOf(name)
  const renamed = Buffer.concat([
    varint('avro.codec'.length),
    Buffer.from('avro.codec'),
    varint(codec.length),
    Buffer.from(codec),
  ])
  const parts = [
    header.subarray(0, at),
    renamed,
    header.subarray(at + name.length),
    varint(count),
    varint(block.length),
    block,
    header.subarray(-16),
  ]
  return new Uint8Array(Buffer.concat(parts))
}

/** Avro's long, for numbers from 0. */
function varint(value: number): Buffer {
  const out: number[] = []
  for (let rest = value * 2; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...out, rest])
    out.push((rest % 128) + 128)
  }
}
const onlyText: AvroRecord = { type: 'record', name: 's', fields: [{ name: 'b', type: 'string' }] }

test('snappy blocks, made by Arrow, are read', () => {
  const block = Buffer.from('ca011890036162636465fe0500fe0500ee05000d05c3e15483', 'hex')
  expect(readAvro(withBlock('snappy', onlyText, 1, block), { place: 'a', keyOf }).records).toEqual([
    { b: 'abcde'.repeat(40) },
  ])
  block[10]! ^= 1
  expect(() => readAvro(withBlock('snappy', onlyText, 1, block), { place: 'a', keyOf })).toThrow(
    expect.objectContaining({ code: 'METADATA_INVALID' }),
  )
})

test('a codec that nobody knows is unsupported', () =>
  expect(() => readAvro(withBlock('lzo', onlyText, 1, Buffer.alloc(1)), { place: 'a', keyOf })).toThrow(
    expect.objectContaining({ code: 'UNSUPPORTED' }),
  ))

test('no damage does more than fail with the name of the file', () => {
  const file = writeAvro({ schema, header: {}, codec: 'deflate' }, fc.sample(record, { numRuns: 20, seed: 1 }))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(file.length),
      (changes, cut) => {
        const damaged = file.slice(0, cut % 3 === 0 ? cut : file.length)
        for (const [at, byte] of changes) damaged[at % Math.max(1, damaged.length)] = byte
        try {
          readAvro(damaged, { place: 'a.avro', keyOf })
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/METADATA_INVALID|UNSUPPORTED/) })
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test.each([
  ['an empty file', ''],
  ['another file', '50415231'],
  ['a huge header', `4f626a01feffffffff0f`],
])('%s is refused', (_, hex) =>
  expect(() => readAvro(new Uint8Array(Buffer.from(hex, 'hex')), { place: 'a.avro', keyOf })).toThrow(
    expect.objectContaining({ code: 'METADATA_INVALID', place: { file: 'a.avro' } }),
  ),
)

test('a block that unpacks to more than it may is refused', () => {
  const bomb = deflateRawSync(Buffer.alloc(100_000))
  expect(() =>
    readAvro(withBlock('deflate', onlyText, 1, bomb), { place: 'a.avro', keyOf, blockBytesMax: 10_000 }),
  ).toThrow('cannot be unpacked')
})

test('a file of a few bytes cannot keep its reader busy', () => {
  // 20 MB of zeros, packed by Python's bz2.
  const bomb = Buffer.from(
    '425a6839314159265359bfcaafc400992fc200c00000080008200030cc0529a6aa91146c0288a3c5dc914e14242ff2abf100',
    'hex',
  )
  expect(() => readAvro(withBlock('bzip2', onlyText, 1, bomb), { place: 'a.avro', keyOf })).toThrow(
    /a.avro is not a readable Avro file: a bzip2 block cannot be unpacked: it unpacks to more than 1\d{7} bytes/,
  )
})

test.each([
  ['plain_1', 'plain_1'],
  ['a b', 'a_x20b'],
  ['1a', '_1a'],
  ['ünï', '_xFCn_xEF'],
  ['a/b', 'a_x2Fb'],
])('the partition field "%s" is called %s in Avro', (name, safe) => expect(avroName(name)).toBe(safe))

test('named types are defined once in a schema', () => {
  const uuid = (fieldId: number, name: string) => ({ fieldId, name, type: { kind: 'uuid' as const } })
  const partition = partitionSchema([uuid(1000, 'a b'), uuid(1001, 'a_x20b')])
  const text = JSON.stringify(manifestEntrySchema(partition))
  expect(new Set([...text.matchAll(/"type":"fixed","name":"(\w+)"/g)].map(([, name]) => name)).size).toBe(2)
  expect(new Set(partition.fields.map(({ name }) => name)).size).toBe(2)
})

test.each([
  [1, 1],
  [2, 1],
  [3, 2],
  [9, 4],
  [10, 5],
  [18, 8],
  [19, 9],
  [38, 16],
])('decimals of %i digits take %i bytes', (precision, size) => expect(decimalBytes(precision)).toBe(size))
