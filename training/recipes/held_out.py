"""What is held out while a recipe learns: the loss on it before and after, and when learning stops helping."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from riparian.device import Device
from riparian.encoders.batches import Batch
from riparian.encoders.mirror.objective import alignment, uniformity
from riparian.encoders.training_steps import chance
from riparian.errors import Invalid
from training.recipes.lesson import Lesson, Viewing

MOST = 256
FEWEST = 8
"""Fewer examples than these judge nothing: all are learnt from."""

LOOKS = 10
"""How often a run with patience looks at what is held out."""

_JUDGING = 2**31

Figures = dict[str, float]

T = TypeVar("T")


def parted(count: int, share: float, seed: int) -> tuple[list[int], list[int]]:
    """(rows to learn from, rows held out), both in order."""
    size = min(MOST, int(count * share))
    if size < FEWEST:
        return list(range(count)), []
    held = set(np.random.default_rng([seed, 3]).permutation(count)[:size].tolist())
    return [row for row in range(count) if row not in held], sorted(held)


class HeldOut:
    """Examples that only judge. Each look draws the same chance, so that two looks differ by the weights alone."""

    def __init__(self, lesson: Lesson, rows: Sequence[int], seed: int, device: Device) -> None:
        self._lesson, self._seed, self._device, self.count = lesson, seed, device, len(rows)
        try:
            self._batches = lesson.batches(rows, 0) if rows else []
        except Invalid:  # they cannot stand in one batch: nothing to judge by
            self._batches = []

    def __bool__(self) -> bool:
        return bool(self._batches)

    @torch.no_grad()
    def loss(self) -> float:
        """The mean over all examples."""
        found = [self._at(at, self._lesson.loss) for at in range(len(self._batches))]
        return float(np.average([float(loss) for loss in found], weights=[len(batch) for batch in self._batches]))

    @torch.no_grad()
    def figures(self) -> Figures:
        """The loss; alignment and uniformity too where views are compared. {} where nothing is held out."""
        if not self:
            return {}
        found = {"loss": round(self.loss(), 4)}
        if isinstance(self._lesson, Viewing):
            views = [self._at(at, self._lesson.views) for at in range(len(self._batches))]
            first, second = (torch.cat(side).cpu() for side in zip(*views, strict=True))
            found |= {"alignment": round(alignment(first, second), 4), "uniformity": round(uniformity(first), 4)}
        return found

    def _at(self, at: int, what: Callable[[Batch, np.random.Generator], T]) -> T:
        with chance(self._seed, _JUDGING + at, self._device):
            return what(self._batches[at], np.random.default_rng([self._seed, _JUDGING, at]))


class Best:
    """The best weights so far. All it knows is in `tensors`, which are written down with the run."""

    def __init__(self, patience: int, parameters: Mapping[str, Tensor], loss: float) -> None:
        self._patience, self._parameters = patience, dict(parameters)
        self._kept = {name: value.detach().clone() for name, value in self._parameters.items()}
        self._loss, self._worse = torch.tensor(loss, dtype=torch.float64), torch.zeros(())

    @property
    def tensors(self) -> dict[str, Tensor]:
        kept = {f"best.{name}": value for name, value in self._kept.items()}
        return kept | {"best loss": self._loss, "looks without gain": self._worse}

    @property
    def stopped(self) -> bool:
        return int(self._worse) >= self._patience

    @torch.no_grad()
    def hear(self, loss: float) -> None:
        """A look at the weights as they are now."""
        if loss >= float(self._loss):
            self._worse += 1
            return
        self._loss.fill_(loss)
        self._worse.zero_()
        for name, value in self._parameters.items():
            self._kept[name].copy_(value)

    @torch.no_grad()
    def restore(self) -> None:
        for name, value in self._parameters.items():
            value.copy_(self._kept[name])
