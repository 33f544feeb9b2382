"""Tables as Spark with Iceberg's own Java library writes them, and what Spark reads from them, as JSON.

    spark_tables.py FOLDER JAR [NAME ...]

FOLDER gets a Hadoop catalog; `expected.json` there maps a table's name to its metadata file, its columns and its rows.
test/golden/spark holds some of them as made in /tmp/golden-spark, without checksums and older metadata files.
"""

import base64
import datetime
import decimal
import glob
import json
import math
import os
import sys

from pyspark.sql import Row, SparkSession

folder, jar, only = sys.argv[1], sys.argv[2], sys.argv[3:]
warehouse = f'file://{folder}/warehouse'
spark = (
    SparkSession.builder.master('local[2]')
    .config('spark.jars', jar)
    .config('spark.sql.extensions', 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions')
    .config('spark.sql.catalog.c', 'org.apache.iceberg.spark.SparkCatalog')
    .config('spark.sql.catalog.c.type', 'hadoop')
    .config('spark.sql.catalog.c.warehouse', warehouse)
    .config('spark.sql.session.timeZone', 'UTC')
    .config('spark.sql.shuffle.partitions', '2')
    .config('spark.ui.enabled', 'false')
    .config('spark.driver.memory', '1g')
    .config('spark.sql.warehouse.dir', f'{folder}/spark')
    .getOrCreate()
)
spark.sparkContext.setLogLevel('ERROR')
jvm = spark.sparkContext._jvm
iceberg = jvm.org.apache.iceberg


def sql(*statements):
    for statement in statements:
        spark.sql(statement)


def table(name):
    return iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, f'c.db.{name}')


