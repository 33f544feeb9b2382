#!/bin/sh
# The real peers: PyIceberg reads our tables and we read its, dbt builds the same models, a container engine runs the
# image. Each part that cannot run here is a skip, told with its reason; where the lab of the peers is at hand
# (../shared), a skip is a failure. The last line is `N passed, N failed`.
#
#     run.sh [--only python|containers]
set -u
cd "$(dirname "$0")/../.."
only=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

part() { [ -z "$only" ] || [ "$only" = "$1" ]; }

if part python; then
  if python=$(test/conformance/python.sh conformance test/conformance/requirements.txt); then
    PYICEBERG_PYTHON="$python" CONFORMANCE_PYTHON="$python" npx vitest run --config test/conformance/vitest.config.ts \
      --reporter=verbose --reporter=json --outputFile.json="$work/report.json"
    ended=$?
    counts=$(node -e '
      const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"))
      // A file that could not be loaded has no tests that failed.
      const broken = testResults.filter((file) => file.status === "failed" && !file.assertionResults.some((one) => one.status === "failed")).length
      console.log(numPassedTests, numFailedTests + broken, numPendingTests + numTodoTests)
    ' "$work/report.json" 2>/dev/null) || counts='0 1 0'
    set -- $counts
    [ "$ended" -eq 0 ] || [ "$2" -gt 0 ] || set -- "$1" 1 "$3"
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
  else
    echo 'skipped: PyIceberg and dbt: no Python 3 with venv, or no package index' >&2
    skipped=$((skipped + 1))
  fi
fi

if part containers; then
  if command -v docker >/dev/null || [ -x ../shared/containers/container-lab ]; then
    for script in run full; do
      test/containers/$script.sh
      case $? in
        0) passed=$((passed + 1)) ;;
        77) skipped=$((skipped + 1)) ;; # it said why it cannot run here
        *) failed=$((failed + 1)) ;;
      esac
    done
  else
    echo 'skipped: containers: no docker' >&2
    skipped=$((skipped + 1))
  fi
fi

if [ "$skipped" -gt 0 ]; then
  echo "$skipped skipped" >&2
  [ ! -d ../shared ] || failed=$((failed + skipped))
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
