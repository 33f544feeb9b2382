import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { realClock } from '../../base/clock.ts'
import { openEmbeddedCatalog, type LoadedTable, type TableName } from '../../catalog/index.ts'
import {
  planScan,
  prepareRowDelta,
  readManifestList,
  reservedFields,
  type NewDeleteFile,
  type TableMetadata,
} from '../../iceberg/index.ts'
import { localPath } from '../../io/index.ts'
import { openMaintenance, pendingMetadata, publishedMetadata, type Maintenance } from './maintenance.ts'
import { fileLocation } from '../../io/index.ts'
import { openWorld } from '../world.ts'

let world: Awaited<ReturnType<typeof openWorld>>
let maintenance: Maintenance
beforeAll(async () => {
  world = await openWorld()
  maintenance = openMaintenance({
    catalog: openEmbeddedCatalog({ records: world.records, io: world.io, clock: realClock, tables: world.tables }),
    io: world.io,
    engine: world.engine,
    clock: { ...realClock, now: () => Date.now() + nowShiftMs },
    spoolDir: world.spool,
    pendingMetadata: () => pendingMetadata(world.records),
    publishedMetadata: (since) => publishedMetadata(world.records, since),
  })
})
afterAll(() => world.close())

const dayMs = 86_400_000
let nowShiftMs = 0
const by = 'ana'
const name = (table: string, catalog = 'dev_analytics'): TableName => ({ catalog, namespace: 'raw', name: table })
const metadataOf = async (table: string): Promise<TableMetadata> =>
  ((await world.tables.load(name(table))) as LoadedTable).metadata
const filesOf = async (table: string) => (await planScan(world.io, await metadataOf(table))).files
const stored = async (table: string) =>
  (await Array.fromAsync(world.io.list((await metadataOf(table)).location), ({ path }) => path)).sort()

/** A table of `count` files with ten rows each. */
async function manyFiles(table: string, count: number, properties: Record<string, string> = {}) {
  await world.rows(`create table raw.${table} as select i::int as id, 'v' || i as v from range(10) t(i)`)
  for (let at = 1; at < count; at++)
    await world.rows(`insert into raw.${table} select i::int, 'v' || i from range(${at * 10}, ${at * 10 + 10}) t(i)`)
  if (Object.keys(properties).length > 0)
    await maintenance.change(name(table), by, () => ({
      updates: [{ action: 'set-properties', updates: properties }],
      requirements: [],
    }))
}
const rows = (table: string) => world.rows(`select count(*), count(distinct id), sum(id)::bigint from raw.${table}`)

test('columns of types that are only read here: the others are used as ever, and no row is written without them', async () => {
  await world.rows(`create table raw.foreign with ('format-version' = '3') as select i::int as id from range(4) t(i)`)
  await maintenance.change(name('foreign'), by, (metadata) => {
    const [schema] = metadata.schemas
    const fields = [...schema!.fields, { id: 2, name: 'v', required: false, type: { kind: 'variant' } as const }]
    return {
      updates: [
        { action: 'add-schema', schema: { ...schema!, schemaId: -1, fields }, lastColumnId: 2 },
        { action: 'set-current-schema', schemaId: -1 },
      ],
      requirements: [],
    }
  })
  const refused = {
    code: 'UNSUPPORTED',
    message: expect.stringContaining('"v" has the Iceberg type variant') as string,
  }
  await expect(world.rows('insert into raw.foreign (id) values (9)')).rejects.toMatchObject(refused)
  await expect(world.rows('update raw.foreign set id = 9 where id = 1')).rejects.toMatchObject(refused)
  await expect(maintenance.compact(name('foreign'), { by, all: true })).rejects.toMatchObject(refused)
  // Half of the rows would be written again otherwise.
  expect(await world.rows('delete from raw.foreign where id < 2')).toEqual([[2]])
  expect(await world.rows('select * from raw.foreign order by id')).toEqual([
    [2, null],
    [3, null],
  ])
  const columns = `select column_name, data_type from information_schema.columns where table_name = 'foreign' order by 1`
  expect(await world.rows(columns)).toEqual([
    ['id', 'INTEGER'],
    ['v', 'JSON'],
  ])
  await world.rows('alter table raw.foreign drop column v')
  expect(await world.rows('insert into raw.foreign values (9)')).toEqual([[1]])
})

