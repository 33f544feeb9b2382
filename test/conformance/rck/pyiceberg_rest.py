# PyIceberg as a client of the REST catalog: what people do with it, one thing after the other. Prints what it found.
#
#     pyiceberg_rest.py URI TOKEN [PROPERTIES_AS_JSON]

import json
import sys

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException, NamespaceNotEmptyError, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform
from pyiceberg.types import DateType, LongType, NestedField, StringType

uri, token, *properties = sys.argv[1:]
more = json.loads(properties[0]) if properties else {}
catalog = load_catalog("dev", type="rest", uri=uri, warehouse="dev", token=token, **more)
other = load_catalog("oauth", type="rest", uri=uri, warehouse="dev_analytics", credential=f"kit:{token}", **more)
root = load_catalog("root", type="rest", uri=uri, token=token, **more)
found = {}


def raised(error, work):
    try:
        work()
        return False
    except error:
        return True


catalog.create_namespace("raw", {"owner": "ana"})
found["properties"] = catalog.load_namespace_properties("raw")
schema = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "day", DateType()),
    NestedField(3, "name", StringType()),
)
spec = PartitionSpec(PartitionField(source_id=2, field_id=1000, transform=DayTransform(), name="day_day"))
table = catalog.create_table("raw.sales", schema, partition_spec=spec)
found["exists"] = raised(TableAlreadyExistsError, lambda: catalog.create_table("raw.sales", schema))


def rows(*ids):
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "day": pa.array([19000 + i for i in ids], pa.int32()).cast(pa.date32()),
            "name": pa.array([f"n{i}" for i in ids]),
        },
        schema=pa.schema([pa.field("id", pa.int64(), False), ("day", pa.date32()), ("name", pa.string())]),
    )


table.append(rows(1, 2, 3))
stale = catalog.load_table("raw.sales")
table.append(rows(4))
with table.update_schema() as update:
    update.add_column("amount", LongType())
    update.rename_column("name", "title")
found["conflict"] = raised(CommitFailedException, lambda: stale.update_schema().add_column("x", LongType()).commit())
table.delete("id = 2")
with table.transaction() as transaction:
    transaction.set_properties({"a": "1"})
    transaction.overwrite(rows(9).rename_columns(["id", "day", "title"]), "id = 1")
seen = other.load_table("raw.sales")
found["rows"] = sorted(seen.scan().to_arrow().to_pydict()["id"])
found["columns"] = [field.name for field in seen.schema().fields]
found["snapshots"] = len(seen.history())

staged = catalog.create_table_transaction("raw.staged", schema)
found["staged"] = catalog.table_exists("raw.staged")
staged.commit_transaction()
found["committed"] = catalog.table_exists("raw.staged")
catalog.rename_table("raw.staged", "raw.renamed")
found["tables"] = sorted(name for _, name in catalog.list_tables("raw"))
found["nested"] = root.list_tables(("dev_analytics", "raw")) != [] and root.load_table(("dev_analytics", "raw", "sales")).metadata_location == seen.metadata_location
found["notEmpty"] = raised(NamespaceNotEmptyError, lambda: catalog.drop_namespace("raw"))

location = catalog.load_table("raw.renamed").metadata_location
catalog.drop_table("raw.renamed")
found["dropped"] = raised(NoSuchTableError, lambda: catalog.load_table("raw.renamed"))
catalog.register_table("raw.back", location)
catalog.purge_table("raw.back")

odd = "ünï +%#?"
catalog.create_table(("raw", odd), schema).append(rows(7))
found["odd"] = catalog.load_table(("raw", odd)).scan().to_arrow().num_rows
found["views"] = catalog.list_views("raw")
print(json.dumps(found, default=str))
