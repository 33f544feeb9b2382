// Tables as we write them, one for each thing that another engine may read in its own way.

import { globSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import type { LoadedTable } from '../../../src/catalog/index.ts'
import type { App } from '../../../src/cli/app.ts'
import { maintenanceOf } from '../../../src/cli/commands/table-maintenance.ts'
import {
  createBranch,
  createTag,
  createUpdates,
  evolveSchema,
  evolveSpec,
  newTableMetadata,
  upgradeFormat,
  type NewTable,
  type TableChange,
  type TableMetadata,
  type Transform,
  type Type,
} from '../../../src/iceberg/index.ts'
import { collect, openSession, splitStatements, type ChangeSet, type TableOptions } from '../../../src/lake/index.ts'
import { quoteName, quoteText } from '../../../src/lake/sql/tokens.ts'
import { tableName } from '../../support/contended-table.ts'
import { oddNames } from './theirs.ts'

/** What every case has at hand to make its table. */
export type Table = {
  name: string
  /** CREATE TABLE AS in a format version, here 2. */
  make(select: string, options?: TableOptions): Promise<void>
  create(parts: Pick<NewTable, 'schema'> & Partial<NewTable>): Promise<void>
  change(work: (changes: ChangeSet) => Promise<unknown>): Promise<void>
  sql(text: string): Promise<void>
  append(select: string): Promise<void>
  /** Parquet that DuckDB writes beside the table by COPY, without field ids, and that becomes files of it as it lies. */
  addFiles(select: string, options?: { partitionBy?: string }): Promise<void>
  /** `columns`: all of the table's. */
  remove(where: string, columns: string): Promise<void>
  evolve(work: (metadata: TableMetadata) => TableChange): Promise<void>
  maintain(work: 'compact' | 'rewriteManifests' | 'rewriteDeleteFiles' | 'expire'): Promise<void>
  metadata(): Promise<TableMetadata>
}

export type Case = {
  what: string
  make(table: Table): Promise<unknown>
  /** A condition that all dialects understand. */
  where?: string
  ref?: string
  /** Columns in an order; default all as they are. */
  columns?: string
}

export function tableOf(app: App, name: string): Table {
  const at = tableName(app, name)
  const maintenance = maintenanceOf(app)
  const by = 'matrix'
  async function change(work: (changes: ChangeSet) => Promise<unknown>) {
    const changes = await app.lake.openChanges({ catalog: at.catalog, principal: app.principal })
    await work(changes)
    await changes.publish()
  }
  return {
    name,
    make: (select, options) => change((changes) => changes.replaceTable(at, select, options)),
    async create(parts) {
      const location = `${app.lakehouse.root}/${at.catalog}/raw/${name}`
      const metadata = newTableMetadata({ uuid: crypto.randomUUID(), location, nowMs: Date.now(), ...parts })
      await app.lakehouse.catalog.commit([
        {
          action: 'commit',
          kind: 'table',
          name: at,
          requirements: [{ type: 'assert-create' }],
          updates: createUpdates(metadata),
        },
      ])
    },
    change,
    async sql(text) {
      const session = openSession(app.lake, { principal: app.principal, catalog: at.catalog, door: 'cli' })
      for (const one of splitStatements(text)) await collect(await session.query(one.sql))
      await session.close()
    },
    append: (select) => change((changes) => changes.append(at, select)),
    async addFiles(select, { partitionBy } = {}) {
      const folder = `${app.lakehouse.root}/foreign/${name}`
      const local = fileURLToPath(folder)
      mkdirSync(local, { recursive: true })
      const duckdb = await (await DuckDBInstance.create(':memory:')).connect()
      const target = partitionBy ? `'${local}' (FORMAT parquet, PARTITION_BY (${partitionBy}))` : `'${local}/0.parquet'`
      await duckdb.run(`COPY (${select}) TO ${target}`)
      duckdb.closeSync()
      const files = globSync('**/*.parquet', { cwd: local }).map((file) => `${folder}/${file}`)
      await change((changes) => changes.addFiles(at, files))
    },
    async remove(where, columns) {
      const { metadata } = (await app.tables.load(at)) as LoadedTable
      const rowId = metadata.formatVersion > 2 ? ', _row_id' : ''
      const gone = `SELECT _boathouse_file, _boathouse_pos, false AS _boathouse_new, ${columns}${rowId} FROM raw.${name} WHERE ${where}`
      await change((changes) => changes.changeRows(at, 'delete', gone))
    },
    evolve: async (work) => void (await maintenance.change(at, by, work)),
    async maintain(work) {
      if (work === 'compact') await maintenance.compact(at, { by, all: true })
      else if (work === 'rewriteManifests') await maintenance.rewriteManifests(at, { by, all: true })
      else if (work === 'expire') await maintenance.expire(at, { by, olderThanMs: Date.now() + 1, retainLast: 1 })
      else await maintenance.rewriteDeleteFiles(at, { by })
    },
    metadata: async () => ((await app.tables.load(at)) as LoadedTable).metadata,
  }
}

const every = `SELECT true AS bo, 1::INTEGER AS i, 9007199254740993::BIGINT AS l, 1.5::FLOAT AS f, 'NaN'::DOUBLE AS d,
    1.25::DECIMAL(9, 2) AS d9, 12345.6789::DECIMAL(18, 4) AS d18, 1234567890123456789012345678.9012345678::DECIMAL(38, 10) AS d38,
    DATE '1969-12-31' AS dt, TIMESTAMP '1969-12-31 23:59:59.999999' AS ts, TIMESTAMPTZ '2024-02-29 12:00:00.5+00' AS tz,
    'äöü 😀' AS s, '\\x00\\xFF'::BLOB AS b
  UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  UNION ALL SELECT false, -2147483648, -9223372036854775808, '-Infinity', -0.25, -9999999.99, -0.0001, -1,
    DATE '9999-12-31', TIMESTAMP '2024-02-29 12:00:00', TIMESTAMPTZ '1582-10-15 00:00:00+00', '', ''::BLOB`
const nested = `SELECT 1 AS id, {'a': 1, 'b': {'c': 'x', 'd': [1, NULL]}} AS st, [{'x': 1, 'y': 'p'}, NULL] AS li,
    MAP {'k': {'p': 1, 'q': 1.500::DECIMAL(10, 3)}} AS m, MAP {1: ['a', NULL]} AS mm
  UNION ALL SELECT 3, {'a': NULL, 'b': NULL}, [], MAP {}, MAP {}`
const many = `SELECT i::BIGINT AS id, 'v' || (i % 13) AS s, DATE '2023-11-01' + i::INTEGER AS day,
    TIMESTAMP '1969-12-30 20:30:00' + i * INTERVAL 7 HOUR AS ts, TIMESTAMPTZ '2024-03-01 00:00:00+00' + i * INTERVAL 5 HOUR AS tz,
    (i * 3.25)::DECIMAL(10, 2) AS amount FROM range(60) t(i)
  UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL`

const byVersion = (what: string, select: string): Case[] =>
  ['1', '2', '3'].map((version) => ({
    what: `${what}, version ${version}`,
    make: (table) => table.make(select, { properties: { 'format-version': version } }),
  }))

const partitioned = (what: string, column: string, transform: Transform, where: string): Case => ({
  what: `partitioned by ${what}`,
  make: (table) => table.make(many, { partitionedBy: [{ column, transform }] }),
  where,
})

const modes = ['delete', 'update', 'merge'].map((what) => `write.${what}.mode`)
const written = (version: string, mode: string) => ({
  properties: { 'format-version': version, ...Object.fromEntries(modes.map((name) => [name, mode])) },
})
const small = "SELECT i AS id, 'p' || (i % 3) AS part FROM range(200) t(i)"

const deleted = (version: string, mode: string): Case => ({
  what: `rows deleted, ${mode}, version ${version}`,
  async make({ make, append, remove }) {
    await make(small, {
      ...written(version, mode),
      partitionedBy: [{ column: 'part', transform: { kind: 'identity' } }],
    })
    await remove('id % 10 = 3', 'id, part')
    await append("SELECT 1003 AS id, 'p0' AS part")
    await remove('id % 10 = 4 OR id = 1003', 'id, part')
  },
})
const upserted = (version: string, mode: string): Case => ({
  what: `upsert, ${mode}, version ${version}`,
  async make({ name, make, change }) {
    await make(small, written(version, mode))
    await change((changes) =>
      changes.upsert(
        { catalog: changes.catalog, namespace: 'raw', name },
        ['id'],
        "SELECT i * 50 AS id, 'up' AS part FROM range(8) t(i)",
      ),
    )
  },
})

export const cases: Case[] = [
  ...byVersion('primitive types', every),
  ...byVersion('structs, lists, maps', nested),
  {
    what: 'a list and a map of structs that are null',
    make: ({ make }) =>
      make("SELECT 1 AS id, [{'x': 1}] AS li, MAP {'k': {'p': 1}} AS m UNION ALL SELECT 2, NULL, NULL"),
  },
  {
    what: 'uuid',
    make: ({ make }) => make("SELECT 'f79c3e09-677c-4bbd-a479-3f349cb785e7'::UUID AS u UNION ALL SELECT NULL"),
  },
  { what: 'time', make: ({ make }) => make("SELECT TIME '23:59:59.999999' AS t UNION ALL SELECT NULL") },
  {
    what: 'timestamps in nanoseconds, version 3',
    async make({ create, append }) {
      await create({ formatVersion: 3, schema: [{ name: 'ns', type: { kind: 'timestamp_ns' } }] })
      await append("SELECT TIMESTAMP_NS '2024-02-29 12:00:00.123456789' AS ns UNION ALL SELECT NULL")
    },
  },
  {
    what: 'a column of type unknown, version 3',
    async make({ create, append }) {
      await create({
        formatVersion: 3,
        schema: [
          { name: 'id', type: { kind: 'int' } },
          { name: 'u', type: { kind: 'unknown' } },
        ],
      })
      await append('SELECT 1 AS id')
    },
  },
  {
    what: 'bytes of a fixed length, in buckets, rows deleted',
    async make({ create, append, remove }) {
      const f: Type = { kind: 'fixed', length: 6 }
      await create({
        schema: [
          { name: 'id', type: { kind: 'long' } },
          { name: 'f', type: f },
          { name: 'li', type: { kind: 'list', elementId: 0, element: f, elementRequired: false } },
        ],
        spec: [{ name: 'f_bucket', column: 'f', transform: { kind: 'bucket', buckets: 3 } }],
      })
      await append(
        `SELECT i AS id, unhex(lpad(hex(i * 7919), 12, '0')) AS f, [unhex('0000000000' || lpad(hex(i), 2, '0')), NULL] AS li
          FROM range(200) t(i) UNION ALL SELECT 200, NULL, NULL`,
      )
      await remove('id % 10 = 3', 'id, f, li')
    },
  },
  partitioned('identity', 's', { kind: 'identity' }, "s = 'v7'"),
  partitioned('identity of a decimal', 'amount', { kind: 'identity' }, 'amount = 6.50'),
  partitioned('identity of a date', 'day', { kind: 'identity' }, "day = DATE '2023-11-09'"),
  partitioned('identity of a timestamp', 'ts', { kind: 'identity' }, 'id = 8'),
  partitioned('identity of a timestamp with zone', 'tz', { kind: 'identity' }, 'id = 9'),
  partitioned('bucket of a long', 'id', { kind: 'bucket', buckets: 5 }, 'id = 41'),
  partitioned('bucket of a string', 's', { kind: 'bucket', buckets: 5 }, "s = 'v3'"),
  partitioned('bucket of a date', 'day', { kind: 'bucket', buckets: 5 }, "day = DATE '2023-11-09'"),
  partitioned('bucket of a decimal', 'amount', { kind: 'bucket', buckets: 5 }, 'amount = 9.75'),
  partitioned('bucket of a timestamp', 'ts', { kind: 'bucket', buckets: 5 }, 'id = 10'),
  partitioned('bucket of a timestamp with zone', 'tz', { kind: 'bucket', buckets: 5 }, 'id = 11'),
  {
    what: 'partitioned by bucket of a uuid and truncate of bytes',
    make: ({ make }) =>
      make(
        `SELECT i AS id, ('f79c3e09-677c-4bbd-a479-3f349cb7' || lpad(i::VARCHAR, 4, '0'))::UUID AS u, unhex(lpad(hex(i * 7919), 8, '0')) AS b
          FROM range(60) t(i) UNION ALL SELECT NULL, NULL, NULL`,
        {
          partitionedBy: [
            { column: 'u', transform: { kind: 'bucket', buckets: 3 } },
            { column: 'b', transform: { kind: 'truncate', width: 3 } },
          ],
        },
      ),
    where: 'id = 17',
  },
  partitioned('truncate of a long', 'id', { kind: 'truncate', width: 10 }, 'id = 25'),
  partitioned('truncate of a string', 's', { kind: 'truncate', width: 2 }, "s = 'v11'"),
  partitioned('truncate of a decimal', 'amount', { kind: 'truncate', width: 50 }, 'amount = 13.00'),
  partitioned('year of a date', 'day', { kind: 'year' }, "day = DATE '2023-12-30'"),
  partitioned('month of a date', 'day', { kind: 'month' }, "day = DATE '2023-12-01'"),
  partitioned('day of a date', 'day', { kind: 'day' }, "day = DATE '2023-12-02'"),
  partitioned('year of a timestamp', 'ts', { kind: 'year' }, 'id = 2'),
  partitioned('month of a timestamp', 'ts', { kind: 'month' }, 'id = 12'),
  partitioned('day of a timestamp', 'ts', { kind: 'day' }, 'id = 3'),
  partitioned('hour of a timestamp', 'ts', { kind: 'hour' }, 'id = 4'),
  partitioned('year of a timestamp with zone', 'tz', { kind: 'year' }, 'id = 13'),
  partitioned('month of a timestamp with zone', 'tz', { kind: 'month' }, 'id = 5'),
  partitioned('day of a timestamp with zone', 'tz', { kind: 'day' }, 'id = 14'),
  partitioned('hour of a timestamp with zone', 'tz', { kind: 'hour' }, 'id = 6'),
  {
    what: 'partitioned by two fields and sorted',
    make: ({ make }) =>
      make(many, {
        partitionedBy: [
          { column: 'id', transform: { kind: 'bucket', buckets: 3 } },
          { column: 'day', transform: { kind: 'month' } },
        ],
        sortedBy: [{ column: 'amount', transform: { kind: 'identity' }, direction: 'desc', nullOrder: 'nulls-last' }],
      }),
    where: 'id = 17',
  },
  deleted('1', 'copy-on-write'),
  deleted('2', 'copy-on-write'),
  deleted('2', 'merge-on-read'),
  deleted('3', 'copy-on-write'),
  deleted('3', 'merge-on-read'),
  upserted('2', 'copy-on-write'),
  upserted('2', 'merge-on-read'),
  upserted('3', 'merge-on-read'),
  {
    what: 'overwritten by a condition and by partitions',
    async make({ name, make, sql }) {
      await make(small, { partitionedBy: [{ column: 'part', transform: { kind: 'identity' } }] })
      await sql(`BEGIN;
        INSERT INTO raw.${name} REPLACE WHERE part = 'p1' AND id > 100 SELECT 5000, 'p1';
        INSERT OVERWRITE raw.${name} SELECT 6000, 'p2';
        COMMIT`)
    },
  },
  ...(['2', '3'] as const).map((version): Case => ({
    what: `deletes put together, then all compacted, version ${version}`,
    async make({ make, append, remove, maintain }) {
      await make(small, written(version, 'merge-on-read'))
      await remove('id % 20 = 3', 'id, part')
      await remove('id % 20 = 5', 'id, part')
      await maintain('rewriteDeleteFiles')
      await append("SELECT 900 AS id, 'p0' AS part")
      await maintain('compact')
      await remove('id = 7', 'id, part')
      await maintain('rewriteManifests')
      await maintain('expire')
    },
  })),
  {
    what: 'files added as they lie, without field ids',
    async make({ addFiles, evolve, append, remove }) {
      await addFiles(`SELECT *, {'x': i, 'y': [i]} AS st FROM (SELECT i, * EXCLUDE (i) FROM (${many}), range(1) t(i))`)
      await evolve((metadata) => evolveSchema(metadata).rename('s', 'text').rename('st.x', 'xx').change())
      await append("SELECT 1 AS i, 700 AS id, 'new' AS text, {'xx': 1, 'y': [2]} AS st")
      await remove('id = 7', 'i, id, text, day, ts, tz, amount, st')
    },
    where: 'id > 50',
  },
  {
    what: 'files added by the folders of their partitions',
    async make({ make, addFiles }) {
      await make("SELECT 900::BIGINT AS id, 'p9' AS part", {
        partitionedBy: [{ column: 'part', transform: { kind: 'identity' } }],
      })
      await addFiles(`${small} UNION ALL SELECT 1000, NULL`, { partitionBy: 'part' })
    },
    where: "part = 'p1'",
  },
  {
    what: 'columns added, renamed, dropped, moved, widened',
    async make({ make, append, evolve, remove }) {
      await make(
        "SELECT 1 AS id, 1.5::FLOAT AS f, 'g' AS gone, {'a': 1, 'b': 'x'} AS st",
        written('2', 'merge-on-read'),
      )
      await evolve((metadata) =>
        evolveSchema(metadata)
          .rename('f', 'x')
          .widen('x', { kind: 'double' })
          .widen('id', { kind: 'long' })
          .drop('gone')
          .rename('st.a', 'aa')
          .add('st.z', { kind: 'string' })
          .add('new', { kind: 'decimal', precision: 5, scale: 2 }, { place: 'first' })
          .change(),
      )
      await append("SELECT 3000000000 AS id, 1e300 AS x, {'aa': 2, 'b': 'y', 'z': 'zz'} AS st, 1.25 AS new")
      await append('SELECT 5 AS id, 2.5 AS x, NULL AS st, NULL AS new')
      await remove('id = 5', 'new, id, x, st')
    },
  },
  // Spark has another reader for tables without structs.
  {
    what: 'flat columns widened',
    async make({ make, append, evolve }) {
      await make(
        "SELECT 1 AS id, 2 AS n, 1.5::FLOAT AS f, 1.5::DECIMAL(5, 2) AS d, 'x' AS s",
        written('2', 'merge-on-read'),
      )
      await evolve((metadata) =>
        evolveSchema(metadata)
          .widen('n', { kind: 'long' })
          .widen('f', { kind: 'double' })
          .widen('d', { kind: 'decimal', precision: 12, scale: 2 })
          .change(),
      )
      await append("SELECT 2 AS id, 3000000000 AS n, 1e300 AS f, 1234567890.25 AS d, 'y' AS s")
    },
  },
  ...(['1', '2', '3'] as const).map((version): Case => ({
    what: `partitions evolved, version ${version}`,
    async make({ make, append, evolve }) {
      await make(small, {
        properties: { 'format-version': version },
        partitionedBy: [{ column: 'part', transform: { kind: 'identity' } }],
      })
      await evolve((metadata) => evolveSpec(metadata).remove('part').add('id', { kind: 'bucket', buckets: 4 }).change())
      await append("SELECT i + 500 AS id, 'p1' AS part FROM range(10) t(i)")
    },
    where: "part = 'p1'",
  })),
  {
    what: 'a column with defaults, version 3',
    async make({ make, append, evolve }) {
      await make('SELECT 1 AS id', written('3', 'merge-on-read'))
      await evolve((metadata) => evolveSchema(metadata).add('d', { kind: 'string' }, { default: 'old' }).change())
      await append("SELECT 2 AS id, 'new' AS d")
    },
  },
  {
    what: 'version 1 made 2, then 3, with deletes in each',
    async make({ make, append, evolve, remove }) {
      await make(small, written('1', 'merge-on-read'))
      await remove('id = 1', 'id, part')
      await evolve((metadata) => upgradeFormat(metadata, 2))
      await remove('id = 2', 'id, part')
      await evolve((metadata) => upgradeFormat(metadata, 3))
      await remove('id = 3', 'id, part')
      await append("SELECT 1000 AS id, 'p0' AS part")
    },
  },
  {
    what: 'columns and partitions with dots, quotes, slashes, percents, emoji',
    async make({ name, sql }) {
      const columns = oddNames.map((one) => `${quoteName(one)} VARCHAR`).join(', ')
      const values = (id: number) => `(${id}, ${oddNames.map((one) => quoteText(`${one}=${id}`)).join(', ')})`
      await sql(
        `CREATE TABLE raw.${name} (id BIGINT, ${columns}) PARTITIONED BY (${quoteName(oddNames[0]!)}, truncate(3, ${quoteName(oddNames[1]!)}))`,
      )
      await sql(
        `INSERT INTO raw.${name} VALUES ${[1, 2, 3].map(values).join(', ')}; INSERT INTO raw.${name} (id) VALUES (4)`,
      )
      await sql(
        `UPDATE raw.${name} SET ${oddNames.map((one) => `${quoteName(one)} = ${quoteText(`%2F ${one}/..`)}`).join(', ')} WHERE id = 2`,
      )
    },
  },
  {
    what: 'a tag',
    async make({ make, append, evolve }) {
      await make(small)
      await evolve((metadata) => createTag(metadata, 'before'))
      await append("SELECT 1000 AS id, 'late' AS part")
    },
    ref: 'before',
  },
  {
    what: 'a branch',
    async make({ make, append, evolve }) {
      await make(small)
      await append("SELECT 1000 AS id, 'late' AS part")
      await evolve((metadata) => createBranch(metadata, 'audit', { snapshotId: metadata.snapshots[0]!.snapshotId }))
    },
    ref: 'audit',
  },
  {
    what: 'a view',
    async make({ name, change }) {
      await change((changes) =>
        changes.replaceTable({ catalog: changes.catalog, namespace: 'raw', name: `${name}_base` }, small),
      )
      await change((changes) =>
        changes.createView(
          { catalog: changes.catalog, namespace: 'raw', name },
          `SELECT id, upper(part) AS part FROM raw.${name}_base WHERE id % 7 = 3`,
        ),
      )
    },
  },
]
