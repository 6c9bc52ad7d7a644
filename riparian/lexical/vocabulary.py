"""The words that a collection holds, and which of them look like a word that it does not.

Two words are compared as a scanner would mistake them: what optical character recognition takes for each other (rn and
m, cl and d, vv and w, 1 and l, 0 and o, 5 and s, c and e) counts as equal, everything else as an inserted, dropped,
changed or swapped letter (optimal string alignment, by rapidfuzz).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

SHORTEST = 5
"""Letters of a word that is compared: shorter ones are like everything."""

_LONG = 8
_ALIKE = str.maketrans({"1": "l", "0": "o", "5": "s", "e": "c"})
_PAIRS = (("rn", "m"), ("cl", "d"), ("vv", "w"))


@dataclass(frozen=True, slots=True)
class Near:
    """A word of the collection: `distance` as a scanner sees it, `letters` as they are written; `documents` hold it."""

    word: str
    documents: int
    distance: int
    letters: int


class Vocabulary:
    """Immutable; safe to share between threads."""

    def __init__(self, counted: Sequence[tuple[str, int]]) -> None:
        """`counted` = folded words, each with how many documents hold it."""
        self._documents = dict(counted)
        self._by_length: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for word in self._documents:
            if len(word) >= SHORTEST - 1 and word.isalnum():
                seen = as_scanned(word)
                self._by_length[len(seen)].append((seen, word))

    def documents(self, word: str) -> int:
        """How many hold the folded word, as it is written."""
        return self._documents.get(word, 0)

    def near(self, word: str) -> list[Near]:
        """Words within `reach(word)`, the nearest first, of equally near ones that with fewer other letters, then what
        more documents hold; without itself, and empty where it has no reach."""
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extract

        most, seen = reach(word), as_scanned(word)
        if most is None:
            return []
        found = []
        for length in range(len(seen) - most, len(seen) + most + 1):
            pairs = self._by_length.get(length, [])
            choices = [folded for folded, _ in pairs]
            for _, distance, row in extract(seen, choices, scorer=OSA.distance, score_cutoff=most, limit=None):
                other = pairs[row][1]
                if other != word:
                    found.append(Near(other, self._documents[other], int(distance), OSA.distance(word, other)))
        return sorted(found, key=lambda one: (one.distance, one.letters, -one.documents, one.word))


def reach(word: str) -> int | None:
    """How far a word that is meant may be: 2 from eight letters on, 1 from five; None for a shorter one.

    A word with a digit is a name of its own (vps4a is not vps9a): 0, what a scanner takes for the same. None for what
    is mostly a number."""
    digits = sum(sign.isdigit() for sign in word)
    if len(word) < SHORTEST or 2 * digits >= len(word):
        return None
    return 0 if digits else 2 if len(word) >= _LONG else 1


def as_scanned(word: str) -> str:
    """The word with what scanners mistake for each other made equal."""
    for pair, sign in _PAIRS:
        word = word.replace(pair, sign)
    return word.translate(_ALIKE)
