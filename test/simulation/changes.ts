// Every kind of change of a table, small enough to know what each does to the rows: a function from rows to rows. The table
// is partitioned by the first letter of its rows. A data file is named after its rows and a delete file after those that it
// deletes (`a1+a2~tag`), so what a table holds is seen without opening a data file.

import { head } from './world.ts'
import {
  planScan,
  prepareAppend,
  prepareDelete,
  prepareOverwrite,
  prepareReplace,
  prepareRewrite,
  prepareRowDelta,
  type FormatVersion,
  type NewDataFile,
  type NewDeleteFile,
  type Predicate,
  type PreparedWrite,
  type ScanFile,
} from '../../src/iceberg/index.ts'
import type { FileIO } from '../../src/io/index.ts'
import { commit, createTable } from './world.ts'

export type Change = {
  /** Commits it, or does nothing when there is nothing to do. */
  run(io: FileIO, tag: string): Promise<unknown>
  after(rows: readonly string[], tag: string): readonly string[]
}

const named = (rows: readonly string[], tag: string) => `${rows.join('+')}~${tag}`
const namesIn = (path: string) => path.split('/').at(-1)!.split('~')[0]!.split('+').filter(Boolean)
const [text] = [new TextEncoder()]

/** The rows of a file that no delete file deletes. */
function live({ path, deletes }: ScanFile): string[] {
  const gone = new Set(deletes.flatMap(({ file }) => namesIn(file.path)))
  return namesIn(path).filter((row) => !gone.has(row))
}

export async function startTable(io: FileIO, formatVersion: FormatVersion): Promise<void> {
  await createTable(
    io,
    { 'commit.manifest.min-count-to-merge': '3' },
    {
      formatVersion,
      schema: [{ name: 'letter', type: { kind: 'string' } }],
      spec: [{ column: 'letter', transform: { kind: 'identity' } }],
    },
  )
  for (const row of startRows)
    await commit(io, await prepareAppend(io, (await head(io)).metadata, [await file(io, [row], 'start')]))
}
export const startRows = ['a1', 'a2', 'b1']

/** What a fresh process finds; fails when a file that the table names is not there. */
export async function liveRows(io: FileIO): Promise<string[]> {
  const { files } = await planScan(io, (await head(io)).metadata)
  for (const one of files)
    for (const path of [one.path, ...one.deletes.map(({ file: { path: of } }) => of)])
      if (!(await io.stat(path))) throw new Error(`${path} is named and gone`)
  return files.flatMap(live).sort()
}

async function file(io: FileIO, rows: readonly string[], tag: string): Promise<NewDataFile> {
  const [letter, path] = [rows[0]!.slice(0, 1), `/t/data/${named(rows, tag)}`]
  await io.create(path, text.encode(path))
  return {
    path,
    recordCount: rows.length,
    fileSizeBytes: path.length,
    partition: [letter],
    valueCounts: new Map([[1, rows.length]]),
    lower: new Map([[1, letter]]),
    upper: new Map([[1, letter]]),
  }
}

const ofLetter = (value: string): Predicate => ({ op: '=', field: 1, value })

async function plan(io: FileIO) {
  const { metadata } = await head(io)
  const { files } = await planScan(io, metadata)
  return { metadata, files, holding: (row: string) => files.find((one) => live(one).includes(row)) }
}

async function write(io: FileIO, prepared: PreparedWrite | undefined): Promise<unknown> {
  return prepared && commit(io, prepared)
}

