"""The other way, for encoders whose vectors are no sums: stretches of words are left out to see what changes.

Shapley values of the cosine as a game between the stretches (Štrumbelj & Kononenko 2014, algorithm 1): a stretch's
share is the mean, over drawn orders, of how much the cosine grows when it joins those before it. Orders come in pairs,
one the reverse of the other (Mitchell et al. 2022, section 4.1), from a fixed seed. Every order starts at the empty
text, whose cosine is 0, and ends at the whole one: so the shares sum to the cosine exactly, though each is an estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder
from riparian.types import Role
from search.explain.units import Unit, units

STRETCHES = 12
"""Parts that a text is cut into at most; a shorter one into its words."""

ORDERS = 4
"""Half of them drawn, half their reverses: 4 x 11 + 1 texts to encode for a passage."""

_SEED = 20_140_101


@dataclass(frozen=True, slots=True)
class Game:
    """A text, and the unit row that its cosine is taken with."""

    text: str
    row: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """`stretches` cover the text's words in order; `shares` sum to the cosine of the whole text."""

    stretches: tuple[Unit, ...]
    shares: NDArray[np.float64]


def estimated(encoder: Encoder, games: Sequence[Game], role: Role) -> list[Estimate]:
    """One a game, all texts of all of them in one call of the encoder."""
    tokens = encoder.tokenize([game.text for game in games])
    cuts = [stretches(units(game.text, own.offsets)) for game, own in zip(games, tokens, strict=True)]
    plans = [_orders(len(cut)) for cut in cuts]
    texts = [
        _kept(game.text, cut, sorted(order[: at + 1]))
        for game, cut, plan in zip(games, cuts, plans, strict=True)
        for order in plan
        for at in range(len(order))
    ]
    rows = encoder.encode_passages(texts, role).astype(np.float64)
    sizes = np.cumsum([sum(map(len, plan)) for plan in plans])
    parts = np.split(rows, sizes[:-1]) if len(games) else []
    return [
        Estimate(tuple(cut), _shares(plan, part @ game.row))
        for game, cut, plan, part in zip(games, cuts, plans, parts, strict=True)
    ]


def stretches(found: Sequence[Unit]) -> list[Unit]:
    """At most `STRETCHES` runs of neighbouring units with as many words each as can be, signs joined to the word before
    them."""
    if not found:
        return []
    words = [number for number, unit in enumerate(found) if unit.is_word] or list(range(len(found)))
    count = min(STRETCHES, len(words))
    firsts = [words[len(words) * part // count] for part in range(count)]
    firsts[0] = 0
    ends = [*firsts[1:], len(found)]
    return [_joined(found[first:end]) for first, end in zip(firsts, ends, strict=True)]


def _joined(run: Sequence[Unit]) -> Unit:
    tokens = tuple(token for unit in run for token in unit.tokens)
    return Unit(run[0].start, max(unit.end for unit in run), tokens, any(unit.is_word for unit in run))


def _orders(count: int) -> list[list[int]]:
    if count < 2:
        return [list(range(count))]
    draw = np.random.default_rng(_SEED)
    drawn = [draw.permutation(count).tolist() for _ in range(ORDERS // 2)]
    return [order for one in drawn for order in (one, one[::-1])]


def _kept(text: str, cut: Sequence[Unit], chosen: Sequence[int]) -> str:
    """The chosen stretches, each with what stands before the next one."""
    ends = [*(unit.start for unit in cut[1:]), len(text)]
    return "".join(text[cut[number].start : ends[number]] for number in chosen)


def _shares(plan: Sequence[Sequence[int]], cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = np.zeros(len(plan[0]), dtype=np.float64)
    for order, values in zip(plan, np.split(cosines, len(plan)), strict=True):
        shares[list(order)] += np.diff(values, prepend=0.0) / len(plan)
    return shares
