"""Texts that say the same are grouped, others are not, and the order of ids decides the group's name."""

from __future__ import annotations

import gzip
import json

import pytest
from datasketch import MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer import duplicates
from indexer.duplicates import SIGNATURE_BYTES, group, signature
from riparian.text import content_digest
from tests.evaldata import folder

STORY = (
    "A new blaze near Goulburn has forced the closure of the highway and residents were told to leave their homes as "
    "strong winds pushed a huge bushfire towards the town while crews worked through the night to save the houses."
)
OTHER = (
    "The central bank left its rate unchanged on Tuesday, saying that prices were rising more slowly than before and "
    "that it would wait for figures on wages and jobs before it considered a further step in either direction."
)
KNOWN = {text: signature(text) for text in (STORY, OTHER, STORY + " More.", "short text", "")}


def test_a_signature_has_a_fixed_size_and_is_the_same_every_time() -> None:
    assert {len(signature(text)) for text in ("", "a", STORY, STORY * 200)} == {SIGNATURE_BYTES}
    assert signature(STORY) == signature(STORY)


def test_case_punctuation_and_a_word_make_no_other_document() -> None:
    texts = {
        3: STORY,
        5: OTHER,
        8: STORY.upper() + "!",
        9: STORY.replace("a huge", "one huge"),
        11: OTHER.replace(",", ""),
    }
    assert group({id: signature(text) for id, text in texts.items()}) == {3: 3, 8: 3, 9: 3, 5: 5, 11: 5}


def test_different_texts_stay_alone() -> None:
    assert group({1: signature(STORY), 2: signature(OTHER), 3: signature("")}) == {}


def test_texts_without_words_are_grouped_only_when_equal() -> None:
    assert group({1: signature("---"), 2: signature("***"), 3: signature("--- ")}) == {1: 1, 3: 1}


def test_likeness_is_not_passed_along_a_chain() -> None:
    words = [f"w{number}" for number in range(100)]
    drift = [" ".join(words[:keep] + [f"x{number}" for number in range(100 - keep)]) for keep in (100, 93, 86, 79)]
    groups = group({id: signature(text) for id, text in enumerate(drift, start=1)})
    assert (groups[1], groups[2]) == (1, 1)
    assert groups.get(4) != 1


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(sorted(KNOWN)), max_size=12))
def test_adding_documents_leaves_the_groups_of_earlier_ones(texts: list[str]) -> None:
    signatures = {id: KNOWN[text] for id, text in enumerate(texts)}
    all_groups = group(signatures)
    for size in range(len(texts)):
        part = group({id: signatures[id] for id in range(size)})
        assert all(all_groups[id] == leader for id, leader in part.items())


def test_every_exact_repeat_among_real_advisories_is_found() -> None:
    path = folder("topics-pysec-advisories") / "docs.jsonl.gz"
    with gzip.open(path) as lines:
        texts = [json.loads(line)["text"] for line in lines]
    groups = group({id: signature(text) for id, text in enumerate(texts)})
    first: dict[str, int] = {}
    repeats = [
        (id, first[key]) for id, text in enumerate(texts) if first.setdefault(key := content_digest(text), id) != id
    ]
    assert len(repeats) == 602
    assert all(groups[id] == groups[original] for id, original in repeats)


class CountingLsh(MinHashLSH):  # type: ignore[misc]
    """Counts the candidates that it proposes: each costs a comparison."""

    candidates = 0

    def query(self, minhash: object) -> list[object]:
        found: list[object] = super().query(minhash)
        CountingLsh.candidates += len(found)
        return found


def test_unlike_documents_are_hardly_compared_with_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "MinHashLSH", CountingLsh)
    CountingLsh.candidates = 0
    texts = [" ".join(f"w{number * 97 + k * k}" for k in range(60)) for number in range(1200)]
    groups = group({id: signature(text) for id, text in enumerate(texts)})
    assert groups == {}
    assert CountingLsh.candidates < len(texts)  # all pairs would be 719,400
