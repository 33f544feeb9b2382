# Asks dbt-core what it selects: writes answers.json from cases.json. Run: python generate.py, with dbt-core 1.12 and
# dbt-duckdb importable. Every case is the arguments of one `dbt ls`; the answer is the sorted unique ids, or that dbt refuses.
# A case that needs a state runs beside a copy of the project with the edits of `changes.json`.
import json, os, shutil, sys, tempfile
from pathlib import Path

here = Path(__file__).parent
os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
from dbt.cli.main import dbtRunner  # noqa: E402


def copy(into, changes=()):
    shutil.copytree(here / "project", into)
    for change in changes:
        path = into / change["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if "text" in change:
            path.write_text(change["text"])
        elif "remove" in change:
            path.unlink()
        else:
            text = path.read_text()
            assert change["from"] in text, change
            path.write_text(text.replace(change["from"], change["to"]))
    common = ["--project-dir", str(into), "--profiles-dir", str(into), "-q", "--no-use-colors"]
    assert dbtRunner().invoke(["deps", *common]).success
    return common


def manifest(common):
    parsed = dbtRunner().invoke(["parse", *common])
    assert parsed.success, parsed.exception
    return parsed.result


def main():
    work = Path(tempfile.mkdtemp())
    common = copy(work / "now")
    changed = copy(work / "changed", json.loads((here / "changes.json").read_text()))
    now = manifest(common)
    os.makedirs(work / "state", exist_ok=True)
    shutil.copy(work / "now/target/manifest.json", work / "state/manifest.json")
    for name in ("run_results.json", "sources.json"):
        shutil.copy(here / "state" / name, work / "state" / name)
    # The manifest that the tests compare with is dbt's own, without what no comparison reads.
    state = json.loads((work / "state/manifest.json").read_text())
    kept = ("metadata", "nodes", "sources", "macros", "exposures", "metrics", "semantic_models", "saved_queries", "unit_tests", "disabled")
    state = {key: state[key] for key in kept}
    state["macros"] = {id: one for id, one in state["macros"].items() if not id.startswith(("macro.dbt.", "macro.dbt_duckdb."))}
    (here / "state/manifest.json").write_text(json.dumps(state, sort_keys=True) + "\n")
    after = manifest(changed)
    os.makedirs(work / "changed/target", exist_ok=True)
    shutil.copy(here / "state/now/sources.json", work / "changed/target/sources.json")
    answers = {}
    for case in json.loads((here / "cases.json").read_text()):
        args = case.split("|")
        stateful = any("state:" in arg or "result:" in arg or "source_status:" in arg for arg in args)
        line = ["ls", *(changed if stateful else common), "--output", "json", "--output-keys", "unique_id", *args]
        if stateful:
            line += ["--state", str(work / "state")]
        result = dbtRunner(manifest=after if stateful else now).invoke(line)
        answers[case] = (
            sorted(json.loads(each)["unique_id"] for each in result.result or [])
            if result.success
            else "refused"
        )
    (here / "answers.json").write_text(json.dumps(answers, indent=1) + "\n")
    print(len(answers), "cases", sum(1 for each in answers.values() if each == "refused"), "refused")


if __name__ == "__main__":
    sys.exit(main())
