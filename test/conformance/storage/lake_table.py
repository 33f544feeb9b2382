"""A table of PyIceberg on an object store, behind a REST catalog: `write` makes it, `read` prints what is in it."""

import json
import sys

import pyarrow as pa
from pyiceberg.catalog import load_catalog

command, name, properties = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
catalog = load_catalog("lab", type="rest", **properties)
if command == "write":
    rows = pa.table({"id": pa.array(range(1000), pa.int64()), "text": [f"row {number}" for number in range(1000)]})
    levels = name.split(".")[:-1]
    for depth in range(len(levels)):
        catalog.create_namespace_if_not_exists(tuple(levels[: depth + 1]))
    table = catalog.create_table(name, rows.schema)
    table.append(rows)
    table.append(rows)
else:
    rows = catalog.load_table(name).scan().to_arrow()
    print(json.dumps({"rows": rows.num_rows, "sum": sum(rows["id"].to_pylist())}))
