#!/bin/sh
# Runs every stream of mock-orb through each runtime that npm has, and attacks the guard.
#
# usage: test.sh TARGET_DIR
set -eu
TARGET_DIR=$(cd "$1" && pwd)
export TARGET_DIR
cd "$(dirname "$0")"
# JSPI needs Node 24. One that is installed is taken if it is new enough.
for node in node node_modules/node-linux-*/bin/node; do
  if "$node" -e 'process.exit(typeof WebAssembly.Suspending === "function" ? 0 : 1)' 2>/dev/null; then
    exec "$node" --test --test-concurrency=1 --test-timeout=240000 js/test/*.test.js cloudflare/test/*.test.js test/*.test.js
  fi
done
echo "error: make edge-test needs Node 24 or newer; npm has none for this machine" >&2
exit 1
