"""The front door of search: a question in, ranked and marked passages out.

query ─▶ words ─▶ lexical candidates ┐
     └─▶ vector ─▶ dense candidates ─┴─▶ fuse ─▶ collapse ─▶ best passages ─▶ marks, sentences, places ─▶ hits
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.encoders.base import Encoder
from riparian.encoders.pool import EncoderPool
from riparian.errors import BadQuery, NotIndexedYet
from riparian.lexical.index import LexicalIndex
from riparian.types import (
    EVERYTHING,
    Collection,
    CollectionId,
    DocumentId,
    Filters,
    Hit,
    Ids,
    Matrix,
    Mode,
    PassageId,
    SearchAnswer,
    Span,
)
from riparian.vectors.store import Snapshot, VectorStore
from search.dense import Meaning, spread
from search.fusion import DEPTH
from search.highlight import ClosestSentences
from search.layout import Layouts
from search.lexical import Words
from search.present import Asked, Presenter
from search.query_vectors import QueryVectors
from search.ranking import Ranked, rank, without
from search.request import Fusion, Page, SearchRequest
from search.scene import Scene, set_scene
from search.windows import MOST, windows


class LexicalIndexes(Protocol):
    """Where the lexical index of a collection is to be had."""

    def index(self, collection_id: CollectionId) -> LexicalIndex: ...


@dataclass(frozen=True, slots=True)
class _Vectors:
    """The collection's vectors and the encoder they were made with; `note` says how far embedding is."""

    snapshot: Snapshot
    stored: StoredEncoder
    note: str


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
    ) -> None:
        self._database, self._encoders, self._vectors, self._lexical = database, encoders, vectors, lexical
        self._hybrid_weight, self._depth = hybrid_weight, depth
        self._layouts = Layouts()
        self._query_vectors = QueryVectors()
        self._presenter = Presenter(database, ClosestSentences())

    # ---------------------------------------------------------------- questions

    def search(self, request: SearchRequest) -> SearchAnswer:
        """The answer to a query.

        UnknownCollection; BadQuery for a query without a word or a number out of range; NotIndexedYet for a semantic
        search where nothing is embedded (a hybrid one answers by words and says so); IndexMismatch where the encoder
        that loads now is not the one of the vectors.
        """
        request.page.check()
        weight = _checked_weight(self._hybrid_weight if request.weight is None else request.weight)
        if not request.query.strip():
            raise BadQuery("the query is empty; type what you are looking for")
        scene = self._scene(request.collection, request.filters)
        words = Words.of_query(self._lexical.index(scene.collection.id), request.query.strip())
        notes: list[str] = _lag(scene)
        meaning = encoder = vectors = None
        if request.mode is not Mode.LEXICAL:
            vectors = self._vectors_of(scene, request.mode, notes)
        if vectors is not None:
            encoder = self._encoders.of(vectors.stored)
            meaning = self._meaning_of(words.meaning, vectors, scene, encoder, notes)
        return self._answer(
            scene, request.query, request.mode, Asked(words, meaning, encoder), request.page, notes,
            vectors=vectors, weight=weight, fusion=request.fusion,
        )  # fmt: skip

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

        A text beyond the encoder's limit is compared window by window: a document's score is the mean over the windows
        of its nearest passage.
        """
        page = _checked_page(page)
        weight = _checked_weight(self._hybrid_weight if weight is None else weight)
        scene = self._scene(collection, filters)
        words = Words.of_text(self._lexical.index(scene.collection.id), text)
        notes = _lag(scene)
        meaning = encoder = vectors = None
        if mode is not Mode.LEXICAL:
            vectors = self._vectors_of(scene, mode, notes)
        if vectors is not None:
            encoder = self._encoders.of(vectors.stored)
            cut = windows(text, encoder)
            if cut.all > len(cut.texts):
                notes.append(f"{len(cut.texts)} of the {cut.all} parts of the text stand for it, evenly spaced")
            rows = encoder.encode_passages(cut.texts, "passage")
            meaning = _meaning(vectors, scene, rows)
        return self._answer(
            scene, text, mode, Asked(words, meaning, encoder), page, notes, vectors=vectors, weight=weight
        )

    def similar_to_document(
        self, document_id: DocumentId, *, filters: Filters = EVERYTHING, page: Page | None = None
    ) -> SearchAnswer:
        """Documents near to this one by its stored vectors; it and its near-duplicates are left out.

        UnknownDocument; NotIndexedYet while none of its passages is embedded.
        """
        with self._database.read() as catalog:
            document = catalog.documents.get(document_id)
            passages = [passage.id for passage in catalog.passages.of_document(document_id)]
        return self._similar(document.collection_id, document_id, passages, document.display_title, filters, page)

    def similar_to_passage(
        self, passage_id: PassageId, *, filters: Filters = EVERYTHING, page: Page | None = None
    ) -> SearchAnswer:
        """Documents with a passage near to this one; its own document and the near-duplicates of that are left out.

        UnknownPassage; NotIndexedYet while the passage is not embedded.
        """
        with self._database.read() as catalog:
            passage = catalog.passages.get(passage_id)
            document = catalog.documents.get(passage.document_id)
        return self._similar(document.collection_id, document.id, [passage_id], passage.text, filters, page)

    def marks(self, document_id: DocumentId, query: str) -> tuple[Span, ...]:
        """Where the words of the query stand in the whole text of a document; () for a query without a word."""
        with self._database.read() as catalog:
            document = catalog.documents.get(document_id)
            text = catalog.documents.text(document_id)
        try:
            words = Words.of_query(self._lexical.index(document.collection_id), query)
        except BadQuery:
            return ()
        return tuple(words.marks(text, document.language))

    # ---------------------------------------------------------------- steps

    def _scene(self, name: str, filters: Filters) -> Scene:
        with self._database.read() as catalog:
            return set_scene(catalog, self._layouts, catalog.collections.named(name), filters)

    def _vectors_of(self, scene: Scene, mode: Mode, notes: list[str]) -> _Vectors | None:
        """None where a hybrid search must do with the words."""
        found = self._embedded(scene)
        if found is not None:
            notes.extend([found.note] if found.note else [])
            return found
        reason = _nothing_embedded(scene.collection)
        if mode is Mode.SEMANTIC:
            raise NotIndexedYet(f"{reason}; search by words (mode lexical) until then")
        notes.append(f"{reason}; answered by words alone")
        return None

    def _embedded(self, scene: Scene) -> _Vectors | None:
        if scene.encoder is None:
            return None
        snapshot = self._vectors.snapshot(scene.collection.id, scene.encoder)
        done, total = len(snapshot.view.ids), scene.collection.passages
        if done == 0:
            return None
        note = f"embedding still runs: {done} of {total} passages can be found by meaning" if done < total else ""
        return _Vectors(snapshot, scene.encoder, note)

    def _meaning_of(self, text: str, vectors: _Vectors, scene: Scene, encoder: Encoder, notes: list[str]) -> Meaning:
        row = self._query_vectors.of(encoder, text)
        if not row.any():
            notes.append(f"the encoder ({vectors.stored.name}) knows no word of the query; answered by words alone")
        return _meaning(vectors, scene, row[np.newaxis])

    def _similar(
        self,
        collection_id: CollectionId,
        document_id: DocumentId,
        passages: list[PassageId],
        title: str,
        filters: Filters,
        page: Page | None,
    ) -> SearchAnswer:
        page = _checked_page(page)
        with self._database.read() as catalog:
            scene = set_scene(catalog, self._layouts, catalog.collections.get(collection_id), filters)
        vectors = self._embedded(scene)
        if vectors is None:
            raise NotIndexedYet(_nothing_embedded(scene.collection))
        view = vectors.snapshot.view
        own = np.array([p for p in passages if p in view.ids], dtype=np.int64)
        if not len(own):
            raise NotIndexedYet("this document is not embedded yet; try again when indexing is done")
        rows = view.vectors(np.array(spread(own.tolist(), MOST), dtype=np.int64))
        encoder = self._encoders.of(vectors.stored) if page.sentences else None
        return self._answer(
            scene, title, Mode.SEMANTIC, Asked(None, _meaning(vectors, scene, rows), encoder), page,
            [vectors.note] if vectors.note else [], vectors=vectors, weight=1.0,
            apart=_with_duplicates(scene, document_id),
        )  # fmt: skip

    def _answer(
        self,
        scene: Scene,
        query: str,
        mode: Mode,
        asked: Asked,
        page: Page,
        notes: list[str],
        *,
        vectors: _Vectors | None,
        weight: float,
        fusion: Fusion = Fusion.MIN_MAX,
        apart: Ids | None = None,
    ) -> SearchAnswer:
        ranked = rank(
            scene, asked.words, asked.meaning,
            lexical=mode is not Mode.SEMANTIC, weight=weight, fusion=fusion,
            reach=2 * (page.offset + page.k), depth=self._depth,
        )  # fmt: skip
        if apart is not None:
            ranked = without(ranked, apart)
        presented = self._presenter.present(scene, ranked, asked, page)
        return SearchAnswer(
            query=query,
            mode=mode,
            hits=presented.hits,
            total=len(ranked.counted),
            facets=presented.facets,
            encoder=vectors.stored.name if vectors is not None else "",
            generation=vectors.snapshot.generation if vectors is not None else None,
            notes=(*notes, *_beyond(ranked, presented.hits)),
            weight=ranked.weight,
        )


def _meaning(vectors: _Vectors, scene: Scene, rows: Matrix) -> Meaning:
    return Meaning(vectors.snapshot.view, scene.layout, rows[rows.any(axis=1)])


def _with_duplicates(scene: Scene, document_id: DocumentId) -> Ids:
    """The document and its near-duplicates, ascending."""
    document = np.array([document_id], dtype=np.int64)
    [group] = scene.layout.groups_of(document)
    return document if group < 0 else scene.layout.grouped[scene.layout.groups == group]


def _lag(scene: Scene) -> list[str]:
    if not scene.waiting:
        return []
    return [f"{scene.waiting} changes are not in the lexical index yet; new words may not be found"]


def _nothing_embedded(collection: Collection) -> str:
    if not collection.passages:
        return f"collection {collection.name!r} holds no passages yet"
    return f"embedding still runs: 0 of {collection.passages} passages of {collection.name!r} are embedded"


def _beyond(ranked: Ranked, hits: tuple[Hit, ...]) -> list[str]:
    """A word about hits that are not counted."""
    counted = set(ranked.counted.tolist())
    if all(hit.document.id in counted for hit in hits):
        return []
    return [f"{len(counted)} of the documents that meet the filters match; the nearest others follow"]


def _checked_page(page: Page | None) -> Page:
    checked = page or Page()
    checked.check()
    return checked


def _checked_weight(weight: float) -> float:
    if not 0 <= weight <= 1:
        raise BadQuery(f"the weight of the semantic score must lie between 0 and 1, got {weight}")
    return weight