test('compaction: few files of the same rows; dry first; then nothing is left to do', async () => {
  await manyFiles('small', 6)
  const before = await rows('small')
  const dry = await maintenance.compact(name('small'), { by, dryRun: true })
  expect(dry).toMatchObject({ planned: [{ files: 6 }], rewritten: [] })
  expect(await filesOf('small')).toHaveLength(6)
  const steps: string[] = []
  const done = await maintenance.compact(name('small'), { by, onProgress: (...step) => steps.push(step.join(' ')) })
  expect(done.rewritten).toMatchObject([{ filesBefore: 6, filesAfter: 1 }])
  expect(steps).toEqual(['groups rewritten 0 1', 'groups rewritten 1 1'])
  expect(await filesOf('small')).toHaveLength(1)
  expect(await rows('small')).toEqual(before)
  expect((await maintenance.compact(name('small'), { by })).planned).toEqual([])
  const { snapshots } = await metadataOf('small')
  expect(snapshots.at(-1)!.summary).toMatchObject({ operation: 'replace', 'total-records': '60' })
})

test('an append while a compaction works is not lost', async () => {
  await manyFiles('busy', 5)
  let appended = false
  await maintenance.compact(name('busy'), {
    by,
    onProgress: () => {
      if (appended) return
      appended = true
      void world.rows('insert into raw.busy select 1000, null')
    },
  })
  await expect.poll(async () => (await rows('busy'))[0]![0]).toBe(51)
})

test('deletes in several files are refused when these were compacted meanwhile: their rows would come back', async () => {
  await manyFiles('spread', 5, { 'write.delete.mode': 'merge-on-read' })
  const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
  const select =
    'select _boathouse_file, _boathouse_pos, false as _boathouse_new, null as id, null as v from raw.spread where id in (3, 13)'
  await changes.changeRows(name('spread'), 'delete', select)
  await maintenance.compact(name('spread'), { by })
  expect(await filesOf('spread')).toHaveLength(1)
  await expect(changes.publish()).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
})

test('expiry forgets old snapshots and deletes what only they had', async () => {
  await manyFiles('old', 5)
  await maintenance.compact(name('old'), { by })
  const before = await rows('old')
  const [first] = (await metadataOf('old')).snapshots
  await maintenance.change(name('old'), by, () => ({
    updates: [{ action: 'set-snapshot-ref', refName: 'kept', ref: { type: 'tag', snapshotId: first!.snapshotId } }],
    requirements: [],
  }))
  const olderThanMs = Date.now() + 1
  const files = await stored('old')
  const dry = await maintenance.expire(name('old'), { by, olderThanMs, dryRun: true })
  expect(dry.snapshots).toHaveLength(4)
  expect(await stored('old')).toEqual(files)
  const done = await maintenance.expire(name('old'), { by, olderThanMs })
  expect(done.files).toEqual(dry.files)
  expect(done.files).toMatchObject({ data: 4, 'manifest-list': 4 })
  expect(await rows('old')).toEqual(before)
  const tagged = await world.rows('select count(*) from raw.old', { asOf: String(first!.snapshotId) })
  expect(tagged).toEqual([[10]])
  expect((await maintenance.expire(name('old'), { by, olderThanMs })).snapshots).toEqual([])
})

