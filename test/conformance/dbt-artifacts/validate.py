# Reads the artifacts of a target folder with dbt-core's own classes and against the JSON schemas that those publish.
# Prints {file: [mistakes]}.
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


print(json.dumps({name: mistakes(json.loads((Path(sys.argv[1]) / name).read_text()), kind) for name, kind in classes.items()}))
