"""Which of a model's states make a token's vector, how words are looked up, and how a passage is pooled. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from riparian.errors import Invalid
from riparian.types import Matrix

CHOICES: dict[str, tuple[str, ...]] = {
    "vectors": ("both", "cove"),
    "layers": ("last", "all"),
    "pooling": ("mean", "max"),
    "case": ("lower", "keep"),
}
"""Setting → its values, the first of which is the default and as published."""


@dataclass(frozen=True, slots=True)
class View:
    """`vectors`: the GloVe vector and the state behind it, or the state alone; `layers`: the states of the last layer,
    or of the first and the last; `case`: words looked up in lower case, or as they stand first."""

    vectors: Literal["both", "cove"] = "both"
    layers: Literal["last", "all"] = "last"
    pooling: Literal["mean", "max"] = "mean"
    case: Literal["lower", "keep"] = "lower"

    @property
    def lower(self) -> bool:
        return self.case == "lower"

    def dimension(self, width: int, hidden: int) -> int:
        return (width if self.vectors == "both" else 0) + 2 * hidden * (2 if self.layers == "all" else 1)

    def shown(self, inputs: Matrix, layers: Sequence[Matrix]) -> Matrix:
        """(B, T, dimension) of word vectors (B, T, width) and the states (B, T, 2h) of each layer, in that order."""
        states = list(layers) if self.layers == "all" else [layers[-1]]
        return np.concatenate([inputs, *states] if self.vectors == "both" else states, axis=2)

    def pooled(self, vectors: Matrix) -> Matrix:
        """One row of (T, dimension) token vectors, T at least 1."""
        found = vectors.max(axis=0) if self.pooling == "max" else vectors.mean(axis=0, dtype=np.float64)
        return np.asarray(found, dtype=np.float32)

    def to_json(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in CHOICES}


def with_settings(view: View, settings: Mapping[str, str]) -> View:
    """The view with some settings changed. Raises Invalid for one that it does not have."""
    for name, value in settings.items():
        if value not in CHOICES.get(name, ()):
            known = ", ".join(f"{each}={'|'.join(values)}" for each, values in CHOICES.items())
            raise Invalid(f"cove has no setting {name}={value}; there is: glove=SPEC, {known}")
    return View(**cast(Any, {**view.to_json(), **settings}))
