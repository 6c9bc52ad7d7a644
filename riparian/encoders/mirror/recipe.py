"""How a Mirror-BERT's token states become one vector: the published models differ, and their files do not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from riparian.encoders.model_folder import Recipe
from riparian.encoders.pooling import Pooling
from riparian.encoders.storage import read_json
from riparian.errors import BadWeights

MirrorPooling = Literal["mean", "cls", "paper_padded_mean"]
POOLINGS: tuple[str, ...] = get_args(MirrorPooling)

PADDED_LENGTH = 50
"""The published evaluation pads or cuts every sentence to 50 tokens."""


@dataclass(frozen=True, slots=True)
class MirrorRecipe(Recipe):
    """With `padded`, each window is padded to `max_length` tokens and the mean is taken over the padding too, as the
    published evaluation does."""

    padded: bool = False

    @property
    def named(self) -> MirrorPooling:
        return "paper_padded_mean" if self.padded else cast(MirrorPooling, self.pooling)

    def settings(self) -> dict[str, Any]:
        return asdict(self)


def recipe(pooling: MirrorPooling, max_length: int, training: Mapping[str, Any] | None = None) -> MirrorRecipe:
    """`max_length` is the model's own; padded means are taken over PADDED_LENGTH at most."""
    padded = pooling == "paper_padded_mean"
    length = min(max_length, PADDED_LENGTH) if padded else max_length
    plain: Pooling = "cls" if pooling == "cls" else "mean"
    return MirrorRecipe(max_length=length, pooling=plain, padded=padded, training=training or {})


def read(settings: Mapping[str, Any], where: Path) -> MirrorRecipe:
    """The recipe that a saved encoder's card holds."""
    try:
        found = MirrorRecipe(**settings)
    except TypeError as error:
        raise BadWeights(where, "settings of a Mirror-BERT encoder", str(error)) from error
    if found.pooling not in ("mean", "cls") or not isinstance(found.training, dict):
        raise BadWeights(where, "pooling mean or cls and a training report", f"{found.pooling!r}")
    return found


def published_pooling(name: str, folder: Path) -> MirrorPooling:
    """What the authors use for a model of this name: cls for word models and RoBERTa, else the mean."""
    roberta = "roberta" in str(read_json(folder / "config.json").get("model_type", ""))
    return "cls" if roberta or "-word" in name.rpartition("/")[2] else "mean"
