"""The topics of a collection drawn as layers of a river bank: as thick as their share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

WIDTH = 320
HEIGHT = 300
TINTS = 12
_STEP = 20
_SWING = 9.0


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer as an SVG path in a box of WIDTH x HEIGHT; `tint` chooses its colour, 0..TINTS-1."""

    path: str
    tint: int


def layers(shares: Sequence[float], *, width: int = WIDTH, height: int = HEIGHT) -> list[Layer]:
    """A layer for each share, the first on top. Shares are relative; none gives no layers."""
    depths = _depths(shares)
    edges = [_edge(depth, number, width, height) for number, depth in enumerate(depths)]
    return [
        Layer(_closed(above, below), tint) for (above, below), tint in zip(pairwise(edges), tints(shares), strict=True)
    ]


def tints(shares: Sequence[float]) -> list[int]:
    """The colour of each layer: water on top, silt at the bottom, by the depth of its middle."""
    return [min(int((above + below) / 2 * TINTS), TINTS - 1) for above, below in pairwise(_depths(shares))]


def _depths(shares: Sequence[float]) -> list[float]:
    """Where the layers meet, from 0 (top) to 1; empty when there is nothing to show."""
    total = sum(shares)
    return [0.0, *accumulate(share / total for share in shares)] if total > 0 else []


def _edge(depth: float, number: int, width: int, height: int) -> list[tuple[float, float]]:
    """A gently waved line; flat at the bottom, so that the drawing stands on something."""
    swing = _SWING * (1 - depth) if number else _SWING
    top = 2 * _SWING
    return [
        (
            x,
            top
            + depth * (height - top)
            + swing * math.sin(x / width * 5.2 + number * 0.9) * (0.6 + 0.4 * math.cos(number)),
        )
        for x in range(0, width + 1, _STEP)
    ]


def _closed(above: list[tuple[float, float]], below: list[tuple[float, float]]) -> str:
    points = [*above, *reversed(below)]
    return "M" + "L".join(f"{x:.0f} {y:.1f}" for x, y in points) + "Z"
