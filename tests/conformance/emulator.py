"""Runs mock-orb for the duration of a block."""

import contextlib
import os
import pathlib
import subprocess
import tempfile
import time

KEY = "conformance-key"


@contextlib.contextmanager
def emulator(*options):
    """Serves a new account on a free port of the loopback interface, and yields the base URL."""
    with tempfile.TemporaryDirectory() as directory:
        port_file = pathlib.Path(directory, "url")
        # It exits when its standard input closes, so also when this program is killed.
        command = [os.environ["MOCK_ORB"], "--port-file", port_file, "--api-key", KEY, "--exit-with-stdin", *options]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as server:
            try:
                while not port_file.exists():
                    if server.poll() is not None:
                        raise RuntimeError(f"{command[0]} ended with {server.returncode}")
                    time.sleep(0.02)
                yield port_file.read_text(encoding="utf-8").strip()
            finally:
                server.stdin.close()


def config(url, **more):
    """Returns the config that reads an emulator's whole account."""
    return {"api_key": KEY, "start_date": "2020-01-01T00:00:00Z", "api_url": url, **more}
