"""Text that was shuffled, and pairs that were put together at random, are told from real ones."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from riparian.errors import Invalid
from tests.evaldata import folder
from tests.riparian.trained_models import grammar
from training.material import Pair
from training.plausible import LEAST_RATIO, check_order, check_pairs, order_ratio, pairs_z

SETS = [
    ("classify-sentence-polarity", "texts.jsonl.gz", "text"),
    ("topics-state-of-the-union", "docs.jsonl.gz", "text"),
    ("topics-18f-blog", "docs.jsonl.gz", "text"),
    ("xquad", "de-paragraphs.jsonl.gz", "text"),
    ("xquad", "es-paragraphs.jsonl.gz", "text"),
    ("sts-benchmark", "ru-test.jsonl.gz", "sentence1"),
    ("sts-benchmark", "ja-test.jsonl.gz", "sentence1"),
    ("sts-benchmark", "zh-test.jsonl.gz", "sentence1"),
]


def texts_of(path: Path, field: str, most: int = 1500) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)[field] for _, line in zip(range(most), lines, strict=False)]


def shuffled(texts: Sequence[str]) -> list[str]:
    numbers, found = np.random.default_rng(0), []
    for text in texts:
        blank = " " if len(text.split()) > 3 else ""
        parts = text.split() if blank else list(text)
        found.append(blank.join(parts[row] for row in numbers.permutation(len(parts))))
    return found


@pytest.mark.parametrize(("name", "file", "field"), SETS)
def test_real_text_of_any_language_passes_and_the_same_words_shuffled_do_not(name: str, file: str, field: str) -> None:
    texts = texts_of(folder(name) / file, field)
    assert (order_ratio(texts) or 0) > LEAST_RATIO + 0.5
    assert (order_ratio(shuffled(texts)) or 0) < LEAST_RATIO - 0.3
    check_order(texts)
    with pytest.raises(Invalid, match="the words of this text stand in no order"):
        check_order(shuffled(texts))


def test_too_little_text_is_not_judged() -> None:
    assert order_ratio(shuffled(grammar(50))) is None
    assert order_ratio([]) is None
    check_order(shuffled(grammar(50)))


def test_one_long_text_is_judged_by_its_parts() -> None:
    text = " ".join(grammar(1000))
    check_order([text])
    with pytest.raises(Invalid):
        check_order(shuffled([text]))


@pytest.mark.parametrize("name", ["retrieval-scifact", "retrieval-cranfield"])
def test_titles_belong_to_their_texts_and_not_to_others(name: str) -> None:
    with gzip.open(folder(name) / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for _, line in zip(range(600), lines, strict=False)]
    pairs = [Pair(row["title"], row["text"]) for row in rows if row["title"]]
    check_pairs(pairs)
    turned = [Pair(a.first, b.second) for a, b in zip(pairs, pairs[7:] + pairs[:7], strict=True)]
    with pytest.raises(Invalid, match="put together at random"):
        check_pairs(turned)


def test_few_pairs_and_pairs_of_two_languages_are_not_judged() -> None:
    assert pairs_z([Pair("a b", "c d")] * 5) is None
    apart = [Pair(f"water{n} bank", f"wasser{n} ufer") for n in range(50)]
    assert pairs_z(apart) is None
