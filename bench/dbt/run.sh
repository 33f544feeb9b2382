#!/bin/sh
# Measures dbt's commands here beside dbt-core with dbt-duckdb, dbt 2 and SQLMesh, and the compiled SQL by DuckDB alone, and
# prints the figures to docs/reference/bench-dbt.md. Run it on a machine that does nothing else, after `make build`.
# BENCH_DBT, BENCH_DBT2, BENCH_SQLMESH: their executables (dbt, dbt2, sqlmesh); what is not there is left out.
# BENCH_PROJECTS: folders of further projects, packages laid out, with a profiles.yml inside, separated by colons.
# BENCH_VARS: --vars for all of these. Their seeds are loaded before they are checked or built: they may be their sources.
# BENCH_ROUNDS sets how often (3), BENCH_SLOW_ROUNDS the same for dbt-core and SQLMesh (1); BENCH_MODELS how many models the
# generated project has (1000), BENCH_OBSERVED the one with a hook (700); BENCH_LIMIT_S when a command is given up (240).
set -eu
cd "$(dirname "$0")/../.."
exec node --disable-warning=ExperimentalWarning bench/dbt/dbt.ts
