"""pytest plugin: the tests of dbt itself (dbt-tests-adapter, tests/functional of dbt-core and dbt-duckdb), run on Boathouse.

Those tests call `dbtRunner` and look at tables through an adapter. Here a call of `dbtRunner` is a process
`boathouse dbt …` in the project's folder, and what the adapter sends goes to `boathouse query`. With PEER=dbt nothing is
replaced: the same tests on dbt-duckdb, which says what there is to be reached.
"""

import datetime
import decimal
import glob
import json
import os
import re
import subprocess
import tempfile

import duckdb
import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../.."))
IS_OURS = os.environ.get("PEER", "boathouse") == "boathouse"


class Tree(dict):
    """A value of an artifact, with its keys as attributes; what is not there is None."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)

    @property
    def is_ephemeral(self):
        return self.config.materialized == "ephemeral"


def tree(value):
    if isinstance(value, dict):
        return Tree({key: tree(each) for key, each in value.items()})
    return [tree(each) for each in value] if isinstance(value, list) else value


def environment():
    # What was built is published as dbt leaves it: beside red tests, too.
    return {**os.environ, "BOATHOUSE_DBT_PUBLISH": "always"}


SERVER = []


def server():
    """One process for all commands: starting one for each of thousands takes most of the time."""
    if not SERVER or SERVER[0].poll() is not None:
        script = os.path.join(os.path.dirname(__file__), "server.ts")
        command = ["node", "--disable-warning=ExperimentalWarning", script]
        SERVER[:] = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)]
    return SERVER[0]


def stopped_clock():
    """What a test has made of the time: by freezegun, or by a mock of the end of microbatches."""
    from unittest.mock import NonCallableMock

    from dbt.materializations.incremental.microbatch import MicrobatchBuilder

    end = MicrobatchBuilder.__dict__["build_end_time"]
    if isinstance(end, NonCallableMock):
        return {"now": end.return_value.timestamp() * 1000}
    if type(datetime.datetime.now()).__module__.startswith("freezegun"):
        return {"now": datetime.datetime.now(datetime.timezone.utc).timestamp() * 1000}
    return {}


def boathouse(args, cwd):
    asked = {"args": args, "cwd": cwd, "env": {**environment(), "NO_COLOR": "1"}, **stopped_clock()}
    process = server()
    line = ""
    try:
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
    finally:
        # A test that ran out of time leaves a command behind, whose answer is none to the next one.
        if not line:
            process.kill()
    if not line:
        raise RuntimeError("the server of commands has ended")
    done = json.loads(line)
    return done["code"], done["out"], done["err"]


def flag(args, *names):
    for at, each in enumerate(args):
        for name in names:
            if each == name and at + 1 < len(args):
                return args[at + 1]
            if each.startswith(f"{name}="):
                return each[len(name) + 1 :]
    return None


VERBS = ["build", "run", "test", "seed", "snapshot", "compile", "show", "ls", "list", "parse", "deps", "docs", "source"]
VERBS += ["run-operation", "retry", "debug", "clean", "clone", "init"]


def project_dir(args):
    return os.path.abspath(flag(args, "--project-dir") or os.environ.get("DBT_PROJECT_DIR") or ".")


def target_dir(args):
    folder = flag(args, "--target-path") or os.environ.get("DBT_TARGET_PATH") or "target"
    try:
        import yaml

        with open(os.path.join(project_dir(args), "dbt_project.yml")) as file:
            folder = flag(args, "--target-path") or yaml.safe_load(file).get("target-path") or folder
    except Exception:
        pass
    return os.path.join(project_dir(args), folder)


def read_json(path):
    with open(path) as file:
        return json.load(file)


def nodes_of(target):
    try:
        manifest = read_json(os.path.join(target, "manifest.json"))
    except FileNotFoundError:
        return {}
    parts = ["nodes", "sources", "exposures", "unit_tests", "saved_queries", "metrics", "semantic_models"]
    return {key: value for part in parts for key, value in manifest.get(part, {}).items()}


class Results(list):
    args = Tree()

    @property
    def results(self):
        return self


def status_of(word):
    from dbt.artifacts.schemas.results import FreshnessStatus, RunStatus, TestStatus

    known = [kind(word) for kind in (RunStatus, TestStatus, FreshnessStatus) if word in [each.value for each in kind]]
    return known[0] if known else word


def results_of(target, path, before):
    if not os.path.exists(path) or os.path.getmtime(path) == before:
        return Results()
    nodes = nodes_of(target)
    written = read_json(path)
    found = Results()
    found.args = tree(written.get("args", {}))
    for each in written["results"]:
        result = tree(each)
        result["status"] = status_of(each["status"])
        name = each["unique_id"].split(".")[-1]
        result["node"] = tree(nodes.get(each["unique_id"], {"unique_id": each["unique_id"], "name": name}))
        if each.get("compiled_code"):
            result["node"]["compiled_code"] = each["compiled_code"]
        found.append(result)
    return found


def refused(text):
    """An exception that is every exception of dbt, so that `pytest.raises` takes it; what it says is ours."""
    import dbt.adapters.exceptions
    import dbt.exceptions
    import dbt_common.dataclass_schema
    import dbt_common.exceptions
    from dbt.cli.exceptions import DbtUsageException

    def below(kind):
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    known = list({each: None for each in below(dbt_common.exceptions.DbtBaseException)}) + [DbtUsageException]
    leaves = [*(each for each in known if not each.__subclasses__()), dbt_common.dataclass_schema.ValidationError]
    bases = []
    for leaf in leaves:
        try:
            type("Tried", tuple([*bases, leaf]), {})
            bases.append(leaf)
        except TypeError:
            continue

    def init(self, message):
        Exception.__init__(self, message)
        self.msg = self.message = message

    kind = type(
        "Refused", tuple(bases), {"__init__": init, "__str__": lambda self: self.msg, "__repr__": lambda self: self.msg}
    )
    return kind(text)


def events_of(path):
    for line in open(path) if os.path.exists(path) else []:
        if line.startswith("{"):
            yield tree(json.loads(line))


LAST = {"stdout": "", "root": "."}


class Runner:
    """Stands in for dbt.cli.main.dbtRunner."""

    def __init__(self, manifest=None, callbacks=None):
        self.manifest = manifest
        self.callbacks = callbacks or []

    def invoke(self, args, **given):
        from dbt.cli.main import dbtRunnerResult

        args = [str(each) for each in args]
        for key, value in given.items():
            name = f"--{key.replace('_', '-')}"
            if value is True:
                args.append(name)
            elif value is not False and value is not None:
                args += [name, *(map(str, value) if isinstance(value, (list, tuple)) else [str(value)])]
        verb = next((each for each in args if each in VERBS), "run")
        target = target_dir(args)
        artifact = "sources.json" if verb == "source" else "run_results.json"
        path = os.path.join(target, artifact)
        if verb == "source" and flag(args, "-o", "--output"):
            path = os.path.join(project_dir(args), flag(args, "-o", "--output"))
        before = os.path.getmtime(path) if os.path.exists(path) else None
        more = []
        logs = tempfile.mkdtemp() if self.callbacks else None
        if logs:
            more += ["--log-path", logs, "--log-format-file", "json", "--log-level-file", "debug"]
        code, stdout, stderr = boathouse(["dbt", *args, *more], os.getcwd())
        LAST["stdout"] = stdout
        print(stdout)
        print(stderr)
        if logs:
            for event in events_of(os.path.join(logs, "dbt.log")):
                for callback in self.callbacks:
                    callback(event)
        if code not in (0, 1):
            return dbtRunnerResult(success=False, exception=refused(stdout + stderr))
        if verb in ("ls", "list"):
            shown = [line for line in stdout.split("\n") if line and not re.match(r"\d\d:\d\d:\d\d ", line)]
            return dbtRunnerResult(success=code == 0, result=shown)
        if verb == "debug":
            return dbtRunnerResult(success=code == 0, result=code == 0)
        if verb == "parse":
            from dbt.tests.util import get_manifest

            return dbtRunnerResult(success=code == 0, result=get_manifest(project_dir(args)))
        if verb == "docs":
            return dbtRunnerResult(success=code == 0, result=tree(read_json(os.path.join(target, "catalog.json"))))
        if verb in ("deps", "clean", "init"):
            return dbtRunnerResult(success=code == 0)
        return dbtRunnerResult(success=code == 0, result=results_of(target, path, before))


def python_value(value, kind):
    if value is None or not isinstance(value, str):
        return value
    kind = kind.upper()
    if kind.startswith("DECIMAL"):
        return decimal.Decimal(value)
    if kind in ("BIGINT", "HUGEINT", "UBIGINT"):
        return int(value)
    if kind == "DATE":
        return datetime.date.fromisoformat(value[:10])
    if kind.startswith("TIMESTAMP"):
        found = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return found if "ZONE" in kind or kind == "TIMESTAMPTZ" else found.replace(tzinfo=None)
    return value


def answers_in(text):
    """Pretty JSON values, one after the other, lines of the log between them."""
    decoder = json.JSONDecoder()
    at = text.find("{")
    while at >= 0:
        value, at = decoder.raw_decode(text, at)
        if "columns" in value:
            yield value
        at = text.find("{", at)


class Cursor:
    def __init__(self, creds):
        self.creds = creds
        self.rows = []
        self.description = None
        self.rowcount = -1

    def execute(self, sql, bindings=None):
        self.rows, self.description = [], None
        plain = re.sub(r"/\*.*?\*/", "", sql, flags=re.S).strip()
        if plain.rstrip(";").upper() in ("", "BEGIN", "COMMIT", "ROLLBACK", "BEGIN TRANSACTION"):
            return self
        for at, value in enumerate(bindings or []):
            shown = "null" if value is None else "'" + str(value).replace("'", "''") + "'"
            sql = re.sub(rf"\${at + 1}\b|\?", lambda _: shown, sql, count=1)
        database = self.creds.database
        sql = sql.replace(f'"{database}".', "").replace(f"{database}.", "").replace("system.information_schema", "information_schema")
        sql = sql.replace("duckdb_databases()", "(select 'duckdb' as type, '' as database_name)")
        environment = self.environment()
        catalog = f"{environment}_{self.project()}"
        sql = sql.replace(f"'{database}'", f"'{catalog}'")
        code, stdout, stderr = boathouse(["query", "--env", environment, "--json", sql], LAST["root"])
        if code != 0:
            if "TABLE_NOT_FOUND" in stderr + stdout:
                raise duckdb.CatalogException(f"Catalog Error: Table does not exist!\n{stderr}{stdout}")
            raise RuntimeError(f"{stderr}{stdout}")
        for answer in answers_in(stdout):
            columns = answer.get("columns") or []
            self.description = [(each["name"], each["type"], None, None, None, None, None) for each in columns]
            self.rows = [
                tuple(python_value(value, column["type"]) for value, column in zip(row, columns))
                for row in answer.get("rows", [])
            ]
        return self

    def environment(self):
        """Of the profile's own target, as `boathouse dbt` names it."""
        import yaml

        with open(os.path.join(os.environ["DBT_PROFILES_DIR"], "profiles.yml")) as file:
            target = yaml.safe_load(file)["test"]["target"]
        return {"test": "staging"}.get(target, target)

    def project(self):
        import yaml

        with open(os.path.join(LAST["root"], "dbt_project.yml")) as file:
            return yaml.safe_load(file)["name"]

    def fetchall(self):
        return self.rows

    def fetchone(self):
        return self.rows.pop(0) if self.rows else None

    def fetchmany(self, count):
        return self.rows[:count]

    def close(self):
        pass

    def interrupt(self):
        pass


