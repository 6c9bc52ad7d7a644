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
    from training.heads.fitting import Plan, waiting  # torch
    from training.heads.linear import learn as learn_linear

    if into.exists() and any(into.iterdir()):
        raise AlreadyExists(f"{into} is not empty; give a new folder for the head")
    examples = material.labelled
    texts, truth = texts_of(examples), numbers(examples, labels)
    sides = parts(texts, run.seed, settings["held_out"], groups) if len(texts) > 1 else None
    if sides is None or len(labels) < 2:
        raise Invalid(f"{task} needs examples of at least 2 labels; there are {len(examples)} of {len(labels)}")
    check_labels(truth, sides, labels)
    plan = Plan(len(sides.learnt), settings["epochs"], settings["batch"], float(settings["learning_rate"]))
    rows = encoder.encode_passages(texts, "passage", waiting(run, plan.total))
    penalties = (float(settings["penalty"]),) if settings["penalty"] else PENALTIES
    shares = _shares(truth[sides.learnt], len(labels), settings["balanced"])
    sha256 = text_digest(canonical([[example.text, example.label] for example in examples]))
    name = text_digest(
        canonical([task, dict(settings), run.seed, sha256, encoder.fingerprint(), *map(list, _lists(sides))])
    )
    found = learn_linear(rows[sides.learnt], truth[sides.learnt], shares, penalties, plan, run, name)
    at, tried = best(found.weights, found.biases, rows[sides.chosen_by], truth[sides.chosen_by])
    guesses = logits(found.weights[at], found.biases[at], rows[sides.held_out]).argmax(axis=1)
    report = {
        "task": task,
        "seed": run.seed,
        "data": {"origin": material.origin, "examples": len(examples), "sha256": sha256, **sizes(sides)},
        "penalty": penalties[at],
        "macro_f1_to_choose_by": {str(p): round(score, 4) for p, score in zip(penalties, tried, strict=True)},
        **told(truth[sides.held_out], guesses, labels, run.seed),
    }
    report["figures"] |= _beside(texts, truth, sides, guesses, labels, run.seed)
    about = HeadCard(task, labels, card.described(encoder), settings, report)
    seen = digests(texts[row] for row in (*sides.learnt, *sides.chosen_by))
    card.write(into, about, {"weights": found.weights[at], "biases": found.biases[at], LEARNT: seen})
    return report


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


def _beside(
    texts: Sequence[str], truth: Numbers, sides: Parts, guesses: Numbers, labels: Sequence[str], seed: int
) -> Report:
    """The same figures for what a head must beat, learnt from all that the head saw, and by how much more of the texts
    it is right."""
    seen = np.concatenate([sides.learnt, sides.chosen_by])
    wanted = truth[sides.held_out]
    common = baselines.majority(truth[seen], len(wanted))
    bag = baselines.bag_of_words([texts[row] for row in seen], truth[seen], [texts[row] for row in sides.held_out])
    return {
        "majority": figures.judged(wanted, common, len(labels), seed),
        "bag_of_words": figures.judged(wanted, bag, len(labels), seed),
        "head_over_majority": figures.gained(wanted, guesses, common, seed),
        "head_over_bag_of_words": figures.gained(wanted, guesses, bag, seed),
    }


def _lists(sides: Parts) -> tuple[list[int], list[int], list[int]]:
    return sides.learnt.tolist(), sides.chosen_by.tolist(), sides.held_out.tolist()
