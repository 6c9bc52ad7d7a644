"""Classification in two stages: a head on the encoder as it is, then both together, into a new encoder and head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.storage import new_folder
from riparian.errors import AlreadyExists
from training.heads import card, classification, figures
from training.heads.base import Groups, Makes, check, chosen
from training.heads.card import HeadCard
from training.heads.classification import Examples, Fitted, examples_of, fitted, report_of
from training.heads.sentiment import as_sentiments, classes_of
from training.material import Material, Run
from training.recipes.base import Needs, Report
from training.recipes.transformers import KINDS, not_one

TASK = "tuned-classification"
ENCODER, HEAD = "encoder", "head"

DEFAULTS = {**classification.DEFAULTS, "name": "tuned to classify", "tuning_epochs": 2, "tuning_batch": 32,
            "tuning_rate": 2e-5, "longest": 128, "frozen": 0, "hold": 0.0, "stars": 0}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TunedClassification:
    """The head of the name `tuned-classification`."""

    name: str = TASK
    summary: str = "a class for a text, and a new encoder that is tuned for it from labelled examples"
    needs: Needs = "labelled"
    makes: Makes = "both"

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Those of `classification` for both heads; `tuning_…`, `longest` (tokens), `frozen` (lowest layers that stay)
        and `hold` (pull to the old weights) are those of the second stage. With `stars`, labels are read as sentiments
        of at most so many stars."""
        return DEFAULTS

    def refuses(self, encoder: Encoder) -> str | None:
        kind = encoder.info.kind
        return None if kind in KINDS else f"its second stage tunes transformers ({', '.join(KINDS)}), {not_one(kind)}"

    def train(
        self,
        encoder: Encoder,
        material: Material,
        into: Path,
        run: Run,
        settings: Mapping[str, Any],
        groups: Groups = (),
    ) -> Report:
        """The report's `frozen` is the head of the first stage, on the same examples; `figures.tuned_over_frozen` is
        what the second stage brought."""
        wanted = chosen(self, settings)
        check(self, encoder)
        if into.exists() and any(into.iterdir()):
            raise AlreadyExists(f"{into} is not empty; give a new folder for the encoder and its head")
        labels = tuple(sorted({example.label for example in material.labelled}))
        if wanted["stars"]:
            material = as_sentiments(material, wanted["stars"])
            labels = classes_of(material)
        examples = examples_of(TASK, material, labels, run.seed, wanted["held_out"], groups)
        quiet = Run(seed=run.seed, device=run.device, workers=run.workers)
        first = fitted(TASK, encoder, examples, quiet, wanted)
        with new_folder(into) as draft:
            tuning = _tuned(encoder, examples, first, draft / ENCODER, run, wanted)
            spec = f"{encoder.info.kind}:{draft / ENCODER}"
            new = registry.load(spec, cache_dir=draft, device=run.device, threads=run.workers, engine="torch")
            second = fitted(TASK, new, examples, quiet, wanted)
            report = {**_report(examples, first, second, run.seed), "tuning": tuning}
            described = card.described(new) | {"spec": f"{encoder.info.kind}:{into / ENCODER}"}
            classification.write(draft / HEAD, HeadCard(TASK, labels, described, wanted, report), second, examples)
        return report


def _tuned(
    encoder: Any, examples: Examples, first: Fitted, into: Path, run: Run, settings: Mapping[str, Any]
) -> Report:
    from training.heads.tuning import ClassesLesson  # torch
    from training.recipes.lesson import Settings
    from training.recipes.teaching import run_lesson, student_of

    how = Settings(
        name=settings["name"],
        epochs=settings["tuning_epochs"],
        batch=settings["tuning_batch"],
        learning_rate=settings["tuning_rate"],
        longest=settings["longest"],
        frozen=settings["frozen"],
        hold=settings["hold"],
        held_out=0.0,  # the part to choose by and the part to judge by are apart from the lesson already
    )
    student = student_of(encoder, how, run)
    texts, truth = examples.side(examples.sides.learnt)
    lesson = ClassesLesson(student, how, run.seed, texts, truth, first)
    digest = text_digest(canonical([examples.sha256, examples.sides.learnt.tolist()]))
    report: Report = run_lesson(student, lesson, how, run, digest)
    told = f"tuned here (classification) on {len(texts)} examples of {examples.origin}"
    student.save(into, how.name, told, report)
    return report


def _report(examples: Examples, first: Fitted, second: Fitted, seed: int) -> Report:
    truth, labels = examples.truth[examples.sides.held_out], len(examples.labels)
    report = report_of(TASK, examples, second, seed)
    report["figures"]["frozen"] = figures.judged(truth, first.guesses, labels, seed)
    report["figures"]["tuned_over_frozen"] = figures.gained(truth, second.guesses, first.guesses, seed)
    return report
