"""Mixtures into the catalog and out of it, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.catalog.catalog import Catalog
from riparian.types import CollectionId, DocumentId, Ids, Membership, PassageId, TopicId, TopicModelId
from topics import mixtures
from topics.corpus import Corpus


def put_all(
    catalog: Catalog,
    model_id: TopicModelId,
    collection_id: CollectionId,
    found: Corpus,
    kept: csr_matrix,
    topic_ids: Mapping[int, TopicId],
) -> None:
    """Mixtures of all passages and documents of a new model, those that were removed meanwhile left out."""
    passages, _ = catalog.passages.document_map(collection_id)
    alive = np.flatnonzero(np.isin(found.passages, passages))
    _put_passages(catalog, found.passages[alive], kept[alive], topic_ids)
    documents = mixtures.of_documents(kept[alive], found.documents[alive], found.lengths[alive])
    _put_documents(catalog, model_id, *documents, topic_ids)


def add(catalog: Catalog, model_id: TopicModelId, collection_id: CollectionId, found: Corpus, kept: csr_matrix) -> int:
    """Mixtures of passages that still have none, and those of their documents renewed from what is then stored.

    Answers with the number of passages.
    """
    waiting = np.flatnonzero(np.isin(found.passages, catalog.topics.unassigned(model_id, collection_id)))
    topic_ids = {topic.number: topic.id for topic in catalog.topics.of_model(model_id)}
    _put_passages(catalog, found.passages[waiting], kept[waiting], topic_ids)
    _renew_documents(catalog, model_id, collection_id, np.unique(found.documents[waiting]), topic_ids)
    return len(waiting)


def rows(kept: csr_matrix, topic_ids: Mapping[int, TopicId]) -> list[list[Membership]]:
    """Each row's stored weights under the topics' ids."""
    made = []
    for start, end in zip(kept.indptr[:-1], kept.indptr[1:], strict=True):
        pairs = zip(kept.indices[start:end].tolist(), kept.data[start:end].tolist(), strict=True)
        made.append([Membership(topic_ids[number], weight) for number, weight in pairs])
    return made


def _renew_documents(
    catalog: Catalog,
    model_id: TopicModelId,
    collection_id: CollectionId,
    renewed: NDArray[np.int64],
    topic_ids: Mapping[int, TopicId],
) -> None:
    passages, documents = catalog.passages.document_map(collection_id)
    inside = np.isin(documents, renewed)
    stored = catalog.topics.of_passages(model_id, passages[inside].tolist())
    lengths = catalog.passages.lengths(collection_id)
    chosen = [
        (PassageId(passage), document)
        for passage, document in zip(passages[inside].tolist(), documents[inside].tolist(), strict=True)
        if passage in stored
    ]
    kept = _matrix([stored[passage] for passage, _ in chosen], topic_ids)
    means = mixtures.of_documents(
        kept,
        np.array([document for _, document in chosen], np.int64),
        np.array([lengths[passage] for passage, _ in chosen], np.int64),
    )
    _put_documents(catalog, model_id, *means, topic_ids)


def _matrix(stored: list[list[Membership]], topic_ids: Mapping[int, TopicId]) -> csr_matrix:
    numbers = {topic_id: number for number, topic_id in topic_ids.items()}
    entries = [(row, numbers[m.topic_id], m.weight) for row, mixture in enumerate(stored) for m in mixture]
    places = np.array([(row, column) for row, column, _ in entries], np.int64).reshape(-1, 2)
    weights = np.array([weight for _, _, weight in entries], np.float64)
    return csr_matrix((weights, (places[:, 0], places[:, 1])), shape=(len(stored), max(numbers.values()) + 1))


def _put_passages(catalog: Catalog, passages: Ids, kept: csr_matrix, topic_ids: Mapping[int, TopicId]) -> None:
    ids = [PassageId(int(passage)) for passage in passages]
    catalog.topics.put_passages(dict(zip(ids, rows(kept, topic_ids), strict=True)))


def _put_documents(
    catalog: Catalog,
    model_id: TopicModelId,
    documents: NDArray[np.int64],
    means: csr_matrix,
    topic_ids: Mapping[int, TopicId],
) -> None:
    ids = [DocumentId(int(document)) for document in documents]
    catalog.topics.put_documents(model_id, dict(zip(ids, rows(means, topic_ids), strict=True)))
