"""The SentencePiece unigram model of USE, run by the tokenizers library, which keeps offsets into the original text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Encoding as Fused
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from riparian.encoders.base import Offsets
from riparian.encoders.protobuf import fields, single
from riparian.errors import BadWeights

UNKNOWN, BEGIN, END = 0, 1, 2
_SPACE = "\u2581"


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of one text with ids and offsets, without the begin and end marks."""

    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    offsets: Offsets


class UseTokenizer:
    """Gives the pieces of SentencePiece itself (nmt_nfkc normalisation, Viterbi segmentation)."""

    def __init__(self, path: Path) -> None:
        vocabulary, charsmap = _read(path)
        self._tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=UNKNOWN, byte_fallback=False))
        self._tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Precompiled(charsmap), normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")]
        )
        self._tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(
            replacement=_SPACE, prepend_scheme="always", split=False
        )

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """Pieces of each text, none for an empty one."""
        found = self._tokenizer.encode_batch(list(texts))
        return [_unfused(fused, text) for fused, text in zip(found, texts, strict=True)]

    def ids(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Only the ids. Quicker than `pieces`."""
        return [_unfused_ids(fused) for fused in self._tokenizer.encode_batch(list(texts))]


def _unfused_ids(fused: Fused) -> tuple[int, ...]:
    """SentencePiece gives one unknown piece a character, the tokenizers library one for a run of them."""
    ids: list[int] = fused.ids
    if UNKNOWN not in ids:
        return tuple(ids)
    counts = [len(token) if id_ == UNKNOWN else 1 for token, id_ in zip(fused.tokens, ids, strict=True)]
    return tuple(np.repeat(ids, counts).tolist())


def _unfused(fused: Fused, text: str) -> Pieces:
    tokens: list[str] = []
    ids: list[int] = []
    offsets: list[tuple[int, int]] = []
    for token, id_, span in zip(fused.tokens, fused.ids, fused.offsets, strict=True):
        start, end = _trimmed(text, *span)
        parts = list(token) if id_ == UNKNOWN else [token]
        even = len(parts) == end - start and len(parts) > 1
        for number, part in enumerate(parts):
            tokens.append(part)
            ids.append(id_)
            offsets.append((start + number, start + number + 1) if even else (start, end))
    return Pieces(tuple(tokens), tuple(ids), np.array(offsets, dtype=np.int64).reshape(-1, 2))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without the white space before the piece, which SentencePiece counts to it."""
    inner = text[start:end]
    return (end - len(inner.lstrip()), end) if inner.strip() else (start, end)


def _read(path: Path) -> tuple[list[tuple[str, float]], bytes]:
    """Pieces with scores, and the compiled normalisation table, of a SentencePiece model (a protobuf message)."""
    try:
        model = fields(path.read_bytes())
        pieces = [fields(entry) for entry in model[1]]
        vocabulary = [(single(piece, 1).decode(), float(np.frombuffer(single(piece, 2), "<f4")[0])) for piece in pieces]
        return vocabulary, single(fields(single(model, 3)), 2)
    except (KeyError, ValueError, IndexError) as error:
        raise BadWeights(path, "a SentencePiece unigram model", str(error)) from error
