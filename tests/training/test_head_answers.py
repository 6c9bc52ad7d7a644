"""Where an answer stands: what is learnt, that a span is always one of the passage, and how answers are counted."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as drawn_arrays

from riparian.encoders.hashing import HashingEncoder
from riparian.encoders.registry import load as load_encoder
from riparian.errors import IndexMismatch, Invalid
from tests.evaldata import folder
from training.heads.answer_figures import exact, judged, normal, token_f1
from training.heads.answer_match import FEATURES, PASSAGE_FEATURES, Rarity, matched, read
from training.heads.answer_spans import LONGEST, best
from training.heads.answers import Answers, Asked, load
from training.heads.card import WEIGHTS
from training.material import Answered, Material, Run

ENCODER = HashingEncoder(32)
HEAD = Answers()
SMALL = {"epochs": 1, "batch": 4, "rank": 4}
WORDS = "river stone cloud paper window garden letter market forest candle mirror basket".split()
COLOURS = "amber violet crimson indigo scarlet khaki magenta teal".split()


class Stopped(Exception):
    """Someone stopped the run."""


def cued(count: int, seed: int = 1) -> list[Answered]:
    """Two colours stand in each passage, each before a word that stands nowhere else; the question names one."""
    numbers, found = np.random.default_rng(seed), []
    while len(found) < count:
        words = [WORDS[at] for at in numbers.integers(0, len(WORDS), 14)]
        places = numbers.choice(np.arange(0, 13, 2), 2, replace=False)
        for place, cue in zip(places, numbers.permutation(COLOURS), strict=False):
            words[place], words[place + 1] = str(cue), "".join(numbers.choice(list("bdfglmnprst"), 6))
        wanted = int(places[0])
        start = len(" ".join(words[: wanted + 1])) + 1
        end = start + len(words[wanted + 1])
        found.append(Answered(f"What follows {words[wanted]}?", " ".join(words), start, end))
    return found


def material(count: int) -> Material:
    return Material("made for the test", answered=cued(count))


# ------------------------------------------------------------------------------ learning


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head on passages with a cue, some of them without the answer."""
    into = tmp_path_factory.mktemp("heads") / "head"
    HEAD.train(ENCODER, material(200), into, Run(workers=1), {"epochs": 8, "batch": 8, "learning_rate": 0.01})
    return into


def test_learns_to_follow_the_cue_that_the_question_names(learnt: Path) -> None:
    figures = load(learnt).judge(ENCODER, cued(100, seed=9))["figures"]["head"]
    assert figures["exact_match"]["mean"] > 0.9
    assert load(learnt).card.report["figures"]["head_always_answering"]["exact_match"]["mean"] > 0.9


def test_says_that_a_passage_without_the_cue_holds_no_answer(learnt: Path) -> None:
    asked = cued(100, seed=9)
    elsewhere = [
        Answered(one.question, other.passage, None, None)
        for one, other in zip(asked, [*asked[1:], asked[0]], strict=True)
        if one.question[13:-1] not in other.passage
    ]
    assert len(elsewhere) > 50
    assert load(learnt).judge(ENCODER, elsewhere)["figures"]["head"]["has_answer"]["mean"] > 0.9


