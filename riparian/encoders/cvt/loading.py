"""From a spec to a cross-view encoder.

``cvt:FOLDER``, one that `save` wrote, optionally followed by ``?vectors=both`` (the states of both layers) or
``?vectors=bi`` (those of the second alone).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from riparian.device import choose
from riparian.encoders.cvt import files
from riparian.encoders.cvt.encoder import SHOWN, CvtEncoder, Facts, Model, Shown
from riparian.encoders.cvt.modules import PRIMARY, Module
from riparian.encoders.cvt.network import Reader, Sizes
from riparian.encoders.options import Options
from riparian.encoders.saved import verify
from riparian.encoders.storage import CARD, Card, is_saved, read_card
from riparian.encoders.training_steps import use_threads
from riparian.errors import BadWeights, Invalid, MissingPath


def load(argument: str, options: Options) -> CvtEncoder:
    """Raises MissingPath, BadWeights naming the file and what is wrong with it (a TensorFlow checkpoint of the
    published code is refused), Invalid for an unknown setting."""
    if not argument:
        raise Invalid("cvt comes with no weights; train one and name its folder: cvt:/models/cvt")
    name, _, query = argument.partition("?")
    folder = Path(name).expanduser()
    wanted = _settings(query)
    if not is_saved(folder):
        files.refuse_tensorflow(folder)
        raise MissingPath(f"{folder}/{CARD}" if folder.is_dir() else folder)
    folder, card = folder.resolve(), read_card(folder)
    device = choose(options.device)
    use_threads(device, options.threads)
    encoder = CvtEncoder(_facts(folder, card), _model(folder, card), device)
    verify(folder, encoder)
    return encoder.using(wanted, f"cvt:{folder}?vectors={wanted}") if wanted else encoder


def _settings(query: str) -> Shown | None:
    shown: Shown | None = None
    for part in filter(None, query.split("&")):
        key, _, value = part.partition("=")
        if key != "vectors" or value not in SHOWN:
            raise Invalid(f"cvt has no setting {part!r}; there is: vectors={'|'.join(SHOWN)}")
        shown = value
    return shown


def _facts(folder: Path, card: Card) -> Facts:
    training, path = card.settings.get("training"), folder / CARD
    if card.kind != "cvt":
        raise BadWeights(path, "a cvt encoder", card.kind)
    if card.origin not in ("trained-here", "fine-tuned") or not isinstance(training, dict):
        raise BadWeights(path, "the origin of the weights and how they were trained", f"{card.origin!r}, {training!r}")
    origin: Any = card.origin
    return Facts(card.name, f"cvt:{folder}", card.licence, card.provenance, card.languages, training, origin)


def _model(folder: Path, card: Card) -> Model:
    settings, path = card.settings, folder / CARD
    sizes, tags = _sizes(settings, path), _tags(settings, path)
    lower, shown = settings.get("lower"), settings.get("vectors")
    if not isinstance(lower, bool) or shown not in SHOWN:
        raise BadWeights(
            path, "true or false under settings.lower, both or bi under settings.vectors", f"{lower!r}, {shown!r}"
        )
    words = files.read_words(folder / files.VOCABULARY)
    if len(words) != sizes.words:
        raise BadWeights(folder / files.VOCABULARY, f"{sizes.words} words", str(len(words)))
    with torch.device("meta"):
        reader, primary = Reader(sizes), Module(PRIMARY, sizes, len(tags))
    tensors = files.read(folder / files.WEIGHTS, reader.shapes())
    tagger = files.read(folder / files.TAGGER, primary.shapes())
    return Model(sizes, tensors, words, lower, tags, tagger, shown)


def _sizes(settings: Mapping[str, Any], path: Path) -> Sizes:
    try:
        return Sizes(**settings["sizes"])
    except (KeyError, TypeError, Invalid) as error:
        raise BadWeights(path, "the sizes of a cvt network under settings.sizes", str(error)) from error


def _tags(settings: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    tags = settings.get("tags")
    if not isinstance(tags, list) or not tags or not all(isinstance(tag, str) for tag in tags):
        raise BadWeights(path, "a list of tags under settings.tags", repr(tags))
    return tuple(tags)
