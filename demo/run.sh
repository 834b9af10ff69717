#!/bin/sh
# Reads every stream of a test server through the host: `check`, `discover`, `read --streams all`.
# Prints the messages to stdout and a summary to stderr. Stops the server at the end.
#
# usage: run.sh HOST COMPONENT MOCK_ORB
set -eu
host=$1 component=$2 mock_orb=$3
here=$(dirname "$0")
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT INT TERM

"$mock_orb" --port-file "$work/url" --api-key mock-orb-key-0123456789 --customers 120 --plans 5 --subscriptions 12 --invoices 150 \
  --ledger-customers 10 --ledger-entries 12 >/dev/null &
server=$!
tries=0
until [ -s "$work/url" ]; do
  kill -0 "$server" 2>/dev/null || { echo "error: the test server did not start" >&2; exit 1; }
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { echo "error: the test server did not report its address" >&2; exit 1; }
  sleep 0.1
done
sed "s|@URL@|$(cat "$work/url")|" "$here/config.json" >"$work/config.json"

"$host" run "$component" check --config "$work/config.json" >"$work/check.jsonl"
cat "$work/check.jsonl"
echo "check:    $(sed -n 's/.*"status":"\([A-Z]*\)".*/\1/p' "$work/check.jsonl")" >&2
"$host" run "$component" discover --config "$work/config.json" >"$work/discover.jsonl"
cat "$work/discover.jsonl"
streams=$(grep -o '"name":"[a-z_]*","json_schema":' "$work/discover.jsonl" | cut -d '"' -f 4)
echo "discover: $(echo "$streams" | wc -l) streams" >&2
echo "read:     all of them" >&2
"$host" run "$component" read --config "$work/config.json" --streams all --no-progress >"$work/read.jsonl" &&
  code=0 || code=$?
cat "$work/read.jsonl"

echo >&2
printf '%-34s %8s %8s  %s\n' stream records states status >&2
for stream in $streams; do
  messages=$work/$stream
  grep "\"name\":\"$stream\"\|\"stream\":\"$stream\"" "$work/read.jsonl" >"$messages" || true
  records=$(grep -c '^{"type":"RECORD"' "$messages" || true)
  states=$(grep -c '^{"type":"STATE"' "$messages" || true)
  status=$(sed -n 's/^{"type":"TRACE".*"status":"\([A-Z]*\)".*/\1/p' "$messages" | tail -n 1)
  printf '%-34s %8s %8s  %s\n' "$stream" "$records" "$states" "$status" >&2
done
exit "$code"
