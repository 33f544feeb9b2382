"""Makes the tables of this folder with PyIceberg, and expected.json: what PyIceberg itself says about them.

    pip install 'pyiceberg[pyarrow,sql-sqlite,pyiceberg-core]==0.12.0' && python make.py

The tables think that they live below /tmp/golden-iceberg; whoever reads them maps that prefix to this folder.
"""

import datetime as dt
import json
import pathlib
import shutil
import uuid
from decimal import Decimal

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.conversions import from_bytes
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform, MonthTransform, TruncateTransform
from pyiceberg.types import (
    BinaryType, BooleanType, DateType, DecimalType, DoubleType, FixedType, FloatType, IntegerType, ListType, LongType, MapType, NestedField,
    StringType, StructType, TimestampType, TimestamptzType, TimeType, UUIDType,
)

HERE = pathlib.Path(__file__).parent
work = pathlib.Path("/tmp/golden-iceberg")
shutil.rmtree(work, ignore_errors=True)
work.mkdir()
catalog = SqlCatalog("golden", uri="sqlite://", warehouse=f"file://{work}")
catalog.create_namespace("g")


def create(name, schema, spec, **properties):
    return catalog.create_table(f"g.{name}", schema, location=f"file://{work}/{name}", partition_spec=spec, properties=properties)


def types_table():
    fields = [
        ("id", LongType()), ("flag", BooleanType()), ("i", IntegerType()), ("f", FloatType()), ("d", DoubleType()), ("money", DecimalType(12, 2)),
        ("day", DateType()), ("t", TimeType()), ("at", TimestampType()), ("atz", TimestamptzType()), ("name", StringType()), ("u", UUIDType()),
        ("fx", FixedType(4)), ("bin", BinaryType()),
    ]
    schema = Schema(
        *[NestedField(n, name, type, required=False) for n, (name, type) in enumerate(fields, 1)],
        NestedField(20, "place", StructType(NestedField(21, "x", DoubleType(), required=False), NestedField(22, "y", StringType(), required=False)), required=False),
        NestedField(30, "tags", ListType(31, StringType(), element_required=False), required=False),
        NestedField(40, "attrs", MapType(41, StringType(), 42, LongType(), value_required=False), required=False),
    )
    spec = PartitionSpec(
        PartitionField(1, 1000, BucketTransform(4), "id_bucket"), PartitionField(9, 1001, DayTransform(), "at_day"), PartitionField(11, 1002, TruncateTransform(6), "näme part"),
        PartitionField(6, 1003, IdentityTransform(), "money_part"),
    )
    table = create("types", schema, spec)

    def row(n):
        if n % 5 == 4:
            return dict(id=n)
        at = dt.datetime(1969 + n % 3, 12, 31, 23, 59, 59, 999999)
        return dict(
            id=n, flag=n % 2 == 0, i=-n, f=n / 2, d=float("nan") if n % 7 == 0 else n * 1.25, money=Decimal(n * 100 - 300) / 100, day=at.date(), t=at.time(), at=at,
            atz=at.replace(tzinfo=dt.timezone.utc), name=f"näme {n} " + "😀" * (n * 3), u=uuid.UUID(int=n % 2).bytes, fx=bytes([n, 0, 255, 1]), bin=b"\xff" * n,
            place=dict(x=n / 4, y=None if n == 1 else f"p{n}"), tags=[f"t{k}" for k in range(n % 3)], attrs=[("k", n)],
        )

    arrow = table.schema().as_arrow()
    for rows in ([row(n) for n in range(4)], [row(n) for n in range(4, 9)]):
        table.append(pa.Table.from_pylist(rows, schema=arrow))
    with table.update_schema() as update:
        update.rename_column("i", "renamed").add_column("added", StringType()).update_column("f", DoubleType())
    arrow = table.schema().as_arrow()
    table.append(pa.Table.from_pylist([dict(id=100, added="x", renamed=5, money=Decimal("5.00"))], schema=arrow))
    table.delete("id = 2")
    return table


def v1_table():
    schema = Schema(NestedField(1, "at", TimestampType(), required=False), NestedField(2, "n", IntegerType(), required=False))
    table = create("v1", schema, PartitionSpec(PartitionField(1, 1000, MonthTransform(), "at_month")), **{"format-version": "1"})
    for month in (1, 2, 3):
        at = dt.datetime(2024, month, 15)
        table.append(pa.Table.from_pylist([dict(at=at, n=month), dict(at=at + dt.timedelta(days=1), n=month * 10)], schema=table.schema().as_arrow()))
    return table