/** Deletes one row where it lies, and adds others. A vector takes over what its file had deleted before. */
async function rowDelta(
  io: FileIO,
  row: string,
  added: readonly string[],
  tag: string,
): Promise<PreparedWrite | undefined> {
  const { metadata, holding } = await plan(io)
  const found = holding(row)
  const addDeletes: NewDeleteFile[] = []
  if (found) {
    const isVector = metadata.formatVersion > 2
    const before = isVector ? found.deletes.flatMap(({ file: { path } }) => namesIn(path)) : []
    const path = `/t/data/${named([...before, row], `${tag}-deletes`)}${isVector ? '.puffin' : '.parquet'}`
    await io.create(path, text.encode(path))
    addDeletes.push({
      content: 'position-deletes',
      path,
      recordCount: before.length + 1,
      fileSizeBytes: path.length,
      partition: found.partition,
      referencedDataFile: found.path,
      ...(isVector && { format: 'puffin' as const, contentOffset: 4, contentSizeBytes: 40 }),
    })
  }
  const addFiles = added.length > 0 ? [await file(io, added, tag)] : []
  if (addDeletes.length + addFiles.length === 0) return undefined
  return prepareRowDelta(io, metadata, { addFiles, addDeletes }, { conflictFilter: ofLetter('a') })
}

const without = (rows: readonly string[], ...gone: string[]) => rows.filter((row) => !gone.includes(row))
const outside = (rows: readonly string[], letter: string) => rows.filter((row) => !row.startsWith(letter))

export const changes: Record<string, Change> = {
  append: {
    run: async (io, tag) =>
      write(io, await prepareAppend(io, (await head(io)).metadata, [await file(io, [`a3${tag}`], tag)])),
    after: (rows, tag) => [...rows, `a3${tag}`],
  },
  replace: {
    run: async (io, tag) =>
      write(io, await prepareReplace(io, (await head(io)).metadata, [await file(io, [`n${tag}`], tag)])),
    after: (_, tag) => [`n${tag}`],
  },
  'copy-on-write update': {
    async run(io, tag) {
      const { metadata, holding } = await plan(io)
      const found = holding('a1')
      const rows = [...(found ? live(found).filter((row) => row !== 'a1') : []), `a4${tag}`]
      const what = { remove: { files: found ? [found.file] : [] }, add: [await file(io, rows, tag)] }
      return write(io, await prepareOverwrite(io, metadata, what, { conflictFilter: ofLetter('a') }))
    },
    after: (rows, tag) => [...without(rows, 'a1'), `a4${tag}`],
  },
  'overwrite by filter': {
    async run(io, tag) {
      const add = [await file(io, [`a5${tag}`], tag)]
      return write(
        io,
        await prepareOverwrite(io, (await head(io)).metadata, { remove: { filter: ofLetter('a') }, add }),
      )
    },
    after: (rows, tag) => [...outside(rows, 'a'), `a5${tag}`],
  },
  'overwrite of partitions': {
    async run(io, tag) {
      const add = [await file(io, [`b2${tag}`], tag)]
      return write(
        io,
        await prepareOverwrite(io, (await head(io)).metadata, { remove: { partitions: 'dynamic' }, add }),
      )
    },
    after: (rows, tag) => [...outside(rows, 'b'), `b2${tag}`],
  },
  'delete by filter': {
    async run(io) {
      const { metadata, files } = await plan(io)
      if (!files.some((one) => one.partition[0] === 'b')) return
      return write(io, await prepareDelete(io, metadata, { filter: ofLetter('b') }))
    },
    after: (rows) => outside(rows, 'b'),
  },
  'merge-on-read update': {
    run: async (io, tag) => write(io, await rowDelta(io, 'a2', [`a6${tag}`], tag)),
    after: (rows, tag) => [...without(rows, 'a2'), `a6${tag}`],
  },
  'merge-on-read delete': {
    run: async (io, tag) => write(io, await rowDelta(io, 'a1', [], tag)),
    after: (rows) => without(rows, 'a1'),
  },
  compaction: {
    async run(io, tag) {
      const { metadata, files } = await plan(io)
      const group = files.filter((one) => one.partition[0] === 'a')
      const rows = group.flatMap(live)
      if (group.length === 0) return
      const remove = { files: group.map((one) => one.file) }
      const add = { files: rows.length > 0 ? [await file(io, rows, tag)] : [] }
      return write(io, await prepareRewrite(io, metadata, { remove, add }))
    },
    after: (rows) => rows,
  },
}
