"""Prints what PyIceberg reads in tables of a catalog, as JSON on one line: by the catalog and by the metadata file alone.

    python read_iceberg.py CATALOG_DB CATALOG_NAME TABLE...
"""

import json
import sys

from plain import plain
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import StaticTable


def rows(table, snapshot_id=None):
    found = table.scan(snapshot_id=snapshot_id).to_arrow().to_pylist()
    return [[plain(value) for value in row.values()] for row in found]


def describe(table):
    return {
        "columns": [[field.name, str(field.field_type)] for field in table.schema().fields],
        "rows": rows(table),
        "snapshots": {str(snapshot.snapshot_id): rows(table, snapshot.snapshot_id) for snapshot in table.snapshots()},
        "current": str(table.current_snapshot().snapshot_id),
    }


database, name, *tables = sys.argv[1:]
catalog = SqlCatalog(name, uri=f"sqlite:///{database}", warehouse="file:///nowhere", init_catalog_tables="false")
answer = {"tables": sorted(".".join(one) for (namespace,) in catalog.list_namespaces() for one in catalog.list_tables(namespace))}
for identifier in tables:
    table = catalog.load_table(identifier)
    answer[identifier] = {"byCatalog": describe(table), "byFile": describe(StaticTable.from_metadata(table.metadata_location))}
print(json.dumps(answer))
