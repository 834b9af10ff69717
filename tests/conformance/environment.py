"""Creates a virtual environment for one client, with a Python version that the client supports.

usage: environment.py REQUIREMENTS DIRECTORY OLDEST NEWEST

Prints the path of the interpreter.
"""

import os
import pathlib
import shutil
import subprocess
import sys

PROBE = """
import sys
try:
    import ensurepip, venv
except ImportError as error:
    sys.exit(str(error))
print(*sys.version_info[:2])
"""


class Unsupported(Exception):
    """This machine has no supported Python."""


class Failed(Exception):
    """The installation failed."""


def install(requirements, directory, pythons):
    """Returns the environment's interpreter; recreates it if the requirements or Python changed."""
    base, version = interpreter(*pythons)
    if not requirements.exists():
        return base
    python, installed = directory / "bin" / "python", directory / "installed.txt"
    wanted = f"# Python {version}\n{requirements.read_text(encoding='utf-8')}"
    if installed.exists() and installed.read_text(encoding="utf-8") == wanted:
        return python
    print(f"# installing {requirements.name} for Python {version}", file=sys.stderr, flush=True)
    shutil.rmtree(directory, ignore_errors=True)
    run([base, "-m", "venv", directory], "making an environment")
    cache = directory.parent.parent / "downloads"
    options = ["--quiet", "--disable-pip-version-check", "--cache-dir", cache, "--requirement", requirements]
    run([python, "-m", "pip", "install", *options], "pip install")
    installed.write_text(wanted, encoding="utf-8")
    return python


def interpreter(oldest, newest):
    """Returns a supported interpreter, preferably the running one, and its version."""
    minors = range(newest[1], oldest[1] - 1, -1)
    why = []
    for candidate in [sys.executable, *(f"python3.{minor}" for minor in minors)]:
        path = shutil.which(candidate)
        if path is None:
            continue
        done = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            why.append(f"{candidate}: {(done.stderr.strip() or 'does not start').splitlines()[-1]}")
            continue
        version = tuple(map(int, done.stdout.split()))
        if oldest <= version <= newest:
            return path, f"{version[0]}.{version[1]}"
        why.append(f"{candidate} is Python {version[0]}.{version[1]}")
    span = f"{oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}"
    raise Unsupported(f"needs Python {span} with venv and ensurepip; {'; '.join(why)}")


def run(command, what):
    quiet = {**os.environ, "PIP_NO_INPUT": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=quiet, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no word why").splitlines()[-1]
        raise Failed(f"{what} ended with {done.returncode}: {last}")


def main():
    requirements, directory = map(pathlib.Path, sys.argv[1:3])
    oldest, newest = (tuple(map(int, version.split("."))) for version in sys.argv[3:5])
    try:
        print(install(requirements, directory.absolute(), (oldest, newest)))
    except (Unsupported, Failed) as why:
        sys.exit(f"error: {why}")


if __name__ == "__main__":
    main()
