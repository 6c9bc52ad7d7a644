"""Vectors and token states of queries, kept: paging and filtering ask for the same ones again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder, GivesStates, States
from riparian.types import Role

KEPT = 256


@dataclass(frozen=True, slots=True)
class _Kept:
    vector: NDArray[np.float32]
    states: States | None


class QueryVectors:
    """A small cache by encoder fingerprint, role and text. Safe to share between threads."""

    def __init__(self, kept: int = KEPT) -> None:
        self._limit = kept
        self._found: OrderedDict[tuple[str, Role, str], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, encoder: Encoder, text: str, role: Role = "query") -> NDArray[np.float32]:
        """(dimension,) float32, unit or zero; not to be written to."""
        return self._of(encoder, text, role).vector

    def states_of(self, encoder: Encoder, text: str, role: Role = "query") -> States | None:
        """The token states from the pass that gave the vector; None where the encoder does not give them."""
        return self._of(encoder, text, role).states

    def _of(self, encoder: Encoder, text: str, role: Role) -> _Kept:
        key = (encoder.fingerprint(), role, text)
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        fresh = _encoded(encoder, text, role)
        with self._lock:
            self._found[key] = fresh
            while len(self._found) > self._limit:
                self._found.popitem(last=False)
        return fresh


def _encoded(encoder: Encoder, text: str, role: Role) -> _Kept:
    if not isinstance(encoder, GivesStates):
        return _Kept(encoder.encode_passages([text], role)[0], None)
    vectors, [states] = encoder.encode_both([text], role, lambda rows: rows)
    return _Kept(vectors[0], states)
