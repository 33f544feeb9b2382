#!/bin/sh
# Prints the Python that has PySpark and the jar of Iceberg's runtime for it, one a line: of Spark 3.5, or of Spark 4 with
# `spark.sh 4`. Needs Java 17 and Maven.
set -eu
cd "$(dirname "$0")"
case ${1:-3.5} in
  3.5) name=conformance-spark requirements=requirements.txt runtime=iceberg-spark-runtime-3.5_2.12 version=1.10.1 ;;
  4) name=conformance-spark-4 requirements=requirements-spark-4.txt runtime=iceberg-spark-runtime-4.1_2.13 version=1.11.0 ;;
  *) echo "spark.sh: no Spark $1" >&2 && exit 2 ;;
esac
python=$(../python.sh "$name" "$PWD/$requirements")
jars="${XDG_CACHE_HOME:-$HOME/.cache}/boathouse-conformance-spark-jars"
[ -f "$jars/$runtime-$version.jar" ] ||
  mvn -q -B dependency:copy "-Dartifact=org.apache.iceberg:$runtime:$version" "-DoutputDirectory=$jars" >&2
echo "$python"
echo "$jars/$runtime-$version.jar"
