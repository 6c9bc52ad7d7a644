"""The kinds `sentence-transformers` and `bert`: from an argument to a loaded encoder."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from riparian import device as devices
from riparian.device import Device
from riparian.encoders.engines import Engine
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.model_folder import Recipe, architecture, plain_recipe, read_recipe, recipe_from
from riparian.encoders.options import Options
from riparian.encoders.saved import verify
from riparian.encoders.storage import CARD, is_saved, read_card
from riparian.encoders.subwords import Subwords
from riparian.encoders.transformer import TransformerEncoder
from riparian.encoders.transformer_files import Source, find
from riparian.encoders.weights import digest, tensors, weight_files
from riparian.errors import Invalid

logger = logging.getLogger(__name__)


def load(argument: str, options: Options) -> TransformerEncoder:
    """``sentence-transformers[:FOLDER or HUB-ID]``: pooling, prompts and length as the model's files say."""
    source = find("sentence-transformers", argument)
    return _loaded(source, read_recipe, options)


def load_bert(argument: str, options: Options) -> TransformerEncoder:
    """``bert[:FOLDER or HUB-ID]``: the plain transformer, mean pooling over its own full length."""
    source = find("bert", argument)
    return _loaded(source, plain_recipe, options)


def _loaded(source: Source, read: Callable[[Path], Recipe], options: Options) -> TransformerEncoder:
    saved = is_saved(source.root)
    recipe = recipe_from(read_card(source.root).settings, source.root / CARD) if saved else read(source.root)
    subwords = Subwords(source.folder, recipe.lower)
    encoder = TransformerEncoder(source, recipe, subwords, engine(source.folder, options))
    if saved:
        verify(source.root, encoder)
    return encoder


def engine(folder: Path, options: Options) -> Engine:
    """torch on a GPU, ONNX Runtime on the CPU, unless an engine is asked for by name."""
    device = devices.choose(options.device)
    if options.engine == "onnx" and options.device.startswith("cuda"):
        raise Invalid("engine 'onnx' computes on the CPU; give engine torch for a GPU, or device cpu")
    if options.engine == "torch" or (options.engine == "auto" and device.is_gpu):
        return _torch(folder, device, options)
    return _onnx(folder, options)


def _torch(folder: Path, device: Device, options: Options) -> Engine:
    from riparian.encoders.torch_engine import TorchEngine

    return TorchEngine(folder, device, devices.threads(options.threads))


def _onnx(folder: Path, options: Options) -> Engine:
    from riparian.encoders.onnx_engine import OnnxEngine
    from riparian.encoders.onnx_export import NotExportable, exported

    try:
        path = exported(folder, _key(folder), options.cache_dir)
    except NotExportable as error:
        if options.engine == "onnx":
            raise Invalid(f"{folder} cannot run on engine 'onnx' ({error}); give engine torch") from error
        logger.warning("%s runs on torch: %s", folder, error)
        return _torch(folder, Device("cpu", "not exportable"), options)
    return OnnxEngine(path, devices.threads(options.threads))


def _key(folder: Path) -> str:
    """Names the export of these weights under this architecture."""
    weights = digest(tensors(weight_files(folder)))
    return text_digest(weights + canonical(architecture(folder)))
