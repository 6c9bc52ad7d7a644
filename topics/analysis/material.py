"""The material of analyses, read in one transaction: topics, and mixtures as a matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.catalog.catalog import Catalog
from riparian.catalog.topic_analyses import Weights
from riparian.types import CollectionId, Ids, Topic, TopicId, TopicModelInfo


@dataclass(frozen=True, slots=True)
class Mixtures:
    """Rows by ascending id (documents or passages) with their weights (N, K); column k belongs to `topics[k]`.

    Topics are ordered by id, so that the same model gives the same columns.
    """

    rows: Ids
    theta: csr_matrix
    topics: tuple[Topic, ...]

    @property
    def ids(self) -> tuple[TopicId, ...]:
        return tuple(topic.id for topic in self.topics)

    def dense(self) -> NDArray[np.float64]:
        return np.asarray(self.theta.toarray(), dtype=np.float64)


def shown_topics(catalog: Catalog, collection_id: CollectionId) -> tuple[TopicModelInfo, tuple[Topic, ...]]:
    """The active model and its topics by id. NoTopicsYet when there is none."""
    model = catalog.topics.active_model(collection_id)
    return model, tuple(sorted(catalog.topics.of_model(model.id), key=lambda topic: topic.id))


def of_documents(catalog: Catalog, collection_id: CollectionId) -> Mixtures:
    """The documents that have topics."""
    model, topics = shown_topics(catalog, collection_id)
    return mixtures(catalog.topic_analyses.documents(model.id), topics)


def of_passages(catalog: Catalog, collection_id: CollectionId) -> Mixtures:
    """The passages that have topics."""
    model, topics = shown_topics(catalog, collection_id)
    return mixtures(catalog.topic_analyses.passages(model.id), topics)


def mixtures(found: Weights, topics: tuple[Topic, ...]) -> Mixtures:
    """Weights as a matrix; those of a topic that is not among `topics` are left out."""
    ids = np.array([topic.id for topic in topics], np.int64)
    known = np.isin(found.topics, ids)
    rows, place = np.unique(found.owners[known], return_inverse=True)
    columns = np.searchsorted(ids, found.topics[known])
    theta = csr_matrix((found.weights[known], (place, columns)), shape=(len(rows), len(ids)))
    theta.sort_indices()
    return Mixtures(rows, theta, topics)
