"""Every recipe by its name; none is imported before it is used."""

from __future__ import annotations

from riparian.errors import Invalid
from training.recipes.base import Recipe
from training.recipes.pairs import PairsRecipe
from training.recipes.transformers import TransformerRecipe

DEFAULT = "mirror"


def recipes() -> dict[str, Recipe]:
    """Name → recipe, the default first."""
    return {recipe.name: recipe for recipe in _TABLE}


def named(name: str) -> Recipe:
    """Invalid, naming those that are, for one that is not."""
    known = recipes()
    if name not in known:
        raise Invalid(f"there is no recipe {name!r}; recipes are: {', '.join(known)}")
    return known[name]


_CONTRASTIVE, _RESTORING, _LESSONS = (f"training.recipes.{part}" for part in ("contrastive", "restoring", "lessons"))

_TABLE: tuple[Recipe, ...] = (
    TransformerRecipe(
        "mirror",
        "a sentence is told from all others by itself with a few characters hidden (Mirror-BERT)",
        "texts",
        f"{_CONTRASTIVE}:MirrorSettings",
        f"{_LESSONS}:mirror",
        "Mirror-BERT's objective",
    ),
    TransformerRecipe(
        "simcse",
        "a sentence is told from all others by itself under other dropout (unsupervised SimCSE)",
        "texts",
        f"{_CONTRASTIVE}:SimcseSettings",
        f"{_LESSONS}:simcse",
        "unsupervised SimCSE",
    ),
    TransformerRecipe(
        "tsdae",
        "a sentence that lost most of its words is written again from its one vector (TSDAE)",
        "texts",
        f"{_RESTORING}:TsdaeSettings",
        f"{_LESSONS}:tsdae",
        "TSDAE",
    ),
    TransformerRecipe(
        "mlm",
        "hidden words are guessed from the rest (masked language modelling on your own text)",
        "texts",
        f"{_RESTORING}:MlmSettings",
        f"{_LESSONS}:mlm",
        "masked language modelling",
    ),
    PairsRecipe(),
)
