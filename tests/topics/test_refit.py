"""Refits of a real, small archive: who keeps what, what is proposed, applied, taken back."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from riparian import jobs
from riparian.catalog.engine import Database, connect
from riparian.catalog.models import DocumentTopicRow, PassageTopicRow, TopicRow
from riparian.encoders.pool import EncoderPool
from riparian.errors import Conflict, Invalid
from riparian.types import JobState, PassageId, Topic, TopicId
from tests.topics.conftest import World, library, open_world
from topics.asked import Asked, AskedAgain
from topics.curation.requests import Hide, Merge, Move, Note, Pin, Rename, Seed, Split
from topics.queueing import FIT, queue_fit
from topics.refit.service import NoProposal

ROOT = Path(__file__).parents[2]
KIND = "kmeans"
"""The quickest kind; what people settled holds for every kind."""


@pytest.fixture(scope="module")
def once(sqlite_template: Path, encoders: EncoderPool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The library with four topics of the quickest kind, to be copied."""
    folder = tmp_path_factory.mktemp("clustered")
    shutil.copy(sqlite_template, folder / "catalog.sqlite")
    engine = connect(f"sqlite:///{folder / 'catalog.sqlite'}")
    world = open_world(Database(engine), folder, encoders, folder / "files")
    world.archive.write(library())
    world.archive.add()
    world.topics.fit(world.id, topics=4, kind=KIND)
    yield world
    engine.dispose()


@pytest.fixture
def clustered(once: World, encoders: EncoderPool, tmp_path: Path) -> Iterator[World]:
    """The library with four topics of the quickest kind."""
    data_dir = shutil.copytree(once.archive.data_dir, tmp_path / "copy")
    shutil.rmtree(data_dir / "files")
    engine = connect(f"sqlite:///{data_dir / 'catalog.sqlite'}")
    yield open_world(Database(engine), data_dir, encoders, tmp_path / "files")
    engine.dispose()


def tables(world: World) -> dict[str, list[str]]:
    """What pages read, to the last bit, of topics that are shown."""
    with world.database.read() as catalog:
        model = catalog.topics.active_model(world.id)
        topics = select(TopicRow).where(TopicRow.model_id == model.id, TopicRow.state == "active")
        ids = [row.id for row in catalog.session.scalars(topics)]
        found = {"model": [repr(model)], "topics": [repr(topic) for topic in catalog.topics.of_model(model.id)]}
        for table in (PassageTopicRow, DocumentTopicRow):
            rows = catalog.session.execute(select(*table.__table__.columns).where(table.topic_id.in_(ids)))
            found[table.__tablename__] = sorted(repr(tuple(row)) for row in rows)
        return found


def main_of(world: World, passages: list[PassageId]) -> dict[PassageId, TopicId]:
    with world.database.read() as catalog:
        return catalog.topics.main_of(world.id, passages)


def members(world: World, topic: TopicId) -> list[PassageId]:
    with world.database.read() as catalog:
        return list(catalog.curation.members([topic]))


def by_id(world: World) -> dict[TopicId, Topic]:
    return {topic.id: topic for topic in world.topics.topics(world.id)}


def test_pinned_passages_keep_topic_and_label_whatever_the_refit_finds(clustered: World) -> None:
    first, second, third, fourth = sorted(by_id(clustered))
    strayed = members(clustered, first)[:3]
    clustered.curation.edit(clustered.id, Move(tuple(strayed), second))  # against what any model says
    clustered.curation.edit(clustered.id, Pin(passages=tuple(strayed)))
    clustered.curation.edit(clustered.id, Pin(third))
    locked = members(clustered, third)
    clustered.curation.edit(clustered.id, Rename(fourth, "Mine"))
    labels = {key: topic.label for key, topic in by_id(clustered).items()}
    for topics, seed in ((4, 1), (7, 2)):
        report = clustered.refits.refit(clustered.id, AskedAgain(topics=topics, seed=seed)).report
        assert (report.settled, report.settled_kept) == (len(strayed) + len(locked), 1.0)
        clustered.refits.apply(clustered.id)
        assert main_of(clustered, strayed) == dict.fromkeys(strayed, second)
        assert main_of(clustered, locked) == dict.fromkeys(locked, third)
        after = by_id(clustered)
        assert {key: after[key].label for key in (second, third, fourth)} == {
            key: labels[key] for key in (second, third, fourth)
        }
        assert after[third].pinned
    assert clustered.archive.service.check() == []


