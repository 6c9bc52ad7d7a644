"""The topics of a collection drawn as layers of a river bank: as thick as their share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
    total = sum(shares)
    if total <= 0:
        return []
    depths = [0.0]
    for share in shares:
        depths.append(depths[-1] + share / total)
    edges = [_edge(depth, number, width, height) for number, depth in enumerate(depths)]
    return [
        Layer(_closed(above, below), tint(number, len(shares))) for number, (above, below) in enumerate(pairwise(edges))
    ]


def tint(number: int, of: int) -> int:
    """The colour of layer `number` (from 0) of `of`: water on top, silt at the bottom, evenly between."""
    return number * (TINTS - 1) // max(of - 1, 1)


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
