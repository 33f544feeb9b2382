# Asks dbt-core for the manifest of each folder here: `python generate.py [NAME ...]`, with dbt-core 1.12 and dbt-duckdb.
# expected.json holds what the project itself says, without times, files of dbt's own and what only a run fills.
import json, os, shutil, sys, tempfile
from pathlib import Path

here = Path(__file__).parent
os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
from dbt.cli.main import dbtRunner  # noqa: E402

SECTIONS = ["nodes", "sources", "exposures", "metrics", "groups", "unit_tests", "semantic_models", "saved_queries", "functions"]
APART = {"created_at", "build_path", "defer_relation", "root_path"}
PROFILE = "default:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: db.duckdb, schema: main, threads: 1}\n"


def plain(value):
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if key not in APART}
    return [plain(each) for each in value] if isinstance(value, list) else value


def expected(project):
    work = Path(tempfile.mkdtemp()) / project.name
    shutil.copytree(project, work)
    (work / "profiles.yml").write_text(PROFILE)
    os.chdir(work)
    parsed = dbtRunner().invoke(["-q", "parse", "--profiles-dir", "."])
    assert parsed.success, parsed.exception
    manifest = json.loads((work / "target/manifest.json").read_text())
    semantic = json.loads((work / "target/semantic_manifest.json").read_text())
    of = {section: plain(manifest[section]) for section in SECTIONS if manifest.get(section)}
    return {**of, "semantic_manifest": semantic}


for project in sorted(here.glob("*/dbt_project.yml")):
    if len(sys.argv) == 1 or project.parent.name in sys.argv[1:]:
        (project.parent / "expected.json").write_text(json.dumps(expected(project.parent), indent=1) + "\n")
