"""How sure a passage's topic is, the passages at the border of two topics, and the stretches of a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import Ids, Membership, PassageId, Span, TopicId
from topics.analysis.material import Mixtures


@dataclass(frozen=True, slots=True)
class Doubt:
    """`margin` = the largest weight minus the second (0 could be either, 1 beyond doubt); `entropy` = that of the
    mixture over log K, 0 for one topic, 1 for all alike."""

    margin: float
    entropy: float


@dataclass(frozen=True, slots=True)
class Borderline:
    """A passage that is mainly about one topic and nearly as much about `other`."""

    passage_id: PassageId
    weight: float
    other: TopicId
    margin: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring passages of one main topic. `weight` is the topic's mean over them by length; what two passages both
    hold belongs to the later one."""

    span: Span
    topic_id: TopicId
    passages: tuple[PassageId, ...]
    weight: float
    doubt: Doubt


def doubt(mixture: Sequence[Membership], topics: int) -> Doubt:
    """Of one mixture over so many topics."""
    weights = np.array(sorted((m.weight for m in mixture), reverse=True))
    return Doubt(_margin(weights), float(_entropy(weights) / np.log(topics)) if topics > 1 else 0.0)


def _margin(weights: NDArray[np.float64]) -> float:
    return float(weights[0] - weights[1]) if len(weights) > 1 else 1.0


def _entropy(weights: NDArray[np.float64]) -> float:
    kept = weights[weights > 0]
    return max(0.0, float(-(kept * np.log(kept)).sum()))


def entropies(theta: csr_matrix) -> NDArray[np.float64]:
    """(N,) of the rows of mixtures, over log K."""
    logs = theta.copy()
    logs.data = -logs.data * np.log(np.maximum(logs.data, 1e-300))
    return np.asarray(logs.sum(axis=1)).ravel() / max(float(np.log(max(theta.shape[1], 2))), 1e-12)


def mean_doubt(found: Mixtures) -> dict[TopicId, float]:
    """Each topic's mean entropy over passages, by weight; 1.0 for a topic without any."""
    sums = np.asarray(found.theta.sum(axis=0)).ravel()
    weighted = np.asarray(found.theta.T @ entropies(found.theta)).ravel()
    values = np.where(sums > 0, weighted / np.maximum(sums, 1e-12), 1.0)
    return dict(zip(found.ids, values.tolist(), strict=True))


def borderline(found: Mixtures, topic_id: TopicId, count: int = 5) -> list[Borderline]:
    """The passages of the topic with the smallest margins, the least sure first."""
    ids, made = np.array(found.ids, np.int64), []
    for row in np.flatnonzero(_leading(found.theta) == found.ids.index(topic_id)).tolist():
        part = slice(found.theta.indptr[row], found.theta.indptr[row + 1])
        weights, columns = found.theta.data[part], found.theta.indices[part]
        if len(weights) < 2:
            continue
        first, second = np.argsort(-weights, kind="stable")[:2]
        margin = float(weights[first] - weights[second])
        made.append(
            Borderline(
                PassageId(int(found.rows[row])), float(weights[first]), TopicId(int(ids[columns[second]])), margin
            )
        )
    return sorted(made, key=lambda one: (one.margin, one.passage_id))[:count]


def _leading(theta: csr_matrix) -> NDArray[np.int64]:
    """(N,) the column of each row's largest weight, the smaller column of equal ones."""
    return np.asarray(theta.argmax(axis=1)).ravel().astype(np.int64)


def leading(found: Mixtures) -> NDArray[np.int64]:
    """(N,) the column of each row's main topic."""
    return _leading(found.theta)


def stretches(
    passages: Sequence[tuple[PassageId, Span]], mixtures: Sequence[Sequence[Membership]], topics: int
) -> list[Stretch]:
    """The stretches of a text whose passages, in order, have these mixtures (none empty). They meet without a gap where
    the passages do."""
    edges = _edges([span for _, span in passages]) if passages else []
    made: list[Stretch] = []
    group: list[int] = []
    for number in range(len(passages)):
        if group and _main(mixtures[number]) != _main(mixtures[group[-1]]):
            made.append(_stretch(group, passages, mixtures, edges, topics))
            group = []
        group.append(number)
    return [*made, _stretch(group, passages, mixtures, edges, topics)] if group else made


def _main(mixture: Sequence[Membership]) -> TopicId:
    return min(mixture, key=lambda m: (-m.weight, m.topic_id)).topic_id


def _edges(spans: Sequence[Span]) -> list[Span]:
    """The spans without overlaps: what two hold is the later one's, since passages begin with a sentence."""
    starts = [span.start for span in spans]
    ends = [min(span.end, after) for span, after in zip(spans, [*starts[1:], spans[-1].end], strict=True)]
    return [Span(start, max(start, end)) for start, end in zip(starts, ends, strict=True)]


def _stretch(
    group: Sequence[int],
    passages: Sequence[tuple[PassageId, Span]],
    mixtures: Sequence[Sequence[Membership]],
    edges: Sequence[Span],
    topics: int,
) -> Stretch:
    lengths = [max(1, edges[number].end - edges[number].start) for number in group]
    whole = sum(lengths)
    sums: dict[TopicId, float] = {}
    for number, length in zip(group, lengths, strict=True):
        for m in mixtures[number]:
            sums[m.topic_id] = sums.get(m.topic_id, 0.0) + m.weight * length / whole
    main = _main(mixtures[group[0]])
    mixture = [Membership(topic, weight) for topic, weight in sums.items()]
    return Stretch(
        span=Span(edges[group[0]].start, edges[group[-1]].end),
        topic_id=main,
        passages=tuple(passages[number][0] for number in group),
        weight=sums[main],
        doubt=doubt(mixture, topics),
    )


def nearest(similarity: NDArray[np.float64], ids: Ids, column: int, count: int = 5) -> list[tuple[TopicId, float]]:
    """The topics most like one, from similarities (K, K): most similar first."""
    order = np.argsort(-similarity[column], kind="stable")
    return [(TopicId(int(ids[k])), float(similarity[column, k])) for k in order if k != column][:count]
