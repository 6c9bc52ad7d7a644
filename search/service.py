"""The front door of search: a question in, ranked and marked passages out.

query ─▶ words ─▶ lexical candidates ┐
     └─▶ vector ─▶ dense candidates ─┴─▶ fuse ─▶ collapse ─▶ best passages ─▶ marks, sentences, places ─▶ hits
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from riparian.catalog.engine import Database
from riparian.encoders.pool import EncoderPool
from riparian.errors import BadQuery, NotIndexedYet
from riparian.text import sound
from riparian.types import (
    EVERYTHING,
    DocumentId,
    Filters,
    Hit,
    Ids,
    Mode,
    PassageId,
    SearchAnswer,
    Span,
)
from riparian.vectors.state_store import StateStore
from riparian.vectors.store import VectorStore
from search import exact
from search.fusion import DEPTH
from search.highlight import ClosestSentences, moved
from search.lexical import Words
from search.measured import Measured, cut, measured, with_relevance
from search.present import Asked, Presenter
from search.questions import LexicalIndexes, Question, QuestionReader, window_rows
from search.ranking import Ranked, put_last, rank, reweighed, without
from search.relevance import NOTHING_CLOSE
from search.request import Fusion, Page, Rerank, SearchRequest
from search.reranker import PairScores, Reranked, Reranker, Seen, lacking
from search.scene import Scene, set_scene
from search.semantics import nothing_embedded, semantics_of
from search.steering import Steering
from search.stored_sentences import Stored
from search.within import REACH, hits_of, narrowed


@dataclass(frozen=True, slots=True)
class Standing:
    """A question, and every document that it ranks."""

    question: Question
    ranked: Ranked
    fusion: Fusion
    rerank: Rerank = Rerank.NONE
    rerank_ms: float = 0.0
    measured: Measured | None = None


class SearchService:
    """Answers are the same for the same question and state of the collection. Safe to share between threads.

    `depth` = how many documents nearest in meaning a search counts (`ranking.py`).
    """

    def __init__(
        self,
        database: Database,
        encoders: EncoderPool,
        vectors: VectorStore,
        lexical: LexicalIndexes,
        hybrid_weight: float = 0.5,
        *,
        depth: int = DEPTH,
        states: StateStore | None = None,
        rerank: Rerank = Rerank.MAXSIM,
        load_cross_encoder: Callable[[], PairScores] | None = None,
    ) -> None:
        self._database, self._depth = database, depth
        self._reader = QuestionReader(database, encoders, vectors, lexical, hybrid_weight)
        self._reranker = Reranker(database, self._reader.query_vectors, states, rerank, load_cross_encoder)
        self.sentences = ClosestSentences()
        self._presenter = Presenter(database, self.sentences)

    # ---------------------------------------------------------------- questions

    def search(self, request: SearchRequest) -> SearchAnswer:
        """The answer to a query.

        UnknownCollection; BadQuery for a query without a word or a number out of range; NotIndexedYet for a semantic
        search where nothing is embedded (a hybrid one answers by words and says so); IndexMismatch where the encoder
        that loads now is not the one of the vectors.
        """
        return self.presented(self.standing(request), request.page)

    def standing(self, request: SearchRequest) -> Standing:
        """How the documents stand to a query, of which `presented` shows a page. Errors as in `search`."""
        request.check()
        scene = self._reader.scene(request.collection, request.filters)
        for outer in request.within:
            scene = narrowed(scene, self._hits(replace(request, query=outer, filters=EVERYTHING, more=(), less=())))
        question, steering, weight = self._reader.asked(request, scene)
        if request.sentences and not steering.moves:
            question = replace(question, asked=replace(question.asked, stored=self._stored(question)))
        rare = exact.held(question.asked.words)
        ranked = exact.lifted(self._ranked(question, request.page, weight, request.fusion), rare)
        again = self._reranked(question, steering, ranked, request)
        question.notes.extend(again.notes)
        ranked = exact.codes_first(again.ranked, rare)
        if ranked is not again.ranked:
            question.notes.extend(rare.notes)
        if steering.crossed is not None:
            ranked = put_last(ranked, steering.crossed)
        with self._database.read() as catalog:
            known = measured(catalog, scene)
        if request.min_relevance is not None:
            ranked = cut(ranked, again.kind, question.asked.words, known, request.min_relevance)
        return Standing(question, ranked, request.fusion, again.kind, again.ms, known)

    def at_weights(self, request: SearchRequest, weights: Sequence[float]) -> Iterator[Standing]:
        """How the documents would stand if these were the collection's own weights, one after another: both retrievers
        are asked once. A query of nothing but identifiers goes by words whatever the weight. Errors as in `search`."""
        request.check()
        scene = self._reader.scene(request.collection, request.filters)
        question, steering, usual = self._reader.asked(replace(request, weight=None), scene)
        ranked = self._ranked(question, request.page, usual, request.fusion)
        by_words = question.asked.words is not None and question.asked.words.is_identifier
        rare = exact.held(question.asked.words)
        for weight in weights:
            here = exact.lifted(reweighed(ranked, usual if by_words else weight, request.fusion), rare)
            again = self._reranked(question, steering, here, request)
            yield Standing(question, exact.codes_first(again.ranked, rare), request.fusion, again.kind, again.ms)

    def by_text(
        self,
        collection: str,
        text: str,
        *,
        mode: Mode = Mode.HYBRID,
        filters: Filters = EVERYTHING,
        weight: float | None = None,
        page: Page | None = None,
    ) -> SearchAnswer:
        """Documents like a pasted text, of any length; nothing in it is an operator. Errors as in `search`.

        A text beyond the encoder's limit is compared window by window: a document's score is the mean, over the
        windows, of the largest cosine of its passages.
        """
        page, text = _checked(page), sound(text)
        scene = self._reader.scene(collection, filters)
        words = Words.of_text(self._reader.lexical.index(scene.collection.id), text)
        question = self._reader.question(
            text, mode, scene, words, lambda _, encoder, notes: window_rows(text, encoder, notes)
        )
        return self._answer(question, page, self._reader.weight(weight, scene.collection))

    def similar_to_document(
        self, document_id: DocumentId, *, filters: Filters = EVERYTHING, page: Page | None = None
    ) -> SearchAnswer:
        """Documents near to this one by its stored vectors; it and its near-duplicates are left out.

        UnknownDocument; NotIndexedYet while none of its passages is embedded.
        """
        page = _checked(page)
        with self._database.read() as catalog:
            document = catalog.documents.get(document_id)
            collection = catalog.collections.get(document.collection_id)
            scene = set_scene(catalog, self._reader.layouts, collection, filters)
        own = scene.layout.passages_of(np.array([document_id], dtype=np.int64))
        return self._similar(document.display_title, scene, document_id, own, page)

    def similar_to_passage(
        self, passage_id: PassageId, *, filters: Filters = EVERYTHING, page: Page | None = None
    ) -> SearchAnswer:
        """Documents with a passage near to this one; its own document and the near-duplicates of that are left out.

        UnknownPassage; NotIndexedYet while the passage is not embedded.
        """
        page = _checked(page)
        with self._database.read() as catalog:
            passage = catalog.passages.get(passage_id)
            collection = catalog.collections.get(catalog.documents.get(passage.document_id).collection_id)
            scene = set_scene(catalog, self._reader.layouts, collection, filters)
        own = np.array([passage_id], dtype=np.int64)
        return self._similar(passage.text, scene, passage.document_id, own, page)

    def marks(self, document_id: DocumentId, query: str, within: Span | None = None) -> tuple[Span, ...]:
        """Where the words of the query stand in the text of a document, or in the part `within`, which is faster for
        a long one; () for a query without a word."""
        with self._database.read() as catalog:
            document = catalog.documents.get(document_id)
            text = catalog.documents.text(document_id)
        try:
            words = Words.of_query(self._reader.lexical.index(document.collection_id), query)
        except BadQuery:
            return ()
        part = within or Span(0, len(text))
        return tuple(moved(span, part.start) for span in words.marks(text[part.start : part.end], document.language))

    # ---------------------------------------------------------------- steps

    def _stored(self, question: Question) -> Stored | None:
        """The token states to compare with; None where there are none or the question has no words."""
        words, encoder, semantics = question.asked.words, question.asked.encoder, question.semantics
        if words is None or encoder is None or semantics is None or not words.meaning.strip():
            return None
        return self._reranker.stored(question.scene, semantics, encoder, words)

    def _hits(self, request: SearchRequest) -> Ids:
        """What a search finds in the whole collection, for another one to look into."""
        question, _, weight = self._reader.asked(request, self._reader.scene(request.collection, EVERYTHING))
        return hits_of(self._ranked(question, Page(k=REACH), weight, request.fusion), request.mode)

    def _similar(self, title: str, scene: Scene, document_id: DocumentId, own: Ids, page: Page) -> SearchAnswer:
        semantics = semantics_of(scene, self._reader.vectors)
        if semantics is None:
            raise NotIndexedYet(nothing_embedded(scene.collection))
        meaning = semantics.of_passages(own)
        if meaning is None:
            raise NotIndexedYet("this document is not embedded yet; try again when indexing is done")
        encoder = self._reader.encoders.of(semantics.stored) if page.sentences else None
        asked = Asked(None, meaning, encoder)
        question = Question(title, Mode.SEMANTIC, scene, asked, semantics, semantics.notes)
        return self._answer(question, page, 1.0, apart=_with_duplicates(scene, document_id))

    def _answer(
        self,
        question: Question,
        page: Page,
        weight: float,
        fusion: Fusion = Fusion.MIN_MAX,
        apart: Ids | None = None,
    ) -> SearchAnswer:
        ranked = self._ranked(question, page, weight, fusion)
        if apart is not None:
            ranked = without(ranked, apart)
        return self.presented(Standing(question, ranked, fusion), page)

    def presented(self, standing: Standing, page: Page) -> SearchAnswer:
        """A page of what stands there."""
        question, ranked, semantics = standing.question, standing.ranked, standing.question.semantics
        presented = self._presenter.present(question.scene, ranked, question.asked, page)
        known = standing.measured
        hits, close = with_relevance(presented.hits, ranked, standing.rerank, question.asked.words, known)
        return SearchAnswer(
            query=question.text,
            mode=question.mode,
            hits=hits,
            total=len(ranked.counted),
            facets=presented.facets,
            encoder=semantics.stored.name if semantics is not None else "",
            generation=semantics.snapshot.generation if semantics is not None else None,
            notes=(*question.notes, *_beyond(ranked, hits), *((NOTHING_CLOSE,) if close is False else ())),
            weight=ranked.weight,
            counted=ranked.counted,
            close=close,
            respelt=question.asked.words.respelt if question.asked.words is not None else (),
            basis=known.basis if known is not None and close is not None else None,
            rerank=standing.rerank.value,
            rerank_ms=standing.rerank_ms,
        )

    def _reranked(self, question: Question, steering: Steering, ranked: Ranked, request: SearchRequest) -> Reranked:
        """By default only what a hybrid search found by words and meaning is put in order again, and not what examples
        have moved: the words of the query alone would pull it back."""
        words, meaning = question.asked.words, question.asked.meaning
        kind = self._reranker.default if request.rerank is None else request.rerank
        both = request.mode is Mode.HYBRID and 0 < ranked.weight < 1
        if request.rerank is None and (not both or steering.is_told):
            kind = Rerank.NONE
        if words is None or meaning is None or not len(meaning.queries):
            return Reranked(ranked)
        stored = question.asked.stored or (self._stored(question) if kind is Rerank.MAXSIM else None)
        seen = Seen(question.scene, words, meaning, steering.moves, stored)
        again = self._reranker.again(seen, ranked, kind)
        if request.rerank is Rerank.MAXSIM and stored is None:
            again = replace(again, notes=(lacking(question.scene.collection, question.asked.encoder),))
        return again

    def _ranked(self, question: Question, page: Page, weight: float, fusion: Fusion) -> Ranked:
        return rank(
            question.scene, question.asked.words, question.asked.meaning,
            lexical=question.mode is not Mode.SEMANTIC, weight=weight, fusion=fusion,
            reach=2 * (page.offset + page.k), depth=self._depth,
        )  # fmt: skip


def _with_duplicates(scene: Scene, document_id: DocumentId) -> Ids:
    """The document and its near-duplicates, ascending."""
    document = np.array([document_id], dtype=np.int64)
    [group] = scene.layout.groups_of(document)
    return document if group < 0 else scene.layout.grouped[scene.layout.groups == group]


def _beyond(ranked: Ranked, hits: tuple[Hit, ...]) -> list[str]:
    """A word about hits that are not counted."""
    counted = set(ranked.counted.tolist())
    if all(hit.document.id in counted for hit in hits):
        return []
    return [f"{len(counted)} of the documents that meet the filters match; the nearest others follow"]


def _checked(page: Page | None) -> Page:
    checked = page or Page()
    checked.check()
    return checked
