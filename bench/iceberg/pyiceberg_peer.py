# PyIceberg beside Boathouse, on a catalog in SQLite and files in a folder of its own. Reads questions as lines of JSON
# and answers with figures; times are milliseconds, taken here.
#
#     pyiceberg_peer.py FOLDER

import json
import resource
import sys
import time
import warnings
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog import load_catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import EqualTo
from pyiceberg.table import StaticTable

warnings.filterwarnings("ignore")
folder = Path(sys.argv[1])
catalog = SqlCatalog("peer", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
catalog.create_namespace("raw")


def timed(work):
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def fresh(name, schema, properties={}):
    if catalog.table_exists(name):
        catalog.drop_table(name)
    return catalog.create_table(name, schema, properties=properties)


def append(file):
    """A Parquet file read and appended to a new table."""
    table = fresh("raw.append", pq.read_schema(file))
    return {"ms": timed(lambda: table.append(pq.read_table(file)))}


one = pa.table({"id": pa.array([1], pa.int64()), "a": ["a"], "x": [2.5]})


kept = {}


def one_row_table(uri=None, token=None):
    """Makes the table of `one_row`: here, or behind a REST catalog."""
    if uri:
        rest = load_catalog("rest", type="rest", uri=uri, warehouse="dev", token=token)
        rest.create_namespace_if_not_exists("peer")
        kept["table"] = rest.create_table("peer.one", one.schema)
    else:
        kept["table"] = fresh("raw.one", one.schema)
    kept["table"].append(one)
    return {}


def one_row():
    """One row more; the table stays loaded."""
    return {"ms": timed(lambda: kept["table"].append(one))}


def plan(location, value):
    """A selective plan, the first and again; `resident` is the most memory that the process had, in bytes."""
    table = StaticTable.from_metadata(location)
    scan = lambda: len(list(table.scan(row_filter=EqualTo("id", value)).plan_files()))
    found = scan()
    assert found == 1, found
    first = timed(lambda: list(StaticTable.from_metadata(location).scan(row_filter=EqualTo("id", value)).plan_files()))
    return {"again": timed(scan), "fresh": first, "resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def delete(file, value):
    """Rows of one value of `n` deleted from a table that was just filled."""
    table = fresh("raw.rows", pq.read_schema(file))
    table.append(pq.read_table(file))
    return {"ms": timed(lambda: table.delete(EqualTo("n", value)))}


def upsert(file, given):
    """Rows of a file by their id, into a table that was just filled."""
    table = fresh("raw.rows", pq.read_schema(file))
    table.append(pq.read_table(file))
    rows = pq.read_table(given)
    return {"ms": timed(lambda: table.upsert(rows, join_cols=["id"]))}


def remote(warehouse, properties):
    """From now on tables lie in an object store."""
    global catalog
    catalog = SqlCatalog("remote", uri=f"sqlite:///{folder}/remote.db", warehouse=warehouse, **properties)
    catalog.create_namespace("raw")
    return {}


def select(location, value, properties):
    """The rows of one value, beginning with the metadata file."""

    def work():
        table = StaticTable.from_metadata(location, properties)
        assert table.scan(row_filter=EqualTo("id", value)).to_arrow().num_rows == 1

    return {"ms": timed(work)}


def load(location):
    return {"ms": timed(lambda: StaticTable.from_metadata(location))}


for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps(globals()[question.pop("command")](**question)), flush=True)
