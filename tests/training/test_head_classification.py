"""A class for a text: what is learnt, what is refused, and that the encoder stays as it is."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from safetensors.numpy import load_file, save_file

from riparian.encoders.base import Encoder
from riparian.encoders.hashing import HashingEncoder
from riparian.encoders.registry import load as load_encoder
from riparian.errors import AlreadyExists, BadWeights, Conflict, IndexMismatch, Invalid
from tests.riparian.encoder_models import tiny_bert
from tests.training.head_examples import reviews
from training.heads.baselines import bag_of_words, majority
from training.heads.card import CARD, WEIGHTS
from training.heads.classification import Classification, load
from training.heads.parts import check_apart, parts
from training.material import Labelled, Material, Run

ENCODER = HashingEncoder(64)
QUICK = {"epochs": 2}
HEAD = Classification()


def material(count: int = 200) -> Material:
    return Material("made for the test", labelled=reviews(count))


class Stopped(Exception):
    """Someone stopped the run."""


class Stop:
    """A progress that stops the run at a step."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self, done: int, total: int) -> None:
        if done == self.at:
            raise Stopped


# ------------------------------------------------------------------------------ learning


def test_learns_what_tells_the_classes_apart_and_says_it_of_new_texts(tmp_path: Path) -> None:
    report = HEAD.train(ENCODER, material(), tmp_path / "head", Run(workers=1), {})
    assert report["figures"]["head"]["accuracy"]["mean"] > 0.95
    assert report["figures"]["majority"]["accuracy"]["mean"] < 0.7
    assert report["figures"]["head_over_majority"]["low"] > 0.2
    good, bad = load(tmp_path / "head").apply(ENCODER, ["a gripping, wise and tender film", "a stale and lazy script"])
    assert (good.label, bad.label) == ("positive", "negative")
    assert sum(good.probabilities.values()) == pytest.approx(1)
    assert good.probabilities["positive"] > 0.5


def test_the_confusion_counts_every_held_out_example_once(tmp_path: Path) -> None:
    report = HEAD.train(ENCODER, material(), tmp_path / "head", Run(workers=1), QUICK)
    counts = np.array(report["confusion"]["true_by_guessed"])
    assert counts.sum() == report["data"]["held_out"] == 40
    assert np.trace(counts) / 40 == pytest.approx(report["figures"]["head"]["accuracy"]["mean"], abs=1e-4)
    assert sum(report["data"][part] for part in ("learnt", "chosen_by", "held_out")) == 200


@pytest.mark.parametrize("engine", ["torch", "onnx"])
def test_leaves_every_tensor_of_the_encoder_bit_equal(tmp_path: Path, engine: str) -> None:
    folder = tiny_bert(tmp_path)
    encoder = load_encoder(f"bert:{folder}", cache_dir=tmp_path / "cache", device="cpu", threads=1, engine=engine)
    before, texts = load_file(folder / "model.safetensors"), [example.text for example in reviews(20)]
    rows, network = encoder.encode_passages(texts, "passage"), _parameters(encoder)
    HEAD.train(encoder, material(60), tmp_path / "head", Run(workers=1), QUICK)
    after = load_file(folder / "model.safetensors")
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert before.keys() == after.keys()
    assert all(torch.equal(kept, now) for kept, now in zip(network, _parameters(encoder), strict=True))
    assert np.array_equal(rows, encoder.encode_passages(texts, "passage"))


def _parameters(encoder: Encoder) -> list[torch.Tensor]:
    model = getattr(encoder._engine, "_model", None)  # type: ignore[attr-defined]
    return [value.clone() for value in model.parameters()] if model is not None else []


def test_the_same_examples_and_seed_give_the_same_files_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        HEAD.train(ENCODER, material(), tmp_path / name, Run(seed=seed, workers=1), QUICK)
    one, again, other = ((tmp_path / name / WEIGHTS).read_bytes() for name in ("one", "again", "other"))
    assert one == again
    assert one != other


