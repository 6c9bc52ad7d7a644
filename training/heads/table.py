"""One table of heads, in the order in which people are shown them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from riparian.errors import Invalid
from training.heads import answers, tagging
from training.heads.answers import Answerer, Answers
from training.heads.base import Head
from training.heads.card import is_head, read
from training.heads.classification import Classification, Classifier
from training.heads.classification import load as load_classifier
from training.heads.layer_mix import LayerMix
from training.heads.sentiment import Sentiment
from training.heads.tagging import Tagger, Tagging
from training.heads.tuned_classification import HEAD, TunedClassification

HEADS: Mapping[str, Head] = {
    head.name: head for head in (Classification(), Sentiment(), Answers(), Tagging(), TunedClassification(), LayerMix())
}

Learnt = Classifier | Answerer | Tagger
"""A head as `load` gives it: its `card`, `apply` and `judge`."""


def named(name: str) -> Head:
    """Invalid for a word that names none."""
    if name not in HEADS:
        raise Invalid(f"no head named {name!r}; there is: {', '.join(HEADS)}")
    return HEADS[name]


def load(folder: Path) -> Learnt:
    """The head that was saved in the folder. Raises Invalid where there is none, BadWeights where it is damaged."""
    folder = folder / HEAD if is_head(folder / HEAD) else folder
    if not is_head(folder):
        raise Invalid(f"{folder} holds no head; learn one first")
    task = read(folder).task
    if task == answers.TASK:
        return answers.load(folder)
    return tagging.load(folder) if task == tagging.TASK else load_classifier(folder)
