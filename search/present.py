"""A page of a ranking as hits: documents, passages, marks, sentences, places, facets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from riparian.catalog.engine import Database
from riparian.encoders.base import Encoder
from riparian.types import (
    Document,
    DocumentId,
    Excerpt,
    FacetValue,
    Hit,
    Passage,
    PassageId,
    ScorePart,
    Span,
    TopicId,
)
from search.collapse import Collapsed, collapse, uncollapsed
from search.dense import Meaning
from search.facets import FacetColumns
from search.fusion import Ranking, scaled
from search.highlight import ClosestSentences, Cut, cut, fullest_sentence, moved, place
from search.lexical import Words
from search.passages import Chooser
from search.ranking import Ranked
from search.request import Page
from search.scene import Scene
from search.stored_sentences import Stored, Titled


@dataclass(frozen=True, slots=True)
class Asked:
    """The question in both readings.

    The best sentences are found by the token states that are `stored`, where they are not by the sentences' vectors
    from the `encoder`, without one by marked words.
    """

    words: Words | None
    meaning: Meaning | None
    encoder: Encoder | None
    stored: Stored | None = None


@dataclass(frozen=True, slots=True)
class Presented:
    hits: tuple[Hit, ...]
    facets: Mapping[str, tuple[FacetValue, ...]]


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What one transaction read for a page."""

    documents: Mapping[DocumentId, Document]
    passages: Mapping[PassageId, Passage]
    topics: Mapping[PassageId, TopicId]
    facets: Mapping[str, tuple[FacetValue, ...]]


@dataclass(frozen=True, slots=True)
class _Marked:
    """A passage with the words of it that matched."""

    cut: Cut
    highlights: tuple[Span, ...]


class Presenter:
    def __init__(self, database: Database, closest: ClosestSentences) -> None:
        self._database, self._closest = database, closest
        self._columns = FacetColumns()

    def present(self, scene: Scene, ranked: Ranked, asked: Asked, page: Page) -> Presented:
        """The page's hits in order and the facets of everything counted.

        As many statements for one hit as for a hundred. A document removed in the meantime is left out.
        """
        shown = _shown(scene, ranked, page)
        documents = shown.ids[page.offset : page.offset + page.k]
        chosen = Chooser(scene, ranked, asked.words, asked.meaning).best(documents, page.passages)
        shelf = self._read(scene, ranked, chosen, page)
        excerpts = self._excerpts(shelf, asked, page)
        hits = []
        for rank, document in enumerate(documents.tolist(), start=page.offset + 1):
            own = [excerpts[passage] for passage in chosen[DocumentId(document)] if passage in excerpts]
            if own:
                hits.append(_hit(rank, shelf.documents[DocumentId(document)], own, ranked, shown))
        return Presented(tuple(hits), shelf.facets)

    def _read(
        self, scene: Scene, ranked: Ranked, chosen: Mapping[DocumentId, Sequence[PassageId]], page: Page
    ) -> _Shelf:
        passages = [passage for own in chosen.values() for passage in own]
        with self._database.read() as catalog:
            return _Shelf(
                catalog.documents.many(chosen),
                catalog.passages.many(passages),
                catalog.topics.main_of(scene.collection.id, passages),
                self._columns.count(catalog, scene.collection, ranked.counted, page.facets),
            )

    def _excerpts(self, shelf: _Shelf, asked: Asked, page: Page) -> dict[PassageId, Excerpt]:
        marked = [
            _marked(passage, shelf.documents[passage.document_id], asked.words)
            for passage in shelf.passages.values()
            if passage.document_id in shelf.documents
        ]
        best = self._best_sentences(marked, shelf, asked) if page.sentences else [None] * len(marked)
        return {one.cut.passage.id: _excerpt(one, sentence, shelf) for one, sentence in zip(marked, best, strict=True)}

    def _best_sentences(self, marked: Sequence[_Marked], shelf: _Shelf, asked: Asked) -> list[Span | None]:
        if asked.encoder is None or asked.meaning is None or not len(asked.meaning.queries):
            return [fullest_sentence(one.cut, one.highlights) for one in marked]
        titled = [Titled(one.cut, shelf.documents[one.cut.passage.document_id].title) for one in marked]
        found: dict[int, Span | None] = {**asked.stored.closest(titled)} if asked.stored is not None else {}
        others = [one.cut for one in marked if one.cut.passage.id not in found]
        closest = self._closest.of(others, asked.encoder, asked.meaning.queries)
        found |= {int(one.passage.id): sentence for one, sentence in zip(others, closest, strict=True)}
        return [found[int(one.cut.passage.id)] for one in marked]


def _shown(scene: Scene, ranked: Ranked, page: Page) -> Collapsed:
    ids = ranked.ranking.ids
    return collapse(ids, scene.layout.groups_of(ids)) if page.collapse else uncollapsed(ids)


def _marked(passage: Passage, document: Document, words: Words | None) -> _Marked:
    marks = words.marks(passage.text, document.language) if words is not None else []
    return _Marked(cut(passage, document.language), tuple(moved(span, passage.start) for span in marks))


def _excerpt(one: _Marked, sentence: Span | None, shelf: _Shelf) -> Excerpt:
    passage = one.cut.passage
    position = sentence.start if sentence is not None else passage.start
    return Excerpt(
        passage=passage,
        highlights=one.highlights,
        best_sentence=sentence,
        place=place(shelf.documents[passage.document_id].anchors, position),
        topic_id=shelf.topics.get(passage.id),
    )


def _hit(rank: int, document: Document, excerpts: Sequence[Excerpt], ranked: Ranked, shown: Collapsed) -> Hit:
    best, *more = excerpts
    [row] = np.flatnonzero(ranked.ranking.ids == document.id)
    return Hit(
        rank=rank,
        score=float(ranked.ranking.scores[row]),
        parts=(*score_parts(document.id, ranked), *late_part(document.id, ranked)),
        document=document,
        passage=best.passage,
        highlights=best.highlights,
        best_sentence=best.best_sentence,
        place=best.place,
        duplicates=shown.duplicates.get(document.id, 0),
        topic_id=best.topic_id,
        more=tuple(more),
    )


def score_parts(document: DocumentId, ranked: Ranked) -> Iterable[ScorePart]:
    """What each retriever that ranked the document gave it."""
    if ranked.semantic is not None and (found := _place_in(ranked.semantic, document, ranked.depth)) is not None:
        yield ScorePart("semantic", *found)
    if ranked.lexical is not None and (found := _place_in(ranked.lexical, document, ranked.depth)) is not None:
        yield ScorePart("lexical", *found)


def late_part(document: DocumentId, ranked: Ranked) -> Iterable[ScorePart]:
    """What re-ranking gave the document, where it was among the first."""
    if ranked.late is not None and (found := _place_in(ranked.late, document, ranked.depth)) is not None:
        yield ScorePart("late", *found)


def _place_in(ranking: Ranking, document: DocumentId, depth: int) -> tuple[float, float, int] | None:
    """Raw score, scaled score and rank from 1; None where the ranking does not hold the document."""
    rows = np.flatnonzero(ranking.ids == document)
    if not len(rows):
        return None
    row = int(rows[0])
    return float(ranking.scores[row]), float(scaled(ranking, depth=depth)[row]), row + 1
