"""A class for a text: one linear layer on the encoder's vector of the whole text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.errors import AlreadyExists, Invalid
from riparian.types import Matrix
from training.heads import baselines, card, figures
from training.heads.base import Groups, Makes, check, chosen
from training.heads.card import LEARNT, HeadCard
from training.heads.figures import Numbers
from training.heads.linear_scores import logits, softmax
from training.heads.parts import Parts, check_unseen, digests, parts, sizes
from training.material import Labelled, Material, Run
from training.recipes.base import Needs, Report

TASK = "classification"

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Tried all at once; the one that does best on the part to choose by is kept."""

DEFAULTS = {"held_out": 0.2, "epochs": 20, "batch": 128, "learning_rate": 0.01, "penalty": 0.0, "balanced": False}


@dataclass(frozen=True, slots=True)
class Classified:
    """The likeliest label, and the probability of each; `known` is False where the encoder knew nothing of the text,
    so that the answer tells only what is common."""

    label: str
    probabilities: Mapping[str, float]
    known: bool


@dataclass(frozen=True, slots=True)
class Classifier:
    """A head as learnt: `weights` (L, d) and `biases` (L,) float32; `learnt` recognises the texts it has seen."""

    card: HeadCard
    weights: NDArray[np.float32]
    biases: NDArray[np.float32]
    learnt: NDArray[np.int64]

    def apply(self, encoder: Encoder, texts: Sequence[str]) -> list[Classified]:
        """One answer a text, in order. IndexMismatch for another encoder than the head's own."""
        self.card.meets(encoder)
        rows = encoder.encode_passages(texts, "passage")
        chances = softmax(logits(self.weights, self.biases, rows))
        labels = self.card.labels
        return [
            Classified(labels[int(found.argmax())], dict(zip(labels, found.tolist(), strict=True)), bool(row.any()))
            for found, row in zip(chances, rows, strict=True)
        ]

    def judge(self, encoder: Encoder, examples: Sequence[Labelled], seed: int = 0) -> Report:
        """Accuracy and macro-F1 with intervals and the confusion over examples that were held out. Invalid for one
        that was learnt from, and for a label that the head does not have."""
        check_unseen(self.learnt, [example.text for example in examples])
        truth = numbers(examples, self.card.labels)
        guesses = numbers(
            [Labelled("", found.label) for found in self.apply(encoder, texts_of(examples))], self.card.labels
        )
        return told(truth, guesses, self.card.labels, seed)


