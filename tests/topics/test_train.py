from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from riparian.errors import BadWeights, IndexMismatch, Invalid
from tests.topics.themes import purity, themed
from topics import kinds
from topics.base import Classes, Fit, FitSettings, Guidance
from topics.checkpoints import Checkpoint
from topics.train import NetworkSettings, fit, load, network_settings

KINDS = pytest.mark.parametrize("kind", ["combined", "zeroshot"])


def fitted(kind: str = "combined", topics: int = 4, count: int = 120, **options: object) -> Fit:
    world = themed(count)
    return fit(kind, world.vectors, world.bag, FitSettings(topics, 0, options), encoder="fp")


@KINDS
def test_topics_are_the_themes_and_rows_sum_to_one(kind: str) -> None:
    found = fitted(kind)
    assert purity(themed().labels, found.theta.argmax(axis=1)) >= 0.95
    np.testing.assert_allclose(found.theta.sum(axis=1), 1, rtol=1e-5)
    assert found.theta.dtype == np.float32


@pytest.mark.parametrize("seed", range(6))
def test_clear_themes_are_not_merged_whatever_the_seed(seed: int) -> None:
    world = themed(300, seed)
    found = fit("combined", world.vectors, world.bag, FitSettings(4, seed), encoder="fp")
    assert purity(world.labels, found.theta.argmax(axis=1)) >= 0.95


@KINDS
def test_two_fits_with_one_seed_are_equal_bit_for_bit(kind: str) -> None:
    one, other = fitted(kind), fitted(kind)
    assert one.theta.tobytes() == other.theta.tobytes()
    assert one.model.beta().tobytes() == other.model.beta().tobytes()


def test_zeroshot_finds_the_topic_of_a_text_without_a_known_word() -> None:
    world, found = themed(), fitted("zeroshot")
    bare = world.bag.counts * 0
    theta = found.model.infer(world.vectors, bare, encoder="fp")
    assert np.array_equal(theta, found.theta)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 129])
def test_few_texts_train_too(count: int) -> None:
    found = fitted(count=count, topics=3, batch=128)
    assert found.theta.shape == (count, min(3, count))
    assert np.isfinite(found.theta).all()


def test_one_topic_holds_everything() -> None:
    assert (fitted(topics=1).theta == 1).all()


def test_identical_texts_share_one_mixture() -> None:
    world = themed(8)
    rows = np.zeros(8, np.int64)
    found = fit("combined", world.vectors[rows], world.bag.rows(rows), FitSettings(3), encoder="fp")
    assert (found.theta == found.theta[0]).all()


def test_a_saved_model_answers_the_same(tmp_path: Path) -> None:
    world, found = themed(), fitted()
    found.model.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "weights.safetensors"]
    loaded = kinds.load(tmp_path)
    assert loaded.infer(world.vectors, world.bag.counts, encoder="fp").tobytes() == found.theta.tobytes()
    assert (loaded.kind, loaded.topics, loaded.vocabulary) == ("combined", 4, world.bag.vocabulary)


def test_vectors_of_another_encoder_are_refused() -> None:
    world = themed()
    with pytest.raises(IndexMismatch, match="belongs to encoder fp, but was asked with encoder other"):
        fitted().model.infer(world.vectors, world.bag.counts, encoder="other")


def test_widths_that_are_not_the_models_are_refused() -> None:
    world = themed()
    with pytest.raises(ValueError, match="expected 16 dimensions"):
        fitted().model.infer(world.vectors[:, :5], world.bag.counts, encoder="fp")


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    fitted().model.save(tmp_path)
    (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(BadWeights, match=str(tmp_path)):
        kinds.load(tmp_path)


def test_progress_may_stop_a_fit() -> None:
    seen: list[tuple[str, int, int]] = []

    def progress(stage: str, done: int, total: int) -> None:
        seen.append((stage, done, total))
        if done == 3:
            raise KeyboardInterrupt

    world = themed()
    with pytest.raises(KeyboardInterrupt):
        fit("combined", world.vectors, world.bag, FitSettings(4), encoder="fp", progress=progress)
    assert seen == [("training", 1, 10), ("training", 2, 10), ("training", 3, 10)]


def test_validation_stops_early_and_keeps_the_best() -> None:
    found = fitted(count=300, epochs=60, validation=0.2, patience=2, learning_rate=0.1)
    assert 2 < found.epochs < 60
    assert purity(themed(300).labels, found.theta.argmax(axis=1)) >= 0.7


def test_the_published_settings_learn_from_random_weights() -> None:
    settings = NetworkSettings.published()
    assert (settings.start, settings.batch, settings.epochs, settings.samples) == ("random", 64, 100, 20)
    found = fitted(start="random", gain=1.0, one_cycle=False, samples=20, epochs=60, batch=16, learning_rate=0.01)
    assert purity(themed().labels, found.theta.argmax(axis=1)) >= 0.7


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(Invalid, match="no option epoch; there is: batch"):
        network_settings({"epoch": 3})


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("epochs", "three", "option epochs is a int; 'three' was given"),
        ("epochs", True, "option epochs is a int; True was given"),
        ("learn_prior", 1, "option learn_prior is a bool; 1 was given"),
        ("batch", 0, "option batch lies between 2 and 1048576; 0 was given"),
        ("start", "grid", "option start is one of k-means, random; 'grid' was given"),
    ],
)
def test_a_value_that_cannot_be_is_refused(option: str, value: object, why: str) -> None:
    with pytest.raises(Invalid, match=re.escape(why)):
        network_settings({option: value})


