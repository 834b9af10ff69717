# Does what Airbyte's platform runs in a source's container: reads with the entry point from the
# environment, writes output and errors to named pipes, records the exit code, and stops early if a
# marker file appears.
if [ -z "$AIRBYTE_ENTRYPOINT" ]; then
  echo "AIRBYTE_ENTRYPOINT is not set"
  exit 127
fi
(
  state=
  if [ -f /source/inputState.json ]; then state='--state /source/inputState.json'; fi
  eval "$AIRBYTE_ENTRYPOINT read --config /source/connectorConfig.json --catalog /source/catalog.json $state" \
    2>/source/stderr >/source/stdout
) &
connector=$!
(
  until [ -f /source/TERMINATION_MARKER ]; do sleep 1; done
  kill "$connector"
) &
watch=$!
wait "$connector"
code=$?
kill "$watch" 2>/dev/null
echo "$code" >/source/exitCode.new
mv /source/exitCode.new /source/exitCode.txt
exit "$code"
