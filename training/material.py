"""What a training reads, and how a run of it is steered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from riparian.encoders.base import Progress


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that belong together: title and body, question and answer, query and the hit that was opened."""

    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and its class."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A question, the passage to look in, and the half-open character span of the answer; None = no answer in it."""

    question: str
    passage: str
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Tagged:
    """A sentence as words with a tag each."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """What was given to learn from; a recipe says which part it needs. `origin` tells people where it is from."""

    origin: str
    texts: Sequence[str] = ()
    pairs: Sequence[Pair] = ()
    labelled: Sequence[Labelled] = ()
    answered: Sequence[Answered] = ()
    tagged: Sequence[Tagged] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """How a training runs. The same material, settings and seed give the same weights on one machine.

    `progress` hears (steps done, steps in all) and may raise to stop; with `checkpoint`, a stopped run goes on to the
    same weights. `workers` counts threads, 0 = all cores.
    """

    seed: int = 0
    progress: Progress | None = None
    checkpoint: Path | None = None
    device: str = "cpu"
    workers: int = 0
