"""A limit on how much encoding and searching happens at once: overload is refused, not suffered."""

from __future__ import annotations

import threading
from types import TracebackType

from riparian.errors import Unavailable

WAIT_S = 5.0  # a person waits that long for a page; beyond it, "come back later" is the better answer


class Overloaded(Unavailable):
    """More searches at once than this machine answers in time."""

    retry_after = 2

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} searches are running already; try again in {self.retry_after} seconds")


class Gate:
    """`with gate: …` lets `limit` threads in at once and twice as many wait. Overloaded for one that finds no place to
    wait at, or waited `wait_s` in vain."""

    def __init__(self, limit: int, wait_s: float = WAIT_S) -> None:
        self._limit, self._wait_s = limit, wait_s
        self._places = threading.BoundedSemaphore(limit)
        self._present = 0
        self._lock = threading.Lock()

    @property
    def holds(self) -> int:
        """Threads that it keeps busy at most, inside and waiting."""
        return 3 * self._limit

    @property
    def free(self) -> int:
        """How many more it would hold now."""
        return self.holds - self._present

    def __enter__(self) -> None:
        with self._lock:
            if self._present >= self.holds:
                raise Overloaded(self._limit)
            self._present += 1
        if not self._places.acquire(timeout=self._wait_s):
            self._leave()
            raise Overloaded(self._limit)

    def _leave(self) -> None:
        with self._lock:
            self._present -= 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._places.release()
        self._leave()
