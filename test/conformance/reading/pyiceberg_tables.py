"""Tables of PyIceberg with the types that Spark has not, files that were added, and what was written, as JSON.

    pyiceberg_tables.py FOLDER

The same form as spark_tables.py. test/golden/pyiceberg was made in /tmp/golden-pyiceberg.
"""

import base64
import datetime as dt
import json
import pathlib
import sys
import uuid
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as parquet
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, DayTransform, HourTransform, IdentityTransform, TruncateTransform
from pyiceberg.types import (
    BinaryType,
    DateType,
    DecimalType,
    FixedType,
    FloatType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

folder = pathlib.Path(sys.argv[1])
catalog = SqlCatalog('c', uri='sqlite://', warehouse=f'file:{folder}')
catalog.create_namespace('db')
expected = {}


def create(name, fields, spec=PartitionSpec(), **properties):
    schema = Schema(*[NestedField(index, name, type, required=False) for index, (name, type) in enumerate(fields, 1)])
    return catalog.create_table(f'db.{name}', schema, location=f'file:{folder}/{name}', partition_spec=spec, properties=properties)


def finish(table, rows):
    name = table.name()[-1]
    newest = pathlib.Path(catalog.load_table(f'db.{name}').metadata_location.removeprefix('file:'))
    columns = [field.name for field in table.schema().fields]
    expected[name] = dict(metadata=str(newest.relative_to(folder)), columns=columns, rows=rows)


def types():
    inner = StructType(
        NestedField(102, 't', TimeType(), required=False),
        NestedField(103, 'f', FixedType(2), required=False),
    )
    fields = [
        ('id', LongType()),
        ('u', UUIDType()),
        ('fx', FixedType(4)),
        ('b', BinaryType()),
        ('t', TimeType()),
        ('tz', TimestamptzType()),
        ('ts', TimestampType()),
        ('de', DecimalType(38, 18)),
        ('day', DateType()),
        ('st', inner),
    ]
    spec = PartitionSpec(
        PartitionField(2, 1000, BucketTransform(3), 'u_bucket'),
        PartitionField(6, 1001, HourTransform(), 'tz_hour'),
        PartitionField(8, 1002, TruncateTransform(10), 'de_trunc'),
        PartitionField(9, 1003, IdentityTransform(), 'day_id'),
    )
    table = create('types', fields, spec)
    one = uuid.UUID('f79c3e09-677c-4bbd-a479-3f349cb785e7')
    at = dt.datetime(1969, 12, 31, 23, 59, 59, 999999)
    number = Decimal('-12345678901234567890.123456789012345678')
    row = dict(
        id=1,
        u=one.bytes,
        fx=b'\x00\x01\xfe\xff',
        b=b'\xff',
        t=at.time(),
        tz=at.replace(tzinfo=dt.timezone.utc),
        ts=at,
        de=number,
        day=at.date(),
        st=dict(t=dt.time(1, 2, 3), f=b'ab'),
    )
    table.append(pa.Table.from_pylist([row, dict(id=2)], schema=table.schema().as_arrow()))
    base = lambda value: base64.b64encode(value).decode()
    finish(
        table,
        [
            [
                1,
                str(one),
                base(row['fx']),
                base(row['b']),
                '23:59:59.999999',
                '1969-12-31T23:59:59.999999Z',
                '1969-12-31 23:59:59.999999',
                str(number),
                '1969-12-31',
                {'t': '01:02:03', 'f': base(b'ab')},
            ],
            [2] + [None] * 9,
        ],
    )


def evolved():
    table = create('evolved', [('id', IntegerType()), ('x', FloatType()), ('gone', StringType())], **{'format-version': '1'})
    arrow = table.schema().as_arrow()
    table.append(pa.Table.from_pylist([dict(id=1, x=0.5, gone='g'), dict(id=2, x=1.5, gone=None)], schema=arrow))
    with table.update_schema(allow_incompatible_changes=True) as update:
        update.update_column('id', LongType()).rename_column('x', 'y').delete_column('gone').add_column('s', StringType())
    with table.update_schema() as update:
        update.move_first('s')
    arrow = table.schema().as_arrow()
    table.append(pa.Table.from_pylist([dict(id=2**40, y=2.5, s='new')], schema=arrow))
    table.delete('id = 1')
    finish(table, [[None, 2, 1.5], ['new', 2**40, 2.5]])


def added():
    table = create('added', [('id', LongType()), ('name', StringType())])
    path = f'{folder}/plain.parquet'
    parquet.write_table(pa.table({'id': pa.array([1, 2], pa.int64()), 'name': ['a', 'b']}), path)
    table.add_files([f'file:{path}'])
    with table.update_schema() as update:
        update.rename_column('name', 'label')
    finish(catalog.load_table('db.added'), [[1, 'a'], [2, 'b']])


for make in (types, evolved, added):
    make()
(folder / 'expected.json').write_text(json.dumps(dict(folder=str(folder), tables=expected), ensure_ascii=False))
