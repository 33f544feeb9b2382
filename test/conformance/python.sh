#!/bin/sh
# Prints the Python of a virtual environment that holds exactly what a requirements file names. Made once per content
# of the file, in the cache folder of the user, never in the project.
#
#     python.sh NAME REQUIREMENTS_FILE
set -eu
name=$1 requirements=$2
home="${XDG_CACHE_HOME:-$HOME/.cache}/boathouse-$name"
sum=$(cksum <"$requirements")
if [ "$(cat "$home/.installed" 2>/dev/null || true)" != "$sum" ]; then
  rm -rf "$home"
  python3 -m venv "$home" >&2
  "$home/bin/python" -m pip install --quiet --disable-pip-version-check uv >&2
  "$home/bin/uv" pip install --quiet --compile-bytecode --python "$home/bin/python" --requirement "$requirements" >&2
  printf '%s' "$sum" >"$home/.installed"
fi
echo "$home/bin/python"
