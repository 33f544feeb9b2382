#!/bin/sh
# The tests start a real PostgreSQL, Redis and Chromium. On Debian and with the right to do it, installs what is missing.
missing=
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || missing="$missing postgresql"
command -v redis-server >/dev/null || missing="$missing redis-server"
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing="$missing chromium"
[ -z "$missing" ] && exit 0
echo "tests need:$missing" >&2
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
  echo "install them first, for example: sudo apt-get install$missing" >&2
  exit 1
fi
