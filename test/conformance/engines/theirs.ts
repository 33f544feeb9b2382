// Tables as engines of others write them through our catalog; each is made by statements of that engine.

export type TheirCase = {
  what: string
  statements: (table: string) => string[]
  /** A branch or tag to read instead of all. */
  ref?: string
}

/** Of columns, and what lies in them. */
export const oddNames = [
  'a.b',
  'x/y',
  '50% %2f',
  `it's "q"`,
  '`tick`',
  'back\\slash',
  'município',
  '日本語',
  '😀',
  'a b',
  '#?&=;:',
  'select',
  '..',
]
const odd = 'columns and partitions with dots, quotes, slashes, percents, emoji'
const inSpark = (name: string) => `\`${name.replaceAll('`', '``')}\``
const inTrino = (name: string) => `"${name.replaceAll('"', '""')}"`
const sparkText = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
const sqlText = (text: string) => `'${text.replaceAll("'", "''")}'`

const types = `bo boolean, i int, l bigint, f float, d double, d38 decimal(38,10), dt date, ts timestamp_ntz, tz timestamp, s string,
  b binary, st struct<a: int, b: struct<c: string>>, li array<struct<x: int>>, m map<string, struct<p: int>>`
const values = `(true, 1, 9007199254740993, 1.5, double('NaN'), 1234567890123456789012345678.9012345678, date '1969-12-31',
  timestamp_ntz '1969-12-31 23:59:59.999999', timestamp '2024-02-29 12:00:00', 'äöü 😀', x'00ff', struct(1, struct('c')), array(struct(1), null),
  map('k', struct(1))), (null, null, null, null, null, null, null, null, null, null, null, null, null, null)`
const mergeOnRead = (version: number) =>
  `TBLPROPERTIES ('format-version'='${version}', 'write.delete.mode'='merge-on-read', 'write.update.mode'='merge-on-read', 'write.merge.mode'='merge-on-read')`

