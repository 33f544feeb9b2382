#!/usr/bin/env bash
# Brings up docker-compose.full.yml, with SeaweedFS and Apache Polaris, and then docker-compose.staging.yml beside
# production, and checks what is promised of them.
#
#   test/containers/full.sh          all of it, about 8 minutes
#   KEEP=1 test/containers/full.sh   leaves what is up at the end, to look at it
#
# The engine as in run.sh. Where it cannot pull images, stand-ins are built from the programs of the lab of services
# beside the project (LAB_HOME): then our files and calls are tested, and not the images.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. test/containers/common.sh

export IMAGE=boathouse-test BOATHOUSE_HTTP_PORT=${TEST_PORT:-18620} STAGING_HTTP_PORT=${TEST_STAGING_PORT:-18622}
export BOATHOUSE_PG_PORT=${TEST_PG_PORT:-15439} STAGING_PG_PORT=${TEST_STAGING_PG_PORT:-15440}
unset BOATHOUSE_ADMIN_PASSWORD BOATHOUSE_PUBLIC_URL BOATHOUSE_ENV PROJECT_DIR SALES_EXAMPLE COMPOSE_PROJECT_NAME
url=http://localhost:$BOATHOUSE_HTTP_PORT
use() { # project, file
  export COMPOSE_PROJECT_NAME=$1
  files=(-f "$2")
}
full() { use boathouse-test-full docker-compose.full.yml; }
production() { use boathouse-test-production docker-compose.yml; }
staging() { use boathouse-test-staging docker-compose.staging.yml; }
remove_all() { for one in full production staging; do $one; compose down -v --timeout 5 > /dev/null 2>&1 || true; done; }

finish() {
  code=$?
  if [ $code -ne 0 ]; then
    echo "---- the containers of $COMPOSE_PROJECT_NAME, and the ends of their logs" >&2
    compose ps -a >&2 || true
    compose logs --tail 40 >&2 || true
  fi
  [ -n "${KEEP:-}" ] || remove_all
  rm -rf "$scratch"
  exit $code
}
full
trap finish EXIT
trap 'echo "FAILED: line $LINENO: $BASH_COMMAND" >&2' ERR

# ---- images

remove_all
quietly docker build -t "$IMAGE" .
ok 'the image of Boathouse is built'

stand_ins() {
  local opt=${LAB_HOME:-$HOME/.cache/lab}/opt here=$PWD/test/containers/stand-ins at=$scratch/stand-in jdk
  jdk=$(ls -d /usr/lib/jvm/java-1.17.* /usr/lib/jvm/*17* 2> /dev/null | head -n 1)
  if [ ! -x "$(ls "$opt"/seaweedfs-*/weed 2> /dev/null | head -n 1)" ] || [ -z "$jdk" ] || ! ls -d "$opt"/iceberg-rest-* > /dev/null 2>&1; then
    echo 'containers: cannot run: no image registry, and no lab of services with SeaweedFS, iceberg-rest and Java 17' >&2
    exit 77
  fi
  mkdir -p "$at/seaweedfs" "$at/polaris/jdk"
  cp "$opt"/seaweedfs-*/weed "$here/get.mjs" "$at/seaweedfs"
  cp "$here/get.mjs" "$here/polaris.mjs" "$at/polaris"
  cp -r "$opt"/iceberg-rest-*/lib "$at/polaris/lib"
  mvn -q -B dependency:copy -Dartifact=org.postgresql:postgresql:42.7.4 -DoutputDirectory="$at/polaris/lib" > /dev/null
  tar -C "$jdk" -ch --exclude=src.zip --exclude=jmods --exclude=docs . | tar -C "$at/polaris/jdk" -x
  chmod -R a+rX "$at"
  chmod a+x "$at"/*/get.mjs "$at/seaweedfs/weed"
  quietly docker build -t boathouse-test-seaweedfs -f "$here/seaweedfs.Dockerfile" "$at/seaweedfs"
  quietly docker build -t boathouse-test-polaris -f "$here/polaris.Dockerfile" "$at/polaris"
  rm -rf "$at"
  export SEAWEEDFS_IMAGE=boathouse-test-seaweedfs POLARIS_IMAGE=boathouse-test-polaris POLARIS_ADMIN_IMAGE=boathouse-test-polaris
  ok 'stand-ins for SeaweedFS and Apache Polaris are built'
}
if [ $can_pull = no ]; then stand_ins; fi

# ---- with SeaweedFS and Polaris

full
services='serve worker postgres redis seaweedfs polaris'
started=$SECONDS
up
ok "docker compose -f docker-compose.full.yml up -d --wait took $((SECONDS - started)) s"
for service in $services; do expect "$service" "$(health $service)" healthy; done
for service in setup polaris-bootstrap; do expect "the exit code of $service" "$(inspect $service '{{.State.ExitCode}}')" 0; done
for service in worker postgres redis seaweedfs polaris setup; do
  expect "the networks of $service" "$(inspect $service '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}')" ${COMPOSE_PROJECT_NAME}_private
done

rows_of() { ask 'select count(*) from raw.sales'; }
quietly boathouse run
rows=$(($(compose exec -T serve cat sales.csv | grep -c .) - 1))
expect 'rows of raw.sales' "$(rows_of)" $rows
quietly compose exec -T serve sh ./smoke.sh
ok 'smoke.sh passes inside'
rows=$((rows + 1))
expect 'rows of raw.sales' "$(rows_of)" $rows
expect 'who executed the run' "$(boathouse runs ls --json --limit 1 | json 'it[0].workerId.replace(/-.*/, "")')" worker
expect_match 'the place of raw.sales' "$(boathouse table describe raw.sales --json | json it.location)" '^s3://lake/tables/'
expect 'files of tables in the volume state' "$(compose exec -T serve sh -c 'find /state -path "*lake*" -name "*.parquet" | wc -l')" 0