def test_a_pinned_topic_that_no_fit_finds_again_holds_its_passages(clustered: World) -> None:
    topics = sorted(by_id(clustered))
    odd = [members(clustered, topic)[0] for topic in topics]
    clustered.curation.edit(clustered.id, Move(tuple(odd), "A bit of everything"))
    [made] = set(by_id(clustered)) - set(topics)
    clustered.curation.edit(clustered.id, Pin(made))
    clustered.refits.refit(clustered.id)
    clustered.refits.apply(clustered.id)
    assert set(members(clustered, made)) >= set(odd)
    assert clustered.topics.show(made).label == "A bit of everything"


def test_a_refit_keeps_ids_notes_places_and_merges(clustered: World) -> None:
    first, second, third, _ = sorted(by_id(clustered))
    clustered.curation.edit(clustered.id, Merge((first,), second))
    clustered.curation.edit(clustered.id, Note(third, "look again"))
    clustered.curation.edit(clustered.id, Hide(third))
    with clustered.database.write() as catalog:
        row = catalog.session.get_one(TopicRow, third)
        row.map_x, row.map_y, row.colour = 0.25, -0.5, "teal"
    both = members(clustered, second)
    clustered.refits.refit(clustered.id, AskedAgain(topics=4))  # the fit may find the two apart again
    clustered.refits.apply(clustered.id)
    found = by_id(clustered)
    assert (found[third].note, found[third].hidden) == ("look again", True)
    assert (found[third].place, found[third].colour) == ((0.25, -0.5), "teal")
    kept = [topic == second for topic in main_of(clustered, both).values()]
    assert sum(kept) / len(kept) >= 0.9
    with clustered.database.read() as catalog:
        assert catalog.topics.successor(first) == second


def test_nothing_is_shown_before_it_is_applied_and_a_rollback_shows_the_old_to_the_last_bit(clustered: World) -> None:
    first, second, *_ = sorted(by_id(clustered))
    clustered.curation.edit(clustered.id, Split(first, 2))
    clustered.curation.edit(clustered.id, Rename(second, "Second"))
    before = tables(clustered)
    clustered.refits.refit(clustered.id, AskedAgain(topics=6))
    assert tables(clustered) == before
    clustered.refits.apply(clustered.id)
    applied = tables(clustered)
    assert applied != before
    clustered.refits.rollback(clustered.id)
    assert tables(clustered) | {"model": []} == before | {"model": []}
    clustered.curation.undo(clustered.id)  # its edits are there again
    assert clustered.topics.show(second).label != "Second"
    clustered.curation.redo(clustered.id)
    clustered.refits.apply(clustered.id)  # the refit had become a proposal again
    assert tables(clustered) == applied
    assert clustered.archive.service.check() == []


def test_an_edit_after_the_refit_began_is_in_the_way_of_applying_it(clustered: World) -> None:
    clustered.refits.refit(clustered.id)
    assert not clustered.refits.proposal(clustered.id).stale
    clustered.curation.edit(clustered.id, Rename(sorted(by_id(clustered))[0], "Later"))
    assert clustered.refits.proposal(clustered.id).stale
    with pytest.raises(Conflict, match="make it again"):
        clustered.refits.apply(clustered.id)
    clustered.refits.discard(clustered.id)
    with pytest.raises(NoProposal, match="riparian topics refit"):
        clustered.refits.proposal(clustered.id)
    assert clustered.folders() == [clustered.active_folder()]
    with pytest.raises(Conflict, match="no refit was applied"):
        clustered.refits.rollback(clustered.id)


def test_passages_that_came_after_the_refit_have_topics_once_it_is_applied(clustered: World) -> None:
    clustered.refits.refit(clustered.id)
    clustered.archive.write(library(seed=1))
    clustered.archive.add()
    clustered.run_waiting()
    clustered.refits.apply(clustered.id)
    with clustered.database.read() as catalog:
        passages = catalog.passages.ids(clustered.id).tolist()
    assert len(main_of(clustered, passages)) == clustered.collection.passages > len(passages) / 2
    clustered.refits.rollback(clustered.id)
    assert len(main_of(clustered, passages)) == clustered.collection.passages


def test_a_topic_that_was_wished_for_is_looked_for(clustered: World) -> None:
    clustered.curation.edit(clustered.id, Seed(("river", "flood"), label="Water"))
    report = clustered.refits.refit(clustered.id, AskedAgain(kind="joint")).report
    assert len(report.kept) + len(report.new) == 5
    assert report.notes == ()
    assert (
        clustered.refits.refit(clustered.id, AskedAgain(kind="nmf"))
        .report.notes[0]
        .startswith("a fit of kind nmf knows nothing")
    )


