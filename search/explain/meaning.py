"""Where the cosines of some passages with a query come from: exactly where the encoder allows it, else estimated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.explain.decomposed import Decomposer, Summed
from search.explain.estimated import Estimate, Game, estimated
from search.explain.links import Contextual, in_context, links
from search.explain.records import Meaning, WordShare
from search.explain.sought import Sought, Target
from search.explain.units import Unit
from search.explain.where import Where, in_query

STEERED = 1e-4
"""Distance from the vector of the query's own words beyond which the query is one that was moved (by examples)."""

_HOW = {
    "mean": "the passage's vector is the mean of its token vectors, and each word's share of the cosine is exact",
    "max": "each component of the passage's vector comes from one token, and each word's share of the cosine is exact",
    "use": "the network behind the tokens' sum is linear at this text; each word's share of the cosine is exact",
}
_ADDS_UP = "the passage's vector is a sum over its tokens, and each word's share of the cosine is exact"
_ESTIMATED = (
    "this encoder's vectors are no sums over tokens; stretches of words were left out in turn, and what the cosine "
    "lost was shared out (Shapley values, sampled)"
)


class Meanings:
    """Safe to share between threads; word vectors are kept between calls."""

    def __init__(self, decomposer: Decomposer | None = None) -> None:
        self._decomposer = decomposer or Decomposer()

    def of(self, sought: Sought, targets: Sequence[Target], *, estimates: bool) -> list[Meaning | None]:
        """One a target; None where only an estimate can be had and `estimates` is not set."""
        if not targets:
            return []
        encoder = sought.encoder
        found = self._decomposer.of(encoder, [target.input for target in targets], "passage")
        sums = [one for one in found if one is not None]
        if len(sums) < len(targets):
            return list(_estimated(sought, targets)) if estimates else [None] * len(targets)
        asked = self._query(sought)
        context = in_context(encoder, sought, targets, asked, sums)
        return [
            _exact(sought, target, one, asked, own) for target, one, own in zip(targets, sums, context, strict=True)
        ]

    def contexts(self, sought: Sought, targets: Sequence[Target]) -> list[Contextual]:
        """The words of the query and of each passage with their vectors in context; both None where the encoder gives
        no token vectors."""
        if not targets or not sought.text:
            return [Contextual(None, None)] * len(targets)
        found = self._decomposer.of(sought.encoder, [target.input for target in targets], "passage")
        [asked] = self._decomposer.of(sought.encoder, [sought.text], "query")
        sums = [one for one in found if one is not None]
        return in_context(sought.encoder, sought, targets, asked, sums if len(sums) == len(targets) else None)

    def _query(self, sought: Sought) -> Summed | None:
        """The query as a sum over its words; None where it was moved away from them."""
        if not sought.text:
            return None
        [asked] = self._decomposer.of(sought.encoder, [sought.text], "query")
        moved = asked is None or float(np.abs(asked.row - sought.row).max()) > STEERED
        return None if moved else asked


def _exact(sought: Sought, target: Target, found: Summed, asked: Summed | None, context: Contextual) -> Meaning:
    where = Where.of(target.passage, target.title, target.input)
    row = found.row
    cosine = float(row @ sought.row)
    shares = found.vectors.astype(np.float64) @ sought.row
    pulls = shares - cosine * (found.vectors.astype(np.float64) @ row)
    query, query_rest = _query_shares(sought.text, asked, row)
    return Meaning(
        method="exact",
        how=_HOW.get(sought.encoder.info.pooling, _ADDS_UP),
        cosine=cosine,
        stored=target.stored,
        passage=tuple(_shares(where, found.units, shares, pulls)),
        rest=float(found.rest @ sought.row),
        query=query,
        query_rest=query_rest,
        links=links(sought, context, where),
    )


def _query_shares(text: str, asked: Summed | None, row: NDArray[np.float64]) -> tuple[tuple[WordShare, ...], float]:
    if asked is None:
        return (), 0.0
    shares = asked.vectors.astype(np.float64) @ row
    pulls = shares - float(asked.row @ row) * (asked.vectors.astype(np.float64) @ asked.row)
    return tuple(_shares(in_query(text), asked.units, shares, pulls)), float(asked.rest @ row)


def _shares(
    where: Where, found: Sequence[Unit], shares: NDArray[np.float64], pulls: NDArray[np.float64]
) -> list[WordShare]:
    placed = (where.at(unit) for unit in found)
    return [
        WordShare(at.text, at.start, at.end, at.place, share, pull)
        for at, share, pull in zip(placed, shares.tolist(), pulls.tolist(), strict=True)
    ]


def _estimated(sought: Sought, targets: Sequence[Target]) -> list[Meaning]:
    encoder = sought.encoder
    texts = [target.input for target in targets]
    rows = encoder.encode_passages(texts, "passage").astype(np.float64)
    passages = estimated(encoder, [Game(text, sought.row) for text in texts], "passage")
    asked = [Game(sought.text, row) for row in rows] if _is_own(sought) else []
    queries: list[Estimate | None] = [*estimated(encoder, asked, "query")] or [None] * len(targets)
    context = in_context(encoder, sought, targets, None, None)
    return [_guessed(sought, *one) for one in zip(targets, rows, passages, queries, context, strict=True)]


def _is_own(sought: Sought) -> bool:
    """Whether the query's vector is that of its words."""
    if not sought.text:
        return False
    [row] = sought.encoder.encode_passages([sought.text], "query")
    return float(np.abs(row - sought.row).max()) <= STEERED


def _guessed(
    sought: Sought,
    target: Target,
    row: NDArray[np.float64],
    passage: Estimate,
    query: Estimate | None,
    context: Contextual,
) -> Meaning:
    where = Where.of(target.passage, target.title, target.input)
    shown = () if query is None else tuple(_shares(in_query(sought.text), query.stretches, query.shares, _pulls(query)))
    return Meaning(
        method="estimated",
        how=_ESTIMATED,
        cosine=float(row @ sought.row),
        stored=target.stored,
        passage=tuple(_shares(where, passage.stretches, passage.shares, _pulls(passage))),
        rest=0.0,
        query=shown,
        query_rest=0.0,
        links=links(sought, context, where),
    )


def _pulls(found: Estimate) -> NDArray[np.float64]:
    """By how much each stretch is above an equal share."""
    return np.asarray(found.shares - found.shares.mean() if len(found.shares) else found.shares, dtype=np.float64)
