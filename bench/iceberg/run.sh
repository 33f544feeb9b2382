#!/bin/sh
# Measures the table format beside PyIceberg and raw DuckDB, and prints the figures to docs/reference/bench-iceberg.md.
# Run it on a machine that does nothing else. BENCH_ROUNDS sets how often (5), BENCH_SCALE makes all sizes smaller (1).
set -eu
cd "$(dirname "$0")/../.."
python=$(test/conformance/python.sh conformance test/conformance/requirements.txt) || {
  echo 'bench: PyIceberg is left out: no Python 3 with venv, or no package index' >&2
  python=
}
BENCH_PYTHON="$python" exec node --disable-warning=ExperimentalWarning bench/iceberg/iceberg.ts
