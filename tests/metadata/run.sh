#!/bin/sh
# Holds what is written down about the connector against the schemas of those who read it: Airbyte's for metadata, and
# Kubernetes' for the manifest. One line per check; exits with 1 if one failed.
#
# usage: run.sh TARGET_DIR
# needs: Python 3.10 and PyPI. What is installed stays in TARGET_DIR/metadata.
set -eu
mkdir -p "$1/metadata"
venv=$(cd "$1/metadata" && pwd)/venv
here=$(cd "$(dirname "$0")" && pwd)
# Python must not leave its caches beside its sources.
export PYTHONDONTWRITEBYTECODE=1

if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  echo "installing $(tr '\n' ' ' <"$here/requirements.txt")" >&2
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/installed.txt"
fi
exec "$venv/bin/python" "$here/check.py" "$here/../.."
