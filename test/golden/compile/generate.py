"""Writes expected.json of every case: what dbt-core compiles, node by node.

    python generate.py [CASE ...]      with dbt-core 1.12 and dbt-duckdb on the path

A case is a dbt project. Its `setup.sql`, if any, is run in the database first.
"""
import json, os, pathlib, shutil, subprocess, sys, tempfile
import duckdb

here = pathlib.Path(__file__).parent
cases = sys.argv[1:] or sorted(p.name for p in here.iterdir() if (p / "dbt_project.yml").exists())
for case in cases:
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        project = scratch / "project"
        shutil.copytree(here / case, project)
        database = scratch / "dev_analytics.duckdb"
        connection = duckdb.connect(str(database))
        if (project / "setup.sql").exists():
            connection.execute((project / "setup.sql").read_text())
        connection.close()
        (scratch / "profiles.yml").write_text(json.dumps({"golden": {"target": "dev", "outputs": {"dev": {
            "type": "duckdb", "path": str(database), "schema": "main", "threads": 1}}}}))
        environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "GOLDEN_VALUE": "from env"}
        done = subprocess.run([pathlib.Path(sys.executable).parent / "dbt", "--quiet", "compile", "--project-dir", project, "--profiles-dir", scratch],
                              env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{case}: {done.stdout}{done.stderr}")
        manifest = json.loads((project / "target" / "manifest.json").read_text())
        nodes = {}
        for unique_id, node in sorted(manifest["nodes"].items()):
            config = node["config"]
            keys = ["materialized", "enabled", "tags", "meta", "schema", "alias", "severity", "where", "limit", "error_if", "warn_if"]
            nodes[unique_id] = {
                "compiled": node["compiled_code"], "relation": [node["database"], node["schema"], node["alias"]], "fqn": node["fqn"],
                "tags": sorted(node["tags"]), "depends_on": sorted(node["depends_on"]["nodes"]),
                "config": {key: sorted(set(config[key])) if key == "tags" else config[key] for key in keys if config.get(key) not in (None, [], {})},
            }
        sources = {unique_id: [s["database"], s["schema"], s["identifier"]] for unique_id, s in sorted(manifest["sources"].items())}
        (here / case / "expected.json").write_text(json.dumps({"nodes": nodes, "sources": sources}, indent=1, ensure_ascii=False) + "\n")
        print(case, len(nodes))
