"""How much training fits into the minutes that someone is ready to wait: measured on a short run, then planned."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from riparian.encoders.base import Progress

MOST_EPOCHS = 100
LEAST_TEXTS = 100
"""A few seconds' worth is not worth training on: this many are read even where the minutes do not suffice."""

_LEAST_SECONDS, _MOST_SECONDS, _SHARE = 2.0, 20.0, 0.1
"""The short run lasts a tenth of what was granted, within these bounds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How often the text is read, and how much of it (1 = all)."""

    epochs: int
    share: float

    def chosen(self, texts: Sequence[str], seed: int) -> list[str]:
        """That share of the texts, LEAST_TEXTS at least, in their order, drawn by the seed."""
        count = max(LEAST_TEXTS, round(len(texts) * self.share))
        if count >= len(texts):
            return list(texts)
        rows = np.sort(np.random.default_rng(seed).choice(len(texts), size=count, replace=False))
        return [texts[row] for row in rows]


class _Enough(Exception):
    """The short run has shown how fast it goes."""


@dataclass(slots=True)
class _Watch:
    """Counts steps against the clock, from the first report on, so that preparing does not count."""

    seconds: float
    now: Callable[[], float]
    reports: list[tuple[float, int]] = field(default_factory=list)
    total: int = 0

    def __call__(self, done: int, total: int) -> None:
        self.reports.append((self.now(), done))
        self.total = total
        (began, first), (here, last) = self.reports[0], self.reports[-1]
        if last > first and here - began >= self.seconds:
            raise _Enough

    @property
    def steps_a_second(self) -> float:
        (began, first), (here, last) = self.reports[0], self.reports[-1]
        return (last - first) / max(here - began, 1e-6)


def plan(
    minutes: float, epochs: int, train: Callable[[Progress], object], now: Callable[[], float] = time.monotonic
) -> Plan:
    """What fits into `minutes`, where `train` reads all texts `epochs` times and tells its progress.

    A short run of `train` is made and thrown away. At least one epoch is planned, over a share of the texts where all
    of them do not fit.
    """
    granted = minutes * 60
    watch = _Watch(min(max(granted * _SHARE, _LEAST_SECONDS), _MOST_SECONDS), now)
    with suppress(_Enough):
        train(watch)
    if len(watch.reports) < 2:
        return Plan(epochs, 1.0)
    affordable = granted * watch.steps_a_second / max(1.0, watch.total / epochs)
    return Plan(epochs=min(max(1, int(affordable)), MOST_EPOCHS), share=min(1.0, affordable))
