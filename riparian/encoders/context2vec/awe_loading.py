"""From a spec to averaged word embeddings.

``context2vec-awe:PATH``, a file of word vectors (word2vec binary or text, GloVe text), a `.params` file of the
published toolkit with ``model_type bow_context``, or a folder that `save` wrote; optionally followed by ``?`` and
settings joined by ``&``: ``window=5`` (0: the whole sentence), ``stopwords=en`` (a language, or none), ``idf=yes|no``,
``counts=FILE`` (lines of word, tab, count; idf needs them), ``vectors=both|context``.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.context2vec import params as lines
from riparian.encoders.context2vec import tables
from riparian.encoders.context2vec.awe import CONTEXTS, COUNTS, TARGETS, AweEncoder, Reading, Table
from riparian.encoders.context2vec.facts import vectors_named
from riparian.encoders.facts import Facts, saved_facts
from riparian.encoders.options import Options
from riparian.encoders.saved import verify
from riparian.encoders.specs import settings_of, spec_of
from riparian.encoders.storage import CARD, is_saved, read_card
from riparian.encoders.word_vectors import converted, mapped
from riparian.errors import BadWeights, Invalid, MissingPath
from riparian.text import stop_words as common

_KIND = "context2vec-awe"
_KNOWN = ("window", "stopwords", "idf", "counts", "vectors")


def load(argument: str, options: Options) -> AweEncoder:
    """Raises MissingPath, BadWeights naming the file and what is wrong with it, Invalid for an unknown setting."""
    name, _, query = argument.partition("?")
    if not name:
        raise Invalid(f"{_KIND} comes with no vectors; name a file or a folder: {_KIND}:/data/vectors.bin")
    path = Path(name).expanduser()
    if not path.exists():
        raise MissingPath(path)
    wanted = settings_of(_KIND, query, _KNOWN)
    spec = f"{_KIND}:{path.resolve()}"
    if is_saved(path):
        encoder = AweEncoder(*_saved(path, spec))
        verify(path, encoder)
    else:
        encoder = _published(path, spec, options.cache_dir)
    return _with(encoder, wanted, spec_of(spec, wanted)) if wanted else encoder


def stop_list(language: str) -> frozenset[str]:
    """The most common words of a language and the punctuation marks. Raises Invalid for an unknown language."""
    words = common(language)
    if not words:
        raise Invalid(f"no stop words are known for language {language!r}; give an ISO 639-1 code such as en, or none")
    return words | frozenset(string.punctuation) | frozenset("“”‘’„«»–—…")


def _published(path: Path, spec: str, cache_dir: Path) -> AweEncoder:
    if path.is_file() and path.suffix != ".params":
        vectors = mapped(converted(path, cache_dir))
        facts = Facts(path.name, spec, "published", "not stated", f"local file {path.resolve()}")
        return AweEncoder(facts, Table(tuple(vectors.words), vectors.matrix), Reading())
    source = lines.found_in(path)
    params = lines.read(source)
    if lines.model_type(params) != "bow_context":
        raise BadWeights(source, "model_type bow_context", f"{lines.model_type(params)} (see context2vec-lstm)")
    words = mapped(converted(lines.beside(source, params, "words_file"), cache_dir))
    table = Table(tuple(words.words), words.matrix)
    if "contexts_file" in params:
        table = replace(table, contexts=_same_words(lines.beside(source, params, "contexts_file"), table, cache_dir))
    if "word_counts_file" in params:
        table = replace(table, counts=read_counts(lines.beside(source, params, "word_counts_file"), table.words))
    stop = stop_list("en") if lines.yes(source, params, "stopwords") else frozenset[str]()
    reading = Reading(lines.whole(source, params, "window_size", 0), stop, idf=table.counts is not None)
    name = source.name.removesuffix(".params")
    return AweEncoder(Facts(name, spec, "published", "not stated", f"local files beside {source}"), table, reading)


def _same_words(path: Path, table: Table, cache_dir: Path) -> NDArray[np.float32]:
    found = mapped(converted(path, cache_dir))
    if tuple(found.words) != table.words:
        raise BadWeights(path, "the words of words_file in the same order", f"{len(found.words)} others")
    return tables.checked(path, CONTEXTS, table.targets.shape, np.asarray(found.matrix))


def read_counts(path: Path, words: tuple[str, ...]) -> NDArray[np.int64]:
    """How often each of the words stood in a text, 0 for one without a line. Raises BadWeights naming the line that is
    no word and count."""
    if not path.is_file():
        raise MissingPath(path)
    counted: dict[str, int] = {}
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadWeights(path, "UTF-8 text", str(error)) from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            word, tab, count = line.partition("\t")
            if not (tab and count.strip().isascii() and count.strip().isdigit()):
                raise BadWeights(path, f"a word, a tab and a count in line {number}", repr(line[:80]))
            counted[word.strip()] = int(count)
    counts = np.array([counted.get(word, 0) for word in words], dtype=np.int64)
    if not counts.any():
        raise BadWeights(path, "counts of the words that have vectors", "none of them")
    return counts


def _with(encoder: AweEncoder, wanted: Mapping[str, str], spec: str) -> AweEncoder:
    reading, table = encoder.reading, encoder.table
    if "counts" in wanted:
        table = replace(table, counts=read_counts(Path(wanted["counts"]).expanduser(), table.words))
        encoder = AweEncoder(encoder.facts, table, reading)
    for key, word in wanted.items():
        reading = _set(reading, key, word)
    if reading.idf and table.counts is None:
        raise Invalid("idf=yes needs to know how common each word is; add counts=FILE with lines of word, tab, count")
    return encoder.using(reading, spec)


def _set(reading: Reading, key: str, word: str) -> Reading:
    match key:
        case "window" if word.isascii() and word.isdigit():
            return replace(reading, window=int(word))
        case "stopwords":
            return replace(reading, stop_words=frozenset() if word == "none" else stop_list(word))
        case "idf" if word in ("yes", "no"):
            return replace(reading, idf=word == "yes")
        case "vectors":
            return replace(reading, vectors=vectors_named(word))
        case "counts":
            return reading
    raise Invalid(f"{_KIND} has no {key} {word!r}; give window=5, idf=yes or idf=no")


def _saved(folder: Path, spec: str) -> tuple[Facts, Table, Reading]:
    card = read_card(folder)
    if card.kind != _KIND:
        raise BadWeights(folder / CARD, f"kind {_KIND}", f"kind {card.kind}")
    words, found, path = tables.read_words(folder), tables.read_tensors(folder), folder / tables.WEIGHTS
    if unknown := sorted(found.keys() - {TARGETS, CONTEXTS, COUNTS}):
        raise BadWeights(path, "the tensors of averaged word embeddings", f"also {unknown[0]}")
    width = found[TARGETS].shape[-1] if TARGETS in found and found[TARGETS].ndim == 2 else 1
    shape = (len(words), width)
    targets = tables.checked(path, TARGETS, shape, found.get(TARGETS))
    contexts = tables.checked(path, CONTEXTS, shape, found[CONTEXTS]) if CONTEXTS in found else None
    table = Table(words, targets, contexts, _counts(path, len(words), found.get(COUNTS)))
    return saved_facts(card, spec, folder), table, _reading(folder / CARD, card.settings, table)


def _counts(path: Path, words: int, found: NDArray[Any] | None) -> NDArray[np.int64] | None:
    if found is not None and (found.shape != (words,) or found.dtype != np.int64 or (found < 0).any()):
        raise BadWeights(path, f"tensor {COUNTS} of shape {(words,)} of counts", f"{found.dtype} {found.shape}")
    return found


def _reading(path: Path, settings: Mapping[str, Any], table: Table) -> Reading:
    match settings:
        case {"window": int(window), "stop_words": list(stop), "idf": bool(idf), "vectors": "both" | "context" as how}:
            if window >= 0 and all(isinstance(word, str) for word in stop) and (table.counts is not None or not idf):
                return Reading(window, frozenset(stop), idf, vectors_named(how))
    raise BadWeights(path, "window, stop_words, idf and vectors under settings", repr(dict(settings))[:200])
