"""Reads every stream with the example for wasmtime's Python package, and compares with `host run`.

Prints one line per check.
"""

import importlib.util
import json
import os
import pathlib
import subprocess

from checks import check, expect
from emulator import config, emulator

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "edge" / "python" / "read_stream.py"
# A longer time makes costs and volumes take thousands of requests.
PERIOD = {"start_date": "2024-01-01T00:00:00Z", "end_date": "2024-06-30T00:00:00Z"}


def example():
    """The example, as a module."""
    found = importlib.util.spec_from_file_location("read_stream", EXAMPLE)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def host(path):
    """The records that the host reads, by stream."""
    command = [os.environ["HOST"], "run", os.environ["COMPONENT"], "read", "--streams", "all", "--config", path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    records = {}
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD":
            # The text of the record, since reading numbers would alter them.
            text = line[line.index('"data":') + len('"data":') : -2]
            records.setdefault(message["record"]["stream"], set()).add(text)
    return records


def main():
    read_stream = example()
    with emulator() as url:
        account = json.dumps(config(url, **PERIOD))
        path = pathlib.Path("config.json")
        path.write_text(account, encoding="utf-8")
        expected = host(path)
        connector = read_stream.Connector(os.environ["COMPONENT"], log=lambda level, message: None)
        with check("every stream has the records of the host") as seen:
            names = connector.streams(account)
            for name in names:
                found = {record for batch in connector.read(account, name) for record in batch.records}
                expect(name, sorted(found ^ expected.get(name, set()))[:1], [])
            expect("streams without records", len(names) - len(expected), 0)
            seen.append(f"{len(names)} streams, {sum(map(len, expected.values()))} records")
        with check("a read goes on from its last checkpoint") as seen:
            states = [batch.checkpoint for batch in connector.read(account, "invoices") if batch.checkpoint]
            again = [record for batch in connector.read(account, "invoices", states[-1]) for record in batch.records]
            if len(again) * 2 >= len(expected["invoices"]):
                raise AssertionError(f"{len(again)} records were read again")
            seen.append(f"{len(again)} records again")
        with check("a wrong key blames the config") as seen:
            try:
                list(connector.read(json.dumps({**config(url), "api_key": "wrong"}), "plans"))
            except read_stream.ConnectorError as error:
                expect("whose fault", error.failure_type, "config")
                seen.append(str(error)[:60])
            else:
                raise AssertionError("no error")


if __name__ == "__main__":
    main()
