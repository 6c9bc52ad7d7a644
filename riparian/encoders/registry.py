"""From a word to an encoder: one table of kinds, resolved lazily, open to installed packages.

A spec is

- a kind alone: ``sentence-transformers`` (the default model), ``bert``, ``use``, ``glove``, ``hashing``;
- ``kind:argument``: ``sentence-transformers:/models/mine``, ``bert:google-bert/bert-base-uncased``,
  ``word2vec:/data/vectors.bin``, ``hashing:64``;
- a path of a model folder, or a model hub id (it contains a slash): read as ``sentence-transformers:…``,
  or as the kind that its ``encoder.json`` names where Riparian saved it.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from riparian.encoders.base import Encoder
from riparian.encoders.options import Options
from riparian.encoders.storage import is_saved, read_card
from riparian.errors import Invalid, MissingPath, UnknownEncoder

GROUP = "riparian.encoders"

# strings, so that naming an encoder imports nothing
BUILT_IN = {
    "hashing": "riparian.encoders.hashing:load",
    "sentence-transformers": "riparian.encoders.transformer_kinds:load",
    "bert": "riparian.encoders.transformer_kinds:load_bert",
    "use": "riparian.encoders.use:load",
    "use-lite": "riparian.encoders.use_lite.loading:load",
    "word2vec": "riparian.encoders.static:load_word2vec",
    "glove": "riparian.encoders.static:load_glove",
    "cove": "riparian.encoders.cove.loading:load",
    "context2vec-awe": "riparian.encoders.context2vec.awe_loading:load",
    "context2vec-lstm": "riparian.encoders.context2vec.loading:load",
    "mirror-bert": "riparian.encoders.mirror.loading:load",
    "view-match": "riparian.encoders.view_match.loading:load",
    "twin-causal": "riparian.encoders.twin.loading:load",
    "elmo": "riparian.encoders.elmo.loading:load",
    "cvt": "riparian.encoders.cvt.loading:load",
}

WITHOUT_PACKAGE = frozenset({"use-lite"})
"""Kinds of one published model that no Python package carries: added to the library once, under the kind's own name."""

_ENGINES = ("auto", "onnx", "torch")


class Factory(Protocol):
    """What a table entry or entry point names: ``module:function``.

    `argument` is what stands behind the colon of the spec, "" when nothing does. A folder that the kind's own
    `Encoder.save` wrote must be accepted as the argument.
    """

    def __call__(self, argument: str, options: Options) -> Encoder: ...


def available() -> dict[str, str]:
    """Kind → "module:function" of every encoder, in order of name; a plug-in never replaces a built-in."""
    return dict(sorted((_added(tuple(sys.path)) | BUILT_IN).items()))


@cache
def _added(_path: tuple[str, ...]) -> dict[str, str]:
    """What installed packages add. Every search asks, and looking through all of them takes some 5 ms: a package that
    is installed while the program runs is seen at its next start."""
    return {point.name: point.value for point in entry_points(group=GROUP)}


def load(spec: str, *, cache_dir: Path, device: str = "auto", threads: int = 0, engine: str = "auto") -> Encoder:
    """The encoder that `spec` names (grammar above), loaded anew at each call.

    Raises UnknownEncoder for a word that names none, MissingPath for a path that is not there,
    ModelNotInstalled for a hub id that is neither cached nor reachable, BadWeights for files that are damaged or not
    the pinned ones, MissingExtra where a package is lacking.
    """
    if engine not in _ENGINES:
        raise Invalid(f"engine {engine!r} is not known; give one of {', '.join(_ENGINES)}")
    kind, argument = resolve(spec)
    return _factory(kind)(argument, Options(Path(cache_dir), device, threads, engine))


def resolve(spec: str) -> tuple[str, str]:
    """(kind, argument) of a spec; looks at the disk for paths, loads nothing."""
    spec = spec.strip()
    if not spec:
        raise UnknownEncoder(spec, available())
    kind, colon, argument = spec.partition(":")
    if kind in available():
        if colon and not argument:
            raise UnknownEncoder(spec, available())
        return kind, argument
    folder = Path(spec).expanduser() if spec.startswith("~") else Path(spec)
    if is_saved(folder):
        return read_card(folder).kind, str(folder)
    if folder.is_dir() or _looks_like_hub_id(spec):
        return "sentence-transformers", spec
    if spec.startswith(("/", "./", "../", "~")):
        raise MissingPath(spec)
    raise UnknownEncoder(spec, available())


def _looks_like_hub_id(spec: str) -> bool:
    owner, slash, name = spec.partition("/")
    return bool(slash and owner and name) and not owner.startswith((".", "~")) and "/" not in name and ":" not in spec


def _factory(kind: str) -> Factory:
    known = available()
    if kind not in known:
        raise UnknownEncoder(kind, known)
    module, _, name = known[kind].partition(":")
    return cast(Factory, getattr(import_module(module), name))
