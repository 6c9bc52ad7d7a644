"""An order of passages that is theirs alone: whatever order they come in, they are worked on in this one."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from riparian.types import Matrix
from topics.base import BagOfWords


def by_content(vectors: Matrix, bag: BagOfWords) -> NDArray[np.int64]:
    """The rows by a hash of their vector and words. Equal rows are alike, so that their order says nothing.

    The first n of them are a random sample, and of a sample of the passages most are among its first n too.
    """
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    keys = [
        blake2b(row.tobytes() + bag.tokens[start:end].tobytes(), digest_size=8).digest()
        for row, start, end in zip(rows, bag.starts[:-1], bag.starts[1:], strict=True)
    ]
    return np.argsort(np.array(keys, dtype="S8").view(">u8").ravel(), kind="stable").astype(np.int64)
