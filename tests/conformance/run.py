"""Tests source-orb with real clients, test suites and the published connector, against mock-orb.

usage: run.py TARGET_DIR [PART...]

Needs the output of `make bundle native` in TARGET_DIR. Runs each part, by default all of them, in an
environment of its own. Prints one line per check and the totals; exits with 1 if any check failed.
The clients' output goes to TARGET_DIR/conformance/PART/log; environments, downloads and home
directories are kept below TARGET_DIR/conformance too.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import environment

HERE = pathlib.Path(__file__).resolve().parent
# The timeout for a part: four times what the slowest takes on two cores.
PATIENCE_SECONDS = 600
RESULT = re.compile(r"(ok|FAIL|SKIPPED) ")


@dataclass
class Part:
    """`NAME.py`, run in an environment with `requirements-NAME.txt`."""

    name: str
    about: str
    # The oldest and newest Python versions that the requirements support.
    pythons: tuple = ((3, 10), (3, 13))


PARTS = [
    Part("sdk", "Orb's Python SDK reads mock-orb", ((3, 10), (3, 14))),
    Part("document", "Orb's OpenAPI document, if ORB_OPENAPI names it, judges every request", ((3, 10), (3, 14))),
    Part("schemas", "no schema lacks a field or forbids a value of that document", ((3, 10), (3, 14))),
    Part("protocol", "Airbyte's models of its protocol judge every line", ((3, 10), (3, 14))),
    Part("pyairbyte", "PyAirbyte checks, discovers, and reads into DuckDB, twice", ((3, 10), (3, 12))),
    Part("files", "DuckDB, PyArrow and Polars read its folders, and find every value as it was", ((3, 10), (3, 14))),
    Part("cdk", "the suites of Airbyte's connector development kit, for sources and for images", ((3, 10), (3, 13))),
    Part("control", "the published source-orb 1.2.4 reads the same account, and the same of it", ((3, 10), (3, 11))),
    Part("serverless", "airbyte-serverless runs it as an executable and as an image", ((3, 10), (3, 12))),
    Part("embedding", "wasmtime's Python package runs orb.wasm, and reads what the host reads", ((3, 10), (3, 14))),
    Part("meltano", "Meltano's tap-airbyte, if TAP_AIRBYTE names it, runs it as an image", ((3, 10), (3, 14))),
]


def main():
    target, names = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    unknown = set(names) - {part.name for part in PARTS}
    if unknown:
        sys.exit(f"error: unknown part {', '.join(sorted(unknown))}; the parts are {', '.join(it.name for it in PARTS)}")
    results = []
    for part in PARTS:
        if not names or part.name in names:
            started = time.monotonic()
            print(f"# {part.name}: {part.about}", flush=True)
            found = run(part, target)
            results += found or [report("FAIL", part.name, "no check was run")]
            print(f"# {part.name} took {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    passed, failed, skipped = [results.count(result) for result in ["ok", "FAIL", "SKIPPED"]]
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def run(part, target):
    """Runs one part, and returns the results of its checks."""
    work = target / "conformance" / part.name
    work.mkdir(parents=True, exist_ok=True)
    try:
        python = environment.install(HERE / f"requirements-{part.name}.txt", work / "venv", part.pythons)
    except environment.Unsupported as why:
        return [report("SKIPPED", part.name, str(why))]
    except environment.Failed as why:
        return [report("FAIL", part.name, str(why))]
    home = work / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    command = [python, HERE / f"{part.name}.py"]
    return judge(part, command, variables(target, home, pathlib.Path(python).parent), home, work / "log")


def variables(target, home, programs):
    """Returns a part's environment: an empty home directory, and opt-outs from telemetry."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRBYTE_", "PYTHON"))},
        "PYTHONDONTWRITEBYTECODE": "1",
        # As if the virtual environment were activated.
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(home),
        "DO_NOT_TRACK": "1",
        "AIRBYTE_OFFLINE_MODE": "1",
        "AIRBYTE_LOGGING_ROOT": str(home / "logs"),
        "NO_COLOR": "1",
        "CONFORMANCE": str(target / "conformance"),
        "SOURCE_ORB": str(target / "bundle" / "source-orb"),
        "MOCK_ORB": str(target / "release" / "mock-orb"),
        "HOST": str(target / "release" / "host"),
        "COMPONENT": str(target / "wasm32-wasip2" / "component" / "orb.wasm"),
    }


def judge(part, command, variables, directory, log):
    """Runs a part's program. Prints results as they arrive, and writes the rest to the log."""
    results = []
    with open(log, "w", encoding="utf-8") as noise:
        with subprocess.Popen(
            command, cwd=directory, env=variables, text=True, errors="replace", stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=noise,
        ) as program:  # fmt: skip
            timer = threading.Timer(PATIENCE_SECONDS, program.kill)
            timer.start()
            for line in program.stdout:
                result = RESULT.match(line)
                if result:
                    results.append(result[1])
                    print(line, end="", flush=True)
                noise.write(line)
                noise.flush()
        timer.cancel()
    if program.returncode != 0:
        results.append(report("FAIL", part.name, f"ended with {program.returncode}"))
    if "FAIL" in results:
        print(f"# what {part.name} printed is in {log}", file=sys.stderr, flush=True)
    return results


def report(result, name, why):
    print(f"{result} {name}: {why}", flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
