# Raw DuckDB on an object store, with its httpfs extension. Reads questions as lines of JSON and answers with times.
#
#     duckdb_s3_peer.py THREADS MEMORY, with AWS_… and LAB_S3_ENDPOINT in the environment

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from urllib.parse import urlparse

import duckdb

threads, memory = sys.argv[1:]
package = importlib.util.find_spec("duckdb_extension_httpfs").submodule_search_locations[0]
connection = duckdb.connect(config={"threads": threads, "memory_limit": memory})
connection.execute(f"LOAD '{next(Path(package).rglob('*.duckdb_extension'))}'")
endpoint = urlparse(os.environ["LAB_S3_ENDPOINT"])
connection.execute(
    f"CREATE SECRET (TYPE s3, KEY_ID '{os.environ['AWS_ACCESS_KEY_ID']}', SECRET '{os.environ['AWS_SECRET_ACCESS_KEY']}', "
    f"REGION '{os.environ['AWS_REGION']}', ENDPOINT '{endpoint.netloc}', URL_STYLE 'path', USE_SSL {endpoint.scheme == 'https'})"
)


def run(sql):
    started = time.perf_counter()
    connection.execute(sql).fetchall()
    return {"ms": (time.perf_counter() - started) * 1000}


for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps(globals()[question.pop("command")](**question)), flush=True)
