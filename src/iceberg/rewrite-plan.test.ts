import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DataFile } from './manifest-types.ts'
import { rewritePlan, type RewritePlanOptions } from './rewrite-plan.ts'
import type { ScanFile } from './scan.ts'
import type { Value } from './types.ts'

const mib = 2 ** 20
const file = (
  name: string,
  sizeMib: number,
  more: { partition?: (Value | null)[]; specId?: number; deleted?: number[]; format?: 'avro' } = {},
): ScanFile => {
  const { partition = ['p'], specId = 1, deleted = [], format = 'parquet' } = more
  return {
    path: name,
    format,
    recordCount: 100,
    fileSizeBytes: sizeMib * mib,
    specId,
    partition,
    sequenceNumber: 1n,
    fileSequenceNumber: 1n,
    snapshotId: 1n,
    file: {} as DataFile,
    deletes: deleted.map((recordCount) => ({
      sequenceNumber: 2n,
      file: { recordCount, referencedDataFile: name } as DataFile,
    })),
  }
}
const small = (count: number, more = {}) => Array.from({ length: count }, (_, at) => file(`s${at}`, 1, more))
const plan = (files: ScanFile[], options: RewritePlanOptions = {}) =>
  rewritePlan(
    { defaultSpecId: 1, properties: { 'write.target-file-size-bytes': String(100 * mib) } },
    files,
    options,
  ).map((group) => group.files.map(({ path }) => path).join(' '))

const cases: [string, ScanFile[], RewritePlanOptions, string[]][] = [
  ['files of the right size are left alone', [75, 100, 180].map((size) => file('a', size)), {}, []],
  ['few small files are left alone', small(4), {}, []],
  ['five are enough', small(5), {}, ['s0 s1 s2 s3 s4']],
  ['or as many as one asks for', small(2), { minInputFiles: 2 }, ['s0 s1']],
  ['but never one alone', small(1), { minInputFiles: 1 }, []],
  ['two that fill a file are enough', [file('a', 60), file('b', 60)], {}, ['a b']],
  ['one that is too large is cut', [file('a', 181)], {}, ['a']],
  ['partitions are not mixed', [...small(3), ...small(5, { partition: [null] })], {}, ['s0 s1 s2 s3 s4']],
  [
    'files of old specs go together',
    [file('a', 1, { specId: 0, partition: [] }), file('b', 1, { specId: 2, partition: [1] })],
    { minInputFiles: 2 },
    ['a b'],
  ],
  ['many deleted rows', [file('a', 100, { deleted: [30] }), file('b', 100, { deleted: [29] })], {}, ['a']],
  [
    'many delete files',
    [file('a', 100, { deleted: [1, 1] }), file('b', 100, { deleted: [1] })],
    { deleteFileThreshold: 2 },
    ['a'],
  ],
  ['a group holds no more than it may', small(10), { maxGroupBytes: 5 * mib }, ['s0 s1 s2 s3 s4', 's5 s6 s7 s8 s9']],
  ['all of them', [file('a', 100), file('b', 100, { partition: ['q'] })], { all: true }, ['a', 'b']],
  ['what is no Parquet stays', small(6, { format: 'avro' }), { all: true }, []],
]
test.each(cases)('%s', (_, files, options, groups) => expect(plan(files, options)).toEqual(groups))

test('sizes that contradict each other are refused', () => {
  expect(() => plan([], { minBytes: 100 * mib })).toThrow('must lie between')
  expect(() => plan([], { maxBytes: 1, minBytes: 0 })).toThrow('must lie between')
  expect(() => plan([], { targetBytes: 0 })).toThrow('above 0')
})

test('no file is in two groups, and no group mixes partitions', () =>
  fc.assert(
    fc.property(
      fc.array(fc.record({ size: fc.nat(300), partition: fc.nat(2), specId: fc.nat(1) }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 400 }),
      (all, minInputFiles, groupMib) => {
        const files = all.map(({ size, partition, specId }, at) =>
          file(`f${at}`, size, { specId, partition: [partition] }),
        )
        const groups = rewritePlan({ defaultSpecId: 1, properties: {} }, files, {
          targetBytes: 100 * mib,
          minInputFiles,
          maxGroupBytes: groupMib * mib,
        })
        const paths = groups.flatMap((group) => group.files.map(({ path }) => path))
        expect(new Set(paths).size).toBe(paths.length)
        for (const group of groups) {
          const places = new Set(group.files.map(({ specId, partition }) => (specId === 1 ? String(partition) : 'old')))
          expect(places.size).toBe(1)
          expect(group.bytes <= groupMib * mib || group.files.length === 1).toBe(true)
        }
      },
    ),
  ))
