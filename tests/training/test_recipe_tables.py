"""Pairs for tables of words: the loss is the published one, a stopped run goes on, what makes no sense is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from riparian.encoders.static import StaticEncoder
from riparian.errors import Conflict, Invalid
from tests.training.tunable import CODES, NOUNS, coded, loaded
from training.material import Material, Pair, Run
from training.recipes.static_pairs import TableLesson, TableSettings
from training.recipes.table import named, recipes

PAIRS = Material("codes", pairs=coded())
SETTINGS = {"epochs": 3, "batch": 8, "learning_rate": 0.01}


@pytest.fixture
def base(tmp_path: Path) -> StaticEncoder:
    rows = np.random.default_rng(1).normal(size=(16, 8))
    lines = ["16 8", *(f"{word} {' '.join(map(str, row))}" for word, row in zip(NOUNS + CODES, rows, strict=True))]
    (tmp_path / "vectors.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = loaded(f"word2vec:{tmp_path / 'vectors.txt'}", tmp_path)
    assert isinstance(found, StaticEncoder)
    return found


def test_the_loss_is_in_batch_cross_entropy_of_twenty_cosines_of_the_vectors_that_the_encoder_gives(
    base: StaticEncoder,
) -> None:
    table = torch.from_numpy(np.array(base.table.matrix))
    lesson = TableLesson(base, table, TableSettings(), 1, PAIRS.pairs)
    first = base.encode_passages([pair.first for pair in lesson.examples[:9]], "query").astype(np.float64)
    second = base.encode_passages([pair.second for pair in lesson.examples[:9]], "passage").astype(np.float64)
    scores = 20 * first @ second.T
    sides = [np.log(np.exp(rows).sum(axis=1)) - np.diag(rows) for rows in (scores, scores.T)]

    assert float(lesson.loss(range(9), np.random.default_rng(0))) == pytest.approx(np.mean(sides), abs=1e-4)


def test_a_stopped_run_goes_on_to_the_same_table_and_another_run_is_refused(
    base: StaticEncoder, tmp_path: Path
) -> None:
    pairs = named("pairs")
    whole = pairs.tune(base, PAIRS, tmp_path / "whole", Run(seed=1, workers=1), SETTINGS)

    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    kept = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        pairs.tune(base, PAIRS, tmp_path / "parts", Run(1, stop, kept, workers=1), SETTINGS)
    parts = pairs.tune(base, PAIRS, tmp_path / "parts", Run(1, None, kept, workers=1), SETTINGS)

    assert parts == whole
    one, other = (loaded(tmp_path / name, tmp_path) for name in ("whole", "parts"))
    assert one.fingerprint() == other.fingerprint() != base.fingerprint()
    assert one.info.extra["training"]["material_sha256"] == whole["material_sha256"]
    with pytest.raises(Conflict):
        pairs.tune(base, PAIRS, tmp_path / "other", Run(2, None, kept, workers=1), SETTINGS)


def test_settings_that_only_transformers_have_are_refused(base: StaticEncoder, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="pairs for a table of words has no setting 'frozen'; it has name, epochs, batch"):
        named("pairs").tune(base, PAIRS, tmp_path / "out", Run(), {"frozen": 1})


def test_pairs_without_known_words_teach_nothing(base: StaticEncoder, tmp_path: Path) -> None:
    strange = Material("strange", pairs=[Pair("zzz", "yyy"), Pair("bank", "qqq"), Pair("river", "wet")])
    with pytest.raises(Invalid, match="1 different pairs of known words are too few"):
        named("pairs").tune(base, strange, tmp_path / "out", Run(), {})


@pytest.mark.parametrize("name", [name for name in recipes() if name != "pairs"])
def test_recipes_for_text_say_why_a_table_is_not_for_them(name: str, base: StaticEncoder) -> None:
    assert "two views of a text would be the same; tune it with pairs" in (named(name).refuses(base) or "")
    assert named("pairs").refuses(base) is None
