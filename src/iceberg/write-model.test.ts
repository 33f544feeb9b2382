// Random histories of two writers on one table, against a model that knows only sets of files. Each writer works on
// metadata that may be old by the time it commits: a commit must then either fit what the other did, or be refused.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Failure } from '../base/failure.ts'
import { memoryFileIO, type MemoryFileIO } from '../io/index.ts'
import { readManifest, readManifestList } from './manifest.ts'
import type { DataFile, NewDataFile, NewDeleteFile } from './manifest-types.ts'
import { newTableMetadata, parseTableMetadata, printTableMetadata } from './metadata.ts'
import type { FormatVersion, TableChange, TableMetadata } from './metadata-types.ts'
import { prepareDelete, prepareOverwrite } from './overwrite.ts'
import type { Predicate } from './predicate-types.ts'
import { rollbackTo } from './refs.ts'
import { prepareRewrite } from './rewrite.ts'
import { prepareRowDelta } from './row-delta.ts'
import { planScan } from './scan.ts'
import { snapshotAsOf } from './snapshot.ts'
import { applyUpdates, checkRequirements } from './update.ts'
import type { PreparedWrite } from './work.ts'
import { prepareAppend } from './write.ts'

// --- the model: files with a range of ids in one partition, and what deletes rows of them

type File = { path: string; low: number; high: number; part: number; seq: number }
type Delete = { path: string; kind: 'position' | 'vector' | 'equality'; part: number; seq: number; of?: string }
type State = { files: ReadonlyMap<string, File>; deletes: readonly Delete[] }
const empty: State = { files: new Map(), deletes: [] }

const applies = ({ kind, part, seq, of }: Delete, file: File) =>
  kind === 'equality' ? part === file.part && seq > file.seq : of === file.path && seq >= file.seq
function deletesOf({ deletes }: State, file: File): string[] {
  const all = deletes.filter((one) => applies(one, file))
  const hasVector = all.some(({ kind }) => kind === 'vector')
  return all
    .filter(({ kind }) => kind !== 'position' || !hasVector)
    .map(({ path }) => path)
    .sort()
}

type Step =
  | { op: 'append' | 'fast-append' | 'dynamic'; low: number; part: number }
  | { op: 'delete' | 'equality'; part: number }
  | { op: 'overwrite'; low: number; high: number; part: number }
  | { op: 'rows' | 'rows-and-more'; pick: number }
  | { op: 'rewrite' | 'copy-on-write'; pick: number }
  | { op: 'rollback' }
const part = fc.nat(2)
const low = fc.nat(20)
const pick = fc.nat(50)
const step = (version: FormatVersion): fc.Arbitrary<Step> => {
  const files: fc.Arbitrary<Step>[] = [
    fc.record({ op: fc.constantFrom('append' as const, 'fast-append', 'dynamic'), low, part }),
    fc.record({ op: fc.constant('append' as const), low, part }),
    fc.record({ op: fc.constant('delete' as const), part }),
    fc.record({ op: fc.constant('overwrite' as const), low, high: fc.integer({ min: 21, max: 40 }), part }),
    fc.record({ op: fc.constantFrom('rewrite' as const, 'copy-on-write'), pick }),
    fc.record({ op: fc.constant('rollback' as const) }),
  ]
  const deletes: fc.Arbitrary<Step>[] = [
    fc.record({ op: fc.constantFrom('rows' as const, 'rows-and-more'), pick }),
    fc.record({ op: fc.constant('rows' as const), pick }),
    fc.record({ op: fc.constant('equality' as const), part }),
  ]
  return fc.oneof(...files, ...(version > 1 ? deletes : []))
}

class World {
  readonly io: MemoryFileIO = memoryFileIO()
  metadata: TableMetadata
  /** The model as each snapshot left it. */
  readonly states = new Map<bigint | undefined, State>([[undefined, empty]])
  readonly rowIds = new Map<string, bigint>()
  #names = 0

