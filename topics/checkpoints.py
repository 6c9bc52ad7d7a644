"""A training run on disk, to go on where it stopped, to the same result bit for bit."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.encoders.storage import write_file
from riparian.types import Matrix

logger = logging.getLogger(__name__)

Arrays = Mapping[str, NDArray[Any]]


@dataclass(slots=True)
class Checkpoint:
    """A safetensors file of one run; `run` names its data and settings. At most every `seconds` it is written anew."""

    path: Path
    run: str
    seconds: float = 10.0
    _written: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        """Whether the last writing, or the beginning, is long enough ago."""
        return time.monotonic() - self._written >= self.seconds

    def write(self, arrays: Arrays, facts: Mapping[str, Any]) -> None:
        """There whole or not at all."""
        from safetensors.numpy import save_file

        held = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        about = {"run": self.run, "facts": json.dumps(dict(facts))}
        write_file(self.path, lambda draft: save_file(held, draft, metadata=about))
        self._written = time.monotonic()

    def read(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """(arrays, facts) of this very run; None where there is no file, or that of another run, or a damaged one: then
        a run begins anew."""
        from safetensors import SafetensorError, safe_open

        if not self.path.is_file():
            return None
        try:
            with safe_open(self.path, framework="np") as file:
                about = file.metadata() or {}
                if about.get("run") != self.run:
                    return None
                return {name: file.get_tensor(name) for name in file.keys()}, json.loads(about["facts"])  # noqa: SIM118
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            logger.warning("%s cannot be read (%s); training begins anew", self.path, error)
            return None

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def name_of(vectors: Matrix, counts: csr_matrix, *settled: object) -> str:
    """A name that only runs over the same numbers and settings share."""
    digest = hashlib.sha256(repr(settled).encode())
    for array in (vectors, counts.indptr, counts.indices, counts.data):
        digest.update(str((array.shape, array.dtype)).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
