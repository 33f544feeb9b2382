#!/usr/bin/env bash
# Builds the image, brings the compose project up as a stranger would, checks what is promised of it, and takes it down.
#
#   test/containers/run.sh          all of it, about 5 minutes
#   KEEP=1 test/containers/run.sh   leaves the project up, to look at it
#
# Needs a Docker engine with compose: the one that `docker` reaches, else the container lab (CONTAINER_LAB, usually
# ../shared/containers/container-lab). Exit code 77 when there is neither, 1 when a promise is broken.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. test/containers/common.sh

export COMPOSE_PROJECT_NAME=boathouse-test IMAGE=boathouse-test BOATHOUSE_HTTP_PORT=${TEST_PORT:-18620} WEB_PORT=${TEST_WEB_PORT:-18621}
export BOATHOUSE_PG_PORT=${TEST_PG_PORT:-15439}
unset BOATHOUSE_ADMIN_PASSWORD BOATHOUSE_PUBLIC_URL BOATHOUSE_ENV PROJECT_DIR SALES_EXAMPLE
url=http://localhost:$BOATHOUSE_HTTP_PORT

finish() {
  code=$?
  if [ $code -ne 0 ]; then
    echo "---- the containers, and the ends of their logs" >&2
    compose ps -a >&2 || true
    compose logs --tail 40 >&2 || true
  fi
  if [ -z "${KEEP:-}" ]; then compose down -v --timeout 5 > /dev/null 2>&1 || true; fi
  rm -rf "$scratch"
  exit $code
}
trap finish EXIT
trap 'echo "FAILED: line $LINENO: $BASH_COMMAND" >&2' ERR

# ---- the image

compose down -v --timeout 5 > /dev/null 2>&1 || true
quietly docker build -t "$IMAGE" .
quietly docker build -t "$IMAGE-web" --target web .
ok "the image is built: $(($(docker image inspect -f '{{.Size}}' "$IMAGE") / 1000000)) MB"
expect 'the user of the image' "$(docker image inspect -f '{{.Config.User}}' "$IMAGE")" 1000:1000
unneeded=$(docker run --rm --entrypoint sh "$IMAGE" -c 'cd /app; ls -d node_modules/node-* node_modules/typescript node_modules/vite web/src test .env .git 2> /dev/null; find src -name "*.test.ts"; true')
expect 'what the image has besides what runs' "${unneeded:-nothing}" nothing

# ---- the first start

started=$SECONDS
up
ok "docker compose up -d --wait took $((SECONDS - started)) s"
for service in serve worker postgres redis; do expect "$service" "$(health $service)" healthy; done
expect '/healthz' "$(healthz)" '{"status":"ok","db":"ok","redis":"ok"}'

states() { for service in serve worker postgres redis; do inspect $service '{{.Id}} {{.State.StartedAt}} {{.RestartCount}}'; done; }
before=$(states)
up
expect 'what a second up changes' "$([ "$(states)" = "$before" ] && echo nothing || echo something)" nothing

# ---- who reaches what

for service in serve worker postgres redis; do
  expect "the published port of $service" "$(inspect $service '{{range $port, $to := .NetworkSettings.Ports}}{{range $to}}{{.HostIp}}:{{.HostPort}} {{end}}{{end}}' | xargs)" "$([ $service = serve ] && echo "127.0.0.1:$BOATHOUSE_PG_PORT 127.0.0.1:$BOATHOUSE_HTTP_PORT" || true)"
done
expect 'the private network lets nothing out' "$(docker network inspect -f '{{.Internal}}' ${COMPOSE_PROJECT_NAME}_private)" true
for service in worker postgres redis; do
  expect "the networks of $service" "$(inspect $service '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}')" ${COMPOSE_PROJECT_NAME}_private
done
for service in serve worker; do
  expect "the user in $service" "$(compose exec -T $service id -u)" 1000
  expect "$service may write its own program" "$(compose exec -T $service sh -c 'touch /app/x 2> /dev/null && echo yes || echo no')" no
done

# ---- the work

link=$(compose logs --no-log-prefix serve | sed -n 's/.*login?token=\([A-Za-z0-9_-]*\).*/\1/p' | tail -n 1)
[ -n "$link" ] || fail 'the log of serve has no log-in link'
expect 'who logs in by the link of the log' "$(api POST /api/session/link "{\"token\":\"$link\"}" | json it.user.name)" admin

quietly boathouse run
rows=$(($(compose exec -T serve cat sales.csv | grep -c .) - 1))
expect 'rows of raw.sales' "$(ask 'select count(*) from raw.sales')" $rows
token=$(boathouse token create containers --json | json it.token)
expect 'rows of raw.sales for psql of another container' "$(compose exec -T -e PGPASSWORD="$token" postgres psql -h serve -p 5439 -U admin -d dev -tAc 'select count(*) from raw.sales')" $rows
quietly boathouse doctor
ok 'doctor passes'
expect 'who executed the run' "$(boathouse runs ls --json --limit 1 | json 'it[0].workerId.replace(/-.*/, "")')" worker
quietly compose exec -T serve sh ./smoke.sh
ok 'smoke.sh passes inside'
rows=$((rows + 1))
expect 'rows of raw.sales' "$(ask 'select count(*) from raw.sales')" $rows

