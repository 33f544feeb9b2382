// Metadata files on storage: each version is a new file, created and never overwritten.

import { randomUUID } from 'node:crypto'
import { constants, crc32, deflateRaw, deflateRawSync, gunzip } from 'node:zlib'
import { promisify } from 'node:util'
import { Failure } from '../base/failure.ts'
import { joinLocation, type FileIO } from '../io/index.ts'
import { crcShift, joinedCrc } from './crc32.ts'
import { metadataFolder, parseTableMetadata, tableMetadataParts, type TextPart } from './metadata.ts'
import type { TableMetadata } from './metadata-types.ts'
import { parseViewMetadata, printViewMetadata } from './view-json.ts'
import type { ViewMetadata } from './view-types.ts'

// A table with 100,000 snapshots stays below this; a bomb does not.
const unpackedBytesMax = 512 * 1024 * 1024

/** Reads a metadata file, plain or gzip. TABLE_NOT_FOUND when there is none, METADATA_INVALID when it breaks the spec. */
export async function readTableMetadata(io: FileIO, location: string, signal?: AbortSignal): Promise<TableMetadata> {
  return parseTableMetadata(await readText(io, location, signal), location)
}

export async function readViewMetadata(io: FileIO, location: string, signal?: AbortSignal): Promise<ViewMetadata> {
  return parseViewMetadata(await readText(io, location, signal), location)
}

export type WriteMetadataOptions = {
  /** The metadata file that this one follows: gives the version in the name. */
  previous?: string | undefined
  signal?: AbortSignal | undefined
}

// A metadata file says again all that the ones before it said. Beyond this size most of a commit would be the disk's time.
const plainBytesMax = 128 * 1024

/**
 * Creates `<metadata folder>/00001-<uuid>.metadata.json` and gives its location. Packed as the table's property
 * `write.metadata.compression-codec` says (`none`, `gzip`); without it, when a long history has made it large.
 */
export async function writeTableMetadata(
  io: FileIO,
  metadata: TableMetadata,
  options: WriteMetadataOptions = {},
): Promise<string> {
  const parts = tableMetadataParts(metadata).map(encoded)
  const size = parts.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
  const codec = metadata.properties['write.metadata.compression-codec']?.toLowerCase()
  const isPacked = codec === undefined ? size > plainBytesMax : codec === 'gzip'
  const bytes = isPacked ? await packed(parts) : joined(parts.map((part) => part.bytes))
  return create(io, metadataFolder(metadata), bytes, isPacked, options)
}

export function writeViewMetadata(
  io: FileIO,
  metadata: ViewMetadata,
  options: WriteMetadataOptions = {},
): Promise<string> {
  return create(io, metadataFolder(metadata), new TextEncoder().encode(printViewMetadata(metadata)), false, options)
}

type Packed = { deflated: Uint8Array; crc: number; shift: number }
type Encoded = { bytes: Uint8Array; packed?: Packed }
const encodedParts = new WeakMap<TextPart, Encoded>()
function encoded(part: TextPart): Encoded {
  const before = encodedParts.get(part)
  if (before) return before
  const now: Encoded = { bytes: new TextEncoder().encode(part.text) }
  encodedParts.set(part, now)
  return now
}

/**
 * One member of gzip (RFC 1952). Each part is deflated by itself up to a byte's border (RFC 1951, an empty stored block at its
 * end), so that parts which were packed before are put in as they are.
 */
async function packed(parts: readonly Encoded[]): Promise<Uint8Array> {
  const deflated: Uint8Array[] = []
  let [crc, size] = [0, 0]
  for (const part of parts) {
    part.packed ??= await packedAlone(part.bytes)
    deflated.push(part.packed.deflated)
    crc = joinedCrc(crc, part.packed)
    size += part.bytes.byteLength
  }
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc, 0)
  trailer.writeUInt32LE(size % 2 ** 32, 4)
  return joined([gzipHeader, ...deflated, lastBlock, trailer])
}

const packedAlone = async (bytes: Uint8Array): Promise<Packed> => ({
  deflated: await deflate(bytes),
  crc: crc32(bytes),
  shift: crcShift(bytes.byteLength),
})

/** Threads that deflate are those that flush files: what is small would wait there longer than it takes. */
const smallBytes = 256 * 1024
// The history says the same words again and again: level 1 finds nearly all of them.
const deflating = { level: 1, finishFlush: constants.Z_FULL_FLUSH }
const deflate = (bytes: Uint8Array): Uint8Array | Promise<Uint8Array> =>
  bytes.byteLength <= smallBytes ? deflateRawSync(bytes, deflating) : promisify(deflateRaw)(bytes, deflating)

/** Deflate, no flags, no time, unknown system. */
const gzipHeader = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
/** Says that nothing follows. */
const lastBlock = Uint8Array.of(0x03, 0x00)

const joined = (pieces: readonly Uint8Array[]): Uint8Array => Buffer.concat(pieces)

async function create(
  io: FileIO,
  folder: string,
  bytes: Uint8Array,
  isPacked: boolean,
  { previous, signal }: WriteMetadataOptions,
): Promise<string> {
  const version = String(versionOf(previous) + 1).padStart(5, '0')
  const location = joinLocation(folder, `${version}-${randomUUID()}${isPacked ? '.gz' : ''}.metadata.json`)
  if (!(await io.create(location, bytes, signal))) throw new Failure('STORAGE_FAILED', `"${location}" exists already`)
  return location
}

/** -1 without a file; also reads Hadoop's `v12.metadata.json`. */
function versionOf(location: string | undefined): number {
  const match = /(?:^|\/)v?(\d{1,9})(?:-[^/]*)?\.metadata\.json(?:\.gz)?$/.exec(
    location?.replace('.gz.metadata.json', '.metadata.json') ?? '',
  )
  return match ? Number(match[1]) : -1
}

async function readText(io: FileIO, location: string, signal: AbortSignal | undefined): Promise<string> {
  const bytes = await io.read(location, signal)
  if (!bytes) throw new Failure('TABLE_NOT_FOUND', `the metadata file ${location} does not exist`, { location })
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b
  try {
    const plain = isPacked ? await promisify(gunzip)(bytes, { maxOutputLength: unpackedBytesMax }) : bytes
    return new TextDecoder('utf-8', { fatal: true }).decode(plain)
  } catch (error) {
    throw new Failure('METADATA_INVALID', `${location} is neither UTF-8 text nor gzip of it`, {
      cause: error,
      place: { file: location },
    })
  }
}
