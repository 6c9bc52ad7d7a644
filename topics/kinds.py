"""The kinds of topic model by name, resolved lazily: naming one imports nothing heavy."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import cast

from riparian.errors import BadWeights, Invalid
from riparian.types import Matrix
from topics.base import BagOfWords, Fit, FitSettings, Progress, TopicModel, silent

# a module has `fit(kind, vectors, bag, settings, *, encoder, device, progress)` and `load(folder, device)`
KINDS = {
    "joint": "topics.joint.model",
    "combined": "topics.train",
    "zeroshot": "topics.train",
    "kmeans": "topics.baselines.kmeans",
    "lda": "topics.baselines.lda",
    "nmf": "topics.baselines.nmf",
}
DEFAULT = "joint"
LEARN_CLASSES = ("combined", "zeroshot")
"""Kinds that learn what people called the texts beside their words."""
MODEL = "model.json"


def fit(
    kind: str,
    vectors: Matrix,
    bag: BagOfWords,
    settings: FitSettings,
    *,
    encoder: str,
    device: str = "cpu",
    progress: Progress = silent,
) -> Fit:
    """Fits a model of that kind. Raises Invalid, naming those there are, for an unknown one."""
    module = import_module(_module(kind))
    return cast(Fit, module.fit(kind, vectors, bag, settings, encoder=encoder, device=device, progress=progress))


def load(folder: Path, device: str = "cpu") -> TopicModel:
    """The model that `TopicModel.save` wrote there. Raises BadWeights for a folder that holds none."""
    try:
        kind = json.loads((folder / MODEL).read_text(encoding="utf-8"))["kind"]
        module = import_module(_module(kind))
    except (OSError, ValueError, KeyError, TypeError, Invalid) as error:
        raise BadWeights(folder / MODEL, "a topic model of a known kind", f"{type(error).__name__}: {error}") from error
    return cast(TopicModel, module.load(folder, device))


def check(kind: str) -> None:
    """Raises Invalid for an unknown kind, naming those there are."""
    if kind not in KINDS:
        raise Invalid(f"no topic model of kind {kind!r}; there is: {', '.join(sorted(KINDS))}")


def _module(kind: str) -> str:
    check(kind)
    return KINDS[kind]
