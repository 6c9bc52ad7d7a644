"""Analyses of a real, small archive: read from SQL, made by jobs, kept beside the model."""

from __future__ import annotations

import numpy as np
import pytest

from riparian import jobs
from riparian.jobs import Cancelled
from riparian.types import JobState
from tests.topics.conftest import World, library
from topics.analysis.service import QUALITY, AnalysisService


def analyses(world: World) -> AnalysisService:
    return AnalysisService(world.database, world.archive.vectors, world.settings)


def unwatched(stage: str, done: int, total: int) -> None:
    """Nobody looks."""


def test_the_mix_of_documents_is_the_mean_of_their_mixtures_on_both_databases(either: World) -> None:
    names = either.archive.documents()
    chosen = [names["long-3-0.txt"], names["short-1-0.txt"], names["short-5-0.txt"]]
    mix = analyses(either).mix(either.id, np.array(sorted(chosen), np.int64))
    expected: dict[int, float] = {}
    for document in chosen:
        for m in either.topics.of_document(document):  # type: ignore[arg-type]
            expected[m.topic_id] = expected.get(m.topic_id, 0) + m.weight / 3
    assert {part.topic_id: part.share for part in mix.parts} == pytest.approx(expected)
    assert (mix.documents, mix.without) == (3, 0)
    assert analyses(either).mix(either.id, np.array([10**9], np.int64)).without == 1
    with either.database.read() as catalog:
        model = catalog.topics.active_model(either.id)
        weights = catalog.topic_analyses.passages(model.id)
    assert weights.weights.sum() == pytest.approx(either.collection.passages)
    assert len(np.unique(weights.owners)) == either.collection.passages


def test_a_map_keeps_its_places_when_documents_come_and_at_a_refit(either: World) -> None:
    service = analyses(either)
    assert service.map(either.id) is None
    before = service.draw(either.id, unwatched, "pca")
    topics = either.topics.topics(either.id)
    drawn = service.map(either.id)
    assert drawn is not None
    assert {topic.id: topic.place for topic in topics} == {t: pytest.approx(place) for t, place in drawn.topics.items()}
    either.archive.write({"late.txt": "River flood dam water rain. Storm valley boat bridge gauge.\n"})
    either.archive.sync()
    after = service.draw(either.id, unwatched, "pca")
    both, old, new = np.intersect1d(before.passages, after.passages, return_indices=True)
    assert (len(both), len(after.passages)) == (len(before.passages), len(before.passages) + 1)
    np.testing.assert_array_equal(after.places[new], before.places[old])
    either.topics.fit(either.id, kind="kmeans", topics=3)
    again = service.map(either.id)
    assert again is not None
    np.testing.assert_array_equal(again.map.places, after.places)
    assert set(again.topics) == {topic.id for topic in either.topics.topics(either.id)}


def test_the_job_says_what_it_measured_and_keeps_nothing_when_it_is_stopped(fitted: World) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("refitting on parts", 2):
            raise Cancelled("stopped")

    service = analyses(fitted)
    with pytest.raises(Cancelled):
        service.measure(fitted.id, stop)
    assert service.quality(fitted.id) is None
    with fitted.database.write() as catalog:
        job = service.queue(catalog, fitted.id, QUALITY)
        assert service.queue(catalog, fitted.id, QUALITY) == job
    done = jobs.run_one(fitted.database, service.handlers, only=job)
    assert done is not None
    assert (done.state, done.result["topics"]) == (JobState.DONE, 4)
    report = service.quality(fitted.id)
    assert report is not None
    assert set(report.topics) == {topic.id for topic in fitted.topics.topics(fitted.id)}
    assert report.error == pytest.approx(done.result["calibration_error"], abs=1e-4)
    assert min(quality.stability for quality in report.topics.values()) > 0.8  # four themes of their own words
    assert min(quality.own_words for quality in report.topics.values()) > 0.5


def test_the_stretches_of_a_document_are_of_its_theme(seen: World) -> None:
    names = seen.archive.documents()
    themes = {topic.id: seen.theme_of(topic) for topic in seen.topics.topics(seen.id)}
    found = analyses(seen).stretches(names["long-2-0.txt"])  # type: ignore[arg-type]
    lengths = {s.span: s.span.end - s.span.start for s in found}
    right = sum(lengths[s.span] for s in found if themes[s.topic_id] == 2)
    assert right / sum(lengths.values()) > 0.9
    assert sum(lengths.values()) == len(library()["long-2-0.txt"])
