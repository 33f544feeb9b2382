// Metadata files on storage: each version is a new file, created and never overwritten.

import { randomUUID } from 'node:crypto'
import { gunzip, gzip } from 'node:zlib'
import { promisify } from 'node:util'
import { Failure } from '../base/failure.ts'
import { joinLocation, type FileIO } from '../io/index.ts'
import { metadataFolder, parseTableMetadata, printTableMetadata } from './metadata.ts'
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

/** Creates `<metadata folder>/00001-<uuid>.metadata.json` and gives its location. */
export function writeTableMetadata(
  io: FileIO,
  metadata: TableMetadata,
  options: WriteMetadataOptions = {},
): Promise<string> {
  const isPacked = metadata.properties['write.metadata.compression-codec']?.toLowerCase() === 'gzip'
  return writeText(io, metadataFolder(metadata), printTableMetadata(metadata), isPacked, options)
}

export function writeViewMetadata(
  io: FileIO,
  metadata: ViewMetadata,
  options: WriteMetadataOptions = {},
): Promise<string> {
  return writeText(io, metadataFolder(metadata), printViewMetadata(metadata), false, options)
}

async function writeText(
  io: FileIO,
  folder: string,
  text: string,
  isPacked: boolean,
  { previous, signal }: WriteMetadataOptions,
): Promise<string> {
  const version = String(versionOf(previous) + 1).padStart(5, '0')
  const location = joinLocation(folder, `${version}-${randomUUID()}${isPacked ? '.gz' : ''}.metadata.json`)
  const bytes = new TextEncoder().encode(text)
  const created = await io.create(location, isPacked ? await promisify(gzip)(bytes) : bytes, signal)
  if (!created) throw new Failure('STORAGE_FAILED', `"${location}" exists already`)
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
