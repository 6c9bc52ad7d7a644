"""Averaged word embeddings: windows, stop words, idf, blindness to order, and the files they come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.encoders.checks import CHECKS, Subject
from riparian.encoders.context2vec.awe import AweEncoder, Reading, Table
from riparian.encoders.context2vec.awe_loading import load as load_kind
from riparian.encoders.facts import Facts
from riparian.encoders.options import Options
from riparian.errors import BadWeights, Invalid, MissingPath
from tests.riparian.context2vec_models import WORDS, tiny_vectors, write_targets

KNOWN = [word for word in WORDS if word.isalpha()]
NUMBERS = np.random.default_rng(2)
VECTORS = {
    word: row / np.linalg.norm(row) for word, row in zip(KNOWN, NUMBERS.normal(size=(len(KNOWN), 8)), strict=True)
}
COUNTS = {word: 1 + number for number, word in enumerate(KNOWN)}


def build(reading: Reading, *, counts: bool = False) -> AweEncoder:
    counted = np.array([COUNTS[word] for word in KNOWN]) if counts else None
    table = Table(tuple(KNOWN), np.array([VECTORS[word] for word in KNOWN], dtype=np.float32), None, counted)
    return AweEncoder(Facts("tiny", "context2vec-awe", "published", "none", "a test"), table, reading)


def contexts(encoder: AweEncoder, words: list[str]) -> np.ndarray:
    """Context vectors of a sentence."""
    found = encoder.using(
        Reading(encoder.reading.window, encoder.reading.stop_words, encoder.reading.idf, "context"), "x"
    ).encode_tokens([" ".join(words)])[0]
    assert list(found.tokens) == words
    return found.vectors


def load(argument: Path | str, cache: Path) -> AweEncoder:
    return load_kind(str(argument), Options(cache, device="cpu", threads=1))


sentences = st.lists(st.sampled_from(KNOWN), min_size=2, max_size=14)


@settings(deadline=None)
@given(sentences, st.integers(0, 6), st.booleans(), st.booleans())
def test_a_context_is_the_unit_mean_of_the_window_without_stop_words_weighted_by_idf(
    words: list[str], window: int, idf: bool, stopping: bool
) -> None:
    stop = frozenset({"the", "of", "bank"}) if stopping else frozenset[str]()
    measured = contexts(build(Reading(window, stop, idf), counts=True), words)

    for at in range(len(words)):
        first, last = (0, len(words)) if window == 0 else (max(0, at - window), at + window + 1)
        around = words[first:at] + words[at + 1 : last]
        kept = [word for word in around if word not in stop] or around
        weights = [np.log(sum(COUNTS.values()) / COUNTS[word]) if idf else 1.0 for word in kept]
        mean = np.mean([weight * VECTORS[word] for weight, word in zip(weights, kept, strict=True)], axis=0)
        assert np.allclose(measured[at], mean / np.linalg.norm(mean), atol=1e-4)


@settings(deadline=None)
@given(sentences, st.data())
def test_a_slot_is_blind_to_its_own_word_bit_for_bit(words: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(words) - 1))
    other = data.draw(st.sampled_from([*KNOWN, "unheard"]))
    encoder = build(Reading(3))

    assert np.array_equal(contexts(encoder, words)[at], contexts(encoder, [*words[:at], other, *words[at + 1 :]])[at])


@settings(deadline=None)
@given(st.permutations(KNOWN[:5]), st.permutations(KNOWN[5:10]))
def test_it_is_blind_to_the_order_of_the_words_around(left: list[str], right: list[str]) -> None:
    encoder = build(Reading(5))

    found = contexts(encoder, [*left, "bank", *right])[5]

    assert np.allclose(found, contexts(encoder, [*KNOWN[:5], "bank", *KNOWN[5:10]])[5], atol=1e-6)
    assert np.allclose(found, contexts(encoder, [*right, "bank", *left])[5], atol=1e-6)


def test_any_other_word_of_the_window_changes_a_slot_and_none_beyond_it_does() -> None:
    encoder = build(Reading(2))
    words = KNOWN[:9]
    before = contexts(encoder, words)[4]

    for at in {0, 1, 2, 3, 5, 6, 7, 8}:
        after = contexts(encoder, [*words[:at], KNOWN[20], *words[at + 1 :]])[4]
        assert np.allclose(after, before, atol=1e-6) == (at not in {2, 3, 5, 6})


def test_a_window_ends_with_its_sentence() -> None:
    encoder = build(Reading(0, vectors="context"))
    first = encoder.encode_tokens(["The river bank. They watched ducks."])[0]
    other = encoder.encode_tokens(["The river bank. The money went down."])[0]

    assert np.array_equal(first.vectors[:4], other.vectors[:4])


def test_stop_words_stay_where_nothing_else_is_left() -> None:
    encoder = build(Reading(5, frozenset({"the", "of"})))

    alone = contexts(encoder, ["the", "bank", "of"])[1]
    with_more = contexts(encoder, ["the", "bank", "of", "river"])[1]

    mean = VECTORS["the"] + VECTORS["of"]
    assert np.allclose(alone, mean / np.linalg.norm(mean), atol=1e-6)
    assert np.allclose(with_more, VECTORS["river"], atol=1e-6)


def test_an_unknown_word_has_a_context_only_and_a_lone_one_nothing() -> None:
    found = build(Reading()).encode_tokens(["the unheard river", "unheard", "bank"])

    assert not found[0].vectors[1, :8].any()
    assert found[0].vectors[1, 8:].any()
    assert not found[1].known.any()
    assert found[2].known.all()
    assert not found[2].vectors[0, 8:].any()


def test_words_around_can_have_vectors_of_their_own() -> None:
    other = NUMBERS.normal(size=(len(KNOWN), 8)).astype(np.float32)
    table = Table(tuple(KNOWN), np.array([VECTORS[word] for word in KNOWN], dtype=np.float32), other)
    encoder = AweEncoder(build(Reading()).facts, table, Reading())

    found = encoder.encode_tokens(["river bank"])[0].vectors[0]

    mine, around = VECTORS["river"], other[KNOWN.index("bank")]
    assert np.allclose(found, np.concatenate([mine, around / np.linalg.norm(around)]), atol=1e-6)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_with_stop_words_and_idf_it_keeps_the_contract(check: Callable[[Subject], None], tmp_path: Path) -> None:
    encoder = build(Reading(3, frozenset({"the", "of"}), idf=True, vectors="context"), counts=True)
    check(Subject(encoder, lambda saved: load(saved, tmp_path), tmp_path))


def test_settings_of_the_spec_are_kept_and_have_fingerprints_of_their_own(tmp_path: Path) -> None:
    vectors = tiny_vectors(tmp_path)
    counts = tmp_path / "counts.tsv"
    counts.write_text("bank\t5\nriver\t2\nelsewhere\t9\n")
    queries = ["", "?window=0", "?stopwords=en", "?vectors=context", f"?counts={counts}&idf=yes"]
    encoders = [load(f"{vectors}{query}", tmp_path) for query in queries]
    encoders[-1].save(tmp_path / "saved")

    assert len({each.fingerprint() for each in encoders}) == len(queries)
    assert load(tmp_path / "saved", tmp_path).fingerprint() == encoders[-1].fingerprint()
    assert "the" in encoders[2].reading.stop_words
    assert "." in encoders[2].reading.stop_words
    again = load(encoders[-1].info.spec.partition(":")[2], tmp_path)
    assert again.info == encoders[-1].info
    assert (again.info.method, again.info.contextual, again.info.token_dim) == ("as-described", "window", 16)


@pytest.mark.parametrize(
    "query", ["window=-1", "window=all", "stopwords=xx", "idf=yes", "idf=perhaps", "vectors=target", "depth=2"]
)
def test_settings_it_does_not_have_are_refused(query: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        load(f"{tiny_vectors(tmp_path)}?{query}", tmp_path)


def published(folder: Path) -> Path:
    tiny_vectors(folder).rename(folder / "words.txt")
    rows = np.random.default_rng(9).normal(size=(len(WORDS) - 3, 8)).astype(np.float32)
    write_targets(folder / "contexts.txt", WORDS[3:], rows)
    (folder / "counts.tsv").write_text("the\t90\nbank\t5\n")
    path = folder / "bow.params"
    path.write_text(
        "model_type\tbow_context\nwords_file\twords.txt\ncontexts_file\tcontexts.txt\nwindow_size\t4\nstopwords\tyes\n"
        "word_counts_file\tcounts.tsv\n"
    )
    return path


def test_a_published_bag_of_words_model_is_read_with_all_its_parts(tmp_path: Path) -> None:
    encoder = load(published(tmp_path / "bow"), tmp_path)

    assert encoder.reading.window == 4
    assert encoder.reading.idf
    assert "the" in encoder.reading.stop_words
    assert encoder.table.counts is not None
    assert encoder.table.counts[WORDS.index("bank") - 3] == 5
    assert encoder.table.contexts is not None
    assert not np.allclose(encoder.table.contexts, encoder.table.targets)


def test_files_that_cannot_be_are_refused(tmp_path: Path) -> None:
    path = published(tmp_path / "bow")
    (path.parent / "counts.tsv").write_text("the 90\n")
    with pytest.raises(BadWeights, match="a word, a tab and a count in line 1"):
        load(path, tmp_path)
    (path.parent / "counts.tsv").write_text("elsewhere\t90\n")
    with pytest.raises(BadWeights, match="none of them"):
        load(path, tmp_path)
    write_targets(path.parent / "contexts.txt", WORDS[4:], np.ones((len(WORDS) - 4, 8), dtype=np.float32))
    with pytest.raises(BadWeights, match="the words of words_file in the same order"):
        load(path, tmp_path)
    path.write_text("model_type\tlstm_context\n")
    with pytest.raises(BadWeights, match="see context2vec-lstm"):
        load(path, tmp_path)
    with pytest.raises(MissingPath):
        load(tmp_path / "nowhere", tmp_path)
    with pytest.raises(Invalid, match="comes with no vectors"):
        load("", tmp_path)
