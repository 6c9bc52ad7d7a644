"""Misspelt and misread words: what no document holds is looked for by what looks like it."""

from __future__ import annotations

import pytest

from riparian.types import Mode, Respelt
from search.fuzzy import MOST, NEAREST
from search.request import Fuzziness, SearchRequest
from tests.search.world import Text, World

TEXTS = (
    Text("a.txt", "The candidate promised a modern hospital for the valley."),
    Text("b.txt", "The candiclate lost the election by a few votes."),  # scanned
    Text("c.txt", "The river rose after the storm and flooded the cellars."),
    Text("d.txt", "The museum keeps the letters of the painter Rosenqvist."),
    Text("e.txt", "A candidate for the council must live in the town."),
    Text("f.txt", "Another candidate withdrew. The candidate gave no reason."),
)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("papers"))
    world.fill(*TEXTS)
    return world


def found(world: World, query: str, fuzzy: Fuzziness = Fuzziness.AUTO, mode: Mode = Mode.LEXICAL) -> list[int]:
    hits = world.search.search(SearchRequest("papers", query, mode, fuzzy=fuzzy)).hits
    return [int(hit.document.id) for hit in hits]


def respelt(world: World, query: str, fuzzy: Fuzziness = Fuzziness.AUTO) -> tuple[Respelt, ...]:
    return world.search.search(SearchRequest("papers", query, fuzzy=fuzzy)).respelt


def test_an_unknown_word_is_looked_for_by_what_looks_like_it_unless_it_is_meant_exactly(papers: World):
    assert found(papers, "rnodern hospitol")[0] == 1
    assert found(papers, "rnodern hospitol", Fuzziness.OFF) == []
    assert respelt(papers, "rnodern hospitol") == (
        Respelt("rnodern", ("modern",), unknown=True), Respelt("hospitol", ("hospital",), unknown=True),
    )  # fmt: skip
    assert respelt(papers, "rnodern hospitol", Fuzziness.OFF) == ()


def test_an_answer_without_unknown_words_is_the_same_either_way(papers: World):
    answers = [
        papers.search.search(SearchRequest("papers", "modern candidates of the valley", fuzzy=one))
        for one in (Fuzziness.AUTO, Fuzziness.OFF)
    ]
    assert answers[0] == answers[1]


def test_what_is_meant_counts_less_than_what_is_typed(papers: World):
    [typed, guessed] = [
        papers.search.search(SearchRequest("papers", query, Mode.LEXICAL)).hits[0].score
        for query in ("hospital", "hospitol")
    ]
    assert guessed == pytest.approx(NEAREST * typed)


def test_meaning_is_asked_for_what_was_meant(papers: World):
    [meant, guessed] = [
        papers.search.search(SearchRequest("papers", query, Mode.SEMANTIC)).hits[0].score
        for query in ("the hospital of the valley", "the hospitol of the valley")
    ]
    assert guessed == pytest.approx(meant)


@pytest.mark.parametrize(
    "query", ['"rnodern hospitol"', "+rnodern hospital", "hospital -rnodern", "rnoder*", "CVE-2021-44228", "hosp"]
)
def test_nothing_is_guessed_of_what_is_required_excluded_quoted_a_pattern_a_code_or_short(papers: World, query: str):
    assert "rnodern" not in [one.typed for one in respelt(papers, query)]
    assert respelt(papers, "hosp") == respelt(papers, "CVE-2021-44228") == ()


def test_a_known_word_finds_what_a_scanner_made_of_it_when_asked_for(papers: World):
    assert 2 not in found(papers, "candidate")
    assert found(papers, "candidate", Fuzziness.ON)[-1] == 2
    assert respelt(papers, "candidate", Fuzziness.ON) == (Respelt("candidate", ("candiclate",), unknown=False),)


def test_no_more_look_alikes_than_a_few_and_marks_show_them(papers: World):
    hit = papers.search.search(SearchRequest("papers", "rosenquist", Mode.LEXICAL)).hits[0]
    assert hit.document.id == 4
    assert [hit.passage.text[s.start - hit.passage.start : s.end - hit.passage.start] for s in hit.highlights] == [
        "Rosenqvist"
    ]
    assert all(len(one.used) <= MOST for one in respelt(papers, "candidat hospitol rosenquist"))
