"""Ten words a topic for all topics at once, chosen so that other texts of the same kind would give the same ones.

The best sets are many and nearly equal, and a search for the very best takes another one at every sample. Here every
word of a topic's pool is held in part, and the parts are cooled (deterministic annealing, Rose 1998; mean-field
equations): what many good sets have in common stays, and what only the luckiest holds does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from topics.pairs import Ints, Reals

_WARM, _STEPS, _ROUNDS = 0.4, 10, 4
_LEAD = 10  # times that gains count more while it is warm: topics of one pool must not all take its most coherent words
_HALVINGS = 40
_SPAN = 60.0  # exponents beyond it are nought or one
_OUT = -1e9


@dataclass(frozen=True, slots=True)
class Cooling:
    """`words` chosen a topic, `repeat_cost` of a word for each other topic that holds it, the `temperature` at which
    cooling ends; costs and temperature in units of mean coherence."""

    words: int = 10
    repeat_cost: float = 0.25
    temperature: float = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class _Pools:
    """Padded pools: `place` (K, P) of words, `there` (K, P), `coherence` (K, P, P), `gains` (K, P), `targets` (K,)."""

    place: Ints
    there: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
    coherence: Reals
    gains: Reals
    targets: Reals


def choose(pools: list[Ints], coherence: Reals, gains: Reals, settings: Cooling = Cooling()) -> list[list[int]]:
    """Of each topic's pool the words held most in the end, at most `words`.

    `coherence` (U, U) is symmetric with a zero diagonal, `gains` (K, U) what a word is worth to a topic by itself. With
    q_kw the part of word w that topic k holds, Σ_w q_kw = `words`, at temperature T it climbs

        Σ_k [Σ_vw q_kv q_kw M_vw / (n (n - 1)) + Σ_w q_kw g_kw / n] - (cost / n) Σ_w Σ_k<l q_kw q_lw + (T / n) H(q)

    (H the entropy of all q, n = `words`): for T → 0 mean coherence of the pairs + mean gain - cost of repeated words.
    Of words held alike the earlier in the pool comes first.
    """
    if not any(len(pool) for pool in pools):
        return [[] for _ in pools]
    laid = _laid_out(pools, coherence, gains, settings.words)
    held = np.where(laid.there, laid.targets[:, None] / np.maximum(laid.there.sum(axis=1, keepdims=True), 1), 0)
    for temperature in np.geomspace(max(_WARM, settings.temperature), settings.temperature, _STEPS):
        for _ in range(_ROUNDS):
            worth = (
                _worth(held, laid, len(coherence), settings) + _LEAD * (temperature - settings.temperature) * laid.gains
            )
            held = (held + _parts(worth / temperature, laid)) / 2
    # what differs by rounding alone is held alike
    order = np.argsort(np.where(laid.there, -np.round(held, 6), 1), axis=1, kind="stable")
    return [
        [int(pool[i]) for i in row[: min(settings.words, len(pool))]] for pool, row in zip(pools, order, strict=True)
    ]


def _laid_out(pools: list[Ints], coherence: Reals, gains: Reals, words: int) -> _Pools:
    width = max(len(pool) for pool in pools)
    place, there = np.zeros((len(pools), width), np.int64), np.zeros((len(pools), width), np.bool_)
    for k, pool in enumerate(pools):
        place[k, : len(pool)], there[k, : len(pool)] = pool, True
    inside = coherence[place[:, :, None], place[:, None, :]] * (there[:, :, None] & there[:, None, :])
    targets = np.minimum(there.sum(axis=1), words).astype(np.float64)
    return _Pools(place, there, inside, np.take_along_axis(gains, place, axis=1), targets)


def _worth(held: Reals, laid: _Pools, words: int, settings: Cooling) -> Reals:
    """(K, P): what holding a little more of a word would bring."""
    together = np.matmul(laid.coherence, held[:, :, None])[:, :, 0] * (2 / max(settings.words - 1, 1))
    everywhere = np.bincount(laid.place.ravel(), weights=held.ravel(), minlength=words)
    return np.asarray(together + laid.gains - settings.repeat_cost * (everywhere[laid.place] - held))


def _parts(worth: Reals, laid: _Pools) -> Reals:
    """1 / (1 + exp(threshold - worth)), the threshold of each topic such that its parts sum to its number of words."""
    worth = np.where(laid.there, worth, _OUT)
    high = worth.max(axis=1, keepdims=True) + _SPAN
    low = np.where(laid.there, worth, np.inf).min(axis=1, keepdims=True, initial=0) - _SPAN
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        more = _logistic(worth - middle).sum(axis=1, keepdims=True) > laid.targets[:, None]
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return np.where(laid.there, _logistic(worth - high), 0)


def _logistic(values: Reals) -> Reals:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -_SPAN, _SPAN))))
