// Appended files in the records, so that a publish can make the append again on a newer base, in another process too.

import { parseJson, printJson, type NewDataFile, type Value } from '../../iceberg/index.ts'

export type Appended = { files: NewDataFile[]; summary: Record<string, string> }

export const encodeAppended = (files: readonly NewDataFile[], summary: Record<string, string>): string =>
  printJson({ files: files.map(encodeFile), summary })

export function decodeAppended(text: string): Appended {
  const { files, summary } = parseJson(text) as { files: EncodedFile[]; summary: Record<string, string> }
  return { files: files.map(decodeFile), summary }
}

// JSON has neither whole numbers of 64 bits, nor bytes, nor a negative zero, nor what is not a number.
type Encoded = boolean | number | string | null | { long: string } | { bytes: string } | { number: string }

function encodeValue(value: Value | null): Encoded {
  if (typeof value === 'bigint') return { long: value.toString() }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') }
  if (Object.is(value, -0)) return { number: '-0' }
  return typeof value === 'number' && !Number.isFinite(value) ? { number: String(value) } : value
}

function decodeValue(value: Encoded): Value | null {
  if (value === null || typeof value !== 'object') return value
  if ('long' in value) return BigInt(value.long)
  return 'bytes' in value ? Buffer.from(value.bytes, 'base64') : Number(value.number)
}

type Pairs<Item> = [number, Item][]
type EncodedFile = ReturnType<typeof encodeFile>

const pairs = (map: ReadonlyMap<number, number> | undefined): Pairs<number> => [...(map ?? [])]
const valuePairs = (map: ReadonlyMap<number, Value> | undefined): Pairs<Encoded> =>
  [...(map ?? [])].map(([id, value]) => [id, encodeValue(value)])

const encodeFile = (file: NewDataFile) => ({
  path: file.path,
  recordCount: file.recordCount,
  fileSizeBytes: file.fileSizeBytes,
  specId: file.specId ?? null,
  partition: (file.partition ?? []).map(encodeValue),
  sortOrderId: file.sortOrderId ?? null,
  splitOffsets: (file.splitOffsets ?? []).map(String),
  columnSizes: pairs(file.columnSizes),
  valueCounts: pairs(file.valueCounts),
  nullCounts: pairs(file.nullCounts),
  nanCounts: pairs(file.nanCounts),
  lower: valuePairs(file.lower),
  upper: valuePairs(file.upper),
})

const decodeFile = (file: EncodedFile): NewDataFile => ({
  path: file.path,
  recordCount: file.recordCount,
  fileSizeBytes: file.fileSizeBytes,
  ...(file.specId === null ? {} : { specId: file.specId }),
  partition: file.partition.map(decodeValue),
  ...(file.sortOrderId === null ? {} : { sortOrderId: file.sortOrderId }),
  splitOffsets: file.splitOffsets.map(BigInt),
  columnSizes: new Map(file.columnSizes),
  valueCounts: new Map(file.valueCounts),
  nullCounts: new Map(file.nullCounts),
  nanCounts: new Map(file.nanCounts),
  lower: new Map(file.lower.map(([id, value]) => [id, decodeValue(value)!])),
  upper: new Map(file.upper.map(([id, value]) => [id, decodeValue(value)!])),
})
