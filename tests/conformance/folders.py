"""Runs the host, which writes folders."""

import json
import os
import pathlib
import shutil
import subprocess

from checks import expect

ORB = pathlib.Path(os.environ["COMPONENT"])
SCRIPT = ORB.parent / "examples" / "script.wasm"


def host(component, settings, command, *flags, code=0):
    """Runs a command of a connector in the working directory."""
    pathlib.Path("config.json").write_text(json.dumps(settings), encoding="utf-8")
    line = [os.environ["HOST"], "run", component, command, "--config", "config.json", *flags]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    why = done.stderr[-300:] if done.returncode != code else ""
    expect(f"exit code of {command}", (done.returncode, why), (code, ""))
    return done.stdout


def script(batches, schema, name="things"):
    """The config of the guest that emits these records."""
    stream = {"name": name, "schema": schema, "key": ["id"], "cursor": "at", "batches": batches}
    return {"streams": [stream]}


def fresh(name):
    shutil.rmtree(name, ignore_errors=True)
    return name
