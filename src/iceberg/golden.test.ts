// Tables that PyIceberg wrote (test/golden/iceberg, made by make.py there), held against what PyIceberg says about them.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fileLocation, localFileIO, mappedFileIO, type FileIO } from '../io/index.ts'
import { lowerBound, partitionTypes, readManifest, readManifestList, upperBound } from './manifest.ts'
import { currentSchema } from './metadata.ts'
import { readTableMetadata } from './metadata-file.ts'
import type { Predicate } from './predicate-types.ts'
import { planScan } from './scan.ts'
import { fieldById, showType } from './schema.ts'
import { history } from './snapshot.ts'
import type { Type, Value } from './types.ts'
import { isPrimitive, showValue } from './value.ts'

type Expected = {
  location: string
  version: number
  schema: [number, string, string][]
  snapshots: [string, string, number][]
  files: { path: string; spec: number; records: number; size: number; partition: (string | null)[] }[]
  bounds: ({ path: string } & Record<string, [string | null, string | null]>)[]
  filters: {
    filter: string
    predicate: [string, number, Type['kind'] | null, string | null]
    must: string[]
    planned: number
  }[]
}
const folder = join(import.meta.dirname, '../../test/golden/iceberg')
const tables = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as Record<string, Expected>
const io = mappedFileIO(localFileIO(), { from: 'file:///tmp/golden-iceberg', to: fileLocation(folder) })
const open = ({ location }: Expected) => readTableMetadata(io, `${location}/metadata/newest.metadata.json`)
const short = (path: string) => path.split('/data/')[1]!

/** As Python shows it. */
function pythonText(type: Type, value: Value | null | undefined): string | null {
  if (value === null || value === undefined) return null
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (type.kind === 'decimal') return showValue(type, value)
  if (type.kind === 'uuid') return (value as string).replaceAll('-', '')
  if ((type.kind === 'double' || type.kind === 'float') && Number.isInteger(value))
    return Object.is(value, -0) ? '-0.0' : `${String(value)}.0`
  return String(value)
}

test.each(Object.entries(tables))('%s: schema, snapshots and files', async (_, expected) => {
  const metadata = await open(expected)
  expect(metadata.formatVersion).toBe(expected.version)
  const schema = currentSchema(metadata)
  expect(schema.fields.map(({ id, name, type }) => [id, name, isPrimitive(type) ? showType(type) : type.kind])).toEqual(
    expected.schema.map(([id, name, type]) => [id, name, type.replace(/<.*/, '')]),
  )
  expect(
    history(metadata)
      .toReversed()
      .map(({ snapshot }) => [
        String(snapshot.snapshotId),
        snapshot.summary.operation,
        Number(snapshot.sequenceNumber),
      ]),
  ).toEqual(expected.snapshots)
  const plan = await planScan(io, metadata)
  const typesOf = new Map(metadata.partitionSpecs.map((spec) => [spec.specId, partitionTypes(metadata, spec)]))
  const files = plan.files.map(({ path, specId, recordCount, fileSizeBytes, partition }) => ({
    path: short(path),
    spec: specId,
    records: recordCount,
    size: fileSizeBytes,
    partition: partition.map((value, index) => pythonText(typesOf.get(specId)![index]!, value)),
  }))
  expect(files.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual(expected.files)
  for (const { file } of plan.files) {
    const { path: _, ...bounds } = expected.bounds.find(({ path }) => path === short(file.path))!
    for (const [name, [lower, upper]] of Object.entries(bounds)) {
      const field = schema.fields.find((field) => field.name === name)!
      expect([
        name,
        pythonText(field.type, lowerBound(file, field)),
        pythonText(field.type, upperBound(file, field)),
      ]).toEqual([name, lower, upper])
    }
  }
})

const cases = Object.entries(tables).flatMap(([name, expected]) =>
  expected.filters.map((filter) => [name, filter.filter, expected, filter] as const),
)
test.each(cases)(
  '%s where %s: no file too few, none more than PyIceberg',
  async (_, __, expected, { predicate: [op, field, kind, text], must, planned }) => {
    const metadata = await open(expected)
    const value =
      kind === null || text === null
        ? undefined
        : kind === 'string'
          ? text
          : kind === 'int' || kind === 'date'
            ? Number(text)
            : BigInt(text)
    const predicate = { op, field, ...(value !== undefined && { value }) } as Predicate
    const paths = (await planScan(io, metadata, { predicate })).files.map(({ path }) => short(path))
    expect(paths).toEqual(expect.arrayContaining(must))
    expect(paths.length).toBeLessThanOrEqual(planned)
  },
)

test('every manifest of every snapshot is read, with what it inherits', async () => {
  for (const expected of Object.values(tables)) {
    const metadata = await open(expected)
    for (const snapshot of metadata.snapshots)
      for (const manifest of await readManifestList(io, metadata, snapshot)) {
        const entries = await readManifest(io, metadata, manifest)
        expect(entries.filter(({ status }) => status === 'added')).toHaveLength(manifest.addedFiles!)
        expect(entries.filter(({ status }) => status === 'deleted')).toHaveLength(manifest.deletedFiles!)
        for (const { sequenceNumber, file } of entries) {
          expect(sequenceNumber).toBeLessThanOrEqual(manifest.sequenceNumber)
          for (const id of file.valueCounts?.keys() ?? []) expect(fieldById(currentSchema(metadata), id)).toBeDefined()
        }
      }
  }
})

test('damaged metadata, lists and manifests fail with the name of the file, or are read', async () => {
  const expected = tables.types!
  const metadata = await open(expected)
  const snapshot = metadata.snapshots.at(-1)!
  const manifest = (await readManifestList(io, metadata, snapshot))[0]!
  const newest = `${expected.location}/metadata/newest.metadata.json`
  // STORAGE_FAILED: the damage hit a path, which then is none.
  const tolerable = { code: expect.stringMatching(/^(METADATA_INVALID|UNSUPPORTED|STORAGE_FAILED)$/) }
  for (const path of [newest, snapshot.manifestList!, manifest.path]) {
    const whole = (await io.read(path))!
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        async (changes) => {
          const damaged = whole.slice()
          for (const [at, byte] of changes) damaged[at] = byte
          const broken: FileIO = {
            ...io,
            read: async (asked, signal) => (asked === path ? damaged : io.read(asked, signal)),
          }
          try {
            const read = await readTableMetadata(broken, newest)
            await planScan(broken, read, { predicate: { op: '>', field: 1, value: 3n } })
          } catch (error) {
            expect(error).toMatchObject(tolerable)
          }
        },
      ),
      { numRuns: 300 },
    )
  }
})
