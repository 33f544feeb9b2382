"""Prints the columns and rows of tables in a DuckDB file, as JSON on one line.

    python read_duckdb.py DATABASE_FILE TABLE...
"""

import json
import sys

import duckdb
from plain import plain

database, *tables = sys.argv[1:]
connection = duckdb.connect(database, read_only=True)
answer = {}
for table in tables:
    columns = [[name, kind] for name, kind, *_ in connection.sql(f"describe {table}").fetchall()]
    answer[table] = {"columns": columns, "rows": [[plain(value) for value in row] for row in connection.sql(f"from {table}").fetchall()]}
print(json.dumps(answer))
