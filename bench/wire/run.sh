#!/bin/sh
# Measures the PostgreSQL endpoint beside PostgreSQL itself, and prints the figures to docs/reference/bench-wire.md.
# Run it on a machine that does nothing else. BENCH_ROUNDS sets how often (5), BENCH_ROWS how many rows (1000000).
set -eu
cd "$(dirname "$0")/../.."
exec node --disable-warning=ExperimentalWarning bench/wire/wire.ts
