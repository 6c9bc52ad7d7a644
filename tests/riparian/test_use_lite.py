"""The Universal Sentence Encoder, English lite: read from the files of its package, computed in NumPy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from riparian.encoders import registry
from riparian.encoders.options import Options
from riparian.encoders.use_lite.encoder import UseLiteEncoder
from riparian.encoders.use_lite.loading import convert, load
from riparian.encoders.use_lite.network import Shape, UseLiteNetwork
from riparian.errors import AlreadyExists, BadWeights, Invalid, MissingPath
from tests.riparian.use_lite_models import HEADS, LONGEST, NARROW, WIDTH, constants, tiny_use_lite, write


def opened(folder: Path) -> UseLiteEncoder:
    return load(str(folder), Options(folder))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return tiny_use_lite(tmp_path)


def reference(found: dict[str, np.ndarray], ids: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """States and sentence vector of one text by torch's own attention and norm, in 64 bits."""

    def the(end: str) -> torch.Tensor:
        (name,) = (name for name in found if end in name)
        return torch.tensor(found[name], dtype=torch.float64).squeeze()

    angles = torch.arange(len(ids), dtype=torch.float64)[:, None] * the("TimingSignal")
    rows = 2 * the("Embeddings_en")[ids] + torch.cat([angles.sin(), angles.cos()], dim=1)
    for layer, read in enumerate((NARROW, WIDTH)):
        own = f"Layer_{layer}/TransformerLayer/"
        norm, attention = own + "layer_prepostprocess/layer_norm/layer_norm", own + "MultiheadAttention/"
        normed = functional.layer_norm(rows, (read,), the(f"{norm}_scale"), the(f"{norm}_bias"), 1e-6)
        parts = normed @ the(attention + "qkv_transform_single/kernel") + the(attention + "qkv_transform_single/bias")
        query, key, value = (part.reshape(len(ids), HEADS, -1).transpose(0, 1) for part in parts.chunk(3, dim=1))
        seen = functional.scaled_dot_product_attention(query, key, value).transpose(0, 1).reshape(len(ids), read)
        kept = rows if layer else rows @ the("dense/kernel") + the("dense/bias")
        out = attention + "output_transform_single/"
        rows = seen @ the(out + "kernel") + the(out + "bias") + kept
        norm = own + "FFN/layer_prepostprocess/layer_norm/layer_norm"
        normed = functional.layer_norm(rows, (WIDTH,), the(f"{norm}_scale"), the(f"{norm}_bias"), 1e-6)
        wide = (normed @ the(own + "FFN/conv1/Tensordot/Reshape_1") + the(own + "FFN/conv1/bias")).relu()
        rows = rows + wide @ the(own + "FFN/conv2/Tensordot/Reshape_1") + the(own + "FFN/conv2/bias")
    sentence = torch.tanh(rows.mean(dim=0) @ the("tanh_layer_0/weights") + the("tanh_layer_0/bias"))
    return rows.numpy(), functional.normalize(sentence, dim=0).numpy()


# ------------------------------------------------------------------------------------------------ what is computed


def test_states_and_sentences_are_those_of_torchs_own_layers(package: Path) -> None:
    encoder = opened(package)
    text = "the river bank left interest rates"

    states, sentence = reference(constants(), [6, 7, 8, 13, 14, 15])

    assert np.abs(encoder.encode_tokens([text])[0].vectors - states).max() < 1e-5
    assert np.abs(encoder.encode_passages([text], "query")[0] - sentence).max() < 1e-6


def test_a_network_of_zero_layers_gives_the_projected_embeddings() -> None:
    shape = Shape(pieces=5, narrow=4, width=6, inner=3, dimension=2, layers=2, heads=2, longest=8, epsilon=1e-6)
    weights = {name: np.zeros(size, dtype=np.float32) for name, size in shape.tensors().items()}
    weights["words"] = np.arange(20, dtype=np.float32).reshape(5, 4)
    weights["residual.kernel"][:4, :4] = np.eye(4)
    weights["residual.bias"][:] = 1

    states = UseLiteNetwork(shape, weights, Path("here")).states(np.array([[3, 1]]))

    assert states[0, 0].tolist() == [25, 27, 30, 32, 1, 1]  # 2 * row 3 + (sin 0, sin 0, cos 0, cos 0) + 1
    assert states[0, 1].tolist() == [9, 11, 14, 16, 1, 1]


def test_a_token_sees_its_neighbours_and_its_place(package: Path) -> None:
    river, money = (opened(package).encode_tokens([text])[0] for text in ("river bank", "money bank"))
    moved = opened(package).encode_tokens(["the the river bank"])[0]

    assert not np.allclose(river.vectors[1], money.vectors[1], atol=1e-3)
    assert not np.allclose(river.vectors[1], moved.vectors[3], atol=1e-3)


def test_the_longest_window_is_the_graphs_own(package: Path) -> None:
    encoder = opened(package)

    assert encoder.info.max_tokens == LONGEST
    assert len(encoder.encode_tokens(["the river bank " * 30])[0].vectors) == 90


# ------------------------------------------------------------------------------------------------ pieces


