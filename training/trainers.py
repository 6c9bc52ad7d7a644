"""Which kinds of encoder are trained from text, on what, and how: one table, nothing imported before it is needed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.encoders.options import Options
from riparian.errors import Invalid
from riparian.text import sentences
from training.material import Material, Run
from training.settings import defaults, parsed

Reads = Literal["texts", "translations", "views"]
"""texts; English texts each with a translation; two views of a document each (title and body)."""

Report = dict[str, Any]
"""JSON: settings, seed, sizes and hashes of the text, held-out figures beside those of a plain guess."""

_STRINGS = 200_000
_SHORTEST_STRING = 20


@dataclass(frozen=True, slots=True)
class Request:
    """One training: what it reads, the kind's own settings, the encoder it builds on, where the result goes."""

    material: Material
    settings: Any
    base: str
    run: Run
    options: Options
    into: Path


@dataclass(frozen=True, slots=True)
class Trainer:
    """`base` is the encoder that the kind builds on where none is named, "" where it builds on none. With `takes_tags`
    it can learn from sentences of tagged words too."""

    kind: str
    summary: str
    reads: Reads
    settings: str
    write: Callable[[Request], Report]
    base: str = ""
    takes_tags: bool = False

    def settings_from(self, given: Mapping[str, Any]) -> Any:
        """The kind's settings with its defaults where nothing is given. Invalid, naming what may be given, for a
        setting that there is not or a value that cannot be."""
        return parsed(_named(self.settings), given, f"training {self.kind}")

    @property
    def defaults(self) -> dict[str, Any]:
        return defaults(_named(self.settings))


def trainers() -> dict[str, Trainer]:
    """Kind → how it is trained, in order of name."""
    return {trainer.kind: trainer for trainer in sorted(_TABLE, key=lambda trainer: trainer.kind)}


def trainer(kind: str) -> Trainer:
    """Invalid, naming those that are, for a kind that is not trained from text."""
    known = trainers()
    if kind not in known:
        why = "is used as published; fine-tune it instead" if kind in registry.available() else "is no kind of encoder"
        raise Invalid(f"{kind!r} {why}; trained from text are: {', '.join(known)}")
    return known[kind]


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def _given(run: Run) -> dict[str, Any]:
    return {"checkpoint": run.checkpoint, "device": run.device, "workers": run.workers}


# ---------------------------------------------------------------------------------------------- the kinds


def _from_texts(place: str) -> Callable[[Request], Report]:
    """A kind whose `train` answers with the encoder."""

    def write(request: Request) -> Report:
        run = request.run
        made = _named(place)(request.material.texts, request.settings, run.seed, run.progress, **_given(run))
        return _saved(made, request)

    return write


def _context2vec_awe(request: Request) -> Report:
    from riparian.encoders.context2vec.awe_training import train

    run = request.run
    made = train(request.material.texts, request.settings, run.seed, run.progress, checkpoint=run.checkpoint)
    return _saved(made, request)


def _twin_causal(request: Request) -> Report:
    from riparian.encoders.twin.training import train

    run = request.run
    train(request.material.texts, request.settings, run.seed, run.progress, into=request.into, **_given(run))
    return _reported(request)


def _bert(request: Request) -> Report:
    from riparian.encoders.mlm.training import train
    from riparian.encoders.model_folder import plain_recipe
    from riparian.encoders.subwords import Subwords
    from riparian.encoders.transformer import TransformerEncoder
    from riparian.encoders.transformer_files import find
    from riparian.encoders.transformer_kinds import engine

    run, settings = request.run, request.settings
    plain = request.into.with_name(f"{request.into.name}.plain")
    report = train(request.material.texts, settings, run.seed, run.progress, into=plain, **_given(run))
    source = replace(
        find("bert", str(plain)),
        name=settings.name,
        licence=settings.licence,
        languages=settings.languages,
        origin="trained-here",
        provenance=f"BERT trained here on {request.material.origin}; held-out loss {report['loss']:.3f}",
    )
    recipe = plain_recipe(source.root)
    subwords = Subwords(source.folder, recipe.lower)
    TransformerEncoder(source, recipe, subwords, engine(source.folder, request.options)).save(request.into)
    return report


def _mirror_bert(request: Request) -> Report:
    from riparian.encoders.mirror.training import mirror_tune
    from riparian.encoders.transformer import TransformerEncoder

    run, options = request.run, request.options
    base = registry.load(request.base, cache_dir=options.cache_dir, device=options.device, threads=options.threads)
    if not isinstance(base, TransformerEncoder):
        raise Invalid(f"mirror-bert tunes a transformer, and {request.base} is of the kind {base.info.kind}")
    strings = list(itertools.islice(_sentences(request.material), _STRINGS))
    mirror_tune(
        str(base.parts[0].root), strings, request.settings, run.seed, run.progress, into=request.into, **_given(run)
    )
    return _reported(request)


