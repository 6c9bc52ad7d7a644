"""From a spec to a two-direction transformer: ``twin-causal:FOLDER``, a folder that its training saved."""

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
from riparian.encoders.twin.encoder import CONFIG, WEIGHTS, TwinEncoder, TwinEngine
from riparian.encoders.twin.network import MODEL_TYPE, Shape, Twin
from riparian.encoders.weights import check_shapes, tensors
from riparian.errors import BadWeights, Invalid, MissingPath

KIND = "twin-causal"


def load(argument: str, options: Options) -> TwinEncoder:
    """Raises Invalid without an argument, MissingPath, BadWeights naming the file and what is wrong with it."""
    if not argument:
        raise Invalid(f"{KIND} comes with no weights; train one and name its folder: {KIND}:/models/twin")
    folder = Path(argument).expanduser()
    if not folder.is_dir():
        raise MissingPath(folder)
    if not is_saved(folder) or read_card(folder).kind != KIND:
        raise BadWeights(folder, f"a saved {KIND} encoder", "none")
    device = choose(options.device)
    use_threads(device, options.threads)
    encoder = opened(_source(folder.resolve(), read_card(folder)), read_card(folder).settings.get("training"), device)
    verify(folder, encoder)
    return encoder


def opened(source: Source, training: Any, device: Device) -> TwinEncoder:
    """The encoder whose files lie in `source.folder`. Raises BadWeights."""
    if not isinstance(training, dict):
        raise BadWeights(source.folder / CARD, "a training report under settings", repr(training))
    shape = read_shape(source.folder / CONFIG)
    return TwinEncoder(source, shape.longest, TwinEngine(_network(source.folder / WEIGHTS, shape), device), training)


def read_shape(path: Path) -> Shape:
    """The network's shape as `config.json` tells it. Raises BadWeights."""
    config = read_json(path)
    if config.get("model_type") != MODEL_TYPE:
        raise BadWeights(path, f"model_type {MODEL_TYPE}", repr(config.get("model_type")))
    try:
        names = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings")
        size, both, layers, heads, longest = (config[name] for name in names)
        shape = Shape(size, both // 2, layers, heads, longest)
    except (KeyError, TypeError, Invalid) as error:
        raise BadWeights(path, "the shape of a two-direction transformer", str(error)) from error
    return shape


def _network(path: Path, shape: Shape) -> Twin:
    with torch.device("meta"):
        network = Twin(shape)
    expected = {name: tuple(value.shape) for name, value in network.named_parameters()}
    check_shapes(path, tensors([path]), expected)
    network.load_state_dict({name: value.float() for name, value in load_file(path).items()}, assign=True)
    return network


def _source(folder: Path, card: Card) -> Source:
    spec = f"{KIND}:{folder}"
    return Source(KIND, folder, folder, spec, card.name, card.licence, card.languages, card.provenance, "trained-here")
