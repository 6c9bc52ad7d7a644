"""Reliability diagrams as SVG: what was told against what came true, one panel a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

SIDE, GAP, EDGE = 240, 70, 48
COLOURS = ("#8a6d1f", "#0b6b6b")


@dataclass(frozen=True, slots=True)
class Line:
    """Points of (told, came true, how many), in order."""

    label: str
    points: Sequence[tuple[float, float, int]]


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    lines: Sequence[Line]


def svg(panels: Sequence[Panel]) -> str:
    """A picture that needs no script and says in its title what it shows."""
    width = EDGE + len(panels) * (SIDE + GAP)
    parts = [_panel(panel, EDGE + number * (SIDE + GAP)) for number, panel in enumerate(panels)]
    names = ", ".join(panel.title for panel in panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {SIDE + 120}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12"><title>Relevance told against hits accepted: '
        f'{escape(names)}</title><rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )


def _panel(panel: Panel, left: int) -> str:
    top = 36
    ticks = "".join(
        f'<text x="{left + SIDE * v:g}" y="{top + SIDE + 16}" text-anchor="middle">{v:g}</text>'
        f'<text x="{left - 8}" y="{top + SIDE * (1 - v) + 4:g}" text-anchor="end">{v:g}</text>'
        for v in (0.0, 0.5, 1.0)
    )
    frame = (
        f'<text x="{left}" y="{top - 14}" font-weight="600">{escape(panel.title)}</text>'
        f'<rect x="{left}" y="{top}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#bbbbbb"/>'
        f'<line x1="{left}" y1="{top + SIDE}" x2="{left + SIDE}" y2="{top}" stroke="#bbbbbb" stroke-dasharray="4 4"/>'
        f'<text x="{left + SIDE / 2:g}" y="{top + SIDE + 34}" text-anchor="middle">relevance told</text>'
        f'<text transform="translate({left - 32} {top + SIDE / 2:g}) rotate(-90)" text-anchor="middle">accepted</text>'
    )
    drawn = "".join(_line(line, COLOURS[n % 2], left, top, n) for n, line in enumerate(panel.lines))
    return frame + ticks + drawn


def _line(line: Line, colour: str, left: int, top: int, number: int) -> str:
    most = max((count for _, _, count in line.points), default=1)
    places = [(left + SIDE * told, top + SIDE * (1 - true), count) for told, true, count in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2 + 6 * (count / most) ** 0.5:.1f}" fill="{colour}" '
        f'fill-opacity="0.75"/>'
        for x, y, count in places
    )
    y = top + SIDE + 54 + 16 * number
    key = (
        f'<circle cx="{left + 5}" cy="{y - 4}" r="5" fill="{colour}"/>'
        f'<text x="{left + 16}" y="{y}">{escape(line.label)}</text>'
    )
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>{dots}{key}'
