"""A saved model's files: the encoder's weights, its words, and the tagger that was trained with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from riparian.encoders.storage import read_json
from riparian.encoders.weights import Shape, check_shapes, tensors
from riparian.errors import BadWeights

Arrays = dict[str, NDArray[np.float32]]

WEIGHTS, TAGGER, VOCABULARY = "model.safetensors", "tagger.safetensors", "vocab.json"

_OF_TENSORFLOW = ("checkpoint", "*.ckpt*", "*.index", "*.data-0*", "*.meta")


def refuse_tensorflow(path: Path) -> None:
    """Raises BadWeights for a checkpoint of the published code, or a folder with one, and says why."""
    patterns = _OF_TENSORFLOW if path.is_dir() else (f"{path.name}.index", f"{path.name}.data-0*")
    folder = path if path.is_dir() else path.parent
    found = sorted(each.name for pattern in patterns for each in folder.glob(pattern)) if folder.is_dir() else []
    if found or ".ckpt" in path.name:
        why = "the published code keeps its vocabulary as a pickle, which can run code, and no weights were published"
        what = f"a TensorFlow checkpoint ({', '.join(found[:3]) or path.name}), which is not read: {why}"
        raise BadWeights(path, "a cvt encoder that Riparian saved", what)


def write(path: Path, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


def read(path: Path, shapes: Mapping[str, Shape]) -> Arrays:
    """Exactly these tensors, float32. Raises BadWeights naming the file, and the first tensor that is missing, unknown,
    of another shape or type, or holds a value that is not finite."""
    if not path.is_file():
        raise BadWeights(path, "a safetensors file", "no such file")
    found = tensors([path])
    check_shapes(path, found, shapes)
    for name in found:
        if name not in shapes:
            raise BadWeights(path, f"{len(shapes)} tensors of a cvt encoder", f"also {name}")
        if found[name].dtype != "F32":
            raise BadWeights(path, f"tensor {name} as F32", found[name].dtype)
    arrays: Arrays = load_file(path)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise BadWeights(path, f"finite numbers in tensor {name}", "NaN or infinity")
    return arrays


def write_words(path: Path, words: tuple[str, ...]) -> None:
    path.write_text(json.dumps({"words": list(words)}, ensure_ascii=False) + "\n", encoding="utf-8")


def read_words(path: Path) -> tuple[str, ...]:
    """Raises BadWeights for anything but a list of distinct words."""
    words = read_json(path).get("words")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise BadWeights(path, "a list of words", repr(words)[:80])
    if len(set(words)) != len(words):
        raise BadWeights(path, "every word once", "a word that stands twice")
    return tuple(words)
