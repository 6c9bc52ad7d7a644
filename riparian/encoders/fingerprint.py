"""One SHA-256 over everything that changes a vector."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

INTERFACE = 1
"""Grows when the way vectors are made from equal parts changes (windows, pooling arithmetic)."""


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Hex SHA-256 of the canonical JSON of `parts` and the interface version; the order of keys does not matter."""
    return hashlib.sha256(canonical({"interface": INTERFACE, **parts}).encode()).hexdigest()


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; `ValueError` for NaN, `TypeError` for what JSON cannot hold."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def tensors_digest(tensors: Mapping[str, NDArray[Any]]) -> str:
    """Hex SHA-256 over tensors sorted by name: name, dtype, shape, raw little-endian bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = np.asarray(tensors[name])
        little = np.ascontiguousarray(tensor, dtype=tensor.dtype.newbyteorder("<"))
        digest.update(canonical([name, little.dtype.name, list(little.shape)]).encode())
        digest.update(little.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def text_digest(text: str) -> str:
    """Hex SHA-256 of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
