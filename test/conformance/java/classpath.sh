#!/bin/sh
# Prints the class path that Peer.java runs with. Needs Java 11 or 17 and Maven.
set -eu
cd "$(dirname "$0")"
file=$(mktemp)
trap 'rm -f "$file"' EXIT
mvn -q -B dependency:build-classpath -Dmdep.outputFile="$file" >&2
cat "$file"
