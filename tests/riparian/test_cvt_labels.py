"""Where the tags of cross-view training come from: files, and the casing of any text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.encoders.cvt.corpus import LONGEST, Shares, gather_cased, gather_tagged, order, plan, sentences_of
from riparian.encoders.cvt.judging import accuracy, commonest, judged
from riparian.encoders.cvt.labels import CASES, TaggedSentence, case_of, cased, read_tagged
from riparian.encoders.cvt.objective import NO_TAG
from riparian.errors import Invalid, MissingPath, UnreadableFile
from tests.riparian.cvt_models import grammar, plain, tagged

SHARES = Shares(held_out=0.2, labelled=0.25, seed=1)


# ---------------------------------------------------------------- files


def test_a_file_of_words_and_tags_is_read_sentence_by_sentence(tmp_path: Path) -> None:
    path = tmp_path / "tags.txt"
    path.write_text("﻿\n\nMr NN\r\nHill\tNN\n sees  VB \n\n \nL'été NN\n", encoding="utf-8")

    assert read_tagged(path) == (
        (("Mr", "Hill", "sees"), ("NN", "NN", "VB")),
        (("L'été",), ("NN",)),
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Mr NN\n\nHill\n", "line 3: expected a word and its tag, found 1 fields"),
        ("Mr NN\nHill NN B-PER O\n", "line 2: expected a word and its tag, found 4 fields"),
        ("\n\n", "holds no line of a word and a tag"),
    ],
)
def test_a_line_that_is_not_a_word_and_a_tag_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "tags.txt"
    path.write_text(content)

    with pytest.raises(UnreadableFile, match=message) as raised:
        read_tagged(path)
    assert str(path) in str(raised.value)


def test_a_file_in_another_encoding_or_none_at_all_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tags.txt"
    path.write_bytes("été NN\n".encode("latin-1"))

    with pytest.raises(UnreadableFile, match="is not UTF-8"):
        read_tagged(path)
    with pytest.raises(MissingPath):
        read_tagged(tmp_path / "nowhere")


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(*(st.text(st.characters(categories=("L", "N", "P")), min_size=1),) * 2), min_size=1),
        min_size=1,
    )
)
def test_what_is_written_word_by_word_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[list[tuple[str, str]]]
) -> None:
    path = tmp_path_factory.mktemp("tags") / "tags.txt"
    path.write_text("\n\n".join("\n".join(map(" ".join, pairs)) for pairs in sentences), encoding="utf-8", newline="")

    found = read_tagged(path)
    assert [list(zip(*each, strict=True)) for each in found] == sentences


# ---------------------------------------------------------------- casing


@pytest.mark.parametrize(
    ("word", "case"),
    [
        ("bank", "lower"),
        ("Bank", "Capitalised"),
        ("NATO", "UPPER"),
        ("U.S.", "UPPER"),
        ("McDonald", "mixed"),
        ("iPhone", "mixed"),
        ("I", "Capitalised"),
        ("Ärzte", "Capitalised"),
        ("straße", "lower"),
        ("3rd", "lower"),
        ("3", ""),
        ("...", ""),
        ("日本", ""),
        ("שלום", ""),
        ("'S", "Capitalised"),
    ],
)
def test_the_casing_of_a_word_is_one_of_four_and_none_without_cased_letters(word: str, case: str) -> None:
    assert case_of(word) == case
    assert case in (*CASES, "")


def test_a_sentence_is_its_own_answer() -> None:
    assert cased(("Mr", "Hill", "joined", "NATO", "in", "1952", ".")) == (
        ("mr", "hill", "joined", "nato", "in", "1952", "."),
        ("Capitalised", "Capitalised", "lower", "UPPER", "lower", "", ""),
    )


# ---------------------------------------------------------------- what is learnt from


def test_the_casing_of_a_share_of_the_sentences_is_shown() -> None:
    texts = [f"{text} {text}" for text in grammar(600)]
    found = gather_cased(texts, SHARES, size=100, least=1)
    every = len(found.labelled) + len(found.unlabelled) + len(found.held_out)

    assert every == 1200
    assert len(found.held_out) / every == pytest.approx(0.2, abs=0.05)
    assert len(found.labelled) / (every - len(found.held_out)) == pytest.approx(0.25, abs=0.05)
    sides = [{e.words for e in found.labelled}, set(found.unlabelled), {e.words for e in found.held_out}]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    assert all(word == word.lower() for side in sides for words in side for word in words)
    assert found.tags == CASES


def test_given_tags_are_numbered_by_frequency_and_a_share_of_the_sentences_is_held_out() -> None:
    found = gather_tagged([*tagged(200), TaggedSentence(("x", "y"), ("O", ""))], plain(50), SHARES, 100, 1)

    assert found.tags[0] == "O"
    assert sorted(found.tags) == ["O", "OBJECT", "SUBJECT", "VERB"]
    assert all(tag in (NO_TAG, *range(4)) for e in (*found.labelled, *found.held_out) for tag in e.tags)
    distinct = {each.words for each in tagged(200)} | {("x", "y")}
    assert len({e.words for e in found.held_out}) == round(0.2 * len(distinct))
    assert not {e.words for e in found.held_out} & {e.words for e in found.labelled}
    assert not {e.words for e in found.held_out} & set(found.unlabelled)


def test_the_same_text_and_seed_fall_apart_the_same_way_and_another_tag_has_another_digest() -> None:
    one, again = (gather_tagged(tagged(50), plain(20), SHARES, 100, 1) for _ in range(2))
    changed = [TaggedSentence(tagged(50)[0].words, ("O",) * 4), *tagged(50)[1:]]

    assert one == again
    assert gather_tagged(changed, plain(20), SHARES, 100, 1).digest != one.digest


@pytest.mark.parametrize("sentence", [(("a", "b"), ("O",)), ((), ()), (("a", ""), ("O", "O"))])
def test_a_tagged_sentence_that_cannot_be_is_named(sentence: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    with pytest.raises(Invalid, match="tagged sentence 2"):
        gather_tagged([tagged(1)[0], TaggedSentence(*sentence)], plain(5), SHARES, 100, 1)


def test_too_little_text_is_refused_with_what_there_is() -> None:
    with pytest.raises(Invalid, match=r"no unlabelled sentences .*held out"):
        gather_tagged(tagged(50), [], SHARES, 100, 1)
    with pytest.raises(Invalid, match="no labelled sentences"):
        gather_cased(["Two words.", "1 2 3"], Shares(0.5, 0.5, 1), 100, 1)


def test_the_vocabulary_counts_the_words_that_are_learnt_from_in_the_form_they_are_looked_up_in() -> None:
    found = gather_tagged(
        [TaggedSentence(("A1", "b"), ("X", "X")), TaggedSentence(("a2", "c"), ("X", "X"))], ["a3 B d."], SHARES, 3, 1
    )
    (judge,) = {e.words for e in found.held_out}
    counts = {"a0": 2, "b": 2 if "c" in judge else 1, "c": 0 if "c" in judge else 1, ".": 1, "d": 1}

    assert found.vocabulary == tuple(sorted((w for w in counts if counts[w]), key=lambda w: (-counts[w], w))[:3])


def test_long_sentences_are_read_in_stretches_and_single_words_left_out() -> None:
    found = list(sentences_of(f"Yes. {' '.join(f'w{number}' for number in range(150))}"))

    assert [len(words) for words in found if words[0] != "Yes"] == [LONGEST, LONGEST, 150 - 2 * LONGEST]
    assert all(len(words) >= 2 for words in found)


def test_an_epoch_takes_every_sentence_once() -> None:
    lengths = [3, 9, 4, 4, 12, 5]
    planned = plan(lengths, budget=14)

    assert sorted(row for batch in planned for row in batch) == list(range(6))
    assert all(len(batch) == 1 or len(batch) * max(lengths[row] + 2 for row in batch) <= 14 for batch in planned)
    assert sorted(order(9, 1, 0, 0)) == list(range(9))
    assert order(9, 1, 0, 0).tolist() != order(9, 1, 0, 1).tolist()


# ---------------------------------------------------------------- judging


def test_plain_guesses_are_the_commonest_tag_and_that_of_each_word() -> None:
    found = gather_tagged(tagged(80), plain(10), SHARES, 100, 1)
    plain_tag, by_word = commonest(found.labelled)
    counted = np.bincount([tag for e in found.labelled for tag in e.tags])

    assert counted[plain_tag] == counted.max()
    assert found.tags[by_word["the"]] == "O"
    assert {found.tags[by_word[verb]] for verb in ("sees", "leaves", "counts")} == {"VERB"}


def test_accuracy_leaves_out_words_without_a_tag() -> None:
    found = gather_cased(grammar(200), SHARES, 100, 1)
    perfect = [e.tags for e in found.held_out]
    wrong = [tuple(tag if tag == NO_TAG else (tag + 1) % 4 for tag in tags) for tags in perfect]

    assert accuracy(perfect, found.held_out) == 1.0
    assert accuracy(wrong, found.held_out) == 0.0


def test_a_report_counts_the_words_that_it_judges_by() -> None:
    found = gather_cased(grammar(200), SHARES, 100, 1)

    class Oracle:
        def tag(self, sentences: object) -> list[tuple[str, ...]]:
            return [tuple(found.tags[max(0, tag)] for tag in e.tags) for e in found.held_out]

    report = judged(Oracle(), found)
    assert report["accuracy"] == 1.0
    assert report["held_out_words"] == sum(tag != NO_TAG for e in found.held_out for tag in e.tags)
    assert 0 < report["accuracy_commonest_tag"] < report["accuracy_commonest_tag_of_the_word"] <= 1.0
