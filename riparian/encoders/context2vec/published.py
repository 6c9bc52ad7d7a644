"""A published model: `.params`, `.targets` (word2vec text) and the network's `.npz`, read without pickle."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.context2vec import params as lines
from riparian.encoders.context2vec.network import TARGETS, Arrays, Sizes
from riparian.encoders.context2vec.tables import checked
from riparian.encoders.context2vec.vocabulary import FIRST_WORD, MARKS
from riparian.encoders.weights import Shape
from riparian.encoders.word_vectors import converted, mapped
from riparian.errors import BadWeights

_WIDER = 2
"""LSTMs and targets are twice as wide as `unit`, as published."""

_DAMAGE = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError)


@dataclass(frozen=True, slots=True)
class Published:
    """A model, read and checked."""

    name: str
    sizes: Sizes
    words: tuple[str, ...]
    tensors: Arrays


def read(path: Path, cache_dir: Path) -> Published:
    """From a `.params` file or the folder with one. The targets are converted once, into `cache_dir`.

    Raises MissingPath for a file that is not there, BadWeights naming the file, what it must hold and what it holds.
    """
    source = lines.found_in(path)
    params = lines.read(source)
    if lines.model_type(params) != "lstm_context":
        raise BadWeights(source, "model_type lstm_context", f"{lines.model_type(params)} (see context2vec-awe)")
    unit, deep = lines.whole(source, params, "unit", 1), lines.yes(source, params, "deep")
    words_file = lines.beside(source, params, "words_file")
    vectors = mapped(converted(words_file, cache_dir))
    if len(vectors.words) <= FIRST_WORD or tuple(vectors.words[:FIRST_WORD]) != MARKS:
        raise BadWeights(words_file, f"the marks {', '.join(MARKS)} first", ", ".join(vectors.words[:FIRST_WORD]))
    sizes = Sizes(len(vectors.words), unit, _WIDER * unit, _WIDER * unit, deep)
    shapes = sizes.shapes()
    targets = checked(words_file, TARGETS, shapes[TARGETS], np.asarray(vectors.matrix))
    tensors = read_npz(lines.beside(source, params, "model_file"), shapes) | {TARGETS: targets}
    return Published(source.name.removesuffix(".params"), sizes, tuple(vectors.words), tensors)


def read_npz(path: Path, shapes: Mapping[str, Shape]) -> Arrays:
    """The tensors of these names and shapes as float32; others are passed over.

    Raises BadWeights naming the first that is not as expected, and for arrays of Python objects, which are pickles.
    """
    found: dict[str, NDArray[Any] | None] = {}
    try:
        with zipfile.ZipFile(path) as file, np.load(path, allow_pickle=False) as arrays:
            names = {entry.filename.removesuffix(".npy") for entry in file.infolist()}
            for name in shapes:
                found[name] = arrays[name] if name in names else None
    except _DAMAGE as error:
        raise BadWeights(path, "a NumPy .npz file of plain arrays", str(error)) from error
    return {name: checked(path, name, shape, found[name]) for name, shape in shapes.items()}
