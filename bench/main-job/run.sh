#!/bin/sh
# Measures the main job beside dlt + dbt-duckdb, start-up, idle memory and the first page, and prints the figures to
# docs/reference/bench.md. Run it on a machine that does nothing else. BENCH_ROUNDS sets how often (5).
set -eu
cd "$(dirname "$0")/../.."
python=$(test/conformance/python.sh bench bench/main-job/requirements.txt) || {
  echo 'bench: dlt and dbt are left out: no Python 3 with venv, or no package index' >&2
  python=
}
BENCH_PYTHON="$python" exec node --disable-warning=ExperimentalWarning bench/main-job/main-job.ts