@dataclass(frozen=True, slots=True)
class Classification:
    """The head of the name `classification`."""

    name: str = TASK
    summary: str = "a class for a text, learnt from labelled examples"
    needs: Needs = "labelled"
    makes: Makes = "head"

    @property
    def defaults(self) -> Mapping[str, Any]:
        """`penalty` 0 = the best of PENALTIES; `balanced` makes rare labels weigh as much as common ones."""
        return DEFAULTS

    def refuses(self, encoder: Encoder) -> str | None:
        return None

    def train(
        self,
        encoder: Encoder,
        material: Material,
        into: Path,
        run: Run,
        settings: Mapping[str, Any],
        groups: Groups = (),
    ) -> Report:
        wanted = chosen(self, settings)
        check(self, encoder)
        labels = tuple(sorted({example.label for example in material.labelled}))
        return learn(self.name, encoder, material, labels, into, run, wanted, groups)


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled texts as they are learnt from: `truth` numbers the labels, `sides` the texts."""

    texts: Sequence[str]
    truth: Numbers
    labels: tuple[str, ...]
    sides: Parts
    origin: str
    sha256: str

    def told(self) -> Report:
        """Sizes and hash, as JSON."""
        return {"origin": self.origin, "examples": len(self.texts), "sha256": self.sha256, **sizes(self.sides)}

    def side(self, rows: NDArray[np.int64]) -> tuple[list[str], Numbers]:
        return [self.texts[row] for row in rows], self.truth[rows]

    def digests(self) -> NDArray[np.int64]:
        """Those of the texts that are not held out."""
        return digests(self.texts[row] for row in (*self.sides.learnt, *self.sides.chosen_by))


@dataclass(frozen=True, slots=True)
class Fitted:
    """The best candidate, the macro-F1 that each penalty had where it was chosen, and guesses for what is held out."""

    weights: NDArray[np.float32]
    biases: NDArray[np.float32]
    penalty: float
    tried: Mapping[str, float]
    guesses: Numbers


def examples_of(
    task: str, material: Material, labels: tuple[str, ...], seed: int, held_out: float, groups: Groups
) -> Examples:
    """Invalid where there are too few, of too few labels, or none of a label on some side."""
    examples = material.labelled
    if len(labels) < 2:
        raise Invalid(f"{task} needs examples of at least 2 labels; there are {len(examples)} of {len(labels)}")
    texts, truth = texts_of(examples), numbers(examples, labels)
    sides = parts(texts, seed, held_out, groups)
    check_labels(truth, sides, labels)
    sha256 = text_digest(canonical([[example.text, example.label] for example in examples]))
    return Examples(texts, truth, labels, sides, material.origin, sha256)


def fitted(task: str, encoder: Encoder, examples: Examples, run: Run, settings: Mapping[str, Any]) -> Fitted:
    """Linear layers on the encoder's vectors, one a penalty, of which the best is chosen."""
    from training.heads.fitting import Plan, waiting  # torch
    from training.heads.linear import learn as learn_linear

    if settings["penalty"] < 0:
        raise Invalid("penalty must not be below 0")
    sides, truth, labels = examples.sides, examples.truth, examples.labels
    plan = Plan(len(sides.learnt), settings["epochs"], settings["batch"], float(settings["learning_rate"]))
    rows = encoder.encode_passages(examples.texts, "passage", waiting(run, plan.total))
    penalties = (float(settings["penalty"]),) if settings["penalty"] else PENALTIES
    shares = _shares(truth[sides.learnt], len(labels), settings["balanced"])
    about = [task, dict(settings), run.seed, examples.sha256, encoder.fingerprint()]
    name = text_digest(canonical([*about, *(side.tolist() for side in sides.all)]))
    found = learn_linear(rows[sides.learnt], truth[sides.learnt], shares, penalties, plan, run, name)
    at, tried = best(found.weights, found.biases, rows[sides.chosen_by], truth[sides.chosen_by])
    guesses = logits(found.weights[at], found.biases[at], rows[sides.held_out]).argmax(axis=1)
    scores = {str(penalty): round(score, 4) for penalty, score in zip(penalties, tried, strict=True)}
    return Fitted(found.weights[at], found.biases[at], penalties[at], scores, guesses)


def learn(
    task: str,
    encoder: Encoder,
    material: Material,
    labels: tuple[str, ...],
    into: Path,
    run: Run,
    settings: Mapping[str, Any],
    groups: Groups,
) -> Report:
    """Learns, chooses, judges and writes the head; see `Head.train`."""
    if into.exists() and any(into.iterdir()):
        raise AlreadyExists(f"{into} is not empty; give a new folder for the head")
    examples = examples_of(task, material, labels, run.seed, settings["held_out"], groups)
    found = fitted(task, encoder, examples, run, settings)
    report = report_of(task, examples, found, run.seed)
    write(into, HeadCard(task, labels, card.described(encoder), settings, report), found, examples)
    return report


def report_of(task: str, examples: Examples, found: Fitted, seed: int) -> Report:
    """What was learnt from what, and how good it is on what was held out."""
    truth = examples.truth[examples.sides.held_out]
    report = {
        "task": task,
        "seed": seed,
        "data": examples.told(),
        "penalty": found.penalty,
        "macro_f1_to_choose_by": dict(found.tried),
        **told(truth, found.guesses, examples.labels, seed),
    }
    report["figures"] |= _beside(examples, found.guesses, seed)
    return report


