"""The steps of a training run, whatever it computes with: counted, told, and written down to go on from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, SupportsFloat, runtime_checkable

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from riparian.encoders.base import Progress
from riparian.encoders.storage import write_file
from riparian.errors import BadWeights, Conflict

CHECKPOINT_EVERY = 200
LOOKS = 8
"""How often, at most, a run looks at what is held out, its last step included."""


@runtime_checkable
class Listener(Protocol):
    """A progress that also hears the loss of each step, before the step is told."""

    def __call__(self, done: int, total: int) -> None: ...

    def loss(self, value: float) -> None: ...


@runtime_checkable
class Watcher(Protocol):
    """A progress that also hears a figure on what is held out, before the step after which it was taken is told."""

    def __call__(self, done: int, total: int) -> None: ...

    def held_out(self, name: str, value: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Look:
    """The figure `name` (perplexity, recall@1, …) on what is held out; `figure` changes nothing that is learnt."""

    name: str
    figure: Callable[[], float]


Learn = Callable[[int], SupportsFloat | None]
"""Makes the step of that number; answers with its mean loss, where it has one to tell."""


class Kept(Protocol):
    """All that a run changes, on disk."""

    def read(self) -> int:
        """Fills in what is kept and answers with the steps done; 0, and nothing filled in, where nothing is kept."""
        ...

    def write(self, done: int) -> None: ...


def run(
    total: int,
    learn: Learn,
    progress: Progress | None,
    kept: Kept | None = None,
    every: int = CHECKPOINT_EVERY,
    look: Look | None = None,
) -> None:
    """Calls learn(step) for each of `total` steps that is not kept yet, and keeps what was learnt after each `every`.

    `progress` hears (steps done, steps in all) after each and may raise to stop; what was learnt until then is kept.
    `look` is taken up to `LOOKS` times where `progress` listens to it, and never otherwise.
    """
    apart = max(1, math.ceil(total / LOOKS))
    for step in range(kept.read() if kept else 0, total):
        loss, done = learn(step), step + 1
        if loss is not None and isinstance(progress, Listener):
            progress.loss(float(loss))
        if kept and (done % every == 0 or done == total):
            kept.write(done)
        if look and isinstance(progress, Watcher) and (done % apart == 0 or done == total):
            progress.held_out(look.name, look.figure())
        if progress:
            _tell(progress, done, total, kept)


def _tell(progress: Progress, done: int, total: int, kept: Kept | None) -> None:
    stopped = True
    try:
        progress(done, total)
        stopped = False
    finally:
        if stopped and kept:
            kept.write(done)


@dataclass(frozen=True, slots=True)
class KeptArrays:
    """A safetensors file with the arrays that a run changes in place; `run` names its settings, seed and text."""

    path: Path
    run: str
    arrays: Mapping[str, NDArray[Any]]

    def write(self, done: int) -> None:
        """There whole or not at all."""
        about = {"run": self.run, "step": str(done)}
        write_file(self.path, lambda draft: save_file(dict(self.arrays), draft, metadata=about))

    def read(self) -> int:
        """Raises Conflict for the file of another run, BadWeights for one that is damaged."""
        if not self.path.is_file():
            return 0
        try:
            with safe_open(self.path, framework="numpy") as file:
                about = file.metadata() or {}
                if about.get("run") != self.run:
                    raise Conflict(f"{self.path} belongs to a training run with other settings or text; name another")
                found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        except SafetensorError as error:
            raise BadWeights(self.path, "a safetensors file", str(error)) from error
        for name, own in self.arrays.items():
            if name not in found or found[name].shape != own.shape:
                raise BadWeights(self.path, f"tensor {name} of shape {own.shape}", "another or none")
            own[:] = found[name]
        return int(about["step"])
