"""NumPy's matrix library held to one thread while an encoder computes.

Its threads spin while they wait: on a small machine two of them cost five times the CPU time of one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

_lock = threading.Lock()
_held = ExitStack()
_inside = 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Holds BLAS to one thread. May be entered by several threads at once: the last to leave restores the setting."""
    global _inside
    with _lock:
        _inside += 1
        if _inside == 1:
            _held.enter_context(threadpool_limits(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _held.close()
