"""How a head's weights are found: Adam over shuffled examples, repeatable and resumable."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from riparian.device import choose
from riparian.encoders.base import Progress
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.training_steps import Steps, chance, set_rate, use_threads, warmed_up
from riparian.errors import Invalid
from training.material import Run

Loss = Callable[[NDArray[np.int64]], Tensor]
"""The mean loss of the examples of these numbers."""

_LEAST_STEPS = 100
"""So that few examples are seen often enough."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`examples` are seen `epochs` times, `batch` at a time, more often where that is fewer than 100 steps."""

    examples: int
    epochs: int
    batch: int
    learning_rate: float

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1 or not self.learning_rate > 0:
            raise Invalid("epochs and batch must be at least 1, learning_rate above 0")

    @property
    def batches(self) -> int:
        return math.ceil(self.examples / self.batch)

    @property
    def total(self) -> int:
        return self.batches * max(self.epochs, math.ceil(_LEAST_STEPS / self.batches))


def fit(parameters: Mapping[str, Tensor], plan: Plan, loss: Loss, run: Run, name: str) -> None:
    """Changes the parameters in place. `name` tells this run from others in its checkpoint.

    Every step's examples and chance come from the seed and the step's number alone.
    """
    device = choose(run.device)
    use_threads(device, run.workers)
    optimiser = torch.optim.Adam(parameters.values(), lr=plan.learning_rate)

    def learn(step: int) -> Tensor:
        epoch, at = divmod(step, plan.batches)
        order = np.random.default_rng([run.seed, epoch]).permutation(plan.examples)
        set_rate(optimiser, plan.learning_rate * warmed_up(step, plan.total))
        optimiser.zero_grad()
        with chance(run.seed, step, device):
            found = loss(order[at * plan.batch : (at + 1) * plan.batch])
        found.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return found.detach()

    checkpoint = None if run.checkpoint is None else Checkpoint(run.checkpoint, name)
    Steps(plan.total, parameters, optimiser, checkpoint).run(learn, run.progress)


def waiting(run: Run, total: int) -> Progress:
    """For what is encoded before the first step: nothing is done yet, but the run may be stopped."""

    def tell(done: int, texts: int) -> None:
        if run.progress:
            run.progress(0, total)

    return tell