class Handle:
    def __init__(self, creds):
        self.creds = creds

    def cursor(self):
        return Cursor(self.creds)

    def rollback(self):
        pass

    def close(self):
        pass


class Environment:
    """Stands in for what dbt-duckdb opens: the lake of the folder."""

    def __init__(self, creds):
        self.creds = creds

    def handle(self):
        return Handle(self.creds)

    def get_binding_char(self):
        return "?"

    def close(self):
        pass

    @classmethod
    def is_cancelable(cls):
        return False


def pytest_configure(config):
    if not IS_OURS:
        return
    import dbt.adapters.duckdb.environments as environments
    import dbt.cli.main
    import dbt.tests.util

    environments.create = Environment
    dbt.cli.main.dbtRunner = Runner
    dbt.tests.util.dbtRunner = Runner

    def run_dbt_and_capture(args=None, expect_pass=True):
        LAST["stdout"] = ""
        result = dbt.tests.util.run_dbt(args, expect_pass=expect_pass)
        return result, LAST["stdout"]

    dbt.tests.util.run_dbt_and_capture = run_dbt_and_capture

    from dbt.tests.fixtures.project import TestProjInfo

    def create_test_schema(self, schema_name=None):
        LAST["root"] = str(self.project_root)
        self.created_schemas.append(schema_name or self.test_schema)
        Cursor(self.adapter.config.credentials).execute(f'create schema if not exists "{schema_name or self.test_schema}"')

    TestProjInfo.create_test_schema = create_test_schema
    # The folder of the test is the whole lake.
    TestProjInfo.drop_test_schema = lambda self: None


@pytest.fixture(scope="class")
def dbt_profile_target():
    return {"type": "duckdb", "threads": 2, **({} if IS_OURS else {"path": os.path.join(tempfile.mkdtemp(), "tmp.db")})}


@pytest.fixture(scope="session")
def profile_type():
    return "memory"


@pytest.fixture(scope="session")
def database_type():
    return "duckdb"


def pytest_runtest_logreport(report):
    """What failed is told at once: a whole run takes hours."""
    if report.failed and os.environ.get("SUITE_LOG"):
        with open(os.environ["SUITE_LOG"], "a") as file:
            file.write(f"\n#### {report.nodeid} ({report.when})\n{report.longreprtext}\n")
            for name, text in report.sections:
                file.write(f"-- {name}\n{text}\n")
