"""The fingerprint changes with everything that changes a vector, and with nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from riparian.encoders import registry
from riparian.encoders.fingerprint import fingerprint, tensors_digest
from riparian.encoders.hashing import HashingEncoder
from riparian.encoders.model_folder import Recipe
from riparian.encoders.subwords import Subwords
from riparian.encoders.transformer import TransformerEncoder
from riparian.encoders.transformer_files import Source
from riparian.encoders.weights import digest, tensors
from tests.riparian.encoder_models import WORDS, tiny_bert, vectors

RECIPE = Recipe(48, "mean", {"query": "query: ", "passage": "passage: "})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


class NoEngine:
    """Computes nothing: a fingerprint needs no run time."""

    name, budget, workers, pads = "none", 1, 1, True

    def states(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        raise AssertionError("nothing is encoded here")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("original"))


@pytest.fixture
def model(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "model"))


def mark(model: Path, recipe: Recipe = RECIPE, kind: str = "bert") -> str:
    source = Source(kind, model, model, f"{kind}:{model}", model.name, "none", (), "a test")
    return TransformerEncoder(source, recipe, Subwords(model, recipe.lower), NoEngine()).fingerprint()


# ------------------------------------------------------------------ the function


@given(st.dictionaries(st.text(max_size=5), JSON, min_size=1, max_size=5), st.randoms())
def test_the_order_of_json_keys_does_not_matter(parts: dict[str, Any], random: Any) -> None:
    names = list(parts)
    random.shuffle(names)

    assert fingerprint({name: parts[name] for name in names}) == fingerprint(parts)
    assert fingerprint(json.loads(json.dumps(parts))) == fingerprint(parts)


@given(st.dictionaries(st.text(max_size=5), JSON, min_size=1, max_size=5), st.data())
def test_each_part_counts(parts: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(parts)))
    value = data.draw(JSON)

    same = json.dumps(value, sort_keys=True) == json.dumps(parts[name], sort_keys=True)
    assert (fingerprint(parts | {name: value}) == fingerprint(parts)) == same
    assert fingerprint({key: parts[key] for key in parts if key != name}) != fingerprint(parts)


def test_a_tensors_name_type_shape_and_bytes_count() -> None:
    base = np.arange(6, dtype=np.float32).reshape(2, 3)
    changed = base.copy()
    changed[1, 2] = np.nextafter(np.float32(5), np.float32(6))  # one bit
    found = {
        tensors_digest(tensor)
        for tensor in (
            {"a": base},
            {"b": base},
            {"a": changed},
            {"a": base.reshape(3, 2)},
            {"a": base.view(np.int32)},
            {"a": base, "b": base},
        )
    }

    assert len(found) == 6
    assert tensors_digest({"a": base.astype(">f4")}) == tensors_digest({"a": base})
    assert tensors_digest({"b": base, "a": changed}) == tensors_digest({"a": changed, "b": base})


# ------------------------------------------------------------------ transformers


@pytest.mark.parametrize(
    "change",
    [
        {"max_length": 47},
        {"pooling": "cls"},
        {"pooling": "max"},
        {"prompts": {"query": "query: "}},
        {"prompts": {"query": "query:", "passage": "passage: "}},
        {"include_prompt": False},
        {"lower": True},
    ],
    ids=str,
)
def test_each_setting_of_a_recipe_counts(change: dict[str, Any], original: Path) -> None:
    assert mark(original, replace(RECIPE, **change)) != mark(original)


def _nudged(model: Path) -> None:
    found = load_file(model / "model.safetensors")
    weight = found["encoder.layer.1.output.dense.bias"]
    weight[3] = np.nextafter(weight[3], np.float32(9))
    save_file(found, model / "model.safetensors")


def _reset(model: Path, **values: Any) -> None:
    path = model / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def _other_word(model: Path) -> None:
    path = model / "tokenizer.json"
    path.write_text(path.read_text().replace('"bank"', '"banq"'))


@pytest.mark.parametrize(
    "change",
    [
        _nudged,
        _other_word,
        lambda model: _reset(model, layer_norm_eps=1e-6),
        lambda model: _reset(model, hidden_act="relu"),
        lambda model: _reset(model, num_attention_heads=4),
    ],
    ids=["one bit of one weight", "a word of the tokenizer", "epsilon", "activation", "heads"],
)
def test_each_file_of_a_model_counts(change: Callable[[Path], None], model: Path) -> None:
    before = mark(model)

    change(model)

    assert mark(model) != before


def test_the_kind_counts(original: Path) -> None:
    assert mark(original, kind="sentence-transformers") != mark(original, kind="bert")


def test_what_changes_no_vector_does_not_count(model: Path) -> None:
    before = mark(model)
    config = json.loads((model / "config.json").read_text())
    noise = {"_name_or_path": "/elsewhere", "transformers_version": "9.9", "use_cache": False, "dtype": "float32"}
    (model / "config.json").write_text(json.dumps(dict(reversed((config | noise).items())), indent=7))
    found = load_file(model / "model.safetensors")
    save_file(dict(reversed(found.items())), model / "model.safetensors", {"format": "np", "note": "written again"})

    assert mark(model) == before
    assert mark(Path(shutil.move(model, model.with_name("moved")))) == before


def test_weights_in_one_file_or_two_are_the_same(model: Path) -> None:
    found = load_file(model / "model.safetensors")
    names = sorted(found)
    paths = [model / "model-1-of-2.safetensors", model / "model-2-of-2.safetensors"]
    for path, part in zip(paths, (names[::2], names[1::2]), strict=True):
        save_file({name: found[name] for name in part}, path)

    assert digest(tensors(paths)) == digest(tensors([model / "model.safetensors"]))
    assert digest(tensors(paths)) == tensors_digest_of(found)


def tensors_digest_of(found: dict[str, np.ndarray]) -> str:
    """The same sum over arrays in memory, types under the names of safetensors."""
    import hashlib

    total = hashlib.sha256()
    for name in sorted(found):
        total.update(json.dumps([name, "F32", list(found[name].shape)], separators=(",", ":")).encode())
        total.update(found[name].astype("<f4").tobytes())
    return total.hexdigest()


def test_engine_and_threads_do_not_count(original: Path, tmp_path: Path) -> None:
    found = {
        registry.load(f"bert:{original}", cache_dir=tmp_path, engine=engine, threads=threads).fingerprint()
        for engine, threads in (("onnx", 1), ("onnx", 2), ("torch", 1))
    }

    assert len(found) == 1


def test_a_lower_casing_model_without_tokenizer_json_keeps_its_fingerprint_when_saved(
    model: Path, tmp_path: Path
) -> None:
    vocabulary = json.loads((model / "tokenizer.json").read_text())["model"]["vocab"]
    (model / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)) + "\n", encoding="utf-8")
    (model / "tokenizer.json").unlink()
    (model / "sentence_bert_config.json").write_text('{"max_seq_length": 40, "do_lower_case": true}')
    encoder = registry.load(str(model), cache_dir=tmp_path)

    encoder.save(tmp_path / "saved")
    again = registry.load(str(tmp_path / "saved"), cache_dir=tmp_path)

    assert again.fingerprint() == encoder.fingerprint()
    rows = again.encode_passages(["The BANK", "the bank"], "query")
    assert np.array_equal(rows[0], rows[1])


# ------------------------------------------------------------------ other kinds


def _glove(folder: Path, words: tuple[str, ...], rows: np.ndarray, spec: str = "glove") -> str:
    folder.mkdir(exist_ok=True)
    lines = (f"{word} {' '.join(map(str, row.tolist()))}" for word, row in zip(words, rows, strict=True))
    (folder / "vectors.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return registry.load(f"{spec}:{folder}/vectors.txt", cache_dir=folder).fingerprint()


def test_each_part_of_a_word_table_counts(tmp_path: Path) -> None:
    rows = vectors()
    changed = rows.copy()
    changed[2, 1] = np.nextafter(changed[2, 1], np.float32(9))
    before = _glove(tmp_path / "a", WORDS, rows)

    assert _glove(tmp_path / "b", WORDS, rows) == before
    assert _glove(tmp_path / "c", WORDS, changed) != before
    assert _glove(tmp_path / "d", (*WORDS[:-1], "other"), rows) != before
    assert _glove(tmp_path / "e", WORDS, rows[:, :7]) != before
    assert _glove(tmp_path / "f", WORDS, rows, "word2vec") != before


def test_the_dimension_of_hashed_vectors_counts() -> None:
    assert HashingEncoder(64).fingerprint() != HashingEncoder(65).fingerprint()
