"""Runs each project here step by step with dbt-core and dbt-duckdb and writes what its tables hold after each step.

    python generate.py [NAME ...]      with dbt-core, dbt-duckdb and duckdb installed

NAME/steps.json: for each step the SQL that prepares its sources, `files` of the project that are written anew before it, and
further arguments of `dbt build`; `volatile`: columns (`table.column`) whose values differ from run to run and are only told from null.
NAME/expected.json: for each step the status of every node, and of every table its columns and rows as text, sorted.
"""
import json, os, pathlib, shutil, subprocess, sys, tempfile
import duckdb

here = pathlib.Path(__file__).parent
dbt = pathlib.Path(sys.executable).parent / "dbt"
profile = "golden:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: golden.duckdb, schema: main, threads: 1}\n"


def tables(file, volatile):
    with duckdb.connect(file, read_only=True) as connection:
        names = connection.execute(
            "select table_schema, table_name from information_schema.tables where table_catalog = 'golden' and table_schema <> 'raw' order by all"
        ).fetchall()
        found = {}
        for schema, name in names:
            columns = connection.execute(f'select column_name, column_type from (describe "{schema}"."{name}")').fetchall()
            shown = ", ".join(
                f"case when \"{c}\" is null then null else '*' end" if f"{name}.{c}" in volatile else f'"{c}"::varchar' for c, _ in columns
            )
            rows = connection.execute(f'select {shown} from "{schema}"."{name}" order by all').fetchall()
            found[f"{schema}.{name}"] = {"columns": [list(c) for c in columns], "rows": [list(row) for row in rows]}
        return found


def generate(name):
    folder = here / name
    plan = json.loads((folder / "steps.json").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        project = pathlib.Path(scratch) / "project"
        shutil.copytree(folder / "project", project)
        (project / "profiles.yml").write_text(profile)
        file = str(project / "golden.duckdb")
        expected = []
        for step in plan["steps"]:
            for path, text in step.get("files", {}).items():
                (project / path).write_text(text)
            with duckdb.connect(file) as connection:
                for sql in step.get("sql", []):
                    connection.execute(sql)
            args = [str(dbt), "--no-partial-parse", "build", "--project-dir", str(project), "--profiles-dir", str(project), *step.get("args", [])]
            done = subprocess.run(args, capture_output=True, text=True, cwd=project, env={**os.environ, "DO_NOT_TRACK": "1"})
            results = project / "target" / "run_results.json"
            if not results.exists():
                sys.exit(done.stdout + done.stderr)
            statuses = {each["unique_id"]: each["status"] for each in json.loads(results.read_text())["results"]}
            results.unlink()
            expected.append({"statuses": dict(sorted(statuses.items())), "tables": tables(file, plan.get("volatile", []))})
            if "-v" in sys.argv:
                print(done.stdout)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    print(name, [len(each["tables"]) for each in expected])


for name in [each for each in sys.argv[1:] if not each.startswith("-")] or sorted(p.name for p in here.iterdir() if p.is_dir()):
    generate(name)
