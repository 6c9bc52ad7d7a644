"""A passage's base mixture as bytes: two for a topic's number (little-endian uint16), eight for its weight (float64).

All numbers of the mixture come first, ascending, then its weights; nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix

_NUMBER, _WEIGHT = np.dtype("<u2"), np.dtype("<f8")
_ENTRY = _NUMBER.itemsize + _WEIGHT.itemsize


def pack(kept: csr_matrix) -> list[bytes]:
    """One value a row."""
    rows = kept.tocsr().sorted_indices()
    numbers, weights = rows.indices.astype(_NUMBER), rows.data.astype(_WEIGHT)
    return [
        numbers[start:end].tobytes() + weights[start:end].tobytes()
        for start, end in zip(rows.indptr[:-1], rows.indptr[1:], strict=True)
    ]


def unpack(packed: Sequence[bytes], topics: int) -> csr_matrix:
    """(N, topics) float64 CSR: what `pack` was given, bit for bit. `ValueError` for bytes it never wrote."""
    sizes = [len(value) // _ENTRY for value in packed]
    if any(size * _ENTRY != len(value) for size, value in zip(sizes, packed, strict=True)):
        raise ValueError("a stored mixture has a length that no mixture has")
    numbers = b"".join(value[: 2 * size] for size, value in zip(sizes, packed, strict=True))
    weights = b"".join(value[2 * size :] for size, value in zip(sizes, packed, strict=True))
    starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    columns = np.frombuffer(numbers, _NUMBER).astype(np.int64)
    return csr_matrix((np.frombuffer(weights, _WEIGHT).astype(np.float64), columns, starts), (len(packed), topics))
