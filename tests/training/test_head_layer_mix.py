"""Another mix of an ELMo's layers: what is learnt, what is kept, who is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from riparian.encoders.elmo.encoder import ElmoEncoder
from riparian.encoders.hashing import HashingEncoder
from riparian.encoders.registry import load as load_encoder
from riparian.errors import Invalid
from tests.riparian.elmo_models import tiny_elmo
from tests.riparian.encoder_models import tiny_bert
from tests.training.head_examples import reviews
from training.heads.fitting import Plan
from training.heads.layer_mix import LayerMix
from training.heads.mixing import learn
from training.material import Material, Run

HEAD = LayerMix()
QUICK = {"epochs": 1, "name": "mixed"}


class Stopped(Exception):
    """Someone stopped the run."""


@pytest.fixture
def elmo(tmp_path: Path) -> ElmoEncoder:
    spec = f"elmo:{tiny_elmo(tmp_path)}"
    return cast(ElmoEncoder, load_encoder(spec, cache_dir=tmp_path / "cache", device="cpu", threads=1))


def material(count: int = 60) -> Material:
    return Material("made for the test", labelled=reviews(count))


def test_the_layer_that_tells_the_classes_apart_gets_most_of_the_weight() -> None:
    numbers = np.random.default_rng(1)
    truth = numbers.integers(0, 2, 300)
    layers = numbers.normal(size=(300, 3, 6)).astype(np.float32)
    layers[:, 1, 0] += 3 * truth
    mix = learn(layers, truth, 2, 0.01, Plan(300, 40, 32, 0.03), Run(workers=1), "")
    assert mix.weights()[1] > 0.6
    assert mix.gamma > 1


def test_the_new_encoder_has_the_mix_and_every_tensor_of_the_old_one(elmo: ElmoEncoder, tmp_path: Path) -> None:
    before = {name: tensor.copy() for name, tensor in elmo.model.tensors.items()}
    report = HEAD.train(elmo, material(), tmp_path / "new", Run(workers=1), QUICK)
    new = cast(ElmoEncoder, load_encoder(str(tmp_path / "new"), cache_dir=tmp_path / "cache", device="cpu", threads=1))
    assert all(np.array_equal(before[name], new.model.tensors[name]) for name in before)
    assert all(np.array_equal(before[name], tensor) for name, tensor in elmo.model.tensors.items())
    assert [round(weight, 4) for weight in new.model.mix.weights()] == report["mix"]["weights"]
    assert new.model.mix.gamma == report["mix"]["gamma"] != 1
    assert new.fingerprint() != elmo.fingerprint() == report["base_fingerprint"]
    assert (new.info.origin, new.info.name) == ("fine-tuned", "mixed")
    assert set(report["figures"]) >= {"uniform", "top_only", "learnt", "layer_0_only", "learnt_over_uniform"}


def test_a_run_that_was_stopped_goes_on_to_the_same_encoder(elmo: ElmoEncoder, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 60:
            raise Stopped

    whole = HEAD.train(elmo, material(), tmp_path / "whole", Run(workers=1), QUICK)
    run = Run(workers=1, checkpoint=tmp_path / "checkpoint")
    with pytest.raises(Stopped):
        HEAD.train(elmo, material(), tmp_path / "new", replace(run, progress=stop), QUICK)
    assert not (tmp_path / "new").exists()
    assert HEAD.train(elmo, material(), tmp_path / "new", run, QUICK) == whole


def test_encoders_without_a_mix_are_refused_with_the_reason(tmp_path: Path) -> None:
    bert = load_encoder(f"bert:{tiny_bert(tmp_path)}", cache_dir=tmp_path, device="cpu", engine="torch", threads=1)
    for encoder, why in ((HashingEncoder(8), "has one layer"), (bert, "bert gives its last layer")):
        with pytest.raises(Invalid, match=why):
            HEAD.train(encoder, material(), tmp_path / "new", Run(), {})
