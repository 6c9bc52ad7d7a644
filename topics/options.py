"""Options of a kind of model, from plain values to its own settings class: unknown and impossible ones are named."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from riparian.errors import Invalid

S = TypeVar("S")
Bounds = Mapping[str, tuple[float, float]]
Choices = Mapping[str, Sequence[str]]


def read(kind: type[S], given: Mapping[str, Any], bounds: Bounds, choices: Choices | None = None) -> S:
    """An instance of the dataclass `kind`, whose fields all have defaults, with the values given.

    `bounds` limits numbers (0 to infinity where nothing is said), `choices` texts. Raises Invalid for an option that is
    not there or whose value cannot be.
    """
    known = {field.name: type(field.default) for field in fields(kind)}  # type: ignore[arg-type]
    if strange := set(given) - known.keys():
        there = ", ".join(sorted(known)) or "none for this kind of topic model"
        raise Invalid(f"no option {', '.join(sorted(strange))}; there is: {there}")
    for name, value in given.items():
        _check_type(name, value, known[name])
        _check_value(name, value, bounds.get(name, (0, math.inf)), (choices or {}).get(name))
    return kind(**given)


def _check_type(name: str, value: object, kind: type) -> None:
    allowed = (int, float) if kind is float else kind
    if not isinstance(value, allowed) or isinstance(value, bool) != (kind is bool):
        raise Invalid(f"option {name} is a {kind.__name__}; {value!r} was given")


def _check_value(name: str, value: object, limits: tuple[float, float], choices: Sequence[str] | None) -> None:
    if choices is not None and value not in choices:
        raise Invalid(f"option {name} is one of {', '.join(choices)}; {value!r} was given")
    lowest, highest = limits
    if isinstance(value, int | float) and not lowest <= value <= highest:
        raise Invalid(f"option {name} lies between {lowest} and {highest}; {value!r} was given")
