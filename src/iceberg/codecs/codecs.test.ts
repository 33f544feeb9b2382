// Held against what Python's bz2, lzma, lz4 and fastavro packed (test/golden/codecs, made by make.py there).

import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { localFileIO } from '../../io/index.ts'
import { readAvro } from '../avro.ts'
import { readPuffinBlob, readPuffinFooter } from '../puffin.ts'
import { unbzip2 } from './bzip2.ts'
import { unlz4 } from './lz4.ts'
import { unsnappy } from './snappy.ts'
import { CodecError } from './unpacked.ts'
import { unxz } from './xz.ts'

const folder = join(import.meta.dirname, '../../../test/golden/codecs')
const iceberg = join(folder, '../iceberg')
const golden = (name: string) => readFileSync(join(folder, name))
const unpackers = { bz2: unbzip2, xz: unxz, lz4: unlz4 }
const packed = readdirSync(folder).flatMap((name) => {
  const unpack = unpackers[name.split('.').at(-1) as keyof typeof unpackers] as (typeof unpackers)['xz'] | undefined
  return unpack ? [{ name, unpack, bytes: golden(name) }] : []
})

const avroFiles = readdirSync(iceberg, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.avro'))
  .sort((a, b) => (basename(a) < basename(b) ? -1 : 1))
const plain = Buffer.concat([
  readFileSync(join(iceberg, 'expected.json')),
  ...avroFiles.map((name) => readFileSync(join(iceberg, name))),
  Buffer.from('x'.repeat(300_000) + 'end'),
])

test.each(packed)('$name unpacks to what was packed', ({ unpack, bytes }) => {
  expect(Buffer.compare(unpack(bytes, plain.length), plain)).toBe(0)
  expect(() => unpack(bytes, plain.length - 1)).toThrow(`it unpacks to more than ${plain.length - 1} bytes`)
})

test('all of them were there', () => expect(packed).toHaveLength(8))

test.each(packed)('$name: what is cut is refused, wherever', ({ unpack, bytes }) =>
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), (length) => {
      // Between two streams is an end.
      if (isEnd(bytes, length)) return
      expect(() => unpack(bytes.subarray(0, length), 2 ** 20)).toThrow(CodecError)
    }),
    { numRuns: 60 },
  ),
)
const isEnd = (bytes: Buffer, length: number) =>
  bytes.subarray(length, length + 3).equals(Buffer.from('BZh')) ||
  (bytes.subarray(length - 2, length).equals(Buffer.from('YZ')) && length % 4 === 0) ||
  (bytes.subarray(length - 4, length).equals(Buffer.alloc(4)) && length % 4 === 0)

test.each(packed)('$name: what is damaged is refused or is what it was', ({ unpack, bytes }) =>
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
      const copy = Uint8Array.from(bytes)
      copy[at] = byte
      try {
        expect(Buffer.compare(unpack(copy, 2 ** 20), plain)).toBe(0)
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError)
      }
    }),
    { numRuns: 60 },
  ),
)

test.each(Object.entries({ ...unpackers, snappy: unsnappy }))('%s: noise is refused', (_, unpack) =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      expect(() => unpack(noise, 2 ** 20)).toThrow(CodecError)
    }),
  ),
)

/** As Avro gives them, statistics too. */
const unpackedRecords = (bytes: Uint8Array) =>
  JSON.stringify(readAvro(bytes, { place: 'a', keyOf: (name) => name }).records, (_, value: unknown) =>
    typeof value === 'object' && value !== null && Symbol.iterator in value
      ? [...(value as Iterable<unknown>)]
      : typeof value === 'bigint'
        ? `${value}n`
        : value,
  )

test.each(['bzip2', 'xz'])('a manifest that fastavro packed with %s says what it said before', (codec) => {
  const { from, records } = JSON.parse(golden('manifest.json').toString()) as { from: string; records: number }
  const before = unpackedRecords(readFileSync(join(iceberg, from)))
  expect(JSON.parse(before)).toHaveLength(records)
  expect(unpackedRecords(golden(`manifest.${codec}.avro`))).toBe(before)
})

test('a Puffin file with a packed footer and a packed blob', async () => {
  const path = join(folder, 'packed.puffin')
  const { blobs, properties } = await readPuffinFooter(localFileIO(), path)
  expect(properties['created-by']).toBe('make.py')
  expect(blobs).toMatchObject([{ type: 'a-sketch-v1', snapshotId: 7n, compressionCodec: 'lz4' }])
  const [blob] = blobs
  expect(Buffer.from(await readPuffinBlob(localFileIO(), path, blob!)).toString()).toBe('a sketch '.repeat(100))
  await expect(readPuffinBlob(localFileIO(), path, { ...blob!, compressionCodec: 'zstd' })).rejects.toMatchObject({
    code: 'METADATA_INVALID',
    place: { file: path },
  })
  await expect(readPuffinBlob(localFileIO(), path, { ...blob!, compressionCodec: 'lzo' })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
  })
  await expect(readPuffinBlob(localFileIO(), path, { ...blob!, length: 10_000 })).rejects.toMatchObject({
    code: 'METADATA_INVALID',
  })
})
