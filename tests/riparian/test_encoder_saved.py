"""A saved encoder says what it is, and is refused when it no longer gives the vectors it was saved with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from riparian.encoders import registry, saved
from riparian.encoders.base import Encoder
from riparian.encoders.hashing import HashingEncoder
from riparian.encoders.model_folder import Recipe
from riparian.encoders.subwords import Subwords
from riparian.encoders.transformer import TransformerEncoder
from riparian.encoders.transformer_files import Source
from riparian.errors import AlreadyExists, BadWeights
from riparian.types import Matrix
from tests.riparian.encoder_models import tiny_bert, tiny_glove


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    HashingEncoder(32).save(tmp_path / "saved")
    return tmp_path / "saved"


def load(folder: Path) -> Encoder:
    return registry.load(str(folder), cache_dir=folder.parent)


def test_a_saved_folder_holds_a_card_for_people(folder: Path) -> None:
    text = (folder / "card.md").read_text(encoding="utf-8")

    assert text.startswith("# hashed character n-grams, 32 dimensions\n")
    rows = [line for line in text.splitlines() if line.startswith("| ") and line != "| | |"]
    facts = dict(row.strip("| ").split(" | ", 1) for row in rows)
    assert facts["kind"] == "hashing"
    assert facts["licence"] == "Apache-2.0"
    assert facts["method"] == "as published"
    assert facts["context"].endswith("it cannot tell senses apart")
    assert facts["dimensions"] == "32 for a passage, 32 for a token"
    assert facts["fingerprint"] == f"`{HashingEncoder(32).fingerprint()}`"


def test_a_card_tells_how_an_encoder_was_made_and_hides_what_belongs_to_the_run() -> None:
    training = {"files": ["a.txt", "b.txt"], "tokens": 1200, "loss": {"before": 9.0, "after": 5.5}}
    info = replace(HashingEncoder(32).info, origin="trained-here", method="as-described", token_dim=None, max_tokens=40)

    text = saved.page(replace(info, extra={"engine": "torch 2 on cpu", "training": training, "note": "a | b\nc"}), "ab")

    assert "| origin | trained-here |" in text
    assert "| method | as described, not as published |" in text
    assert "| dimensions | 32 for a passage, no token vectors |" in text
    assert "| longest window | 40 tokens |" in text
    assert "| training: files | a.txt, b.txt |" in text
    assert "| training: loss: after | 5.5 |" in text
    assert "| note | a \\| b c |" in text
    assert "torch" not in text


def test_eight_probes_with_their_vectors_are_saved(folder: Path) -> None:
    probes = json.loads((folder / "probes.json").read_text(encoding="utf-8"))["probes"]
    rows = HashingEncoder(32).encode_passages([probe["text"] for probe in probes], "passage")

    assert len(probes) == 8
    assert np.array_equal(np.array([probe["vector"] for probe in probes], dtype=np.float32), rows)
    assert load(folder).fingerprint() == HashingEncoder(32).fingerprint()


def edit(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def test_a_probe_that_comes_out_differently_is_refused_by_name(folder: Path) -> None:
    probes = json.loads((folder / "probes.json").read_text(encoding="utf-8"))["probes"]
    probes[1]["vector"] = probes[2]["vector"]
    edit(folder / "probes.json", probes=probes)

    with pytest.raises(BadWeights, match=r"I sat by the bank of the river\..*found cosine 0\.\d+; a library computes"):
        load(folder)


@pytest.mark.parametrize(
    "vector", [[0.0] * 32, [float("nan")] * 32, [-x for x in HashingEncoder(32).encode_passages(["x"], "query")[0]]]
)
def test_a_probe_that_cannot_agree_is_refused(vector: list[float], folder: Path) -> None:
    probes = json.loads((folder / "probes.json").read_text(encoding="utf-8"))["probes"]
    probes[7]["vector"] = [float(x) for x in vector]
    edit(folder / "probes.json", probes=probes)

    with pytest.raises(BadWeights, match="the vector it was saved with"):
        load(folder)


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        '{"probes": []}',
        '{"probes": 3}',
        '{"probes": [{"text": "a"}]}',
        '{"probes": [{"text": "a", "vector": [1]}]}',
        "[",
    ],
)
def test_damaged_probes_are_refused(content: str, folder: Path) -> None:
    (folder / "probes.json").write_text(content)

    with pytest.raises(BadWeights, match=r"probes\.json"):
        load(folder)


def test_a_folder_without_probes_is_refused(folder: Path) -> None:
    (folder / "probes.json").unlink()

    with pytest.raises(BadWeights, match=r"probes\.json: expected a JSON file, found no such file"):
        load(folder)


def test_a_changed_card_is_refused(folder: Path) -> None:
    edit(folder / "encoder.json", settings={"dimension": 33})

    with pytest.raises(BadWeights, match="a file was changed"):
        load(folder)
    edit(folder / "encoder.json", settings={})
    with pytest.raises(BadWeights, match="a dimension from 2 to 65536, found None"):
        load(folder)
    edit(folder / "encoder.json", format=2)
    with pytest.raises(BadWeights, match="format 1, found format 2"):
        load(folder)


class Rounded:
    """An engine that stands for a changed library: the same weights, other arithmetic."""

    name, budget, workers, pads = "rounded", 256, 1, True

    def __init__(self, folder: Path, cache: Path, step: float) -> None:
        from riparian.encoders.onnx_engine import OnnxEngine
        from riparian.encoders.onnx_export import exported

        self._inner, self._step = OnnxEngine(exported(folder, "rounded", cache), 1), step
        self.pads = self._inner.pads

    def states(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Matrix:
        states = self._inner.states(ids, mask)
        return np.asarray(np.round(states / self._step) * self._step, dtype=np.float32)


def test_a_library_that_computes_something_else_under_equal_weights_is_refused(tmp_path: Path) -> None:
    model = tiny_bert(tmp_path)
    registry.load(f"bert:{model}", cache_dir=tmp_path).save(tmp_path / "saved")
    source = Source("bert", model, model, "bert", "bert", "none", (), "a test")

    def with_steps_of(step: float) -> Encoder:
        engine = Rounded(model, tmp_path, step)
        return TransformerEncoder(source, Recipe(64), Subwords(model), engine)

    saved.verify(tmp_path / "saved", with_steps_of(1e-4))  # the difference of two machines
    with pytest.raises(BadWeights, match="a library computes something else now"):
        saved.verify(tmp_path / "saved", with_steps_of(1.5))


def test_a_static_encoder_is_checked_too(tmp_path: Path) -> None:
    registry.load(f"glove:{tiny_glove(tmp_path)}", cache_dir=tmp_path).save(tmp_path / "saved")
    assert load(tmp_path / "saved").info.kind == "glove"

    weights = bytearray((tmp_path / "saved" / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "saved" / "model.safetensors").write_bytes(weights)

    with pytest.raises(BadWeights, match="a file was changed"):
        load(tmp_path / "saved")


def test_a_failed_save_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InterruptedError), saved.saving(tmp_path / "saved", HashingEncoder(32), {}):
        raise InterruptedError

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_not_overwritten(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    with pytest.raises(AlreadyExists, match="not empty; give a new folder"):
        HashingEncoder(64).save(folder)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