export const bySpark: TheirCase[] = [
  ...[1, 2, 3].map((version) => ({
    what: `types, version ${version}`,
    statements: (t: string) => [
      `CREATE TABLE ${t} (${types}) USING iceberg TBLPROPERTIES ('format-version'='${version}')`,
      `INSERT INTO ${t} VALUES ${values}`,
    ],
  })),
  ...[
    'bucket(4, id)',
    'truncate(10, id)',
    's',
    'truncate(2, s)',
    'years(day)',
    'months(day)',
    'days(ts)',
    'hours(ts)',
  ].map((transform) => ({
    what: `partitioned by ${transform}`,
    statements: (t: string) => [
      `CREATE TABLE ${t} (id bigint, s string, day date, ts timestamp_ntz) USING iceberg PARTITIONED BY (${transform})`,
      `INSERT INTO ${t} SELECT id, concat('v', id % 13), date_add(date '2023-11-01', cast(id AS int)),
          timestamp_ntz '1969-12-30 20:30:00' + make_interval(0, 0, 0, 0, cast(id AS int), 0, 0) FROM range(60)`,
    ],
  })),
  ...[1, 2].map((version) => ({
    what: `rows deleted, copy-on-write, version ${version}`,
    statements: (t: string) => [
      `CREATE TABLE ${t} (id bigint, part string) USING iceberg PARTITIONED BY (part) TBLPROPERTIES ('format-version'='${version}')`,
      `INSERT INTO ${t} SELECT id, concat('p', id % 3) FROM range(200)`,
      `DELETE FROM ${t} WHERE id % 10 = 3`,
      `UPDATE ${t} SET id = id + 1000 WHERE id % 10 = 4`,
    ],
  })),
  ...[2, 3].map((version) => ({
    what: `rows deleted, updated and merged, merge-on-read, version ${version}`,
    statements: (t: string) => [
      `CREATE TABLE ${t} (id bigint, part string) USING iceberg PARTITIONED BY (part) ${mergeOnRead(version)}`,
      `INSERT INTO ${t} SELECT id, concat('p', id % 3) FROM range(200)`,
      `DELETE FROM ${t} WHERE id % 10 = 3`,
      `UPDATE ${t} SET id = id + 1000 WHERE id % 10 = 4`,
      `MERGE INTO ${t} t USING (SELECT id * 30 AS id, 'm' AS part FROM range(10)) s ON t.id = s.id
        WHEN MATCHED AND t.id % 60 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET t.part = s.part WHEN NOT MATCHED THEN INSERT *`,
    ],
  })),
  {
    what: 'columns and partitions evolved',
    statements: (t) => [
      `CREATE TABLE ${t} (id int, st struct<a: int, b: string>, gone string) USING iceberg PARTITIONED BY (gone)`,
      `INSERT INTO ${t} VALUES (1, struct(1, 'x'), 'g')`,
      `ALTER TABLE ${t} REPLACE PARTITION FIELD gone WITH bucket(4, id)`,
      `ALTER TABLE ${t} ALTER COLUMN id TYPE bigint`,
      `ALTER TABLE ${t} RENAME COLUMN st.a TO aa`,
      `ALTER TABLE ${t} ADD COLUMN st.z double`,
      `ALTER TABLE ${t} RENAME COLUMN gone TO stays`,
      `INSERT INTO ${t} VALUES (3000000000, struct(2, 'y', 1.5), null)`,
    ],
  },
  {
    what: 'sorted, rewritten, expired',
    statements: (t) => [
      `CREATE TABLE ${t} (id bigint, part string) USING iceberg ${mergeOnRead(2)}`,
      `ALTER TABLE ${t} WRITE ORDERED BY part DESC NULLS LAST, id`,
      `INSERT INTO ${t} SELECT id, concat('p', id % 3) FROM range(100)`,
      `DELETE FROM ${t} WHERE id = 5`,
      `INSERT INTO ${t} VALUES (500, null)`,
      `CALL dev.system.rewrite_data_files(table => '${t.slice(4)}', options => map('rewrite-all', 'true'))`,
      `CALL dev.system.expire_snapshots(table => '${t.slice(4)}', older_than => TIMESTAMP '2999-01-01 00:00:00', retain_last => 1)`,
    ],
  },
  ...['orc', 'avro'].map((format) => ({
    what: `rows in ${format}`,
    statements: (t: string) => [
      `CREATE TABLE ${t} (${types}) USING iceberg TBLPROPERTIES ('write.format.default'='${format}')`,
      `INSERT INTO ${t} VALUES ${values}`,
    ],
  })),
  {
    what: 'files added as they lie',
    statements: (t) => [
      `CREATE TABLE ${t} (id bigint, part string) USING iceberg PARTITIONED BY (part)`,
      `CREATE TABLE spark_catalog.default.${t.slice(8)} USING parquet PARTITIONED BY (part)
        AS SELECT id, concat('p', id % 3) AS part FROM range(200)`,
      `CALL dev.system.add_files(table => '${t.slice(4)}', source_table => 'spark_catalog.default.${t.slice(8)}')`,
    ],
  },
  {
    what: odd,
    statements: (t) => [
      `CREATE TABLE ${t} (id bigint, ${oddNames.map((name) => `${inSpark(name)} string`).join(', ')}) USING iceberg
        PARTITIONED BY (${inSpark('a.b')}, truncate(3, ${inSpark('x/y')}))`,
      `INSERT INTO ${t} VALUES (1, ${oddNames.map(sparkText).join(', ')}), (2, ${oddNames.map((name) => sparkText(`%2F ${name}/..`)).join(', ')})`,
      `UPDATE ${t} SET ${oddNames.map((name) => `${inSpark(name)} = concat(${inSpark(name)}, '!')`).join(', ')} WHERE id = 2`,
    ],
  },
  {
    what: 'a branch',
    statements: (t) => [
      `CREATE TABLE ${t} (id bigint) USING iceberg`,
      `INSERT INTO ${t} VALUES (1)`,
      `ALTER TABLE ${t} CREATE BRANCH audit`,
      `INSERT INTO ${t}.branch_audit VALUES (2), (3)`,
      `DELETE FROM ${t}.branch_audit WHERE id = 1`,
    ],
    ref: 'audit',
  },
  {
    what: 'a tag',
    statements: (t) => [
      `CREATE TABLE ${t} (id bigint) USING iceberg`,
      `INSERT INTO ${t} VALUES (1)`,
      `ALTER TABLE ${t} CREATE TAG early`,
      `INSERT OVERWRITE ${t} VALUES (2)`,
    ],
    ref: 'early',
  },
  {
    what: 'a view',
    statements: (t) => [
      `CREATE TABLE ${t}_base (id bigint, part string) USING iceberg`,
      `INSERT INTO ${t}_base SELECT id, concat('p', id % 3) FROM range(200)`,
      `CREATE VIEW ${t} AS SELECT part, count(*) AS n, max(id) AS top FROM ${t}_base WHERE id > 5 GROUP BY part`,
    ],
  },
]

