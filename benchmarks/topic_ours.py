"""Our kinds of topic model as `benchmarks/topics.py` fits them: `run` by a fresh process a fit."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.topic_fits import LISTED, Answer, Fit, Given, run, top_words
from benchmarks.topic_scores import bag_of
from topics import describe, kinds, naming
from topics.base import BagOfWords, FitSettings
from topics.network_settings import NetworkSettings
from topics.ordering import by_content

_ENCODER = "benchmark"


def bag(given: Given) -> BagOfWords:
    place = {word: number for number, word in enumerate(given.vocabulary)}
    numbers = [np.array([place[word] for word in text], np.int32) for text in given.tokens]
    return bag_of(tuple(given.vocabulary), numbers)


def _fit(kind: str, options: Mapping[str, Any], *, named: bool = False, published: bool = False) -> Fit:
    """`named`: its words are chosen by the naming step, as pages show them; else by its own belief (beta), or as the
    papers list them where it is `published`."""

    def fit(given: Given, topics: int, seed: int) -> Answer:
        words = bag(given)
        order = by_content(given.vectors, words)
        vectors, words = given.vectors[order], words.rows(order)
        found = kinds.fit(kind, vectors, words, FitSettings(topics, seed, options), encoder=_ENCODER)
        theta = np.empty_like(found.theta)
        theta[order] = found.theta
        if named:
            expected = describe.expected_counts(found.theta, words.counts)
            chosen = naming.choose(words, expected, vectors=vectors)
            listed = [[given.vocabulary[word] for word in topic[:LISTED]] for topic in chosen]
        else:
            scores = found.model.decoder() if published else found.model.beta()  # type: ignore[attr-defined]
            listed = top_words(scores, given.vocabulary)
        return Answer(listed, theta.argmax(axis=1), theta)

    return fit


FITS: dict[str, Fit] = {
    "joint": _fit("joint", {}, named=True),
    "combined": _fit("combined", {}),
    "zeroshot": _fit("zeroshot", {}),
    "combined-published": _fit("combined", asdict(NetworkSettings.published()), published=True),
    "zeroshot-published": _fit("zeroshot", asdict(NetworkSettings.published()), published=True),
    "kmeans": _fit("kmeans", {}),
    "lda": _fit("lda", {}),
    "nmf": _fit("nmf", {}),
}
"""By name; -published follows the papers."""


def _prepare(model: str) -> None:
    """Imports what the fit imports, so that it is not timed."""
    for name in ("scipy.cluster.hierarchy", "scipy.optimize", "sklearn.decomposition"):
        importlib.import_module(name)

    if model.split("-")[0] in ("combined", "zeroshot"):
        import torch

        importlib.import_module("topics.network")
        torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # imports more at the first use
        torch.set_num_threads(1)


if __name__ == "__main__":
    run(FITS, _prepare, sys.argv[1:])
