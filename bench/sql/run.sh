#!/bin/sh
# Measures SQL through the door beside DuckDB itself, and prints the figures to docs/reference/bench-sql.md.
# Run it on a machine that does nothing else. BENCH_ROUNDS sets how often (3), BENCH_TPCH_SCALE the size of the data (1).
set -eu
cd "$(dirname "$0")/../.."
python=$(test/conformance/python.sh tpch bench/sql/requirements.txt)
# Engine hosts run at this priority, so whoever they are compared with does too.
BENCH_TPCHGEN="$(dirname "$python")/tpchgen-cli" exec nice -n 10 node --disable-warning=ExperimentalWarning bench/sql/sql.ts