dashboard=$(api GET /api/dashboards | json 'it.dashboards[0].name')
revenue() { api POST "/api/dashboards/$dashboard/data" '{"filters":{}}'; }
expect "panels of the dashboard $dashboard that fail" "$(revenue | json 'Object.values(it.panels).filter(({ failure }) => failure).length')" 0

# No service may have said that something is wrong: until here nothing was.
found=$(mistakes)
expect 'errors in the logs' "${found:-none}" none

# ---- a worker dies in the middle of a run

( while [ -d "$scratch" ] && [ ! -e "$scratch/enough" ]; do curl -s -m 5 -o /dev/null -w '%{http_code}\n' "$url/healthz"; sleep 0.2; done > "$scratch/answers" ) &
watcher=$!
run=$(api POST /api/runs '{}' | json it.id)
crash worker
eventually 60 'the dead worker comes back' is_health worker healthy
expect 'restarts of the worker' "$(inspect worker '{{.RestartCount}}')" 1
run_ended() { [[ $(api GET "/api/runs/$run" | json it.status) =~ succeeded|failed|cancelled ]]; }
eventually 60 'the run ends' run_ended
expect 'the run that lost its worker' "$(api GET "/api/runs/$run" | json it.status)" succeeded
touch "$scratch/enough"
wait $watcher
expect "answers of serve meanwhile ($(wc -l < "$scratch/answers"))" "$(sort -u "$scratch/answers" | tr '\n' ' ')" '200 '
expect 'restarts of serve' "$(inspect serve '{{.RestartCount}}')" 0
expect 'rows of raw.sales' "$(ask 'select count(*) from raw.sales')" $rows

# ---- stopping and starting

stops_well() {
  local began=$SECONDS
  quietly compose stop "$1"
  expect "the exit code of $1 after SIGTERM, in $((SECONDS - began)) s" "$(inspect "$1" '{{.State.ExitCode}}')" 0
}
stops_well worker
expect 'serve without a worker' "$(health serve) $(healthz | json it.status)" 'healthy ok'
stops_well serve
up
expect 'rows of raw.sales after a restart' "$(ask 'select count(*) from raw.sales')" $rows
expect 'who is still logged in' "$(api GET /api/session | json it.user.name)" admin
quietly compose restart
up
expect 'rows of raw.sales after a restart of everything' "$(ask 'select count(*) from raw.sales')" $rows
quietly compose down
up
expect 'rows of raw.sales after down and up' "$(ask 'select count(*) from raw.sales')" $rows
quietly boathouse run
ok 'and the pipeline runs'
found=$(compose logs --no-log-prefix serve worker | grep -E '"level":"error"' || true)
expect 'errors in the logs' "${found:-none}" none

# ---- a service is away

quietly compose stop redis
eventually 20 'healthz names redis while it is away' healthz_is 'ok failed'
expect 'the status of healthz' "$(curl -s -o /dev/null -w '%{http_code}' "$url/healthz")" 503
quietly boathouse run
ok 'the pipeline runs without redis'
quietly compose start redis
eventually 30 'redis is back' healthz_is 'ok ok'
quietly compose stop postgres
eventually 20 'healthz names db while postgres is away' healthz_is 'failed ok'
eventually 120 'docker sees that the worker is cut off' is_health worker unhealthy
quietly compose start postgres
eventually 60 'postgres is back' healthz_is 'ok ok'
eventually 60 'serve is healthy again' is_health serve healthy
eventually 60 'the worker is healthy again' is_health worker healthy
quietly boathouse run
ok 'and the pipeline runs'
expect 'restarts of serve' "$(inspect serve '{{.RestartCount}}')" 0
quietly compose down -v

# ---- the example as a folder of this machine, read-only for its user; sources mounted

cp -R examples/sales "$scratch/project"
rm -rf "$scratch/project/.boathouse"
chmod -R a+rX,go-w "$scratch" "$scratch/project"
export PROJECT_DIR=$scratch/project
files=(-f docker-compose.yml -f docker-compose.dev.yml)
up
quietly boathouse run
link=$(compose logs --no-log-prefix serve | sed -n 's/.*login?token=\([A-Za-z0-9_-]*\).*/\1/p' | tail -n 1)
api POST /api/session/link "{\"token\":\"$link\"}" > /dev/null
title_is() { [ "$(api GET /api/dashboards | json 'it.dashboards[0].title')" = "$1" ]; }
title_is Sales || fail 'the dashboard is not there'
sed -i.old 's/^title: .*/title: Edited/' "$scratch/project/dashboards/sales.yml"
eventually 10 'a saved dashboard is seen' title_is Edited
pages=http://localhost:$WEB_PORT
expect 'the pages from their sources' "$(curl -s -o /dev/null -w '%{http_code}' "$pages/")" 200
link=$(boathouse user reset admin | sed -n 's/.*token=\([A-Za-z0-9_-]*\).*/\1/p')
expect 'who logs in there' "$(url=$pages api POST /api/session/link "{\"token\":\"$link\"}" -H "origin: $pages" | json it.user.name)" admin
quietly compose down -v
ok 'all of it'
