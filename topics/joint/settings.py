"""The constants of the joint model. None depends on the number of topics or of passages."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from riparian.errors import Invalid

_BOUNDS = {
    "neighbours": (0, 1_000),
    "pull": (0, 100),
    "rounds": (0, 20),
    "dimensions": (2, 4_096),
    "sharpness": (0.1, 1_000),
    "prior": (0, 100_000),
    "iterations": (1, 1_000),
    "smoothing": (1e-6, 100),
    "landmarks": (100, 100_000),
}


@dataclass(frozen=True, slots=True)
class JointSettings:
    """`neighbours` (m), `pull` (w) and `rounds` of the smoothing; `dimensions` (d) of the start; `sharpness` (τ) of
    the embedding's own mixture and its `prior` weight (a) in words; `iterations` of EM and `smoothing` (s) of its
    word counts. At most so many `landmarks` are looked at for neighbours: beyond them cost grows linearly."""

    neighbours: int = 20
    pull: float = 4.0
    rounds: int = 5
    dimensions: int = 64
    sharpness: float = 20.0
    prior: float = 60.0
    iterations: int = 15
    smoothing: float = 0.01
    landmarks: int = 8_000

    @classmethod
    def of(cls, options: dict[str, Any]) -> JointSettings:
        """Settings from plain values. Invalid names an option that is not there or whose value cannot be."""
        known = {field.name: type(field.default) for field in fields(cls)}
        if strange := set(options) - known.keys():
            raise Invalid(f"no option {', '.join(sorted(strange))}; there is: {', '.join(sorted(known))}")
        for name, value in options.items():
            _check(name, value, known[name])
        return replace(cls(), **options)


def _check(name: str, value: object, kind: type) -> None:
    allowed = (int, float) if kind is float else kind
    if not isinstance(value, allowed) or isinstance(value, bool):
        raise Invalid(f"option {name} is a {kind.__name__}; {value!r} was given")
    lowest, highest = _BOUNDS[name]
    if isinstance(value, int | float) and not lowest <= value <= highest:
        raise Invalid(f"option {name} lies between {lowest} and {highest}; {value!r} was given")
