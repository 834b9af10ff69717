"""Checks: a name and what is done under it in; one line `ok NAME: what was seen`, `FAIL NAME: why` or
`SKIPPED NAME: why` out. Any other line that a client prints is noise.
"""

import contextlib
import traceback


@contextlib.contextmanager
def check(name):
    """Runs one check, and the program goes on whatever comes of it. The list it gives is shown in the line."""
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
    """One line of the report. It begins a line even where a client has left half a line behind."""
    print(f"\n{result} {name}: {' '.join(why.split())}", flush=True)


def expect(what, actual, expected):
    """Fails the check unless both are equal."""
    if actual != expected:
        raise AssertionError(f"{what}: {str(actual)[:200]} is not {str(expected)[:200]}")
