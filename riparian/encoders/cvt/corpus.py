"""What a cross-view model learns from: labelled sentences, unlabelled ones, and held-out labelled ones. Pure."""

from __future__ import annotations

import hashlib
import itertools
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders import batches
from riparian.encoders.cvt.labels import CASES, TaggedSentence, cased
from riparian.encoders.cvt.objective import NO_TAG
from riparian.encoders.cvt.words import form
from riparian.encoders.elmo.words import cut
from riparian.encoders.held_out import key_of, share_of
from riparian.errors import Invalid

Sentence = tuple[str, ...]

LONGEST = 64
"""Words; longer sentences are learnt from in stretches."""

WHOLE_WORDS = sys.maxsize
"""Words are not cut for their length: how much of one is spelt is the network's matter."""

_SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Example:
    """Words, and the number of each word's tag, NO_TAG for none."""

    words: Sentence
    tags: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """`tags` by their number; `vocabulary` by falling frequency; `digest` is the SHA-256 over all sentences and tags
    in order."""

    labelled: tuple[Example, ...]
    unlabelled: tuple[Sentence, ...]
    held_out: tuple[Example, ...]
    tags: tuple[str, ...]
    vocabulary: tuple[str, ...]
    texts: int
    digest: str


@dataclass(frozen=True, slots=True)
class Shares:
    """How sentences fall apart: `held_out` judge, `labelled` of the others show their labels (where the labels come
    with the text). What a sentence becomes depends on its words and the seed alone, so equal ones stay together."""

    held_out: float
    labelled: float
    seed: int


def gather_cased(texts: Iterable[str], shares: Shares, size: int, least: int) -> Corpus:
    """The casing of each word is its tag. Raises Invalid where the text is too little to learn from and to judge by."""
    labelled: list[TaggedSentence] = []
    unlabelled: list[Sentence] = []
    held_out: list[TaggedSentence] = []
    total, number = hashlib.sha256(), 0
    for text in texts:
        number += 1
        for words in sentences_of(text):
            found = cased(words)
            total.update(key_of(words) + b"\n")
            drawn = share_of(key_of(found.words), shares.seed)
            if drawn < shares.held_out:
                held_out.append(found)
            elif drawn < shares.held_out + shares.labelled * (1 - shares.held_out):
                labelled.append(found)
            else:
                unlabelled.append(found.words)
    numbers = {tag: at for at, tag in enumerate(CASES)}
    return _corpus(labelled, unlabelled, held_out, numbers, (size, least), number, total.hexdigest())


def gather_tagged(
    tagged: Iterable[TaggedSentence], texts: Iterable[str], shares: Shares, size: int, least: int
) -> Corpus:
    """Tags as they were given; the texts are the unlabelled sentences, those that are held out left out.

    Raises Invalid for a sentence with another number of tags than of words, and as `gather_cased`.
    """
    total, number = hashlib.sha256(), 0
    labelled: list[TaggedSentence] = []
    held_out: list[TaggedSentence] = []
    given = [_checked(found, at) for at, found in enumerate(tagged, start=1)]
    judged = _chosen({found.words for found in given}, shares)
    for found in given:
        total.update(key_of(found.words) + b"\x1e" + key_of(found.tags) + b"\n")
        (held_out if found.words in judged else labelled).extend(_stretches(found))
    unlabelled: list[Sentence] = []
    for text in texts:
        number += 1
        for words in sentences_of(text):
            total.update(key_of(words) + b"\n")
            if words not in judged:
                unlabelled.append(words)
    counted = Counter(tag for found in (*labelled, *held_out) for tag in found.tags if tag)
    ranked = sorted(counted, key=lambda tag: (-counted[tag], tag))
    numbers = {tag: at for at, tag in enumerate(ranked)}
    return _corpus(labelled, unlabelled, held_out, numbers, (size, least), number, total.hexdigest())


def sentences_of(text: str) -> Iterator[Sentence]:
    """Its sentences as words, long ones in stretches; single words are none."""
    found = cut(text, WHOLE_WORDS)
    for start, end in found.sentences:
        for first in range(start, end, LONGEST):
            last = min(first + LONGEST, end)
            if last - first >= _SHORTEST:
                yield tuple(map(sys.intern, found.tokens.tokens[first:last]))


def plan(lengths: Sequence[int], budget: int) -> list[batches.Batch]:
    """Every sentence once, in batches of like length within a budget of padded words."""
    return batches.by_length([length + 2 for length in lengths], budget)


def order(count: int, seed: int, part: int, epoch: int) -> NDArray[np.int64]:
    """The order in which an epoch takes `count` batches."""
    return np.random.default_rng([seed, part, epoch]).permutation(count)


def _corpus(
    labelled: Sequence[TaggedSentence],
    unlabelled: Sequence[Sentence],
    held_out: Sequence[TaggedSentence],
    numbers: dict[str, int],
    vocabulary: tuple[int, int],
    texts: int,
    digest: str,
) -> Corpus:
    shown, judged = _examples(labelled, numbers), _examples(held_out, numbers)
    for what, count in (("labelled", shown), ("unlabelled", unlabelled), ("held-out", judged)):
        if not count:
            parts = f"{len(shown)} labelled, {len(unlabelled)} unlabelled, {len(judged)} held out"
            raise Invalid(f"no {what} sentences to train a cross-view model with ({parts}); give more text")
    read = itertools.chain((found.words for found in shown), unlabelled)
    return Corpus(shown, tuple(unlabelled), judged, tuple(numbers), _vocabulary(read, *vocabulary), texts, digest)


def _examples(found: Iterable[TaggedSentence], numbers: dict[str, int]) -> tuple[Example, ...]:
    """Those with any tag."""
    examples = (Example(each.words, tuple(numbers.get(tag, NO_TAG) for tag in each.tags)) for each in found)
    return tuple(each for each in examples if any(tag != NO_TAG for tag in each.tags))


def _vocabulary(sentences: Iterable[Sentence], size: int, least: int) -> tuple[str, ...]:
    counted = Counter(form(word) for words in sentences for word in words)
    ranked = sorted((word for word in counted if counted[word] >= least), key=lambda word: (-counted[word], word))
    return tuple(ranked[:size])


def _chosen(sentences: Collection[Sentence], shares: Shares) -> frozenset[Sentence]:
    """The sentences that are held out: their share of the distinct ones, and one at least."""
    count = max(1, round(len(sentences) * shares.held_out))
    return frozenset(sorted(sentences, key=lambda words: (share_of(key_of(words), shares.seed), words))[:count])


def _checked(found: TaggedSentence, number: int) -> TaggedSentence:
    words, tags = found
    if len(words) != len(tags) or not words or not all(words):
        what = f"{len(words)} words and {len(tags)} tags"
        raise Invalid(f"tagged sentence {number} has {what}; every word needs one tag, and no word may be empty")
    return found


def _stretches(found: TaggedSentence) -> Iterator[TaggedSentence]:
    for first in range(0, len(found.words), LONGEST):
        last = first + LONGEST
        yield TaggedSentence(tuple(found.words[first:last]), tuple(found.tags[first:last]))
