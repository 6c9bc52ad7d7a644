"""The front door of explanations: why passages answer a query, for the hits of a search or for any passage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from riparian.catalog.engine import Database
from riparian.errors import UnknownPassage
from riparian.types import Document, DocumentId, Mode, Passage, PassageId, SearchAnswer
from search.explain.contrast import contrast
from search.explain.meaning import Meanings
from search.explain.placing import placing_of
from search.explain.records import Contrast, Explanation, Meaning, Terms
from search.explain.sought import Sought, Target
from search.explain.terms import rarity_in, terms_of
from search.request import SearchRequest
from search.service import SearchService, Standing

ON_REQUEST = "this encoder's vectors are no sums over words; what each word does can be estimated on request"
MOST = 50
"""Hits of one answer that are explained at most: each costs about as much as encoding its passage."""

MOST_ESTIMATED = 10
"""Hits where only an estimate can be had: each costs some 45 encodings."""

_APART = 1e-3  # cosines farther apart than this are those of different passages, not of rounding


@dataclass(frozen=True, slots=True)
class Explained:
    """An answer with explanations of its hits, or of the first of them, in their order, and
    what else can be asked of how the documents stand."""

    answer: SearchAnswer
    explanations: tuple[Explanation, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class _Placed:
    """A passage with its document."""

    passage: Passage
    document: Document


class ExplainService:
    """Explanations sum to the scores that they explain. Safe to share between threads; what was explained is kept."""

    def __init__(self, database: Database, search: SearchService, meanings: Meanings | None = None) -> None:
        self._database, self._search = database, search
        self._meanings = meanings or Meanings()

    def search(self, request: SearchRequest, *, estimates: bool = False, first: int | None = None) -> Explained:
        """The answer of `SearchService.search` with its `first` hits explained together, `MOST` at most.

        `estimates`: also where only an estimate can be had, for pages of `MOST_ESTIMATED` hits at most. Errors as in a
        search.
        """
        standing = self._search.standing(request)
        answer = self._search.presented(standing, request.page)
        placed = [_Placed(hit.passage, hit.document) for hit in answer.hits[: min(first or MOST, MOST)]]
        estimates = estimates and len(placed) <= MOST_ESTIMATED
        return Explained(answer, tuple(self._explained(standing, placed, estimates)), standing)

    def passages(
        self, request: SearchRequest, passages: Sequence[PassageId], *, estimates: bool = True
    ) -> list[Explanation]:
        """Why these passages answer the query, or how little they do. UnknownPassage for one that the collection does
        not hold; errors as in a search."""
        standing = self._search.standing(request)
        return list(self._explained(standing, self._read(standing, passages), estimates))

    def contrast(self, request: SearchRequest, first: PassageId, second: PassageId) -> Contrast:
        """Why one passage stands above the other. Errors as in `passages`."""
        one, other = self.passages(request, [first, second])
        return contrast(one, other)

    def _read(self, standing: Standing, passages: Sequence[PassageId]) -> list[_Placed]:
        with self._database.read() as catalog:
            found = catalog.passages.many(passages)
            documents = catalog.documents.many({passage.document_id for passage in found.values()})
        collection = standing.question.scene.collection.id
        for one in passages:
            if one not in found or documents[found[one].document_id].collection_id != collection:
                raise UnknownPassage(one)
        return [_Placed(found[one], documents[found[one].document_id]) for one in passages]

    def _explained(self, standing: Standing, placed: Sequence[_Placed], estimates: bool) -> list[Explanation]:
        meanings = self._meanings_of(standing, placed, estimates)
        terms = _terms(standing, [one.document.id for one in placed])
        return [
            _explanation(standing, one, meaning, terms.get(one.document.id))
            for one, meaning in zip(placed, meanings, strict=True)
        ]

    def _meanings_of(self, standing: Standing, placed: Sequence[_Placed], estimates: bool) -> list[Meaning | None]:
        asked = standing.question.asked
        if asked.meaning is None or asked.encoder is None or not len(asked.meaning.queries) or not placed:
            return [None] * len(placed)
        words = asked.words
        row = asked.meaning.queries[0].astype(np.float64)
        rarity = rarity_in(words.index) if words is not None else lambda each: [1.0] * len(each)
        stored = asked.meaning.nearness(np.array(sorted({int(one.passage.id) for one in placed}), dtype=np.int64))
        targets = [Target(one.passage, one.document.title, stored.get(int(one.passage.id))) for one in placed]
        sought = Sought(asked.encoder, words.meaning if words is not None else "", row, rarity)
        return self._meanings.of(sought, targets, estimates=estimates)


def _terms(standing: Standing, documents: Sequence[DocumentId]) -> dict[DocumentId, Terms]:
    words = standing.question.asked.words
    if words is None or standing.question.mode is Mode.SEMANTIC or not documents:
        return {}
    return terms_of(words, documents)


def _explanation(standing: Standing, one: _Placed, meaning: Meaning | None, terms: Terms | None) -> Explanation:
    placing = placing_of(one.document.id, standing.ranked, standing.fusion)
    return Explanation(
        passage=one.passage.id,
        document=one.document.id,
        title=one.document.display_title,
        text=one.passage.text,
        start=one.passage.start,
        meaning=meaning,
        terms=terms,
        placing=placing,
        notes=tuple(_notes(standing, one, meaning)),
    )


def _notes(standing: Standing, one: _Placed, meaning: Meaning | None) -> list[str]:
    asked = standing.question.asked
    if meaning is None:
        return [ON_REQUEST] if asked.meaning is not None and len(asked.meaning.queries) else []
    placing = placing_of(one.document.id, standing.ranked, standing.fusion)
    best = next((given.part.raw for given in placing.given if given.part.retriever == "semantic"), None)
    found = meaning.stored if meaning.stored is not None else meaning.cosine
    if best is not None and best - found > _APART:
        return [
            f"another passage of the document is nearer in meaning: the document was ranked by its cosine, {best:.3f}"
        ]
    return []
