"""What is typed exactly wins: codes come first, rare words lift what holds them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence

import pytest

from riparian.types import Mode
from search.exact import is_code
from search.request import SearchRequest
from tests.evaldata import folder
from tests.search.world import Text, World

CODES = (
    "CVE-2021-44228", "INV-00231", "a@b.org", "https://example.org/a", "10248833", "A12345", "0815-AB-77",
    "GHSA-qcx9-j53g-ccgf", "PYSEC-2014-14", "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
)  # fmt: skip
NONE = (
    "1990s",
    "5000rpm",
    "1,000,000",
    "2021",
    "2001-05-02",
    "12/2019",
    "IL-6",
    "TDP-43",
    "H3K79me2",
    "well-known",
    "U.S.",
    "C++",
)


@pytest.mark.parametrize("word", CODES)
def test_a_code_is_made_to_name_one_thing(word: str):
    assert is_code(word)


@pytest.mark.parametrize("word", NONE)
def test_years_amounts_and_short_names_are_no_codes(word: str):
    assert not is_code(word)


def order(world: World, query: str, **rest: object) -> list[int]:
    request = SearchRequest("papers", query, k=1000, collapse=False, sentences=False, **rest)  # type: ignore[arg-type]
    found: list[int] = world.search.standing(request).ranked.ranking.ids.tolist()
    return found


@pytest.fixture(scope="module")
def bills(tmp_path_factory: pytest.TempPathFactory) -> World:
    """120 bills of like wording; each has a number, and two name a person."""
    world = World(tmp_path_factory.mktemp("bills"))
    names = {7: "Signed by Rosenqvist.", 19: "Sent to Rosenqvist."}
    world.fill(
        *(
            Text(
                f"{n}.txt",
                f"The invoice INV-{n:05} is open. The customer pays the open invoice late. {names.get(n, '')}",
            )
            for n in range(1, 121)
        )
    )
    return world


def test_the_document_that_holds_a_code_comes_first_in_a_question_and_the_answer_says_so(bills: World):
    asked = "why does the customer pay the open invoice INV-00023 so late?"
    answer = bills.search.search(SearchRequest("papers", asked))
    assert answer.hits[0].document.id == 23
    assert "the documents that hold INV-00023 come first" in answer.notes
    assert bills.search.search(SearchRequest("papers", "open invoice INV-99999")).notes == ()


def test_only_the_order_changes_and_one_retriever_alone_ranks_as_it_did(bills: World):
    asked = "why does the customer pay the open invoice INV-00023 so late?"
    plain = bills.search.search(SearchRequest("papers", "why does the customer pay the open invoice so late?"))
    found = bills.search.search(SearchRequest("papers", asked, facets=("type",)))
    assert found.total == plain.total == 120
    assert found.facets["type"][0].count == 120
    by_meaning = bills.search.search(SearchRequest("papers", asked, mode=Mode.SEMANTIC, k=30))
    scores = [hit.score for hit in by_meaning.hits]
    assert scores == sorted(scores, reverse=True)
    assert not by_meaning.notes


def test_a_rare_name_inside_a_question_lifts_the_documents_that_hold_it(bills: World):
    asked = "which customer pays the open invoice that is signed late, Rosenqvist or another customer"
    assert set(order(bills, asked)[:2]) == {7, 19}


# ---------------------------------------------------------------- a real archive


@pytest.fixture(scope="module")
def advisories(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Sequence[dict[str, str]]]:
    """Every fourth advisory, with the names it goes by; ids are places in the list, from 1."""
    with gzip.open(folder("topics-pysec-advisories") / "docs.jsonl.gz") as lines:
        rows = [json.loads(line) for line in lines][::4]
    for row in rows:
        row["whole"] = f"{row['text']}\n\nAlso known as {', '.join(row['aliases'])}. Package {row['package']}."
    world = World(tmp_path_factory.mktemp("advisories"))
    world.fill(*(Text(row["id"], row["whole"]) for row in rows))
    return world, rows


@pytest.mark.slow
def test_every_advisory_is_first_when_its_number_stands_in_a_sentence(
    advisories: tuple[World, Sequence[dict[str, str]]],
):
    world, rows = advisories
    for row in rows[::15]:
        for alias in row["aliases"][:2]:
            holding = {number for number, other in enumerate(rows, start=1) if alias in other["whole"]}
            for asked in (
                f"does {alias} let a remote attacker execute arbitrary code through a crafted request?",
                f"denial of service or cross-site scripting in a web application ({alias}), and how to fix it",
            ):
                assert set(order(world, asked)[: len(holding)]) == holding, asked


@pytest.mark.slow
def test_an_advisory_that_holds_a_rare_name_is_above_all_that_hold_no_word_of_the_question(
    advisories: tuple[World, Sequence[dict[str, str]]],
):
    world, rows = advisories
    packages = [row["package"] for row in rows if sum(row["package"] in other["whole"] for other in rows) == 1]
    assert len(packages) > 20
    for package in packages[:40]:
        asked = f"attackers gain access to {package}"
        found = order(world, asked)
        [holding] = [number for number, row in enumerate(rows, start=1) if package in row["whole"]]
        with_a_word = set(order(world, asked, mode=Mode.LEXICAL))
        above = found[: found.index(holding)]
        assert set(above) <= with_a_word, asked