test('previous metadata: the log is cut to what is asked for, and the files go', async () => {
  await manyFiles('logged', 5)
  const metadataFiles = async () => (await stored('logged')).filter((path) => path.endsWith('.metadata.json'))
  expect(await metadataFiles()).toHaveLength(5)
  const options = { by, keepMetadata: 2, onlyGivenIds: true }
  expect(await maintenance.expire(name('logged'), { ...options, dryRun: true })).toMatchObject({
    files: { metadata: 3 },
  })
  expect(await maintenance.expire(name('logged'), options)).toMatchObject({ snapshots: [], files: { metadata: 3 } })
  expect(await metadataFiles()).toHaveLength(3)
  expect((await metadataOf('logged')).metadataLog).toHaveLength(2)
  expect((await maintenance.expire(name('logged'), options)).files.metadata).toBe(0)
  expect(await rows('logged')).toMatchObject([[50, 50, 1225]])
})

test('gc.enabled=false: snapshots go, files stay, and orphans are not looked for', async () => {
  await manyFiles('shared', 2, { 'gc.enabled': 'false' })
  const files = await stored('shared')
  const done = await maintenance.expire(name('shared'), { by, olderThanMs: Date.now() + 1 })
  expect(done).toMatchObject({ snapshots: [{}], filesKept: expect.stringContaining('gc.enabled') })
  expect(await stored('shared')).toEqual(expect.arrayContaining(files))
  await expect(maintenance.removeOrphans(name('shared'), { by })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
})

test('files of a fork outlive expiry and orphan removal of its origin', async () => {
  await manyFiles('origin', 5)
  const before = (await world.tables.load(name('origin')))!
  await world.catalog.swap([{ name: name('origin', 'prod_analytics'), kind: 'table', from: null, to: before.location }])
  await maintenance.compact(name('origin'), { by })
  await maintenance.expire(name('origin'), { by, olderThanMs: Date.now() + 1 })
  nowShiftMs = 10 * dayMs
  await maintenance.removeOrphans(name('origin'), { by })
  nowShiftMs = 0
  expect(await world.rows('select count(*) from prod_analytics.raw.origin')).toEqual([[50]])
  expect(await rows('origin')).toMatchObject([[50, 50, 1225]])
})

test('orphans: old strangers go; open change sets, young files and other tables stay', async () => {
  await manyFiles('dirty', 2)
  const { location } = await metadataOf('dirty')
  await world.io.create(`${location}/data/lost.parquet`, new Uint8Array(3))
  const changes = await world.lake.openChanges({ catalog: 'dev_analytics', principal: world.admin })
  await changes.append(name('dirty'), 'select 500 as id, null as v')
  expect(await maintenance.removeOrphans(name('dirty'), { by })).toMatchObject({ files: 0 })
  nowShiftMs = 4 * dayMs
  const dry = await maintenance.removeOrphans(name('dirty'), { by, dryRun: true })
  expect(dry).toMatchObject({ files: 1, bytes: 3, paths: [expect.stringMatching(/lost\.parquet$/)] })
  expect(await maintenance.removeOrphans(name('dirty'), { by })).toEqual(dry)
  expect(await maintenance.removeOrphans(name('dirty'), { by })).toMatchObject({ files: 0 })
  nowShiftMs = 0
  await changes.publish()
  expect(await rows('dirty')).toMatchObject([[21, 21, 690]])
})

test('manifests: one of many, the same files, once', async () => {
  await manyFiles('listed', 6)
  const before = await rows('listed')
  expect(await maintenance.rewriteManifests(name('listed'), { by, dryRun: true })).toEqual({ replaced: 6, created: 1 })
  expect(await maintenance.rewriteManifests(name('listed'), { by })).toEqual({ replaced: 6, created: 1 })
  const metadata = await metadataOf('listed')
  expect(await readManifestList(world.io, metadata, metadata.snapshots.at(-1)!)).toHaveLength(1)
  expect(await rows('listed')).toEqual(before)
  expect(await maintenance.rewriteManifests(name('listed'), { by })).toEqual({ replaced: 0, created: 0 })
})

/** Deletes the first rows of data files by a position delete file for each, or by one for them all. */
async function deletePositions(table: string, count: number, of?: string[], isTogether = false): Promise<string> {
  const metadata = await metadataOf(table)
  const addDeletes: NewDeleteFile[] = []
  const paths = of ?? (await filesOf(table)).map(({ path }) => path)
  for (const some of isTogether ? [paths] : paths.map((path) => [path])) {
    const text = some.map((path) => `'${path}'`).join(', ')
    const staged = join(world.spool, `${randomUUID()}.parquet`)
    const target = `${metadata.location}/data/deletes-${randomUUID()}.parquet`
    await world.engine.rows({
      class: 'write',
      sql: `COPY (SELECT file_path, i::bigint AS pos FROM (SELECT unnest([${text}]) AS file_path), range(${count}) t(i) ORDER BY ALL) TO '${staged}' (FORMAT parquet, FIELD_IDS {file_path: 2147483546, pos: 2147483545})`,
    })
    await world.io.upload(target, staged)
    const { sizeBytes } = (await world.io.stat(target))!
    addDeletes.push({
      content: 'position-deletes',
      path: target,
      recordCount: count * some.length,
      fileSizeBytes: sizeBytes,
      lower: new Map([[reservedFields.file_path, some[0]!]]),
      upper: new Map([[reservedFields.file_path, some.at(-1)!]]),
    })
  }
  const prepared = await prepareRowDelta(world.io, metadata, { addDeletes })
  const { updates, requirements } = await prepared.on(metadata, { nowMs: Date.now() })
  await maintenance.change(name(table), by, () => ({ updates, requirements }))
  return addDeletes[0]!.path
}

test.each([
  ['file', 3, [2, 2, 2]],
  ['partition', 1, [6, 6, 6]],
])('position deletes of version 2, by %s; then nothing is left to do', async (granularity, filesAfter, counts) => {
  const table = `deleted_by_${granularity}`
  await manyFiles(table, 3, granularity === 'file' ? {} : { 'write.delete.granularity': granularity })
  await deletePositions(table, 1)
  await deletePositions(table, 2)
  const before = await rows(table)
  expect(before[0]![0]).toBe(24)
  const expected = { filesBefore: 6, filesAfter, dangling: 0 }
  expect(await maintenance.rewriteDeleteFiles(name(table), { by, dryRun: true })).toMatchObject(expected)
  expect(await maintenance.rewriteDeleteFiles(name(table), { by })).toMatchObject(expected)
  expect(await rows(table)).toEqual(before)
  const deletes = (await filesOf(table)).flatMap((file) => file.deletes.map((one) => one.file))
  expect(deletes.map(({ recordCount }) => recordCount)).toEqual(counts)
  expect(deletes.every((one) => (one.referencedDataFile === undefined) === (granularity === 'partition'))).toBe(true)
  expect(await maintenance.rewriteDeleteFiles(name(table), { by })).toMatchObject({ filesBefore: 0, filesAfter: 0 })
})

test('of position deletes only what is not as it should be is rewritten, and dangling ones go', async () => {
  await manyFiles('mixed', 4)
  const paths = (await filesOf('mixed')).map(({ path }) => path).sort() as [string, string, string, string]
  const [alone, twice, ...shared] = paths
  await deletePositions('mixed', 1, [alone])
  await deletePositions('mixed', 1, [twice])
  await deletePositions('mixed', 2, [twice])
  await deletePositions('mixed', 3, [`${alone}.gone`])
  const together = await deletePositions('mixed', 1, shared, true)
  const deletesOf = async () =>
    new Map((await filesOf('mixed')).map((file) => [file.path, file.deletes.map((one) => one.file)]))
  const before = await rows('mixed')
  const [own] = (await deletesOf()).get(alone)!
  expect(await maintenance.rewriteDeleteFiles(name('mixed'), { by })).toMatchObject({
    filesBefore: 4,
    filesAfter: 3,
    dangling: 1,
  })
  const after = await deletesOf()
  expect(after.get(alone)!.map(({ path }) => path)).toEqual([own!.path])
  expect(paths.map((path) => after.get(path)!.map(({ recordCount }) => recordCount))).toEqual([[1], [2], [1], [1]])
  expect([...after.values()].flat().map(({ path }) => path)).not.toContain(together)
  expect(await rows('mixed')).toEqual(before)
  const { summary } = (await metadataOf('mixed')).snapshots.at(-1)!
  expect(summary).toMatchObject({ operation: 'replace', 'total-delete-files': '4', 'total-position-deletes': '5' })
})

test('compaction applies position deletes; none is left dangling', async () => {
  await manyFiles('deleted', 3)
  await deletePositions('deleted', 2)
  const rewritten = { filesBefore: 3, filesAfter: 3, dangling: 0 }
  expect(await maintenance.rewriteDeleteFiles(name('deleted'), { by, all: true })).toMatchObject(rewritten)
  const after = await rows('deleted')
  await maintenance.compact(name('deleted'), { by, all: true })
  expect(await rows('deleted')).toEqual(after)
  const files = await filesOf('deleted')
  expect(files).toHaveLength(1)
  expect(files[0]!.deletes).toEqual([])
  const { summary } = (await metadataOf('deleted')).snapshots.at(-1)!
  expect(summary).toMatchObject({ 'total-records': '24', 'total-delete-files': '0' })
})

test('after an upgrade to version 3 position deletes become vectors, and compaction keeps row ids', async () => {
  await manyFiles('third', 3)
  await deletePositions('third', 2)
  const after = await rows('third')
  await maintenance.change(name('third'), by, () => ({
    updates: [{ action: 'upgrade-format-version', formatVersion: 3 }],
    requirements: [],
  }))
  expect(await maintenance.rewriteDeleteFiles(name('third'), { by })).toMatchObject({
    filesBefore: 3,
    filesAfter: 3,
    dangling: 0,
  })
  expect(await rows('third')).toEqual(after)
  const deletes = (await filesOf('third')).flatMap((file) => file.deletes.map(({ file: one }) => one.format))
  expect(deletes).toEqual(['puffin', 'puffin', 'puffin'])

  await world.rows("insert into raw.third select 900, 'x'")
  const ids = async () => new Set((await filesOf('third')).map(({ file }) => file.firstRowId))
  expect((await ids()).size).toBe(4)
  const { nextRowId } = await metadataOf('third')
  await maintenance.compact(name('third'), { by, all: true })
  expect((await rows('third'))[0]![0]).toBe(25)
  const [file] = await filesOf('third')
  const lineage = await world.engine.rows({
    class: 'write',
    sql: `SELECT count(DISTINCT _row_id)::int, max(_row_id) < ${nextRowId} FROM read_parquet('${localPath(file!.path)}')`,
  })
  expect(lineage).toEqual([[25, true]])
})

test('files of dropped tables go when no rollback needs them any more; views, others and the owner stay', async () => {
  await world.rows('create table raw.dropped as select 1 as a')
  await world.rows('create table raw.stays as select 1 as a')
  await world.rows('create view raw.looks as select a from raw.stays')
  const { location } = await metadataOf('dropped')
  const has = async (folder: string) => (await Array.fromAsync(world.io.list(folder))).length > 0
  await world.rows('drop table raw.dropped')
  const root = fileLocation(world.root)
  const everything = async () => (await Array.fromAsync(world.io.list(root))).length
  nowShiftMs = 4 * dayMs
  await maintenance.removeDropped({ root, by })
  expect(await has(location)).toBe(true) // it was dropped this week
  nowShiftMs = 8 * dayMs
  const before = await everything()
  const dry = await maintenance.removeDropped({ root, by, dryRun: true })
  expect([dry.files > 0, await everything()]).toEqual([true, before])
  await maintenance.removeDropped({ root, by })
  nowShiftMs = 0
  expect(await has(location)).toBe(false)
  expect(await world.rows('from raw.looks')).toEqual([[1]])
  expect(await world.rows('select count(*) from raw.stays')).toEqual([[1]])
})

test('files of statistics are kept through commits, and go with the snapshot that they are about', async () => {
  await manyFiles('counted', 3)
  const { snapshots, location } = await metadataOf('counted')
  const paths = await Promise.all(
    snapshots.flatMap(({ snapshotId }) =>
      ['stats', 'parquet'].map(async (kind) => {
        const path = `${location}/metadata/${snapshotId}.${kind}`
        await world.io.write(path, new Uint8Array([1]))
        return path
      }),
    ),
  )
  const about = snapshots.map(({ snapshotId, sequenceNumber }, at) => ({
    whole: { snapshotId, statisticsPath: paths[at * 2]!, fileSizeInBytes: 1, fileFooterSizeInBytes: 1 },
    partitions: { snapshotId, statisticsPath: paths[at * 2 + 1]!, fileSizeInBytes: 1 },
    blob: { type: 'apache-datasketches-theta-v1', snapshotId, sequenceNumber, fields: [1] },
  }))
  await maintenance.change(name('counted'), by, () => ({
    updates: about.flatMap(({ whole, partitions, blob }) => [
      { action: 'set-statistics' as const, statistics: { ...whole, blobMetadata: [blob] } },
      { action: 'set-partition-statistics' as const, partitionStatistics: partitions },
    ]),
    requirements: [],
  }))
  const named = async () => {
    const { statistics, partitionStatistics } = await metadataOf('counted')
    return [...statistics, ...partitionStatistics].map(({ statisticsPath }) => statisticsPath).sort()
  }
  const there = async () => (await stored('counted')).filter((path) => paths.includes(path))
  await world.rows('insert into raw.counted values (99, null)')
  await world.rows('delete from raw.counted where id = 3')
  await maintenance.compact(name('counted'), { by, all: true })
  await maintenance.rewriteManifests(name('counted'), { by, all: true })
  expect(await named()).toEqual(paths.toSorted())
  await maintenance.removeOrphans(name('counted'), { by, olderThanMs: 0, force: true })
  expect(await there()).toEqual(paths.toSorted())

  const dry = await maintenance.expire(name('counted'), {
    by,
    snapshotIds: [snapshots[0]!.snapshotId],
    onlyGivenIds: true,
    dryRun: true,
  })
  expect(dry.files.statistics).toBe(2)
  await maintenance.expire(name('counted'), { by, snapshotIds: [snapshots[0]!.snapshotId], onlyGivenIds: true })
  expect(await there()).toEqual(paths.slice(2).toSorted())
  expect(await named()).toEqual(paths.slice(2).toSorted())
  // What is computed again lies elsewhere; the file before is nobody's.
  await maintenance.change(name('counted'), by, () => ({
    updates: [{ action: 'remove-partition-statistics', snapshotId: snapshots[1]!.snapshotId }],
    requirements: [],
  }))
  await maintenance.removeOrphans(name('counted'), { by, olderThanMs: 0, force: true })
  expect(await there()).toEqual([paths[2], ...paths.slice(4)].toSorted())
})

test('while a table cannot be read, no file goes that it may have, and it is told which table that is', async () => {
  await manyFiles('free', 3)
  const before = await stored('free')
  const other = name('unknown')
  const broken = `${(await metadataOf('free')).location}-unknown/metadata/v1.metadata.json`
  await world.io.create(broken, new TextEncoder().encode('nonsense'))
  await world.catalog.swap([{ name: other, kind: 'table', from: null, to: broken }])
  const why = /^dev_analytics.raw.unknown may have the same files, and cannot be read: /
  const expired = await maintenance.expire(name('free'), { by, olderThanMs: Date.now() + dayMs })
  expect(expired).toMatchObject({ files: { 'manifest-list': 0 }, filesKept: expect.stringMatching(why) as string })
  expect(expired.snapshots).toHaveLength(2)
  const orphans = () => maintenance.removeOrphans(name('free'), { by, olderThanMs: 0, force: true })
  await expect(orphans()).rejects.toThrow(why)
  expect(await stored('free')).toEqual(expect.arrayContaining(before))
  await world.catalog.swap([{ name: other, kind: 'table', from: broken, to: null }])
  nowShiftMs = dayMs
  expect((await orphans()).files).toBeGreaterThan(0)
  nowShiftMs = 0
  expect(await rows('free')).toEqual([[30, 30, 435]])
})
