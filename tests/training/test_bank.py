"""The bank bench: facts hold for any weights of every kind; figures are asked of real ones."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from riparian.encoders import registry
from riparian.encoders.base import Encoding
from riparian.encoders.hashing import HashingEncoder
from riparian.errors import Invalid, MissingPath, UnreadableFile
from riparian.types import Role
from tests import evaldata
from training.bank.bench import bank
from training.bank.occurrences import Occurrence, balanced, built_in, read_occurrences
from training.bank.sentences import MONEY, RIVER
from training.bank.separation import separation

FEW = [*built_in()[:5], *built_in()[24:29]]


class Confused(HashingEncoder):
    """Says it reads contexts, and does not; or says it does not, and does."""

    def __init__(self, contextual: str, kind: str = "hashing", counts: bool = False) -> None:
        super().__init__(16)
        self._said, self._kind, self._counts = contextual, kind, counts

    @property
    def info(self):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        return replace(super().info, contextual=self._said, kind=self._kind)  # type: ignore[arg-type]

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        found = super().encode_tokens(texts, role)
        if self._counts:
            for text, one in zip(texts, found, strict=True):
                one.vectors[:, 0] += len(text)
        return found


@pytest.mark.parametrize(
    ("encoder", "broken"),
    [
        (Confused("none"), None),
        (Confused("none", counts=True), "static, but"),
        (Confused("full"), "one vector in all contexts"),
        (Confused("full", counts=True), "of 45 pairs in different texts have equal vectors"),
        (Confused("window", counts=True), None),
        (Confused("window", "context2vec-awe", counts=True), "sees the word in its place: only 0 of 16"),
    ],
)
def test_a_broken_fact_is_named(encoder: Confused, broken: str | None) -> None:
    found = bank(encoder, [*FEW[:9], Occurrence("bank", "river", FEW[0].text[:-1] + "!", 14, 18)], permutations=0)
    assert (found.broken_facts == ()) if broken is None else (broken in found.broken_facts[0])


def test_the_default_encoder_tells_the_senses_apart(tmp_path: Path) -> None:
    found = bank(registry.load("sentence-transformers", cache_dir=tmp_path, threads=1), built_in())
    assert (found.occurrences, found.unknown, found.pairs, found.equal) == (48, 0, 1128, 0)
    assert found.broken_facts == ()
    assert found.separates and found.auc == pytest.approx(0.972, abs=0.005)
    figures = found.separation["bank"]
    assert figures.senses == {"money": 24, "river": 24}
    assert figures.within > 0.15 and figures.across < -0.15 and figures.p_value < 0.01


def test_a_static_encoder_tells_nothing_apart() -> None:
    found = bank(HashingEncoder(64), built_in(), permutations=50)
    assert found.identical and found.pairs == found.equal == 1128
    assert (found.auc, found.separation["bank"].within, found.separation["bank"].p_value) == (0.5, 0.0, 1.0)
    assert not found.separates


def test_a_row_is_json_and_tells_its_progress() -> None:
    seen: list[tuple[int, int]] = []
    found = bank(HashingEncoder(16), FEW, permutations=5, progress=lambda done, total: seen.append((done, total)))
    assert json.loads(json.dumps(asdict(found)))["separation"]["bank"]["senses"] == {"money": 5, "river": 5}
    assert seen == [(number, 10) for number in range(1, 11)]


def test_one_sense_alone_says_nothing() -> None:
    with pytest.raises(Invalid, match="two senses"):
        bank(HashingEncoder(16), FEW[:5])


# ------------------------------------------------------------------------------------------------ separation


@given(st.integers(0, 1000), st.integers(2, 6), st.integers(2, 6))
def test_the_area_is_that_of_scikit_learn(seed: int, money: int, river: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(money + river, 3)).astype(np.float32)
    senses = ["money"] * money + ["river"] * river
    found = separation(rows, senses, seed=1, permutations=0)
    assert found is not None
    away = rows - rows.mean(axis=0)
    unit = away / np.linalg.norm(away, axis=1, keepdims=True)
    pairs = [(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows))]
    same = [senses[i] == senses[j] for i, j in pairs]
    cosines = [float(unit[i] @ unit[j]) for i, j in pairs]
    assert found.auc == pytest.approx(roc_auc_score(same, cosines), abs=1e-6)
    assert found.within == pytest.approx(np.mean([c for c, s in zip(cosines, same, strict=True) if s]), abs=1e-5)


def test_separate_senses_have_the_least_p_value_and_shuffled_ones_do_not() -> None:
    numbers = np.random.default_rng(2)
    rows = numbers.normal(size=(40, 5)).astype(np.float32)
    rows[:20, 0] += 6
    senses = ["a"] * 20 + ["b"] * 20
    apart = separation(rows, senses, seed=1, permutations=200)
    mixed = separation(rows, [str(sense) for sense in numbers.permutation(senses)], seed=1, permutations=200)
    assert apart is not None and mixed is not None
    assert apart.auc > 0.9 and apart.p_value == 1 / 201
    assert mixed.auc < 0.6 and mixed.p_value > 0.05


def test_a_sense_that_stands_once_is_left_out() -> None:
    rows = np.eye(5, dtype=np.float32)
    found = separation(rows, ["a", "a", "b", "b", "c"], seed=1, permutations=0)
    assert found is not None and found.senses == {"a": 2, "b": 2}
    assert separation(rows, ["a", "a", "a", "a", "b"], seed=1) is None


# ------------------------------------------------------------------------------------------------ occurrences


def test_the_built_in_sentences_hold_the_classic_pair_and_twenty_more_of_each_sense() -> None:
    found = built_in()
    assert Counter(one.sense for one in found) == {"money": 24, "river": 24}
    assert all(one.text[one.start : one.end] == "bank" for one in found)
    assert len(set(MONEY) | set(RIVER)) == 48
    assert MONEY[0] == "I went to the bank to deposit money." and RIVER[0] == "I sat by the bank of the river."


def test_labelled_occurrences_are_read_from_json_lines(tmp_path: Path) -> None:
    rows = [
        {"word": "bank", "sense": "money", "text": "a bank lends", "position": 1},
        {"word": "bank", "sense": "river", "text": "the banks rise", "position": 1},
        {"word": "bank", "sense": "river", "text": "two shores", "position": 1},
        {"word": "bow", "sense": "ship", "text": "bow first", "position": 0},
    ]
    path = tmp_path / "some.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    assert list(read_occurrences(path, ["bank"])) == [
        Occurrence("bank", "money", "a bank lends", 2, 6),
        Occurrence("bank", "river", "the banks rise", 4, 9),
    ]
    assert len(list(read_occurrences(path))) == 3


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"word": "a"}', '{"word": "a", "sense": "b", "text": "a", "position": 7}']
)
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text(f'{{"word": "a", "sense": "b", "text": "a", "position": 0}}\n{line}\n')
    with pytest.raises(UnreadableFile, match="line 2 is no labelled occurrence"):
        list(read_occurrences(path))
    with pytest.raises(MissingPath):
        list(read_occurrences(tmp_path / "none.jsonl"))


def test_senses_are_balanced_by_the_seed() -> None:
    given = [
        Occurrence("w", sense, f"{sense} {n}", 0, 1) for sense, count in (("a", 30), ("b", 7)) for n in range(count)
    ]
    given += [Occurrence("v", "only", "v", 0, 1)]
    found = balanced(given, most=20, seed=1)
    assert Counter(one.sense for one in found) == {"a": 7, "b": 7}
    assert found == balanced(given, most=20, seed=1) != balanced(given, most=20, seed=2)
    assert found == sorted(found, key=given.index)


def test_occurrences_of_wikipedia_are_read() -> None:
    path = evaldata.folder("wsd-coarsewsd20") / "sentences.jsonl.gz"
    found = list(read_occurrences(path, ["bank"]))
    assert Counter(one.sense for one in found) == {"bank_bank": 1494, "bank_bank_(geography)": 68}
    assert all(one.text[one.start : one.end].startswith("bank") for one in found)
