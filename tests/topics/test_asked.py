"""What a fit is asked for, through the job and into the model that comes of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from indexer.readers.base import ReadOptions
from riparian.errors import Invalid
from tests.topics.conftest import World, sentences
from topics.asked import Asked, AskedAgain, classes
from topics.service import FIT, queue_fit


def tagged(world: World) -> None:
    """Sixteen documents about four themes; all but the last four say theirs."""
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for number in range(16):
        row: dict[str, Any] = {"id": f"d{number}", "text": sentences(number % 4, 4, rng)}
        if number < 12:
            row["theme"] = f"subject {number % 4}"
        rows.append(row)
    world.archive.write({"all.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    world.archive.add(ReadOptions(id_column="id", text_column="text"))


def test_what_is_asked_for_comes_back_from_the_payload() -> None:
    asked = Asked("combined", 7, 3, {"kl_weight": 0.5}, "meta.theme", 5000)
    assert Asked.of(asked.payload()) == asked
    assert Asked().payload() == {"kind": "joint", "topics": None, "seed": 0}
    assert Asked.of({}) == Asked()


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (Asked(kind="best"), "no topic model of kind 'best'; there is: combined, joint, kmeans, lda, nmf, zeroshot"),
        (Asked(labels="meta.theme"), "topics of kind joint cannot learn labels; ask for one of these: combined"),
        (Asked(words=0), "a vocabulary of 0 words was asked for; ask for 1 to 100000"),
        (Asked(topics=0), "0 topics were asked for"),
    ],
)
def test_what_could_never_work_is_refused_before_it_is_queued(asked: Asked, why: str) -> None:
    with pytest.raises(Invalid, match=re.escape(why)):
        asked.check()


def test_a_job_learns_the_labels_it_was_asked_to_and_what_was_asked_stays_with_the_model(empty: World) -> None:
    tagged(empty)
    with empty.database.write() as catalog:
        job = queue_fit(
            catalog, empty.id, kind="combined", topics=4, options={"epochs": 3}, labels="meta.theme", words=30
        )
        again = queue_fit(
            catalog, empty.id, kind="combined", topics=4, options={"epochs": 3}, labels="meta.theme", words=30
        )
    assert again == job
    done = empty.run_waiting(FIT)
    assert done is not None
    assert done.message == ""

    info = empty.topics.model(empty.id)
    assert Asked.of_model(info) == Asked("combined", 4, 0, {"epochs": 3}, "meta.theme", 30)
    assert (info.settings["epochs"], info.settings["words"]) == (3, 30)
    record = json.loads((empty.active_folder() / "model.json").read_text(encoding="utf-8"))
    assert record["classes"] == [f"subject {number}" for number in range(4)]


def test_classes_are_the_values_of_a_field_and_documents_without_one_have_none(empty: World) -> None:
    tagged(empty)
    with empty.database.read() as catalog:
        documents = np.array([document.id for document in catalog.documents.page(empty.id, limit=100)], np.int64)
        found = classes(catalog, empty.id, "meta.theme", documents)
        assert found.names == tuple(f"subject {number}" for number in range(4))
        assert sorted(found.of_texts.tolist()) == [-1] * 4 + [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
        with pytest.raises(Invalid, match=r"two different values of meta\.nothing; the documents carry 0"):
            classes(catalog, empty.id, "meta.nothing", documents)
        with pytest.raises(Invalid, match="labels cannot be read from 'colour'; from author, type, language, year or"):
            classes(catalog, empty.id, "colour", documents)


@pytest.mark.parametrize("kind", ["kmeans", "lda", "nmf"])
def test_a_baseline_serves_a_collection_like_any_kind(library_world: World, kind: str) -> None:
    info = library_world.topics.fit(library_world.id, kind=kind, topics=4)
    found = library_world.topics.topics(library_world.id)
    assert (info.kind, len(found)) == (kind, 4)
    assert sum(topic.share for topic in found) == pytest.approx(1)
    assert len({library_world.theme_of(topic) for topic in found}) >= 3
    [mixture] = library_world.anew().infer(library_world.id, ["The orbit of a comet and of the moon"])
    assert sum(one.weight for one in mixture) == pytest.approx(1)


def test_a_refit_is_asked_for_what_the_fit_was_unless_something_else_is_said(seen: World) -> None:
    before = Asked("combined", 7, 3, {"epochs": 4}, "meta.theme", 500)
    info = replace(seen.topics.model(seen.id), kind="combined", settings=before.settings())
    assert AskedAgain().over(info) == replace(before, topics=None)
    assert AskedAgain(seed=0, labels="", topics=9).over(info) == Asked("combined", 9, 0, {"epochs": 4}, None, 500)
    other = AskedAgain(kind="zeroshot").over(info)
    assert (other.kind, other.options, other.labels, other.words) == ("zeroshot", {}, "meta.theme", 500)
    assert AskedAgain(kind="joint").over(info).labels is None
    said = AskedAgain("nmf", 5, 1, {"iterations": 3}, "", 60)
    assert AskedAgain.of(said.payload()) == said
    assert AskedAgain().payload() == {}
