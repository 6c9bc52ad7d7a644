"""Late interaction: how well each word of a query is met by the words of a passage, in their context.

    M(q, p) = sum over query tokens i of w_i max over passage tokens j of cos(h_i, h_j)

Khattab and Zaharia, SIGIR 2020, equation 3 (MaxSim), here over the states of the collection's own encoder, which was
not trained for it; w_i is the rarity of the token's word in the collection, shared by its pieces, sums to 1. Stop words
weigh nothing, unless there is nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import States
from riparian.lexical import analysis
from riparian.lexical.index import LexicalIndex
from riparian.text import Word, words
from riparian.types import Ids, Matrix
from riparian.vectors.token_states import Rows, projected, restored

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The tokens of a query that weigh anything: their states (tokens, token_dim) and weights, which sum to 1."""

    states: Matrix
    weights: Weights

    def scores(self, passages: Mapping[int, tuple[Matrix, Rows]]) -> dict[int, float]:
        """M of each passage, -1 to 1; passages without any token are left out."""
        found: dict[int, float] = {}
        for basis, own in _by_basis(passages):
            query = projected(self.states, basis)
            found |= dict(
                zip(own, (_largest(query, [passages[p][1] for p in own]) @ self.weights).tolist(), strict=True)
            )
        return found


def wanted(text: str, states: States, index: LexicalIndex) -> Wanted | None:
    """What `text`, whose token states these are, asks for; None where it holds no letter or digit."""
    found = words(text)
    shares = _shares(states, found, _rarities([word.word for word in found], index))
    if not shares.any():  # nothing but stop words, or words of no document
        shares = _shares(states, found, [1.0] * len(found))
    kept = np.flatnonzero(shares)
    if not len(kept):
        return None
    return Wanted(np.asarray(states.rows[kept], dtype=np.float32), shares[kept] / shares[kept].sum())


def _rarities(found: Sequence[str], index: LexicalIndex) -> list[float]:
    """How much each word tells in the collection: 0 for a stop word, the most for one that no document holds."""
    stem = analysis.stemming(analysis.guess_language(found, index.languages))
    stems = [stem(word) for word in found]
    known = sorted({one for one in stems if one})
    most = log1p(2 * index.counts()[0] + 1)
    rarity = {one: value or most for one, value in zip(known, index.rarity(known), strict=True)}
    return [rarity[one] if one else 0.0 for one in stems]


def _shares(states: States, found: Sequence[Word], weights: Sequence[float]) -> Weights:
    """The weight of each token: that of its word, in equal parts for the pieces of one; 0 outside words."""
    starts, ends = np.array([word.start for word in found]), np.array([word.end for word in found])
    owners = [_owner(start, end, starts, ends) for start, end in states.offsets.tolist()]
    pieces = np.bincount([owner for owner in owners if owner >= 0], minlength=len(found))
    return np.array([weights[o] / pieces[o] if o >= 0 else 0.0 for o in owners], dtype=np.float64)


def _owner(start: int, end: int, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> int:
    """The first word that the token [start, end) lies on; -1 for none."""
    rows = np.flatnonzero((starts < end) & (ends > start))
    return int(rows[0]) if len(rows) and start < end else -1


# -------------------------------------------------------------------------------------------- passages


def nearest_of(passages: Ids, documents: Ids, nearness: Mapping[int, float], most: int) -> list[int]:
    """Of each document at most `most` passages, the nearest in meaning; equal ones: the smaller id first."""
    own: dict[int, list[int]] = {}
    for passage, document in zip(passages.tolist(), documents.tolist(), strict=True):
        own.setdefault(document, []).append(passage)
    return [p for found in own.values() for p in sorted(found, key=lambda p: (-nearness.get(p, -1.0), p))[:most]]


def _largest(query: Matrix, passages: Sequence[Rows]) -> NDArray[np.float64]:
    """(passages, query tokens): the largest cosine of each query token with a token of each passage."""
    lengths = [len(rows) for rows in passages]
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    cosines = restored(np.concatenate(passages)) @ query.T
    return np.asarray(np.maximum.reduceat(cosines, starts, axis=0), dtype=np.float64)


def _by_basis(passages: Mapping[int, tuple[Matrix, Rows]]) -> list[tuple[Matrix, list[int]]]:
    """The passages that have tokens, by the directions of their rows: as a rule all have the same."""
    found: dict[int, tuple[Matrix, list[int]]] = {}
    for passage, (basis, rows) in passages.items():
        if len(rows):
            found.setdefault(id(basis), (basis, []))[1].append(passage)
    return list(found.values())
