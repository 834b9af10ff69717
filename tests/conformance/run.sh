#!/bin/sh
# Finds a Python for run.py, which does all the rest.
#
# usage: run.sh TARGET_DIR [PART...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# Python must not leave its caches beside its sources.
export PYTHONDONTWRITEBYTECODE=1
for python in python3 python3.12 python3.11 python3.10 python3.13; do
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    exec "$python" "$here/run.py" "$@"
  fi
done
echo "error: make conformance needs Python 3.10 or newer as python3, and PyPI; neither is needed for anything else" >&2
exit 1
