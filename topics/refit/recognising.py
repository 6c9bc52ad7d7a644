"""A new fit meets the topics of before: which are the same, what they become, what that changes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from riparian.types import TopicId
from topics import mixtures
from topics.corpus import Corpus
from topics.curation import edits
from topics.curation.edits import Curated
from topics.curation.mixtures import Mixtures, base, derive
from topics.discover import Discovery
from topics.memberships import picked
from topics.refit import carrying, guiding, matching, reporting
from topics.refit.carrying import Carried
from topics.refit.guiding import Guided
from topics.refit.matching import Matched, Side
from topics.refit.reporting import Report


@dataclass(frozen=True, slots=True)
class Refitted:
    """A refit before it is stored."""

    discovery: Discovery
    carried: Carried
    report: Report


def recognise(
    curated: Curated,
    guided: Guided,
    shown: Mixtures,
    discovery: Discovery,
    found: Corpus,
    notes: Sequence[str] = (),
) -> Refitted:
    """`shown` are the mixtures that pages show now, `found` the passages that the new model was fitted on."""
    settled = dict(zip(guided.topics, guiding.settled(curated, guided.topics, shown), strict=True))
    matched = _matched(curated, guided, settled, shown, discovery, found)
    carried = carrying.carry(curated, guided, settled, matched, discovery.topics, found)
    before, after = _both(shown, carried, discovery, found)
    report = reporting.report(curated, carried, matched, settled, before, after, discovery.scores, notes)
    return Refitted(discovery, carried, report)


def _matched(
    curated: Curated,
    guided: Guided,
    settled: Mapping[TopicId, frozenset[int]],
    shown: Mixtures,
    discovery: Discovery,
    found: Corpus,
) -> Matched:
    passages, main = shown.main()
    old = Side(passages, main, {key: _words(curated, key) for key in guided.topics})
    theta = mixtures.kept(discovery.fit.theta)
    new_passages, new_main = base(found.passages, theta, {k: TopicId(k) for k in range(theta.shape[1])}).main()
    new = Side(new_passages, new_main, {t.number: [term.term for term in t.terms] for t in discovery.topics})
    took = [key for key in guided.topics if curated.topics[key].took]
    return matching.match(new, old, settled=settled, merged=took)


def _words(curated: Curated, key: TopicId) -> list[str]:
    return [term.term for term in curated.topics[key].topic.terms]


def _both(shown: Mixtures, carried: Carried, discovery: Discovery, found: Corpus) -> tuple[Mixtures, Mixtures]:
    """Mixtures before and after of the passages that have both."""
    both = np.intersect1d(shown.passages, found.passages)
    began = edits.begin({key: edits.start_data(state) for key, state in carried.topics.items()})
    mixed = base(found.passages, mixtures.kept(discovery.fit.theta), carried.parts)
    return shown.of(both), derive(mixed.of(both), began.steps, picked(found.passages, found.vectors))
