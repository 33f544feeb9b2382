// Whatever other programs and broken disks leave behind: metadata, manifest lists, manifests of any codec, vectors and Puffin
// files with bytes changed, cut, doubled or moved. Reading them gives an answer or a Failure with a code that names the file - never a
// crash, a hang, or memory beyond a bound.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Failure } from '../base/failure.ts'
import { fileLocation, localFileIO, mappedFileIO, memoryFileIO, type FileIO } from '../io/index.ts'
import { readManifest, readManifestList } from './manifest.ts'
import { readTableMetadata } from './metadata-file.ts'
import { encodeDeletionVectors, readDeletionVector, readPuffinBlob, readPuffinFooter } from './puffin.ts'
import { Positions } from './roaring.ts'
import { planScan } from './scan.ts'
import { snapshotAsOf } from './snapshot.ts'

const cases = Number(process.env.SOAK_CASES ?? (process.env.SOAK ? 100_000 : 2000))
const folder = join(import.meta.dirname, '../../test/golden/iceberg')
const codecs = join(folder, '../codecs')
const golden = mappedFileIO(localFileIO(), { from: 'file:///tmp/golden-iceberg', to: fileLocation(folder) })
const expected = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as Record<
  string,
  { location: string }
>

/** mulberry32: the same mutations in every run. */
function chance(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const interesting = [0, 1, 0x7f, 0x80, 0xfe, 0xff, 0x22, 0x30, 0x39, 0x5b, 0x7b]
function mutated(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  let result = Buffer.from(bytes)
  for (let change = 1 + random(4); change > 0; change--) {
    const at = random(result.length + 1)
    const length = Math.min(1 + random(40), result.length - at)
    switch (random(6)) {
      case 0:
        result = result.subarray(0, at)
        break
      case 1:
        result = Buffer.concat([result.subarray(0, at), result.subarray(at + length)])
        break
      case 2:
        result = Buffer.concat([result.subarray(0, at + length), result.subarray(at)])
        break
      case 3:
        result = Buffer.concat([result.subarray(0, at), Buffer.alloc(length, 0xff), result.subarray(at + length)])
        break
      case 4:
        if (at < result.length) result[at] = interesting[random(interesting.length)]!
        break
      default:
        if (at < result.length) result[at] = random(256)
    }
    if (result.length === 0) break
  }
  return result
}

/** One file is read as `bytes`, all others as they are. */
const replaced = (io: FileIO, path: string, bytes: Uint8Array): FileIO => ({
  ...io,
  read: (one, signal) => (one === path ? Promise.resolve(bytes) : io.read(one, signal)),
  readRange: (one, offset, length, signal) =>
    one === path ? Promise.resolve(bytes.subarray(offset, offset + length)) : io.readRange(one, offset, length, signal),
  stat: async (one, signal) =>
    one === path ? { path, sizeBytes: bytes.length, modifiedAtMs: 0 } : io.stat(one, signal),
})

type Subject = { path: string; io: FileIO; read: (io: FileIO) => Promise<unknown> }

async function subjects(): Promise<Subject[]> {
  const all: Subject[] = []
  const packed = JSON.parse(await readFile(join(codecs, 'manifest.json'), 'utf8')) as { from: string }
  for (const { location } of Object.values(expected)) {
    const path = `${location}/metadata/newest.metadata.json`
    const metadata = await readTableMetadata(golden, path)
    const plan = async (io: FileIO) => planScan(io, await readTableMetadata(io, path))
    all.push({ path, io: golden, read: plan })
    const snapshot = snapshotAsOf(metadata)!
    if (snapshot.manifestList)
      all.push({ path: snapshot.manifestList, io: golden, read: (io) => planScan(io, metadata) })
    const manifests = await readManifestList(golden, metadata, snapshot)
    for (const codec of manifests.some(({ path }) => path.endsWith(packed.from)) ? ['bzip2', 'xz'] : []) {
      const path = join(codecs, `manifest.${codec}.avro`)
      const manifest = { ...manifests.find((one) => one.path.endsWith(packed.from))!, path }
      all.push({ path, io: localFileIO(), read: (io) => readManifest(io, metadata, manifest) })
    }
    for (const manifest of manifests)
      all.push({
        path: manifest.path,
        io: golden,
        read: async (io) => {
          const entries = await readManifest(io, metadata, manifest)
          // Statistics are decoded late: they must be as safe then.
          for (const { file } of entries)
            for (const map of [file.columnSizes, file.valueCounts, file.lowerBounds, file.upperBounds])
              if (map) expect([...map].length).toBe(map.size)
          return planScan(io, metadata, { predicate: { op: '=', field: 1, value: 5n } })
        },
      })
  }
  const io = memoryFileIO()
  const positions = new Positions([1, 2, 3, 70_000, 2 ** 33])
  for (let at = 200_000; at < 290_000; at += 2) positions.add(at)
  for (let at = 400_000; at < 500_000; at++) positions.add(at)
  const { bytes, blobs } = encodeDeletionVectors([{ referencedDataFile: '/d/a', positions }])
  await io.create('/d/vectors.puffin', bytes)
  const [blob] = blobs
  const entry = {
    content: 'position-deletes' as const,
    path: '/d/vectors.puffin',
    format: 'puffin' as const,
    specId: 0,
    partition: [],
    recordCount: positions.cardinality,
    fileSizeBytes: bytes.length,
    referencedDataFile: '/d/a',
    contentOffset: blob!.offset,
    contentSizeBytes: blob!.length,
  }
  all.push({ path: entry.path, io, read: (io) => readDeletionVector(io, entry) })
  all.push({ path: entry.path, io, read: (io) => readPuffinFooter(io, entry.path) })
  const puffin = join(codecs, 'packed.puffin')
  all.push({
    path: puffin,
    io: localFileIO(),
    async read(io) {
      for (const blob of (await readPuffinFooter(io, puffin)).blobs) await readPuffinBlob(io, puffin, blob)
    },
  })
  return all
}

test(`damaged files are refused by name or read (${cases} cases)`, { timeout: 3_600_000 }, async () => {
  const all = await subjects()
  const whole = new Map<Subject, Uint8Array>()
  for (const subject of all) whole.set(subject, (await subject.io.read(subject.path))!)
  expect(all.filter(({ path }) => path.startsWith(codecs))).toHaveLength(3)
  const before = process.memoryUsage().rss
  const outcomes = { read: 0, refused: 0 }
  const seed = process.env.SOAK || process.env.SOAK_CASES ? Date.now() | 0 : 1
  for (let round = 0; round < cases; round++) {
    const subject = all[round % all.length]!
    const bytes = mutated(whole.get(subject)!, chance(seed + round))
    try {
      await subject.read(replaced(subject.io, subject.path, bytes))
      outcomes.read++
    } catch (error) {
      outcomes.refused++
      const told = `seed ${seed + round}, ${subject.path}: ${String((error as Error).stack)}`
      expect(error, told).toBeInstanceOf(Failure)
      // A changed metadata file may name files that are not there; else the file that was damaged is named.
      const { code, message } = error as Failure
      expect(['METADATA_INVALID', 'UNSUPPORTED', 'NOT_FOUND', 'STORAGE_FAILED'], told).toContain(code)
      expect(message, told).toMatch(/\/|snapshot/)
    }
  }
  expect(outcomes.refused).toBeGreaterThan(cases / 4)
  expect(process.memoryUsage().rss - before).toBeLessThan(1.5 * 2 ** 30)
})
