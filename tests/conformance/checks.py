"""Runs named checks and reports them.

Prints a line `ok NAME: details`, `FAIL NAME: reason` or `SKIPPED NAME: reason` for each. All other
output is ignored.
"""

import contextlib
import traceback


@contextlib.contextmanager
def check(name):
    """Runs one check and continues if it fails. Reports the items of the list it yields."""
    seen = []
    try:
        yield seen
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error} {error.__cause__ or ''}".split())
        tell("FAIL", name, why[:500])
        traceback.print_exc()
    else:
        tell("ok", name, " ".join(map(str, seen)))


def tell(result, name, why):
    """Prints one line of the report, on a new line even after a client's incomplete line."""
    print(f"\n{result} {name}: {' '.join(why.split())}", flush=True)


def expect(what, actual, expected):
    """Fails the check unless both values are equal."""
    if actual != expected:
        raise AssertionError(f"{what}: {str(actual)[:200]} is not {str(expected)[:200]}")
