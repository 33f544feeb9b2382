#!/bin/sh
# The real peers. `run.ts` says what is run and how; this finds the Node that goes with the project.
cd "$(dirname "$0")/../.."
for node in node_modules/node-linux-*/bin node_modules/node-darwin-*/bin node_modules/node-bin-darwin-*/bin; do
  [ ! -x "$node/node" ] || PATH=$PWD/$node:$PATH
done
exec node --disable-warning=ExperimentalWarning test/conformance/run.ts "$@"
