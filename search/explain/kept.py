"""Word vectors of passages that were explained, kept within a bound: paging back and other queries meet them again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Values by key, the least used forgotten first once their sizes pass `limit`. Safe to share between threads."""

    def __init__(self, limit: int, size_of: Callable[[V], int]) -> None:
        self._limit, self._size_of = limit, size_of
        self._values: OrderedDict[K, V] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def many(self, keys: Sequence[K], make: Callable[[list[K]], Sequence[V]]) -> list[V]:
        """The value of each key; `make` is called once, with the keys that are not kept, each once."""
        found = self._look_up(keys)
        missing = [key for key in dict.fromkeys(keys) if key not in found]
        if missing:
            fresh = dict(zip(missing, make(missing), strict=True))
            self._keep(fresh)
            found |= fresh
        return [found[key] for key in keys]

    def _look_up(self, keys: Sequence[K]) -> dict[K, V]:
        with self._lock:
            found = {key: self._values[key] for key in keys if key in self._values}
            for key in found:
                self._values.move_to_end(key)
            return found

    def _keep(self, fresh: dict[K, V]) -> None:
        with self._lock:
            for key, value in fresh.items():
                if key not in self._values:
                    self._values[key] = value
                    self._size += self._size_of(value)
            while self._size > self._limit:
                _, value = self._values.popitem(last=False)
                self._size -= self._size_of(value)
