"""Labels that a fit learns beside the words: which documents' it is not told, and how often it is right about those.

The labels of every tenth document of a label are kept from the fit; the texts are not, for a fit reads all passages
whether they are labelled or not. So the figure is about documents like those of the collection, not about others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from riparian.catalog.catalog import Catalog
from riparian.types import CollectionId, Matrix
from topics import mixtures
from topics.asked import classes
from topics.base import Classes, TopicModel
from topics.corpus import Corpus
from topics.discover import Discovery
from topics.network_model import NetworkModel
from topics.ordering import by_content

EVERY = 10
FEWEST = 10
"""Fewer documents than this tell nothing: then none is kept from the fit."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """`told` is what a fit learns, `all` what people called the passages; `held_out` documents (ids) are not told."""

    told: Classes
    all: Classes
    held_out: NDArray[np.int64]


def of_field(catalog: Catalog, collection_id: CollectionId, field: str | None, found: Corpus) -> Lesson | None:
    """What a fit is told of the labels in a field of the documents, None where nobody asked for any. Raises what
    `topics.asked.classes` raises."""
    return None if field is None else lesson(classes(catalog, collection_id, field, found.documents), found)


def lesson(known: Classes, found: Corpus) -> Lesson:
    """The documents to hold out: of each class every tenth from the fifth on, in an order that is the passages' own."""
    rank = np.empty(len(found), np.int64)
    rank[by_content(found.vectors, found.bag)] = np.arange(len(found))
    order = np.argsort(rank)
    documents, first = np.unique(found.documents[order], return_index=True)
    classes = known.of_texts[order][first]
    held = [
        documents[classes == number][np.argsort(first[classes == number])][EVERY // 2 - 1 :: EVERY]
        for number in range(len(known.names))
    ]
    chosen = np.sort(np.concatenate(held))
    if len(chosen) < FEWEST:
        return Lesson(known, known, np.zeros(0, np.int64))
    hidden = np.isin(found.documents, chosen)
    return Lesson(replace(known, of_texts=np.where(hidden, -1, known.of_texts)), known, chosen)


def probabilities(model: TopicModel, theta: Matrix) -> Matrix:
    """(N, classes) of mixtures (N, K) as they are kept; no columns where the model learned none."""
    if not isinstance(model, NetworkModel) or not model.classes:
        return np.zeros((len(theta), 0), np.float32)
    return model.class_probabilities(np.ascontiguousarray(theta, np.float32))


def of_documents(
    found: Matrix, documents: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(ascending document ids, their probabilities): the mean of their passages' by length, as mixtures are."""
    from scipy.sparse import csr_matrix

    ids, means = mixtures.of_documents(csr_matrix(found.astype(np.float64)), documents, lengths)
    return ids, means.toarray()


def score(model: TopicModel, theta: Matrix, lesson: Lesson, found: Corpus) -> dict[str, float]:
    """Of the documents that were held out: the part whose label is told right, and the part of the most frequent label,
    which is what guessing gives. {} where none was."""
    if not len(lesson.held_out):
        return {}
    rows = np.flatnonzero(np.isin(found.documents, lesson.held_out))
    kept = np.asarray(mixtures.kept(theta[rows]).toarray(), np.float32)
    _, told = of_documents(probabilities(model, kept), found.documents[rows], found.lengths[rows])
    _, first = np.unique(found.documents[rows], return_index=True)
    truth = lesson.all.of_texts[rows][first]
    right = told.argmax(axis=1) == truth
    guess = np.bincount(truth).max() / len(truth)
    return {"label_accuracy": float(right.mean()), "label_guess": float(guess)}


def scored(discovery: Discovery, lesson: Lesson | None, found: Corpus) -> Discovery:
    """With how well labels are told, where any were learned."""
    if lesson is None:
        return discovery
    right = score(discovery.fit.model, discovery.fit.theta, lesson, found)
    return replace(discovery, scores={**discovery.scores, **right}, held_out=len(lesson.held_out))