  constructor(formatVersion: FormatVersion) {
    this.metadata = newTableMetadata({
      uuid: 'u',
      location: '/t',
      nowMs: 1,
      formatVersion,
      schema: [
        { name: 'id', type: { kind: 'long' }, required: true },
        { name: 'p', type: { kind: 'int' } },
      ],
      spec: [{ column: 'p', transform: { kind: 'identity' } }],
      properties: { 'commit.manifest.min-count-to-merge': '3' },
    })
  }

  stateOf = ({ currentSnapshotId }: TableMetadata): State => this.states.get(currentSnapshotId)!

  file(low: number, high: number, part: number): NewDataFile {
    return {
      path: `/t/data/f${this.#names++}`,
      recordCount: high - low + 1,
      fileSizeBytes: 100,
      partition: [part],
      lower: new Map([[1, BigInt(low)]]),
      upper: new Map([[1, BigInt(high)]]),
    }
  }

  delete(kind: Delete['kind'], part: number, of?: string): NewDeleteFile {
    const path = `/t/data/d${this.#names++}`
    const common = { path, partition: [part], recordCount: 1, fileSizeBytes: 10 }
    if (kind === 'equality') return { ...common, content: 'equality-deletes', equalityIds: [1] }
    if (kind === 'vector')
      return {
        ...common,
        content: 'position-deletes',
        format: 'puffin',
        referencedDataFile: of,
        contentOffset: 4,
        contentSizeBytes: 6,
      }
    const paths = new Map([[2147483546, of!]])
    return { ...common, content: 'position-deletes', lower: paths, upper: paths }
  }

  modelFile = (file: NewDataFile, seq: number): File => ({
    path: file.path,
    low: Number(file.lower!.get(1)),
    high: Number(file.upper!.get(1)),
    part: file.partition![0] as number,
    seq,
  })
}

type Planned = {
  prepared: PreparedWrite | undefined
  change?: TableChange
  /** What it makes of the state that it meets; checks what must hold there. */
  apply(now: State, seq: number): State
}

