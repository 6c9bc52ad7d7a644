"""A new encoder from an old one by another mix of its layers, learnt from labelled texts; no other number changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.pooling import unit_rows
from riparian.errors import AlreadyExists, Invalid
from riparian.types import Matrix
from training.heads import figures
from training.heads.base import Groups, Makes, check, chosen
from training.heads.classification import PENALTIES, best, check_labels, numbers, texts_of
from training.heads.figures import Numbers
from training.heads.linear_scores import logits
from training.heads.parts import Parts, parts, sizes
from training.material import Material, Run
from training.recipes.base import Needs, Report

if TYPE_CHECKING:
    from riparian.encoders.elmo.encoder import ElmoEncoder
    from riparian.encoders.elmo.mix import Mix
    from training.heads.mixing import Layers

TASK = "layer-mix"
DEFAULTS = {"name": "another mix of layers", "held_out": 0.2, "epochs": 20, "batch": 64, "learning_rate": 0.01,
            "penalty": 0.01}  # fmt: skip

_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class LayerMix:
    """The head of the name `layer-mix`."""

    name: str = TASK
    summary: str = "a new ELMo that mixes its layers as labelled texts want it"
    needs: Needs = "labelled"
    makes: Makes = "encoder"

    @property
    def defaults(self) -> Mapping[str, Any]:
        """`name` is the new encoder's."""
        return DEFAULTS

    def refuses(self, encoder: Encoder) -> str | None:
        kind = encoder.info.kind
        if kind == "elmo":
            return None
        if encoder.info.contextual == "none":
            return f"{kind} has one layer, its table of words"
        return f"{kind} gives its last layer and has no place for a mix of others; elmo has"

    def train(
        self,
        encoder: Encoder,
        material: Material,
        into: Path,
        run: Run,
        settings: Mapping[str, Any],
        groups: Groups = (),
    ) -> Report:
        """The folder is an encoder's (`Encoder.save`), its card holds the report. The figures beside each other come
        from linear layers on the passage vectors that each mix gives: equal parts, each layer alone, the learnt mix."""
        from training.heads.fitting import Plan, waiting  # torch
        from training.heads.mixing import learn  # torch

        wanted = chosen(self, settings)
        check(self, encoder)
        if into.exists() and any(into.iterdir()):
            raise AlreadyExists(f"{into} is not empty; give a new folder for the encoder")
        examples = material.labelled
        labels = tuple(sorted({example.label for example in examples}))
        if len(labels) < 2:
            raise Invalid(f"{TASK} needs examples of at least 2 labels; there are {len(examples)} of {len(labels)}")
        texts, truth = texts_of(examples), numbers(examples, labels)
        sides = parts(texts, run.seed, wanted["held_out"], groups)
        check_labels(truth, sides, labels)
        plan = Plan(len(sides.learnt), wanted["epochs"], wanted["batch"], float(wanted["learning_rate"]))
        elmo: Any = encoder
        layers = _layers(elmo, texts, run, waiting(run, plan.total))
        sha256 = text_digest(canonical([[example.text, example.label] for example in examples]))
        name = text_digest(canonical([TASK, wanted, run.seed, sha256, encoder.fingerprint(), sides.learnt.tolist()]))
        learnt = layers[sides.learnt], truth[sides.learnt]
        mix = learn(*learnt, len(labels), float(wanted["penalty"]), plan, run, name)
        report = {
            "task": TASK,
            "seed": run.seed,
            "base": encoder.info.name,
            "base_fingerprint": encoder.fingerprint(),
            "data": {"origin": material.origin, "examples": len(examples), "sha256": sha256, **sizes(sides)},
            "labels": list(labels),
            "mix": {"weights": [round(weight, 4) for weight in mix.weights()], "gamma": mix.gamma},
            "figures": _ablation(layers, truth, sides, mix, len(labels), run),
        }
        _new(elmo, mix, report, wanted["name"], into, run).save(into)
        return report


def _layers(elmo: ElmoEncoder, texts: list[str], run: Run, progress: Any) -> Layers:
    from riparian.encoders.elmo.mix import Mix

    count = len(elmo.model.mix.scalars)
    found = np.zeros((len(texts), count, elmo.info.token_dim or 0), dtype=np.float32)
    for layer in range(count):
        alone = elmo.using(mix=Mix.only(layer, count))
        for first in range(0, len(texts), _AT_ONCE):
            for row, encoding in enumerate(alone.encode_tokens(texts[first : first + _AT_ONCE]), start=first):
                if len(encoding.vectors):
                    found[row, layer] = encoding.vectors.mean(axis=0, dtype=np.float64)
            progress(layer * len(texts) + first, count * len(texts))
    return found


def _ablation(layers: Layers, truth: Numbers, sides: Parts, mix: Mix, labels: int, run: Run) -> Report:
    """Each mix with its figures on what was held out, and what the learnt one has above equal parts and the top."""
    count = layers.shape[1]
    mixes: dict[str, NDArray[np.float64]] = {
        "uniform": np.full(count, 1 / count),
        "top_only": np.eye(count)[count - 1],
        "learnt": np.array(mix.weights()),
        **{f"layer_{layer}_only": np.eye(count)[layer] for layer in range(count - 1)},
    }
    guesses = {name: _guesses(_mixed(layers, weights), truth, sides, labels, run) for name, weights in mixes.items()}
    wanted = truth[sides.held_out]
    found: Report = {name: figures.judged(wanted, guess, labels, run.seed) for name, guess in guesses.items()}
    for other in ("uniform", "top_only"):
        found[f"learnt_over_{other}"] = figures.gained(wanted, guesses["learnt"], guesses[other], run.seed)
    return found


def _mixed(layers: Layers, weights: NDArray[np.float64]) -> Matrix:
    """Passage vectors as the encoder gives them under this mix; gamma falls out when they are given unit length."""
    return unit_rows(np.einsum("l,nld->nd", weights, layers).astype(np.float32))


def _guesses(rows: Matrix, truth: Numbers, sides: Parts, labels: int, run: Run) -> Numbers:
    from training.heads.fitting import Plan  # torch
    from training.heads.linear import learn as learn_linear  # torch

    plain = Run(seed=run.seed, device=run.device, workers=run.workers)
    plan, shares = Plan(len(sides.learnt), 10, 64, 0.01), np.ones(labels, dtype=np.float32)
    found = learn_linear(rows[sides.learnt], truth[sides.learnt], shares, PENALTIES, plan, plain, "")
    at, _ = best(found.weights, found.biases, rows[sides.chosen_by], truth[sides.chosen_by])
    scores = logits(found.weights[at], found.biases[at], rows[sides.held_out])
    return np.asarray(scores.argmax(axis=1), dtype=np.int64)


def _new(elmo: ElmoEncoder, mix: Mix, report: Report, name: str, into: Path, run: Run) -> ElmoEncoder:
    from riparian.device import choose
    from riparian.encoders.elmo.encoder import ElmoEncoder
    from riparian.encoders.facts import Facts

    info = elmo.info
    made_from = f"{info.name} ({info.provenance}), its layers mixed as {report['data']['examples']} labelled texts want"
    facts = Facts(name, f"elmo:{into}", "fine-tuned", info.licence, made_from, info.languages, report)
    return ElmoEncoder(facts, replace(elmo.model, mix=mix), choose(run.device))
