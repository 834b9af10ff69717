"""Lets real clients, suites and the published connector run ours against mock-orb, each in an environment of its own.

In: the target directory, with what `make bundle native` has built, and the names of parts, or none for all of them.
Out: one line per check, then how many passed, failed and were skipped; 1 if any failed. What clients print is kept in
TARGET_DIR/conformance/PART/log, and so is everything else: environments, downloads, home directories.
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
# A part that takes longer is stopped: four times of what the slowest takes on two cores.
PATIENCE_SECONDS = 600
RESULT = re.compile(r"(ok|FAIL|SKIPPED) ")


@dataclass
class Part:
    """`NAME.py`, run by an interpreter that has what `requirements-NAME.txt` says."""

    name: str
    about: str
    # The versions of Python that what it requires supports, from and up to.
    pythons: tuple = ((3, 10), (3, 13))


PARTS = [
    Part("sdk", "Orb's Python SDK reads mock-orb", ((3, 10), (3, 14))),
    Part("document", "Orb's OpenAPI document, if ORB_OPENAPI names it, judges every request", ((3, 10), (3, 14))),
    Part("protocol", "Airbyte's models of its protocol judge every line", ((3, 10), (3, 14))),
    Part("pyairbyte", "PyAirbyte checks, discovers, and reads into DuckDB, twice", ((3, 10), (3, 12))),
    Part("cdk", "the suites of Airbyte's connector development kit, for sources and for images", ((3, 10), (3, 13))),
    Part("control", "the published source-orb 1.2.4 reads the same account, and the same of it", ((3, 10), (3, 11))),
    Part("serverless", "airbyte-serverless runs it as an executable and as an image", ((3, 10), (3, 12))),
    Part("meltano", "Meltano's tap-airbyte, if TAP_AIRBYTE names it, runs it as an image", ((3, 10), (3, 14))),
]


def main():
    target, names = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    unknown = set(names) - {part.name for part in PARTS}
    if unknown:
        sys.exit(f"error: no part is called {' or '.join(sorted(unknown))}: {', '.join(it.name for it in PARTS)}")
    results = []
    for part in PARTS:
        if not names or part.name in names:
            started = time.monotonic()
            print(f"# {part.name}: {part.about}", flush=True)
            found = run(part, target)
            results += found or [report("FAIL", part.name, "not one check was made")]
            print(f"# {part.name} took {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    passed, failed, skipped = [results.count(result) for result in ["ok", "FAIL", "SKIPPED"]]
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def run(part, target):
    """The results of one part's checks."""
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
    """What a part is told. Clients find no home but an empty one, and are asked not to call theirs."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRBYTE_", "PYTHON"))},
        "PYTHONDONTWRITEBYTECODE": "1",
        # As if its environment were activated.
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
    """Runs a part's program: its results are shown as they come, the rest is in the log."""
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