def evolved_spec_table():
    schema = Schema(NestedField(1, "name", StringType(), required=False), NestedField(2, "n", LongType(), required=False))
    table = create("evolved", schema, PartitionSpec(PartitionField(1, 1000, TruncateTransform(2), "name_trunc")))
    arrow = table.schema().as_arrow()
    table.append(pa.Table.from_pylist([dict(name="alpha", n=1), dict(name="beta", n=2)], schema=arrow))
    with table.update_spec() as update:
        update.remove_field("name_trunc").add_field("n", IdentityTransform(), "n_id")
    table.append(pa.Table.from_pylist([dict(name="alpine", n=3), dict(name=None, n=4)], schema=arrow))
    with table.update_schema(allow_incompatible_changes=True) as update:
        update.add_column("more", StringType())
    table.append(pa.Table.from_pylist([dict(name="gamma", n=5, more="m")], schema=table.schema().as_arrow()))
    return table


def text(value):
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def describe(table, filters):
    short = lambda path: path.split("/data/")[1]
    files = []
    for task in table.scan().plan_files():
        f = task.file
        files.append(dict(
            path=short(f.file_path), spec=f.spec_id, records=f.record_count, size=f.file_size_in_bytes,
            partition=[text(v) for v in (f.partition[k] for k in range(len(table.specs()[f.spec_id].fields)))],
        ))
    decode = lambda raw, field: text(from_bytes(field.field_type, raw[field.field_id])) if field.field_id in raw else None
    bounds = [
        {field.name: [decode(task.file.lower_bounds, field), decode(task.file.upper_bounds, field)] for field in table.schema().fields if field.field_type.is_primitive}
        | {"path": short(task.file.file_path)}
        for task in table.scan().plan_files()
    ]
    asked = []
    for filter, ours in filters:
        must = [short(task.file.file_path) for task in table.scan(row_filter=filter).plan_files() if table_has(table, task, filter)]
        asked.append(dict(filter=filter, predicate=ours, must=sorted(must), planned=len(list(table.scan(row_filter=filter).plan_files()))))
    return dict(
        location=table.location(), version=table.format_version, schema=[[f.field_id, f.name, str(f.field_type)] for f in table.schema().fields],
        snapshots=[[str(s.snapshot_id), s.summary.operation.value, s.sequence_number or 0] for s in table.snapshots()],
        files=sorted(files, key=lambda f: f["path"]), bounds=sorted(bounds, key=lambda b: b["path"]), filters=asked,
    )


def table_has(table, task, filter):
    from pyiceberg.io.pyarrow import ArrowScan
    from pyiceberg.expressions.parser import parse

    scan = ArrowScan(table.metadata, table.io, table.schema(), parse(filter))
    return len(scan.to_table([task])) > 0


tables = {
    "types": (types_table(), [
        ("id = 3", ["=", 1, "long", "3"]), ("id > 90", [">", 1, "long", "90"]), ("at < '1970-01-01T00:00:00'", ["<", 9, "timestamp", "0"]),
        ("day >= '1971-01-01'", [">=", 7, "date", "365"]), ("money = 1.00", ["=", 6, "decimal", "100"]), ("name IS NULL", ["is_null", 11, None, None]),
        ("renamed = 5", ["=", 3, "int", "5"]), ("added = 'x'", ["=", 23, "string", "x"]), ("name > 'näme 5'", [">", 11, "string", "näme 5"]),
    ]),
    "v1": (v1_table(), [
        ("at >= '2024-02-01T00:00:00'", [">=", 1, "timestamp", "1706745600000000"]), ("n = 10", ["=", 2, "int", "10"]), ("n > 100", [">", 2, "int", "100"]),
    ]),
    "evolved": (evolved_spec_table(), [
        ("name = 'alpine'", ["=", 1, "string", "alpine"]), ("n = 4", ["=", 2, "long", "4"]), ("name LIKE 'al%'", ["starts_with", 1, "string", "al"]),
        ("more = 'm'", ["=", 3, "string", "m"]), ("name IS NULL", ["is_null", 1, None, None]),
    ]),
}
expected = {name: describe(*made) for name, made in tables.items()}

# Metadata and manifests are kept as they were written; data files are not: nothing here reads them.
for name in tables:
    shutil.rmtree(HERE / name, ignore_errors=True)
    (HERE / name / "metadata").mkdir(parents=True)
    newest = catalog.load_table(f"g.{name}").metadata_location.removeprefix("file://")
    shutil.copy(newest, HERE / name / "metadata" / "newest.metadata.json")
    for path in (work / name / "metadata").glob("*.avro"):
        shutil.copy(path, HERE / name / "metadata")
(HERE / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
shutil.rmtree(work)