const create =
  (fields: string, more = '') =>
  (t: string) =>
    `from pyiceberg.schema import Schema
from pyiceberg.types import *
from pyiceberg.partitioning import PartitionSpec, PartitionField
from pyiceberg.transforms import *
import pyarrow as pa, datetime, decimal, uuid
table = catalog('dev').create_table('${t.slice(4)}', Schema(${fields})${more})`
const simple = create("NestedField(1, 'id', LongType()), NestedField(2, 's', StringType())")
const append = (rows: string) => `table.append(pa.Table.from_pylist(${rows}, schema=table.schema().as_arrow()))`
const numbers = "[dict(id=i, s=f'v{i % 13}') for i in range(60)]"

export const byPyIceberg: TheirCase[] = [
  {
    what: odd,
    statements: (t) => [
      create(
        `NestedField(1, 'id', LongType()), ${oddNames.map((name, at) => `NestedField(${at + 2}, ${JSON.stringify(name)}, StringType())`).join(', ')}`,
        `, partition_spec=PartitionSpec(PartitionField(2, 1000, IdentityTransform(), 'a.b_part'))`,
      )(t),
      append(
        `[dict(zip(${JSON.stringify(['id', ...oddNames])}, row)) for row in [[1, *${JSON.stringify(oddNames)}], [2, *${JSON.stringify(oddNames.map((name) => `%2F ${name}/..`))}]]]`,
      ),
    ],
  },
  {
    what: 'types',
    statements: (t) => [
      create(`NestedField(1, 'u', UUIDType()), NestedField(2, 'fx', FixedType(4)), NestedField(3, 't', TimeType()),
        NestedField(4, 'tz', TimestamptzType()), NestedField(5, 'de', DecimalType(38, 18)), NestedField(6, 'b', BinaryType())`)(
        t,
      ),
      append(`[dict(u=uuid.UUID('f79c3e09-677c-4bbd-a479-3f349cb785e7').bytes, fx=b'abcd', t=datetime.time(23, 59, 59, 999999),
        tz=datetime.datetime(1969, 12, 31, 23, 59, 59, tzinfo=datetime.timezone.utc), de=decimal.Decimal('-1.5'), b=b'x'), dict()]`),
    ],
  },
  ...['IdentityTransform()', 'BucketTransform(4)', 'TruncateTransform(2)'].map((transform) => ({
    what: `partitioned by ${transform}`,
    statements: (t: string) => [
      create(
        "NestedField(1, 'id', LongType()), NestedField(2, 's', StringType())",
        `, partition_spec=PartitionSpec(PartitionField(2, 1000, ${transform}, 'p'))`,
      )(t),
      append(numbers),
    ],
  })),
  {
    what: 'rows deleted and overwritten',
    statements: (t) => [
      simple(t),
      append(numbers),
      "table.delete('id = 7')",
      `table.overwrite(pa.Table.from_pylist([dict(id=900, s='o')], schema=table.schema().as_arrow()), "s = 'v3'")`,
    ],
  },
  {
    what: 'upsert',
    statements: (t) => [
      simple(t),
      append(numbers),
      "table.upsert(pa.Table.from_pylist([dict(id=7, s='up'), dict(id=700, s='new')], schema=table.schema().as_arrow()), join_cols=['id'])",
    ],
  },
  {
    what: 'columns evolved',
    statements: (t) => [
      simple(t),
      append(numbers),
      "table.update_schema().rename_column('s', 'text').add_column('d', DoubleType()).commit()",
      append("[dict(id=900, text='n', d=1.5)]"),
    ],
  },
  {
    what: 'files added as they lie',
    statements: (t) => [
      simple(t),
      "import pyarrow.parquet as pq, tempfile; path = tempfile.mkdtemp(dir=table.location()[7:]) + '/0.parquet'",
      `pq.write_table(pa.table(dict(id=pa.array(range(60)), s=[f'v{i % 13}' for i in range(60)])), path)`,
      "table.add_files(['file://' + path])",
    ],
  },
  {
    what: 'a tag',
    statements: (t) => [
      simple(t),
      append(numbers),
      "table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, 'early').commit()",
      "table.delete('id > 7')",
    ],
    ref: 'early',
  },
]

