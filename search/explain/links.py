"""Which word of a passage stands closest to each word of the query, by their vectors in context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder
from riparian.encoders.pooling import unit_rows
from riparian.errors import TokensUnavailable
from riparian.types import Matrix, Role
from search.explain.decomposed import Summed
from search.explain.records import Link
from search.explain.sought import Sought, Target
from search.explain.units import Unit, summed, units
from search.explain.where import Where, in_query


@dataclass(frozen=True, slots=True, eq=False)
class InContext:
    """Words of a text with a unit row each (zero where the encoder knows no part of a word)."""

    words: tuple[Unit, ...]
    rows: Matrix


@dataclass(frozen=True, slots=True)
class Contextual:
    """Both sides; None where the encoder gives no token vectors, or the query has no words."""

    query: InContext | None
    passage: InContext | None


def in_context(
    encoder: Encoder,
    sought: Sought,
    targets: Sequence[Target],
    asked: Summed | None,
    sums: Sequence[Summed] | None,
) -> list[Contextual]:
    """One a target. The summands of a vector are its tokens' own vectors, unless each component is another token's."""
    if not sought.text:
        return [Contextual(None, None)] * len(targets)
    if asked is not None and sums is not None and encoder.info.pooling != "max":
        query = _of_sum(asked)
        return [Contextual(query, _of_sum(one)) for one in sums]
    try:
        [query] = _encoded(encoder, [sought.text], "query")
        passages = _encoded(encoder, [target.input for target in targets], "passage")
    except TokensUnavailable:
        return [Contextual(None, None)] * len(targets)
    return [Contextual(query, one) for one in passages]


def links(sought: Sought, context: Contextual, where: Where) -> tuple[Link, ...]:
    """One for each word of the query that tells anything, in order; equal cosines: the first word of the passage."""
    query, passage = context.query, context.passage
    if query is None or passage is None or not len(passage.rows):
        return ()
    asked = in_query(sought.text)
    words = [asked.at(unit) for unit in query.words]
    weights = np.array(sought.rarity([word.text for word in words]), dtype=np.float64)
    weights *= query.rows.any(axis=1)
    total = float(weights.sum())
    cosines = query.rows.astype(np.float64) @ passage.rows.astype(np.float64).T
    best = np.round(cosines, 6).argmax(axis=1) if len(words) else np.zeros(0, dtype=np.int64)
    return tuple(
        Link(word, where.at(passage.words[at]), float(cosines[row, at]), float(weights[row]) / total)
        for row, (word, at) in enumerate(zip(words, best.tolist(), strict=True))
        if weights[row] > 0
    )


def _of_sum(found: Summed) -> InContext:
    return _in_context(found.units, found.vectors)


def _encoded(encoder: Encoder, texts: Sequence[str], role: Role) -> list[InContext]:
    found = []
    for text, one in zip(texts, encoder.encode_tokens(texts, role), strict=True):
        own = units(text, one.offsets)
        found.append(_in_context(own, summed(own, one.vectors).astype(np.float32)))
    return found


def _in_context(own: Sequence[Unit], vectors: NDArray[np.float32]) -> InContext:
    kept = np.array([unit.is_word for unit in own], dtype=np.bool_)
    return InContext(tuple(unit for unit in own if unit.is_word), unit_rows(vectors[kept]))
