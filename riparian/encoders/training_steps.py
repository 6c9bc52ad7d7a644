"""The steps of a training run: counted, repeatable one by one, written down so that a stopped run can go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from riparian.device import Device, threads
from riparian.encoders.base import Progress
from riparian.encoders.checkpoint import Checkpoint

_CHECKPOINT_EVERY = 200
_APART = 1_000_003
_WARM_UP = 0.1


@runtime_checkable
class Listener(Protocol):
    """A progress that also hears the loss of each step, before the step is told."""

    def __call__(self, done: int, total: int) -> None: ...

    def loss(self, value: float) -> None: ...


Learn = Callable[[int], "Tensor | float | None"]
"""Makes the step of that number; answers with its mean loss, where it has one to tell."""


@dataclass(frozen=True, slots=True)
class Steps:
    """`total` steps that change `parameters` by `optimiser`."""

    total: int
    parameters: Mapping[str, Tensor]
    optimiser: torch.optim.Adam
    checkpoint: Checkpoint | None = None

    def run(self, learn: Learn, progress: Progress | None) -> None:
        """Calls learn(step) for each step that the checkpoint does not hold yet. `progress` hears (steps done, steps
        in all) after each and may raise to stop; what was learnt until then is kept."""
        first = 0 if self.checkpoint is None else self.checkpoint.read(self.parameters, self.optimiser)
        for step in range(first, self.total):
            loss = learn(step)
            if loss is not None and isinstance(progress, Listener):
                progress.loss(float(loss))
            done = step + 1
            if done % _CHECKPOINT_EVERY == 0 or done == self.total:
                self._write(done)
            if progress:
                self._tell(progress, done)

    def _tell(self, progress: Progress, done: int) -> None:
        stopped = True
        try:
            progress(done, self.total)
            stopped = False
        finally:
            if stopped:
                self._write(done)

    def _write(self, done: int) -> None:
        if self.checkpoint:
            self.checkpoint.write(self.parameters, self.optimiser, done)


@contextmanager
def chance(seed: int, step: int, device: Device) -> Iterator[None]:
    """Within the block torch draws what this seed and step alone decide; its global state is as before afterwards."""
    with torch.random.fork_rng(devices=[torch.device(device.name)] if device.is_gpu else []):
        torch.manual_seed((seed * _APART + step) % 2**63)
        yield


def warmed_up(step: int, total: int) -> float:
    """The share of the learning rate at a step: a line up over the first tenth, then a line down to zero."""
    warm = max(1, round(total * _WARM_UP))
    return (step + 1) / warm if step < warm else (total - step) / max(1, total - warm)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """One learning rate for all parameters."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def use_threads(device: Device, workers: int) -> None:
    """On the CPU, torch computes on `workers` threads (0 = the cores this process may use)."""
    if not device.is_gpu:
        torch.set_num_threads(threads(workers))
