"""Words that could stand in a sense's place: those that, written there, change the encoder's reading least.

Candidates are the frequent words of the sentences at hand. A few are chosen by how near their vector alone lies to
the sense's mean token vector; each is then written in the place of the word in the examples, as Amrami and Goldberg
(2018) have a language model do, and judged by the cosine between what the encoder gives for that place and for the
whole sentence before and after. Where the word has several senses, the middle between them is taken away from all
vectors first, so that what counts is what tells the sense from the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder
from riparian.lexical.analysis import stemming
from riparian.text import words
from riparian.types import Matrix, Span
from senses.graph import Labels, unit
from senses.occurrences import Occurrence, Target
from senses.views import Views, views_of

MOST_WORDS = 600
"""Frequent words that are looked at."""

CHOSEN = 20
"""Of these, how many are tried in place, for each sense."""

KEPT = 5
TOKEN, SENTENCE = 0, 3


def vocabulary(sentences: Iterable[str], target: Target, language: str) -> tuple[str, ...]:
    """The most frequent words of three letters or more, the first in the alphabet of equal ones; no stop word, and
    none made with a word of the target (bank: banks, banker). A word is taken in the form it is met in most."""
    stem = stemming(language or "en")
    own = {stem(word) for word in target.words}
    said = [word for word in target.words if _telling(word)]
    counts = Counter(one.word for sentence in sentences for one in words(sentence) if _telling(one.word))
    best: dict[str, str] = {}
    for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        root = stem(word)
        if root is not None and root not in own and not any(one in word or word in one for one in said):
            best.setdefault(root, word)
    return tuple(list(best.values())[:MOST_WORDS])


def _telling(word: str) -> bool:
    return len(word) > 2 and word.isalpha()


def substitutes(
    encoder: Encoder,
    known: Sequence[str],
    views: Views,
    labels: Labels,
    examples: Sequence[Sequence[Occurrence]],
) -> list[tuple[str, ...]]:
    """For each sense, `KEPT` words at most of `known`, the best first; `examples` are its typical occurrences, `views`
    and `labels` all of the word's. Nothing where there is no candidate."""
    if not known:
        return [() for _ in examples]
    alone = _alone(encoder, known)
    means = _means(views, labels, len(examples))
    middle = means.mean(axis=0) if len(examples) > 1 else np.zeros_like(means[0])
    return [
        _of_sense(encoder, known, _nearest(alone, means[sense, 0] - middle[0]), shown, middle)
        for sense, shown in enumerate(examples)
    ]


def _means(views: Views, labels: Labels, senses: int) -> Matrix:
    """(senses, 2, width): the mean token and sentence vector of each."""
    both = np.stack([views.token, views.sentence], axis=1)
    groups = np.eye(senses, dtype=np.float32)[labels]
    sums = np.einsum("rs,rvd->svd", groups, both)
    found: Matrix = sums / np.maximum(groups.sum(axis=0), 1)[:, None, None]
    return found


def _alone(encoder: Encoder, known: Sequence[str]) -> Matrix:
    encodings = encoder.encode_tokens(list(known), "passage")
    rows = [views_of(e, word, Span(0, len(word)))[TOKEN] for e, word in zip(encodings, known, strict=True)]
    stacked = np.stack(rows)
    return unit(stacked - stacked.mean(axis=0))


def _nearest(alone: Matrix, place: NDArray[np.float32]) -> list[int]:
    order = np.argsort(-(alone @ place), kind="stable")
    return [int(at) for at in order[:CHOSEN]]


def _of_sense(
    encoder: Encoder, known: Sequence[str], chosen: Sequence[int], shown: Sequence[Occurrence], middle: Matrix
) -> tuple[str, ...]:
    if not shown or not chosen:
        return ()
    before = unit(_read(encoder, [(one.sentence, one.at) for one in shown]) - middle)
    after = unit(_read(encoder, [_with(one, known[at]) for at in chosen for one in shown]) - middle)
    after = after.reshape(len(chosen), *before.shape)
    score = np.einsum("csvd,svd->c", after, before)
    order = np.argsort(-score, kind="stable")[:KEPT]
    return tuple(known[chosen[int(at)]] for at in order)


def _with(occurrence: Occurrence, word: str) -> tuple[str, Span]:
    said, at = occurrence.sentence, occurrence.at
    return said[: at.start] + word + said[at.end :], Span(at.start, at.start + len(word))


def _read(encoder: Encoder, places: Sequence[tuple[str, Span]]) -> Matrix:
    """(places, 2, width): token and sentence vectors."""
    encodings = encoder.encode_tokens([text for text, _ in places], "passage")
    return np.stack([views_of(e, text, at)[[TOKEN, SENTENCE]] for e, (text, at) in zip(encodings, places, strict=True)])
