"""The values that travel between rooms: frozen records, NumPy arrays for numbers.

Close nouns have one name each (`docs/glossary.md`): a *collection* holds *documents*, a document is
split into *passages*, a search answers with *hits*, a topic model finds *topics*. Ids are integers of
different kinds and are told apart by `NewType`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, NewType

import numpy as np
from numpy.typing import NDArray

CollectionId = NewType("CollectionId", int)
FileId = NewType("FileId", int)
DocumentId = NewType("DocumentId", int)
PassageId = NewType("PassageId", int)
EncoderId = NewType("EncoderId", int)
GenerationId = NewType("GenerationId", int)
TopicModelId = NewType("TopicModelId", int)
TopicId = NewType("TopicId", int)
JobId = NewType("JobId", int)

Matrix = NDArray[np.float32]
"""One row a text, float32; rows have unit length or are all zero, unless said otherwise."""

Ids = NDArray[np.int64]

Role = Literal["query", "passage"]
"""Encoders may treat a query and a passage differently (prompts such as ``query: ``)."""


class Metric(StrEnum):
    """How two vectors are compared. Unit rows make the inner product the cosine."""

    INNER_PRODUCT = "inner_product"


class Mode(StrEnum):
    """Which retrievers answer a search."""

    HYBRID = "hybrid"
    SEMANTIC = "semantic"
    LEXICAL = "lexical"


# ------------------------------------------------------------------------------ reading files


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place a person can open: page 3, row 17, slide 2, line 40. `start` counts code points of the text."""

    start: int
    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a reader makes of one document inside a file.

    `member` names the document inside its file ("" when the file is the document; "2/report.pdf" for an
    attachment or archive member, "row 17" for a table row). `parent` is the member it came with
    (an e-mail for its attachment) or None. `title` is the document's own title, "" when it has none:
    a file name is never passed off as a title. `text` is NUL-free, with "\\n" line ends.
    """

    member: str
    text: str
    title: str = ""
    date: date | None = None
    author: str = ""
    language: str = ""
    type: str = ""
    parent: str | None = None
    anchors: tuple[Anchor, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """A file, or a member of it, that could not be read, and why (a line a person can act on)."""

    member: str
    reason: str


# ------------------------------------------------------------------------------ catalog values


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of documents searched together under one active encoder.

    `revision` grows by one with every committed change of documents, passages or vectors.
    """

    id: CollectionId
    name: str
    created: datetime
    encoder_id: EncoderId | None
    documents: int
    passages: int
    failures: int
    revision: int
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """One readable text with its metadata; `source` is the path a person knows it by ("a.zip!b.txt")."""

    id: DocumentId
    collection_id: CollectionId
    file_id: FileId | None
    parent_id: DocumentId | None
    source: str
    title: str
    date: date | None
    author: str
    language: str
    type: str
    length: int
    digest: str
    duplicate_group: int | None
    metadata: Mapping[str, Any]
    anchors: tuple[Anchor, ...] = ()

    @property
    def display_title(self) -> str:
        """The title, or the last part of the source where the document has none."""
        return self.title or self.source.replace("!", "/").rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document small enough for an encoder: text == document text[start:end] (code points)."""

    id: PassageId
    document_id: DocumentId
    position: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class PassageSpan:
    """Where a passage lies, before it has an id."""

    start: int
    end: int


# ------------------------------------------------------------------------------ searching


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter condition: `field` is a document field or ``meta.<key>``; values of "in" are alternatives."""

    field: str
    op: Literal["in", ">=", "<=", "prefix", "contains", "missing"]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions that a document must all meet. Empty = every document."""

    conditions: tuple[Condition, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.conditions)


EVERYTHING = Filters()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One retriever's proposal with *its own* score."""

    passage_id: PassageId
    document_id: DocumentId
    score: float


