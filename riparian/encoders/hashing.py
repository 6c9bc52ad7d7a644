"""A model-free encoder: words as sums of hashed character n-grams.

It knows spelling, not meaning. It makes the product run, and its tests pass, where no model is at hand.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from riparian.encoders.base import EncoderInfo, Encoding, Progress, Tokens
from riparian.encoders.fingerprint import fingerprint
from riparian.encoders.options import Options
from riparian.encoders.pooling import unit_rows
from riparian.encoders.saved import saving, verify
from riparian.encoders.storage import CARD, is_saved, read_card
from riparian.errors import BadWeights, UnknownEncoder
from riparian.types import Matrix, Role

DIMENSION = 256
_WORD = re.compile(r"\w+|[^\w\s]")
_MAX_TOKENS = 200
_SIZES = (2, 3, 4)


def load(argument: str, options: Options) -> HashingEncoder:
    """``hashing``, ``hashing:DIMENSION``, or a folder that `save` wrote."""
    if argument and is_saved(Path(argument)):
        return _saved(Path(argument))
    if argument and not (argument.isdecimal() and 2 <= int(argument) <= 65536):
        raise UnknownEncoder(f"hashing:{argument}", ["hashing", "hashing:DIMENSION (2 to 65536)"])
    return HashingEncoder(int(argument or DIMENSION))


def _saved(folder: Path) -> HashingEncoder:
    dimension = read_card(folder).settings.get("dimension")
    if not isinstance(dimension, int) or not 2 <= dimension <= 65536:
        raise BadWeights(folder / CARD, "a dimension from 2 to 65536", repr(dimension))
    encoder = HashingEncoder(dimension)
    verify(folder, encoder)
    return encoder


class HashingEncoder:
    """Word-level tokens (runs of letters and digits, or one other character); passage = unit mean of its tokens."""

    def __init__(self, dimension: int = DIMENSION) -> None:
        self._dimension = dimension
        self._vector = lru_cache(maxsize=50_000)(self._hash)

    @property
    def info(self) -> EncoderInfo:
        plain = self._dimension == DIMENSION
        return EncoderInfo(
            kind="hashing",
            name=f"hashed character n-grams, {self._dimension} dimensions",
            spec="hashing" if plain else f"hashing:{self._dimension}",
            origin="published",
            contextual="none",
            token_dim=self._dimension,
            passage_dim=self._dimension,
            max_tokens=_MAX_TOKENS,
            pooling="mean",
            languages=(),
            licence="Apache-2.0",
            method="published",
            provenance="computed, no weights (feature hashing, Weinberger et al. 2009)",
        )

    def fingerprint(self) -> str:
        return fingerprint({"kind": "hashing", "dimension": self._dimension, "sizes": _SIZES, "pooling": "mean"})

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return [_split(text) for text in texts]

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        return [self._encoding(tokens) for tokens in self.tokenize(texts)]

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        rows = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            words = _split(text).tokens
            if words:
                rows[row] = self._vectors(words).astype(np.float64).mean(axis=0)
            if progress and (row + 1) % 64 == 0:
                progress(row + 1, len(texts))
        if progress and len(texts):
            progress(len(texts), len(texts))
        return unit_rows(rows)

    def save(self, folder: Path) -> None:
        with saving(folder, self, {"dimension": self._dimension}):
            pass  # it has no weights

    def _encoding(self, tokens: Tokens) -> Encoding:
        known = np.ones(len(tokens.tokens), dtype=np.bool_)
        return Encoding(tokens.tokens, tokens.offsets, self._vectors(tokens.tokens), known)

    def _vectors(self, words: Sequence[str]) -> Matrix:
        if not words:
            return np.zeros((0, self._dimension), dtype=np.float32)
        return np.stack([self._vector(word) for word in words])

    def _hash(self, word: str) -> Matrix:
        vector = np.zeros(self._dimension, dtype=np.float32)
        for gram in _grams(unicodedata.normalize("NFKC", word).casefold()):
            code = zlib.crc32(gram.encode("utf-8", "surrogatepass"))
            vector[(code >> 1) % self._dimension] += 1.0 if code & 1 else -1.0
        length = float(np.linalg.norm(vector))
        # n-grams can cancel out: the word's own slot then stands alone
        if length == 0.0:
            vector[zlib.crc32(word.encode("utf-8", "surrogatepass")) % self._dimension] = length = 1.0
        return vector / np.float32(length)


def _split(text: str) -> Tokens:
    found = list(_WORD.finditer(text))
    offsets = np.array([match.span() for match in found], dtype=np.int64).reshape(-1, 2)
    return Tokens(tuple(match.group() for match in found), offsets)


def _grams(word: str) -> list[str]:
    framed = f"<{word}>"
    parts = [framed[i : i + size] for size in _SIZES for i in range(len(framed) - size + 1)]
    return [framed, *parts]
