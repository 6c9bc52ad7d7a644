"""One way of teaching a transformer, and the run that goes through it step by step."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from riparian.device import choose
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.training_steps import Steps, chance, set_rate, use_threads, warmed_up
from riparian.errors import Invalid
from riparian.text import sentences
from training.material import Material, Run
from training.recipes.base import Report
from training.recipes.losses import distance_from
from training.recipes.student import Student

MOST_SENTENCES = 200_000
SHORTEST = 20
"""Characters below which a sentence says too little to learn from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every recipe may be told. `longest` counts tokens with special ones; `batch` counts examples. `hold` pulls
    the weights back to where they began (L2-SP), `frozen` counts the lowest layers that stay as they are, the
    embeddings with them. The rate rises over the first tenth of the steps and then falls to zero.

    Raises Invalid for a value that cannot be.
    """

    name: str = "tuned here"
    epochs: int = 1
    batch: int = 32
    longest: int = 128
    learning_rate: float = 2e-5
    weight_decay: float = 0.01
    dropout: float = 0.1
    clip_norm: float = 1.0
    hold: float = 0.0
    frozen: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 2 or self.longest < 4:
            raise Invalid("epochs must be at least 1, batch at least 2, longest at least 4")
        if not 0 < self.learning_rate <= 1 or not self.clip_norm > 0 or self.weight_decay < 0:
            raise Invalid("learning_rate must lie in (0, 1], clip_norm above 0, and weight_decay not below 0")
        if not 0 <= self.dropout < 1 or self.hold < 0 or self.frozen < 0:
            raise Invalid("dropout must lie in [0, 1); hold and frozen must not be below 0")


class Lesson(Protocol):
    """What is learnt from, batch by batch. All chance beyond torch's own comes from the seed and the step's number."""

    @property
    def examples(self) -> Sequence[Any]: ...

    @property
    def steps(self) -> int:
        """Of one epoch."""
        ...

    @property
    def extra(self) -> Mapping[str, Tensor]:
        """Parameters of its own, learnt along and dropped at the end."""
        ...

    def loss(self, step: int) -> Tensor:
        """Of the batch of that step."""
        ...


def run_lesson(student: Student, lesson: Lesson, settings: Settings, run: Run, digest: str) -> Report:
    """Goes through all epochs and answers with what was learnt from. `digest` names the material; a checkpoint of other
    material, settings or seed is refused with Conflict. Invalid where the weights are no numbers any more."""
    use_threads(student.device, run.workers)
    parameters = {**student.parameters(settings.frozen), **{f"extra.{n}": v for n, v in lesson.extra.items()}}
    kept = [value for name, value in parameters.items() if not name.startswith("extra.")]
    start = [value.detach().clone() for value in kept] if settings.hold else []
    optimiser = torch.optim.AdamW(parameters.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    total = lesson.steps * settings.epochs
    losses: list[float] = []

    def learn(step: int) -> Tensor:
        with chance(run.seed, step, student.device):
            loss = lesson.loss(step)
            pulled = loss + settings.hold * distance_from(kept, start) if settings.hold else loss
            optimiser.zero_grad()
            pulled.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters.values(), settings.clip_norm)
        set_rate(optimiser, settings.learning_rate * warmed_up(step, total))
        optimiser.step()
        losses.append(float(loss.detach()))
        return loss.detach()

    name = text_digest(canonical([asdict(settings), run.seed, digest, student.encoder.fingerprint()]))
    checkpoint = None if run.checkpoint is None else Checkpoint(run.checkpoint, name)
    Steps(total, parameters, optimiser, checkpoint).run(learn, run.progress)
    if not all(bool(value.isfinite().all()) for value in parameters.values()):
        raise Invalid(f"the weights are no numbers at learning_rate {settings.learning_rate}; give a lower one")
    tenth = max(1, len(losses) // 10)
    return {
        "settings": asdict(settings),
        "seed": run.seed,
        "base": student.source.name,
        "base_fingerprint": student.encoder.fingerprint(),
        "examples": len(lesson.examples),
        "material_sha256": digest,
        "steps": total,
        "loss_first": round(float(np.mean(losses[:tenth])), 4) if losses else None,
        "loss_last": round(float(np.mean(losses[-tenth:])), 4) if losses else None,
    }


def student_of(encoder: Any, settings: Settings, run: Run) -> Student:
    """The encoder's network, ready to be taught; what chance starts anew in it comes from the seed."""
    device = choose(run.device)
    with chance(run.seed, -1, device):
        return Student(encoder, device, longest=settings.longest, dropout=settings.dropout)


def sentences_of(material: Material) -> list[str]:
    """Different sentences that say something, in order. Invalid for fewer than two."""
    found: dict[str, None] = {}
    for text in material.texts:
        for span in sentences(text):
            sentence = " ".join(text[span.start : span.end].split())
            if len(sentence) >= SHORTEST:
                found[sentence] = None
            if len(found) == MOST_SENTENCES:
                return list(found)
    if len(found) < 2:
        raise Invalid(f"{len(found)} different sentences are too few to learn from; give at least 2, better 10,000")
    return list(found)


def digest_of(parts: Iterable[str]) -> str:
    """SHA-256 (hex) of texts in order."""
    sha256 = hashlib.sha256()
    for part in parts:
        sha256.update(part.encode("utf-8", "surrogatepass") + b"\x1f")
    return sha256.hexdigest()


def batch_of(count: int, size: int, seed: int, step: int, steps: int) -> list[int]:
    """Which examples the step of a shuffled epoch learns from."""
    epoch, at = divmod(step, steps)
    order = np.random.default_rng([seed, epoch]).permutation(count)
    return [int(row) for row in order[at * size : (at + 1) * size]]


def batches_in(count: int, size: int) -> int:
    """Batches of an epoch; a last one of a single example, which has nothing to differ from, is left out."""
    return count // size + (count % size > 1)
