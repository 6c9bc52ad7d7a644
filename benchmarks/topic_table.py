"""Scores of topic models that were fitted, and the table of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import topic_scores as scores
from benchmarks.topic_fits import Answer, Cost
from benchmarks.topic_scores import Coherences, Prepared
from topics import describe, naming

Words = Sequence[Sequence[str]]

WAYS = ("own", "re-ranked", "named")
"""Whose words: the model's own; the ten of its 25 that cohere best in the texts (document NPMI); chosen by our naming
step from its mixtures."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One fit. `words` has for each way npmi, c_v, their values on unseen texts (`held_`) and diversity."""

    topics: int
    cost: Cost
    words: Mapping[str, Mapping[str, float]]
    groups: Mapping[str, float]


@dataclass(slots=True)
class Row:
    """A model: its fits, how well their words agree, or why it was not fitted."""

    model: str
    scored: list[Scored] = field(default_factory=list)
    stability: dict[str, float] = field(default_factory=dict)
    failed: str = ""

    def json_value(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "fits": [asdict(one) for one in self.scored],
            "stability": self.stability,
            "failed": self.failed,
        }


class Scorer:
    """The same measures for all: words in the texts that models saw and in those they did not, groups by labels."""

    def __init__(self, texts: Prepared, vectors: NDArray[np.float32], unseen: Prepared | None) -> None:
        self._texts, self._vectors = texts, vectors
        self._seen = Coherences(texts.bag)
        self._unseen = Coherences(unseen.bag) if unseen is not None else None

    def score(self, answer: Answer, cost: Cost, *, is_named: bool) -> Scored:
        """`is_named`: the model's own words are chosen by our naming step already."""
        words = {"own": answer.words}
        if not is_named:
            words |= {"re-ranked": self._reranked(answer.words), "named": self._named(answer)}
        measured = {way: self._measured(found) for way, found in words.items()}
        return Scored(len(answer.words), cost, measured, self._groups(answer.groups))

    def _measured(self, words: Words) -> dict[str, float]:
        found = {
            "npmi": scores.mean(self._seen.npmi(words)),
            "c_v": scores.mean(self._seen.c_v(words)),
            "diversity": scores.diversity(words),
            "diversity25": scores.diversity(words, 25),
        }
        if self._unseen is not None:
            found["held_npmi"] = scores.mean(self._unseen.npmi(words))
            found["held_c_v"] = scores.mean(self._unseen.c_v(words))
        return found

    def _groups(self, groups: NDArray[np.int64]) -> dict[str, float]:
        known = self._texts.labels >= 0
        found = {"outliers": float((groups == -1).mean()), "used": float(len(set(groups.tolist()) - {-1}))}
        if not known.any():
            return found
        labels, given = self._texts.labels[known], groups[known]
        measures = {"purity": scores.purity, "nmi": scores.nmi, "ari": scores.ari}
        return found | {name: measure(labels, given) for name, measure in measures.items()}

    def _reranked(self, words: Words) -> list[list[str]]:
        bag = self._texts.bag
        place = {word: number for number, word in enumerate(bag.vocabulary)}
        held = bag.counts.copy()
        held.data[:] = 1
        numbers = [[place[word] for word in topic] for topic in words]
        return [[bag.vocabulary[w] for w in coherent_first(topic, held.tocsc())] for topic in numbers]

    def _named(self, answer: Answer) -> list[list[str]]:
        bag = self._texts.bag
        expected = describe.expected_counts(mixtures(answer), bag.counts)
        chosen = naming.choose(bag, expected, vectors=self._vectors)
        return [[bag.vocabulary[word] for word in topic] for topic in chosen]


