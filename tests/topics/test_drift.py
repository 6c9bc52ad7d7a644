"""Drift: told where it is, not told where there is none, and themes that the topics lack."""

from __future__ import annotations

import numpy as np
import pytest

from riparian.types import Matrix, TopicId
from tests.topics.conftest import World, library
from topics.curation.mixtures import base
from topics.mixtures import kept
from topics.refit import drift
from topics.refit.drift import Drift, Scene
from topics.refit.watching import DriftService

WIDTH = 16


def cloud(rng: np.random.Generator, centre: int, count: int) -> Matrix:
    """Vectors about one of the axes."""
    rows = 0.2 * rng.standard_normal((count, WIDTH)) + np.eye(WIDTH)[centre]
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def measured(rng: np.random.Generator, fitted: int, came: list[tuple[int, int]]) -> tuple[Drift, list[set[int]]]:
    """Four topics on four axes, `fitted` documents of two passages each; `came` are (axis, documents) since. With the
    rows of every theme."""
    axes = [*rng.integers(0, 4, fitted).tolist(), *(axis for axis, count in came for _ in range(count))]
    vectors = np.concatenate([cloud(rng, axis, 2) for axis in axes])
    passages = np.arange(1, len(vectors) + 1)
    weights = np.exp(8 * vectors[:, :4])
    theta = kept((weights / weights.sum(axis=1, keepdims=True)).astype(np.float32))
    mixed = base(passages, theta, {k: TopicId(k + 1) for k in range(4)})
    found = drift.measure(Scene(passages, (passages + 1) // 2, vectors, mixed, [1, 2, 3, 4], passages > 2 * fitted))
    numbers = set(found.grouped.tolist()) - {-1}
    return found.drift, [set(np.flatnonzero(found.grouped == number).tolist()) for number in sorted(numbers)]


def test_documents_like_those_of_the_fit_have_not_drifted_more_often_than_chance_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drift, "DEALS", 99)
    rng = np.random.default_rng(0)
    found = [measured(rng, 60, [(axis, 1) for axis in rng.integers(0, 4, 30).tolist()]) for _ in range(150)]
    # under no drift the probabilities are spread evenly: neither too often small, nor too seldom
    chances = np.array([one.chance for one, _ in found])
    for level in (0.05, 0.5):
        assert np.mean(chances <= level) == pytest.approx(level, abs=0.08)
    assert sum(len(themes) for _, themes in found) == 0
    assert np.mean([one.farther for one, _ in found]) == pytest.approx(0.5, abs=0.02)


def test_documents_about_something_else_have_drifted_and_are_a_theme_each() -> None:
    found, themes = measured(np.random.default_rng(1), 80, [(0, 20), (9, 10), (12, 10)])
    assert found.drifted
    assert found.chance == 0.001
    assert (found.documents, found.passages) == (40, 80)
    assert found.company > found.company_by_chance + 0.2
    assert found.farther > 0.6
    assert found.distance > found.distance_at_fit
    assert found.doubtful > found.doubtful_at_fit
    assert len(themes) == 2
    for theme, rows in zip(themes, ({*range(200, 220)}, {*range(220, 240)}), strict=True):
        assert theme <= rows
        assert len(theme) >= 15


def test_more_documents_of_a_topic_that_is_there_drift_but_are_no_theme_that_it_lacks() -> None:
    found, themes = measured(np.random.default_rng(2), 80, [(0, 40)])
    assert found.drifted
    assert themes == []


def test_nothing_came_nothing_drifted() -> None:
    found, themes = measured(np.random.default_rng(2), 20, [])
    assert (found.passages, found.drifted, found.chance, found.farther, themes) == (0, False, 1.0, 0.5, [])


OTHER = tuple("volcano lava crater eruption ash magma basalt geyser vent caldera fissure pumice".split())


def test_a_theme_that_came_later_is_found_named_and_wished_for(library_world: World) -> None:
    world = library_world
    world.topics.fit(world.id, topics=4, kind="kmeans")
    service = DriftService(world.database, world.curation)
    assert service.drift(world.id).passages == 0
    rng = np.random.default_rng(5)
    world.archive.write({f"later-{i}.txt": " ".join(rng.choice(OTHER, 40)) + "." for i in range(12)})
    world.archive.write({name.replace("short", "more"): text for name, text in library(seed=4).items()})
    world.archive.sync()
    world.run_waiting()
    found = service.drift(world.id)
    assert found.documents == 12 + len(library(seed=4))
    theme = found.themes[0]
    assert {term.term for term in theme.words[:5]} <= set(OTHER)
    with world.database.read() as catalog:
        texts = [passage.text for passage in catalog.passages.many(theme.passages).values()]
    assert texts
    assert all(set(OTHER) & set(text.strip(".").split()) for text in texts)
    assert service.drift(world.id) is found  # nothing came meanwhile
