"""A model on disk: one JSON file of facts and one safetensors file of arrays, never pickle."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.errors import BadWeights, IndexMismatch
from topics.base import TopicModel

MODEL, WEIGHTS = "model.json", "weights.safetensors"
_FORMAT = 1

Arrays = Mapping[str, NDArray[Any]]


def write(folder: Path, model: TopicModel, facts: Mapping[str, Any], arrays: Arrays) -> None:
    """Writes what every model has, its own facts (plain values) and its arrays into an existing folder."""
    from safetensors.numpy import save_file

    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / WEIGHTS)
    record = {
        "format": _FORMAT,
        "kind": model.kind,
        "encoder": model.encoder,
        **facts,
        "vocabulary": list(model.vocabulary),
    }
    (folder / MODEL).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def reading(folder: Path) -> Iterator[tuple[dict[str, Any], dict[str, NDArray[Any]]]]:
    """Yields (record, arrays) of a folder that `write` filled.

    Raises BadWeights where files are missing or broken, and for a KeyError, TypeError or ValueError of the block that
    makes a model of them: then they do not fit together.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        record = json.loads((folder / MODEL).read_text(encoding="utf-8"))
        if record["format"] != _FORMAT:
            raise BadWeights(folder / MODEL, f"format {_FORMAT}", f"format {record['format']!r}")
        yield record, load_file(folder / WEIGHTS)
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise BadWeights(folder, "a saved topic model", f"{type(error).__name__}: {error}") from error


def check_input(model: TopicModel, encoder: str, given: tuple[int, int], expected: tuple[int, int]) -> None:
    """Raises IndexMismatch for vectors of another encoder, ValueError where (dimensions, words) are not the model's."""
    if encoder != model.encoder:
        raise IndexMismatch("the topic model", model.encoder, encoder)
    if given != expected:
        raise ValueError(f"expected {expected[0]} dimensions and {expected[1]} words, found {given[0]} and {given[1]}")


def check_shapes(arrays: Arrays, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raises ValueError naming an array that has another shape, KeyError for one that is not there."""
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, found {arrays[name].shape}")
