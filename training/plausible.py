"""Whether text is text and pairs are pairs: what was shuffled teaches nothing, and is refused before it is learnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import regex

from riparian.errors import Invalid
from riparian.text import fold, words
from training.material import Pair

LEAST_WORDS = 4_000
"""Words below which the order of words cannot be judged."""

LEAST_RATIO = 1.7
"""Between shuffled text (up to 1.3) and running text (2.5 and more)."""

LEAST_PAIRS = 100
"""Fewer pairs are not judged: partners in two languages share little but names and numbers."""

LEAST_Z = 3.0
"""Standard errors by which partners must have more in common than strangers."""

_MOST_WORDS = 200_000
_MOST_PAIRS = 500
_LONGEST = 4_000  # characters of a partner that are looked at
_LEAST_TEXT = 8
_LEAST_KNOWN = 50
_LEAST_SHARING = 0.03  # of partners and strangers that share a word at all

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー々\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_UNITS: Any = regex.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_EDGES: Any = regex.compile(r"^[^\p{L}\p{N}]+|[^\p{L}\p{N}\p{M}]+$")


def check_order(texts: Sequence[str], seed: int = 0) -> None:
    """Invalid where the words of the texts stand in no order that says anything.

    Neighbouring words counted in every other text are looked for in the remaining ones, in their own order and
    shuffled. In text of any language they stand together at least two and a half times as often in its own order;
    where words were shuffled, as often as by chance. Too little text is not judged.
    """
    ratio = order_ratio(texts, seed)
    if ratio is not None and ratio < LEAST_RATIO:
        raise Invalid(
            "the words of this text stand in no order: neighbours belong together hardly more often than by chance "
            f"({ratio:.2f} times, in running text at least 2.5 times); give the text as it was written"
        )


def order_ratio(texts: Sequence[str], seed: int = 0) -> float | None:
    """How many times as often as in shuffled text known neighbours stand together; None where it cannot be judged."""
    rows = _words(texts)
    counted, judged = rows[::2], [row for row in rows[1::2] if len(row) >= _LEAST_TEXT]
    if sum(map(len, counted)) < LEAST_WORDS / 2 or len(judged) < 2:
        return None
    pairs = Counter(pair for row in counted for pair in pairwise(row))
    numbers = np.random.default_rng(seed)
    own = sum(_known(row, pairs) for row in judged)
    mixed = sum(_known([row[at] for at in numbers.permutation(len(row))], pairs) for row in judged)
    if own < _LEAST_KNOWN and mixed < _LEAST_KNOWN:
        return None
    return own / max(mixed, 1)


def check_pairs(pairs: Sequence[Pair], seed: int = 0) -> None:
    """Invalid where the partners have no more in common than texts paired at random.

    Common are words, weighted by how rare they are. Few pairs, and pairs that hardly share words at all (two
    languages), are not judged.
    """
    z = pairs_z(pairs, seed)
    if z is not None and z < LEAST_Z:
        raise Invalid(
            "the pairs look as if they were put together at random: partners share no more words than strangers do "
            f"(z = {z:.1f}, at least {LEAST_Z:.0f} is asked for)"
        )


def pairs_z(pairs: Sequence[Pair], seed: int = 0) -> float | None:
    """By how many standard errors partners share more than strangers; None where it cannot be judged."""
    numbers = np.random.default_rng(seed)
    if len(pairs) < LEAST_PAIRS:
        return None
    chosen = [pairs[row] for row in numbers.permutation(len(pairs))[:_MOST_PAIRS]]
    first, second = (
        [{w.word for w in words(getattr(pair, side)[:_LONGEST])} for pair in chosen] for side in ("first", "second")
    )
    seen = Counter(word for row in (*first, *second) for word in row)
    rarity = {word: float(np.log(2 * len(chosen) / count)) for word, count in seen.items()}
    turned = second[1:] + second[:1]
    true = [_common(a, b, rarity) for a, b in zip(first, second, strict=True)]
    strange = [_common(a, b, rarity) for a, b in zip(first, turned, strict=True)]
    if sum(map(bool, (*true, *strange))) < _LEAST_SHARING * 2 * len(chosen):
        return None
    return _z(np.array(true) - np.array(strange))


def _words(texts: Sequence[str]) -> list[list[str]]:
    """Sentences would be finer; whole texts do, and cost less. As many as are enough."""
    rows, room = [], _MOST_WORDS
    for text in dict.fromkeys(texts):  # a copy knows the order of its twin
        row = _units(text)
        rows.append(row[:room])
        room -= len(row)
        if room <= 0:
            break
    if len(rows) < 4:  # few long texts: their parts are judged by each other
        flat = [word for row in rows for word in row]
        size = max(_LEAST_TEXT, len(flat) // 20)
        rows = [flat[at : at + size] for at in range(0, len(flat), size)]
    return rows


def _units(text: str) -> list[str]:
    """What stands between blanks, without the punctuation around it; each character by itself in scripts that set no
    blanks between words. What has no blank in it ("e-mail", an address) is one unit, since shuffling words leaves it
    whole."""
    found = (_EDGES.sub("", match.group()) for match in _UNITS.finditer(text))
    return [fold(unit) for unit in found if unit]


def _known(row: Sequence[str], pairs: Counter[tuple[str, str]]) -> int:
    """Neighbours that were counted more than once."""
    return sum(pairs[pair] > 1 for pair in pairwise(row))


def _common(a: set[str], b: set[str], rarity: dict[str, float]) -> float:
    shared = sum(rarity[word] for word in a & b)
    whole = min(sum(rarity[word] for word in a), sum(rarity[word] for word in b))
    return shared / whole if whole else 0.0


def _z(gains: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    if error == 0:
        return float("inf") if gains.mean() > 0 else 0.0
    return float(gains.mean() / error)
