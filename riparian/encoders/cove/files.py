"""The MT-LSTM's weights: the published PyTorch file, read without running code, and safetensors."""

from __future__ import annotations

import pickle
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from riparian.encoders.fingerprint import file_digest
from riparian.encoders.storage import write_file
from riparian.encoders.weights import Shape
from riparian.errors import BadWeights

Arrays = dict[str, NDArray[np.float32]]

WEIGHTS = "model.safetensors"
LAYERS = 2
_VERSION = "v1"

# what torch.load raises as it comes upon damage: in the archive, in the pickle, in a tensor's description
_DAMAGE = (
    pickle.UnpicklingError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    MemoryError,
    struct.error,
)


def shapes(width: int, hidden: int) -> dict[str, Shape]:
    """Names and shapes of a two-layer bidirectional LSTM as torch names them: word vectors of `width` numbers in,
    `hidden` numbers out of each direction."""
    found: dict[str, Shape] = {}
    for layer in range(LAYERS):
        for way in ("", "_reverse"):
            end = f"l{layer}{way}"
            found[f"weight_ih_{end}"] = (4 * hidden, 2 * hidden if layer else width)
            found[f"weight_hh_{end}"] = (4 * hidden, hidden)
            found[f"bias_ih_{end}"] = found[f"bias_hh_{end}"] = (4 * hidden,)
    return found


def converted(path: Path, cache_dir: Path) -> Arrays:
    """The tensors of a published file, kept as safetensors in the cache under its SHA-256.

    Raises as `read_published`.
    """
    kept = cache_dir / "cove" / f"{file_digest(path)}.{_VERSION}.safetensors"
    if not kept.is_file():
        found = read_published(path)
        write_file(kept, lambda draft: write_safetensors(draft, found))
    return read_safetensors(kept)


def read_published(path: Path) -> Arrays:
    """The 16 tensors of an MT-LSTM's state dict as float32.

    Raises BadWeights for a file that holds anything but tensors, is damaged, or names the first tensor that is missing,
    unknown, of another shape than the others ask for, or not of finite floating point numbers.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a pickle's version; what it holds decides
            found = torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGE as error:
        why = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise BadWeights(path, "a state dict of tensors and nothing else (no other pickle is opened)", why) from error
    if not isinstance(found, Mapping):
        raise BadWeights(path, "a state dict", type(found).__name__)
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise BadWeights(path, "a state dict of named tensors", f"{name!r}: {type(value).__name__}")
    return _checked(path, found)


def write_safetensors(path: Path, tensors: Arrays) -> None:
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, path)


def read_safetensors(path: Path) -> Arrays:
    """As `read_published`, from a safetensors file."""
    try:
        found = load_file(path)
    except FileNotFoundError:
        raise BadWeights(path, "a safetensors file", "no such file") from None
    except SafetensorError as error:
        raise BadWeights(path, "a safetensors file", str(error)) from error
    return _checked(path, {name: torch.from_numpy(tensor) for name, tensor in found.items()})


def sizes(tensors: Arrays) -> tuple[int, int]:
    """(width of the word vectors read, numbers out of each direction)."""
    return tensors["weight_ih_l0"].shape[1], tensors["weight_hh_l0"].shape[1]


def _checked(path: Path, found: Mapping[str, torch.Tensor]) -> Arrays:
    for name in ("weight_ih_l0", "weight_hh_l0"):
        if name not in found:
            raise BadWeights(path, f"tensor {name} of a two-layer bidirectional LSTM", "no such tensor")
        if found[name].dim() != 2 or 0 in found[name].shape:
            raise BadWeights(path, f"tensor {name} with two dimensions", f"shape {tuple(found[name].shape)}")
    expected = shapes(found["weight_ih_l0"].shape[1], found["weight_hh_l0"].shape[1])
    if unknown := sorted(found.keys() - expected.keys()):
        raise BadWeights(path, f"the {len(expected)} tensors of a two-layer bidirectional LSTM", f"also {unknown[0]}")
    return {name: _tensor(path, name, shape, found.get(name)) for name, shape in expected.items()}


def _tensor(path: Path, name: str, shape: Shape, found: torch.Tensor | None) -> NDArray[np.float32]:
    if found is None:
        raise BadWeights(path, f"tensor {name} of shape {shape}", "no such tensor")
    if tuple(found.shape) != shape:
        raise BadWeights(path, f"tensor {name} of shape {shape}", f"shape {tuple(found.shape)}")
    if not found.is_floating_point():
        raise BadWeights(path, f"tensor {name} of floating point numbers", str(found.dtype))
    if found.layout != torch.strided or found.device.type != "cpu":
        raise BadWeights(path, f"tensor {name} with all its numbers", f"{found.layout} on {found.device}")
    tensor = np.array(found.detach().float().numpy(), dtype=np.float32)
    if not np.isfinite(tensor).all():
        raise BadWeights(path, f"finite numbers in tensor {name}", "NaN or infinity")
    return tensor
