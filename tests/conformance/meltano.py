"""Runs source-orb as an image with Meltano's tap-airbyte: check, discover, and two syncs.

Needs TAP_AIRBYTE, the tap's executable, because it is not on PyPI. Prints one line per check.
"""

import collections
import json
import os
import pathlib
import subprocess

from account import CURSORS, counts
from checks import check, expect, tell
from emulator import config, emulator

STAND_IN = pathlib.Path(__file__).resolve().parent / "stand-in"
END = "2024-08-01T00:00:00Z"


def tap(settings, *arguments, **documents):
    """Runs the tap and returns its output."""
    # The native check would look up the connector's package in the registry.
    whole = {
        "airbyte_spec": {"image": "airbyte/source-orb", "tag": "dev"},
        "airbyte_config": settings,
        "skip_native_check": True,
    }
    command = [os.environ["TAP_AIRBYTE"], *arguments]
    for name, document in {"config": whole, **documents}.items():
        pathlib.Path(f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
        command += [f"--{name}", f"{name}.json"]
    path = f"{STAND_IN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PATH": path}, timeout=300, check=False)
    if done.returncode != 0:
        raise AssertionError(f"exit code {done.returncode}: {done.stderr.decode()[-400:]}")
    return done.stdout.decode(), done.stderr.decode()


def sync(settings, catalog, **documents):
    """Runs a sync, and returns record counts by stream and the last state."""
    output, _ = tap(settings, catalog=catalog, **documents)
    messages = [json.loads(line) for line in output.split("\n") if line]
    found = collections.Counter(it["stream"] for it in messages if it["type"] == "RECORD")
    states = [it["value"] for it in messages if it["type"] == "STATE"]
    return {stream: found[stream] for stream in CURSORS}, states[-1]


def main(url):
    with check("check") as seen:
        _, log = tap(config(url), "--test")
        expect("verified", "has been verified" in log, True)
        seen.append("verified")
    with check("discover") as seen:
        catalog = json.loads(tap(config(url), "--discover")[0])
        expect("streams that are missing", set(CURSORS) - {it["tap_stream_id"] for it in catalog["streams"]}, set())
        seen.append(f"{len(catalog['streams'])} streams")
    catalog["streams"] = [it for it in catalog["streams"] if it["tap_stream_id"] in CURSORS]
    for stream in catalog["streams"]:
        (whole,) = [it for it in stream["metadata"] if not it["breadcrumb"]]
        whole["metadata"] |= {"selected": True, "replication-method": "INCREMENTAL"}
        stream["replication_method"], stream["replication_key"] = "INCREMENTAL", CURSORS[stream["tap_stream_id"]]
    with check("a sync, up to a date") as seen:
        found, state = sync(config(url, end_date=END), catalog)
        expect("records", found, counts(url, END))
        seen.append(found)
    with check("a second sync goes on at its state") as seen:
        found, _ = sync(config(url), catalog, state=state)
        new = {stream: count - counts(url, END)[stream] for stream, count in counts(url).items()}
        expect("streams without what is new", [it for it in new if found[it] < new[it]], [])
        expect("most is not read again", sum(found.values()) < sum(new.values()) * 1.1, True)
        seen.append(f"{sum(found.values())} read, {sum(new.values())} are new")


if os.environ.get("TAP_AIRBYTE"):
    with emulator("--customers", "60") as url:
        main(url)
else:
    why = "it is not on PyPI; where it is installed from its repository, TAP_AIRBYTE names its executable"
    tell("SKIPPED", "meltano", f"tap-airbyte: {why}")
