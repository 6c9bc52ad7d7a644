"""Classification in two stages: a new encoder and its head, the old one untouched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from riparian.encoders.base import Encoder
from riparian.encoders.hashing import HashingEncoder
from riparian.encoders.registry import load as load_encoder
from riparian.errors import IndexMismatch, Invalid
from tests.riparian.encoder_models import tiny_bert
from tests.training.head_examples import reviews
from training.heads.card import WEIGHTS
from training.heads.table import load
from training.heads.tuned_classification import TunedClassification
from training.material import Material, Run

HEAD = TunedClassification()
QUICK = {"epochs": 1, "stars": 5, "tuning_epochs": 1, "tuning_batch": 8, "tuning_rate": 1e-3}


class Stopped(Exception):
    """Someone stopped the run."""


def tiny(spec: Path | str, folder: Path) -> Encoder:
    return load_encoder(f"bert:{spec}", cache_dir=folder / "cache", device="cpu", threads=1, engine="torch")


def material() -> Material:
    return Material("made for the test", labelled=reviews(60, labels=("1 star", "5 stars")))


def test_a_new_encoder_comes_with_its_head_and_the_old_one_stays(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path)
    old, before = tiny(folder, tmp_path), load_file(folder / "model.safetensors")
    report = HEAD.train(old, material(), tmp_path / "new", Run(workers=1), QUICK)
    after = load_file(folder / "model.safetensors")
    assert all(np.array_equal(before[name], after[name]) for name in before)
    new, head = tiny(tmp_path / "new" / "encoder", tmp_path), load(tmp_path / "new")
    assert new.fingerprint() != old.fingerprint() == report["tuning"]["base_fingerprint"]
    assert new.info.origin == "fine-tuned"
    assert head.card.encoder["spec"] == f"bert:{tmp_path / 'new' / 'encoder'}"
    assert head.apply(new, ["a gripping film"])[0].label in ("negative", "positive")  # type: ignore[list-item, union-attr]
    assert {"head", "frozen", "tuned_over_frozen", "majority", "bag_of_words"} <= set(report["figures"])
    assert report["tuning"]["examples"] == report["data"]["learnt"]
    with pytest.raises(IndexMismatch):
        head.apply(old, ["a gripping film"])  # type: ignore[list-item]


def test_a_run_that_was_stopped_goes_on_to_the_same_encoder_and_head(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise Stopped

    old = tiny(tiny_bert(tmp_path), tmp_path)
    HEAD.train(old, material(), tmp_path / "whole", Run(workers=1), QUICK)
    assert load(tmp_path / "whole").card.labels == ("negative", "positive")
    run = Run(workers=1, checkpoint=tmp_path / "checkpoint")
    with pytest.raises(Stopped):
        HEAD.train(old, material(), tmp_path / "new", replace(run, progress=stop), QUICK)
    assert not (tmp_path / "new").exists()
    HEAD.train(old, material(), tmp_path / "new", run, QUICK)
    for file in (Path("encoder") / "model.safetensors", Path("head") / WEIGHTS):
        whole, resumed = (load_file(tmp_path / name / file) for name in ("whole", "new"))
        assert all(np.array_equal(whole[name], resumed[name]) for name in whole)


def test_what_is_no_transformer_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"tunes transformers .* of the kind hashing: it has no weights"):
        HEAD.train(HashingEncoder(8), material(), tmp_path / "new", Run(), {})
