"""Reads streams of a connector with wasmtime's Python package (46 or newer).

Nothing here guards against the connector. wasmtime-py has no hook for requests, so a component can
reach any host, and it sees the key in the config; nothing masks the key in records or logs. Memory
is limited, time is not. It has no files, no environment and no other sockets. Run only components
that you trust this way; `host run` and the crate `elt-host` are for others.

    python read_stream.py orb.wasm config.json invoices,plans [STATE]
"""

import json
import sys
from types import SimpleNamespace

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker

VERSION = "0.3.0"
SOURCE = f"elt:connector/source@{VERSION}"
# The most memory of an instance.
MEMORY_BYTES = 256 << 20


class ConnectorError(Exception):
    """What the connector says. `failure_type` is config, transient or system."""

    def __init__(self, error):
        super().__init__(error.message)
        self.failure_type = getattr(error, "failure-type")


class Connector:
    """A component, compiled once."""

    def __init__(self, path, log=lambda level, message: print(f"{level}: {message}", file=sys.stderr)):
        self.engine = Engine(Config())
        self.component = Component.from_file(self.engine, path)
        self.linker = Linker(self.engine)
        self.linker.add_wasip2()
        self.linker.add_wasi_http()
        with self.linker.root() as root:
            with root.add_instance(f"elt:connector/log@{VERSION}") as instance:
                instance.add_func("log", lambda _store, level, message: log(level, message))
            with root.add_instance(f"elt:connector/progress@{VERSION}") as instance:
                instance.add_func("rate-limited", lambda _store, until: None)
                instance.add_func("slices", lambda _store, done, total: None)

    def start(self):
        """Starts an instance, which one call or one read needs. Returns a function that calls it."""
        store = Store(self.engine)
        store.set_wasi(WasiConfig())
        store.set_wasi_http()
        store.set_limits(memory_size=MEMORY_BYTES)
        instance = self.linker.instantiate(store, self.component)
        source = instance.get_export_index(store, SOURCE)

        def call(name, *arguments):
            function = instance.get_func(store, instance.get_export_index(store, name, source))
            result = function(store, *arguments)
            function.post_return(store)
            return result

        return call

    def streams(self, config):
        """The names of the streams."""
        return [stream.name for stream in value(self.start()("discover", config))]

    def read(self, config, stream, state=None):
        """Yields the batches of a stream: records and, where one is due, a checkpoint."""
        call = self.start()
        configured = SimpleNamespace(**{"name": stream, "sync-mode": "incremental"})
        reader = value(call("read", config, configured, state))
        while (batch := value(call("[method]reader.next-batch", reader))) is not None:
            yield batch


def value(result):
    """The value of a WIT result, or an exception with the connector's error."""
    # Where it can tell the two apart, wasmtime-py returns the value or the error itself.
    found = result.payload if hasattr(result, "tag") else result
    if hasattr(found, "failure-type"):
        raise ConnectorError(found)
    return found


def main(path, config, streams, state=None):
    connector = Connector(path)
    with open(config, encoding="utf-8") as file:
        config = file.read()
    for stream in streams.split(","):
        for batch in connector.read(config, stream, state):
            for record in batch.records:
                print(record)
            if batch.checkpoint is not None:
                print(json.dumps({"stream": stream, "checkpoint": batch.checkpoint}), file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
