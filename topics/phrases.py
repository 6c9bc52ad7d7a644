"""Labels as people write them: in the texts' own spelling, words that follow each other in the texts joined."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from topics.base import BagOfWords

SEPARATOR = " · "
_FEWEST = 3
_SHARE = 0.5

Phrase = tuple[str, ...]


def label(words: Sequence[str], bag: BagOfWords) -> str:
    """The words in the form that the texts write most, in order, with a dot between.

    Where one follows another in at least half of the occurrences of the rarer of the two, and three times, they are
    joined to a phrase in that order: laden, bin, afghanistan gives "bin Laden · Afghanistan". Stop words between
    them are passed over.
    """
    place = {word: bag.vocabulary.index(word) for word in words}
    following = _following(bag, [place[word] for word in words])
    phrases: list[Phrase] = [(word,) for word in words]
    while (pair := _closest(phrases, place, following)) is not None:
        phrases = _joined(phrases, *pair)
    shown = bag.written or bag.vocabulary
    return SEPARATOR.join(" ".join(shown[place[word]] for word in phrase) for phrase in phrases)


def _following(bag: BagOfWords, chosen: list[int]) -> dict[tuple[int, int], float]:
    """How often the second word follows the first, as a part of the occurrences of the rarer one."""
    here, after = bag.tokens[:-1], bag.tokens[1:]
    inside = np.isin(here, chosen) & np.isin(after, chosen)
    ends = bag.starts[1:-1] - 1
    inside[ends[(ends >= 0) & (ends < len(inside))]] = False
    pairs, times = np.unique(np.stack([here[inside], after[inside]]), axis=1, return_counts=True)
    occurrences = {word: int((bag.tokens == word).sum()) for word in chosen}
    return {
        (int(a), int(b)): n / min(occurrences[int(a)], occurrences[int(b)])
        for (a, b), n in zip(pairs.T, times.tolist(), strict=True)
        if n >= _FEWEST
    }


def _closest(
    phrases: Sequence[Phrase], place: dict[str, int], following: dict[tuple[int, int], float]
) -> tuple[Phrase, Phrase] | None:
    """The two phrases of which one follows the other most, None where none does often enough."""
    shares = {
        (one, other): following.get((place[one[-1]], place[other[0]]), 0.0) for one, other in permutations(phrases, 2)
    }
    best = max(shares, key=lambda pair: shares[pair], default=None)
    return best if best is not None and shares[best] >= _SHARE else None


def _joined(phrases: Sequence[Phrase], one: Phrase, other: Phrase) -> list[Phrase]:
    """The two as one phrase, where the earlier of them stood."""
    first = min(phrases.index(one), phrases.index(other))
    made = [one + other if number == first else phrase for number, phrase in enumerate(phrases)]
    return [phrase for phrase in made if phrase not in (one, other)]
