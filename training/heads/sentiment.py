"""Whether a text speaks well or badly of something: classification with fixed classes, and stars read as them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from riparian.encoders.base import Encoder
from riparian.errors import Invalid
from training.heads.base import Groups, Makes, check, chosen
from training.heads.classification import DEFAULTS, learn
from training.material import Material, Run
from training.recipes.base import Needs, Report

TASK = "sentiment"
NEGATIVE, NEUTRAL, POSITIVE = CLASSES = ("negative", "neutral", "positive")

_WORDS = {
    **dict.fromkeys(("negative", "neg", "bad", "-", "-1"), NEGATIVE),
    **dict.fromkeys(("neutral", "neu", "mixed"), NEUTRAL),
    **dict.fromkeys(("positive", "pos", "good", "+", "+1"), POSITIVE),
}
_STARS = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:stars?)?(?:\s*(?:/|of|out of)\s*(\d+))?", re.IGNORECASE)
_DRAWN = re.compile(r"([★⭐*]+)([☆]*)")


@dataclass(frozen=True, slots=True)
class Sentiment:
    """The head of the name `sentiment`."""

    name: str = TASK
    summary: str = "negative, neutral or positive, learnt from reviews with a label or stars"
    needs: Needs = "labelled"
    makes: Makes = "head"

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Those of a classification, and the most `stars` that a review can give."""
        return {**DEFAULTS, "stars": 5}

    def refuses(self, encoder: Encoder) -> str | None:
        return None

    def train(
        self,
        encoder: Encoder,
        material: Material,
        into: Path,
        run: Run,
        settings: Mapping[str, Any],
        groups: Groups = (),
    ) -> Report:
        """Of the three classes, those that occur among the examples are learnt."""
        wanted = chosen(self, settings)
        check(self, encoder)
        read = as_sentiments(material, wanted["stars"])
        return learn(self.name, encoder, read, classes_of(read), into, run, wanted, groups)


def as_sentiments(material: Material, most: int) -> Material:
    """The same texts with their labels read as classes. Invalid, naming the label, for one that is none."""
    read = [replace(example, label=sentiment(example.label, most)) for example in material.labelled]
    return replace(material, labelled=read)


def classes_of(material: Material) -> tuple[str, ...]:
    """Those of CLASSES that occur, in their order."""
    found = {example.label for example in material.labelled}
    return tuple(label for label in CLASSES if label in found)


def sentiment(label: str, most: int = 5) -> str:
    """The class of a label as people write it: a word (`pos`, `negative`) or stars (`4`, `4.5 stars`, `2/10`, `★★☆☆☆`).

    Stars from 1 to `most` (or to the number behind the stroke): the lower two fifths are negative, the upper two
    positive, what is between them neutral. Invalid for anything else.
    """
    text = label.strip().casefold()
    if text in _WORDS:
        return _WORDS[text]
    if drawn := _DRAWN.fullmatch(text):
        return _of_stars(label, len(drawn[1]), len(drawn[0]) if drawn[2] else most)
    if found := _STARS.fullmatch(text):
        return _of_stars(label, float(found[1].replace(",", ".")), int(found[2] or most))
    raise Invalid(f"{label!r} is no sentiment; give {', '.join(CLASSES)}, or stars from 1 to {most}")


def _of_stars(label: str, stars: float, most: int) -> str:
    """1 to 5 stars: 1 and 2 are negative, 3 neutral, 4 and 5 positive; other scales in proportion."""
    if most < 2 or not 0 <= stars <= most:
        raise Invalid(f"{label!r} is not from 1 to {most} stars; the setting stars names the most that can be given")
    share = stars / most
    return NEGATIVE if share <= 0.4 else POSITIVE if share >= 0.8 else NEUTRAL
