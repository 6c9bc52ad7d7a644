"""Mixtures into the catalog and out of it, inside the caller's transaction.

What a model says of a passage is stored as it is; what pages read is derived from it under the edits in force
(`topics.curation`), here as anywhere.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from riparian.catalog.catalog import Catalog
from riparian.types import CollectionId, Ids, Matrix, Membership, TopicId, TopicModelId
from topics.corpus import Corpus
from topics.curation import store
from topics.curation.mixtures import VectorsOf, base, derive


def put_all(
    catalog: Catalog, model_id: TopicModelId, collection_id: CollectionId, found: Corpus, kept: csr_matrix
) -> None:
    """Mixtures of all passages and documents of a new model, those that were removed meanwhile left out."""
    store.begin(catalog, model_id)
    alive = put_posteriors(catalog, model_id, collection_id, found, kept)
    store.rewrite(catalog, model_id, store.log(catalog, model_id).now(), alive, store.no_vectors)


def put_posteriors(
    catalog: Catalog, model_id: TopicModelId, collection_id: CollectionId, found: Corpus, kept: csr_matrix
) -> Ids:
    """What the model says of those of the passages that are still there; answers with them."""
    passages, _ = catalog.passages.document_map(collection_id)
    alive = np.flatnonzero(np.isin(found.passages, passages))
    store.put(catalog, model_id, found.passages[alive], kept[alive])
    return found.passages[alive]


def add(catalog: Catalog, model_id: TopicModelId, collection_id: CollectionId, found: Corpus, kept: csr_matrix) -> int:
    """Mixtures of passages that still have none, and those of their documents renewed from what is then stored.

    Answers with the number of passages.
    """
    store.ensure(catalog, model_id)
    waiting = np.flatnonzero(np.isin(found.passages, catalog.topics.unassigned(model_id, collection_id)))
    store.put(catalog, model_id, found.passages[waiting], kept[waiting])
    curated = store.log(catalog, model_id).now()
    store.rewrite(catalog, model_id, curated, found.passages[waiting], picked(found.passages, found.vectors))
    return len(waiting)


def of_texts(catalog: Catalog, model_id: TopicModelId, kept: csr_matrix, vectors: Matrix) -> list[list[Membership]]:
    """The topics of texts that are not stored, under the edits in force, heaviest first."""
    places = np.arange(kept.shape[0])
    mixed = derive(
        base(places, kept, store.parts(catalog, model_id)),
        store.log(catalog, model_id).now().for_texts(),
        picked(places, vectors),
    )
    made: list[list[Membership]] = [[] for _ in places]
    for place, topic, weight in zip(mixed.passages, mixed.topics.tolist(), mixed.weights.tolist(), strict=True):
        made[place].append(Membership(TopicId(topic), weight))
    return [sorted(mixture, key=lambda m: (-m.weight, m.topic_id)) for mixture in made]


def picked(ids: Ids, vectors: Matrix) -> VectorsOf:
    """The vectors, row by row those of the ascending `ids`, of any of them."""

    def of(wanted: Ids) -> tuple[Ids, Matrix]:
        found = wanted[np.isin(wanted, ids)]
        return found, vectors[np.searchsorted(ids, found)]

    return of