def test_a_run_that_was_stopped_goes_on_to_the_same_head(tmp_path: Path) -> None:
    HEAD.train(ENCODER, material(), tmp_path / "whole", Run(workers=1), QUICK)
    run = Run(workers=1, checkpoint=tmp_path / "checkpoint")
    with pytest.raises(Stopped):
        HEAD.train(ENCODER, material(), tmp_path / "head", replace(run, progress=Stop(37)), QUICK)
    assert not (tmp_path / "head").exists()
    heard: list[int] = []
    HEAD.train(ENCODER, material(), tmp_path / "head", replace(run, progress=lambda done, _: heard.append(done)), QUICK)
    assert next(done for done in heard if done) == 38
    for file in (WEIGHTS, CARD):
        assert (tmp_path / "head" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_a_run_can_be_stopped_while_texts_are_encoded(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        HEAD.train(ENCODER, material(), tmp_path / "head", Run(workers=1, progress=Stop(0)), QUICK)


def test_the_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    run = Run(workers=1, checkpoint=tmp_path / "checkpoint")
    HEAD.train(ENCODER, material(), tmp_path / "one", run, QUICK)
    with pytest.raises(Conflict, match="other settings or text"):
        HEAD.train(ENCODER, material(), tmp_path / "two", run, {"epochs": 3})


def test_a_larger_penalty_is_kept_where_examples_are_few_and_a_given_one_is_obeyed(tmp_path: Path) -> None:
    report = HEAD.train(ENCODER, material(), tmp_path / "head", Run(workers=1), QUICK | {"penalty": 0.5})
    assert report["penalty"] == 0.5
    assert list(report["macro_f1_to_choose_by"]) == ["0.5"]


def test_balanced_finds_more_of_a_rare_label(tmp_path: Path) -> None:
    many, few = ([example for example in reviews(400) if example.label == label] for label in ("negative", "positive"))
    rare = Material("one in six", labelled=[*many[:150], *few[:30]])
    found = {}
    for balanced in (False, True):
        settings = QUICK | {"penalty": 10.0, "balanced": balanced}
        report = HEAD.train(ENCODER, rare, tmp_path / str(balanced), Run(seed=3, workers=1), settings)
        found[balanced] = report["labels"]["positive"]["recall"]
    assert found[False] < 0.2 < 0.5 < found[True]


# ------------------------------------------------------------------------------ no leak


def test_texts_that_differ_in_case_marks_and_spacing_alone_stand_on_one_side() -> None:
    texts = [f"Sentence number {number}!" for number in range(40)]
    found = parts([*texts, *(text.upper().replace("!", " ?") for text in texts)], seed=1, held_out=0.3)
    for side in (found.learnt, found.chosen_by, found.held_out):
        assert set(side % 40) == {row % 40 for row in side if row < 40}


def test_examples_of_one_group_stand_on_one_side() -> None:
    groups = [number // 5 for number in range(100)]
    found = parts([f"text {number}" for number in range(100)], 1, 0.2, groups)
    sides = [{groups[row] for row in side} for side in (found.learnt, found.chosen_by, found.held_out)]
    assert sum(map(len, sides)) == 20
    assert len(set.union(*sides)) == 20


def test_a_duplicate_on_both_sides_fails_loudly() -> None:
    with pytest.raises(Invalid, match=r"document 4, held out to judge by, was learnt from as document 2 .equal text"):
        check_apart(["one text", "a second, text", "third"], ["A second text!"])


def test_a_head_is_not_judged_on_a_text_that_it_has_seen(tmp_path: Path) -> None:
    examples = reviews(260)
    HEAD.train(ENCODER, Material("", labelled=examples[:200]), tmp_path / "head", Run(workers=1), QUICK)
    head = load(tmp_path / "head")
    figures = head.judge(ENCODER, examples[200:])["figures"]["head"]
    assert 0.5 < figures["accuracy"]["mean"] <= 1
    learnt = examples[int(parts([one.text for one in examples[:200]], 0, 0.2).learnt[0])]
    with pytest.raises(Invalid, match=r"example 2 .* was learnt from"):
        head.judge(ENCODER, [examples[210], replace(learnt, text=learnt.text.upper())])


# ------------------------------------------------------------------------------ what is refused


def test_a_head_answers_with_its_own_encoder_alone_and_names_both(tmp_path: Path) -> None:
    HEAD.train(ENCODER, material(), tmp_path / "head", Run(workers=1), QUICK)
    other = HashingEncoder(32)
    both = f"{re.escape(ENCODER.info.name)} .{ENCODER.fingerprint()[:12]}.*{re.escape(other.info.name)}.*learnt on"
    with pytest.raises(IndexMismatch, match=both):
        load(tmp_path / "head").apply(other, ["a text"])


def test_an_unknown_setting_too_little_material_and_a_full_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no setting 'rate'"):
        HEAD.train(ENCODER, material(), tmp_path / "head", Run(), {"rate": 1})
    with pytest.raises(Invalid, match="epochs of classification must be like 20, not 'many'"):
        HEAD.train(ENCODER, material(), tmp_path / "head", Run(), {"epochs": "many"})
    with pytest.raises(Invalid, match="at least 2 labels; there are 30 of 1"):
        alone = [replace(example, label="same") for example in reviews(30)]
        HEAD.train(ENCODER, Material("", labelled=alone), tmp_path / "head", Run(), {})
    with pytest.raises(Invalid, match="no example of 'rare' to"):
        lone = [*reviews(50), Labelled("something else entirely", "rare")]
        HEAD.train(ENCODER, Material("", labelled=lone), tmp_path / "head", Run(), {})
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(AlreadyExists):
        HEAD.train(ENCODER, material(), tmp_path / "full", Run(), {})


def test_a_damaged_head_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "head"
    HEAD.train(ENCODER, material(), folder, Run(workers=1), QUICK)
    arrays = load_file(folder / WEIGHTS)
    save_file(arrays | {"biases": arrays["biases"][:1].copy()}, folder / WEIGHTS)
    with pytest.raises(BadWeights, match=r"tensor biases of shape .2,.*found shape .1,"):
        load(folder)
    (folder / WEIGHTS).write_bytes(b"\x80\x04K*.")
    with pytest.raises(BadWeights, match="a safetensors file"):
        load(folder)
    (folder / CARD).write_text(json.dumps({"format": 9}))
    with pytest.raises(BadWeights, match="format 1"):
        load(folder)


def test_a_text_that_the_encoder_knows_nothing_of_is_said_to_be_so(tmp_path: Path) -> None:
    HEAD.train(ENCODER, material(), tmp_path / "head", Run(workers=1), QUICK)
    empty, full = load(tmp_path / "head").apply(ENCODER, ["", "a film"])
    assert (empty.known, full.known) == (False, True)
    assert np.isfinite(list(empty.probabilities.values())).all()


# ------------------------------------------------------------------------------ what it is compared with


def test_the_bag_of_words_knows_the_words_and_the_majority_only_the_commonest_label() -> None:
    examples = reviews(200)
    truth = np.array([example.label == "positive" for example in examples], dtype=np.int64)
    texts = [example.text for example in examples]
    guesses = bag_of_words(texts[:150], truth[:150], texts[150:])
    assert (guesses == truth[150:]).mean() > 0.95
    assert_allclose(majority(np.array([2, 1, 2]), 3), [2, 2, 2])
    assert bag_of_words(["...", "!"], np.array([1, 0]), ["word"]).tolist() == [0]
