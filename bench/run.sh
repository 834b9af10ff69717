#!/bin/sh
# Installs the published connector if a supported Python exists, and runs the benchmarks.
#
# usage: run.sh TARGET_DIR [OPTION...], with the options of the program `bench`
set -eu
target=$1
shift
conformance=$(dirname "$0")/../tests/conformance
if python=$(PYTHONDONTWRITEBYTECODE=1 python3 "$conformance/environment.py" \
    "$conformance/requirements-control.txt" "$target/conformance/control/venv" 3.10 3.11); then
  set -- --python "$python" "$@"
fi
exec "$target/release/bench" --target "$target" --published "$conformance/published.py" "$@"
