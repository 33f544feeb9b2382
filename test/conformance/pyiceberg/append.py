"""Appends rows to a table with PyIceberg and prints the new metadata location.

    python append.py METADATA_LOCATION ROWS_AS_JSON
"""

import json
import sys

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

location, rows = sys.argv[1:]
catalog = SqlCatalog("c", uri="sqlite://", warehouse="file:///tmp")
catalog.create_namespace("n")
table = catalog.register_table("n.t", location)
table.append(pa.Table.from_pylist(json.loads(rows), schema=table.schema().as_arrow()))
print(catalog.load_table("n.t").metadata_location)
