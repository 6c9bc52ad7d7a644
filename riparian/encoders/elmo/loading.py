"""From a spec to an ELMo encoder.

``elmo:FOLDER``, a folder of published files (`options.json` and HDF5 weights) or one that `save` wrote, optionally
followed by ``?`` and settings joined by ``&``: ``state=zero|frozen`` and ``layer=mix|0|1|2``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riparian.device import choose
from riparian.encoders.elmo.encoder import ElmoEncoder, Model
from riparian.encoders.elmo.files import (
    STATE_CELL,
    STATE_OUTPUT,
    WEIGHTS,
    Arrays,
    read_published,
    read_safetensors,
    state_shapes,
    write_safetensors,
)
from riparian.encoders.elmo.mix import Mix
from riparian.encoders.elmo.options import parse_options
from riparian.encoders.elmo.warm_up import TEXT
from riparian.encoders.facts import Facts, saved_facts
from riparian.encoders.fingerprint import text_digest
from riparian.encoders.options import Options
from riparian.encoders.saved import verify
from riparian.encoders.specs import settings_of, spec_of
from riparian.encoders.storage import CARD, is_saved, read_card, write_file
from riparian.encoders.training_steps import use_threads
from riparian.errors import BadWeights, Invalid, MissingPath

_STATES = ("zero", "frozen")


def load(argument: str, options: Options) -> ElmoEncoder:
    """Raises MissingPath, BadWeights naming the file and what is wrong with it, Invalid for an unknown setting."""
    if not argument:
        raise Invalid("elmo comes with no weights; name a folder with options.json and weights.hdf5: elmo:/data/elmo")
    path, _, query = argument.partition("?")
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise MissingPath(folder)
    wanted = _settings(query)
    device = choose(options.device)
    use_threads(device, options.threads)
    spec = f"elmo:{folder.resolve()}"
    if is_saved(folder):
        encoder = ElmoEncoder(*_saved(folder, spec), device)
        verify(folder, encoder)
    else:
        published = read_published(folder)
        facts = Facts(published.name, spec, "published", "not stated", published.provenance)
        mix = Mix.uniform(published.options.layers + 1)
        encoder = ElmoEncoder(facts, Model(published.options, published.tensors, mix), device)
    return _with(encoder, wanted, spec, options.cache_dir)


def frozen(encoder: ElmoEncoder, cache_dir: Path) -> ElmoEncoder:
    """The encoder whose sentences all start where the warm-up text ends.

    The state is computed once and kept in `cache_dir`; `save` writes it beside the weights.
    """
    base = encoder.from_zero()
    key = text_digest(f"{base.fingerprint()} {text_digest(TEXT)}")[:32]
    path = cache_dir / "elmo" / f"{key}.safetensors"
    shapes = state_shapes(encoder.model.options)
    if not path.is_file():
        state = base.frozen_after(TEXT)
        write_file(path, lambda draft: write_safetensors(draft, state))
    return encoder.using(frozen=read_safetensors(path, shapes))


def _with(encoder: ElmoEncoder, wanted: Mapping[str, str], spec: str, cache_dir: Path) -> ElmoEncoder:
    if not wanted:
        return encoder
    layers = encoder.model.options.layers + 1
    if "layer" in wanted:
        encoder = encoder.using(mix=_mix(wanted["layer"], layers))
    state = wanted.get("state", encoder.model.initial_state)
    if state == "zero":
        encoder = encoder.from_zero()
    elif encoder.model.frozen is None:
        encoder = frozen(encoder, cache_dir)
    return encoder.using(spec=spec_of(spec, wanted))


def _settings(query: str) -> dict[str, str]:
    settings = settings_of("elmo", query, ("state", "layer"))
    if settings.get("state", "zero") not in _STATES:
        raise Invalid(f"elmo has no start state {settings['state']!r}; give state=zero or state=frozen")
    return settings


def _mix(word: str, layers: int) -> Mix:
    if word == "mix":
        return Mix.uniform(layers)
    if not word.isdecimal() or int(word) >= layers:
        raise Invalid(f"elmo has no layer {word!r}; give layer=mix or a number from 0 to {layers - 1}")
    return Mix.only(int(word), layers)


def _saved(folder: Path, spec: str) -> tuple[Facts, Model]:
    card = read_card(folder)
    settings = card.settings
    path = folder / CARD
    options = parse_options(_mapping(settings, "options", path), path)
    with_state = settings.get("initial_state") == "frozen"
    shapes = options.shapes() | (state_shapes(options) if with_state else {})
    tensors = read_safetensors(folder / WEIGHTS, shapes)
    state: Arrays | None = None
    if with_state:
        state = {name: tensors.pop(name) for name in (STATE_CELL, STATE_OUTPUT)}
    return saved_facts(card, spec, folder), Model(
        options, tensors, _saved_mix(settings, options.layers + 1, path), state
    )


def _saved_mix(settings: Mapping[str, Any], layers: int, path: Path) -> Mix:
    scalars, gamma = settings.get("scalars"), settings.get("gamma")
    sound = isinstance(scalars, list) and len(scalars) == layers and all(_is_number(value) for value in scalars)
    if not (isinstance(scalars, list) and sound and _is_number(gamma)):
        raise BadWeights(path, f"{layers} scalars and a gamma", f"{scalars!r} and {gamma!r}")
    return Mix(tuple(float(value) for value in scalars), float(gamma or 0.0))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _mapping(settings: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    value = settings.get(key)
    if not isinstance(value, dict):
        raise BadWeights(path, f"an object under settings.{key}", repr(value))
    return value
