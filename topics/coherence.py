"""How good a model's words are: NPMI and C_V through gensim, and how many of them are distinct."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from topics.base import BagOfWords

TOP = 10
MOST_TEXTS = 5_000
"""gensim slides its windows in Python: of larger collections this many texts, evenly spread, are looked at."""


@dataclass(frozen=True, slots=True)
class Coherence:
    """Per topic and for the model. NPMI: -1 never together, 0 independent, 1 always together (windows of 10 words,
    Bouma 2009). C_V: 0 to 1 (windows of 110, Röder et al. 2015). A topic of fewer than two words has NaN.

    `diversity` is the part of distinct words among the top ten of all topics (Dieng et al. 2020).
    """

    npmi: tuple[float, ...]
    c_v: tuple[float, ...]
    diversity: float

    def means(self) -> dict[str, float]:
        """Scores of the model; topics without a score are left out."""
        return {"npmi": _mean(self.npmi), "c_v": _mean(self.c_v), "diversity": self.diversity}


def score(topics: Sequence[Sequence[str]], bag: BagOfWords) -> Coherence:
    """Coherence of the first ten words of each topic in the bag's texts (those left after stop words)."""
    top = [list(words[:TOP]) for words in topics]
    texts = _spread(bag).words()
    return Coherence(_gensim(top, texts, "c_npmi"), _gensim(top, texts, "c_v"), diversity(top))


def diversity(topics: Sequence[Sequence[str]], top: int = TOP) -> float:
    """Distinct words ÷ words, over the first `top` of every topic; 1.0 where there is none."""
    words = [word for topic in topics for word in topic[:top]]
    return len(set(words)) / len(words) if words else 1.0


def _spread(bag: BagOfWords) -> BagOfWords:
    if len(bag) <= MOST_TEXTS:
        return bag
    return bag.rows(np.linspace(0, len(bag) - 1, MOST_TEXTS).astype(np.int64))


def _gensim(topics: Sequence[list[str]], texts: list[list[str]], measure: str) -> tuple[float, ...]:
    from gensim.corpora import Dictionary
    from gensim.models.coherencemodel import CoherenceModel

    dictionary = Dictionary(texts)
    # words that the texts looked at do not hold cannot be scored
    known = [[word for word in topic if word in dictionary.token2id] for topic in topics]
    scored = [number for number, topic in enumerate(known) if len(topic) > 1]
    values = np.full(len(topics), np.nan)
    if scored:
        model = CoherenceModel(
            topics=[known[number] for number in scored], texts=texts, dictionary=dictionary, coherence=measure,
            processes=1,  # more would fork
        )  # fmt: skip
        values[scored] = model.get_coherence_per_topic()
    return tuple(float(value) for value in values)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