/** A step as a writer plans it on the metadata that it has. */
async function plan(world: World, step: Step): Promise<Planned | undefined> {
  const { io, metadata } = world
  const before = world.stateOf(metadata)
  const version = metadata.formatVersion
  const plus = (
    state: State,
    files: readonly File[],
    gone: readonly string[] = [],
    deletes = state.deletes,
  ): State => ({
    files: new Map([
      ...[...state.files].filter(([path]) => !gone.includes(path)),
      ...files.map((one) => [one.path, one] as const),
    ]),
    deletes,
  })
  const chosen = (index: number) => [...before.files.values()][before.files.size === 0 ? 0 : index % before.files.size]
  /** Nothing was added to the table that the writer did not see. */
  const noneAdded = (now: State, about: (file: File) => boolean) =>
    expect(
      [...now.files.values()].filter((file) => !before.files.has(file.path) && about(file) && file.seq > 0),
    ).toEqual([])
  switch (step.op) {
    case 'append':
    case 'fast-append': {
      const file = world.file(step.low, step.low + 5, step.part)
      const prepared = await prepareAppend(io, metadata, [file], { fast: step.op === 'fast-append' })
      return { prepared, apply: (now, seq) => plus(now, [world.modelFile(file, seq)]) }
    }
    case 'dynamic': {
      const file = world.file(step.low, step.low + 5, step.part)
      const prepared = await prepareOverwrite(io, metadata, { remove: { partitions: 'dynamic' }, add: [file] })
      const isIn = (one: File) => one.part === step.part
      return {
        prepared,
        apply: (now, seq) => {
          noneAdded(now, isIn)
          return plus(
            now,
            [world.modelFile(file, seq)],
            [...now.files.values()].filter(isIn).map(({ path }) => path),
          )
        },
      }
    }
    case 'delete': {
      const filter: Predicate = { op: '=', field: 2, value: step.part }
      return {
        prepared: await prepareDelete(io, metadata, { filter }),
        apply: (now) => {
          const gone = [...now.files.values()].filter(({ part }) => part === step.part).map(({ path }) => path)
          return plus(now, [], gone)
        },
      }
    }
    case 'overwrite': {
      const filter: Predicate = {
        op: 'and',
        of: [
          { op: '>=', field: 1, value: BigInt(step.low) },
          { op: '<', field: 1, value: BigInt(step.high) },
        ],
      }
      const touches = ({ low, high }: File) => high >= step.low && low < step.high
      const isWithin = ({ low, high }: File) => low >= step.low && high < step.high
      const cut = [...before.files.values()].filter((file) => touches(file) && !isWithin(file))
      const rests = cut.map((file) => world.file(file.low, Math.max(file.low, step.low - 1), file.part))
      const file = world.file(step.low, step.high - 1, step.part)
      const add = [file, ...rests]
      const prepared = await prepareOverwrite(
        io,
        metadata,
        { remove: { filter, files: cut.map(({ path, part }) => ({ path, specId: 0, partition: [part] })) }, add },
        { conflictFilter: filter },
      )
      return {
        prepared,
        apply: (now, seq) => {
          noneAdded(now, touches)
          for (const { path } of cut) expect(now.files.has(path)).toBe(true)
          for (const one of cut) expect(deletesOf(now, one)).toEqual(deletesOf(before, one))
          const gone = [...now.files.values()].filter(touches).map(({ path }) => path)
          return plus(
            now,
            add.map((one) => world.modelFile(one, seq)),
            gone,
          )
        },
      }
    }
    case 'rows':
    case 'rows-and-more': {
      const target = chosen(step.pick)
      if (!target) return undefined
      const kind = version >= 3 ? 'vector' : 'position'
      const added = world.delete(kind, target.part, target.path)
      const more = step.op === 'rows' ? [] : [world.file(target.low, target.low, target.part)]
      const prepared = await prepareRowDelta(
        io,
        metadata,
        { addDeletes: [added], addFiles: more, referencedFiles: [target.path] },
        { isolation: 'snapshot' },
      )
      return {
        prepared,
        apply: (now, seq) => {
          if (more.length > 0) expect(now.files.has(target.path)).toBe(true)
          if (kind === 'vector' && now.files.has(target.path))
            expect(
              deletesOf(now, target).filter(
                (one) =>
                  !deletesOf(before, target).includes(one) &&
                  now.deletes.some(({ path, kind }) => path === one && kind === 'vector'),
              ),
            ).toEqual([])
          const kept = now.deletes.filter(({ of }) => kind !== 'vector' || of !== target.path)
          const one: Delete = { path: added.path, kind, part: target.part, seq, of: target.path }
          return plus(
            now,
            more.map((file) => world.modelFile(file, seq)),
            [],
            [...kept, one],
          )
        },
      }
    }
    case 'equality': {
      const added = world.delete('equality', step.part)
      const prepared = await prepareRowDelta(io, metadata, { addDeletes: [added] }, { isolation: 'snapshot' })
      return {
        prepared,
        apply: (now, seq) =>
          plus(now, [], [], [...now.deletes, { path: added.path, kind: 'equality', part: step.part, seq }]),
      }
    }
    case 'rewrite':
    case 'copy-on-write': {
      const first = chosen(step.pick)
      if (!first) return undefined
      const targets = [...before.files.values()].filter(({ part }) => part === first.part).slice(0, 3)
      const file = {
        ...world.file(
          Math.min(...targets.map(({ low }) => low)),
          Math.max(...targets.map(({ high }) => high)),
          first.part,
        ),
        recordCount: 1,
      }
      const files = targets.map(({ path, part }) => ({ path, specId: 0, partition: [part] }))
      const startingSeq = Number(snapshotAsOf(metadata)!.sequenceNumber)
      const isRewrite = step.op === 'rewrite'
      const prepared = isRewrite
        ? await prepareRewrite(io, metadata, { remove: { files }, add: { files: [file] } })
        : await prepareOverwrite(io, metadata, { remove: { files }, add: [file] }, { isolation: 'snapshot' })
      return {
        prepared,
        apply: (now, seq) => {
          for (const target of targets) {
            expect(now.files.has(target.path)).toBe(true)
            const mayBeNew = (path: string) =>
              isRewrite && now.deletes.some((one) => one.path === path && one.kind === 'equality')
            expect(
              deletesOf(now, target).filter((path) => !deletesOf(before, target).includes(path) && !mayBeNew(path)),
            ).toEqual([])
          }
          const one = world.modelFile(file, isRewrite ? startingSeq : seq)
          return plus(
            now,
            [one],
            targets.map(({ path }) => path),
          )
        },
      }
    }
    case 'rollback': {
      const parent = snapshotAsOf(metadata)?.parentSnapshotId
      if (parent === undefined) return undefined
      return {
        prepared: undefined,
        change: rollbackTo(metadata, { snapshotId: parent }),
        apply: () => world.states.get(parent)!,
      }
    }
  }
}