def test_a_refit_keeps_every_option_of_the_fit_through_its_job_and_a_repair(clustered: World) -> None:
    clustered.topics.fit(clustered.id, topics=3, kind="kmeans", seed=5, options={"sharpness": 9.0}, words=40)
    asked = Asked("kmeans", 3, 5, {"sharpness": 9.0}, None, 40)
    (clustered.active_folder() / "model.json").write_bytes(b"short")
    clustered.refits.mend(clustered.id)
    assert Asked.of_model(clustered.topics.model(clustered.id)) == asked
    clustered.curation.edit(clustered.id, Rename(sorted(by_id(clustered))[0], "Mine"))
    job = clustered.refits.queue(clustered.id)
    assert clustered.refits.queue(clustered.id) == job
    done = jobs.run_one(clustered.database, clustered.refits.handlers)
    assert done is not None
    assert done.result["topics"] == 3
    assert Asked.of_model(clustered.refits.proposal(clustered.id).model) == asked
    with pytest.raises(Invalid, match="cannot learn labels"):
        clustered.refits.queue(clustered.id, AskedAgain(labels="meta.theme"))


def test_finding_topics_that_people_changed_is_a_refit_unless_it_starts_afresh(clustered: World) -> None:
    with clustered.database.write() as catalog:
        early = queue_fit(catalog, clustered.id, topics=3, kind=KIND)
    clustered.curation.edit(clustered.id, Rename(sorted(by_id(clustered))[0], "Mine"))
    before = tables(clustered)
    # one that was queued before anybody changed anything does not overrun it either
    done = clustered.run_waiting(FIT)
    assert done is not None
    assert done.id == early
    with clustered.database.write() as catalog:
        again = queue_fit(catalog, clustered.id, topics=3, kind=KIND, seed=0)
    assert done.result["job"] == again
    assert tables(clustered) == before
    with pytest.raises(Conflict, match="people changed the topics meanwhile"):
        clustered.topics.fit(clustered.id, topics=3, kind=KIND, afresh=False)
    ended = jobs.run_one(clustered.database, clustered.refits.handlers)
    assert ended is not None
    assert clustered.refits.proposal(clustered.id).report.notes[0].startswith("3 topics were asked for, and the 4")

    with clustered.database.write() as catalog:
        queue_fit(catalog, clustered.id, topics=3, kind=KIND, afresh=True)
    assert clustered.run_waiting(FIT) is not None
    assert len(by_id(clustered)) == 3
    assert not any(topic.named for topic in by_id(clustered).values())


@pytest.mark.parametrize(
    "failpoint",
    ["refit.applying", *(pytest.param(name, marks=pytest.mark.slow) for name in ("refit.published", "refit.applied"))],
)
def test_killed_on_the_way_the_old_topics_or_the_new_are_whole(clustered: World, failpoint: str) -> None:
    clustered.curation.edit(clustered.id, Rename(sorted(by_id(clustered))[0], "Mine"))
    if failpoint != "refit.published":
        clustered.refits.refit(clustered.id, AskedAgain(topics=6))
    before = tables(clustered)
    command = [sys.executable, "-m", "tests.topics.killed", str(clustered.archive.data_dir), failpoint]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 137, done.stderr
    if failpoint == "refit.applied":
        assert len(by_id(clustered)) == 6
        assert clustered.refits.rollback(clustered.id).topics == 4
    else:
        assert tables(clustered) == before
    assert clustered.archive.service.check() == []


def test_another_encoder_refits_topics_that_people_changed_and_leaves_the_choice_to_them(clustered: World) -> None:
    topic = sorted(by_id(clustered))[0]
    clustered.curation.edit(clustered.id, Rename(topic, "Mine"))
    clustered.curation.edit(clustered.id, Pin(topic))
    held = members(clustered, topic)
    before = tables(clustered)
    clustered.archive.run(clustered.archive.service.reindex("c", "hashing:96"))
    assert clustered.run_waiting(FIT) is None
    done = jobs.run_one(clustered.database, clustered.refits.handlers)
    assert done is not None
    assert done.state is JobState.DONE
    assert tables(clustered) == before
    clustered.refits.apply(clustered.id)
    assert clustered.topics.model(clustered.id).encoder_id == clustered.archive.encoder.id
    assert main_of(clustered, held) == dict.fromkeys(held, topic)
    assert clustered.topics.show(topic).label == "Mine"
    with pytest.raises(Conflict, match="another encoder"):
        clustered.refits.rollback(clustered.id)


def test_a_damaged_model_is_made_good_without_losing_what_people_changed(clustered: World) -> None:
    topic = sorted(by_id(clustered))[0]
    clustered.curation.edit(clustered.id, Rename(topic, "Mine"))
    clustered.curation.edit(clustered.id, Pin(topic))
    held = members(clustered, topic)
    (clustered.active_folder() / "model.json").write_bytes(b"short")
    clustered.refits.mend(clustered.id)
    assert clustered.archive.service.check() == []
    assert main_of(clustered, held) == dict.fromkeys(held, topic)
    assert clustered.topics.show(topic).label == "Mine"
    assert clustered.folders() == [clustered.active_folder()]
