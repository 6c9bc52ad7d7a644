"""From a spec to a context2vec encoder with LSTMs.

``context2vec-lstm:PATH``, a published model (`.params`, or the folder with it) or a folder that `save` wrote,
optionally followed by ``?vectors=both|context``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from riparian.device import choose
from riparian.encoders.context2vec import published, tables
from riparian.encoders.context2vec.encoder import LstmEncoder, Model
from riparian.encoders.context2vec.facts import vectors_named
from riparian.encoders.context2vec.network import Sizes
from riparian.encoders.context2vec.vocabulary import MARKS, Vocabulary
from riparian.encoders.facts import Facts, saved_facts
from riparian.encoders.options import Options
from riparian.encoders.saved import verify
from riparian.encoders.specs import settings_of, spec_of
from riparian.encoders.storage import CARD, is_saved, read_card
from riparian.encoders.training_steps import use_threads
from riparian.errors import BadWeights, Invalid, MissingPath

_KIND = "context2vec-lstm"


def load(argument: str, options: Options) -> LstmEncoder:
    """Raises MissingPath, BadWeights naming the file and what is wrong with it, Invalid for an unknown setting."""
    name, _, query = argument.partition("?")
    if not name:
        raise Invalid(f"{_KIND} comes with no weights; name a .params file or a folder: {_KIND}:/data/context2vec")
    path = Path(name).expanduser()
    if not path.exists():
        raise MissingPath(path)
    wanted = settings_of(_KIND, query, ("vectors",))
    device = choose(options.device)
    use_threads(device, options.threads)
    spec = f"{_KIND}:{path.resolve()}"
    if is_saved(path):
        encoder = LstmEncoder(*_saved(path, spec), device)
        verify(path, encoder)
    else:
        found = published.read(path, options.cache_dir)
        facts = Facts(found.name, spec, "published", "not stated", f"local files beside {path.resolve()}")
        encoder = LstmEncoder(facts, Model(found.sizes, Vocabulary(found.words), found.tensors), device)
    if not wanted:
        return encoder
    return encoder.using(vectors_named(wanted["vectors"]), spec_of(spec, wanted))


def _saved(folder: Path, spec: str) -> tuple[Facts, Model]:
    card = read_card(folder)
    if card.kind != _KIND:
        raise BadWeights(folder / CARD, f"kind {_KIND}", f"kind {card.kind}")
    words = tables.read_words(folder)
    sizes = _sizes(folder / CARD, card.settings.get("sizes"))
    if words[: len(MARKS)] != MARKS or len(words) != sizes.words:
        raise BadWeights(folder / tables.VOCABULARY, f"{sizes.words} words, {', '.join(MARKS)} first", f"{len(words)}")
    path, shapes, found = folder / tables.WEIGHTS, sizes.shapes(), tables.read_tensors(folder)
    if unknown := sorted(found.keys() - shapes.keys()):
        raise BadWeights(path, "the tensors of a context2vec encoder", f"also {unknown[0]}")
    tensors = {name: tables.checked(path, name, shape, found.get(name)) for name, shape in shapes.items()}
    try:
        vectors = vectors_named(card.settings.get("vectors"))
    except Invalid as error:
        raise BadWeights(folder / CARD, "vectors both or context", str(error)) from error
    return saved_facts(card, spec, folder), Model(sizes, Vocabulary(words), tensors, vectors)


def _sizes(path: Path, value: Any) -> Sizes:
    match value:
        case {"words": int(words), "unit": int(unit), "hidden": int(hidden), "out": int(out), "deep": bool(deep)}:
            if min(words, unit, hidden, out) > 0 and (deep or out % 2 == 0):
                return Sizes(words, unit, hidden, out, deep)
    raise BadWeights(path, "whole numbers of words, unit, hidden and out, and deep, under settings.sizes", repr(value))
