# DuckDB's Iceberg extension as a client of the REST catalog. Prints what it found.
#
#     duckdb_rest.py URI TOKEN [OPTIONS_OF_A_SECRET_FOR_THE_STORE]

import importlib.util
import json
import pathlib
import sys

import duckdb

uri, token, *store = sys.argv[1:]
lake = duckdb.connect()
for name in ("httpfs", "avro", "iceberg"):
    package = importlib.util.find_spec(f"duckdb_extension_{name}").submodule_search_locations[0]
    lake.execute(f"LOAD '{next(pathlib.Path(package).rglob('*.duckdb_extension'))}'")
lake.execute(f"CREATE SECRET s (TYPE iceberg, TOKEN '{token}')")
for options in store:
    lake.execute(f"CREATE SECRET store (TYPE s3, {options})")
lake.execute(f"ATTACH 'dev_analytics' AS lake (TYPE iceberg, ENDPOINT '{uri}', SECRET s)")
found = {}
lake.execute("CREATE SCHEMA lake.duck")
lake.execute("CREATE TABLE lake.duck.t AS SELECT range AS id, 'n' || range AS name FROM range(5)")
lake.execute("INSERT INTO lake.duck.t VALUES (5, 'n5')")
lake.execute("DELETE FROM lake.duck.t WHERE id = 0")
lake.execute("UPDATE lake.duck.t SET name = 'z' WHERE id = 1")
lake.execute('CREATE TABLE lake.duck."a b+%#" (a INTEGER)')
lake.execute("BEGIN")
lake.execute("INSERT INTO lake.duck.t VALUES (6, 'n6')")
lake.execute('INSERT INTO lake.duck."a b+%#" VALUES (1)')
lake.execute("COMMIT")
found["rows"] = lake.execute("SELECT id, name FROM lake.duck.t ORDER BY id").fetchall()
found["odd"] = lake.execute('SELECT * FROM lake.duck."a b+%#"').fetchall()
found["tables"] = sorted(row[2] for row in lake.execute("SHOW ALL TABLES").fetchall() if row[1] == "duck")
lake.execute('DROP TABLE lake.duck."a b+%#"')
print(json.dumps(found))
