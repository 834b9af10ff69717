"""Reads a stream of a connector with wasmtime's Python package (46 or newer).

Nothing here guards the connector: wasmtime-py has no hook for requests, so a component can reach
any host, and it sees the key in the config. It has no files, environment or other sockets. Run only
components that you trust this way; `host run` and `elt-host` are for others.

    python read_stream.py orb.wasm config.json invoices [state.json]
"""

import json
import sys
from types import SimpleNamespace

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker

SOURCE = "elt:connector/source@0.3.0"
CONTRACT = "elt:connector"
VERSION = "0.3.0"


def log(_store, level, message):
    print(f"{level}: {message}", file=sys.stderr)


def start(path):
    """Starts an instance. Returns a function that calls an export of the source."""
    engine = Engine(Config())
    linker = Linker(engine)
    linker.add_wasip2()
    linker.add_wasi_http()
    with linker.root() as root:
        with root.add_instance(f"{CONTRACT}/log@{VERSION}") as instance:
            instance.add_func("log", log)
        with root.add_instance(f"{CONTRACT}/progress@{VERSION}") as instance:
            instance.add_func("rate-limited", lambda _store, until: None)
            instance.add_func("slices", lambda _store, done, total: None)
    store = Store(engine)
    store.set_wasi(WasiConfig())
    store.set_wasi_http()
    component = Component.from_file(engine, path)
    instance = linker.instantiate(store, component)
    source = instance.get_export_index(store, SOURCE)

    def call(name, *arguments):
        function = instance.get_func(store, instance.get_export_index(store, name, source))
        result = function(store, *arguments)
        function.post_return(store)
        return result

    return call


def batches(path, config, stream, state=None):
    """Yields the batches of a stream: records and, where one is due, a checkpoint."""
    call = start(path)
    configured = SimpleNamespace(**{"name": stream, "sync-mode": "incremental"})
    reader = succeeded(call("read", config, configured, state))
    while (batch := succeeded(call("[method]reader.next-batch", reader))) is not None:
        yield batch


def succeeded(result):
    """The value of a WIT result, or an exception with the connector's error."""
    tag, value = (result.tag, result.payload) if hasattr(result, "tag") else ("ok", result)
    if hasattr(value, "failure-type"):
        tag = "err"
    if tag == "err":
        raise SystemExit(f"{getattr(value, 'failure-type')}: {value.message}")
    return value


if __name__ == "__main__":
    component, config, stream, *state = sys.argv[1:]
    state = open(state[0]).read() if state else None
    for batch in batches(component, open(config).read(), stream, state):
        for record in batch.records:
            print(record)
        if batch.checkpoint is not None:
            print(json.dumps({"checkpoint": batch.checkpoint}), file=sys.stderr)