def _cove(request: Request) -> Report:
    from riparian.encoders.cove.loading import word_vectors
    from riparian.encoders.cove.training import train

    run = request.run
    pairs = [(pair.first, pair.second) for pair in request.material.pairs]
    words = word_vectors(request.base, request.options)
    return _saved(train(pairs, words, request.settings, run.seed, run.progress, **_given(run)), request)


def _saved(encoder: Encoder, request: Request) -> Report:
    encoder.save(request.into)
    report: Report = dict(encoder.info.extra.get("training", {}))
    return report


def _reported(request: Request) -> Report:
    """What the saved encoder's card tells of its training."""
    options = request.options
    made = registry.load(str(request.into), cache_dir=options.cache_dir, device=options.device, threads=options.threads)
    report: Report = dict(made.info.extra.get("training", {}))
    return report


def _cvt(request: Request) -> Report:
    from riparian.encoders.cvt.training import train

    run, material = request.run, request.material
    tagged = [(one.words, one.tags) for one in material.tagged] or None
    made = train(material.texts, request.settings, run.seed, run.progress, tagged=tagged, **_given(run))
    return _saved(made, request)


def _view_match(request: Request) -> Report:
    from riparian.encoders.view_match.training import train

    run = request.run
    pairs = [(pair.first, pair.second) for pair in request.material.pairs]
    train(pairs, request.settings, run.seed, run.progress, into=request.into, **_given(run))
    return _reported(request)


def _sentences(material: Material) -> Iterator[str]:
    """Sentences in order, those that say hardly anything left out."""
    for text in material.texts:
        for span in sentences(text):
            sentence = " ".join(text[span.start : span.end].split())
            if len(sentence) >= _SHORTEST_STRING:
                yield sentence


_TABLE = [
    Trainer(
        "word2vec",
        "one vector a word, from the words around it (skip-gram with negative sampling)",
        "texts",
        "riparian.encoders.static_training.settings:Word2vecSettings",
        _from_texts("riparian.encoders.static_training.word2vec:train"),
    ),
    Trainer(
        "glove",
        "one vector a word, from how often words stand near each other",
        "texts",
        "riparian.encoders.static_training.settings:GloveSettings",
        _from_texts("riparian.encoders.static_training.glove:train"),
    ),
    Trainer(
        "view-match",
        "two views of a document, its title and its text, find each other (not the published Cross-View Training)",
        "views",
        "riparian.encoders.view_match.settings:Settings",
        _view_match,
    ),
    Trainer(
        "elmo",
        "a character biLM: predicts each word from those before, and from those after it",
        "texts",
        "riparian.encoders.elmo.settings:Settings",
        _from_texts("riparian.encoders.elmo.training:train"),
    ),
    Trainer(
        "cove",
        "a biLSTM that learnt to translate, over GloVe or word2vec vectors",
        "translations",
        "riparian.encoders.cove.settings:Settings",
        _cove,
        base="glove",
    ),
    Trainer(
        "cvt",
        "LSTMs that learn from few labels and much plain text; the casing of words, unless tagged text is given",
        "texts",
        "riparian.encoders.cvt.settings:Settings",
        _cvt,
        takes_tags=True,
    ),
    Trainer(
        "context2vec-lstm",
        "two LSTMs that predict a word from all around it",
        "texts",
        "riparian.encoders.context2vec.settings:Settings",
        _from_texts("riparian.encoders.context2vec.training:train"),
    ),
    Trainer(
        "context2vec-awe",
        "skip-gram vectors, and the mean of those around a word",
        "texts",
        "riparian.encoders.context2vec.settings:AweSettings",
        _context2vec_awe,
    ),
    Trainer(
        "mirror-bert",
        "a transformer that learns to tell sentences apart, without labels",
        "texts",
        "riparian.encoders.mirror.settings:Settings",
        _mirror_bert,
        base="sentence-transformers",
    ),
    Trainer(
        "twin-causal",
        "two transformers, one reading forwards, one backwards",
        "texts",
        "riparian.encoders.twin.settings:Settings",
        _twin_causal,
    ),
    Trainer(
        "bert",
        "a small transformer that fills in hidden words",
        "texts",
        "riparian.encoders.mlm.settings:Settings",
        _bert,
    ),
]
