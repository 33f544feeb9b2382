#!/bin/sh
# Measures dbt's commands here beside dbt-core with dbt-duckdb, and beside the Rust parser of dbt 2, and prints the figures to
# docs/reference/bench-dbt.md. Run it on a machine that does nothing else.
# BENCH_DBT and BENCH_DBT2: their executables (dbt, dbt-core-experimental-parser); what is not there is left out.
# BENCH_PROJECTS: folders of further projects, packages laid out, with a profiles.yml inside, separated by colons.
# BENCH_ROUNDS sets how often (3), BENCH_MODELS how many models the generated project has (1000).
set -eu
cd "$(dirname "$0")/../.."
exec node --disable-warning=ExperimentalWarning bench/dbt/dbt.ts
