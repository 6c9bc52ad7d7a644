"""What was read of a collection, kept until the collection changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from riparian.types import Collection, CollectionId

T = TypeVar("T")

COLLECTIONS = 8


class Kept(Generic[T]):
    """One value a collection, of the collections used last. Safe to share between threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[CollectionId, tuple[int, T]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, collection: Collection, read: Callable[[], T]) -> T:
        """The value at the collection's revision; `read` makes it where another revision's is kept, or none."""
        with self._lock:
            found = self._kept.get(collection.id)
            if found is not None and found[0] == collection.revision:
                self._kept.move_to_end(collection.id)
                return found[1]
        fresh = read()
        with self._lock:
            self._kept[collection.id] = collection.revision, fresh
            self._kept.move_to_end(collection.id)
            while len(self._kept) > COLLECTIONS:
                self._kept.popitem(last=False)
        return fresh
