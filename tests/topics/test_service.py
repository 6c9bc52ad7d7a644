"""Topics of a real, small archive: what is stored, what is shown, what comes later, what goes wrong."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from riparian import jobs, manifests
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.models import DocumentTopicRow, PassageRow, PassageTopicRow, TopicModelRow, TopicRow
from riparian.encoders.base import Encoder
from riparian.errors import BadQuery, DamagedIndex, IndexMismatch, Invalid, NotIndexedYet, NoTopicsYet, UnknownTopic
from riparian.types import CollectionId, Ids, JobId, JobState, Matrix, Membership
from tests.topics.conftest import World, library, sentences
from tests.topics.themes import THEMES
from topics.service import FIT, queue_assign, queue_fit


def scalar(world: World, query: Any) -> Any:
    with world.database.read() as catalog:
        return catalog.session.scalar(query)


def mixtures_of(world: World) -> dict[int, list[Membership]]:
    """The active model's mixture of every passage, by passage id."""
    with world.database.read() as catalog:
        model = catalog.topics.active_model(world.id)
        ids = catalog.passages.ids(world.id).tolist()
        return {int(p): found for p, found in catalog.topics.of_passages(model.id, ids).items()}


# ------------------------------------------------------------------------------ what a fit stores


def test_a_fit_stores_files_topics_and_mixtures_together(either: World) -> None:
    info = either.topics.model(either.id)
    assert (info.kind, info.topics, info.active, info.passages) == ("joint", 4, True, either.collection.passages)
    manifests.verify(either.active_folder())
    assert sorted(p.name for p in either.active_folder().iterdir()) == [
        "counts.safetensors",
        "manifest.json",
        "model.json",
        "weights.safetensors",
    ]
    assert {either.theme_of(topic) for topic in either.topics.topics(either.id)} == {0, 1, 2, 3}
    assert len(mixtures_of(either)) == either.collection.passages > either.collection.documents
    _mixtures_shares_and_counts_are_what_sql_says(either)
    _a_document_is_the_mean_of_its_passages_by_their_lengths(either)


def _mixtures_shares_and_counts_are_what_sql_says(either: World) -> None:
    topics = either.topics.topics(either.id)
    found = mixtures_of(either)
    assert all(sum(m.weight for m in mixture) == pytest.approx(1, abs=1e-9) for mixture in found.values())
    assert sum(topic.share for topic in topics) == pytest.approx(1, abs=1e-9)
    for topic in topics:
        weight = sum(m.weight for mixture in found.values() for m in mixture if m.topic_id == topic.id)
        assert topic.share == pytest.approx(weight / len(found), abs=1e-9)
        mine = PassageTopicRow.topic_id == topic.id
        assert topic.passages == scalar(either, select(func.count()).where(mine, PassageTopicRow.top))
        assert topic.passages == len(either.topics.passages_of(topic.id, limit=1000))
        assert topic.documents == len(either.topics.documents_of(topic.id, limit=1000))
    assert sum(topic.passages for topic in topics) == len(found)


def _a_document_is_the_mean_of_its_passages_by_their_lengths(either: World) -> None:
    found = mixtures_of(either)
    documents = either.archive.documents()
    for name in ("long-3-0.txt", "long-2-0.txt", "short-1-0.txt"):
        with either.database.read() as catalog:
            rows = catalog.session.execute(
                select(PassageRow.id, PassageRow.end - PassageRow.start).where(
                    PassageRow.document_id == documents[name]
                )
            ).all()
        assert (len(rows) > 1) == name.startswith("long")
        total = sum(length for _, length in rows)
        expected: dict[int, float] = {}
        for passage, length in rows:
            for m in found[passage]:
                expected[m.topic_id] = expected.get(m.topic_id, 0) + m.weight * length / total
        shown = either.topics.of_document(documents[name])  # type: ignore[arg-type]
        assert {m.topic_id: m.weight for m in shown} == pytest.approx(expected, abs=1e-9)
        assert [m.weight for m in shown] == sorted(expected.values(), reverse=True)


def test_documents_lie_in_the_topic_of_their_theme(seen: World) -> None:
    themes = {topic.id: seen.theme_of(topic) for topic in seen.topics.topics(seen.id)}
    right = [
        themes[seen.topics.of_document(document)[0].topic_id] == int(name.split("-")[1]) % 4  # type: ignore[arg-type]
        for name, document in seen.archive.documents().items()
    ]
    assert np.mean(right) >= 0.95


