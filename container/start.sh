#!/bin/sh
# An empty project folder becomes the sales example, so that a first `docker compose up` shows something. Not for a
# worker: it starts beside a server, and one of them has to make it. SALES_EXAMPLE=off leaves an empty folder alone.
set -eu

# boathouse.yml comes last: a start that is killed here leaves no half project, and the next one begins again.
make_example() {
  rm -rf .example.new
  /app/boathouse init .example.new > /dev/null
  mv .example.new/boathouse.yml .boathouse.yml.new
  cp -R .example.new/. .
  mv .boathouse.yml.new boathouse.yml
  rm -rf .example.new
}

case "${1:-}" in
  serve | up | dev)
    if [ ! -e boathouse.yml ] && [ "${SALES_EXAMPLE:-on}" = on ] && { [ -z "$(ls -A)" ] || [ -d .example.new ]; }; then
      if [ -w . ]; then make_example; else echo "$PWD is empty, and user $(id -u) may not write into it" >&2; fi
    fi
    ;;
esac
exec /app/boathouse "$@"
