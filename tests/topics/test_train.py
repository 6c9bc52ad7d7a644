from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from riparian.errors import BadWeights, IndexMismatch, Invalid
from tests.topics.themes import purity, themed
from topics import kinds
from topics.base import Fit, FitSettings
from topics.train import NetworkSettings, fit, network_settings

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
