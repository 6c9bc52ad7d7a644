"""A tag for each word: linear layer and LSTM over encoders of several kinds, BIO spans, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from riparian.encoders.base import Encoder, EncoderInfo
from riparian.encoders.hashing import HashingEncoder
from riparian.encoders.registry import load as load_encoder
from riparian.errors import BadWeights, IndexMismatch, Invalid
from tests.riparian.elmo_models import tiny_elmo
from tests.training.head_examples import tagged
from training.heads.card import WEIGHTS
from training.heads.tagging import Tagging, load
from training.heads.tags import is_bio, spans
from training.heads.word_vectors import encoded, spans_of
from training.material import Material, Run, Tagged

ENCODER = HashingEncoder(32)
HEAD = Tagging()
BILSTM = {"network": "bilstm", "hidden": 16, "epochs": 10, "learning_rate": 0.02}


def material(count: int = 120) -> Material:
    return Material("made for the test", tagged=tagged(count))


class Stopped(Exception):
    """Someone stopped the run."""


# ------------------------------------------------------------------------------ learning


def test_an_lstm_learns_from_its_neighbours_what_a_word_alone_does_not_tell(tmp_path: Path) -> None:
    """Every name is both, so that a linear layer on vectors without context can only guess."""
    linear = HEAD.train(ENCODER, material(), tmp_path / "linear", Run(workers=1), {"epochs": 2})["figures"]
    lstm = HEAD.train(ENCODER, material(), tmp_path / "lstm", Run(workers=1), BILSTM)["figures"]
    assert linear["head"]["span_f1"]["mean"] < 0.8
    assert lstm["head"]["span_f1"]["mean"] > 0.95
    assert lstm["head"]["accuracy"]["low"] > lstm["commonest_tag_of_the_word"]["accuracy"]["high"]
    assert lstm["commonest_tag"]["span_f1"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    [found] = load(tmp_path / "lstm").apply(ENCODER, ["We saw Austin with actor music in Florence Paris."])
    assert [(word.start, word.tag) for word in found if word.tag != "O"] == [(7, "B-PER"), (34, "B-LOC"), (43, "I-LOC")]


def test_a_linear_layer_learns_where_the_encoder_sees_context(tmp_path: Path) -> None:
    encoder = load_encoder(f"elmo:{tiny_elmo(tmp_path)}", cache_dir=tmp_path / "cache", device="cpu", threads=1)
    figures = HEAD.train(encoder, material(), tmp_path / "head", Run(workers=1), {"epochs": 60})["figures"]
    assert figures["head"]["accuracy"]["mean"] > figures["commonest_tag_of_the_word"]["accuracy"]["mean"] + 0.03


@pytest.mark.parametrize("settings", [{"epochs": 2}, BILSTM], ids=["linear", "bilstm"])
def test_a_run_that_was_stopped_goes_on_to_the_same_head(tmp_path: Path, settings: dict[str, object]) -> None:
    def stop(done: int, total: int) -> None:
        if done == 33:
            raise Stopped

    HEAD.train(ENCODER, material(40), tmp_path / "whole", Run(workers=1), settings)
    run = Run(workers=1, checkpoint=tmp_path / "checkpoint")
    with pytest.raises(Stopped):
        HEAD.train(ENCODER, material(40), tmp_path / "head", replace(run, progress=stop), settings)
    HEAD.train(ENCODER, material(40), tmp_path / "head", run, settings)
    assert (tmp_path / "head" / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()


def test_the_curve_tells_how_good_fewer_sentences_are(tmp_path: Path) -> None:
    encoder = HashingEncoder(32)
    report = HEAD.train(encoder, material(60), tmp_path / "head", Run(workers=1), {"epochs": 1, "curve": True})
    assert [part["sentences"] for part in report["by_labels"]] == [10, 30]
    assert all(0 <= part["span_f1"]["low"] <= part["span_f1"]["high"] <= 1 for part in report["by_labels"])


def test_words_without_a_tag_are_neither_learnt_from_nor_judged(tmp_path: Path) -> None:
    some = [replace(one, tags=("", "", *one.tags[2:])) for one in tagged(60)]
    HEAD.train(ENCODER, Material("", tagged=some), tmp_path / "head", Run(workers=1), {"epochs": 1})
    head = load(tmp_path / "head")
    assert head.card.labels == ("B-LOC", "B-PER", "I-LOC", "O")
    new = Tagged(("in", "Rome", "we", "sleep"), ("", "", "O", ""))
    assert head.judge(ENCODER, [new])["figures"]["head"]["accuracy"]["mean"] in (0.0, 1.0)


def test_tags_of_a_sentence_do_not_depend_on_those_beside_it(tmp_path: Path) -> None:
    HEAD.train(ENCODER, material(40), tmp_path / "head", Run(workers=1), BILSTM)
    head, sentences = load(tmp_path / "head"), [one.words for one in tagged(20, seed=5)]
    alone = [head.tag(ENCODER, [sentence])[0] for sentence in sentences]
    assert head.tag(ENCODER, [*sentences, ()]) == [*alone, ()]


# ------------------------------------------------------------------------------ spans


def test_spans_are_read_as_conlleval_does() -> None:
    assert spans(["B-A", "I-A", "B-A", "O", "I-A", "I-B", "I-B"]) == {
        (0, 2, "A"),
        (2, 3, "A"),
        (4, 5, "A"),
        (5, 7, "B"),
    }
    assert is_bio(["O", "B-A", "I-A", ""])
    assert not is_bio(["NOUN", "O"])
    assert not is_bio(["O", "O"])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.sampled_from("AB")), max_size=6))
def test_spans_written_as_tags_are_read_back(parts: list[tuple[int, int, str]]) -> None:
    tags: list[str] = []
    wanted = set()
    for gap, length, kind in parts:
        tags += ["O"] * gap
        wanted.add((len(tags), len(tags) + length, kind))
        tags += [f"B-{kind}", *[f"I-{kind}"] * (length - 1)]
    assert spans(tags) == wanted


@given(st.lists(st.text("aé漢-'", min_size=1, max_size=5), max_size=6))
def test_words_stand_where_their_sentence_has_them(words: list[str]) -> None:
    assert [" ".join(words)[start:end] for start, end in spans_of(words)] == words


def test_a_word_s_vector_is_the_encoder_s_own() -> None:
    found = encoded(ENCODER, [("river", "bank"), (), ("bank",)])
    [encoding] = ENCODER.encode_tokens(["bank"])
    assert np.array_equal(found.of(0)[1], encoding.vectors[0])
    assert np.array_equal(found.of(2), encoding.vectors)
    assert found.bounds == (0, 2, 2, 3)


# ------------------------------------------------------------------------------ what is refused


class Wholes(HashingEncoder):
    """One vector a text, none for words."""

    @property
    def info(self) -> EncoderInfo:
        return replace(super().info, token_dim=None)


def test_an_encoder_of_whole_texts_another_encoder_and_a_seen_sentence_are_refused(tmp_path: Path) -> None:
    whole: Encoder = Wholes(32)
    with pytest.raises(Invalid, match=r"cannot be learnt on .*none for its words"):
        HEAD.train(whole, material(), tmp_path / "head", Run(), {})
    HEAD.train(ENCODER, material(40), tmp_path / "head", Run(workers=1), {"epochs": 1})
    head = load(tmp_path / "head")
    with pytest.raises(IndexMismatch, match="tagging head"):
        head.tag(HashingEncoder(64), [("a",)])
    with pytest.raises(Invalid, match="was learnt from"):
        head.judge(ENCODER, tagged(40))


def test_unknown_networks_sparse_tags_and_damaged_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="network 'deep' is not known; give linear or bilstm"):
        HEAD.train(ENCODER, material(), tmp_path / "head", Run(), {"network": "deep"})
    with pytest.raises(Invalid, match="at least 2 tags"):
        HEAD.train(ENCODER, Material("", tagged=[Tagged(("a",), ("X",))] * 5), tmp_path / "head", Run(), {})
    HEAD.train(ENCODER, material(40), tmp_path / "head", Run(workers=1), BILSTM)
    arrays = load_file(tmp_path / "head" / WEIGHTS)
    save_file({name: array for name, array in arrays.items() if name != "lstm.bias_hh_l0"}, tmp_path / "head" / WEIGHTS)
    with pytest.raises(BadWeights, match=r"tensor lstm\.bias_hh_l0"):
        load(tmp_path / "head")