class Sparse(csr_matrix):  # type: ignore[misc]
    """Counts that cannot be laid out in full."""

    def toarray(self, *_: object, **__: object) -> Any:
        raise AssertionError("texts × words were laid out")

    todense = toarray


@KINDS
def test_counts_are_never_laid_out_in_full_and_ten_thousand_words_train(kind: str) -> None:
    world, rng = themed(40), np.random.default_rng(0)
    width = 10_000
    rare = rng.integers(len(world.bag.vocabulary), width, size=(40, 5))
    counts = world.bag.counts.tolil()
    counts.resize((40, width))
    for row, words in enumerate(rare):
        counts[row, words] = 1
    vocabulary = (*world.bag.vocabulary, *(f"rare{number}" for number in range(width - len(world.bag.vocabulary))))
    bag = replace(world.bag, vocabulary=vocabulary, counts=Sparse(counts.tocsr().astype(np.float32)))
    found = fit(kind, world.vectors, bag, FitSettings(4, 0, {"epochs": 15, "batch": 8}), encoder="fp")
    assert found.model.beta().shape == (4, width)
    assert purity(world.labels, found.theta.argmax(axis=1)) >= 0.95


@pytest.mark.parametrize("options", [{"epochs": 6}, {"epochs": 40, "validation": 0.2, "patience": 2}])
def test_a_fit_that_is_interrupted_goes_on_to_the_same_result_bit_for_bit(
    tmp_path: Path, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Checkpoint, "is_due", lambda _: True)
    world = themed(240)
    settings = FitSettings(4, 3, options, checkpoint=tmp_path / "training.safetensors")
    seen: list[int] = []

    def stop(_: str, done: int, total: int) -> None:
        seen.append(done)
        if len(seen) in (2, 3):
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            fit("combined", world.vectors, world.bag, settings, encoder="fp", progress=stop)
    resumed = fit("combined", world.vectors, world.bag, settings, encoder="fp", progress=stop)
    whole = fit("combined", world.vectors, world.bag, FitSettings(4, 3, options), encoder="fp")

    assert seen == list(range(1, whole.epochs + 1))
    assert resumed.theta.tobytes() == whole.theta.tobytes()
    assert resumed.model.beta().tobytes() == whole.model.beta().tobytes()
    assert not settings.checkpoint.exists()  # type: ignore[union-attr]


@pytest.mark.parametrize("other", ["seed", "damage"])
def test_the_checkpoint_of_another_run_and_a_damaged_one_are_passed_over(
    tmp_path: Path, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Checkpoint, "is_due", lambda _: True)
    world, path = themed(), tmp_path / "training.safetensors"

    def stop(_: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed = 1 if other == "seed" else 0
        settings = FitSettings(4, seed, {"epochs": 3}, checkpoint=path)
        fit("zeroshot", world.vectors, world.bag, settings, encoder="fp", progress=stop)
    if other == "damage":
        path.write_bytes(path.read_bytes()[:-100])
    seen: list[int] = []
    found = fit(
        "zeroshot", world.vectors, world.bag, FitSettings(4, 0, {"epochs": 3}, checkpoint=path), encoder="fp",
        progress=lambda _, done, total: seen.append(done),
    )  # fmt: skip
    assert seen == [1, 2, 3]
    assert found.theta.tobytes() == fitted("zeroshot", epochs=3).theta.tobytes()


def test_classes_are_learned_beside_the_words_and_kept_with_the_model(tmp_path: Path) -> None:
    world = themed()
    known = np.where(np.arange(len(world.labels)) % 8 < 4, world.labels, -1)  # half of them
    names = ("water", "bread", "music", "sky")
    options = {"epochs": 40, "batch": 16, "learning_rate": 0.02}
    settings = FitSettings(4, 0, options, classes=Classes(names, known))
    found = fit("combined", world.vectors, world.bag, settings, encoder="fp")
    found.model.save(tmp_path)
    loaded = load(tmp_path)
    chances = loaded.class_probabilities(found.theta)
    assert loaded.classes == names
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    assert (chances.argmax(axis=1) == world.labels).mean() >= 0.95


def test_the_weight_of_kl_draws_mixtures_to_the_prior() -> None:
    light, heavy = (fitted(kl_weight=weight, start="random", epochs=30) for weight in (0.1, 20.0))
    assert heavy.theta.max(axis=1).mean() < light.theta.max(axis=1).mean()


def test_training_starts_at_the_centres_that_are_given() -> None:
    world = themed()
    centres = np.stack([world.vectors[world.labels == k].mean(axis=0) for k in (2, 0, 3, 1)])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    settings = FitSettings(4, guidance=Guidance(start_centres=centres))
    found = fit("combined", world.vectors, world.bag, settings, encoder="fp")
    assert (np.array([2, 0, 3, 1])[found.theta.argmax(axis=1)] == world.labels).mean() >= 0.95
