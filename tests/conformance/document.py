"""Validates requests and answers against Orb's OpenAPI document.

First without the connector: judge.py reads every resource of mock-orb. Then with a proxy between
the connector and mock-orb, which needs node 18 with npm. Needs ORB_OPENAPI, the document's path.
Prints one line per check.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

from checks import tell
from emulator import KEY, emulator

HERE = pathlib.Path(__file__).resolve().parent
PRISM = "@stoplight/prism-cli@5.14.2"
# The proxy takes up to two minutes to load the document.
PATIENCE_SECONDS = 300


def install(directory):
    """Installs the proxy with npm."""
    installed = directory / "installed.txt"
    if not installed.exists() or installed.read_text(encoding="utf-8") != PRISM:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", directory, PRISM], check=True
        )
        installed.write_text(PRISM, encoding="utf-8")
    return directory / "node_modules" / ".bin" / "prism"


def free_port():
    """Finds a free port, because Prism does not accept port 0."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def judge_emulator(mended):
    # Enough invoices for credit notes of every form.
    with emulator("--invoices", "300") as url:
        subprocess.run([sys.executable, HERE / "judge.py", mended, url], check=True)
    # What has changed must be as documented too.
    script = pathlib.Path("mutations.txt").absolute()
    script.write_text("now: random 3:400\n", encoding="utf-8")
    with emulator("--invoices", "300", "--mutations", script) as url:
        subprocess.run([sys.executable, HERE / "judge.py", mended, url, "answers"], check=True)


def judge_requests(mended):
    prism = install(pathlib.Path(os.environ["CONFORMANCE"], "prism"))
    log, port = pathlib.Path("prism.log"), free_port()
    with emulator("--ledger-event-ids") as url, open(log, "w", encoding="utf-8") as output:
        command = [prism, "proxy", "--errors", "--host", "127.0.0.1", "--port", str(port), mended, url]
        with subprocess.Popen(command, stdout=output, stderr=output) as proxy:
            try:
                await_listening(proxy, log)
                what = [url, f"http://127.0.0.1:{port}", KEY, log, os.environ["HOST"], os.environ["COMPONENT"]]
                subprocess.run([sys.executable, HERE / "proxy.py", *what, "."], check=True)
            finally:
                proxy.terminate()


def await_listening(proxy, log):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "is listening" not in log.read_text(encoding="utf-8"):
        if proxy.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"prism did not start: {log.read_text(encoding='utf-8')[-500:]}")
        time.sleep(0.2)


def main(document):
    mended = pathlib.Path("openapi.json")
    subprocess.run([sys.executable, HERE / "mend.py", document, mended], check=True)
    judge_emulator(mended)
    if shutil.which("npm"):
        judge_requests(mended)
    else:
        tell("SKIPPED", "document", "npm is not installed")


if os.environ.get("ORB_OPENAPI"):
    main(os.environ["ORB_OPENAPI"])
else:
    tell("SKIPPED", "document", "ORB_OPENAPI does not name Orb's OpenAPI document")
