#!/bin/sh
# Prints the Python that has PySpark and the jar of Iceberg's runtime for it, one a line. Needs Java 11 or 17 and Maven.
set -eu
cd "$(dirname "$0")"
runtime=iceberg-spark-runtime-3.5_2.12 version=1.10.1
python=$(../python.sh conformance-spark "$PWD/requirements.txt")
jars="${XDG_CACHE_HOME:-$HOME/.cache}/boathouse-conformance-spark-jars"
[ -f "$jars/$runtime-$version.jar" ] ||
  mvn -q -B dependency:copy "-Dartifact=org.apache.iceberg:$runtime:$version" "-DoutputDirectory=$jars" >&2
echo "$python"
echo "$jars/$runtime-$version.jar"
