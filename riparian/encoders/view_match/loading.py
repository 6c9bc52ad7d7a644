"""From a spec to a view-matching encoder: ``view-match:FOLDER``, a folder that its training saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from riparian.device import Device, choose
from riparian.encoders.options import Options
from riparian.encoders.saved import verify
from riparian.encoders.storage import CARD, Card, is_saved, read_card, read_json
from riparian.encoders.training_steps import use_threads
from riparian.encoders.transformer_files import Source
from riparian.encoders.view_match.encoder import CONFIG, WEIGHTS, ViewMatchEncoder
from riparian.encoders.view_match.network import MODEL_TYPE, Shape, Views
from riparian.encoders.weights import check_shapes, tensors
from riparian.errors import BadWeights, Invalid, MissingPath

KIND = "view-match"


def load(argument: str, options: Options) -> ViewMatchEncoder:
    """Raises Invalid without an argument, MissingPath, BadWeights naming the file and what is wrong with it."""
    if not argument:
        raise Invalid(f"{KIND} comes with no weights; train one and name its folder: {KIND}:/models/views")
    folder = Path(argument).expanduser()
    if not folder.is_dir():
        raise MissingPath(folder)
    if not is_saved(folder) or read_card(folder).kind != KIND:
        raise BadWeights(folder, f"a saved {KIND} encoder", "none")
    device = choose(options.device)
    use_threads(device, options.threads)
    card = read_card(folder)
    encoder = opened(_source(folder.resolve(), card), card.settings.get("training"), device)
    verify(folder, encoder)
    return encoder


def opened(source: Source, training: Any, device: Device) -> ViewMatchEncoder:
    """The encoder whose files lie in `source.folder`. Raises BadWeights."""
    if not isinstance(training, dict):
        raise BadWeights(source.folder / CARD, "a training report under settings", repr(training))
    shape = read_shape(source.folder / CONFIG)
    return ViewMatchEncoder(source, shape, _network(source.folder / WEIGHTS, shape), training, device)


def read_shape(path: Path) -> Shape:
    """The network's shape as `config.json` tells it. Raises BadWeights."""
    config = read_json(path)
    if config.get("model_type") != MODEL_TYPE:
        raise BadWeights(path, f"model_type {MODEL_TYPE}", repr(config.get("model_type")))
    names = ("vocab_size", "width", "hidden_size", "num_hidden_layers", "num_attention_heads")
    try:
        return Shape(*(config[name] for name in (*names, "max_position_embeddings", "features")))
    except (KeyError, Invalid) as error:
        raise BadWeights(path, "the shape of a view-matching encoder", str(error)) from error


def _network(path: Path, shape: Shape) -> Views:
    with torch.device("meta"):
        network = Views(shape)
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    check_shapes(path, tensors([path]), expected)
    network.load_state_dict({name: value.float() for name, value in load_file(path).items()}, assign=True)
    return network


def _source(folder: Path, card: Card) -> Source:
    spec = f"{KIND}:{folder}"
    return Source(KIND, folder, folder, spec, card.name, card.licence, card.languages, card.provenance, "trained-here")
