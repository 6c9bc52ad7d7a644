"""Long token sequences in overlapping windows, and the way back to one text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

OVERLAP = 0.15
"""Least part of a window that it shares with the next one."""

Window = tuple[int, int]
"""Half-open range of token positions."""


def spans(length: int, size: int) -> list[Window]:
    """Windows of at most `size` that cover range(length), evenly spread, each sharing at least OVERLAP with the next.

    One window where `length` fits (none where it is 0); otherwise all windows are full. `ValueError` for size < 1.
    """
    if size < 1:
        raise ValueError(f"a window holds at least one token, not {size}")
    if length <= size:
        return [(0, length)] if length else []
    step = max(1, size - round(size * OVERLAP))
    more = -(-(length - size) // step)
    starts = (i * (length - size) // more for i in range(more + 1))
    return [(start, start + size) for start in starts]


def owned(windows: Sequence[Window]) -> list[Window]:
    """For each window the positions whose vectors are taken from it: those farther from its edges than from the
    neighbour's. The ranges touch and cover what the windows cover."""
    if not windows:
        return []
    cuts = [(left[1] + right[0]) // 2 for left, right in pairwise(windows)]
    return list(zip([windows[0][0], *cuts], [*cuts, windows[-1][1]], strict=True))
