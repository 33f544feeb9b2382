#!/bin/sh
# Prints the Python that has PySpark and the jar of Iceberg's runtime for it, one a line. Needs Java 11 or 17 and Maven.
set -eu
cd "$(dirname "$0")"
runtime=org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.1
python=$(../python.sh conformance-spark "$PWD/requirements.txt")
mvn -q -B dependency:get -Dartifact="$runtime" -Dtransitive=false >&2
repository=$(mvn -q -B help:evaluate -Dexpression=settings.localRepository -DforceStdout)
echo "$python"
find "$repository/org/apache/iceberg" -name "iceberg-spark-runtime-3.5_2.12-1.10.1.jar"
