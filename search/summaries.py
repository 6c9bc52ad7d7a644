"""Summaries in the archive's own sentences: of a document, of a topic, of what a search finds.

Central sentences that differ from each other (`central.py`), each with its place. Nothing is written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import regex
from numpy.typing import NDArray

from riparian.catalog.catalog import Catalog
from riparian.catalog.engine import Database
from riparian.encoders.base import Encoder
from riparian.encoders.pool import EncoderPool
from riparian.errors import Invalid, NotIndexedYet
from riparian.text import sentences
from riparian.types import Anchor, Collection, Document, DocumentId, Passage, PassageId, Span, TopicId
from search.central import centrality, chosen
from search.dense import spread
from search.explain.kept import Kept
from search.highlight import place
from search.request import SearchRequest
from search.service import SearchService

SENTENCES, MOST = 5, 30

READ = 300
"""Sentences that are compared at most; of more, evenly spaced ones."""

_HITS, _TOPIC_PASSAGES = 20, 60
_WORDS = range(5, 80)  # words of a sentence that can stand alone
_KEPT = 256
_WORD = regex.compile(r"[\p{L}\p{N}]+")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]")


@dataclass(frozen=True, slots=True)
class SummarySentence:
    """A sentence as it stands in its document: `span` in code points of its text, `score` = how central it is, 0 to 1.

    `passage` is one that holds its beginning, None where none does.
    """

    text: str
    span: Span
    document: Document
    passage: PassageId | None
    place: Anchor | None
    score: float


@dataclass(frozen=True, slots=True)
class Summary:
    """Sentences in reading order (of one document), else the most central first. `read` of `all` were compared."""

    sentences: tuple[SummarySentence, ...]
    read: int
    all: int
    encoder: str


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Text of a document that is read, from `start` of it on."""

    document: Document
    text: str
    start: int
    passage: PassageId | None


@dataclass(frozen=True, slots=True)
class _Found:
    document: Document
    text: str
    span: Span
    passage: PassageId | None


_Read = Callable[[Catalog], list[_Stretch]]


