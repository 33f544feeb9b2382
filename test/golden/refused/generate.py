"""Notes what dbt-core says about each project here, in dbt.txt: run it with the Python that dbt-core is installed in.

The verdict of `dbt parse`, and where that finds nothing of `dbt compile`, since some mistakes show only then; without
paths. A project that dbt accepts is noted as accepted. Arguments are names of folders; without any, all are done.
"""

import contextlib
import io
import os
import pathlib
import shutil
import sys
import tempfile

from dbt.cli.main import dbtRunner

here = pathlib.Path(__file__).parent
profiles = "{target: dev, outputs: {dev: {type: duckdb, path: ':memory:', schema: main}}}\n"
os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"


def verdict(project: pathlib.Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "project"
        shutil.copytree(project, copy)
        (copy / "profiles.yml").write_text(f"shop: {profiles}")
        for command in ("parse", "compile"):
            with contextlib.redirect_stdout(io.StringIO()):
                where = ["--project-dir", str(copy), "--profiles-dir", str(copy)]
                done = dbtRunner().invoke(["--quiet", command, *where])
            if not done.success:
                said = str(done.exception) if done.exception else "\n".join(r.message or "" for r in done.result)
                return f"{command}: {said.strip()}\n".replace(os.path.realpath(copy), "PROJECT").replace(str(copy), "PROJECT")
        return "accepted\n"


for folder in sorted(each for each in here.iterdir() if (each / "project").is_dir()):
    if len(sys.argv) > 1 and folder.name not in sys.argv[1:]:
        continue
    (folder / "dbt.txt").write_text(verdict(folder / "project"))
    print(folder.name, (folder / "dbt.txt").read_text().splitlines()[0], flush=True)