@dataclass(frozen=True, slots=True)
class ScorePart:
    """What one retriever gave a hit: its raw score, the score scaled to 0..1, its rank from 1.

    "late" is what re-ranked the first hits: late interaction, or a cross-encoder.
    """

    retriever: Literal["semantic", "lexical", "late"]
    raw: float
    scaled: float
    rank: int


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of code points of the document's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A passage of a document and what to mark in it: see `Hit`."""

    passage: Passage
    highlights: tuple[Span, ...]
    best_sentence: Span | None
    place: Anchor | None
    topic_id: TopicId | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A ranked document with its best passage, how it was scored, and what to mark in it.

    `score` is the fused score in a hybrid search, else the retriever's own (cosine, BM25). `highlights` are spans of
    the document text (the words that matched lexically); `best_sentence` is the sentence of the passage closest in
    meaning to the query. `place` is the anchor ("page 3") it lies at, `topic_id` the passage's main topic.
    `duplicates` counts the near-duplicates collapsed under the hit; `more` holds the next best passages of the
    document, where asked for.
    """

    rank: int
    score: float
    parts: tuple[ScorePart, ...]
    document: Document
    passage: Passage
    highlights: tuple[Span, ...]
    best_sentence: Span | None
    place: Anchor | None
    duplicates: int
    topic_id: TopicId | None = None
    more: tuple[Excerpt, ...] = ()
    relevance: float | None = None


@dataclass(frozen=True, slots=True)
class FacetValue:
    """How many documents that match carry a value."""

    value: str
    count: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class RelevanceBasis:
    """What the relevance of hits rests on: `kind` is "label-free" or "judgments"; `passages` = how many the collection
    had when it was measured (0 = unknown).

    Of judgments: so many `queries` and `hits`, of which `accepted` were relevant; `error` is the expected calibration
    error on queries that were held out, with the ends of its 95 % interval.
    """

    kind: str
    passages: int
    queries: int = 0
    hits: int = 0
    accepted: int = 0
    error: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Respelt:
    """A word of a query, folded, and the words of the collection that were looked for besides, the likeliest first.

    `unknown`: no document holds it as typed; otherwise these are what a scanner may have made of it.
    """

    typed: str
    used: tuple[str, ...]
    unknown: bool


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """Hits in order, exact facet counts over every matching document, and what answered.

    `total` is the number of documents that the facets count: those that match a word, or are among the nearest of the
    collection in meaning (`search/ranking.py`); `counted` holds their ids, ascending. `notes` say what a person should
    know: that embedding still runs, that a filter left none of the nearest. `rerank` = how the first hits were put in
    order again ("maxsim", "cross-encoder" or "none"), in `rerank_ms` milliseconds. `close` is False where nothing
    stands out from what chance finds in the collection, None where that was not measured (`search/calibration.py`);
    `basis` = what the relevance of its hits rests on. `respelt` = words that were looked for by what looks like them.
    """

    query: str
    mode: Mode
    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[str, tuple[FacetValue, ...]]
    encoder: str
    generation: int | None
    notes: tuple[str, ...] = ()
    weight: float = 0.5
    counted: Ids = field(default_factory=lambda: np.empty(0, np.int64), compare=False, repr=False)
    rerank: str = "none"
    rerank_ms: float = field(default=0.0, compare=False)
    close: bool | None = None
    basis: RelevanceBasis | None = None
    respelt: tuple[Respelt, ...] = ()


# ------------------------------------------------------------------------------ topics


@dataclass(frozen=True, slots=True)
class TopicTerm:
    """A word of a topic with its weight (the model's probability of the word in the topic)."""

    term: str
    weight: float


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as a person meets it. `share` is the part of the collection's passages, sums to 1 over topics.

    `named` where a person gave the label; `place` is where it lies on the map.
    """

    id: TopicId
    model_id: TopicModelId
    number: int
    label: str
    terms: tuple[TopicTerm, ...]
    share: float
    passages: int
    documents: int
    coherence: Mapping[str, float]
    representatives: tuple[PassageId, ...]
    named: bool = False
    hidden: bool = False
    pinned: bool = False
    note: str = ""
    colour: str = ""
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class TopicModelInfo:
    """A fitted topic model as stored; `scores` holds NPMI, C_V and diversity of the whole model. `state`: kept,
    proposed (a refit to look at) or before (an applied refit replaced it)."""

    id: TopicModelId
    collection_id: CollectionId
    kind: str
    encoder_id: EncoderId
    created: datetime
    active: bool
    settings: Mapping[str, Any]
    scores: Mapping[str, float]
    topics: int
    passages: int
    state: str = "kept"


@dataclass(frozen=True, slots=True)
class Membership:
    """How much of a passage or document is about a topic; the weights of one passage sum to 1."""

    topic_id: TopicId
    weight: float


# ------------------------------------------------------------------------------ jobs


class JobState(StrEnum):
    """queued → running → done | failed | cancelled; a lost lease returns running to queued."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of background work with its progress. Times are UTC; `done`/`total` count `unit`."""

    id: JobId
    kind: str
    collection_id: CollectionId | None
    state: JobState
    payload: Mapping[str, Any]
    checkpoint: Mapping[str, Any]
    stage: str
    done: int
    total: int
    unit: str
    attempts: int
    message: str
    result: Mapping[str, Any]
    created: datetime
    started: datetime | None
    finished: datetime | None
    cancel_requested: bool
    stage_started: datetime | None = None
    stage_from: int = 0

    @property
    def loss(self) -> float | None:
        """Of late, where the job trains something."""
        return self.checkpoint.get("loss")

    @property
    def held_out(self) -> Mapping[str, float]:
        """The last figure on what a training holds out, by its name; {} where there is none."""
        found: Mapping[str, float] = self.checkpoint.get("held_out", {})
        return found

    def rate(self, now: datetime) -> float | None:
        """Units a second in the current stage, None while nothing can be told. What an earlier run did is left out."""
        if self.state is not JobState.RUNNING or self.stage_started is None or self.done <= self.stage_from:
            return None
        return (self.done - self.stage_from) / max((now - self.stage_started).total_seconds(), 1e-3)

    def seconds_left(self, now: datetime) -> float | None:
        """Time that the current stage still takes at its rate so far, None while nothing can be told."""
        rate = self.rate(now)
        return (self.total - self.done) / rate if rate and self.done <= self.total else None


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file the indexer met: read, failed (with the reason), skipped, or half read by a job that goes on."""

    id: FileId
    collection_id: CollectionId
    path: str
    size: int
    state: Literal["read", "failed", "skipped", "reading"]
    reason: str
    documents: int
    seen: datetime


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of `riparian check`: where SQL, vectors and lexical index disagree."""

    collection: str
    part: Literal["sql", "vectors", "lexical", "topics", "files"]
    detail: str
    repaired: bool = False


Batch = Sequence[str]
