"""The senses of a word in a collection, end to end over SQL, the lexical index and the default encoder."""

from __future__ import annotations

import numpy as np
import pytest

from riparian import jobs
from riparian.catalog.filters import parse
from riparian.encoders.base import Encoder
from riparian.errors import Invalid, TokensUnavailable, UnknownSense
from riparian.types import JobState
from search.request import SearchRequest
from senses.occurrences import find, in_text, target_of
from senses.queueing import ASSIGN, FIND, queue_assign
from senses.vectors import OccurrenceVectors
from tests.search.world import Text
from tests.senses.conftest import MONEY, RIVER, Archive, archive, sentence


def sources(made: Archive, sense: int) -> set[str]:
    with made.world.database.read() as catalog:
        documents = catalog.documents.ids(made.world.id, parse([f"sense:{sense}"]))
        return {one.source for one in catalog.documents.many(documents).values()}


def river(made: Archive) -> int:
    """The id of the sense that the river is in; every other must be free of it."""
    found = made.senses.find("papers", "bank").senses
    [here] = [one.id for one in found if any(source.startswith("river") for source in sources(made, one.id))]
    return int(here)


def test_the_rarer_sense_is_found_whole_and_alone(read_only: Archive) -> None:
    assert sources(read_only, river(read_only)) == {f"river-{number}.txt" for number in range(20)}


def test_a_word_of_one_sense_has_one(read_only: Archive) -> None:
    found = read_only.senses.find("papers", "orchestra")
    assert [sense.count for sense in found.senses] == [19]


def test_counts_of_senses_are_those_of_sql_and_sum_to_the_occurrences(read_only: Archive) -> None:
    found = read_only.senses.find("papers", "bank")
    assert sum(sense.count for sense in found.senses) == 65
    for sense in found.senses:
        assert sense.documents == len(sources(read_only, sense.id))
        assert len(sense.examples) == 3


def test_a_search_by_sense_finds_only_it_and_the_facet_counts_agree(read_only: Archive) -> None:
    sense = river(read_only)
    request = SearchRequest(
        collection="papers", query="bank", filters=parse([f"sense:{sense}"]), k=50, facets=("sense",), mode="lexical"
    )
    answer = read_only.world.search.search(request)
    assert answer.total == 20
    assert all(hit.document.source.startswith("river") for hit in answer.hits)
    [facet] = answer.facets["sense"]
    assert (facet.value, facet.count, facet.label[:6]) == (str(sense), 20, "bank: ")


def test_kept_vectors_are_those_computed_afresh(read_only: Archive, encoder: Encoder, tmp_path: object) -> None:
    world, target = read_only.world, target_of("bank")
    with world.database.read() as catalog:
        occurrences = find(catalog, world.lexical.index(world.id), target)
    kept = OccurrenceVectors(tmp_path / "vectors")  # type: ignore[operator]
    assert kept.missing(encoder, target, occurrences) == len({one.key for one in occurrences})
    first = kept.of(encoder, target, occurrences)
    assert kept.missing(encoder, target, occurrences) == 0
    again = kept.of(encoder, target, occurrences)
    alone = OccurrenceVectors(tmp_path / "other").of(encoder, target, occurrences[7:8])  # type: ignore[operator]
    for name in ("token", "context", "window", "sentence"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
        assert np.allclose(getattr(first, name)[7], getattr(alone, name)[0], atol=2e-3)  # they are kept in 16 bits


def test_static_encoders_say_that_they_cannot_tell_senses_apart(tmp_path: object) -> None:
    made = archive(tmp_path / "static", "hashing", Text("a.txt", "The bank of the river"))  # type: ignore[operator]
    with pytest.raises(TokensUnavailable, match="senses"):
        made.senses.find("papers", "bank")
    made.world.engine.dispose()


def test_more_senses_fewer_senses_and_back(own: Archive) -> None:
    before = own.senses.find("papers", "bank")
    word = before.word.id
    more = own.senses.divide_into(word, 6)
    assert len(more.senses) == 6 and sum(sense.count for sense in more.senses) == 65
    one = own.senses.merge([sense.id for sense in more.senses])
    assert [sense.count for sense in one.senses] == [65]
    two = own.senses.split(one.senses[0].id)
    assert len(two.senses) == 2
    for _ in range(3):
        last = own.senses.undo(word)
    assert last.senses == before.senses
    with pytest.raises(Invalid, match="nothing to undo"):
        own.senses.undo(word)
    with pytest.raises(UnknownSense):
        own.senses.split(one.senses[0].id)


def test_new_documents_are_given_saved_senses(own: Archive) -> None:
    sense = river(own)
    own.senses.save(sense, "side of a river")  # type: ignore[arg-type]
    own.world.put(Text("river-new.txt", sentence(RIVER, 77)), Text("money-new.txt", sentence(MONEY, 88)))
    own.world.index()
    with own.world.database.write() as catalog:
        queue_assign(catalog, own.world.id)
        queue_assign(catalog, own.world.id)
    job = jobs.run_one(own.world.database, own.senses.handlers)
    assert job is not None and (job.kind, job.state, job.result) == (ASSIGN, JobState.DONE, {"words": 1})
    assert jobs.run_one(own.world.database, own.senses.handlers) is None
    assert "river-new.txt" in sources(own, sense) and "money-new.txt" not in sources(own, sense)
    with own.world.database.read() as catalog:
        [kept] = catalog.senses.saved(own.world.id)
    assert (kept.id, kept.name, kept.count) == (sense, "side of a river", 21)


def test_a_document_that_goes_takes_its_occurrences_along(own: Archive) -> None:
    sense = river(own)
    with own.world.database.write() as catalog:
        gone = catalog.documents.by_source(own.world.id, ["river-0.txt"])["river-0.txt"]
        catalog.documents.remove([gone.id])
        catalog.collections.touch(own.world.id)
    with own.world.database.read() as catalog:
        assert catalog.senses.get(sense).count == 19  # type: ignore[arg-type]


def test_a_job_finds_senses_and_says_which(own: Archive) -> None:
    queued = own.senses.queue("papers", "bank", senses=2)
    assert own.senses.queue("papers", "bank", senses=2) == queued
    job = jobs.run_one(own.world.database, own.senses.handlers)
    assert job is not None and (job.kind, job.state) == (FIND, JobState.DONE)
    known = own.senses.known("papers", "bank")
    assert known is not None and [int(sense.id) for sense in known.senses] == sorted(
        job.result["senses"], key=[int(sense.id) for sense in known.senses].index
    )


def test_senses_that_change_with_time_are_told(own: Archive) -> None:
    word = own.senses.find("papers", "bank").word.id
    changed = own.senses.change(word)
    assert changed.change.p is not None and changed.change.p <= 0.01


def test_forms_lemmas_and_terms_are_found_where_they_stand() -> None:
    text = "Banks lend. The river bank, a Bank; banking at the River  bank."
    said = [text[s.start : s.end] for s in in_text(text, target_of("bank"), "en")]
    assert said == ["bank", "Bank", "bank"]
    said = [text[s.start : s.end] for s in in_text(text, target_of("bank", lemma=True), "en")]
    assert said == ["Banks", "bank", "Bank", "banking", "bank"]
    said = [text[s.start : s.end] for s in in_text(text, target_of("River Bank"), "en")]
    assert said == ["river bank", "River  bank"]
    with pytest.raises(Invalid, match="no word"):
        target_of("…")
    with pytest.raises(Invalid, match="5 at most"):
        target_of("a b c d e f")
