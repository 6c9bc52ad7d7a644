"""Learning from pairs (title and body, question and answer): transformers, tables of words, the last part of USE."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riparian.encoders.base import Encoder
from riparian.errors import AlreadyExists, Invalid
from training.material import Material, Run
from training.recipes.base import Needs, Report
from training.recipes.transformers import KINDS, TransformerRecipe, not_one
from training.settings import parsed

STATIC = ("glove", "word2vec")
USE = "use"


class PairsRecipe:
    """Multiple negatives ranking (Henderson et al. 2017): a text's partner is told from the rest of the batch."""

    name = "pairs"
    summary = "the two texts of a pair find each other among all others (multiple negatives ranking)"
    needs: Needs = "pairs"

    def __init__(self) -> None:
        places = ("training.recipes.contrastive:PairsSettings", "training.recipes.lessons:pairs")
        self._transformers = TransformerRecipe(self.name, self.summary, "pairs", *places, "multiple negatives ranking")

    @property
    def defaults(self) -> Mapping[str, Any]:
        return self._transformers.defaults

    def refuses(self, encoder: Encoder) -> str | None:
        kind = encoder.info.kind
        if kind not in (*KINDS, *STATIC, USE):
            tuned = f"transformers ({', '.join(KINDS)}), tables of words ({', '.join(STATIC)}) and {USE}"
            return f"it tunes {tuned}, {not_one(kind)}"
        return None

    def tune(self, encoder: Encoder, material: Material, into: Path, run: Run, settings: Mapping[str, Any]) -> Report:
        if why := self.refuses(encoder):
            raise Invalid(f"{self.name} cannot tune {encoder.info.name}: {why}")
        if encoder.info.kind in KINDS:
            return self._transformers.tune(encoder, material, into, run, settings)
        if into.exists() and any(into.iterdir()):
            raise AlreadyExists(f"{into} is not empty; give a new folder to save into")
        if encoder.info.kind == USE:
            from training.recipes.use_pairs import tune_use

            return tune_use(encoder, material, into, run, settings)
        from training.recipes.static_pairs import TableSettings, tune_table

        chosen = parsed(TableSettings, settings, f"{self.name} for a table of words")
        return tune_table(encoder, material, into, run, chosen)
