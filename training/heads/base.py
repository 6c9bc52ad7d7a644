"""What every head is: something small that is learnt on top of an encoder."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import TypeAdapter, ValidationError

from riparian.encoders.base import Encoder
from riparian.errors import Invalid
from training.material import Material, Run
from training.recipes.base import Needs, Report

Makes = Literal["head", "encoder", "both"]

Groups = Sequence[Hashable]
"""For each example what it belongs to (its document): examples of one group stand on one side of every split."""


class Head(Protocol):
    """Learns from examples over an encoder that stays as it is, tensor by tensor, whatever it makes."""

    @property
    def name(self) -> str:
        """The word that names it in commands and the API."""
        ...

    @property
    def summary(self) -> str:
        """One line for people."""
        ...

    @property
    def needs(self) -> Needs:
        """The part of the material that must be there."""
        ...

    @property
    def makes(self) -> Makes:
        """What the folder holds afterwards: a head to load, an encoder of its own, or both, as its folders `head` and
        `encoder`."""
        ...

    @property
    def defaults(self) -> Mapping[str, Any]:
        """The settings that may be given, with their values where they are not."""
        ...

    def refuses(self, encoder: Encoder) -> str | None:
        """Why it cannot learn on this encoder, in words for people; None where it can."""
        ...

    def train(
        self,
        encoder: Encoder,
        material: Material,
        into: Path,
        run: Run,
        settings: Mapping[str, Any],
        groups: Groups = (),
    ) -> Report:
        """Learns on one part of the examples, chooses on a second, is judged on a third; writes the folder `into`,
        whole or not at all, and answers with the report that its `head.json` holds too.

        Invalid for an unknown setting or value, too little material, or an encoder that `refuses` names; AlreadyExists
        where `into` is there and not empty; Conflict where the checkpoint belongs to another run.
        """
        ...


def chosen(head: Head, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults with what was given in their place; texts such as "3" are read as numbers. Invalid for a name that
    is no setting, or a value of another type."""
    for name in settings:
        if name not in head.defaults:
            raise Invalid(f"{head.name} has no setting {name!r}; it has {', '.join(head.defaults)}")
    given = {name: _like(head, name, value) for name, value in settings.items()}
    return dict(head.defaults) | given


def check(head: Head, encoder: Encoder) -> None:
    """Invalid, with the reason, where the head cannot learn on the encoder."""
    why = head.refuses(encoder)
    if why:
        raise Invalid(f"{head.name} cannot be learnt on {encoder.info.name}: {why}")


def without_tokens(encoder: Encoder) -> str | None:
    """Why a head on token vectors cannot stand on this encoder."""
    if encoder.info.token_dim is None:
        return "it gives one vector for a whole text and none for its words"
    return None


def _like(head: Head, name: str, value: Any) -> Any:
    default = head.defaults[name]
    try:
        return TypeAdapter(type(default)).validate_python(value)
    except ValidationError:
        raise Invalid(f"setting {name} of {head.name} must be like {default!r}, not {value!r}") from None