async function commit(world: World, { prepared, change, apply }: Planned, isStale: boolean) {
  const base = world.metadata
  try {
    const { updates, requirements } = change ?? (await prepared!.on(base, { nowMs: 2 }))
    checkRequirements(base, requirements)
    const next = applyUpdates(base, updates, { nowMs: 2 })
    world.metadata = parseTableMetadata(printTableMetadata(next))
    world.states.set(next.currentSnapshotId, apply(world.stateOf(base), Number(next.lastSequenceNumber)))
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'COMMIT_CONFLICT' || !isStale) throw error
  }
}

/** What a reader sees is what the model has; what the summary says is what the manifests say. */
async function check(world: World) {
  const { io, metadata } = world
  const state = world.stateOf(metadata)
  const { files, snapshot } = await planScan(io, metadata)
  const seen = files.map(({ path, deletes, sequenceNumber }) => [
    path,
    Number(sequenceNumber),
    deletes.map(({ file }) => file.path).sort(),
  ])
  const wanted = [...state.files.values()].map((file) => [
    file.path,
    metadata.formatVersion === 1 ? 0 : file.seq,
    metadata.formatVersion === 1 ? [] : deletesOf(state, file),
  ])
  expect(seen.sort()).toEqual(wanted.sort())
  if (!snapshot) return
  const live: DataFile[] = []
  for (const manifest of await readManifestList(io, metadata, snapshot))
    for (const { status, file } of await readManifest(io, metadata, manifest)) if (status !== 'deleted') live.push(file)
  const of = (content: DataFile['content']) => live.filter((file) => file.content === content)
  const rows = (some: DataFile[]) => some.reduce((sum, { recordCount }) => sum + recordCount, 0)
  expect(snapshot.summary).toMatchObject({
    'total-data-files': String(of('data').length),
    'total-records': String(rows(of('data'))),
    'total-delete-files': String(live.length - of('data').length),
    'total-position-deletes': String(rows(of('position-deletes'))),
    'total-equality-deletes': String(rows(of('equality-deletes'))),
  })
  if (metadata.formatVersion < 3) return
  // Every row has an id, no two the same, and a file keeps those that it was given.
  const ranges = of('data')
    .map(({ path, firstRowId, recordCount }) => {
      const known = world.rowIds.get(path)
      if (known !== undefined) expect(firstRowId).toBe(known)
      world.rowIds.set(path, firstRowId!)
      return [firstRowId!, firstRowId! + BigInt(recordCount)] as const
    })
    .sort(([a], [b]) => Number(a - b))
  ranges.forEach(([start], index) => expect(start >= (ranges[index - 1]?.[1] ?? 0n)).toBe(true))
  expect((ranges.at(-1)?.[1] ?? 0n) <= metadata.nextRowId!).toBe(true)
}

const versions: FormatVersion[] = [1, 2, 3]
test.each(versions)('version %i: any history of two writers', (version) =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(step(version), fc.option(step(version), { freq: 2 })), { minLength: 1, maxLength: 14 }),
      async (history) => {
        const world = new World(version)
        for (const [mine, other] of history) {
          const planned = await plan(world, mine)
          const faster = other && (await plan(world, other))
          if (faster) await commit(world, faster, false)
          if (planned) await commit(world, planned, faster !== undefined && faster !== null)
          await check(world)
        }
      },
    ),
    { numRuns: process.env.SOAK ? 2_000 : 20 },
  ),
)
