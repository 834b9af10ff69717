# What Airbyte's platform has the container of a source do, in our words: read with the entry point that the environment
# names, output and errors into named pipes, and write down how it ended; end early if a marker says so.
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