export const byTrino: TheirCase[] = [
  {
    what: odd,
    statements: (t) => [
      `CREATE TABLE ${t} (id bigint, ${oddNames.map((name) => `${inTrino(name)} varchar`).join(', ')})
        WITH (partitioning = ARRAY['${inTrino('a.b')}', 'truncate(${inTrino('x/y')}, 3)'])`,
      `INSERT INTO ${t} VALUES (1, ${oddNames.map(sqlText).join(', ')}), (2, ${oddNames.map((name) => sqlText(`%2F ${name}/..`)).join(', ')})`,
      `UPDATE ${t} SET ${oddNames.map((name) => `${inTrino(name)} = ${inTrino(name)} || '!'`).join(', ')} WHERE id = 2`,
    ],
  },
  {
    what: 'types',
    statements: (t) => [
      `CREATE TABLE ${t} (bo boolean, i integer, l bigint, f real, d double, de decimal(38,10), dt date, ts timestamp(6), tz timestamp(6) with time zone,
        s varchar, b varbinary, u uuid, ti time(6), st row(a integer, b row(c varchar)), li array(row(x integer)), m map(varchar, row(p integer)))`,
      `INSERT INTO ${t} VALUES (true, 1, 9007199254740992, real '1.5', nan(), decimal '1234567890123456789012345678.9012345678', date '1969-12-31',
        timestamp '1969-12-31 23:59:59.999999', timestamp '2024-02-29 12:00:00.500000 UTC', 'äöü 😀', x'00ff', uuid 'f79c3e09-677c-4bbd-a479-3f349cb785e7',
        time '23:59:59.999999', row(1, row('c')), array[row(1), null], map(array['k'], array[row(1)]))`,
    ],
  },
  ...['bucket(id, 4)', 'truncate(s, 2)', 'month(day)', 'hour(ts)'].map((transform) => ({
    what: `partitioned by ${transform}`,
    statements: (t: string) => [
      `CREATE TABLE ${t} (id bigint, s varchar, day date, ts timestamp(6)) WITH (partitioning = ARRAY['${transform}'])`,
      `INSERT INTO ${t} SELECT i, 'v' || cast(i % 13 AS varchar), date '2023-11-01' + i * interval '1' day,
        timestamp '1969-12-30 20:30:00' + i * interval '7' hour FROM unnest(sequence(0, 59)) AS n(i)`,
    ],
  })),
  {
    what: 'rows deleted, updated and merged, merge-on-read',
    statements: (t) => [
      `CREATE TABLE ${t} (id bigint, part varchar) WITH (partitioning = ARRAY['part'])`,
      `INSERT INTO ${t} SELECT i, 'p' || cast(i % 3 AS varchar) FROM unnest(sequence(0, 199)) AS n(i)`,
      `DELETE FROM ${t} WHERE id % 10 = 3`,
      `UPDATE ${t} SET id = id + 1000 WHERE id % 10 = 4`,
      `MERGE INTO ${t} t USING (SELECT i * 30 AS id FROM unnest(sequence(0, 9)) AS n(i)) s ON t.id = s.id
        WHEN MATCHED AND t.id % 60 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET part = 'm' WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'n')`,
    ],
  },
  {
    what: 'columns and partitions evolved, then optimized',
    statements: (t) => [
      `CREATE TABLE ${t} (id integer, s varchar) WITH (partitioning = ARRAY['s'])`,
      `INSERT INTO ${t} VALUES (1, 'a'), (2, null)`,
      `ALTER TABLE ${t} ALTER COLUMN id SET DATA TYPE bigint`,
      `ALTER TABLE ${t} RENAME COLUMN s TO text`,
      `ALTER TABLE ${t} ADD COLUMN d double`,
      `ALTER TABLE ${t} SET PROPERTIES partitioning = ARRAY['bucket(id, 4)']`,
      `INSERT INTO ${t} VALUES (3000000000, 'b', 1.5)`,
      `ALTER TABLE ${t} EXECUTE optimize`,
    ],
  },
  {
    what: 'a view',
    statements: (t) => [
      `CREATE TABLE ${t}_base (id bigint, part varchar)`,
      `INSERT INTO ${t}_base SELECT i, 'p' || cast(i % 3 AS varchar) FROM unnest(sequence(0, 199)) AS n(i)`,
      `CREATE VIEW ${t} AS SELECT part, count(*) AS n, max(id) AS top FROM ${t}_base WHERE id > 5 GROUP BY part`,
    ],
  },
]
