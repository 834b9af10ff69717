#!/bin/sh
# Installs the tools from npm, and transpiles orb.wasm for JavaScript into edge/js/dist.
#
# usage: build.sh TARGET_DIR
set -eu
target=$(cd "$1" && pwd)
cd "$(dirname "$0")"
if ! command -v npm >/dev/null; then
  echo "error: make edge-js needs npm (Node 20 or newer brings it), and the npm registry; nothing else needs them" >&2
  exit 1
fi
# What is installed is that of the lock file, whose copy npm keeps.
if ! cmp -s package-lock.json node_modules/lock; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/lock
fi
node js/tools/transpile.mjs "$target/wasm32-wasip2/component/orb.wasm" orb js/dist/orb
# Types of the package, and of a program that uses it.
node_modules/.bin/tsc --project test/tsconfig.json
ls -l js/dist/orb | awk 'NF > 2 { printf "%12d bytes  edge/js/dist/orb/%s\n", $5, $NF }' >&2
