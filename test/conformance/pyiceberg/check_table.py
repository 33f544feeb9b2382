"""Prints what PyIceberg finds in the table of a metadata file, as JSON on one line.

    python check_table.py METADATA_LOCATION [SNAPSHOT_ID | --filter EXPRESSION]
"""

import datetime as dt
import decimal
import json
import sys

from pyiceberg.table import StaticTable


def plain(value):
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, decimal.Decimal) or hasattr(value, "hex") and not isinstance(value, float):
        return str(value)
    if isinstance(value, float) and value != value:
        return "NaN"
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


location, *rest = sys.argv[1:]
table = StaticTable.from_metadata(location)
scan = table.scan(row_filter=rest[1]) if rest[:1] == ["--filter"] else table.scan(snapshot_id=int(rest[0])) if rest else table.scan()
rows = scan.to_arrow().to_pylist()
manifests = [] if table.current_snapshot() is None else table.current_snapshot().manifests(table.io)
print(json.dumps({
    "rows": plain(rows),
    "files": len(list(scan.plan_files())),
    "snapshots": [[str(snapshot.snapshot_id), snapshot.summary.operation.value] for snapshot in table.snapshots()],
    "history": len(table.history()),
    "spec": [[field.name, str(field.transform)] for field in table.spec().fields],
    "entries": [
        [entry.status.name, entry.data_file.record_count] for manifest in manifests for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False)
    ],
    # Its metadata tables read every field of every entry.
    "inspected": {name: len(getattr(table.inspect, name)()) for name in ("snapshots", "manifests", "history", "partitions", "refs")},
}))
