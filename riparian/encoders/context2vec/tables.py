"""The tensors and words of either kind in Riparian's own folder: safetensors and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from riparian.encoders.weights import Shape
from riparian.errors import BadWeights

Arrays = dict[str, NDArray[Any]]

WEIGHTS, VOCABULARY = "model.safetensors", "vocab.json"


def write(folder: Path, words: Sequence[str], tensors: Mapping[str, NDArray[Any]]) -> None:
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, folder / WEIGHTS)
    (folder / VOCABULARY).write_text(json.dumps(list(words), ensure_ascii=False), encoding="utf-8")


def read_words(folder: Path) -> tuple[str, ...]:
    """Raises BadWeights where `vocab.json` is no list of words."""
    path = folder / VOCABULARY
    try:
        words = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadWeights(path, "a JSON list of words", "no such file") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadWeights(path, "valid JSON", str(error)) from error
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise BadWeights(path, "a JSON list of words", type(words).__name__)
    return tuple(words)


def read_tensors(folder: Path) -> Arrays:
    """Raises BadWeights for a damaged file."""
    path = folder / WEIGHTS
    try:
        return load_file(path)
    except FileNotFoundError:
        raise BadWeights(path, "a safetensors file", "no such file") from None
    except SafetensorError as error:
        raise BadWeights(path, "a safetensors file", str(error)) from error


def checked(path: Path, name: str, shape: Shape, found: NDArray[Any] | None) -> NDArray[np.float32]:
    """The tensor as float32. Raises BadWeights naming it where it is missing, mis-shaped or not finite numbers."""
    if found is None:
        raise BadWeights(path, f"tensor {name} of shape {shape}", "no such tensor")
    if found.shape != shape:
        raise BadWeights(path, f"tensor {name} of shape {shape}", f"shape {found.shape}")
    if found.dtype.kind != "f":
        raise BadWeights(path, f"tensor {name} of floating point numbers", str(found.dtype))
    tensor = np.asarray(found, dtype=np.float32)
    if not np.isfinite(tensor).all():
        raise BadWeights(path, f"finite numbers in tensor {name}", "NaN or infinity")
    return tensor
