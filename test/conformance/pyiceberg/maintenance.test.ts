// What maintenance leaves behind, read by PyIceberg; and our metadata tables beside its own. Runs where PYICEBERG_PYTHON
// names a Python with `pyiceberg[pyarrow,sql-sqlite,pyiceberg-core]`.

import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { realClock } from '../../../src/base/clock.ts'
import { openEmbeddedCatalog, type LoadedTable, type TableName } from '../../../src/catalog/index.ts'
import {
  createUpdates,
  currentSchema,
  defaultSpec,
  metadataTable,
  newTableMetadata,
  planScan,
  prepareAppend,
  prepareRowDelta,
  upgradeFormat,
  valueToJson,
  type Cell,
  type MetadataTableName,
  type NewDeleteFile,
  type Type,
  type Value,
} from '../../../src/iceberg/index.ts'
import { fileLocation } from '../../../src/io/index.ts'
import { openMaintenance, pendingMetadata, type Maintenance } from '../../../src/lake/index.ts'
import { openWorld } from '../../../src/lake/world.ts'
import { writeFiles } from '../../../src/lake/write/write.ts'

const python = process.env.PYICEBERG_PYTHON
type Row = Record<string, unknown>
const inspect = (location: string) =>
  JSON.parse(
    execFileSync(python!, [join(import.meta.dirname, 'metadata_tables.py'), location], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    }),
  ) as Record<MetadataTableName | 'rows', Row[]>

const name: TableName = { catalog: 'dev_analytics', namespace: 'raw', name: 'sales' }
const by = 'conformance'

