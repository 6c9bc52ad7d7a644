"""Labels that topics learn: which the fit is not told, how well it tells them, what it says of documents and texts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from indexer.readers.base import ReadOptions
from tests.topics.conftest import World, sentences
from topics import learning
from topics.asked import Asked
from topics.base import BagOfWords, Classes
from topics.corpus import Corpus
from topics.learned import LearnedService, NoLabels
from topics.queueing import queue_fit
from topics.service import FIT

FIELD = "meta.theme"


def tagged(world: World, documents: int = 144) -> None:
    """Documents about four themes; every ninth does not say which."""
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for number in range(documents):
        row: dict[str, Any] = {"id": f"d{number}", "text": sentences(number % 4, 3, rng)}
        rows.append(row if number % 9 == 0 else row | {"theme": f"subject {number % 4}"})
    world.archive.write({"all.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    world.archive.add(ReadOptions(id_column="id", text_column="text"))


def made_up(texts: int, seed: int) -> Corpus:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((texts, 4)).astype(np.float32)
    bag = BagOfWords(("a",), None, np.zeros(texts, np.int32), np.arange(texts + 1))  # type: ignore[arg-type]
    numbers = np.arange(texts, dtype=np.int64)
    return Corpus(numbers, vectors, numbers // 2, np.full(texts, 10), bag)


def test_every_tenth_document_of_a_label_is_held_out_whatever_the_order() -> None:
    found = made_up(400, 0)
    known = Classes(("x", "y"), np.where(found.documents < 150, found.documents % 2, -1))
    lesson = learning.lesson(known, found)
    assert len(lesson.held_out) == 16  # of 75 of either
    assert set(known.of_texts[np.isin(found.documents, lesson.held_out)].tolist()) == {0, 1}
    hidden = lesson.told.of_texts != known.of_texts
    assert set(found.documents[hidden].tolist()) == set(lesson.held_out.tolist())
    assert np.all(lesson.told.of_texts[hidden] == -1)

    turned = np.arange(400)[::-1]
    other = Corpus(
        found.passages, found.vectors[turned], found.documents[turned], found.lengths,
        BagOfWords(("a",), None, found.bag.tokens, found.bag.starts),  # type: ignore[arg-type]
    )  # fmt: skip
    again = learning.lesson(Classes(known.names, known.of_texts[turned]), other)
    assert again.held_out.tolist() == lesson.held_out.tolist()
    few = learning.lesson(Classes(("x", "y"), np.where(found.documents < 60, found.documents % 2, -1)), found)
    assert len(few.held_out) == 0
    assert few.told.of_texts.tolist() == few.all.of_texts.tolist()


def test_labels_that_were_learned_are_told_of_documents_without_one_and_of_new_texts(empty: World) -> None:
    tagged(empty)
    with empty.database.write() as catalog:
        queue_fit(catalog, empty.id, kind="zeroshot", topics=4, options={"epochs": 40}, labels=FIELD)
    done = empty.run_waiting(FIT)
    assert done is not None
    assert done.result["held_out"] == 12  # of 32 of each of the four
    assert done.result["scores"]["label_accuracy"] >= 0.75
    assert done.result["scores"]["label_guess"] == 0.25
    assert Asked.of_model(empty.topics.model(empty.id)).labels == FIELD

    learned = LearnedService(empty.database, empty.topics.model_of)
    found = learned.learned(empty.id)
    assert (found.field, found.held_out, found.accuracy) == (FIELD, 12, done.result["scores"]["label_accuracy"])
    assert [one.label for one in found.labels] == [f"subject {number}" for number in range(4)]
    assert [one.given for one in found.labels] == [32] * 4
    assert sum(one.told for one in found.labels) == 144
    assert sum(one.told_without for one in found.labels) == 16

    with empty.database.read() as catalog:
        documents = [d for d in catalog.documents.page(empty.id, limit=200) if "theme" not in d.metadata]
        texts = [catalog.documents.text(document.id) for document in documents]
        fits = [f"subject {int(document.source.rsplit('d', 1)[-1]) % 4}" for document in documents]
    told = [learned.of_document(document.id) for document in documents]
    assert {one.given for one in told} == {""}
    assert np.mean([one.told[0].label == fit for one, fit in zip(told, fits, strict=True)]) >= 0.75
    assert sum(one.probability for one in told[0].told) == pytest.approx(1)

    said = empty.topics.said(empty.id, texts)
    inferred = learned.of_texts(said.info, said.kept)
    for one, of_text in zip(told, inferred, strict=True):  # each is one passage: a text is told what a document is
        assert one.told[0].label == of_text[0].label
        assert one.told[0].probability == pytest.approx(of_text[0].probability, abs=1e-3)


def test_topics_that_learned_no_labels_say_how_to(seen: World) -> None:
    learned = LearnedService(seen.database, seen.topics.model_of)
    assert learned.field(seen.id) is None
    with pytest.raises(NoLabels, match="learned no labels; `riparian topics fit --kind combined --labels FIELD`"):
        learned.learned(seen.id)
    said = seen.topics.said(seen.id, ["The orbit of a comet"])
    assert learned.of_texts(said.info, said.kept) == [()]
    assert learned.of_parts(said.info, said.kept, [5]) == ()
