"""Published weights (`options.json` and HDF5) and Riparian's own folder (safetensors), checked before use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from riparian.encoders.elmo.options import ElmoOptions, read_options
from riparian.encoders.fingerprint import file_digest
from riparian.encoders.weights import Shape
from riparian.errors import BadWeights

Arrays = dict[str, NDArray[np.float32]]

WEIGHTS = "model.safetensors"
STATE_CELL, STATE_OUTPUT = "state/cell", "state/output"

# what h5py raises as it comes upon damage: in the file itself, a group, a name, a type
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError)

_SMALL = (54_402_456, "747ba97abce8a5f446558369e10bb0f7931437a46867476fdd156f5d7f576229")


@dataclass(frozen=True, slots=True)
class Published:
    """A pair of published files, read and checked."""

    options: ElmoOptions
    tensors: Arrays
    name: str
    provenance: str


def read_published(folder: Path) -> Published:
    """The one `*options.json` and the one `*weights.hdf5` of a folder.

    Raises BadWeights for a folder without exactly one of each, an option that cannot be, and a tensor that is
    missing, of another shape, linked out of the file, or holds a value that is not finite.
    """
    options = read_options(_only(folder, "*options.json"))
    weights = _only(folder, "*weights.hdf5")
    name = weights.name.removesuffix("weights.hdf5").rstrip("_-") or folder.name
    return Published(options, read_hdf5(weights, options.shapes()), name, _provenance(weights))


def read_hdf5(path: Path, shapes: Mapping[str, Shape]) -> Arrays:
    """The tensors of these names and shapes as float32. Raises BadWeights naming the first that is not as expected."""
    try:
        with h5py.File(path, "r") as file:
            return {name: _dataset(path, file, name, shape) for name, shape in shapes.items()}
    except _DAMAGE as error:
        raise BadWeights(path, "an HDF5 file", str(error)) from error


def write_safetensors(path: Path, tensors: Arrays) -> None:
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, path)


def read_safetensors(path: Path, shapes: Mapping[str, Shape]) -> Arrays:
    """As `read_hdf5`, from a safetensors file, which may hold no other tensors."""
    try:
        found = load_file(path)
    except FileNotFoundError:
        raise BadWeights(path, "a safetensors file", "no such file") from None
    except SafetensorError as error:
        raise BadWeights(path, "a safetensors file", str(error)) from error
    if unknown := sorted(found.keys() - shapes.keys()):
        raise BadWeights(path, "the tensors of an ELMo encoder", f"also {unknown[0]}")
    return {name: _checked(path, name, shape, found.get(name)) for name, shape in shapes.items()}


def state_shapes(options: ElmoOptions) -> dict[str, Shape]:
    """Tensors of a frozen start state."""
    return {
        STATE_CELL: (2, options.layers, options.cell),
        STATE_OUTPUT: (2, options.layers, options.projection),
    }


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise BadWeights(folder, f"one file {pattern}", ", ".join(path.name for path in found) or "none")
    return found[0]


def _dataset(path: Path, file: h5py.File, name: str, shape: Shape) -> NDArray[np.float32]:
    parts = name.split("/")
    for depth in range(1, len(parts) + 1):
        link = file.get("/".join(parts[:depth]), getlink=True)
        if link is not None and not isinstance(link, h5py.HardLink):
            raise BadWeights(path, f"tensor {name} in the file itself", "a link")
    found = file.get(name)
    if not isinstance(found, h5py.Dataset):
        return _checked(path, name, shape, None)
    if found.is_virtual or found.external:
        raise BadWeights(path, f"tensor {name} in the file itself", "a reference to another file")
    # the shape first: a header may promise more than memory holds
    return _checked(path, name, shape, found[()] if tuple(found.shape) == shape else found)


def _checked(path: Path, name: str, shape: Shape, found: object) -> NDArray[np.float32]:
    if not isinstance(found, np.ndarray | h5py.Dataset):
        raise BadWeights(path, f"tensor {name} of shape {shape}", "no such tensor")
    if tuple(found.shape) != shape:
        raise BadWeights(path, f"tensor {name} of shape {shape}", f"shape {tuple(found.shape)}")
    if found.dtype.kind != "f":
        raise BadWeights(path, f"tensor {name} of floating point numbers", str(found.dtype))
    tensor = np.asarray(found, dtype=np.float32)
    if not np.isfinite(tensor).all():
        raise BadWeights(path, f"finite numbers in tensor {name}", "NaN or infinity")
    return tensor


def _provenance(weights: Path) -> str:
    size, sha256 = _SMALL
    if weights.stat().st_size == size and file_digest(weights) == sha256:
        return "the published small model (2 layers of 1,024 cells, 128 projected), SHA-256 verified"
    return f"local files beside {weights.resolve()}"