def shown(value):
    """As Boathouse's engine writes values into JSON."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= 2**53 - 1 else str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return 'NaN'
        return value if math.isfinite(value) else ('Infinity' if value > 0 else '-Infinity')
    if isinstance(value, decimal.Decimal):
        return format(value, 'f')
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, datetime.datetime):
        fraction = f'.{value.microsecond:06d}'.rstrip('0') if value.microsecond else ''
        return value.strftime('%Y-%m-%d %H:%M:%S') + fraction
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Row):
        return {name: shown(part) for name, part in value.asDict().items()}
    if isinstance(value, list):
        return [shown(part) for part in value]
    if isinstance(value, dict):
        entries = [{'key': shown(key), 'value': shown(part)} for key, part in value.items()]
        return sorted(entries, key=lambda entry: json.dumps(entry['key']))
    raise TypeError(type(value))


tables = {}


def wanted(make):
    tables[make.__name__] = make
    return make


every_type = """bo boolean, i int, l bigint, f float, d double, d9 decimal(9,2), d18 decimal(18,4), d38 decimal(38,10), dt date,
  tn timestamp_ntz, s string, b binary, st struct<a: int, b: struct<c: string, d: array<int>>>, li array<struct<x: int, y: string>>,
  m map<string, struct<p: int, q: decimal(10,3)>>, mm map<int, array<string>>"""
every_value = """(true, 1, 9007199254740993, 1.5, double('NaN'), 1.25, 12345.6789, 1234567890123456789012345678.9012345678, date '1969-12-31',
  timestamp_ntz '1969-12-31 23:59:59.999999', 'äöü 😀', x'00ff', struct(1, struct('c', array(1, null))), array(struct(1, 'y'), null), map('k', struct(1, 1.5), 'n', null), map(1, array('a', null))),
  (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
  (false, -2147483648, -9223372036854775808, float('-Infinity'), -0.0, -9999999.99, -0.0001, -1, date '9999-12-31', timestamp_ntz '2024-02-29 12:00:00', '', x'', struct(null, null), array(), map(), map())"""


def types(version, name):
    sql(
        f"CREATE TABLE c.db.{name} ({every_type}) USING iceberg TBLPROPERTIES ('format-version'='{version}')",
        f'INSERT INTO c.db.{name} VALUES {every_value}',
    )


@wanted
def types_v1():
    types(1, 'types_v1')


@wanted
def types_v2():
    types(2, 'types_v2')


@wanted
def types_v3():
    types(3, 'types_v3')


def codec(name, value):
    sql(
        f"CREATE TABLE c.db.{name} (id bigint, s string) USING iceberg PARTITIONED BY (bucket(4, id)) TBLPROPERTIES ('write.avro.compression-codec'='{value}', 'write.metadata.compression-codec'='gzip')",
        f"INSERT INTO c.db.{name} SELECT id, concat('v', id) FROM range(100)",
    )


@wanted
def manifests_snappy():
    codec('manifests_snappy', 'snappy')


@wanted
def manifests_zstd():
    codec('manifests_zstd', 'zstd')


@wanted
def manifests_plain():
    codec('manifests_plain', 'uncompressed')


def merge_on_read(name, version, partition='', granularity='partition'):
    sql(
        f"""CREATE TABLE c.db.{name} (id bigint, cat string, day date, at timestamp_ntz, v double) USING iceberg {partition}
          TBLPROPERTIES ('format-version'='{version}', 'write.delete.mode'='merge-on-read', 'write.update.mode'='merge-on-read', 'write.merge.mode'='merge-on-read', 'write.delete.granularity'='{granularity}')""",
        f"""INSERT INTO c.db.{name} SELECT id, concat('c', id % 3), date_add(date '2024-01-01', cast(id % 5 as int)),
          timestamp_ntz '2024-01-01 00:00:00' + make_interval(0, 0, 0, 0, cast(id % 7 as int), 0, 0), id / 4 FROM range(1000)""",
        f'DELETE FROM c.db.{name} WHERE id % 10 = 3',
        f"INSERT INTO c.db.{name} SELECT id + 1000, 'new', date '2024-01-03', timestamp_ntz '2024-01-01 03:00:00', id FROM range(50)",
        f'UPDATE c.db.{name} SET v = v + 1000 WHERE id % 100 = 7',
        f"""MERGE INTO c.db.{name} t USING (SELECT id * 50 AS id, 'm' AS cat FROM range(30)) s ON t.id = s.id
          WHEN MATCHED AND t.id % 200 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET t.cat = s.cat
          WHEN NOT MATCHED THEN INSERT (id, cat, day, at, v) VALUES (s.id, s.cat, null, null, null)""",
        f'DELETE FROM c.db.{name} WHERE id BETWEEN 400 AND 480',
    )


@wanted
def deletes_v2():
    merge_on_read('deletes_v2', 2)


@wanted
def deletes_v2_by_file():
    merge_on_read('deletes_v2_by_file', 2, 'PARTITIONED BY (cat, bucket(4, id))', 'file')


@wanted
def deletes_v2_transforms():
    merge_on_read('deletes_v2_transforms', 2, 'PARTITIONED BY (days(day), hours(at), truncate(1000, id))')


@wanted
def vectors_v3():
    merge_on_read('vectors_v3', 3)


@wanted
def vectors_v3_partitioned():
    merge_on_read('vectors_v3_partitioned', 3, 'PARTITIONED BY (months(day), cat)')


@wanted
def upgraded_v2_to_v3():
    merge_on_read('upgraded_v2_to_v3', 2)
    sql(
        "ALTER TABLE c.db.upgraded_v2_to_v3 SET TBLPROPERTIES ('format-version'='3')",
        'DELETE FROM c.db.upgraded_v2_to_v3 WHERE id % 10 = 4',
        "INSERT INTO c.db.upgraded_v2_to_v3 VALUES (5000, 'after', null, null, 1)",
    )


@wanted
def evolved_nested():
    name = 'c.db.evolved_nested'
    insert = f"INSERT INTO {name} VALUES"
    sql(
        f"""CREATE TABLE {name} (id int, st struct<a: int, b: string, deep: struct<x: float, y: int>>, li array<struct<k: int, v: string>>,
          m map<string, struct<p: int, q: string>>, gone string) USING iceberg TBLPROPERTIES ('format-version'='2')""",
        f"{insert} (1, struct(10, 'b1', struct(1.5, 7)), array(struct(1, 'v1'), null), map('k', struct(1, 'q1')), 'g1'), (2, null, null, null, 'g2')",
        f'ALTER TABLE {name} RENAME COLUMN st.a TO aa',
        f'ALTER TABLE {name} RENAME COLUMN li.element.v TO w',
        f'ALTER TABLE {name} RENAME COLUMN m.value.p TO pp',
        f'ALTER TABLE {name} ALTER COLUMN st.deep.x TYPE double',
        f'ALTER TABLE {name} ADD COLUMN st.deep.z decimal(5,2)',
        f'ALTER TABLE {name} ADD COLUMN li.element.n bigint',
        f"{insert} (3, struct(30, 'b3', struct(2.5, 8, 1.25)), array(struct(3, 'w3', 33)), map('k', struct(3, 'q3')), 'g3')",
        f'ALTER TABLE {name} DROP COLUMN st.b',
        f'ALTER TABLE {name} ADD COLUMN st.b int FIRST',
        f'ALTER TABLE {name} DROP COLUMN gone',
        f'ALTER TABLE {name} ADD COLUMN gone int',
        f'ALTER TABLE {name} ALTER COLUMN id TYPE bigint',
        f'ALTER TABLE {name} RENAME COLUMN st TO stt',
        f"{insert} (4, struct(4, 40, struct(3.5, 9, 2.25)), array(struct(4, 'w4', 44)), map('k', struct(4, 'q4')), 44)",
        f'DELETE FROM {name} WHERE id = 1 AND stt.aa = 11',
    )


@wanted
def evolved_specs():
    name = 'c.db.evolved_specs'
    rows = f"INSERT INTO {name} SELECT id, concat('r', id % 4), date_add(date '2023-12-25', cast(id as int)) FROM range"
    sql(
        f"CREATE TABLE {name} (id bigint, region string, day date) USING iceberg PARTITIONED BY (region) TBLPROPERTIES ('write.delete.mode'='merge-on-read')",
        f'{rows}(0, 20)',
        f'ALTER TABLE {name} ADD PARTITION FIELD months(day)',
        f'{rows}(20, 40)',
        f'ALTER TABLE {name} DROP PARTITION FIELD region',
        f'{rows}(40, 60)',
        f'ALTER TABLE {name} REPLACE PARTITION FIELD months(day) WITH years(day)',
        f'{rows}(60, 80)',
        f'DELETE FROM {name} WHERE id % 7 = 2',
        f'ALTER TABLE {name} RENAME COLUMN region TO area',
        f'DELETE FROM {name} WHERE area = \'r1\' AND id > 30',
    )


@wanted
def v1_evolved():
    name = 'c.db.v1_evolved'
    sql(
        f"CREATE TABLE {name} (id int, s string, f float) USING iceberg PARTITIONED BY (s) TBLPROPERTIES ('format-version'='1')",
        f"INSERT INTO {name} VALUES (1, 'a', 1.5), (2, null, 2.5)",
        f'ALTER TABLE {name} DROP PARTITION FIELD s',
        f'ALTER TABLE {name} ALTER COLUMN id TYPE bigint',
        f'ALTER TABLE {name} ALTER COLUMN f TYPE double',
        f"INSERT INTO {name} VALUES (3000000000, 'c', 1e300)",
        f'DELETE FROM {name} WHERE id = 2',
    )


@wanted
def names():
    name = 'c.db.names'
    sql(
        f"CREATE TABLE {name} (`a b` int, `ü.n` string, st struct<`x y`: int, `Ä`: string, `1z`: int>, filename string) USING iceberg TBLPROPERTIES ('write.delete.mode'='merge-on-read')",
        f"INSERT INTO {name} VALUES (1, 'u', struct(2, 'ä', 3), 'f'), (2, 'v', null, 'g'), (3, 'w', struct(null, null, 1), 'h')",
        f'DELETE FROM {name} WHERE `a b` = 2',
    )


@wanted
def names_of_duckdb():
    name = 'c.db.names_of_duckdb'
    sql(
        f"CREATE TABLE {name} (id int, file_row_number int, filename string, file_index int) USING iceberg TBLPROPERTIES ('write.delete.mode'='merge-on-read')",
        f"INSERT INTO {name} VALUES (1, 10, 'a', 5), (2, 20, 'b', 6), (3, 30, 'c', 7)",
        f'DELETE FROM {name} WHERE id = 2',
    )


def plain_parquet(path, query, *partitions):
    frame = spark.sql(query)
    spark.conf.set('spark.sql.parquet.outputTimestampType', 'INT96')
    frame.write.mode('overwrite').partitionBy(*partitions).parquet(f'{folder}/{path}')


@wanted
def added_files():
    plain_parquet(
        'plain',
        """SELECT id, concat('v', id) AS s, named_struct('a', id, 'b', array(named_struct('k', id))) AS st, timestamp '2024-01-01 10:00:00' AS ts,
          map('k', named_struct('z', id)) AS m FROM range(10)""",
    )
    name = 'c.db.added_files'
    sql(
        f"CREATE TABLE {name} (id bigint, s string, st struct<a: bigint, b: array<struct<k: bigint>>>, ts timestamp, m map<string, struct<z: bigint>>) USING iceberg TBLPROPERTIES ('write.delete.mode'='merge-on-read')",
        f"CALL c.system.add_files(table => 'db.added_files', source_table => '`parquet`.`{folder}/plain`')",
        f'ALTER TABLE {name} RENAME COLUMN s TO text',
        f'ALTER TABLE {name} RENAME COLUMN st.a TO aa',
        f'ALTER TABLE {name} RENAME COLUMN st.b.element.k TO kk',
        f'ALTER TABLE {name} ADD COLUMN extra int',
        f"INSERT INTO {name} VALUES (100, 'new', struct(1, array(struct(2))), timestamp '2024-02-02 00:00:00', map(), 5)",
        f'DELETE FROM {name} WHERE id IN (3, 100)',
    )


@wanted
def added_hive_partitions():
    plain_parquet(
        'hive', "SELECT id, concat('v', id) AS s, cast(id % 3 as int) AS p, concat('q=', id % 2) AS q FROM range(20)", 'p', 'q'
    )
    name = 'c.db.added_hive_partitions'
    sql(
        f"CREATE TABLE {name} (id bigint, s string, p int, q string) USING iceberg PARTITIONED BY (p, q) TBLPROPERTIES ('write.delete.mode'='merge-on-read')",
        f"CALL c.system.add_files(table => 'db.added_hive_partitions', source_table => '`parquet`.`{folder}/hive`')",
        f"INSERT INTO {name} VALUES (100, 'n', 1, 'q=0'), (101, 'n', null, null)",
        f'DELETE FROM {name} WHERE id % 5 = 1',
    )


# py4j hands over a Python integer as Java's Long only where it needs one: ids of type bigint are above 2^32 here.
big = 10_000_000_000


def equality_delete(name, columns, rows, partition=None):
    """One equality delete file of `rows` (dicts) comparing `columns`, written by Java and committed."""
    t = table(name)
    schema = t.schema().select(columns)
    ids = spark.sparkContext._gateway.new_array(jvm.int, len(columns))
    for index, column in enumerate(columns):
        ids[index] = t.schema().findField(column).fieldId()
    factory = iceberg.data.GenericAppenderFactory(t.schema(), t.spec(), ids, schema, None)
    path = f'{t.location()}/data/equality-{os.urandom(6).hex()}.parquet'
    out = iceberg.encryption.EncryptionUtil.plainAsEncryptedOutput(t.io().newOutputFile(path))
    key = None
    if partition is not None:
        key = iceberg.PartitionData(t.spec().partitionType())
        for index, value in enumerate(partition):
            key.set(index, value)
    writer = factory.newEqDeleteWriter(out, iceberg.FileFormat.PARQUET, key)
    for row in rows:
        record = iceberg.data.GenericRecord.create(schema)
        fill(record, row)
        writer.write(record)
    writer.close()
    t.newRowDelta().addDeletes(writer.toDeleteFile()).commit()
    spark.catalog.refreshTable(f'c.db.{name}')


def fill(record, row):
    for column, value in row.items():
        if isinstance(value, dict):
            inner = iceberg.data.GenericRecord.create(record.struct().field(column).type().asStructType())
            fill(inner, value)
            value = inner
        record.setField(column, value)


@wanted
def equality():
    name = 'c.db.equality'
    insert = f"INSERT INTO {name} SELECT id + {big}, IF(id % 4 = 0, null, concat('c', id % 4)), cast(id as int), struct(cast(id % 5 as int), 'x') FROM range"
    sql(
        f"CREATE TABLE {name} (id bigint, cat string, n int, st struct<a: int, b: string>) USING iceberg TBLPROPERTIES ('format-version'='2', 'write.delete.mode'='merge-on-read')",
        f'{insert}(0, 100)',
    )
    equality_delete('equality', ['id'], [{'id': big + value} for value in (1, 5, 77, 1000)])
    sql(f'{insert}(0, 10)')  # newer than the delete: stays
    equality_delete('equality', ['cat', 'n'], [{'cat': None, 'n': 8}, {'cat': 'c1', 'n': 9}, {'cat': 'c2', 'n': 9}])
    equality_delete('equality', ['n'], [{'n': 33}, {'n': 20}, {'n': None}])
    sql(
        f'DELETE FROM {name} WHERE id IN ({big + 50}, {big + 51})',
        f'ALTER TABLE {name} ALTER COLUMN n TYPE bigint',
        f'ALTER TABLE {name} RENAME COLUMN cat TO category',
        f"INSERT INTO {name} VALUES (200, 'z', 3000000000, null)",
    )
    equality_delete('equality', ['n'], [{'n': 3000000000}])
    equality_delete('equality', ['category'], [{'category': 'c3'}])
    sql(f"INSERT INTO {name} VALUES (201, 'c3', 1, null)")
    # Dropping the compared column is tested in src/lake: Java 1.10 cannot read such a table itself.


@wanted
def equality_nested():
    name = 'c.db.equality_nested'
    sql(
        f'CREATE TABLE {name} (id bigint, st struct<a: int, b: string>) USING iceberg',
        f"INSERT INTO {name} SELECT id, IF(id = 7, null, struct(cast(id as int), 'x')) FROM range(10)",
    )
    equality_delete('equality_nested', ['st.a'], [{'st': {'a': 3}}])
    sql(f"ALTER TABLE {name} RENAME COLUMN st.a TO aa", f"INSERT INTO {name} VALUES (11, struct(3, 'new'))")
    equality_delete('equality_nested', ['st.aa'], [{'st': {'aa': 4}}])


@wanted
def equality_partitioned():
    name = 'c.db.equality_partitioned'
    sql(
        f'CREATE TABLE {name} (id bigint, cat string) USING iceberg PARTITIONED BY (cat)',
        f"INSERT INTO {name} SELECT id % 10 + {big}, concat('c', id % 3) FROM range(90)",
    )
    equality_delete('equality_partitioned', ['id'], [{'id': big + 4}], partition=['c1'])
    equality_delete('equality_partitioned', ['id'], [{'id': big + 5}], partition=['c2'])
    sql(f"INSERT INTO {name} VALUES ({big + 4}, 'c1')", f'ALTER TABLE {name} DROP PARTITION FIELD cat')
    equality_delete('equality_partitioned', ['id'], [{'id': big + 6}])
    sql(f'DELETE FROM {name} WHERE id = {big}')


@wanted
def defaults_v3():
    name = 'c.db.defaults_v3'
    sql(
        f"CREATE TABLE {name} (id bigint, st struct<a: int>) USING iceberg TBLPROPERTIES ('format-version'='3')",
        f'INSERT INTO {name} VALUES (1, struct(1)), (2, null)',
    )
    t, literal, types = table('defaults_v3'), iceberg.expressions.Expressions.lit, iceberg.types.Types
    t.updateSchema().addColumn('i', types.IntegerType.get(), 'doc', literal(5)).addColumn(
        's', types.StringType.get(), 'doc', literal("d'ä")
    ).addColumn('st', 'n', types.StringType.get(), 'doc', literal('nested')).commit()
    spark.catalog.refreshTable(name)
    sql(f"INSERT INTO {name} VALUES (3, struct(3, 'own'), null, 'own'), (4, struct(4, null), 6, null)")


@wanted
def lineage_v3():
    merge_on_read('lineage_v3', 3)
    sql('CALL c.system.rewrite_data_files(table => \'db.lineage_v3\', options => map(\'rewrite-all\', \'true\'))')
    sql('UPDATE c.db.lineage_v3 SET v = -1 WHERE id % 90 = 11', "INSERT INTO c.db.lineage_v3 VALUES (9000, 'x', null, null, 0)")


@wanted
def avro_data():
    sql(
        "CREATE TABLE c.db.avro_data (id bigint) USING iceberg TBLPROPERTIES ('write.format.default'='avro')",
        'INSERT INTO c.db.avro_data VALUES (1)',
    )


expected = {}
for name, make in tables.items():
    if only and name not in only:
        continue
    try:
        make()
    except Exception as error:
        expected[name] = {'failed': str(error).split('\n')[0]}
        continue
    rows = spark.table(f'c.db.{name}').collect()
    # Java's timestamps with a zone are instants; Python shows them in its own zone.
    zoned = {field.name for field in spark.table(f'c.db.{name}').schema.fields if field.dataType.simpleString() == 'timestamp'}
    utc = lambda value: shown(value.astimezone(datetime.timezone.utc).replace(tzinfo=None)).replace(' ', 'T') + 'Z'
    columns = spark.table(f'c.db.{name}').columns
    expected[name] = {
        'metadata': os.path.relpath(sorted(glob.glob(f'{folder}/warehouse/db/{name}/metadata/v*.metadata.json*'), key=os.path.getmtime)[-1], folder),
        'columns': columns,
        'rows': [[utc(v) if c in zoned and v is not None else shown(v) for c, v in zip(columns, row)] for row in rows],
    }
    if name.startswith(('lineage', 'upgraded', 'vectors')):
        lineage = spark.sql(f'SELECT id, _row_id, _last_updated_sequence_number FROM c.db.{name}').collect()
        expected[name]['lineage'] = [[shown(value) for value in row] for row in lineage]
with open(f'{folder}/expected.json', 'w') as out:
    json.dump({'folder': folder, 'tables': expected}, out, ensure_ascii=False)
