"""Words of passages that edits read, counted once: one edit after another reads mostly the same passages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.types import Ids, Matrix, TopicModelId
from topics import bow
from topics.corpus import Corpus

MOST = 20_000
"""Passages that are held; beyond, all but the last are forgotten."""


@dataclass(frozen=True, slots=True, eq=False)
class _Passage:
    document: int
    length: int
    tokens: NDArray[np.int32]


class Counted:
    """Of the model that was asked about last. Safe to share between threads."""

    def __init__(self) -> None:
        self._model: TopicModelId | None = None
        self._held: dict[int, _Passage] = {}
        self._lock = threading.Lock()

    def corpus(
        self, model: TopicModelId, vocabulary: Sequence[str], wanted: Ids, vectors: Matrix,
        read: Callable[[Ids, Matrix], Corpus],
    ) -> Corpus:  # fmt: skip
        """Those of the passages (ascending ids, with their vectors) that are there. `read` is asked only for those that
        were not counted yet; a passage's text never changes, so what is held stays true."""
        with self._lock:
            if model != self._model:
                self._model, self._held = model, {}
            missing = np.array([passage not in self._held for passage in wanted.tolist()], bool)
            if missing.any():
                self._take(read(wanted[missing], vectors[missing]))
            known = np.array([passage in self._held for passage in wanted.tolist()], bool)
            found = [self._held[passage] for passage in wanted[known].tolist()]
            if len(self._held) > MOST:
                self._held = dict(zip(wanted[known].tolist(), found, strict=True))
        return Corpus(
            passages=wanted[known],
            vectors=vectors[known],
            documents=np.array([one.document for one in found], np.int64),
            lengths=np.array([one.length for one in found], np.int64),
            bag=bow.joined(vocabulary, [one.tokens for one in found]),
        )

    def _take(self, found: Corpus) -> None:
        rows = zip(found.passages.tolist(), found.documents.tolist(), found.lengths.tolist(), strict=True)
        for place, (passage, document, length) in enumerate(rows):
            tokens = found.bag.tokens[found.bag.starts[place] : found.bag.starts[place + 1]].copy()
            self._held[passage] = _Passage(document, length, tokens)
