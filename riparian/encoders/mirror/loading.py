"""From a spec to a Mirror-BERT encoder.

``mirror-bert:FOLDER`` or ``mirror-bert:HUB-ID``, optionally followed by ``?pooling=mean|cls|paper_padded_mean``.
Without it a saved encoder keeps its own pooling, and a published model has the one that its authors use.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from riparian.encoders.engines import Engine
from riparian.encoders.mirror.encoder import MirrorEncoder
from riparian.encoders.mirror.recipe import POOLINGS, MirrorPooling, MirrorRecipe, published_pooling, read, recipe
from riparian.encoders.model_folder import plain_recipe
from riparian.encoders.options import Options
from riparian.encoders.saved import verify
from riparian.encoders.storage import CARD, is_saved, read_card
from riparian.encoders.subwords import Subwords
from riparian.encoders.transformer_files import Source, find
from riparian.encoders.transformer_kinds import engine
from riparian.errors import Invalid

KIND = "mirror-bert"


def load(argument: str, options: Options) -> MirrorEncoder:
    """Raises Invalid without an argument or for an unknown setting, MissingPath, ModelNotInstalled, BadWeights."""
    where, _, query = argument.partition("?")
    if not where:
        raise Invalid(f"{KIND} comes with no weights; name a folder or hub id: {KIND}:/models/mirror")
    asked = _pooling(query)
    source = find(KIND, where)
    own = is_saved(source.root) and read_card(source.root).kind == KIND
    found = _recipe(source, own)
    encoder = _encoder(source, found, options)
    if own:
        verify(source.root, encoder)
    if asked is None or asked == found.named:
        return encoder
    length = plain_recipe(source.root).max_length
    other = recipe(asked, length, found.training)
    return _encoder(replace(source, spec=f"{source.spec}?{query}"), other, options)


def _recipe(source: Source, own: bool) -> MirrorRecipe:
    if own:
        return read(read_card(source.root).settings, source.root / CARD)
    return recipe(published_pooling(source.name, source.folder), plain_recipe(source.root).max_length)


def _encoder(source: Source, found: MirrorRecipe, options: Options) -> MirrorEncoder:
    if found.padded:
        options = _on_torch(options)
    run: Engine = engine(source.folder, options)
    return MirrorEncoder(source, found, Subwords(source.folder, found.lower), run)


def _on_torch(options: Options) -> Options:
    """Padding is part of a padded mean, and only torch computes what stands there as the published code does."""
    if options.engine == "onnx":
        raise Invalid("pooling paper_padded_mean is computed by torch; give engine torch or auto")
    return replace(options, engine="torch")


def _pooling(query: str) -> MirrorPooling | None:
    if not query:
        return None
    key, _, value = query.partition("=")
    if key != "pooling" or value not in POOLINGS:
        raise Invalid(f"{KIND} has no setting {query!r}; there is: pooling={'|'.join(POOLINGS)}")
    return cast(MirrorPooling, value)
