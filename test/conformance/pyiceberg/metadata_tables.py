"""Prints PyIceberg's metadata tables of a metadata file, and its rows, as JSON on one line.

    python metadata_tables.py METADATA_LOCATION
"""

import datetime as dt
import decimal
import json
import sys

from pyiceberg.table import StaticTable

names = [
    "snapshots", "history", "refs", "manifests", "files", "data_files", "delete_files", "entries", "partitions",
    "metadata_log_entries", "all_manifests", "all_files", "all_data_files", "all_delete_files",
]


def plain(value):
    if isinstance(value, dt.datetime):
        return int(value.replace(tzinfo=dt.timezone.utc).timestamp() * 1000)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


table = StaticTable.from_metadata(sys.argv[1])
answer = {name: plain(getattr(table.inspect, name)().to_pylist()) for name in names}
answer["rows"] = plain(table.scan().to_arrow().sort_by("id").to_pylist())
print(json.dumps(answer))
