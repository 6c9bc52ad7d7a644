"""A training that is watched tells a figure on what it holds out, and learns what it would have learnt unseen."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from riparian.encoders import registry, steps
from riparian.encoders.base import Progress
from riparian.encoders.context2vec import training as context2vec
from riparian.encoders.cvt.training import train as train_cvt
from riparian.encoders.elmo.training import train as train_elmo
from riparian.encoders.mirror.training import mirror_tune
from riparian.encoders.mlm.training import train as train_mlm
from riparian.encoders.twin.training import train as train_twin
from riparian.encoders.view_match.training import train as train_view_match
from tests.riparian import cvt_models, test_context2vec_training, test_elmo_training, view_match_models
from tests.riparian.trained_models import TINY_MIRROR, TINY_MLM, TINY_TWIN, grammar, tiny_mlm

Trained = Callable[[Path, Progress | None], str]
"""Trains something small into a folder and answers with its fingerprint."""


class Watching:
    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []
        self.figures: list[tuple[str, float]] = []

    def __call__(self, done: int, total: int) -> None:
        self.steps.append((done, total))

    def held_out(self, name: str, value: float) -> None:
        self.figures.append((name, value))


def _elmo(_folder: Path, progress: Progress | None) -> str:
    texts = test_elmo_training.grammar(80)
    return train_elmo(texts, test_elmo_training.SHORT, 3, progress, workers=1).fingerprint()


def _context2vec(_folder: Path, progress: Progress | None) -> str:
    settings, texts = test_context2vec_training.SHORT, test_context2vec_training.grammar(60)
    return context2vec.train(texts, settings, 3, progress, workers=1).fingerprint()


def _cvt(_folder: Path, progress: Progress | None) -> str:
    return train_cvt(cvt_models.grammar(80), cvt_models.TINY, 3, progress, workers=1).fingerprint()


def _mlm(folder: Path, progress: Progress | None) -> str:
    train_mlm(grammar(60), TINY_MLM, 1, progress, into=folder / "mlm", workers=1)
    return _opened("bert", folder / "mlm")


def _twin(folder: Path, progress: Progress | None) -> str:
    return _opened("twin-causal", train_twin(grammar(60), TINY_TWIN, 1, progress, into=folder / "twin", workers=1))


def _mirror(folder: Path, progress: Progress | None) -> str:
    base = str(tiny_mlm(folder))
    tuned = mirror_tune(base, grammar(40), TINY_MIRROR, 1, progress, into=folder / "mirror", workers=1)
    return _opened("mirror-bert", tuned)


def _view_match(folder: Path, progress: Progress | None) -> str:
    pairs = view_match_models.documents(80)
    trained = train_view_match(pairs, view_match_models.TINY, 1, progress, into=folder / "views", workers=1)
    return _opened("view-match", trained)


def _opened(kind: str, folder: Path) -> str:
    return registry.load(f"{kind}:{folder}", cache_dir=folder).fingerprint()


@pytest.mark.parametrize(
    ("name", "most", "trained"),
    [
        ("perplexity", math.inf, _elmo),
        ("mean reciprocal rank", 1, _context2vec),
        ("accuracy", 1, _cvt),
        ("accuracy", 1, _mlm),
        ("perplexity", math.inf, _twin),
        ("alignment", 4, _mirror),
        ("recall@1", 1, _view_match),
    ],
    ids=["elmo", "context2vec-lstm", "cvt", "bert", "twin-causal", "mirror-bert", "view-match"],
)
def test_a_training_that_is_watched_tells_a_figure_and_learns_the_same(
    name: str, most: float, trained: Trained, tmp_path: Path
) -> None:
    watching = Watching()
    for folder in ("watched", "unseen"):
        (tmp_path / folder).mkdir()

    watched, unseen = trained(tmp_path / "watched", watching), trained(tmp_path / "unseen", None)

    assert watched == unseen
    assert {told for told, _ in watching.figures} == {name}
    assert all(0 <= value <= most for _, value in watching.figures)


def test_a_run_looks_at_most_eight_times_and_at_its_last_step() -> None:
    watching = Watching()
    look = steps.Look("steps so far", lambda: float(len(watching.steps) + 1))

    steps.run(20, lambda step: None, watching, look=look)

    assert watching.figures == [("steps so far", float(done)) for done in (3, 6, 9, 12, 15, 18, 20)]


def test_a_progress_that_does_not_watch_costs_no_look() -> None:
    def refuse() -> float:
        raise AssertionError("nobody watches")

    steps.run(20, lambda step: None, lambda done, total: None, look=steps.Look("", refuse))
