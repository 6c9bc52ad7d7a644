"""Measures every topic of a model: what the quality job does, without database and files."""

from __future__ import annotations

import numpy as np

from riparian.types import Ids, Topic, TopicModelInfo
from topics import kinds
from topics.analysis import doubt, labels, quality, report, stability
from topics.analysis.material import Mixtures
from topics.analysis.report import Report, TopicQuality
from topics.base import FitSettings, Progress
from topics.clusters import spherical_kmeans
from topics.corpus import Corpus

FAST = frozenset({"joint"})
"""Kinds of model that are refitted themselves for stability; of others, k-means stands in on the same vectors."""


def measured(
    info: TopicModelInfo,
    found: Mixtures,
    words: Corpus,
    texts: list[list[str]],
    progress: Progress,
) -> Report:
    """The quality of every topic, from the passages' mixtures and words (row by row the same) and the texts of each
    topic's representatives. `progress` may raise to stop the work."""
    number, main = len(found.topics), doubt.leading(found)
    held_out = quality.held_out_coherence(
        words.bag, found.theta, words.documents, lambda done, total: progress("words on unseen halves", done, total)
    )
    stable = stability.measure(
        main, words.documents, number, _regroup(info, words, number),
        watch=lambda done, total: progress("refitting on parts", done, total),
    )  # fmt: skip
    progress("looking for phrases", 0, 1)
    named = labels.phrases(words.bag, main, number)
    progress("looking for phrases", 1, 1)
    own, exclusive = quality.own_words(found.topics), quality.exclusivity(words.bag, found.theta, found.topics)
    language = str(info.settings.get("language", "en"))
    topics = {
        topic.id: TopicQuality(
            npmi=topic.coherence.get("npmi"), npmi_held_out=held_out[k], own_words=own[k], exclusivity=exclusive[k],
            stability=stable.forecast[k], low=stable.low[k], high=stable.high[k], observed=stable.observed[k],
            phrases=tuple(named[k]), sentence=_sentence(topic, texts[k], language),
        )
        for k, topic in enumerate(found.topics)
    }  # fmt: skip
    return Report(
        report.now(), len(words), stability.DRAWS, stability.FRESH, stable.error, stable.noise, stable.bias,
        stable.bins, topics,
    )  # fmt: skip


def _sentence(topic: Topic, texts: list[str], language: str) -> str:
    found = labels.best_sentences(texts, [(term.term, term.weight) for term in topic.terms], 1, language)
    return found[0] if found else ""


def _regroup(info: TopicModelInfo, words: Corpus, number: int) -> stability.Regroup:
    """The model's own kind where it is quick to fit, else k-means on the same vectors."""

    def again(rows: Ids, seed: int) -> Ids:
        if info.kind not in FAST:
            return spherical_kmeans(words.vectors[rows], min(number, len(rows)), seed)[1]
        settings = FitSettings(min(number, len(rows)), seed)
        fit = kinds.fit(info.kind, words.vectors[rows], words.bag.rows(rows), settings, encoder="")
        return np.asarray(fit.theta.argmax(axis=1), dtype=np.int64)

    return again
