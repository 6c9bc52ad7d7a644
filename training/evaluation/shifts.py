"""What each of several encoders finds first for one query, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from riparian.encoders.base import Progress
from riparian.text import collapse
from training.collected import Source
from training.evaluation.measures import DEPTH
from training.evaluation.rankers import Dense, Found
from training.evaluation.tasks import Body, Query, Task

_BEGINNING = 120  # characters by which an untitled document is known


@dataclass(frozen=True, slots=True)
class ShiftedDocument:
    """JSON-able: a document with its rank from 1 and its score under each encoder, None where it is not among that
    one's first."""

    id: int
    title: str
    beginning: str
    ranks: Mapping[str, int | None]
    scores: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class RankShifts:
    """JSON-able: what each encoder finds first, in order of the best rank that any gives. `overlap` of two encoders
    ("a | b") is the share of what the two find that both find."""

    query: str
    encoders: tuple[str, ...]
    documents: tuple[ShiftedDocument, ...]
    overlap: Mapping[str, float]


class Shelf:
    """Documents as one encoder sees them, encoded at the first query."""

    def __init__(self, dense: Dense, documents: Sequence[Source]) -> None:
        self._dense = dense
        self.documents = {one.id: one for one in documents}
        self._bodies = tuple(Body(one.id, one.text, one.language) for one in documents)

    def find(self, query: str, depth: int = DEPTH, progress: Progress | None = None) -> list[Found]:
        """The first documents. `progress` hears texts and may raise to stop."""
        task = Task("query", self._bodies, (Query(query, 0),))
        return self._dense.find([task], depth, progress)[0][0]


def rank_shifts(
    query: str, shelves: Mapping[str, Shelf], depth: int = DEPTH, progress: Progress | None = None
) -> RankShifts:
    """The first `depth` documents of every encoder, by the names given here. All shelves hold the same documents."""
    found = {name: shelf.find(query, depth, progress) for name, shelf in shelves.items()}
    ranks = {name: {one.document: rank for rank, one in enumerate(some, start=1)} for name, some in found.items()}
    scores = {name: {one.document: one.score for one in some} for name, some in found.items()}
    best = {document: min(rank for held in ranks.values() if (rank := held.get(document))) for document in _any(ranks)}
    documents = next(iter(shelves.values())).documents
    rows = tuple(
        ShiftedDocument(
            id=document,
            title=documents[document].title,
            beginning=collapse(documents[document].text[: 2 * _BEGINNING])[:_BEGINNING],
            ranks={name: held.get(document) for name, held in ranks.items()},
            scores={name: held.get(document) for name, held in scores.items()},
        )
        for document in sorted(best, key=lambda document: (best[document], document))
    )
    return RankShifts(query, tuple(shelves), rows, _overlap(ranks))


def _any(ranks: Mapping[str, Mapping[int, int]]) -> set[int]:
    return {document for held in ranks.values() for document in held}


def _overlap(ranks: Mapping[str, Mapping[int, int]]) -> dict[str, float]:
    return {
        f"{first} | {second}": len(ranks[first].keys() & ranks[second].keys())
        / max(1, len(ranks[first].keys() | ranks[second].keys()))
        for first, second in combinations(ranks, 2)
    }
