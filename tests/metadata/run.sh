#!/bin/sh
# Validates the connector's metadata against Airbyte's schema and the manifest against Kubernetes'.
# Prints one line per check, and exits with 1 if any failed.
#
# usage: run.sh TARGET_DIR
# needs: Python 3.10 and PyPI. Installs packages in TARGET_DIR/metadata.
set -eu
mkdir -p "$1/metadata"
venv=$(cd "$1/metadata" && pwd)/venv
here=$(cd "$(dirname "$0")" && pwd)
# Keep Python's caches out of the source tree.
export PYTHONDONTWRITEBYTECODE=1

if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  echo "installing $(tr '\n' ' ' <"$here/requirements.txt")" >&2
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/installed.txt"
fi
exec "$venv/bin/python" "$here/check.py" "$here/../.."
