import { expect, test } from 'vitest'
import { memoryFileIO } from '../io/index.ts'
import { planAppends, planChanges, snapshotsBetween } from './incremental.ts'
import type { NewDataFile } from './manifest-types.ts'
import { newTableMetadata } from './metadata.ts'
import type { TableMetadata } from './metadata-types.ts'
import { prepareOverwrite } from './overwrite.ts'
import { prepareRewrite } from './rewrite.ts'
import { prepareRowDelta } from './row-delta.ts'
import type { ScanFile } from './scan.ts'
import { applyUpdates } from './update.ts'
import type { PreparedWrite } from './work.ts'
import { prepareAppend } from './write.ts'

const schema = [{ name: 'id', type: { kind: 'long' } as const }]
const file = (name: string): NewDataFile => ({ path: `/t/${name}`, recordCount: 10, fileSizeBytes: 100 })
const io = memoryFileIO()
let clock = 1000

async function commit(metadata: TableMetadata, prepared: Promise<PreparedWrite>): Promise<TableMetadata> {
  const { updates } = await (await prepared).on(metadata, { nowMs: ++clock })
  return applyUpdates(metadata, updates, { nowMs: clock })
}
const names = (files: readonly ScanFile[]) => files.map(({ path }) => path.slice(3)).toSorted()

const start = newTableMetadata({ uuid: 'u', location: '/t', nowMs: 0, schema })
const one = await commit(start, prepareAppend(io, start, [file('a'), file('b')]))
const two = await commit(one, prepareAppend(io, one, [file('c')]))
const gone = { path: '/t/deletes', recordCount: 1, fileSizeBytes: 10 }
const three = await commit(
  two,
  prepareRowDelta(io, two, { addDeletes: [{ ...gone, content: 'position-deletes', referencedDataFile: '/t/a' }] }),
)
const four = await commit(
  three,
  prepareRewrite(io, three, { remove: { files: [{ path: '/t/c' }] }, add: { files: [file('c2')] } }),
)
const five = await commit(four, prepareOverwrite(io, four, { remove: { files: [{ path: '/t/a' }] }, add: [file('d')] }))
const ids = five.snapshots.map(({ snapshotId }) => snapshotId)

test('appends since a snapshot, without what other operations wrote', async () => {
  expect(names(await planAppends(io, five, {}))).toEqual(['a', 'b', 'c'])
  expect(names(await planAppends(io, five, { from: ids[0] }))).toEqual(['c'])
  expect(names(await planAppends(io, five, { from: ids[1] }))).toEqual([])
  expect(names(await planAppends(io, five, { to: ids[0]! }))).toEqual(['a', 'b'])
  expect(await planAppends(io, start, {})).toEqual([])
})

test('a changelog: whole files, and the rows that deletes took', async () => {
  const changes = await planChanges(io, five, {})
  expect(
    changes.map(({ snapshot, added, removed, changed }) => [
      ids.indexOf(snapshot.snapshotId),
      names(added),
      names(removed),
      changed.map(({ before, after }) => [names([before]), before.deletes.length, after.deletes.length]),
    ]),
  ).toEqual([
    [0, ['a', 'b'], [], []],
    [1, ['c'], [], []],
    [2, [], [], [[['a'], 0, 1]]],
    // 3 is a compaction
    [4, ['d'], ['a'], []],
  ])
  expect(changes.at(-1)!.removed[0]!.deletes.map(({ file }) => file.path)).toEqual(['/t/deletes'])
})

test('what is not between is refused', () => {
  expect(() => snapshotsBetween(five, { from: 7n })).toThrow('snapshot 7 is no ancestor of')
  expect(() => snapshotsBetween(five, { from: ids[3], to: ids[1]! })).toThrow('is no ancestor')
  expect(() => snapshotsBetween(five, { to: 7n })).toThrow('there is no snapshot 7')
  const expired = { ...five, snapshots: five.snapshots.slice(2) }
  expect(() => snapshotsBetween(expired, {})).toThrow('was expired')
  expect(snapshotsBetween(expired, { from: ids[1] })).toHaveLength(3)
})