def write(into: Path, about: HeadCard, found: Fitted, examples: Examples) -> None:
    """The head's folder, whole or not at all."""
    card.write(into, about, {"weights": found.weights, "biases": found.biases, LEARNT: examples.digests()})


def load(folder: Path) -> Classifier:
    """Raises BadWeights for a folder that is damaged or holds another head."""
    about = card.read(folder)
    arrays = card.read_arrays(folder, {"biases": (len(about.labels),)})
    width = arrays["weights"].shape[-1] if "weights" in arrays else 0
    arrays = card.read_arrays(
        folder, {"weights": (len(about.labels), width), LEARNT: arrays.get(LEARNT, np.empty(0)).shape}
    )
    return Classifier(about, arrays["weights"], arrays["biases"], arrays[LEARNT])


def told(truth: Numbers, guesses: Numbers, labels: Sequence[str], seed: int) -> Report:
    """Figures and confusion as JSON."""
    counts = figures.confusion(truth, guesses, len(labels))
    return {
        "figures": {"head": figures.judged(truth, guesses, len(labels), seed)},
        "labels": figures.by_label(counts, labels),
        "confusion": {"labels": list(labels), "true_by_guessed": counts.tolist()},
    }


def texts_of(examples: Sequence[Labelled]) -> list[str]:
    return [example.text for example in examples]


def numbers(examples: Sequence[Labelled], labels: Sequence[str]) -> Numbers:
    """Invalid for a label that is not among `labels`."""
    at = {label: number for number, label in enumerate(labels)}
    for number, example in enumerate(examples, start=1):
        if example.label not in at:
            raise Invalid(f"example {number} has the label {example.label!r}; the head knows {', '.join(labels)}")
    return np.array([at[example.label] for example in examples], dtype=np.int64)


def check_labels(truth: Numbers, sides: Parts, labels: Sequence[str]) -> None:
    """So few of a label that none is left to learn from (or to judge by) say nothing about it."""
    for what, rows in (("learn from", sides.learnt), ("judge by", sides.held_out)):
        missing = [label for number, label in enumerate(labels) if number not in truth[rows]]
        if missing:
            raise Invalid(f"there is no example of {missing[0]!r} to {what}; give more of it, or leave it out")


def _shares(truth: Numbers, labels: int, balanced: bool) -> NDArray[np.float32]:
    counts = np.bincount(truth, minlength=labels)
    return (len(truth) / labels / counts if balanced else np.ones(labels)).astype(np.float32)


def best(
    weights: NDArray[np.float32], biases: NDArray[np.float32], rows: Matrix, truth: Numbers
) -> tuple[int, list[float]]:
    """Which candidate has the highest macro-F1, of equals the one of the larger penalty; and the macro-F1 of each."""
    labels = weights.shape[1]
    scores = [
        float(figures.macro_f1(figures.confusion(truth, logits(one, bias, rows).argmax(axis=1), labels)))
        for one, bias in zip(weights, biases, strict=True)
    ]
    return max(range(len(scores)), key=lambda at: (scores[at], at)), scores


def _beside(examples: Examples, guesses: Numbers, seed: int) -> Report:
    """The same figures for what a head must beat, learnt from all that the head saw, and by how much more of the texts
    it is right."""
    sides, labels = examples.sides, len(examples.labels)
    texts, seen = examples.side(np.concatenate([sides.learnt, sides.chosen_by]))
    others, wanted = examples.side(sides.held_out)
    common, bag = baselines.majority(seen, len(wanted)), baselines.bag_of_words(texts, seen, others)
    return {
        "majority": figures.judged(wanted, common, labels, seed),
        "bag_of_words": figures.judged(wanted, bag, labels, seed),
        "head_over_majority": figures.gained(wanted, guesses, common, seed),
        "head_over_bag_of_words": figures.gained(wanted, guesses, bag, seed),
    }
