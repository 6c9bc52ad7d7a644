"""Which sentences of passages say most about a query: their own vectors, and their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.lexical.analysis import plain_words, stemming
from riparian.types import Span
from search.highlight import Cut
from search.lexical import Words

WORDS = 0.5
"""Share of the words in a sentence's score; the rest is the cosine's."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage; `score` = (1 - WORDS) cosine + WORDS overlap."""

    cut: Cut
    span: Span
    cosine: float
    overlap: float

    @property
    def score(self) -> float:
        return (1 - WORDS) * self.cosine + WORDS * self.overlap

    @property
    def text(self) -> str:
        return self.cut.text_of(self.span)


def ranked_sentences(
    cuts: Sequence[Cut], languages: Sequence[str], words: Words, cosines: Sequence[NDArray[np.float64]] | None
) -> list[Sentence]:
    """Every sentence of the passages, the best first; equal ones in the order given.

    `languages` are those of the passages' documents, `cosines` those of their sentences with the query; without them
    the words alone decide.
    """
    worth = _worth(words)
    near = cosines if cosines is not None else [np.zeros(len(one.sentences)) for one in cuts]
    found = [
        Sentence(one, span, cosine, overlap(one.text_of(span), language, worth))
        for one, language, own in zip(cuts, languages, near, strict=True)
        for span, cosine in zip(one.sentences, own.tolist(), strict=True)
    ]
    return sorted(found, key=lambda one: -round(one.score, 5))


def _worth(words: Words) -> dict[str, float]:
    """The query's stems with how much each tells."""
    stems = sorted(words.stems)
    return dict(zip(stems, words.index.rarity(stems), strict=True))


def overlap(text: str, language: str, worth: Mapping[str, float]) -> float:
    """What of the query's worth stands in a text, 0 to 1."""
    total = sum(worth.values())
    stem = stemming(language)
    own = {found for word in plain_words(text) if (found := stem(word)) is not None}
    return sum(value for one, value in worth.items() if one in own) / total if total > 0 else 0.0
