"""Vectors of queries, kept: paging and filtering ask for the same one again."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder
from riparian.types import Role

KEPT = 256


class QueryVectors:
    """A small cache by encoder fingerprint, role and text. Safe to share between threads."""

    def __init__(self, kept: int = KEPT) -> None:
        self._limit = kept
        self._vectors: OrderedDict[tuple[str, Role, str], NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, encoder: Encoder, text: str, role: Role = "query") -> NDArray[np.float32]:
        """(dimension,) float32, unit or zero; not to be written to."""
        key = (encoder.fingerprint(), role, text)
        with self._lock:
            if key in self._vectors:
                self._vectors.move_to_end(key)
                return self._vectors[key]
        vector: NDArray[np.float32] = encoder.encode_passages([text], role)[0]
        self._keep(key, vector)
        return vector

    def _keep(self, key: tuple[str, Role, str], vector: NDArray[np.float32]) -> None:
        with self._lock:
            self._vectors[key] = vector
            while len(self._vectors) > self._limit:
                self._vectors.popitem(last=False)
