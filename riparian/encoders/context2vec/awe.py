"""Averaged word embeddings: a slot's context is the mean of the word vectors in a window around it, blind to order.

The "bag of words" context of the published context2vec toolkit, the baseline of Melamud et al. (2016), over the vectors
of skip-gram with negative sampling. Stop words are left out of a context unless nothing else is in it; words may be
weighted by idf = log(all / count). A window ends with its sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import EncoderInfo, Encoding, Progress, Tokens
from riparian.encoders.context2vec import tables
from riparian.encoders.context2vec.facts import Vectors, joined
from riparian.encoders.context2vec.passages import means
from riparian.encoders.context2vec.vocabulary import TOKENS, cut, folded
from riparian.encoders.elmo.words import Cut
from riparian.encoders.facts import Facts
from riparian.encoders.fingerprint import canonical, fingerprint, tensors_digest, text_digest
from riparian.encoders.pooling import unit_rows
from riparian.encoders.saved import saving
from riparian.encoders.word_tokens import entry
from riparian.types import Matrix, Role

TARGETS, CONTEXTS, COUNTS = "targets", "contexts", "counts"


@dataclass(frozen=True, slots=True)
class Reading:
    """How contexts are made: `window` words to either side (0: the whole sentence), `stop_words` in folded form."""

    window: int = 5
    stop_words: frozenset[str] = frozenset()
    idf: bool = False
    vectors: Vectors = "both"

    def to_json(self) -> dict[str, Any]:
        stop_words = sorted(self.stop_words)
        return {"window": self.window, "stop_words": stop_words, "idf": self.idf, "vectors": self.vectors}


@dataclass(frozen=True, slots=True)
class Table:
    """Row i of `targets` (V, d), and of `contexts` where words around a slot have vectors of their own, belongs to
    `words[i]`; `counts` (V,) says how often each word stood in the text that it was learnt from, where that is
    known."""

    words: tuple[str, ...]
    targets: Matrix
    contexts: Matrix | None = None
    counts: NDArray[np.int64] | None = None

    def tensors(self) -> tables.Arrays:
        named = {TARGETS: self.targets, CONTEXTS: self.contexts, COUNTS: self.counts}
        return {name: tensor for name, tensor in named.items() if tensor is not None}


class AweEncoder:
    """Token vector = the unit vector of the word beside that of its context (or the latter alone); passage = unit
    mean. A word without a vector and a slot without a known word around it count as nothing."""

    def __init__(self, facts: Facts, table: Table, reading: Reading) -> None:
        if reading.idf and table.counts is None:
            raise ValueError("idf needs counts")
        self.facts, self.table, self.reading = facts, table, reading
        self._rows = {word: row for row, word in enumerate(table.words)}
        self._targets = unit_rows(table.targets)
        self._contexts = self._targets if table.contexts is None else unit_rows(table.contexts)
        self._weights = _idf(table.counts) if reading.idf and table.counts is not None else None

    @property
    def dimension(self) -> int:
        return int(self._targets.shape[1]) * (2 if self.reading.vectors == "both" else 1)

    @property
    def info(self) -> EncoderInfo:
        facts, reading = self.facts, self.reading
        return EncoderInfo(
            kind="context2vec-awe",
            name=facts.name,
            spec=facts.spec,
            origin=facts.origin,
            contextual="window",
            token_dim=self.dimension,
            passage_dim=self.dimension,
            max_tokens=None,
            pooling="mean",
            languages=facts.languages,
            licence=facts.licence,
            method="as-described",
            provenance=facts.provenance,
            extra={
                "words": len(self.table.words),
                "window": reading.window,
                "stop_words": len(reading.stop_words),
                "idf": reading.idf,
                "vectors": reading.vectors,
                **facts.extra(),
            },
        )

    def fingerprint(self) -> str:
        return self._fingerprint

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return [cut(text).tokens for text in texts]

    def known(self, texts: Sequence[str]) -> list[NDArray[np.bool_]]:
        """Of each token of each text: whether there is a vector of its word."""
        rows = ([self._row(word) for word in tokens.tokens] for tokens in self.tokenize(texts))
        return [np.array(row, dtype=np.int64) >= 0 for row in rows]

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        return list(self._encoded(texts))

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        return means(texts, self.dimension, self._encoded, progress)

    def save(self, folder: Path) -> None:
        with saving(folder, self, {**self.reading.to_json(), "training": dict(self.facts.training)}) as draft:
            tables.write(draft, self.table.words, self.table.tensors())

    def using(self, reading: Reading, spec: str) -> AweEncoder:
        """The same vectors read in another way, named `spec`."""
        return AweEncoder(replace(self.facts, spec=spec), self.table, reading)

    def _encoded(self, texts: Sequence[str]) -> Iterator[Encoding]:
        for found in map(cut, texts):
            words = found.tokens.tokens
            rows = np.array([self._row(word) for word in words], dtype=np.int64)
            targets = self._targets[np.maximum(rows, 0)] * (rows >= 0)[:, None]
            vectors = joined(targets, self._around(found, rows), self.reading.vectors)
            known = np.asarray(vectors.any(axis=1), dtype=np.bool_)
            yield Encoding(words, found.tokens.offsets, vectors, known)

    def _row(self, word: str) -> int:
        name = entry(word, self._rows)
        return -1 if name is None else self._rows[name]

    def _around(self, found: Cut, rows: NDArray[np.int64]) -> Matrix:
        """(T, d) contexts of all slots."""
        stop = self.reading.stop_words
        telling = np.array([folded(word) not in stop for word in found.tokens.tokens], dtype=np.bool_) & (rows >= 0)
        contexts = np.zeros((len(rows), self._contexts.shape[1]), dtype=np.float32)
        for start, end in found.sentences:
            own = rows[start:end]
            vectors = self._contexts[np.maximum(own, 0)].astype(np.float64)
            if self._weights is not None:
                vectors *= self._weights[np.maximum(own, 0)][:, None]
            first, counts = _window_means(vectors, telling[start:end], self.reading.window)
            second, _ = _window_means(vectors, own >= 0, self.reading.window)
            contexts[start:end] = np.where(counts[:, None] > 0, first, second)
        return contexts

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint(
            {
                "kind": "context2vec-awe",
                "tensors": tensors_digest(self.table.tensors()),
                "vocabulary": text_digest(canonical(list(self.table.words))),
                "reading": self.reading.to_json(),
                "tokens": TOKENS,
                "unknown": "zero",
                "pooling": "mean",
                "normalise": True,
                "metric": "inner_product",
                "dimension": self.dimension,
            }
        )


def _window_means(
    vectors: NDArray[np.float64], counted: NDArray[np.bool_], window: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean of the counted vectors around each position, itself left out, and how many they are (0: a zero mean).

    Sums run from the left and from the right up to the position, so that its own vector never enters, not even as a
    rounding error.
    """
    kept = vectors * counted[:, None]
    left, right = _before(kept, window), _before(kept[::-1], window)[::-1]
    ones = counted.astype(np.int64)[:, None]
    counts = (_before(ones, window) + _before(ones[::-1], window)[::-1])[:, 0]
    return (left + right) / np.maximum(counts, 1)[:, None], counts


def _before(values: NDArray[Any], window: int) -> NDArray[Any]:
    """For each row the sum of the `window` rows before it (0: of all)."""
    size = len(values)
    sums = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    first = np.zeros(size, dtype=np.int64) if window == 0 else np.maximum(np.arange(size) - window, 0)
    return np.asarray(sums[:size] - sums[first])


def _idf(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.log(counts.sum() / np.maximum(counts, 1)))