def coherent_first(topic: Sequence[int], held: Any, kept: int = 10) -> list[int]:
    """Drops, one by one, the word with the smallest sum of document NPMI to the rest until ten are left; the dropped
    ones follow. `held` (N, V) has a one where a text holds a word."""
    inside = held[:, topic]
    both = np.asarray((inside.T @ inside).todense(), np.float64) / held.shape[0]
    alone = np.diag(both)
    with np.errstate(divide="ignore", invalid="ignore"):
        npmi = np.where(both > 0, np.log(both / np.outer(alone, alone)) / -np.log(np.maximum(both, 1e-12)), -1.0)
    np.fill_diagonal(npmi, 0)
    left = list(range(len(topic)))
    while len(left) > kept:
        left.pop(int(npmi[np.ix_(left, left)].sum(axis=1).argmin()))
    return [topic[i] for i in left] + [topic[i] for i in range(len(topic)) if i not in set(left)]


def mixtures(answer: Answer) -> NDArray[np.float32]:
    """(N, K) rows that sum to 1: the model's, or its group alone; outliers have none."""
    if answer.theta is not None:
        total = answer.theta.sum(axis=1, keepdims=True)
        return np.asarray(answer.theta / np.maximum(total, 1e-12), np.float32)
    theta = np.zeros((len(answer.groups), max(len(answer.words), int(answer.groups.max()) + 1)), np.float32)
    inside = np.flatnonzero(answer.groups >= 0)
    theta[inside, answer.groups[inside]] = 1
    return theta


def agreement(answers: Sequence[Words]) -> float:
    """Mean over pairs of the matched topics' overlap (Jaccard of top ten words); NaN below two."""
    return scores.mean([scores.agreement(a, b) for a, b in itertools.combinations(answers, 2)])


def held(whole: Words, parts: Sequence[Words]) -> float:
    """Mean over parts of how well the topics of all texts are met again there (best match); NaN without parts."""
    return scores.mean([scores.best_match(whole, part) for part in parts])


# ------------------------------------------------------------------------------ the table

_COLUMNS: tuple[tuple[str, Callable[[Scored], float], int], ...] = (
    ("topics", lambda one: one.topics, 0),
    ("CPU s", lambda one: one.cost.cpu, 1),
    ("wall s", lambda one: one.cost.wall, 1),
    ("peak MiB", lambda one: one.cost.peak, 0),
    ("NPMI", lambda one: one.words["own"]["npmi"], 3),
    ("C_V", lambda one: one.words["own"]["c_v"], 3),
    ("held-out NPMI", lambda one: one.words["own"].get("held_npmi", math.nan), 3),
    ("held-out C_V", lambda one: one.words["own"].get("held_c_v", math.nan), 3),
    ("td10", lambda one: one.words["own"]["diversity"], 3),
    ("td25", lambda one: one.words["own"]["diversity25"], 3),
    ("held-out, re-ranked", lambda one: one.words.get("re-ranked", {}).get("held_npmi", math.nan), 3),
    ("td10, re-ranked", lambda one: one.words.get("re-ranked", {}).get("diversity", math.nan), 3),
    ("held-out, named", lambda one: one.words.get("named", {}).get("held_npmi", math.nan), 3),
    ("td10, named", lambda one: one.words.get("named", {}).get("diversity", math.nan), 3),
    ("purity", lambda one: one.groups.get("purity", math.nan), 3),
    ("NMI", lambda one: one.groups.get("nmi", math.nan), 3),
    ("ARI", lambda one: one.groups.get("ari", math.nan), 3),
)


def markdown(rows: Iterable[Row]) -> str:
    """A line a model: means over its fits, ± their standard deviation where there are several."""
    stable = ("stability, seeds", "stability, two of 90 %", "stability, all to 90 %")
    names = ["model", "fits", *(name for name, _, _ in _COLUMNS), *stable]
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    for row in rows:
        if row.failed:
            lines.append(f"| {row.model} | not fitted: {row.failed} |{' |' * (len(names) - 2)}")
            continue
        cells = [_cell([float(value(one)) for one in row.scored], digits) for _, value, digits in _COLUMNS]
        cells += [_cell([row.stability.get(which, math.nan)], 2) for which in ("seeds", "parts", "held")]
        lines.append(f"| {row.model} | {len(row.scored)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(values: Sequence[float], digits: int) -> str:
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return "–"
    spread = f" ±{np.std(known):.{digits}f}" if len(known) > 1 and digits else ""
    return f"{np.mean(known):.{digits}f}{spread}"
