#!/bin/sh
# Finds a Python for run.py, and starts it.
#
# usage: run.sh TARGET_DIR [PART...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# Keep Python's caches out of the source tree.
export PYTHONDONTWRITEBYTECODE=1
for python in python3 python3.12 python3.11 python3.10 python3.13; do
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    exec "$python" "$here/run.py" "$@"
  fi
done
echo "error: make conformance needs Python 3.10 or newer as python3, and PyPI; nothing else needs them" >&2
exit 1
