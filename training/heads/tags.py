"""Tags of words: which spans they mean, how good guesses are, and what a guess without any encoder gives. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from riparian.text import fold
from training.evaluation.statistics import Interval
from training.heads.figures import ratio, shown
from training.material import Tagged
from training.recipes.base import Report

NO_TAG = ""
OUTSIDE = "O"

Tags = Sequence[str]
Found = tuple[int, int, str]
"""Half-open range of words, and what they are."""


def is_bio(tags: Iterable[str]) -> bool:
    """Whether the tags mark spans: each is O, B-KIND or I-KIND, and some span begins."""
    known = {tag for tag in tags if tag != NO_TAG}
    return all(tag == OUTSIDE or (tag[:2] in ("B-", "I-") and len(tag) > 2) for tag in known) and len(known) > 1


def spans(tags: Tags) -> set[Found]:
    """The spans that BIO tags mean, as conlleval reads them: I- after another kind or O begins a span too."""
    found: set[Found] = set()
    start, kind = 0, ""
    for at, tag in enumerate([*tags, OUTSIDE]):
        here = tag[2:] if tag[:2] in ("B-", "I-") else ""
        if kind and (tag[:2] == "B-" or here != kind):
            found.add((start, at, kind))
        if here and (tag[:2] == "B-" or here != kind):
            start = at
        kind = here
    return found


def judged(truth: Sequence[Tags], guesses: Sequence[Tags], seed: int) -> Report:
    """Accuracy over the words that have a tag, and F1 over spans where the tags are BIO, with 95 % intervals: whole
    sentences are drawn, since the words of one go together."""
    pairs = list(zip(truth, guesses, strict=True))
    right = [sum(a == b for a, b in zip(*pair, strict=True) if a != NO_TAG) for pair in pairs]
    words = [sum(tag != NO_TAG for tag in tags) for tags in truth]
    report = {"accuracy": shown(_interval(right, words, seed))}
    if is_bio(tag for tags in truth for tag in tags):
        both = [(spans(a), spans(b)) for a, b in pairs]
        hits = [2 * len(a & b) for a, b in both]
        report["span_f1"] = shown(_interval(hits, [len(a) + len(b) for a, b in both], seed))
    return report


def by_word(learnt: Sequence[Tagged], others: Sequence[Sequence[str]]) -> list[Tags]:
    """For each word its commonest tag among the learnt sentences; for a new word the commonest of all."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sentence in learnt:
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            if tag != NO_TAG:
                counts[fold(word)][tag] += 1
    plain = most(learnt)
    known = {word: _most(found) for word, found in counts.items()}
    return [[known.get(fold(word), plain) for word in words] for words in others]


def most(learnt: Sequence[Tagged]) -> str:
    """The commonest tag of all; of equally common ones the first in order of letters."""
    return _most(Counter(tag for sentence in learnt for tag in sentence.tags if tag != NO_TAG))


def _most(counts: Counter[str]) -> str:
    return min(counts, key=lambda tag: (-counts[tag], tag))


def _interval(parts: Sequence[int], wholes: Sequence[int], seed: int) -> Interval:
    return ratio(np.array(parts, dtype=np.float64), np.array(wholes, dtype=np.float64), seed)
