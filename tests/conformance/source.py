"""Runs a source's commands as processes and parses their messages."""

import collections
import json
import os
import pathlib
import subprocess
import tempfile
from dataclasses import dataclass

SOURCE = os.environ.get("SOURCE_ORB", "")


@dataclass
class Done:
    """A finished command."""

    code: int
    lines: list
    stderr: str

    def of(self, kind):
        """Returns the bodies of all messages of a type, such as `RECORD`."""
        bodies = {"CONNECTION_STATUS": "connectionStatus"}
        messages = [json.loads(line) for line in self.lines]
        return [it[bodies.get(kind, kind.lower())] for it in messages if it["type"] == kind]

    def records(self):
        """Returns the records by stream."""
        found = collections.defaultdict(list)
        for record in self.of("RECORD"):
            found[record["stream"]].append(record["data"])
        return found

    def states(self):
        """Returns the last state message of each stream, in the format of a file for `--state`."""
        return list({it["stream"]["stream_descriptor"]["name"]: it for it in self.of("STATE")}.values())


def run(command, program=(SOURCE,), environment=None, timeout=300, **documents):
    """Runs a command, such as `run("read", config=…, catalog=…)`. Writes each document to a file."""
    with tempfile.TemporaryDirectory() as directory:
        arguments = []
        for name, document in documents.items():
            path = pathlib.Path(directory, name)
            path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
            arguments += [f"--{name}", str(path)]
        done = subprocess.run(
            [*program, command, *arguments],
            capture_output=True,
            env={**os.environ, **(environment or {})},
            timeout=timeout,
            check=False,
        )
    # Not `splitlines`: strings in records may contain other line separators.
    lines = done.stdout.decode("utf-8").split("\n")
    if lines.pop():
        raise AssertionError("stdout ends with half a line")
    return Done(done.returncode, lines, done.stderr.decode("utf-8", "replace"))


def mode_of(stream, mode):
    """Returns the mode, or full refresh for a stream that cannot be read incrementally."""
    return "full_refresh" if mode == "incremental" and mode not in stream["supported_sync_modes"] else mode


def configured(catalog, mode, streams=None):
    """Returns the configured catalog that selects some or all streams of a discovered one."""
    return {
        "streams": [
            {
                "stream": stream,
                "sync_mode": mode_of(stream, mode),
                "destination_sync_mode": "append_dedup" if mode == "incremental" else "overwrite",
                "cursor_field": stream.get("default_cursor_field") or [],
                "primary_key": stream["source_defined_primary_key"],
            }
            for stream in catalog["streams"]
            if streams is None or stream["name"] in streams
        ]
    }
