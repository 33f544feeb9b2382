"""Prints what PyIceberg finds in the table of a metadata file, as JSON on one line: rows, entries, files, schema, refs.

    python inspect_table.py METADATA_LOCATION [BRANCH_OR_TAG]
"""

import json
import sys

from pyiceberg.manifest import DataFileContent
from pyiceberg.table import StaticTable

location, *rest = sys.argv[1:]
table = StaticTable.from_metadata(location)
snapshot = table.snapshot_by_name(rest[0]) if rest else table.current_snapshot()
identity = snapshot.snapshot_id if snapshot else None


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def rows():
    try:
        return plain(table.scan(snapshot_id=identity).to_arrow().to_pylist())
    except Exception as error:  # what it cannot read (equality deletes) it still lists
        return f"{type(error).__name__}: {error}"


entries = [
    {
        "status": entry.status.name,
        "snapshot": str(entry.snapshot_id),
        "sequence": entry.sequence_number,
        "content": DataFileContent(entry.data_file.content).name,  # of version 1 it gives a number
        "format": entry.data_file.file_format.value,
        "path": entry.data_file.file_path.rsplit("/", 1)[-1],
        "records": entry.data_file.record_count,
        "partition": [plain(entry.data_file.partition[at]) for at in range(len(entry.data_file.partition))],
        "splits": entry.data_file.split_offsets,
    }
    for manifest in (snapshot.manifests(table.io) if snapshot else [])
    for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False)
]
print(
    json.dumps(
        {
            "version": table.metadata.format_version,
            "rows": rows(),
            "entries": entries,
            "inspected": {
                "entries": table.inspect.entries(identity).num_rows,
                "files": table.inspect.files(identity).num_rows,
                "data_files": table.inspect.data_files(identity).num_rows,
                "delete_files": table.inspect.delete_files(identity).num_rows,
            },
            "schema": [f"{field.name}:{field.field_id}" for field in table.schema().fields],
            "spec": [f"{field.name}:{field.field_id} {field.transform}" for field in table.spec().fields],
            "refs": {name: ref.snapshot_ref_type.value for name, ref in table.metadata.refs.items()},
            "summary": dict(snapshot.summary.additional_properties, operation=snapshot.summary.operation.value)
            if snapshot
            else {},
        }
    )
)
