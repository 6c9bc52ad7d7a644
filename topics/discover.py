"""From vectors and words to described topics: choose K, fit, name, label, score. Pure: no database, no file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.errors import Invalid
from riparian.types import Matrix, TopicTerm
from topics import coherence, describe, kinds, naming, phrases
from topics.base import NO_GUIDANCE, BagOfWords, Classes, Fit, FitSettings, Guidance, Progress, silent
from topics.choose import Choice, choose
from topics.ordering import by_content, numbered, reordered

MOST = 500
"""More topics than a person can look at; a typing error is more likely."""


@dataclass(frozen=True, slots=True)
class Described:
    """A topic before it is stored. `representatives` are rows of the vectors, best first."""

    number: int
    label: str
    terms: tuple[TopicTerm, ...]
    coherence: Mapping[str, float]
    representatives: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Discovery:
    """What one run found. `scores` holds npmi, c_v and diversity of the whole model where they exist; `held_out` is how
    many documents' labels it was not told."""

    fit: Fit
    choice: Choice
    topics: tuple[Described, ...]
    scores: Mapping[str, float]
    held_out: int = 0


def discover(
    kind: str,
    vectors: Matrix,
    bag: BagOfWords,
    documents: NDArray[np.int64],
    *,
    encoder: str,
    topics: int | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    guidance: Guidance = NO_GUIDANCE,
    classes: Classes | None = None,
    checkpoint: Path | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> Discovery:
    """Topics of N passages from their vectors (N, E), words and documents (ids), all of the same N, at least one.

    `topics` None lets `topics.choose` propose the number. Raises Invalid for an unknown kind, a number below one, or
    passages without a single word that could name a topic. Equal input and seed give equal output on one machine, in
    whatever order the passages come. `guidance` and `classes` are about these rows (see `topics.base`); `checkpoint`
    is a file to go on from.
    """
    check_number(topics)
    if not bag.vocabulary:
        raise Invalid("the passages hold no word that could name a topic (stop words and numbers alone)")
    order = by_content(vectors, bag)
    vectors, bag, documents = vectors[order], bag.rows(order), numbered(documents[order])
    choice = Choice(topics) if topics is not None else choose(vectors, bag, documents, progress)
    if classes is not None:
        classes = replace(classes, of_texts=classes.of_texts[order])
    settings = FitSettings(choice.topics, seed, options, reordered(guidance, order), classes, checkpoint)
    fit = kinds.fit(kind, vectors, bag, settings, encoder=encoder, device=device, progress=progress)
    progress("naming topics", 0, 2)
    expected = describe.expected_counts(fit.theta, bag.counts)
    chosen = naming.choose(bag, expected, known=guidance.known_words, vectors=vectors)
    progress("naming topics", 1, 2)
    found, scores = _describe(fit, vectors, bag, expected, chosen)
    progress("naming topics", 2, 2)
    return _in_order(Discovery(fit, choice, found, scores), order)


def _in_order(found: Discovery, order: NDArray[np.int64]) -> Discovery:
    """What was found, about the rows as they were given."""
    theta = np.empty_like(found.fit.theta)
    theta[order] = found.fit.theta
    topics = tuple(
        replace(topic, representatives=tuple(int(order[row]) for row in topic.representatives))
        for topic in found.topics
    )
    return replace(found, fit=replace(found.fit, theta=theta), topics=topics)


def check_number(topics: int | None) -> None:
    """Raises Invalid for a number of topics that no model can have."""
    if topics is not None and not 1 <= topics <= MOST:
        raise Invalid(f"{topics} topics were asked for; ask for 1 to {MOST}")


def _describe(
    fit: Fit, vectors: Matrix, bag: BagOfWords, expected: Matrix, chosen: list[list[int]]
) -> tuple[tuple[Described, ...], Mapping[str, float]]:
    words = [[bag.vocabulary[word] for word in topic] for topic in chosen]
    largest_first = np.argsort(-fit.theta.sum(axis=0), kind="stable")
    labels = describe.labels(
        [topic[: coherence.TOP] for topic in words],
        [int(k) for k in largest_first],
        lambda label: phrases.label(label, bag),
    )
    measured = coherence.score(words, bag)
    found = tuple(
        Described(
            number=k,
            label=labels[k],
            terms=describe.terms(topic, expected[k], bag.vocabulary),
            coherence=_finite({"npmi": measured.npmi[k], "c_v": measured.c_v[k]}),
            representatives=tuple(describe.representatives(fit.theta, vectors, k)),
        )
        for k, topic in enumerate(chosen)
    )
    return found, _finite(measured.means())


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    """What can be stored as JSON: a topic of one word has no coherence."""
    return {name: value for name, value in values.items() if math.isfinite(value)}
