"""What every fine-tuning recipe is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from riparian.encoders.base import Encoder
from training.material import Material, Run

Needs = Literal["texts", "pairs", "labelled", "answered", "tagged"]

Report = dict[str, Any]
"""JSON: settings, seed, sizes and hashes of the material, losses, figures before and after."""


class Recipe(Protocol):
    """Makes a new encoder of one that is there; the old one stays as it is."""

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
    def defaults(self) -> Mapping[str, Any]:
        """The settings that may be given, with their values where they are not."""
        ...

    def refuses(self, encoder: Encoder) -> str | None:
        """Why it cannot tune this encoder, in words for people; None where it can."""
        ...

    def tune(self, encoder: Encoder, material: Material, into: Path, run: Run, settings: Mapping[str, Any]) -> Report:
        """Writes the new encoder's folder (`Encoder.save` format, origin "fine-tuned") at `into`, whole or not at all.

        Invalid for an unknown setting or value, too little material, or an encoder that `refuses` names; AlreadyExists
        where `into` is there and not empty.
        """
        ...