class SummaryService:
    """Safe to share between threads; summaries are kept until their collection changes."""

    def __init__(self, database: Database, encoders: EncoderPool, search: SearchService) -> None:
        self._database, self._encoders, self._search = database, encoders, search
        self._kept: Kept[tuple[object, ...], Summary] = Kept(_KEPT, lambda _: 1)

    def of_document(self, document_id: DocumentId, count: int = SENTENCES) -> Summary:
        """UnknownDocument; NotIndexedYet where its collection has no encoder yet."""
        with self._database.read() as catalog:
            document = catalog.documents.get(document_id)
            collection = catalog.collections.get(document.collection_id)

        def read(catalog: Catalog) -> list[_Stretch]:
            return [_Stretch(document, catalog.documents.text(document_id), 0, None)]

        return self._summary(collection, ("document", document_id), count, read)

    def of_topic(self, topic_id: TopicId, count: int = SENTENCES) -> Summary:
        """Of the passages that the topic is most of. UnknownTopic; NotIndexedYet."""
        with self._database.read() as catalog:
            collection = catalog.collections.get(catalog.topics.collection_of(topic_id))

        def read(catalog: Catalog) -> list[_Stretch]:
            weighed = catalog.topics.passages_of(topic_id, limit=_TOPIC_PASSAGES, offset=0)
            return _stretches(catalog, [passage for passage, _ in weighed])

        return self._summary(collection, ("topic", topic_id), count, read)

    def of_query(self, request: SearchRequest, count: int = SENTENCES) -> Summary:
        """Of the best passages that a search finds, with a leaning to the query. Errors as in a search."""
        asked = replace(request, k=_HITS, offset=0, passages=1, sentences=False, facets=())
        standing = self._search.standing(asked)
        answer = self._search.presented(standing, asked.page)
        stretches = [_Stretch(hit.document, hit.passage.text, hit.passage.start, hit.passage.id) for hit in answer.hits]
        meaning = standing.question.asked.meaning
        query = meaning.queries[0] if meaning is not None and len(meaning.queries) else None
        collection = standing.question.scene.collection
        found = tuple(hit.passage.id for hit in answer.hits)
        key = ("query", answer.query, found, collection.id, collection.encoder_id, _checked(count))
        [made] = self._kept.many([key], lambda _: [self._made(collection, stretches, count, query)])
        return made

    def _summary(self, collection: Collection, what: tuple[object, ...], count: int, read: _Read) -> Summary:
        key = (*what, collection.id, collection.revision, collection.encoder_id, _checked(count))

        def make(_missing: object) -> list[Summary]:
            with self._database.read() as catalog:
                stretches = read(catalog)
            return [self._made(collection, stretches, count, None)]

        [found] = self._kept.many([key], make)
        return found

    def _made(
        self, collection: Collection, stretches: Sequence[_Stretch], count: int, query: NDArray[np.float32] | None
    ) -> Summary:
        found = _sentences(stretches)
        kept = [found[row] for row in spread(range(len(found)), READ)]
        encoder = self._encoder(collection)
        rows = encoder.encode_passages([one.text for one in kept], "passage")
        bias = rows.astype(np.float64) @ query.astype(np.float64) if query is not None and len(rows) else None
        worth = centrality(rows, bias)
        numbers = chosen(rows, worth, count)
        if len(stretches) == 1:
            numbers.sort()
        shown = self._placed([kept[number] for number in numbers], [float(worth[number]) for number in numbers])
        return Summary(shown, len(kept), len(found), encoder.info.name)

    def _encoder(self, collection: Collection) -> Encoder:
        if collection.encoder_id is None:
            raise NotIndexedYet(f"collection {collection.name!r} has no encoder yet; summaries come with its vectors")
        with self._database.read() as catalog:
            stored = catalog.encoders.get(collection.encoder_id)
        return self._encoders.of(stored)

    def _placed(self, found: Sequence[_Found], scores: Sequence[float]) -> tuple[SummarySentence, ...]:
        with self._database.read() as catalog:
            lacking = {one.document.id for one in found if one.passage is None}
            places = {document: catalog.passages.places(document) for document in lacking}
        return tuple(
            SummarySentence(
                text=one.text,
                span=one.span,
                document=one.document,
                passage=one.passage if one.passage is not None else _holding(one.span, places[one.document.id]),
                place=place(one.document.anchors, one.span.start),
                score=score,
            )
            for one, score in zip(found, scores, strict=True)
        )


def _checked(count: int) -> int:
    if not 1 <= count <= MOST:
        raise Invalid(f"a summary has 1 to {MOST} sentences, not {count}")
    return count


def _stretches(catalog: Catalog, passages: Iterable[PassageId]) -> list[_Stretch]:
    wanted = list(passages)
    found: dict[PassageId, Passage] = catalog.passages.many(wanted)
    documents = catalog.documents.many({one.document_id for one in found.values()})
    ordered = [found[one] for one in wanted if one in found]
    return [_Stretch(documents[one.document_id], one.text, one.start, one.id) for one in ordered]


def _sentences(stretches: Sequence[_Stretch]) -> list[_Found]:
    """Sentences that can stand alone, each text once."""
    once: dict[str, _Found] = {}
    for stretch in stretches:
        for span in sentences(stretch.text, stretch.document.language):
            text = " ".join(stretch.text[span.start : span.end].split())
            if stands_alone(text):
                moved = Span(span.start + stretch.start, span.end + stretch.start)
                once.setdefault(text, _Found(stretch.document, text, moved, stretch.passage))
    return list(once.values())


def stands_alone(text: str) -> bool:
    """Whether a sentence is neither a scrap nor a list: 5 to 79 words, most of its characters letters or digits."""
    told = sum(len(word) for word in _WORD.findall(text))
    words = len(_WORD.findall(text))
    if _UNSPACED.search(text) is not None:
        words = told // 2
    return words in _WORDS and told > 0.6 * len(text.replace(" ", ""))


def _holding(span: Span, places: dict[PassageId, Span]) -> PassageId | None:
    return next((passage for passage, own in places.items() if own.start <= span.start < own.end), None)
