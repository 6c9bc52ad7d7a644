"""What analyses of topics read: the mixtures of a model as arrays, dates, and exact sums over any set of documents."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Executable, func, select, update
from sqlalchemy.orm import Session

from riparian.catalog.ids import as_ints, in_chunks
from riparian.catalog.models import DocumentRow, DocumentTopicRow, PassageRow, PassageTopicRow, TopicModelRow, TopicRow
from riparian.types import CollectionId, DocumentId, Ids, TopicId, TopicModelId


@dataclass(frozen=True, slots=True)
class Weights:
    """One entry a stored weight, in no promised order: row `owners[i]` is `weights[i]` about topic `topics[i]`."""

    owners: Ids
    topics: Ids
    weights: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Summed:
    """A topic over a set of documents: its weights in them summed, and how many have a passage that is mainly it."""

    topic_id: TopicId
    weight: float
    documents: int


class TopicAnalyses:
    def __init__(self, session: Session) -> None:
        self._session = session

    def active(self, collection_id: CollectionId) -> tuple[TopicModelId, dict[TopicId, str]] | None:
        """The collection's active model and the labels of its topics, without counting anything; None before a fit."""
        rows = self._session.execute(
            select(TopicRow.model_id, TopicRow.id, TopicRow.label)
            .join(TopicModelRow, TopicModelRow.id == TopicRow.model_id)
            .where(TopicModelRow.collection_id == collection_id, TopicModelRow.active)
        ).all()
        return (TopicModelId(rows[0][0]), {TopicId(row[1]): row[2] for row in rows}) if rows else None

    def passages(self, model_id: TopicModelId) -> Weights:
        """Every weight of every passage in a topic of the model."""
        return self._weights(
            select(PassageTopicRow.passage_id, PassageTopicRow.topic_id, PassageTopicRow.weight)
            .join(TopicRow, TopicRow.id == PassageTopicRow.topic_id)
            .where(TopicRow.model_id == model_id)
        )

    def documents(self, model_id: TopicModelId) -> Weights:
        """Every weight of every document in a topic of the model."""
        return self._weights(
            select(DocumentTopicRow.document_id, DocumentTopicRow.topic_id, DocumentTopicRow.weight)
            .join(TopicRow, TopicRow.id == DocumentTopicRow.topic_id)
            .where(TopicRow.model_id == model_id)
        )

    def set_places(self, places: Mapping[TopicId, tuple[float, float]]) -> None:
        """Where topics lie on the map; a later model's matched topics take their places with them."""
        rows = [{"id": int(topic), "map_x": x, "map_y": y} for topic, (x, y) in places.items()]
        for chunk in in_chunks(rows):
            self._session.execute(update(TopicRow), list(chunk))

    def dates(self, collection_id: CollectionId) -> dict[DocumentId, date]:
        """The date of each document that has one."""
        rows = self._session.execute(
            select(DocumentRow.id, DocumentRow.date).where(DocumentRow.collection_id == collection_id)
        )
        return {DocumentId(row[0]): row[1] for row in rows if row[1] is not None}

    def fields(self, collection_id: CollectionId) -> list[str]:
        """`meta.<key>` for each key that documents' metadata hold, by name."""
        rows = self._session.scalars(select(DocumentRow.details).where(DocumentRow.collection_id == collection_id))
        return sorted({f"meta.{key}" for details in rows for key in details})

    def over(self, model_id: TopicModelId, documents: Ids) -> tuple[list[Summed], int]:
        """Each topic that the documents hold, summed exactly over them; and how many of them have a mixture."""
        sums: dict[int, float] = {}
        tops: dict[int, int] = {}
        for chunk in in_chunks(as_ints(documents)):
            for topic, weight in self._session.execute(self._summed(model_id, chunk)):
                sums[topic] = sums.get(topic, 0.0) + weight
            for topic, number in self._session.execute(self._main(model_id, chunk)):
                tops[topic] = tops.get(topic, 0) + number
        found = [Summed(TopicId(topic), weight, tops.get(topic, 0)) for topic, weight in sums.items()]
        mixed = round(math.fsum(sums.values()))  # the weights of a document sum to 1
        return sorted(found, key=lambda one: (-one.weight, one.topic_id)), mixed

    def _summed(self, model_id: TopicModelId, chunk: Sequence[int]) -> Executable:
        return (
            select(DocumentTopicRow.topic_id, func.sum(DocumentTopicRow.weight))
            .join(TopicRow, TopicRow.id == DocumentTopicRow.topic_id)
            .where(TopicRow.model_id == model_id, DocumentTopicRow.document_id.in_(chunk))
            .group_by(DocumentTopicRow.topic_id)
        )

    def _main(self, model_id: TopicModelId, chunk: Sequence[int]) -> Executable:
        return (
            select(PassageTopicRow.topic_id, func.count(PassageRow.document_id.distinct()))
            .join(PassageRow, PassageRow.id == PassageTopicRow.passage_id)
            .join(TopicRow, TopicRow.id == PassageTopicRow.topic_id)
            .where(TopicRow.model_id == model_id, PassageTopicRow.top, PassageRow.document_id.in_(chunk))
            .group_by(PassageTopicRow.topic_id)
        )

    def _weights(self, query: Executable) -> Weights:
        rows = self._session.execute(query).all()
        owners = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        topics = np.fromiter((row[1] for row in rows), np.int64, len(rows))
        return Weights(owners, topics, np.fromiter((row[2] for row in rows), np.float64, len(rows)))
