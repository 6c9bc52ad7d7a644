"""Codebooks: what is written reads back exactly; agreement is scikit-learn's kappa."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from riparian.errors import Invalid
from riparian.types import PassageId
from tests.topics.curated import small
from topics.curation import codebook, requests
from topics.curation.agreement import agreement
from topics.curation.codebook import FORMATS, Codebook, Entry, Place

# what no text of a database or file holds
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
places = st.builds(Place, words, st.integers(0, 2**31), st.integers(0, 2**31))
entries = st.builds(
    Entry,
    id=st.integers(1, 2**31),
    label=words,
    named=st.booleans(),
    note=words,
    hidden=st.booleans(),
    pinned=st.booleans(),
    words=st.lists(words, max_size=3).map(tuple),
    seeds=st.lists(words, max_size=3).map(tuple),
    pins=st.lists(places, max_size=2).map(tuple),
    moved=st.lists(places, max_size=2).map(tuple),
    merged=st.lists(words, max_size=2).map(tuple),
)


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(name=words, topics=st.lists(entries, min_size=1, max_size=3))
def test_a_codebook_reads_back_exactly(form: str, name: str, topics: list[Entry]) -> None:
    book = Codebook(name, tuple(topics))
    assert codebook.read(codebook.write(book, form), form) == book


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("json", "{}"),
        ("json", "["),
        ("json", '{"codebook": 9, "collection": "c", "topics": []}'),
        ("json", '{"codebook": 1, "collection": "c", "topics": [{"id": "1"}]}'),
        ("csv", ""),
        ("csv", "id,label\n1,water\n"),
        ("skos", '{"@graph": []}'),
        ("skos", '{"@graph": [1]}'),
    ],
)
def test_what_is_no_codebook_is_refused_with_the_reason(form: str, text: str) -> None:
    with pytest.raises(Invalid, match=f"this is no codebook in {form}"):
        codebook.read(text, form)
    with pytest.raises(Invalid, match="no codebook format 'xml'; there is: json, csv, skos"):
        codebook.read(text, "xml")


def test_skos_names_a_concept_by_its_label_and_says_nothing_twice() -> None:
    entry = Entry(7, "water", note="all of it", words=("water", "river", "river"), merged=("flood", "river"))
    graph = json.loads(codebook.write(Codebook("c", (entry,)), "skos"))["@graph"]
    [scheme, concept] = graph
    assert (scheme["@type"], scheme["title"]) == ("skos:ConceptScheme", "c")
    assert (concept["@type"], concept["prefLabel"], concept["notation"]) == ("skos:Concept", "water", "7")
    assert (concept["altLabel"], concept["hiddenLabel"], concept["scopeNote"]) == (["river"], ["flood"], "all of it")


# ------------------------------------------------------------------------------ agreement


def book_of(labels: list[str]) -> Codebook:
    """A codebook that puts passage i into the topic labels[i]."""
    spans = {name: tuple(Place("a", i, i + 1) for i, one in enumerate(labels) if one == name) for name in set(labels)}
    return Codebook("c", tuple(Entry(k + 1, label, moved=spans[label]) for k, label in enumerate(sorted(spans))))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(pairs=st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=2, max_size=40))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    found = agreement(book_of(first), book_of(second))
    if len({*first, *second}) == 1:
        assert found.kappa == 1.0  # scikit-learn divides nothing by nothing here
    else:
        assert found.kappa == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
    assert found.passages == len(pairs)
    assert sum(count for *_, count in found.apart) == sum(a != b for a, b in pairs)


def test_agreement_counts_what_one_curator_alone_placed() -> None:
    first = Codebook("c", (Entry(1, "Water", pins=(Place("a", 0, 5), Place("b", 0, 5))),))
    second = Codebook("c", (Entry(9, "water ", moved=(Place("a", 0, 5),)),))
    found = agreement(first, second)
    assert (found.kappa, found.passages, found.only_first, found.only_second) == (1.0, 1, 1, 0)
    with pytest.raises(Invalid, match="no passage in common"):
        agreement(first, Codebook("c", ()))


# ------------------------------------------------------------------------------ into a collection


def test_a_codebook_makes_another_collection_say_the_same(sqlite_template: Path, tmp_path: Path) -> None:
    with small(sqlite_template, tmp_path) as world:
        first, second, third, fourth, _ = world.topics()
        moved = tuple(PassageId(p) for p in (1, 2, 3))
        for request in (
            requests.Rename(first, "Water"),
            requests.Note(first, "all of it"),
            requests.Merge((second,), first),
            requests.Hide(third),
            requests.Seed(("river", "flood"), third),
            requests.Move(moved, "By hand"),
            requests.Pin(passages=moved[:2]),
            requests.Pin(fourth),
        ):
            world.service.edit(world.id, request)
        book = world.service.codebook(world.id)
    (tmp_path / "other").mkdir()
    with small(sqlite_template, tmp_path / "other") as other:
        before = other.state()
        edit, _, taken = other.service.take_codebook(other.id, book, author="ann", reason="the same")
        again = other.service.codebook(other.id)
        assert (taken.met, taken.made, taken.wished, taken.passages_left) == (4, 1, 0, 0)
        told = [(e.label, e.note, e.hidden, e.pinned, e.seeds, e.pins, e.moved, e.merged) for e in book.entries]
        assert [
            (e.label, e.note, e.hidden, e.pinned, e.seeds, e.pins, e.moved, e.merged) for e in again.entries
        ] == told
        assert (edit.kind, edit.author, edit.reason) == ("import", "ann", "the same")
        other.service.undo(other.id)
        assert other.state() == before
        with pytest.raises(Invalid, match="changes nothing here"):
            other.service.take_codebook(other.id, Codebook("another", ()))
