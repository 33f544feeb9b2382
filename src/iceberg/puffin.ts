// Puffin files (Iceberg's `puffin-spec`), as far as tables need them: the footer and its blobs, and deletion vectors, each
// of which is one blob with the positions of one data file's deleted rows.
//
// A manifest says where in its Puffin file a deletion vector lies, so that reading one is one ranged read: the footer
// is not looked at. Vectors are never compressed; footers and other blobs may be.

import { crc32, zstdDecompressSync } from 'node:zlib'
import { Failure } from '../base/failure.ts'
import type { FileIO } from '../io/index.ts'
import { unlz4 } from './codecs/lz4.ts'
import { CodecError } from './codecs/unpacked.ts'
import { JsonNode, parseJson, printJson } from './json.ts'
import type { DataFile } from './manifest-types.ts'
import { Positions, RoaringError } from './roaring.ts'

const magic = Buffer.from('PFA1')
const vectorType = 'deletion-vector-v1'
const vectorMagic = Buffer.from([0xd1, 0xd3, 0x39, 0x64])
/** The reserved id of the column `_pos`, which vectors are about. */
const positionFieldId = 2147483645
/** Size of the footer's payload, flags, magic. */
const trailerBytes = 12
const footerBytesMax = 64 * 1024 * 1024
/** A bitmap of a billion rows takes 125 MB; a manifest that claims more than this is wrong. */
const vectorBytesMax = 512 * 1024 * 1024
/** Of other blobs, which are sketches and sets of positions: as they lie there and unpacked. */
const blobBytesMax = 512 * 1024 * 1024

export type PuffinBlob = {
  type: string
  fields: readonly number[]
  snapshotId: bigint
  sequenceNumber: bigint
  offset: number
  length: number
  compressionCodec?: string | undefined
  properties: Readonly<Record<string, string>>
}

const unreadable = (path: string, why: string, cause?: unknown) =>
  new Failure('METADATA_INVALID', `${path} is not a readable Puffin file: ${why}`, { place: { file: path }, cause })

/** What the footer says. METADATA_INVALID names the file. */
export async function readPuffinFooter(
  io: FileIO,
  path: string,
  signal?: AbortSignal,
): Promise<{ blobs: PuffinBlob[]; properties: Record<string, string> }> {
  const wrong = (why: string, cause?: unknown) => unreadable(path, why, cause)
  const size = (await io.stat(path, signal))?.sizeBytes
  if (size === undefined) throw wrong('it is missing')
  const trailer = await io.readRange(path, Math.max(0, size - trailerBytes), trailerBytes, signal)
  if (trailer?.length !== trailerBytes || !magic.equals(trailer.subarray(8))) throw wrong('it does not end as one')
  const view = new DataView(trailer.buffer, trailer.byteOffset, trailerBytes)
  const payloadBytes = view.getInt32(0, true)
  const start = size - trailerBytes - payloadBytes
  if (payloadBytes < 0 || payloadBytes > footerBytesMax || start < 8) throw wrong('its footer has an impossible size')
  const payload = await io.readRange(path, start - 4, payloadBytes + 4, signal)
  if (payload?.length !== payloadBytes + 4 || !magic.equals(payload.subarray(0, 4)))
    throw wrong('its footer does not begin as one')
  const isPacked = (trailer[4]! & 1) !== 0
  const plain = isPacked ? unpacked(path, 'lz4', payload.subarray(4), footerBytesMax) : payload.subarray(4)
  const root = new JsonNode(parseJson(Buffer.from(plain).toString('utf8'), path), { place: path })
  return {
    blobs: root.get('blobs').list((blob) => {
      const compressionCodec = blob.maybe('compression-codec', (at) => at.text())
      return {
        type: blob.get('type').text(),
        fields: blob.get('fields').list((id) => id.int()),
        snapshotId: blob.get('snapshot-id').long(),
        sequenceNumber: blob.get('sequence-number').long(),
        offset: blob.get('offset').count(),
        length: blob.get('length').count(),
        properties: blob.maybe('properties', (at) => at.texts()) ?? {},
        ...(compressionCodec !== undefined && { compressionCodec }),
      }
    }),
    properties: root.maybe('properties', (at) => at.texts()) ?? {},
  }
}

/** The bytes of a blob that the footer names, unpacked. METADATA_INVALID names the file; UNSUPPORTED: another codec. */
export async function readPuffinBlob(
  io: FileIO,
  path: string,
  { offset, length, compressionCodec }: PuffinBlob,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (length > blobBytesMax) throw unreadable(path, `a blob of ${length} bytes is too long`)
  const bytes = await io.readRange(path, offset, length, signal)
  if (bytes?.length !== length) throw unreadable(path, 'it ends before its blob')
  return compressionCodec === undefined ? bytes : unpacked(path, compressionCodec, bytes, blobBytesMax)
}

