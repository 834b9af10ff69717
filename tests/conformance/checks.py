"""Checks: a name and what is done under it in, one line `ok NAME: what was seen` or `FAIL NAME: why` out."""

import contextlib


@contextlib.contextmanager
def check(name):
    """Runs one check, and the program goes on whatever comes of it. The list it gives is shown in the line."""
    seen = []
    try:
        yield seen
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error} {error.__cause__ or ''}".split())
        print(f"FAIL {name}: {why[:500]}", flush=True)
    else:
        print(f"ok {name}: {' '.join(map(str, seen))}", flush=True)


def expect(what, actual, expected):
    """Fails the check unless both are equal."""
    if actual != expected:
        raise AssertionError(f"{what}: {str(actual)[:200]} is not {str(expected)[:200]}")
