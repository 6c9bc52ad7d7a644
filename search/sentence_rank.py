"""Which sentences of passages say most about a query: by how well they meet each of its words, in context.

    M(q, s) = sum over words i of q of w_i max over words j of s of cos(q_i, p_j)

Late interaction (Khattab & Zaharia, SIGIR 2020, equation 3) between the words of the query and those of one sentence,
by their vectors in the context of the whole passage: a sentence that goes on about "it" knows what "it" is. w_i is the
rarity of the word in the collection; the w_i sum to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.lexical.analysis import plain_words, stemming
from riparian.types import Span
from search.explain.links import InContext
from search.highlight import Cut
from search.lexical import Words

WORDS = 0.5
"""Share of the words in a sentence's score where an encoder gives no token vectors; the rest is the cosine's."""

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage, and how much it says about the query."""

    cut: Cut
    span: Span
    score: float

    @property
    def text(self) -> str:
        return self.cut.text_of(self.span)


def ranked(cuts: Sequence[Cut], scores: Sequence[Scores]) -> list[Sentence]:
    """Every sentence of the passages, the best first; equal ones in the order given."""
    found = [
        Sentence(one, span, score)
        for one, own in zip(cuts, scores, strict=True)
        for span, score in zip(one.sentences, own.tolist(), strict=True)
    ]
    return sorted(found, key=lambda one: -round(one.score, 5))


def met(one: Cut, titled: int, query: InContext, weights: Scores, passage: InContext) -> Scores:
    """M of each sentence, -1 to 1; -1 for one without a word. The words of `passage` stand `titled` code points later
    than in its text; the `weights` of the query's words sum to 1."""
    starts = np.array([unit.start - titled + one.passage.start for unit in passage.words], dtype=np.int64)
    cosines = query.rows.astype(np.float64) @ passage.rows.astype(np.float64).T
    found = np.full(len(one.sentences), -1.0)
    for number, span in enumerate(one.sentences):
        inside = (starts >= span.start) & (starts < span.end)
        if inside.any():
            found[number] = float(weights @ cosines[:, inside].max(axis=1))
    return found


def overlaps(cuts: Sequence[Cut], languages: Sequence[str], words: Words) -> list[Scores]:
    """What of the query's words, weighed by their rarity, stands in each sentence, 0 to 1."""
    stems = sorted(words.stems)
    worth = dict(zip(stems, words.index.rarity(stems), strict=True))
    return [
        np.array([overlap(one.text_of(span), language, worth) for span in one.sentences], dtype=np.float64)
        for one, language in zip(cuts, languages, strict=True)
    ]


def overlap(text: str, language: str, worth: Mapping[str, float]) -> float:
    total = sum(worth.values())
    stem = stemming(language)
    own = {found for word in plain_words(text) if (found := stem(word)) is not None}
    return sum(value for one, value in worth.items() if one in own) / total if total > 0 else 0.0
