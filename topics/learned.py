"""What the topics say a document is called: the labels that a model learned, of documents and of texts.

They are read from what the model said of passages, so no edit of the topics changes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from riparian.catalog.catalog import Catalog
from riparian.catalog.engine import Database
from riparian.errors import NotFound
from riparian.types import CollectionId, DocumentId, Ids, Matrix, PassageId, Span, TopicModelInfo
from topics import asked, learning
from topics.base import TopicModel
from topics.curation import posteriors
from topics.network_model import NetworkModel

MOST = 5
"""Labels that are told of a document or text, the likeliest."""


class NoLabels(NotFound):
    def __init__(self, collection: str) -> None:
        super().__init__(
            f"the topics of {collection!r} learned no labels; `riparian topics fit --kind combined --labels FIELD` "
            "learns the values of a field"
        )


@dataclass(frozen=True, slots=True)
class Told:
    """A label and how likely it is; those of one text sum to 1 over all labels."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class LabelCount:
    """How many documents carry the label, how many are told to, and how many of these carry none."""

    label: str
    given: int
    told: int
    told_without: int


@dataclass(frozen=True, slots=True)
class Learned:
    """`accuracy` on `held_out` documents whose label the fit was not told, `guess` what the most frequent label would
    give there; None where none were."""

    field: str
    accuracy: float | None
    guess: float | None
    held_out: int
    labels: tuple[LabelCount, ...]


@dataclass(frozen=True, slots=True)
class LabelledPassage:
    passage_id: PassageId
    span: Span
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class LabelledDocument:
    """`given` is what the document carries, "" where it carries none; `told` the likeliest labels, best first."""

    field: str
    given: str
    told: tuple[Told, ...]
    passages: tuple[LabelledPassage, ...]


class LearnedService:
    """Safe to share between threads. `model_of` opens a stored model."""

    def __init__(self, database: Database, model_of: Callable[[TopicModelInfo], TopicModel]) -> None:
        self._database, self._model_of = database, model_of

    def field(self, collection_id: CollectionId) -> str | None:
        """The field whose values the shown topics learned; None where they learned none, NoTopicsYet."""
        with self._database.read() as catalog:
            return catalog.topics.active_model(collection_id).settings.get("labels")

    def learned(self, collection_id: CollectionId) -> Learned:
        """NoLabels where the topics learned none."""
        with self._database.read() as catalog:
            info, field = _labelled(catalog, collection_id)
            passages, packed = catalog.curation.posteriors(info.id)
            given = asked.values(catalog, collection_id, field)
            places = _places(catalog, passages)
        names, told = self._told(info, packed)
        ids, means = learning.of_documents(told, places[:, 1], places[:, 2])
        return Learned(
            field, info.scores.get("label_accuracy"), info.scores.get("label_guess"),
            int(info.settings.get("labels_held_out", 0)), _counts(names, ids, means.argmax(axis=1), given),
        )  # fmt: skip

    def of_document(self, document_id: DocumentId) -> LabelledDocument:
        """NoLabels where the topics learned none; without labels where its passages have no topics yet."""
        with self._database.read() as catalog:
            collection_id = catalog.documents.get(document_id).collection_id
            info, field = _labelled(catalog, collection_id)
            where = catalog.passages.places(document_id)
            wanted = np.array(sorted(map(int, where)), np.int64)
            passages, packed = catalog.curation.posteriors(info.id, wanted)
            given = asked.values(catalog, collection_id, field).get(int(document_id), "")
        names, told = self._told(info, packed)
        spans = [where[PassageId(passage)] for passage in passages.tolist()]
        lengths = np.array([span.end - span.start for span in spans], np.int64)
        _, mean = learning.of_documents(told, np.zeros(len(passages), np.int64), lengths)
        each = tuple(
            LabelledPassage(PassageId(int(p)), span, _best(names, row))
            for p, span, row in zip(passages, spans, told, strict=True)
        )
        return LabelledDocument(field, given, _best(names, mean[0]) if len(mean) else (), each)

    def of_texts(self, info: TopicModelInfo, kept: csr_matrix) -> list[tuple[Told, ...]]:
        """The likeliest labels of texts by what the model said of them; empty where it learned none."""
        if not info.settings.get("labels"):
            return [() for _ in range(kept.shape[0])]
        model = self._model_of(info)
        told = learning.probabilities(model, np.asarray(kept.toarray(), np.float32))
        return [_best(_names(model), row) for row in told]

    def of_parts(self, info: TopicModelInfo, kept: csr_matrix, lengths: Sequence[int]) -> tuple[Told, ...]:
        """The likeliest labels of one text, by what the model said of its parts and how long they are."""
        model = self._model_of(info)
        if not info.settings.get("labels") or not len(lengths):
            return ()
        told = learning.probabilities(model, np.asarray(kept.toarray(), np.float32))
        _, mean = learning.of_documents(told, np.zeros(len(lengths), np.int64), np.array(lengths, np.int64))
        return _best(_names(model), mean[0])

    def _told(self, info: TopicModelInfo, packed: Sequence[bytes]) -> tuple[tuple[str, ...], Matrix]:
        model = self._model_of(info)
        theta = posteriors.unpack(packed, model.topics)
        return _names(model), learning.probabilities(model, np.asarray(theta.toarray(), np.float32))


def _labelled(catalog: Catalog, collection_id: CollectionId) -> tuple[TopicModelInfo, str]:
    info = catalog.topics.active_model(collection_id)
    field = info.settings.get("labels")
    if not field:
        raise NoLabels(catalog.collections.get(collection_id).name)
    return info, field


def _names(model: TopicModel) -> tuple[str, ...]:
    return model.classes if isinstance(model, NetworkModel) else ()


def _places(catalog: Catalog, passages: Ids) -> np.ndarray:
    """(N, 3): each passage, its document, its characters."""
    documents = catalog.passages.documents_of(passages.tolist())
    rows = catalog.curation.passages_of(np.unique(np.fromiter(documents.values(), np.int64, len(documents))))
    placed = np.array(rows, np.int64).reshape(-1, 3)
    return placed[np.isin(placed[:, 0], passages)]


def _best(names: Sequence[str], row: np.ndarray) -> tuple[Told, ...]:
    order = np.argsort(-row, kind="stable")[:MOST]
    return tuple(Told(names[number], float(row[number])) for number in order.tolist())


def _counts(names: Sequence[str], ids: Ids, told: Ids, given: Mapping[int, str]) -> tuple[LabelCount, ...]:
    without = np.array([int(document) not in given for document in ids], bool)
    known = Counter(given.values())
    found = [
        LabelCount(name, known[name], int(np.sum(told == place)), int(np.sum((told == place) & without)))
        for place, name in enumerate(names)
    ]
    return tuple(sorted(found, key=lambda one: (-one.given, one.label)))
