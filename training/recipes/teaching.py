"""A run through a lesson: step by step, repeatable, with what it held out told before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from riparian.device import choose
from riparian.encoders.batches import Batch
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.epochs import Epochs
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.steps import Look
from riparian.encoders.training_steps import Steps, chance, set_rate, use_threads, warmed_up
from riparian.errors import Invalid
from training.material import Run
from training.recipes.base import Report
from training.recipes.held_out import LOOKS, Best, HeldOut, parted
from training.recipes.lesson import Lesson, Settings
from training.recipes.losses import distance_from
from training.recipes.student import Student

_CURVE = 20


def student_of(encoder: Any, settings: Settings, run: Run) -> Student:
    """The encoder's network, ready to be taught; what chance starts anew in it comes from the seed."""
    device = choose(run.device)
    use_threads(device, run.workers)
    with chance(run.seed, -1, device):
        return Student(encoder, device, longest=settings.longest, dropout=settings.dropout)


def run_lesson(student: Student, lesson: Lesson, settings: Settings, run: Run, digest: str) -> Report:
    """Goes through all epochs and answers with what was learnt from. `digest` names the material; a checkpoint of other
    material, settings or seed is refused with Conflict. Invalid where the weights are no numbers any more."""
    teacher = _Teacher(student, lesson, settings, run)
    before = teacher.held_out.figures()
    teacher.run(run, text_digest(canonical([asdict(settings), run.seed, digest, student.encoder.fingerprint()])))
    if not all(bool(value.isfinite().all()) for value in teacher.parameters.values()):
        raise Invalid(f"the weights are no numbers at learning_rate {settings.learning_rate}; give a lower one")
    return {
        "settings": asdict(settings),
        "seed": run.seed,
        "base": student.source.name,
        "base_fingerprint": student.encoder.fingerprint(),
        "examples": len(lesson.examples),
        "material_sha256": digest,
        "steps": teacher.total,
        **told(teacher.losses),
        "held_out_examples": teacher.held_out.count if teacher.held_out else 0,
        "held_out_before": before,
        "held_out_after": teacher.held_out.figures(),
    }


class _Teacher:
    """One run. All chance comes from the seed and the number of the step, so that a run can go on anywhere."""

    def __init__(self, student: Student, lesson: Lesson, settings: Settings, run: Run) -> None:
        self._lesson, self._settings, self._seed, self._device = lesson, settings, run.seed, student.device
        learnt, held = parted(len(lesson.examples), settings.held_out, run.seed)
        self.held_out = HeldOut(lesson, held, run.seed, student.device)
        kept = student.parameters(settings.frozen)
        self.parameters = {**kept, **{f"extra.{name}": value for name, value in lesson.extra.items()}}
        self._kept = list(kept.values())
        self._start = [value.detach().clone() for value in self._kept] if settings.hold else []
        self._epochs = epochs_of(lesson, learnt, settings.epochs)
        self.total = len(self._epochs) * settings.epochs
        self.losses = torch.full((self.total,), float("nan"))
        self._optimiser = torch.optim.AdamW(_groups(self.parameters, settings), lr=settings.learning_rate)
        self._best = self._with_patience()

    def _with_patience(self) -> Best | None:
        if not self._settings.patience:
            return None
        if not self.held_out:
            raise Invalid("patience looks at examples that are held out; give more material or a larger held_out")
        return Best(self._settings.patience, self.parameters, self.held_out.loss())

    def run(self, run: Run, name: str) -> None:
        written = {**self.parameters, "losses": self.losses, **(self._best.tensors if self._best else {})}
        checkpoint = None if run.checkpoint is None else Checkpoint(run.checkpoint, name)
        look = Look("loss on held-out examples", self.held_out.loss) if self.held_out else None
        Steps(self.total, written, self._optimiser, checkpoint).run(self._learn, run.progress, look)
        if self._best:
            self._best.restore()

    def _learn(self, step: int) -> Tensor | None:
        if self._best and self._best.stopped:
            return None
        with chance(self._seed, step, self._device):
            loss = self._lesson.loss(self._epochs.batch(step), np.random.default_rng([self._seed, step, 1]))
            pull = self._settings.hold * distance_from(self._kept, self._start) if self._start else 0
            self._optimiser.zero_grad()
            (loss + pull).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), self._settings.clip_norm)
        set_rate(self._optimiser, self._settings.learning_rate * warmed_up(step, self.total))
        self._optimiser.step()
        self.losses[step] = loss.detach().cpu()
        if self._best and ((step + 1) % max(1, self.total // LOOKS) == 0 or step + 1 == self.total):
            self._best.hear(self.held_out.loss())
        return loss.detach()


def epochs_of(lesson: Lesson, rows: list[int], count: int) -> Epochs:
    """Equally many batches in each: where epochs differ, what is over is left out."""
    fewest = min(len(lesson.batches(rows, epoch)) for epoch in range(count))

    def plan(epoch: int) -> list[Batch]:
        return lesson.batches(rows, epoch)[:fewest]

    return Epochs(plan)


def _groups(parameters: Mapping[str, Tensor], settings: Settings) -> list[dict[str, Any]]:
    """Biases and the scales of normalisations are not pulled to zero."""
    wide = [value for value in parameters.values() if value.dim() > 1]
    narrow = [value for value in parameters.values() if value.dim() <= 1]
    return [{"params": wide, "weight_decay": settings.weight_decay}, {"params": narrow, "weight_decay": 0.0}]


def told(losses: Tensor) -> Report:
    """Where the loss began and ended, and its way in between; steps that patience saved have none."""
    made = losses[~losses.isnan()].numpy().astype(float)
    tenth = max(1, len(made) // 10)
    curve = [round(float(part.mean()), 4) for part in np.array_split(made, min(_CURVE, len(made)))] if len(made) else []
    return {
        "steps_made": len(made),
        "loss_first": round(float(made[:tenth].mean()), 4) if len(made) else None,
        "loss_last": round(float(made[-tenth:].mean()), 4) if len(made) else None,
        "loss_curve": curve,
    }
