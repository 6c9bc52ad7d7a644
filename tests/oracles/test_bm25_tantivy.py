"""The lexical index against BM25 written out, on real news stories, and against published figures on SciFact."""

from __future__ import annotations

import gzip
import json
import math
from collections import Counter, defaultdict
from functools import cache
from importlib.resources import files
from pathlib import Path

import ir_measures
import numpy as np
import pytest

from riparian.lexical import analysis
from riparian.lexical.index import LexicalIndex
from tests import evaldata

K1, B = 1.2, 0.75

QUERIES = [
    "fire in the mountains",
    "the reserve bank lowers interest rates",
    "Palestinian leader Arafat",
    "cricket test match in Sydney",
    "asylum seekers on the island of Nauru",
    "bank staff strike strike strike",
    "storms, wind and rain over New South Wales",
]


@cache
def stories() -> list[str]:
    """300 news stories that gensim's wheel carries."""
    return (files("gensim") / "test" / "test_data" / "lee_background.cor").read_text("utf-8").splitlines()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    index = LexicalIndex.open(tmp_path_factory.mktemp("lexical") / "stories")
    with index.change() as change:
        for number, text in enumerate(stories()):
            change.put_document(number, "", text, "en")
    return index


def bm25(documents: list[list[str]], query: list[str], length: list[int]) -> np.ndarray:
    """Robertson and Zaragoza (2009), equation 3.15, with the idf that is never negative; weights by their count."""
    average = sum(map(len, documents)) / len(documents)
    counts = [Counter(document) for document in documents]
    scores = np.zeros(len(documents))
    for term in query:
        frequency = sum(term in count for count in counts)
        idf = math.log(1 + (len(documents) - frequency + 0.5) / (frequency + 0.5))
        for number, count in enumerate(counts):
            tf = count[term]
            scores[number] += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * length[number] / average))
    return scores


def stored_length(length: int) -> int:
    """A length as the index keeps it, in one byte: exact to 40, then the largest of growing steps below it."""
    steps = [*range(24)]
    for code in range(232):
        bits, shift = code & 7, (code >> 3) - 1
        steps.append(24 + (bits if shift < 0 else (bits | 8) << shift))
    return max(step for step in steps if step <= length)


@pytest.mark.parametrize("query", QUERIES)
def test_scores_and_order_are_those_of_bm25(index: LexicalIndex, query: str) -> None:
    documents = [analysis.stems(analysis.plain_words(text), "en") for text in stories()]
    terms = analysis.stems(analysis.plain_words(query), "en")
    expected = bm25(documents, terms, [stored_length(len(document)) for document in documents])
    found = index.search_documents(query, len(documents))
    assert sorted(found.ids.tolist()) == np.flatnonzero(expected).tolist()
    np.testing.assert_allclose(found.scores, expected[found.ids], rtol=1e-5)
    assert (np.diff(expected[found.ids]) < 1e-4).all()


def test_storing_lengths_in_one_byte_hardly_changes_the_first_ten(index: LexicalIndex) -> None:
    documents = [analysis.stems(analysis.plain_words(text), "en") for text in stories()]
    shared = 0
    for query in QUERIES:
        terms = analysis.stems(analysis.plain_words(query), "en")
        exact = np.argsort(-bm25(documents, terms, [len(document) for document in documents]), kind="stable")[:10]
        shared += len(set(exact.tolist()) & set(index.search_documents(query, 10).ids.tolist()))
    assert shared >= 0.95 * 10 * len(QUERIES)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "at_least"), [("retrieval-scifact", 0.676), ("retrieval-cranfield", 0.50)])
def test_ranking_is_as_good_as_published_bm25(tmp_path: Path, name: str, at_least: float) -> None:
    """Published for SciFact: 0.679 (Pyserini, title and text in one field), 0.686 (bm25s)."""
    folder = evaldata.folder(name)
    corpus = _lines(folder / "corpus.jsonl.gz")
    queries = {line["_id"]: line["text"] for line in _lines(folder / "queries.jsonl.gz")}
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        judged[query][document] = int(grade)
    index = LexicalIndex.open(tmp_path / name)
    with index.change() as change:
        for number, line in enumerate(corpus):
            change.put_document(number, line["title"], line["text"], "en")
    run = {query: _ranked(index, queries[query], corpus) for query in judged}
    assert ir_measures.calc_aggregate([ir_measures.nDCG @ 10], judged, run)[ir_measures.nDCG @ 10] >= at_least


def _ranked(index: LexicalIndex, query: str, corpus: list[dict[str, str]]) -> dict[str, float]:
    found = index.search_documents(query, 100)
    return {corpus[number]["_id"]: score for number, score in zip(found.ids, found.scores.tolist(), strict=True)}


def _lines(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]