function unpacked(path: string, codec: string, bytes: Uint8Array, maxOutputLength: number): Uint8Array {
  try {
    if (codec === 'lz4') return unlz4(bytes, maxOutputLength)
    if (codec === 'zstd') return zstdDecompressSync(bytes, { maxOutputLength })
  } catch (error) {
    const why = error instanceof CodecError ? `: ${error.message}` : ''
    throw unreadable(path, `what is packed with ${codec} cannot be unpacked${why}`, error)
  }
  throw new Failure('UNSUPPORTED', `${path} has a blob packed with "${codec}"; lz4 and zstd are read`, {
    place: { file: path },
  })
}

/** The positions that a deletion vector of a manifest deletes. METADATA_INVALID names the Puffin file. */
export async function readDeletionVector(io: FileIO, file: DataFile, signal?: AbortSignal): Promise<Positions> {
  const wrong = (why: string, cause?: unknown) =>
    new Failure('METADATA_INVALID', `the deletion vector of ${file.referencedDataFile} in ${file.path}: ${why}`, {
      place: { file: file.path },
      cause,
    })
  const { contentOffset: offset, contentSizeBytes: length } = file
  if (offset === undefined || length === undefined || offset < 0) throw wrong('the manifest does not say where it lies')
  if (length < 12 || length > vectorBytesMax) throw wrong(`${length} bytes are no deletion vector`)
  const bytes = await io.readRange(file.path, offset, length, signal)
  if (!bytes) throw wrong('the file is missing')
  if (bytes.length < length) throw wrong('the file ends too early')
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  if (view.getUint32(0) !== length - 8) throw wrong('its length is wrong')
  const checked = bytes.subarray(4, length - 4)
  if (!vectorMagic.equals(checked.subarray(0, 4))) throw wrong('it does not begin as one')
  if (crc32(checked) !== view.getUint32(length - 4)) throw wrong('its checksum is wrong')
  let positions: Positions
  try {
    positions = Positions.decode(checked.subarray(4))
  } catch (error) {
    if (error instanceof RoaringError) throw wrong(error.message, error)
    throw error
  }
  // Spec: the manifest's record count must be the vector's cardinality.
  if (positions.cardinality !== file.recordCount)
    throw wrong(`it has ${positions.cardinality} positions, the manifest says ${file.recordCount}`)
  return positions
}

export type DeletionVector = {
  /** Exactly as the manifest spells the data file's path. */
  referencedDataFile: string
  positions: Positions
}

/** A Puffin file of deletion vectors. Each blob becomes one entry of a delete manifest, `format: 'puffin'`. */
export function encodeDeletionVectors(
  vectors: readonly DeletionVector[],
  properties: Readonly<Record<string, string>> = {},
): {
  bytes: Uint8Array
  blobs: { referencedDataFile: string; offset: number; length: number; cardinality: number }[]
} {
  const parts: Uint8Array[] = [magic]
  let offset = magic.length
  const blobs = vectors.map(({ referencedDataFile, positions }) => {
    const blob = vectorBlob(positions)
    parts.push(blob)
    offset += blob.length
    const { cardinality } = positions
    return { referencedDataFile, offset: offset - blob.length, length: blob.length, cardinality }
  })
  const payload = Buffer.from(
    printJson({
      blobs: blobs.map(({ referencedDataFile, offset, length, cardinality }) => ({
        type: vectorType,
        fields: [positionFieldId],
        // Spec: both are inherited from the snapshot and must be -1 here.
        'snapshot-id': -1,
        'sequence-number': -1,
        offset,
        length,
        properties: { 'referenced-data-file': referencedDataFile, cardinality: String(cardinality) },
      })),
      properties,
    }),
  )
  const trailer = Buffer.alloc(8)
  trailer.writeInt32LE(payload.length)
  return { bytes: Buffer.concat([...parts, magic, payload, trailer, magic]), blobs }
}

/** Length and checksum are big-endian, the bitmap between them little-endian: it began as a format of Delta Lake. */
function vectorBlob(positions: Positions): Uint8Array {
  const checked = Buffer.concat([vectorMagic, positions.encode()])
  const blob = Buffer.alloc(checked.length + 8)
  blob.writeUInt32BE(checked.length)
  blob.set(checked, 4)
  blob.writeUInt32BE(crc32(checked), checked.length + 4)
  return blob
}
