"""The sample archive is real, readable text out of an installed package."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from indexer.sample import LONGEST_ARTICLE, sample_documents
from indexer.wikitext import is_disambiguation, readable
from riparian.types import Extracted


@pytest.fixture(scope="module")
def documents() -> list[Extracted]:
    return list(sample_documents())


def test_it_holds_300_stories_and_at_least_100_articles(documents: list[Extracted]) -> None:
    kinds = [document.type for document in documents]
    assert kinds.count("news") == 300
    assert kinds.count("article") >= 100


def test_names_are_distinct_and_in_a_fixed_order(documents: list[Extracted]) -> None:
    names = [document.member for document in documents]
    assert len(set(names)) == len(names)
    assert (names[0], names[299], names[300]) == ("news/001", "news/300", "wikipedia/Anarchism")


def test_a_story_has_no_title_and_an_article_has_its_own(documents: list[Extracted]) -> None:
    titles = {document.member: document.title for document in documents}
    assert titles["news/001"] == ""
    assert titles["wikipedia/Abraham_Lincoln"] == "Abraham Lincoln"


def test_the_word_bank_stands_there_in_several_senses(documents: list[Extracted]) -> None:
    text = " ".join(document.text for document in documents)
    assert all(sense in text for sense in ("West Bank", "Reserve Bank", "banks of the"))


def test_no_markup_is_left(documents: list[Extracted]) -> None:
    leftovers = re.compile(r"\{\{|\}\}|<ref|\{\||\|\}|\]\]|==")
    marked = [document.title for document in documents if leftovers.search(document.text)]
    assert len(marked) <= 2, marked


def test_a_long_article_says_that_it_is_an_excerpt(documents: list[Extracted]) -> None:
    lincoln = next(document for document in documents if document.title == "Abraham Lincoln")
    assert lincoln.metadata["excerpt"] is True
    assert len(lincoln.text) <= LONGEST_ARTICLE


def test_gensim_itself_is_not_imported() -> None:
    code = (
        "import sys; from indexer.sample import sample_documents; next(sample_documents());"
        "assert not {'gensim', 'torch', 'faiss'} & set(sys.modules), sorted(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_wiki_markup_becomes_what_a_reader_sees() -> None:
    markup = (
        "{{Infobox|x=1}}'''Albedo''' ({{IPA|x}}) is a [[reflection (physics)|reflection]] of [[light]]"
        "<ref>Smith</ref>, {{convert|3|km|mi}} away.\n\n[[File:a.png|thumb|A picture]]\n== Use ==\n* One &amp; two"
        "\n{| class=x\n| cell\n|}\n== References ==\n{{reflist}}\nA book"
    )
    assert readable(markup) == "Albedo is a reflection of light, 3 km away.\n\nUse\n\nOne & two"


def test_pages_that_list_meanings_are_told_apart() -> None:
    assert is_disambiguation("Ada", "Ada may be\n{{Disambig}}")
    assert not is_disambiguation("Albedo", "Albedo is {{convert|1|m}}")
