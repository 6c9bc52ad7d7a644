"""From token vectors to passage vectors, shared by both kinds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from riparian.encoders.base import Encoding, Progress
from riparian.encoders.pooling import unit_rows
from riparian.types import Matrix

_GROUP = 64


def means(
    texts: Sequence[str],
    dimension: int,
    encode: Callable[[Sequence[str]], Iterator[Encoding]],
    progress: Progress | None,
) -> Matrix:
    """(N, dimension) unit means over the known tokens of each text; equal texts are encoded once."""
    distinct = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    numbers = np.array([distinct[text] for text in texts], dtype=np.int64)
    copies = np.bincount(numbers, minlength=len(distinct))
    rows = np.zeros((len(distinct), dimension), dtype=np.float32)
    order = list(distinct)
    for start in range(0, len(order), _GROUP):
        group = order[start : start + _GROUP]
        for row, found in zip(rows[start:], encode(group), strict=False):
            if found.known.any():
                row[:] = found.vectors[found.known].mean(axis=0, dtype=np.float64)
        if progress:
            progress(int(copies[: start + len(group)].sum()), len(texts))
    return unit_rows(rows)[numbers].reshape(-1, dimension)
