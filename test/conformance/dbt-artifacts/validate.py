# Reads the artifacts of a target folder with dbt-core's own classes and against the JSON schemas that those publish.
# Prints {file: [mistakes]} of those that are there.
import json
import sys
from pathlib import Path

import jsonschema
from dbt.artifacts.schemas.catalog import CatalogArtifact
from dbt.artifacts.schemas.freshness import FreshnessExecutionResultArtifact
from dbt.artifacts.schemas.manifest import WritableManifest
from dbt.artifacts.schemas.run import RunResultsArtifact

classes = {
    "manifest.json": WritableManifest,
    "run_results.json": RunResultsArtifact,
    "catalog.json": CatalogArtifact,
    "sources.json": FreshnessExecutionResultArtifact,
}


def mistakes(value, kind):
    found = [
        f"{'.'.join(map(str, error.path))}: {error.message[:200]}"
        for error in jsonschema.Draft202012Validator(kind.json_schema()).iter_errors(value)
    ]
    try:
        kind.from_dict(value)
    except Exception as error:
        found.append(f"{type(error).__name__}: {str(error)[:200]}")
    return found


present = [(Path(sys.argv[1]) / name, kind) for name, kind in classes.items() if (Path(sys.argv[1]) / name).exists()]
print(json.dumps({file.name: mistakes(json.loads(file.read_text()), kind) for file, kind in present}))