def test_representatives_belong_to_their_topic(seen: World) -> None:
    found = mixtures_of(seen)
    for topic in seen.topics.topics(seen.id):
        shown = seen.topics.representatives(topic.id)
        assert len(shown) == 5
        assert [passage.id for passage in shown] == list(topic.representatives)
        assert all(found[passage.id][0].topic_id == topic.id for passage in shown)


def test_two_fits_with_one_seed_are_equal_bit_for_bit(fitted: World) -> None:
    first, found = fitted.active_folder(), fitted.topics.topics(fitted.id)
    before = [[round(m.weight, 15) for m in mixture] for mixture in mixtures_of(fitted).values()]
    fitted.anew().fit(fitted.id, topics=4)
    second, again = fitted.active_folder(), fitted.topics.topics(fitted.id)
    assert first != second
    for name in ("weights.safetensors", "model.json", "manifest.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    shown = [[(t.label, t.terms, t.share, t.coherence, t.representatives) for t in topics] for topics in (found, again)]
    assert shown[0] == shown[1]
    assert before == [[round(m.weight, 15) for m in mixture] for mixture in mixtures_of(fitted).values()]


def test_a_number_of_topics_is_proposed_where_none_is_given(library_world: World) -> None:
    info = library_world.topics.fit(library_world.id)
    assert 2 <= info.topics <= library_world.collection.passages // 5
    assert info.settings["topics_asked"] is None
    assert info.settings["topics"] == info.topics == 8  # one for five passages would be 14: nothing to choose


# ------------------------------------------------------------------------------ new texts and passages


def test_a_new_text_has_the_topic_of_its_theme(seen: World) -> None:
    rng = np.random.default_rng(8)
    texts = [sentences(theme, 4, rng) for theme in range(4)]
    themes = {topic.id: seen.theme_of(topic) for topic in seen.topics.topics(seen.id)}
    mixtures = seen.topics.infer(seen.id, texts)
    assert [themes[mixture[0].topic_id] for mixture in mixtures] == [0, 1, 2, 3]
    assert [sum(m.weight for m in mixture) for mixture in mixtures] == pytest.approx([1] * 4)
    assert seen.topics.infer(seen.id, texts[:1]) == mixtures[:1]  # texts do not influence each other


def test_passages_that_came_later_get_topics_without_a_refit(either: World) -> None:
    model, before = either.topics.model(either.id), mixtures_of(either)
    either.archive.write(library(seed=1))
    either.archive.sync()
    assert len(mixtures_of(either)) == len(before) < either.collection.passages
    job = either.run_waiting()
    assert job is not None
    assert job.result == {"passages": either.collection.passages - len(before)}
    after = mixtures_of(either)
    assert len(after) == either.collection.passages
    assert {passage: after[passage] for passage in before} == before
    assert either.topics.model(either.id).id == model.id
    assert scalar(either, select(func.count(DocumentTopicRow.document_id.distinct()))) == either.collection.documents
    assert sum(topic.share for topic in either.topics.topics(either.id)) == pytest.approx(1)
    assert either.topics.assign_new(either.id) == 0


def test_a_removed_document_leaves_counts_and_representatives(fitted: World) -> None:
    topic = fitted.topics.topics(fitted.id)[0]
    shown = fitted.topics.representatives(topic.id)[0]
    name = next(n for n, number in fitted.archive.documents().items() if number == shown.document_id)
    (fitted.archive.folder / name).unlink()
    fitted.archive.sync()
    assert shown.id not in [passage.id for passage in fitted.topics.representatives(topic.id)]
    after = fitted.topics.show(topic.id)
    assert after.passages == len(fitted.topics.passages_of(topic.id, limit=1000)) < topic.passages


def test_nothing_is_queued_for_a_collection_without_topics(library_world: World) -> None:
    with library_world.database.write() as catalog:
        queue_assign(catalog, library_world.id)
    assert library_world.run_waiting() is None
    assert library_world.topics.assign_new(library_world.id) == 0


# ------------------------------------------------------------------------------ models come and go


def test_the_model_before_is_kept_and_older_ones_go(fitted: World) -> None:
    for seed in (1, 2, 3):
        fitted.topics.fit(fitted.id, topics=4, seed=seed)
    with fitted.database.read() as catalog:
        models = catalog.topics.models(fitted.id)
        folders = {fitted.archive.data_dir / catalog.topics.folder(model.id) for model in models}
    assert [(model.active, model.settings["seed"]) for model in models] == [(True, 3), (False, 2)]
    assert set(fitted.folders()) == folders
    assert scalar(fitted, select(func.count(TopicRow.id))) == 8
    assert scalar(fitted, select(func.count(TopicModelRow.id))) == 2


def test_a_fit_that_is_stopped_leaves_everything_as_it_was(fitted: World) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("weighing words", 2):
            raise jobs.Cancelled("stopped")

    before = (fitted.topics.model(fitted.id), fitted.topics.topics(fitted.id), fitted.folders())
    with pytest.raises(jobs.Cancelled):
        fitted.topics.fit(fitted.id, topics=3, progress=stop)
    assert (fitted.topics.model(fitted.id), fitted.topics.topics(fitted.id), fitted.folders()) == before


class CancelsWhenAsked:
    """The vectors of a store; asking for them cancels a job."""

    def __init__(self, world: World, job: JobId) -> None:
        self.world, self.job = world, job

    def vectors(self, collection_id: CollectionId, encoder: StoredEncoder) -> tuple[Ids, Matrix]:
        with self.world.database.write() as catalog:
            jobs.cancel(catalog, self.job)
        return self.world.archive.vectors.vectors(collection_id, encoder)


def test_a_cancelled_job_leaves_the_old_model_active(either: World) -> None:
    before = either.topics.model(either.id)
    with either.database.write() as catalog:
        job = queue_fit(catalog, either.id, topics=3)
    service = either.anew(vectors=CancelsWhenAsked(either, job))
    done = jobs.run_one(either.database, service.handlers, only=job)
    assert done is not None
    assert done.state is JobState.CANCELLED
    assert either.topics.model(either.id) == before
    assert len(either.folders()) == 1


def test_a_queued_fit_says_what_it_found(fitted: World) -> None:
    with fitted.database.write() as catalog:
        queue_fit(catalog, fitted.id, kind="zeroshot", topics=4, seed=5)
    job = fitted.run_waiting(FIT)
    info = fitted.topics.model(fitted.id)
    assert job is not None
    assert job.result == {"model": info.id, "topics": 4, "scores": info.scores}
    assert (info.kind, info.settings["seed"], info.encoder_id) == ("zeroshot", 5, fitted.archive.encoder.id)
    assert {"npmi", "c_v", "diversity"} <= info.scores.keys()


def test_two_threads_may_look_and_infer_at_once(seen: World) -> None:
    service, text = seen.anew(), sentences(1, 4, np.random.default_rng(3))
    expected = seen.topics.infer(seen.id, [text])
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(service.infer(seen.id, [text]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


# ------------------------------------------------------------------------------ what is refused


class Another:
    """A pool that gives another encoder than the one asked for."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def of(self, stored: StoredEncoder) -> Encoder:
        return self.encoder


def test_vectors_of_another_encoder_are_refused_and_both_named(seen: World) -> None:
    other = seen.encoders.load("hashing:32")
    with pytest.raises(IndexMismatch) as error:
        seen.anew(encoders=Another(other)).infer(seen.id, ["a text"])
    assert seen.archive.encoder.fingerprint in str(error.value)
    assert other.fingerprint() in str(error.value)


@pytest.mark.parametrize("name", ["weights.safetensors", "model.json", "manifest.json"])
def test_a_damaged_model_is_found_before_it_is_used(fitted: World, name: str) -> None:
    path = fitted.active_folder() / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x04
    path.write_bytes(bytes(content))
    with pytest.raises(DamagedIndex, match=name):
        fitted.anew().infer(fitted.id, ["river flood"])
    fitted.archive.write({"later.txt": sentences(0, 3, np.random.default_rng(4))})
    fitted.archive.sync()
    with pytest.raises(DamagedIndex, match=name):
        fitted.anew().assign_new(fitted.id)
    assert fitted.anew().topics(fitted.id)  # what is in SQL can still be looked at


def test_a_check_finds_a_damaged_model_and_repair_fits_it_again(fitted: World) -> None:
    assert fitted.archive.service.check() == []
    before = fitted.topics.topics(fitted.id)
    (fitted.active_folder() / "weights.safetensors").write_bytes(b"short")
    [problem] = fitted.archive.service.check()
    assert (problem.collection, problem.part) == ("c", "topics")
    assert "weights.safetensors is damaged: expected" in problem.detail
    [repaired] = fitted.archive.service.check(repair=True)
    assert repaired.repaired
    assert fitted.archive.service.check() == []
    assert [t.terms for t in fitted.topics.topics(fitted.id)] == [t.terms for t in before]
    assert len(fitted.folders()) == 1


def test_a_damaged_model_that_is_not_shown_is_removed(fitted: World) -> None:
    old = fitted.active_folder()
    fitted.topics.fit(fitted.id, topics=3)
    shown = fitted.topics.model(fitted.id)
    (old / "model.json").unlink()
    assert [problem.part for problem in fitted.archive.service.check()] == ["topics"]
    assert all(problem.repaired for problem in fitted.archive.service.check(repair=True))
    assert fitted.topics.model(fitted.id) == shown
    assert fitted.folders() == [fitted.active_folder()]


def test_removing_a_collection_removes_its_models(fitted: World) -> None:
    parent = fitted.active_folder().parent
    fitted.archive.service.remove("c")
    assert not parent.exists()
    assert fitted.archive.service.check() == []


def test_an_unknown_option_kind_or_number_is_invalid(seen: World) -> None:
    with pytest.raises(Invalid, match="no option epoch; there is: batch"):
        seen.topics.fit(seen.id, topics=2, kind="combined", options={"epoch": 3})
    with pytest.raises(Invalid, match=r"no topic model of kind 'none'; there is: .*joint"):
        seen.topics.fit(seen.id, kind="none")
    for number in (0, -1, 501):
        with pytest.raises(Invalid, match=f"{number} topics were asked for"):
            seen.topics.fit(seen.id, topics=number)
    with seen.database.write() as catalog, pytest.raises(Invalid, match="0 topics"):
        queue_fit(catalog, seen.id, topics=0)
    assert len(seen.folders()) == 1


def test_what_is_not_there_yet_is_said(empty: World, library_world: World) -> None:
    with pytest.raises(NoTopicsYet, match="riparian topics fit"):
        library_world.topics.topics(library_world.id)
    with pytest.raises(UnknownTopic):
        library_world.topics.show(99)  # type: ignore[arg-type]
    bare = empty.archive.service.ensure_collection("bare")
    with pytest.raises(NotIndexedYet, match="'bare' has no vectors yet"):
        empty.topics.fit(bare.id)


def test_an_empty_text_has_no_topic(seen: World) -> None:
    with pytest.raises(BadQuery, match="no text"):
        seen.topics.infer(seen.id, ["river", "  "])


# ------------------------------------------------------------------------------ tiny and odd collections


def only(world: World, texts: dict[str, str]) -> World:
    world.archive.write(texts)
    world.archive.add()
    return world


def test_one_passage_is_one_topic(empty: World) -> None:
    world = only(empty, {"a.txt": "Otters sleep in the river."})
    for asked in (None, 1, 5):
        assert world.topics.fit(world.id, topics=asked).topics == 1
    [topic] = world.topics.topics(world.id)
    assert (topic.share, topic.passages, topic.documents) == (1.0, 1, 1)
    assert topic.label == "Otters · river · sleep"
    [mixture] = mixtures_of(world).values()
    assert [m.weight for m in mixture] == [1.0]


def test_five_identical_passages_share_one_topic(empty: World) -> None:
    world = only(empty, {f"{i}.txt": "Otters sleep in the river." for i in range(5)})
    world.topics.fit(world.id)
    [topic] = world.topics.topics(world.id)
    assert (topic.share, topic.passages) == (1.0, 5)
    world.topics.fit(world.id, topics=3)
    assert len({tuple(m.topic_id for m in mixture) for mixture in mixtures_of(world).values()}) == 1
    assert sum(t.share for t in world.topics.topics(world.id)) == pytest.approx(1)


def test_passages_without_a_word_have_no_topics(empty: World) -> None:
    world = only(empty, {"a.txt": "1 2 3 4.", "b.txt": "and of the"})
    with pytest.raises(Invalid, match="no word that could name a topic"):
        world.topics.fit(world.id)
    assert world.folders() == []


def test_more_topics_than_passages_give_one_for_each(empty: World) -> None:
    rng = np.random.default_rng(0)
    world = only(empty, {f"{i}.txt": sentences(i, 2, rng) for i in range(3)})
    assert world.topics.fit(world.id, topics=40).topics == 3
    labels = [topic.label for topic in world.topics.topics(world.id)]
    assert len(set(labels)) == 3


def test_topics_are_labelled_by_words_of_their_theme(seen: World) -> None:
    for topic in seen.topics.topics(seen.id):
        words = topic.label.lower().replace(" · ", " ").split()
        assert len(words) == 3
        assert set(words) <= set(THEMES[seen.theme_of(topic)])
