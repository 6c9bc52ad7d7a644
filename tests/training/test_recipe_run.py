"""How a recipe runs: it holds examples out, stops where that helps, goes on where it was, and saves a full encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from riparian.encoders.base import Encoder
from riparian.encoders.checks import CHECKS, Subject
from riparian.errors import Invalid
from tests.riparian.trained_models import grammar, tiny_mlm
from tests.training.tunable import coded, loaded, mixed, reciprocal_ranks
from training.material import Material, Run
from training.recipes.held_out import Best, parted
from training.recipes.lesson import sentences_of
from training.recipes.table import named

SETTINGS = {"batch": 16, "longest": 16, "learning_rate": 3e-3, "name": "tuned"}
TEXTS = grammar(200)
MATERIAL = Material("a grammar", texts=TEXTS)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    place = tmp_path_factory.mktemp("base")
    return loaded(f"bert:{tiny_mlm(place)}", place)


def tuned(name: str, base: Encoder, into: Path, run: Run | None = None, **settings: Any) -> Mapping[str, Any]:
    return named(name).tune(base, MATERIAL, into, run or Run(seed=1, workers=1), SETTINGS | settings)


def test_a_part_judges_and_is_never_learnt_from() -> None:
    learnt, held = parted(1000, 0.05, seed=3)

    assert len(held) == 50
    assert sorted([*learnt, *held]) == list(range(1000))
    assert parted(1000, 0.05, seed=3)[1] == held != parted(1000, 0.05, seed=4)[1]
    assert parted(100, 0.05, seed=3)[1] == []
    assert len(parted(100_000, 0.5, seed=3)[1]) == 256


def test_the_report_tells_what_was_held_out_before_and_after_and_the_card_keeps_it(
    base: Encoder, tmp_path: Path
) -> None:
    report = tuned("simcse", base, tmp_path / "out", epochs=3)

    before, after = report["held_out_before"], report["held_out_after"]
    assert report["held_out_examples"] == len(set(TEXTS)) * 5 // 100
    assert set(before) == {"loss", "alignment", "uniformity"}
    assert after["loss"] < before["loss"]
    assert after["uniformity"] < before["uniformity"]
    found = loaded(tmp_path / "out", tmp_path)
    assert found.info.extra["training"] == report
    assert report["material_sha256"][:16] in found.info.provenance
    assert f"on {len(set(TEXTS))} examples of a grammar" in found.info.provenance


def test_patience_keeps_the_weights_that_were_best_on_what_is_held_out(base: Encoder, tmp_path: Path) -> None:
    report = tuned("mirror", base, tmp_path / "out", epochs=3, learning_rate=0.2, patience=2)

    assert report["held_out_after"] == report["held_out_before"]  # such steps ruin it at once: the start was the best
    assert report["steps_made"] < report["steps"]
    assert loaded(tmp_path / "out", tmp_path).fingerprint() != ""
    texts = TEXTS[:4]
    same = loaded(tmp_path / "out", tmp_path).encode_passages(texts, "passage")
    assert np.abs(same - base.encode_passages(texts, "passage")).max() < 1e-5


def test_patience_that_was_interrupted_ends_as_one_that_was_not(base: Encoder, tmp_path: Path) -> None:
    how: dict[str, Any] = {"epochs": 2, "learning_rate": 0.02, "patience": 3}
    whole = tuned("mirror", base, tmp_path / "whole", **how)

    def stop(done: int, total: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    kept = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        tuned("mirror", base, tmp_path / "parts", Run(seed=1, workers=1, checkpoint=kept, progress=stop), **how)
    parts = tuned("mirror", base, tmp_path / "parts", Run(seed=1, workers=1, checkpoint=kept), **how)

    assert parts == whole
    one, other = (loaded(tmp_path / name, tmp_path) for name in ("whole", "parts"))
    assert one.fingerprint() == other.fingerprint()


def test_the_best_weights_are_those_of_the_lowest_loss() -> None:
    import torch

    value = torch.tensor([1.0])
    best = Best(2, {"value": value}, loss=5.0)
    for number, loss in ((2.0, 4.0), (3.0, 4.5), (4.0, 4.1)):
        assert not best.stopped
        value.fill_(number)
        best.hear(loss)
    assert best.stopped
    best.restore()
    assert float(value) == 2.0


def test_patience_without_anything_held_out_is_refused(base: Encoder, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="give more material or a larger held_out"):
        tuned("mirror", base, tmp_path / "out", patience=1, held_out=0.0)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_tuned_encoder_keeps_what_every_encoder_keeps(check: Any, tuned_once: Path, tmp_path: Path) -> None:
    check(Subject(loaded(tuned_once, tmp_path), lambda folder: loaded(folder, tmp_path), tmp_path))


@pytest.fixture(scope="module")
def tuned_once(base: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("tuned") / "out"
    tuned("tsdae", base, into)
    return into


def test_masked_words_are_guessed_better_and_the_head_is_kept_for_the_next_time(base: Encoder, tmp_path: Path) -> None:
    first = tuned("mlm", base, tmp_path / "first", epochs=3)
    again = tuned("mlm", loaded(tmp_path / "first", tmp_path), tmp_path / "again")

    assert first["held_out_after"]["loss"] < first["held_out_before"]["loss"]
    assert again["held_out_before"]["loss"] < first["held_out_before"]["loss"]
    with safe_open(tmp_path / "first" / "model.safetensors", framework="np") as file:
        names = set(file.keys())
    assert {"cls.predictions.bias", "bert.embeddings.word_embeddings.weight"} <= names
    assert not any("pooler" in name for name in names)


def test_text_without_blanks_is_learnt_from_sentence_by_sentence() -> None:
    found = sentences_of(Material("zh", texts=["银行在河边。鸭子在河里游泳很久。", "他把很多钱存进了银行。"]))

    assert "他把很多钱存进了银行。" in found


def test_true_pairs_find_each_other_afterwards_and_mixed_ones_do_not(base: Encoder, tmp_path: Path) -> None:
    pairs = coded()
    learnt, held = pairs[:40], pairs[40:]
    how = {"epochs": 15, "batch": 20, "learning_rate": 1e-2, "held_out": 0.0, "longest": 16}
    found = {"base": reciprocal_ranks(base, held).mean()}
    for name, given in (("true", learnt), ("mixed", mixed(learnt))):
        material = Material(name, pairs=given)
        named("pairs").tune(base, material, tmp_path / name, Run(seed=1, workers=1), how)
        found[name] = reciprocal_ranks(loaded(tmp_path / name, tmp_path), held).mean()

    assert found["true"] > found["base"] + 0.3
    assert found["mixed"] < found["base"] + 0.1
