import { expect, test } from 'vitest'
import { newTableMetadata } from '../iceberg/index.ts'
import { memoryFileIO, type FileIO } from '../io/index.ts'
import type { Pointer } from './pointers.ts'
import { openTables, type Loaded } from './tables.ts'

const pointerOf = (name: string): Pointer => ({
  name: { catalog: 'c', namespace: 'n', name },
  kind: 'table',
  location: `memory:///${name}.metadata.json`,
})

/** `count` tables that are there to be opened, and how often a file was read. */
function world(count: number, kept: number) {
  const io = memoryFileIO()
  const read: string[] = []
  const counting: FileIO = { ...io, read: (path, signal) => (read.push(path), io.read(path, signal)) }
  const all = Array.from({ length: count }, (_, index) => pointerOf(`t${index}`))
  const tables = openTables(
    { list: async () => all, pointer: async () => undefined, pointers: async () => all },
    counting,
    { kept },
  )
  const metadata = newTableMetadata({
    uuid: 'b1f0c1c0-0000-4000-8000-000000000000',
    location: '/t',
    nowMs: 1,
    schema: [],
  })
  const keep = (pointer: Pointer, snapshots: number) => {
    const summary = { operation: 'append' }
    const snapshot = { snapshotId: 1n, sequenceNumber: 1, timestampMs: 1, manifestList: '/m', summary }
    const many = Array.from({ length: snapshots }, () => snapshot)
    tables.keep({ ...pointer, kind: 'table', metadata: { ...metadata, snapshots: many } } as unknown as Loaded)
  }
  const open = async (pointer: Pointer) => {
    const before = read.length
    await tables.open(pointer).catch(() => {}) // nothing is there: what is not remembered is looked for
    return read.length === before
  }
  return { all, keep, open }
}

test('metadata of as many tables as there is room for is remembered; the oldest go first', async () => {
  const { all, keep, open } = world(4, 3)
  for (const one of all) keep(one, 0)
  for (const at of [3, 2, 1]) expect(await open(all[at]!)).toBe(true)
  expect(await open(all[0]!)).toBe(false)
})

test('a long history takes the room of several tables, and never that of itself', async () => {
  const { all, keep, open } = world(4, 3)
  for (const one of all.slice(0, 3)) keep(one, 0)
  keep(all[3]!, 100)
  await Promise.resolve()
  expect(await open(all[3]!)).toBe(true)
  expect(await open(all[2]!)).toBe(false)
})

test('what is written again is weighed once', async () => {
  const { all, keep, open } = world(2, 3)
  for (let round = 0; round < 10; round++) {
    keep(all[0]!, 5)
    await Promise.resolve()
  }
  keep(all[1]!, 0)
  for (const one of all) expect(await open(one)).toBe(true)
})