@pytest.mark.parametrize(
    ("text", "tokens", "offsets"),
    [
        ("the river", ["▁the", "▁river"], [(0, 3), (4, 9)]),
        ("  the\n\t river ", ["▁the", "▁river"], [(2, 5), (8, 13)]),
        ("ﬁve", ["▁", "f", "i", "v", "e"], [(0, 1), (0, 1), (0, 1), (1, 2), (2, 3)]),
        ("the 😀👍 bank", ["▁the", "▁", "😀👍", "▁bank"], [(0, 3), (3, 4), (4, 6), (7, 11)]),
        (" 0", ["▁", "0"], [(1, 2), (1, 2)]),
        ("", [], []),
    ],
)
def test_pieces_point_into_the_text_as_it_was(
    text: str, tokens: list[str], offsets: list[tuple[int, int]], package: Path
) -> None:
    found = opened(package).tokenize([text])[0]

    assert list(found.tokens) == tokens
    assert found.offsets.tolist() == [list(span) for span in offsets]


# ------------------------------------------------------------------------------------------------ folders


@pytest.mark.parametrize("inner", ["", "dist"])
@pytest.mark.parametrize("kind", ["use-lite", "use"])
def test_either_kind_reads_the_package_wherever_npm_puts_it(kind: str, inner: str, package: Path) -> None:
    encoder = registry.load(f"{kind}:{package / inner}", cache_dir=package)

    assert (encoder.info.kind, encoder.info.licence, encoder.info.languages) == ("use-lite", "Apache-2.0", ("en",))
    assert "not those of the npm package" in encoder.info.provenance


def test_a_converted_folder_loads_by_its_path_and_by_either_kind(package: Path, tmp_path: Path) -> None:
    original = opened(package)
    into = convert(package, tmp_path / "saved")

    for spec in (str(into), f"use-lite:{into}", f"use:{into}"):
        found = registry.load(spec, cache_dir=tmp_path)
        assert found.fingerprint() == original.fingerprint()
        assert np.array_equal(
            found.encode_passages(["the bank"], "query"), original.encode_passages(["the bank"], "query")
        )
    assert "Apache-2.0" in (into / "card.md").read_text()
    assert sorted(path.name for path in into.iterdir()) == [
        *("card.md", "config.json", "encoder.json", "model.safetensors", "probes.json", "vocab.json")
    ]
    with pytest.raises(AlreadyExists):
        convert(package, into)


def test_a_folder_without_the_model_and_no_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="npm package"):
        load("", Options(tmp_path))
    with pytest.raises(MissingPath):
        opened(tmp_path)
    with pytest.raises(MissingPath):
        opened(tmp_path / "no")


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda graph: graph.pop("weightsManifest"), "weightsManifest"),
        (lambda graph: graph["weightsManifest"][0]["paths"].append("../../secret"), "shards beside it"),
        (lambda graph: graph["weightsManifest"][0]["paths"].pop(), "cut short"),
        (lambda graph: graph["weightsManifest"][0]["paths"].append("group9"), "no such file"),
        (lambda graph: graph["weightsManifest"][0]["weights"][0].update(quantization={}), "not quantised"),
        (lambda graph: graph["weightsManifest"][0]["weights"][0].update(dtype="string"), "float32"),
        (lambda graph: graph["weightsManifest"][0]["weights"].pop(), "bytes of shards"),
        (lambda graph: graph["weightsManifest"][0]["weights"][0].update(name="other"), "Embeddings_en"),
    ],
)
def test_a_damaged_graph_is_refused_by_name(change: Change, message: str, package: Path) -> None:
    path = package / "dist/model.json"
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))

    with pytest.raises(BadWeights, match=message):
        opened(package)


def test_a_graph_that_computes_otherwise_is_refused(tmp_path: Path) -> None:
    found = constants()
    (scale,) = (name for name in found if "Layer_1/TransformerLayer/MultiheadAttention/mul/y" in name)
    with pytest.raises(BadWeights, match=r"queries of layer 1 scaled by 0\.40825"):
        opened(write(tmp_path / "scaled", found | {scale: np.array(0.5, dtype=np.float32)}))
    (bias,) = (name for name in found if "Layer_0/TransformerLayer/FFN/conv2/bias" in name)
    with pytest.raises(BadWeights, match=r"layers\.0\.narrow\.bias of shape \(12,\)"):
        opened(write(tmp_path / "shaped", found | {bias: found[bias][:-1]}))


def test_a_changed_saved_folder_is_refused(package: Path, tmp_path: Path) -> None:
    saved = convert(package, tmp_path / "saved")
    for name, change, message in (
        ("config.json", lambda data: data.replace(b'"heads": 2', b'"heads": 5'), "heads"),
        ("config.json", lambda data: data.replace(b'"layers"', b'"floors"'), "floors"),
        ("model.safetensors", lambda data: data[:-8], "cut short"),
        ("vocab.json", lambda data: data.replace(b"river", b"rover"), "a file was changed"),
        ("vocab.json", lambda data: b'[["a"]]', "pieces with their scores"),
    ):
        shutil.copytree(saved, tmp_path / "changed", dirs_exist_ok=True)
        path = tmp_path / "changed" / name
        path.write_bytes(change(path.read_bytes()))
        with pytest.raises(BadWeights, match=message):
            opened(tmp_path / "changed")
