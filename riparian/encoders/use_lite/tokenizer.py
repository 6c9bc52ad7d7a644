"""The unigram pieces of the Universal Sentence Encoder, English lite, with offsets into the original text."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Encoding as Found
from tokenizers import Regex, Tokenizer, models, normalizers

from riparian.encoders.base import Tokens
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.errors import BadWeights

FILE = "vocab.json"
_SPACE = "\u2581"
UNKNOWN = 0
_RESERVED = 6
"""Ids that no text has, but for the first: it stands for what the vocabulary does not hold."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces with their log probabilities, in order of their ids."""

    pieces: tuple[tuple[str, float], ...]

    def write(self, path: Path) -> None:
        """As `vocab.json`: a list of pieces with their scores."""
        path.write_text(json.dumps([list(piece) for piece in self.pieces], ensure_ascii=False), encoding="utf-8")


class LiteTokenizer:
    """NFKC, white space of any kind and length as one mark before the word, then the most probable pieces."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.digest = text_digest(canonical([list(piece) for piece in vocabulary.pieces]))
        # a reserved name holds a space, and so is never found in a text
        named = [(f" {at}" if at < _RESERVED else piece, score) for at, (piece, score) in enumerate(vocabulary.pieces)]
        self._tokenizer = Tokenizer(models.Unigram(named, unk_id=UNKNOWN, byte_fallback=False))
        self._tokenizer.normalizer = normalizers.Sequence(
            [
                normalizers.NFKC(),
                normalizers.Strip(),
                normalizers.Replace(Regex(r"\s+"), _SPACE),
                normalizers.Prepend(_SPACE),
            ]
        )

    def ids(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """The ids of each text, none for a blank one."""
        return [tuple(found.ids) for found in self._tokenizer.encode_batch_fast(list(texts))]

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Pieces of each text with the white space before them left out of their offsets."""
        found = self._tokenizer.encode_batch(list(texts))
        return [_tokens(pieces, text) for pieces, text in zip(found, texts, strict=True)]


def read_vocabulary(path: Path, most: int) -> Vocabulary:
    """At most `most` pieces. A score that is missing counts as 0, as in the package's own code.

    Raises BadWeights for a file that is no list of pieces with scores.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        pieces = tuple((_text(piece), float(score or 0.0)) for piece, score in raw)
    except FileNotFoundError:
        raise BadWeights(path, "a JSON file", "no such file") from None
    except (UnicodeDecodeError, ValueError, TypeError) as error:
        raise BadWeights(path, "a JSON list of pieces with their scores", str(error)) from error
    if not _RESERVED < len(pieces) <= most or not all(math.isfinite(score) for _, score in pieces):
        raise BadWeights(path, f"{_RESERVED + 1} to {most} pieces with finite scores", f"{len(pieces)} pieces")
    return Vocabulary(pieces)


def _text(piece: object) -> str:
    if not isinstance(piece, str) or not piece:
        raise ValueError(f"{piece!r} is no piece")
    return piece


def _tokens(found: Found, text: str) -> Tokens:
    offsets = [_trimmed(text, *span) for span in found.offsets]
    return Tokens(tuple(found.tokens), np.array(offsets, dtype=np.int64).reshape(-1, 2))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    inner = text[start:end]
    return (end - len(inner.lstrip()), end) if inner.strip() else (start, end)
