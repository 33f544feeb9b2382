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

# What dbt-core 1.12 writes besides. Its own classes know it, but it needs a download from elsewhere to be installed.
since = {
    "metrics": ("type_params", {"fill_nulls_with", "is_private", "join_to_timespine"}),
    "semantic_models": ("dimensions", {"datatype"}),
}


def without_newer(value):
    for section, (field, names) in since.items():
        for entry in value.get(section, {}).values():
            parts = entry.get(field) or []
            for part in parts if isinstance(parts, list) else [parts]:
                for name in names:
                    part.pop(name, None)
    return value


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
print(json.dumps({file.name: mistakes(without_newer(json.loads(file.read_text())), kind) for file, kind in present}))
