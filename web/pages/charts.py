"""Small drawings of analyses as numbers for SVG: bars of a topic over time, the bank of all topics, the map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from topics.analysis.periods import OverTime, Timeline

BARS_WIDTH, BARS_HEIGHT = 320, 64
BANK_WIDTH, BANK_HEIGHT = 960, 280
MAP_WIDTH, MAP_HEIGHT = 1300, 900
_LONGEST_NAME, _LETTER, _LINE = 26, 8.6, 18.0  # of the names on the map, in its units
_GAP = 0.18
_ENOUGH = 5

Mark = Literal["", "high", "low"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One period of one topic, in a box of BARS_WIDTH x BARS_HEIGHT; `share` None where nothing is dated."""

    x: float
    y: float
    width: float
    height: float
    mark: Mark
    name: str
    share: float | None
    documents: int


@dataclass(frozen=True, slots=True)
class Bars:
    bars: tuple[Bar, ...]
    most: float
    mean: float

    @property
    def mean_y(self) -> float:
        """Where the share of all periods lies."""
        return BARS_HEIGHT * (1 - self.mean / self.most) if self.most else BARS_HEIGHT


def bars(line: Timeline, found: OverTime) -> Bars:
    """The topic's shares, the largest of a period with at least five documents as high as the box; that of a thinner
    one is cut off there."""
    told = [s for s, p in zip(line.shares, found.periods, strict=True) if s is not None and p.documents >= _ENOUGH]
    most = max(told or [share for share in line.shares if share is not None], default=0.0)
    step = BARS_WIDTH / max(len(line.shares), 1)
    made = []
    for number, share in enumerate(line.shares):
        height = BARS_HEIGHT * min(share / most, 1.0) if share and most else 0.0
        mark: Mark = "high" if number in line.high else "low" if number in line.low else ""
        period = found.periods[number]
        made.append(
            Bar(
                step * (number + _GAP / 2),
                BARS_HEIGHT - height,
                step * (1 - _GAP),
                height,
                mark,
                period.name,
                share,
                period.documents,
            )
        )
    return Bars(tuple(made), most, line.share)


@dataclass(frozen=True, slots=True)
class Layer:
    """A topic's share over time as the outline of a layer."""

    path: str
    topic: int
    label: str


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    name: str


def bank(found: OverTime) -> tuple[list[Layer], list[Tick]]:
    """All topics as layers over time, as thick as their shares; the largest on top. A period of fewer than five
    documents is passed over. Nothing where fewer than two periods are left."""
    known = [number for number, period in enumerate(found.periods) if period.documents >= _ENOUGH]
    if len(known) < 2:
        return [], []
    span = found.periods[known[-1]].first.toordinal() - found.periods[known[0]].first.toordinal()
    start = found.periods[known[0]].first.toordinal()
    xs = [BANK_WIDTH * (found.periods[n].first.toordinal() - start) / max(span, 1) for n in known]
    lines = sorted(found.timelines, key=lambda line: (-line.share, line.topic.id))
    top = [0.0] * len(known)
    layers = []
    for line in lines:
        bottom = [above + (line.shares[n] or 0.0) * BANK_HEIGHT for above, n in zip(top, known, strict=True)]
        layers.append(Layer(_outline(xs, top, bottom), int(line.topic.id), line.topic.label))
        top = bottom
    return layers, _ticks(found, known, xs)


def _outline(xs: Sequence[float], top: Sequence[float], bottom: Sequence[float]) -> str:
    there = list(zip(xs, top, strict=True))
    back = list(zip(xs, bottom, strict=True))[::-1]
    return f"M{_curve(there)}L{_curve(back)}Z"


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """The points joined by curves that are level at each of them, so that none swings beyond its ends."""
    first, *rest = points
    said = [f"{first[0]:.0f} {first[1]:.1f}"]
    before = first
    for x, y in rest:
        middle = (before[0] + x) / 2
        said.append(f"C{middle:.0f} {before[1]:.1f} {middle:.0f} {y:.1f} {x:.0f} {y:.1f}")
        before = (x, y)
    return "".join(said)


