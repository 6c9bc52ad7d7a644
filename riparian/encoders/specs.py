"""The settings of an encoder behind the path of its spec: ``kind:path?a=b&c=d``."""

from __future__ import annotations

from collections.abc import Mapping

from riparian.errors import Invalid


def settings_of(kind: str, query: str, known: tuple[str, ...]) -> dict[str, str]:
    """``a=b&c=d`` behind the ``?`` of a spec. Raises Invalid for a setting that the kind does not have."""
    found = {key: value for key, _, value in (part.partition("=") for part in query.split("&") if part)}
    for key in found:
        if key not in known:
            raise Invalid(f"{kind} has no setting {key!r}; there is: {', '.join(known)}")
    return found


def spec_of(base: str, settings: Mapping[str, str]) -> str:
    """The spec that loads the same encoder again."""
    query = "&".join(f"{key}={value}" for key, value in sorted(settings.items()))
    return f"{base}?{query}" if query else base
