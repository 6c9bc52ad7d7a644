"""From a spec to a CoVe encoder.

``cove:FILE?glove=SPEC`` reads published MT-LSTM weights and the word vectors that they were trained on
(``cove:/data/wmtlstm.pth?glove=glove:/data/glove.840B.300d.txt``); ``cove:FOLDER`` is one that `save` wrote. More
settings are joined by ``&``: ``vectors=both|cove``, ``layers=last|all``, ``pooling=mean|max``, ``case=lower|keep``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from riparian.device import Device, choose
from riparian.encoders import registry
from riparian.encoders.cove.encoder import GLOVE, CoveEncoder, Model
from riparian.encoders.cove.files import WEIGHTS, converted, read_safetensors
from riparian.encoders.cove.view import CHOICES, View, with_settings
from riparian.encoders.facts import Facts, saved_facts
from riparian.encoders.options import Options
from riparian.encoders.saved import verify
from riparian.encoders.specs import settings_of, spec_of
from riparian.encoders.static import StaticEncoder
from riparian.encoders.storage import CARD, is_saved, read_card
from riparian.encoders.training_steps import use_threads
from riparian.errors import BadWeights, Invalid, MissingPath

_EXAMPLE = "cove:/data/wmtlstm.pth?glove=glove:/data/glove.840B.300d.txt"


def load(argument: str, options: Options) -> CoveEncoder:
    """Raises MissingPath, BadWeights naming the file and what is wrong with it, Invalid for an unknown setting and for
    word vectors of another width than the weights ask for."""
    if not argument:
        raise Invalid(f"cove comes with no weights; name a file and its word vectors: {_EXAMPLE}")
    name, _, query = argument.partition("?")
    path, wanted = Path(name).expanduser(), settings_of("cove", query, ("glove", *CHOICES))
    device = choose(options.device)
    use_threads(device, options.threads)
    if is_saved(path):
        return _saved(path.resolve(), wanted, options, device)
    if path.is_dir():
        raise MissingPath(f"{path}/{CARD}")
    if not path.is_file():
        raise MissingPath(path)
    return _published(path.resolve(), wanted, options, device)


def word_vectors(spec: str, options: Options) -> StaticEncoder:
    """The GloVe or word2vec table that `spec` names. Raises Invalid for another kind of encoder."""
    found = registry.load(
        spec, cache_dir=options.cache_dir, device=options.device, threads=options.threads, engine=options.engine
    )
    if not isinstance(found, StaticEncoder):
        raise Invalid(f"cove reads the word vectors of a glove or word2vec encoder; {spec} is {found.info.kind}")
    return found


def _published(path: Path, wanted: dict[str, str], options: Options, device: Device) -> CoveEncoder:
    if "glove" not in wanted:
        raise Invalid(f"cove:{path} needs the word vectors that it was trained on, for example {_EXAMPLE}")
    view = with_settings(View(), {key: value for key, value in wanted.items() if key != "glove"})
    tensors = converted(path, options.cache_dir)
    glove = word_vectors(wanted["glove"], options)
    provenance = f"local file {path}, reading {glove.info.spec}"
    facts = Facts(
        path.stem, spec_of(f"cove:{path}", wanted), "published", "not stated", provenance, glove.info.languages
    )
    return CoveEncoder(facts, Model(tensors, glove, view), device)


def _saved(folder: Path, wanted: dict[str, str], options: Options, device: Device) -> CoveEncoder:
    if "glove" in wanted:
        raise Invalid(f"{folder} holds its own word vectors; leave glove={wanted['glove']} out")
    card, path = read_card(folder), folder / CARD
    if card.kind != "cove":
        raise BadWeights(path, "a cove encoder", card.kind)
    glove = word_vectors(str(folder / GLOVE), options)
    model = Model(read_safetensors(folder / WEIGHTS), glove, _saved_view(card.settings, path))
    facts = saved_facts(card, f"cove:{folder}", folder)
    encoder = CoveEncoder(facts, model, device)
    verify(folder, encoder)
    if not wanted:
        return encoder
    facts = replace(facts, spec=spec_of(f"cove:{folder}", wanted))
    return CoveEncoder(facts, Model(model.tensors, glove, with_settings(model.view, wanted)), device)


def _saved_view(settings: Mapping[str, Any], path: Path) -> View:
    found = {name: settings.get(name) for name in CHOICES}
    for name, value in found.items():
        if value not in CHOICES[name]:
            raise BadWeights(path, f"{' or '.join(CHOICES[name])} under settings.{name}", repr(value))
    return with_settings(View(), {name: str(value) for name, value in found.items()})
