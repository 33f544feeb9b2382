import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryFileIO } from '../io/index.ts'
import { encodeDeletionVectors, readDeletionVector, readPuffinFooter } from './puffin.ts'
import { Positions, RoaringError } from './roaring.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

// Bytes of CRoaring's BitMap64 (pyroaring 1.2), the best container chosen by its run_optimize().
test.each([
  ['nothing', [], '0000000000000000'],
  [
    'an array',
    [1, 5, 9, 65_536],
    '0100000000000000' +
      '00000000' +
      '3a30000002000000' +
      '0000020001000000' +
      '180000001e000000' +
      '010005000900' +
      '0000',
  ],
  ['a run', range(10, 1010), '0100000000000000' + '00000000' + '3b300000' + '01' + '0000e703' + '0100' + '0a00e703'],
  [
    'two keys',
    [3, 2 ** 32 + 7],
    '0200000000000000' +
      '00000000' +
      '3a30000001000000' +
      '00000000' +
      '10000000' +
      '0300' +
      '01000000' +
      '3a30000001000000' +
      '00000000' +
      '10000000' +
      '0700',
  ],
])('%s has the bytes of the portable format', (_, positions, bytes) => {
  expect(hex(new Positions(positions).encode())).toBe(bytes)
  expect([...Positions.decode(Buffer.from(bytes, 'hex'))]).toEqual(positions)
})

function range(start: number, end: number) {
  return Array.from({ length: end - start }, (_, index) => start + index)
}

/** Sparse, dense and consecutive positions over several chunks and keys. */
const positionSets = fc
  .array(
    fc.record({
      base: fc.constantFrom(0, 60_000, 65_536, 2 ** 32 - 3, 2 ** 33, 2 ** 40),
      step: fc.constantFrom(1, 1, 2, 3, 17),
      count: fc.constantFrom(1, 2, 50, 4096, 4097, 9000),
    }),
    { maxLength: 4 },
  )
  .map((parts) => parts.flatMap(({ base, step, count }) => range(0, count).map((index) => base + index * step)))

test('a set is what was put in, in any order, and survives its bytes', () =>
  fc.assert(
    fc.property(positionSets, fc.boolean(), (all, reversed) => {
      const sorted = [...new Set(all)].sort((a, b) => a - b)
      const set = new Positions(reversed ? all.toReversed() : all)
      expect(set.cardinality).toBe(sorted.length)
      expect([...set]).toEqual(sorted)
      const again = Positions.decode(set.encode())
      expect([...again]).toEqual(sorted)
      expect(again.cardinality).toBe(sorted.length)
      for (const at of sorted.slice(0, 50)) {
        expect(again.has(at)).toBe(true)
        expect(again.has(at + 1)).toBe(sorted.includes(at + 1))
        expect(again.add(at)).toBe(false)
      }
      const both = new Positions([1, 70_000])
      both.addAll(again)
      expect([...both]).toEqual([...new Set([...sorted, 1, 70_000])].sort((a, b) => a - b))
      expect(hex(both.encode())).toBe(hex(Positions.decode(both.encode()).encode()))
    }),
    { numRuns: 40 },
  ))

test('damaged bitmaps are refused or read, never more', () =>
  fc.assert(
    fc.property(positionSets, fc.nat(), fc.nat(255), (all, place, value) => {
      const bytes = Uint8Array.from(new Positions(all).encode())
      bytes[place % bytes.length] = value
      for (const damaged of [bytes, bytes.subarray(0, place % bytes.length)])
        try {
          let last = -1
          for (const [start, end] of Positions.decode(damaged).ranges()) {
            expect(start).toBeGreaterThan(last)
            last = end
          }
        } catch (error) {
          expect(error).toBeInstanceOf(RoaringError)
        }
    }),
    { numRuns: 200 },
  ))

const entry = (
  path: string,
  blob: { referencedDataFile: string; offset: number; length: number; cardinality: number },
) => ({
  content: 'position-deletes' as const,
  path,
  format: 'puffin' as const,
  specId: 0,
  partition: [],
  recordCount: blob.cardinality,
  fileSizeBytes: 0,
  referencedDataFile: blob.referencedDataFile,
  contentOffset: blob.offset,
  contentSizeBytes: blob.length,
})

test('vectors are read where the manifest says, and the footer says the same', async () => {
  const io = memoryFileIO()
  const vectors = [
    { referencedDataFile: '/d/a.parquet', positions: new Positions([0, 3, 4, 2 ** 33]) },
    { referencedDataFile: '/d/b.parquet', positions: new Positions(range(5, 9000)) },
  ]
  const { bytes, blobs } = encodeDeletionVectors(vectors, { 'created-by': 'a test' })
  await io.create('/t/dv.puffin', bytes)
  for (const [index, blob] of blobs.entries()) {
    const read = await readDeletionVector(io, entry('/t/dv.puffin', blob))
    expect([...read]).toEqual([...vectors[index]!.positions])
  }
  const footer = await readPuffinFooter(io, '/t/dv.puffin')
  expect(footer.properties).toEqual({ 'created-by': 'a test' })
  expect(footer.blobs.map(({ type, offset, length, properties }) => ({ type, offset, length, properties }))).toEqual(
    blobs.map(({ referencedDataFile, offset, length, cardinality }) => ({
      type: 'deletion-vector-v1',
      offset,
      length,
      properties: { 'referenced-data-file': referencedDataFile, cardinality: String(cardinality) },
    })),
  )
})

test.each([
  ['a wrong checksum', (bytes: Buffer) => bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20), 'its checksum is wrong'],
  ['a wrong length', (bytes: Buffer) => bytes.writeUInt32BE(3, 4), 'its length is wrong'],
  ['another magic', (bytes: Buffer) => bytes.writeUInt8(0, 8), 'it does not begin as one'],
])('%s is refused with the name of the file', async (_, damage, message) => {
  const io = memoryFileIO()
  const { bytes, blobs } = encodeDeletionVectors([{ referencedDataFile: '/d/a', positions: new Positions([1, 2]) }])
  const copy = Buffer.from(bytes)
  damage(copy)
  await io.create('/t/dv.puffin', copy)
  await expect(readDeletionVector(io, entry('/t/dv.puffin', blobs[0]!))).rejects.toMatchObject({
    code: 'METADATA_INVALID',
    message: `the deletion vector of /d/a in /t/dv.puffin: ${message}`,
  })
})

test('what the manifest claims wrongly is refused', async () => {
  const io = memoryFileIO()
  const { bytes, blobs } = encodeDeletionVectors([{ referencedDataFile: '/d/a', positions: new Positions([1, 2]) }])
  await io.create('/t/dv.puffin', bytes)
  const good = entry('/t/dv.puffin', blobs[0]!)
  for (const wrong of [
    { ...good, recordCount: 3 },
    { ...good, contentOffset: 5 },
    { ...good, contentOffset: 10_000 },
    { ...good, contentSizeBytes: 2 ** 40 },
    { ...good, contentSizeBytes: undefined },
    { ...good, path: '/t/none.puffin' },
  ])
    await expect(readDeletionVector(io, wrong)).rejects.toMatchObject({ code: 'METADATA_INVALID' })
  await expect(readPuffinFooter(io, '/t/none.puffin')).rejects.toMatchObject({ code: 'METADATA_INVALID' })
})
