#!/bin/sh
# Installs what people run today, if there is a Python that it supports, and measures.
#
# usage: run.sh TARGET_DIR [OPTION...], options being those of the program `bench`
set -eu
target=$1
shift
conformance=$(dirname "$0")/../tests/conformance
if python=$(PYTHONDONTWRITEBYTECODE=1 python3 "$conformance/environment.py" \
    "$conformance/requirements-control.txt" "$target/conformance/control/venv" 3.10 3.11); then
  set -- --python "$python" "$@"
fi
exec "$target/release/bench" --target "$target" --published "$conformance/published.py" "$@"