foreign() { compose logs --no-log-prefix seaweedfs polaris | grep -E '^[EF][0-9]{4}|ERROR|FATAL|Exception' || true; }
found=$(mistakes; foreign)
expect 'errors in the logs' "${found:-none}" none

quietly compose restart
up
expect 'rows of raw.sales after a restart of everything' "$(rows_of)" $rows
quietly compose down
up
expect 'rows of raw.sales after down and up' "$(rows_of)" $rows
quietly boathouse run
quietly boathouse doctor
ok 'the pipeline runs, and doctor passes'
expect 'rows of raw.sales' "$(rows_of)" $rows
quietly compose down -v

# ---- staging beside production

production
up
quietly boathouse run
quietly compose exec -T serve sh ./smoke.sh
expect 'rows of raw.sales in production' "$(rows_of)" $rows
staging
up
for service in serve worker postgres redis; do expect "$service of staging" "$(health $service)" healthy; done
expect 'the ports' "$(docker port "$(id_of serve)" | sort | xargs)" "5439/tcp -> 127.0.0.1:$STAGING_PG_PORT 8620/tcp -> 127.0.0.1:$STAGING_HTTP_PORT"
expect 'the environment of staging' "$(compose exec -T serve printenv BOATHOUSE_ENV)" staging
quietly boathouse run
expect 'rows of raw.sales in staging' "$(rows_of)" $((rows - 1))
expect_match 'the catalog of staging' "$(boathouse table describe raw.sales --json | json it.location)" staging_analytics
mounts() { for service in serve worker postgres redis; do inspect $service '{{range .Mounts}}{{.Name}} {{end}}{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}'; done | tr ' ' '\n' | sort -u | grep .; }
mounts > "$scratch/staging"
production
mounts > "$scratch/production"
shared=$(comm -12 "$scratch/staging" "$scratch/production")
expect 'volumes and networks of both' "${shared:-none}" none
expect 'rows of raw.sales in production' "$(rows_of)" $rows
staging
found=$(mistakes)
expect 'errors in the logs of staging' "${found:-none}" none
quietly compose down -v
production
expect 'production without staging' "$(health serve) $(healthz | json it.status) $(rows_of)" "healthy ok $rows"
found=$(mistakes)
expect 'errors in the logs of production' "${found:-none}" none
ok 'all of it'