def _ticks(found: OverTime, known: Sequence[int], xs: Sequence[float]) -> list[Tick]:
    step = max(1, math.ceil(len(known) / 12))
    return [Tick(xs[place], found.periods[known[place]].name) for place in range(0, len(known), step)]


@dataclass(frozen=True, slots=True)
class Point:
    passage: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Frame:
    """What of a map is drawn in a box of MAP_WIDTH x MAP_HEIGHT: the middle 98 of 100 points in either direction, with
    a margin. The few outside are put at the edge."""

    left: float
    top: float
    scale: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        across, down = (x - self.left) * self.scale, (self.top - y) * self.scale
        return round(min(max(across, 8.0), MAP_WIDTH - 8.0), 1), round(min(max(down, 8.0), MAP_HEIGHT - 8.0), 1)


def frame(places: NDArray[np.float64]) -> Frame:
    """The frame of places (N, 2), at least one; both directions have one scale."""
    low, high = np.quantile(places, 0.01, axis=0), np.quantile(places, 0.99, axis=0)
    width, height = np.maximum(high - low, 1e-9).tolist()
    scale = 0.9 * min(MAP_WIDTH / width, MAP_HEIGHT / height)
    middle = (low + high) / 2
    return Frame(float(middle[0]) - MAP_WIDTH / scale / 2, float(middle[1]) + MAP_HEIGHT / scale / 2, scale)


@dataclass(frozen=True, slots=True)
class Name:
    """A label on the map, in the middle of its place."""

    topic: int
    text: str
    x: float
    y: float


def names(labels: Sequence[tuple[int, str, float, float]]) -> list[Name]:
    """The labels that find room, the first first: at their place or a line or two above or below; the others are left
    to the list beside the map."""
    taken: list[tuple[float, float, float]] = []
    made = []
    for topic, label, x, y in labels:
        text = label if len(label) <= _LONGEST_NAME else label[: _LONGEST_NAME - 1] + "…"
        half = len(text) * _LETTER / 2
        across = min(max(x, half + 4), MAP_WIDTH - half - 4)
        for shift in (0, -_LINE, _LINE, -2 * _LINE, 2 * _LINE):
            down = y + shift
            free = all(abs(across - tx) > half + th or abs(down - ty) >= _LINE for tx, ty, th in taken)
            if free and _LINE <= down <= MAP_HEIGHT - 6:
                taken.append((across, down, half))
                made.append(Name(topic, text, round(across, 1), round(down, 1)))
                break
    return made


def hues(count: int) -> list[str]:
    """Colours that can be told apart, as many as asked for: around the circle by the golden angle, in three depths."""
    return [_rgb((37 + 137.508 * n) % 360, (0.50, 0.62, 0.40)[n % 3]) for n in range(count)]


def _rgb(hue: float, lightness: float, saturation: float = 0.52) -> str:
    chroma = (1 - abs(2 * lightness - 1)) * saturation
    second = chroma * (1 - abs(hue / 60 % 2 - 1))
    base = lightness - chroma / 2
    red, green, blue = [
        (chroma, second, 0.0), (second, chroma, 0.0), (0.0, chroma, second),
        (0.0, second, chroma), (second, 0.0, chroma), (chroma, 0.0, second),
    ][int(hue // 60) % 6]  # fmt: skip
    return "#" + "".join(f"{round(255 * (part + base)):02x}" for part in (red, green, blue))


def percents(shares: Sequence[float]) -> list[float]:
    """The shares in tenths of a per cent so that what is printed sums to what the shares sum to (largest remainder)."""
    exact = [1000 * share for share in shares]
    floors = [math.floor(value + 1e-9) for value in exact]
    left = round(math.fsum(exact)) - sum(floors)
    order = sorted(range(len(exact)), key=lambda n: (floors[n] - exact[n], n))
    for n in order[: max(left, 0)]:
        floors[n] += 1
    return [value / 10 for value in floors]