def test_a_run_that_was_stopped_goes_on_to_the_same_head(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 50:
            raise Stopped

    HEAD.train(ENCODER, material(30), tmp_path / "whole", Run(workers=1), SMALL)
    run = Run(workers=1, checkpoint=tmp_path / "checkpoint")
    with pytest.raises(Stopped):
        HEAD.train(ENCODER, material(30), tmp_path / "head", replace(run, progress=stop), SMALL)
    HEAD.train(ENCODER, material(30), tmp_path / "head", run, SMALL)
    assert (tmp_path / "head" / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()


def test_without_a_passage_that_lacks_the_answer_it_always_answers(tmp_path: Path) -> None:
    report = HEAD.train(ENCODER, material(30), tmp_path / "head", Run(workers=1), SMALL | {"absent": 0.0})
    assert report["data"]["absent"] == 0
    [found] = load(tmp_path / "head").apply(ENCODER, [Asked("What follows nothing?", "one word")])
    assert found.text in ("one", "word", "one word")


# ------------------------------------------------------------------------------ always a span of the passage


@given(question=st.text(max_size=30), passage=st.text(max_size=60))
def test_an_answer_is_a_stretch_of_the_passage_whatever_is_asked(learnt: Path, question: str, passage: str) -> None:
    [found] = load(learnt).apply(ENCODER, [Asked(question, passage)])
    if found.start is None or found.end is None:
        assert (found.end, found.text) == (None, "")
    else:
        assert 0 <= found.start < found.end <= len(passage)
        assert found.text == passage[found.start : found.end]
        assert len(read(found.text).spans) <= LONGEST


@given(drawn_arrays(np.float64, st.tuples(st.integers(1, 80), st.just(2)), elements=st.floats(-9, 9)))
def test_the_best_span_is_the_best_of_all_that_end_where_they_begin_or_later(logits: np.ndarray) -> None:
    words = [(2 * at, 2 * at + 1) for at in range(len(logits) - 1)]
    found = best(logits, words)
    every = [
        logits[1 + a, 0] + logits[1 + b, 1] for a in range(len(words)) for b in range(a, min(a + LONGEST, len(words)))
    ]
    if found.span is None:
        assert not every
    else:
        assert found.span[0] < found.span[1] <= found.span[0] + 2 * LONGEST
        assert found.margin + logits[0].sum() == pytest.approx(max(every))


def test_a_passage_without_a_word_has_no_answer(learnt: Path) -> None:
    found = load(learnt).apply(ENCODER, [Asked("What?", "… !"), Asked("", "word")])
    assert (found[0].start, found[0].text) == (None, "")
    assert np.isfinite(found[1].margin)


def test_the_same_question_has_the_same_answer_alone_and_beside_others(learnt: Path) -> None:
    head, asked = load(learnt), [Asked(one.question, one.passage) for one in cued(12, seed=4)]
    assert head.apply(ENCODER, asked) == [head.apply(ENCODER, [one])[0] for one in asked]


# ------------------------------------------------------------------------------ what is refused


def test_spans_that_are_none_another_encoder_and_seen_passages_are_refused(tmp_path: Path, learnt: Path) -> None:
    for start, end in ((5, 5), (0, 99), (3, 4), (2, None)):
        broken = Material("", answered=[*cued(3), Answered("Who?", "Ann - Bo", start, end)])
        with pytest.raises(Invalid, match=r"the answer of question 4 .* is no words of its passage"):
            HEAD.train(ENCODER, broken, tmp_path / "head", Run(), {})
    with pytest.raises(Invalid, match="no question to learn from has an answer"):
        without = [replace(one, start=None, end=None) for one in cued(20)]
        HEAD.train(ENCODER, Material("", answered=without), tmp_path / "head", Run(), {})
    with pytest.raises(IndexMismatch, match="answers head"):
        load(learnt).apply(HashingEncoder(64), [Asked("a", "b")])
    with pytest.raises(Invalid, match="was learnt from"):
        load(learnt).judge(ENCODER, cued(200))


# ------------------------------------------------------------------------------ how words match


def test_a_word_that_the_question_holds_stands_out_and_so_does_its_sentence() -> None:
    question, passage = read("When did the Rhine flood?"), read("It rained. The Rhine flooded in May. All was well.")
    vectors = [ENCODER.encode_tokens([text.text])[0] for text in (question, passage)]
    asked, words = (found.vectors[: len(text.spans)] for found, text in zip(vectors, (question, passage), strict=True))
    match, whole = matched(question, passage, Rarity.of([passage, read("Other text.")]), asked, words)
    assert match.shape == (10, FEATURES)
    assert whole.shape == (PASSAGE_FEATURES,)
    assert [passage.text[start:end] for (start, end), row in zip(passage.spans, match, strict=True) if row[0]] == [
        "The",
        "Rhine",
        "flooded",
    ]
    assert match[:, 7].tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0, 0]


def test_a_rare_word_weighs_more_than_one_that_stands_everywhere() -> None:
    rarity = Rarity.of([read("the cat"), read("the dog"), read("the end")])
    [everywhere, once, never] = (rarity.weights[stem] for stem in read("the cat zebra").stems)
    assert everywhere == 0 < once < never == 1


def test_each_character_of_chinese_is_a_word_of_its_own() -> None:
    assert [start for start, _ in read("東京 tower 12").spans] == [0, 1, 3, 9]


# ------------------------------------------------------------------------------ how answers are counted


def test_answers_are_compared_without_case_marks_and_articles() -> None:
    assert normal("The 30.5% -- of a Pie!") == ["305", "of", "pie"]
    assert exact("the Rhine", "Rhine.") == 1
    assert token_f1("in the year 1066", "1066") == pytest.approx(2 / 4)
    assert token_f1("the", "") == 1


def test_no_answer_is_right_where_there_is_none() -> None:
    found = judged(["a b", None, None, "c"], ["b", None, "d", None], seed=0)
    assert found["exact_match"]["mean"] == pytest.approx(0.5)
    assert found["exact_match_of_all"]["mean"] == pytest.approx(0.5)
    assert found["has_answer"]["mean"] == pytest.approx(0.5)


def english() -> tuple[list[Answered], list[int]]:
    """XQuAD's English questions, and the article that each belongs to."""
    data = folder("xquad")

    def lines(name: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in gzip.decompress((data / name).read_bytes()).decode().splitlines()]

    passages = {str(one["id"]): one for one in lines("en-paragraphs.jsonl.gz")}
    found, articles = [], []
    for row in lines("en-questions.jsonl.gz"):
        passage, answer = passages[str(row["paragraph"])], row["answers"][0]  # type: ignore[index]
        start = answer["answer_start"]
        found.append(Answered(str(row["question"]), str(passage["text"]), start, start + len(answer["text"])))
        articles.append(int(str(passage["article"])))
    return found, articles


@pytest.mark.slow
def test_answers_questions_on_articles_that_it_has_not_seen(tmp_path: Path) -> None:
    """Far from a large reader, but from a few hundred questions and without touching the encoder: more than the best
    sentence gives."""
    encoder = load_encoder("sentence-transformers", cache_dir=tmp_path / "cache", device="cpu")
    examples, articles = english()
    material, run = Material("XQuAD", answered=examples[::2]), Run(seed=5, workers=1)
    found = HEAD.train(encoder, material, tmp_path / "head", run, {}, articles[::2])["figures"]
    always = found["head_always_answering"]
    assert always["token_f1"]["mean"] > found["best_sentence"]["token_f1"]["mean"] + 0.03
    assert always["exact_match"]["low"] > 0.02
