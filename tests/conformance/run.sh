#!/bin/sh
# Holds the emulator, and the connector, against what Orb itself publishes: its official client, and with
# ORB_OPENAPI=FILE its OpenAPI document too. One line per check; exits with 1 if one failed.
#
# usage: run.sh TARGET_DIR
# needs: TARGET_DIR/release/mock-orb, Python 3.9 and PyPI; with ORB_OPENAPI also TARGET_DIR/release/host, orb.wasm,
#        node 18 and npm. What is installed, and what is written, stays in TARGET_DIR/conformance.
set -eu
target=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
mock_orb=$target/release/mock-orb
host=$target/release/host
component=$target/wasm32-wasip2/component/orb.wasm
work=$target/conformance
prism=@stoplight/prism-cli@5.14.2
key=conformance-key
# Python must not leave its caches beside its sources.
export PYTHONDONTWRITEBYTECODE=1

mkdir -p "$work"
run=$(mktemp -d "$work/run.XXXXXX")
results=$run/results
servers=
stop() {
  for server in $servers; do kill "$server" 2>/dev/null || true; done
  wait
  rm -rf "$run"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

fail() {
  echo "error: $*" >&2
  exit 1
}

# await SERVER TRIES SECONDS COMMAND...: until the command succeeds, or the server is gone.
await() {
  server=$1 tries=$2 seconds=$3
  shift 3
  until "$@"; do
    kill -0 "$server" 2>/dev/null || return 1
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep "$seconds"
  done
}

# emulate NAME OPTION...: starts an emulator, whose URL is then in the file NAME.url.
emulate() {
  name=$1
  shift
  "$mock_orb" --port-file "$run/$name.url" --api-key "$key" "$@" >/dev/null &
  servers="$servers $!"
  await $! 100 0.1 test -s "$run/$name.url" || fail "$mock_orb did not start"
}

# Each check's line goes to the terminal and to the results, and so does a program that does not end well.
report() {
  { "$@" || echo "FAIL $(basename "$2"): ended with $?"; } | tee -a "$results"
}

install_client() {
  cmp -s "$here/requirements.txt" "$work/venv/installed.txt" && return
  echo "installing $(tr '\n' ' ' <"$here/requirements.txt")" >&2
  rm -rf "$work/venv"
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
  cp "$here/requirements.txt" "$work/venv/installed.txt"
}

install_prism() {
  [ "$(cat "$work/prism/installed.txt" 2>/dev/null)" = "$prism" ] && return
  echo "installing $prism" >&2
  rm -rf "$work/prism"
  mkdir "$work/prism"
  npm install --silent --no-audit --no-fund --prefix "$work/prism" "$prism"
  echo "$prism" >"$work/prism/installed.txt"
}

# Prism takes no port 0, so the operating system is asked for a free one first.
free_port() {
  "$work/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

check_document() {
  install_prism
  "$work/venv/bin/python" "$here/mend.py" "$ORB_OPENAPI" "$run/openapi.json"
  port=$(free_port)
  echo "loading $ORB_OPENAPI, which takes up to two minutes" >&2
  : >"$run/prism.log"
  "$work/prism/node_modules/.bin/prism" proxy --errors --host 127.0.0.1 --port "$port" "$run/openapi.json" \
    "$(cat "$run/account.url")" >"$run/prism.log" 2>&1 &
  servers="$servers $!"
  await $! 600 0.5 grep -q "is listening" "$run/prism.log" || {
    tail -n 5 "$run/prism.log" >&2
    fail "prism did not start"
  }
  report "$work/venv/bin/python" "$here/proxy.py" "$(cat "$run/account.url")" "http://127.0.0.1:$port" "$key" \
    "$run/prism.log" "$host" "$component" "$here/../../demo/catalog.json" "$run"
}

[ -x "$mock_orb" ] || fail "$mock_orb is missing: build it first"
install_client
emulate account --ledger-event-ids
emulate trial --rate-classes trial
report "$work/venv/bin/python" "$here/sdk.py" "$(cat "$run/account.url")" "$(cat "$run/trial.url")" "$key"
if [ -n "${ORB_OPENAPI:-}" ]; then
  [ -r "$ORB_OPENAPI" ] || fail "ORB_OPENAPI=$ORB_OPENAPI cannot be read"
  check_document
fi

passed=$(grep -c '^ok ' "$results" || true)
failed=$(grep -c '^FAIL ' "$results" || true)
echo "$passed passed, $failed failed"
[ "$passed" -gt 0 ] && [ "$failed" -eq 0 ]