describe.skipIf(!python)('PyIceberg', () => {
  let world: Awaited<ReturnType<typeof openWorld>>
  let maintenance: Maintenance
  beforeAll(async () => {
    world = await openWorld()
    const catalog = openEmbeddedCatalog({
      records: world.records,
      io: world.io,
      clock: realClock,
      tables: world.tables,
    })
    maintenance = openMaintenance({
      catalog,
      io: world.io,
      engine: world.engine,
      clock: realClock,
      spoolDir: world.spool,
      pendingMetadata: () => pendingMetadata(world.records),
      publishedMetadata: async () => [],
    })
    const fresh = newTableMetadata({
      uuid: randomUUID(),
      location: fileLocation(join(world.root, 'sales')),
      nowMs: Date.now(),
      schema: [
        { name: 'id', type: { kind: 'int' } },
        { name: 'region', type: { kind: 'string' } },
        { name: 'day', type: { kind: 'date' } },
        { name: 'amount', type: { kind: 'decimal', precision: 9, scale: 2 } },
        { name: 'ratio', type: { kind: 'double' } },
      ],
      spec: [
        { column: 'region', transform: { kind: 'identity' } },
        { column: 'day', transform: { kind: 'month' } },
      ],
    })
    await catalog.createNamespace(name.catalog, name.namespace)
    const requirements = [{ type: 'assert-create' as const }]
    await catalog.commit([{ action: 'commit', kind: 'table', name, requirements, updates: createUpdates(fresh) }])
    for (let at = 0; at < 6; at++) {
      const { metadata } = (await catalog.load(name)) as LoadedTable
      const files = await writeFiles(
        { engine: world.engine, io: world.io, spoolDir: world.spool },
        {
          select: `SELECT (${at * 10} + i)::INT AS id, CASE i % 3 WHEN 0 THEN 'north' WHEN 1 THEN 'süd' END AS region, DATE '2024-01-31' + (i % 2)::INT AS day, (i * 1.25)::DECIMAL(9,2) AS amount, i / 4 AS ratio FROM range(10) t(i)`,
          schema: currentSchema(metadata),
          spec: defaultSpec(metadata),
          sortOrder: { orderId: 0, fields: [] },
          location: metadata.location,
          properties: metadata.properties,
        },
      )
      const change = await (await prepareAppend(world.io, metadata, files)).on(metadata, { nowMs: Date.now() })
      await catalog.commit([{ action: 'commit', kind: 'table', name, ...change }])
    }
  })
  afterAll(() => world.close())

  const load = async () => (await world.tables.load(name)) as LoadedTable
  const tableNames = [
    'snapshots',
    'history',
    'refs',
    'manifests',
    'files',
    'data_files',
    'delete_files',
    'entries',
  ] as const
  const more = [
    'partitions',
    'metadata_log_entries',
    'all_manifests',
    'all_files',
    'all_data_files',
    'all_delete_files',
  ] as const

  /** Each of our metadata tables, over the columns that PyIceberg has, equals its own. */
  async function compare() {
    const { location, metadata } = await load()
    const theirs = inspect(location)
    for (const what of [...tableNames, ...more]) {
      const { columns, rows } = metadataTable(world.io, metadata, what, { location })
      const ours = (await Array.fromAsync(rows())).map((row) =>
        Object.fromEntries(columns.map(({ name: column, type }, at) => [column, plain(type, row[at] ?? null)])),
      )
      expect(sorted(ours.map((row) => like(row, theirs[what][0] ?? row))), what).toEqual(sorted(theirs[what]))
    }
    return theirs
  }

  test('has the same metadata tables, before and after each kind of maintenance, and the same rows', async () => {
    const { rows } = await compare()
    expect(rows).toHaveLength(60)
    const steps: [string, () => Promise<unknown>][] = [
      ['manifests', () => maintenance.rewriteManifests(name, { by })],
      ['compaction', () => maintenance.compact(name, { by })],
      ['expiry', () => maintenance.expire(name, { by, olderThanMs: Date.now() + 1, cleanUnused: true })],
      ['orphans', () => maintenance.removeOrphans(name, { by, olderThanMs: 0, force: true })],
    ]
    for (const [what, run] of steps) {
      await run()
      expect((await compare()).rows, what).toEqual(rows)
    }
    const { files, snapshots } = inspect((await load()).location)
    expect(files).toHaveLength(6)
    expect(snapshots).toHaveLength(1)
  })

  test('reads delete files that were put together, as files and as vectors', async () => {
    for (const pos of [0, 1]) {
      const { metadata } = await load()
      const { files } = await planScan(world.io, metadata)
      const addDeletes: NewDeleteFile[] = []
      for (const [index, { path, specId, partition }] of files.entries()) {
        const staged = join(world.spool, `deletes-${pos}-${index}.parquet`)
        await world.engine.rows({
          class: 'write',
          sql: `COPY (SELECT '${path}' AS file_path, ${pos}::BIGINT AS pos) TO '${staged}' (FORMAT parquet, FIELD_IDS {file_path: 2147483546, pos: 2147483545})`,
        })
        const target = `${metadata.location}/data/deletes-${pos}-${index}.parquet`
        await world.io.upload(target, staged)
        const { sizeBytes } = (await world.io.stat(target))!
        addDeletes.push({
          content: 'position-deletes',
          path: target,
          recordCount: 1,
          fileSizeBytes: sizeBytes,
          specId,
          partition,
        })
      }
      const change = await (
        await prepareRowDelta(world.io, metadata, { addDeletes })
      ).on(metadata, { nowMs: Date.now() })
      await maintenance.change(name, by, () => change)
    }
    const { rows } = await compare()
    expect(rows).toHaveLength(48)
    expect(await maintenance.rewriteDeleteFiles(name, { by })).toMatchObject({
      filesBefore: 12,
      filesAfter: 6,
      dangling: 0,
    })
    expect((await compare()).rows).toEqual(rows)
    await maintenance.change(name, by, (metadata) => upgradeFormat(metadata, 3))
    expect(await maintenance.rewriteDeleteFiles(name, { by })).toMatchObject({
      filesBefore: 6,
      filesAfter: 6,
      dangling: 0,
    })
    const { delete_files: vectors, rows: last } = inspect((await load()).location)
    expect(last).toEqual(rows)
    expect(vectors.map((file) => file.file_format)).toEqual(Array(6).fill('PUFFIN'))
  })
})

/** As `metadata_tables.py` prints them. */
function plain(type: Type, cell: Cell): unknown {
  if (cell === null) return null
  switch (type.kind) {
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [field.name, plain(field.type, (cell as Record<string, Cell>)[field.name] ?? null)]),
      )
    case 'list':
      return (cell as Cell[]).map((one) => plain(type.element, one))
    case 'map':
      return [...(cell as ReadonlyMap<Value, Cell>)].map(([key, value]) => [
        plain(type.key, key),
        plain(type.value, value),
      ])
    case 'timestamptz':
      return Number((cell as bigint) / 1000n)
    case 'int':
    case 'long':
      return String(cell)
    default:
      return valueToJson(type, cell as Value)
  }
}

/** Only what the other has. */
function like(value: unknown, other: unknown): unknown {
  if (
    Array.isArray(value) ||
    value === null ||
    other === null ||
    typeof value !== 'object' ||
    typeof other !== 'object'
  )
    return value
  const has = other as Row
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (key in has ? [[key, like(one, has[key])]] : [])),
  )
}

const sorted = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(ordered(row))).sort()
/** Keys and lists in one order. An empty map is what a manifest says where it knows nothing: as good as none. */
function ordered(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.length === 0 ? null : sorted(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, one]) => [key, ordered(one)]))
}
