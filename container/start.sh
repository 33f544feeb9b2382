#!/bin/sh
# An empty project folder becomes the sales example, so that a first `docker compose up` shows something.
set -e
if [ ! -e boathouse.yml ] && [ "${SALES_EXAMPLE:-on}" = on ] && [ -w . ] && [ -z "$(ls -A .)" ]; then
  /app/boathouse init .
fi
exec /app/boathouse "$@"
