"""Named places at which a test may kill the process, to prove that nothing acknowledged is lost there.

`failpoint(name)` does nothing unless `arm(name)` was called, which only the command line's edge does, on behalf of a
test. The process ends as `kill -9` would end it: no `finally`, no flush, no lock released by hand.
"""

from __future__ import annotations

import os

_EXIT_STATUS = 137  # what a shell reports after SIGKILL
_armed: dict[str, int] = {}


def arm(name: str, after: int = 1) -> None:
    """The process dies the `after`-th time it reaches `name`."""
    _armed[name] = after


def failpoint(name: str) -> None:
    """A place where dying must be harmless."""
    if name not in _armed:
        return
    _armed[name] -= 1
    if _armed[name] <= 0:
        os._exit(_EXIT_STATUS)
