"""safetensors files: read without running code, checked before use, hashed tensor by tensor."""

from __future__ import annotations

import hashlib
import json
import math
import mmap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from riparian.encoders.fingerprint import canonical, file_digest
from riparian.errors import BadWeights

Shape = tuple[int, ...]

_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 2),
    **dict.fromkeys(("I32", "U32", "F32"), 4),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 8),
}
"""Size of one number of each safetensors type."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where one tensor lies: `begin` and `end` are byte positions in the file `path`."""

    path: Path
    name: str
    dtype: str
    shape: Shape
    begin: int
    end: int


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model folder. Raises BadWeights where there is none, saying so of pickled ones."""
    files = sorted(folder.glob("model*.safetensors"))
    if files:
        return files
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in {".bin", ".pt", ".pth", ".pkl", ".ckpt"})
    found = f"{', '.join(pickled)} (pickled weights can run code and are refused)" if pickled else "none"
    raise BadWeights(folder, "weights as model.safetensors", found)


def verify(path: Path, sha256: str) -> None:
    """Raises BadWeights unless the file has this SHA-256."""
    if not path.is_file():
        raise BadWeights(path, f"a file with SHA-256 {sha256[:12]}…", "no such file")
    found = file_digest(path)
    if found != sha256:
        raise BadWeights(path, f"SHA-256 {sha256}", found)


def tensors(paths: Iterable[Path]) -> dict[str, Tensor]:
    """Every tensor of the files, by name. Raises BadWeights for a damaged or truncated file."""
    return {tensor.name: tensor for path in paths for tensor in _tensors(path)}


def bare(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under the names of the bare model: one saved with a task head prefixes its body ("bert.")."""
    prefixes = [name.partition("embeddings.")[0] for name in found if "embeddings.word_embeddings.weight" in name]
    prefix = prefixes[0] if prefixes else ""
    return {name.removeprefix(prefix): tensor for name, tensor in found.items()}


def digest(found: Mapping[str, Tensor]) -> str:
    """Hex SHA-256 over tensors sorted by name: name, dtype, shape, raw little-endian bytes."""
    total = hashlib.sha256()
    for name in sorted(found):
        tensor = found[name]
        total.update(canonical([name, tensor.dtype, list(tensor.shape)]).encode())
        if tensor.end > tensor.begin:
            with tensor.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                total.update(memoryview(data)[tensor.begin : tensor.end])
    return total.hexdigest()


def check_shapes(path: Path, found: Mapping[str, Tensor], expected: Mapping[str, Shape]) -> None:
    """Raises BadWeights naming the first tensor that is missing or has another shape than expected."""
    for name, shape in expected.items():
        tensor = found.get(name)
        if tensor is None:
            raise BadWeights(path, f"tensor {name} of shape {shape}", "no such tensor")
        if tensor.shape != shape:
            raise BadWeights(path, f"tensor {name} of shape {shape}", f"shape {tensor.shape}")


def _tensors(path: Path) -> list[Tensor]:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or not 2 <= length <= size - 8:
            raise BadWeights(path, "a safetensors file", f"{size} bytes without its header")
        header = _header(path, file.read(length))
    body = 8 + length
    found = [_tensor(path, name, entry, body) for name, entry in header.items() if name != "__metadata__"]
    last = _end_of(path, found, body)
    if last != size:
        raise BadWeights(path, f"{last} bytes as its header says", f"{size} bytes (damaged or cut short)")
    return found


def _end_of(path: Path, found: Iterable[Tensor], body: int) -> int:
    """Where the last tensor ends. Raises BadWeights unless they lie side by side, as the format asks."""
    at = body
    for tensor in sorted(found, key=lambda tensor: (tensor.begin, tensor.end)):
        if tensor.begin != at:
            raise BadWeights(path, f"tensor {tensor.name} at byte {at}", f"byte {tensor.begin}")
        at = tensor.end
    return at


def _header(path: Path, raw: bytes) -> dict[str, dict[str, object]]:
    try:
        header = json.loads(raw)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise BadWeights(path, "a safetensors header", str(error)) from error
    if not isinstance(header, dict):
        raise BadWeights(path, "a safetensors header", type(header).__name__)
    return header


def _tensor(path: Path, name: str, entry: Mapping[str, object], body: int) -> Tensor:
    match entry:
        case {"dtype": str(dtype), "shape": [*sizes], "data_offsets": [int(begin), int(end)]} if dtype in _BYTES:
            shape = tuple(size for size in sizes if isinstance(size, int) and size >= 0)
            if len(shape) == len(sizes) and end - begin == math.prod(shape) * _BYTES[dtype]:
                return Tensor(path, name, dtype, shape, body + begin, body + end)
    raise BadWeights(path, f"type, shape and matching offsets of tensor {name}", str(entry)[:200])
