"""Topics of a collection that is given another encoder: bound to the vectors they were found in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from riparian import jobs
from riparian.catalog.engine import Database, connect
from riparian.encoders.pool import EncoderPool
from riparian.types import JobState, TopicModelInfo
from tests.topics.conftest import World, library, open_world
from tests.topics.test_service import mixtures_of
from topics.curation.requests import Rename
from topics.queueing import is_outdated
from topics.service import FIT, queue_fit

OTHER = "hashing:96"


@pytest.fixture
def copied(seen: World, encoders: EncoderPool, tmp_path: Path) -> Iterator[World]:
    """The library with four topics, copied: quicker than fitting them anew."""
    data_dir = shutil.copytree(seen.archive.data_dir, tmp_path / "copy")
    engine = connect(f"sqlite:///{data_dir / 'catalog.sqlite'}")
    yield open_world(Database(engine), data_dir, encoders, tmp_path / "files")
    engine.dispose()


def reindexed(world: World) -> None:
    world.archive.run(world.archive.service.reindex("c", OTHER))


def shown(world: World) -> TopicModelInfo:
    return world.topics.model(world.id)


def test_after_a_switch_topics_stay_until_they_are_found_anew_with_the_new_encoder(copied: World) -> None:
    _stay_and_are_found_anew(copied)


@pytest.mark.slow
def test_so_they_do_over_either_database(either: World) -> None:
    _stay_and_are_found_anew(either)


def _stay_and_are_found_anew(either: World) -> None:
    before, mixtures, first = shown(either), mixtures_of(either), either.archive.encoder
    reindexed(either)
    assert shown(either) == before
    assert mixtures_of(either) == mixtures
    text = "flood river bank"
    assert either.topics.infer(either.id, [text]) == either.anew().infer(either.id, [text])
    done = either.run_waiting(FIT)
    assert done is not None
    assert (done.state, done.payload["topics"]) == (JobState.DONE, 4)
    after = shown(either)
    assert after.encoder_id == either.archive.encoder.id != first.id
    assert (after.topics, after.kind, after.passages) == (before.topics, before.kind, before.passages)
    assert {either.theme_of(topic) for topic in either.topics.topics(either.id)} == {0, 1, 2, 3}
    assert either.archive.service.check() == []


def test_a_rollback_shows_the_topics_before_again_with_the_names_given_by_hand(copied: World) -> None:
    topic = copied.topics.topics(copied.id)[0]
    copied.curation.edit(copied.id, Rename(topic.id, "By hand"))
    before = shown(copied)
    reindexed(copied)
    copied.run_waiting(FIT)
    copied.archive.write({"later.txt": library(seed=1)["short-3-1.txt"]})
    copied.archive.add()
    copied.run_waiting()  # the new passages' topics, of the new encoder
    rollback = copied.archive.service.rollback("c")
    assert rollback.job is not None
    copied.archive.run(rollback.job)
    assert shown(copied).id == before.id
    assert copied.topics.show(topic.id).label == "By hand"
    assert copied.run_waiting(FIT) is None
    done = copied.run_waiting()
    assert done is not None
    assert len(mixtures_of(copied)) == copied.collection.passages > before.passages
    assert copied.archive.service.check() == []


def test_a_fit_that_a_rollback_made_needless_does_nothing(copied: World) -> None:
    before = shown(copied)
    reindexed(copied)
    copied.archive.service.rollback("c")
    done = copied.run_waiting(FIT)
    assert done is not None
    assert dict(done.result) == {"skipped": "the collection has another encoder by now"}
    assert shown(copied) == before


def test_switched_to_and_fro_the_new_encoders_topics_are_asked_for_once(copied: World) -> None:
    reindexed(copied)
    copied.archive.service.rollback("c")
    copied.archive.service.rollback("c")
    with copied.database.read() as catalog:
        queued = [job for job in jobs.listed(catalog) if job.kind == FIT]
    assert len(queued) == 1
    assert queued[0].payload["encoder"] == copied.archive.encoder.id


def test_a_fit_that_waits_already_will_do(copied: World) -> None:
    with copied.database.write() as catalog:
        queue_fit(catalog, copied.id, topics=3)
    reindexed(copied)
    with copied.database.read() as catalog:
        found = [job for job in jobs.listed(catalog) if job.kind == FIT]
        assert len(found) == 1
        assert not is_outdated(catalog, copied.id, found[0].payload)


def test_a_collection_without_topics_is_switched_without_any(library_world: World) -> None:
    reindexed(library_world)
    assert library_world.run_waiting(FIT) is None
    assert library_world.run_waiting() is None
