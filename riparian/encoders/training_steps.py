"""The steps of a training run with torch: repeatable one by one, written down so that a stopped run can go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from riparian.device import Device, threads
from riparian.encoders import steps
from riparian.encoders.base import Progress
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.steps import Learn, Look

_APART = 1_000_003
_WARM_UP = 0.1


@dataclass(frozen=True, slots=True)
class Steps:
    """`total` steps that change `parameters` by `optimiser`."""

    total: int
    parameters: Mapping[str, Tensor]
    optimiser: torch.optim.Adam
    checkpoint: Checkpoint | None = None

    def run(self, learn: Learn, progress: Progress | None, look: Look | None = None) -> None:
        """As `steps.run`, going on from the checkpoint."""
        kept = None if self.checkpoint is None else _Kept(self.checkpoint, self.parameters, self.optimiser)
        steps.run(self.total, learn, progress, kept, look=look)


@dataclass(frozen=True, slots=True)
class _Kept:
    checkpoint: Checkpoint
    parameters: Mapping[str, Tensor]
    optimiser: torch.optim.Adam

    def read(self) -> int:
        return self.checkpoint.read(self.parameters, self.optimiser)

    def write(self, done: int) -> None:
        self.checkpoint.write(self.parameters, self.optimiser, done)


def draws(seed: int, step: int) -> torch.Generator:
    """What this seed and step alone decide."""
    return torch.Generator().manual_seed(_apart(seed, step))


@contextmanager
def chance(seed: int, step: int, device: Device) -> Iterator[None]:
    """Within the block torch draws what this seed and step alone decide; its global state is as before afterwards."""
    with torch.random.fork_rng(devices=[torch.device(device.name)] if device.is_gpu else []):
        torch.manual_seed(_apart(seed, step))
        yield


def _apart(seed: int, step: int) -> int:
    return (seed * _APART + step) % 2**63


def dropout(share: float, draws: torch.Generator) -> Callable[[Tensor], Tensor] | None:
    """Zeroes this share of the numbers, drawn one by one on the CPU whatever the device; None where it would zero
    none."""
    if share == 0:
        return None

    def drop(x: Tensor) -> Tensor:
        kept = torch.rand(x.shape, generator=draws) >= share
        return x * kept.to(x.device) / (1 - share)

    return drop


def falling(step: int, total: int) -> float:
    """The share of the learning rate at a step: a line from the whole to a tenth."""
    return 1 - 0.9 * step / total


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
