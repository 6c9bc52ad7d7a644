"""Settings given by name, checked against the dataclass that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from riparian.errors import Invalid

T = TypeVar("T")


def parsed(kind: type[T], given: Mapping[str, Any], of: str) -> T:
    """A `kind` with its defaults where nothing is given; texts such as "3" are read as numbers.

    Invalid, naming what may be given, for a setting that there is not or a value that cannot be; `of` says whose
    settings they are.
    """
    known = defaults(kind)
    for name in given:
        if name not in known:
            raise Invalid(f"{of} has no setting {name!r}; it has {', '.join(known)}")
    try:
        return TypeAdapter(kind).validate_python(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "the settings"
        raise Invalid(f"setting {name} of {of}: {first['msg']}, not {first['input']!r}") from error


def defaults(kind: Any) -> dict[str, Any]:
    """Name → value of every setting that nothing was given for."""
    return {field.name: field.default for field in fields(kind)}
