"""How far two curators agree: Cohen's kappa over the passages that both put somewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from riparian.errors import Invalid
from topics.curation.codebook import Codebook, Place


@dataclass(frozen=True, slots=True)
class Agreement:
    """`kappa` is 1.0 where both agree everywhere, also on one topic alone. `observed` is the part of the
    passages that both put into the same topic, `expected` the part that chance would. `only_first` and `only_second`
    count passages that one of them alone put somewhere; `apart` how often the one said this and the other that."""

    kappa: float
    observed: float
    expected: float
    passages: int
    only_first: int
    only_second: int
    apart: tuple[tuple[str, str, int], ...]


def agreement(first: Codebook, second: Codebook) -> Agreement:
    """Of the passages pinned or moved in both codebooks; topics are the same where their labels are, whatever their
    case. Invalid where the two have no passage in common. Cohen 1960."""
    one, other = _assigned(first), _assigned(second)
    both = one.keys() & other.keys()
    if not both:
        raise Invalid("the two codebooks put no passage in common anywhere; pin or move the same passages in both")
    pairs = Counter((one[place], other[place]) for place in both)
    observed, expected = _shares(pairs, len(both))
    apart = sorted(((a, b, n) for (a, b), n in pairs.items() if a != b), key=lambda row: (-row[2], row[0], row[1]))
    return Agreement(
        kappa(observed, expected), observed, expected, len(both),
        len(one) - len(both), len(other) - len(both), tuple(apart),
    )  # fmt: skip


def kappa(observed: float, expected: float) -> float:
    """(observed - expected) ÷ (1 - expected); 1.0 where chance agrees everywhere and so do they."""
    return 1.0 if expected >= 1.0 else (observed - expected) / (1 - expected)


def _shares(pairs: Mapping[tuple[str, str], int], total: int) -> tuple[float, float]:
    rows: Counter[str] = Counter()
    columns: Counter[str] = Counter()
    for (a, b), number in pairs.items():
        rows[a] += number
        columns[b] += number
    same = sum(number for (a, b), number in pairs.items() if a == b)
    return same / total, sum(rows[key] * columns[key] for key in rows) / total**2


def _assigned(book: Codebook) -> dict[Place, str]:
    return {place: entry.label.strip().casefold() for entry in book.entries for place in (*entry.moved, *entry.pins)}
