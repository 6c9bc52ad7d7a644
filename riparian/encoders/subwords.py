"""Fast sub-word tokenizers: ids and offsets into the original text, nothing cut, nothing padded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding as Pieces
from tokenizers import Tokenizer, normalizers

from riparian.encoders.base import Offsets, Tokens
from riparian.encoders.fingerprint import file_digest, text_digest
from riparian.errors import BadWeights

FILE = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class TokenIds:
    """The ids of one text without special tokens, the first `prompt` of them from its prompt."""

    ids: tuple[int, ...]
    prompt: int = 0


class Subwords:
    """A tokenizer read from a model folder. Safe to call from several threads: its state never changes."""

    def __init__(self, folder: Path, lower: bool = False) -> None:
        self._tokenizer, self.digest = _read(folder)
        # shipped files may say "cut at 128, pad to 128"
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._as_read = self._tokenizer
        if lower:
            self._tokenizer = Tokenizer.from_str(self._as_read.to_str(pretty=False))
            before = [self._tokenizer.normalizer] if self._tokenizer.normalizer else []
            self._tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *before])
            self.digest = text_digest(self.digest + " lower")
        self.prefix, self.suffix = self._frame()

    @property
    def special(self) -> int:
        """How many special tokens frame a text."""
        return len(self.prefix) + len(self.suffix)

    @property
    def padding(self) -> int:
        """The id that fills short rows; masked, so any would do."""
        found = self._tokenizer.token_to_id("[PAD]")
        return found if found is not None else self._tokenizer.token_to_id("<pad>") or 0

    def json(self) -> str:
        """The tokenizer as a `tokenizer.json`, as it was read: lower-casing is a setting of its own."""
        return self._as_read.to_str(pretty=False)

    def tokens(self, texts: Sequence[str], prompt: str = "") -> list[Tokens]:
        """Tokens of each text, those of the prompt left out."""
        return [self._tokens(pieces, len(prompt)) for pieces in self._encode(texts, prompt)]

    def known(self, texts: Sequence[str]) -> list[NDArray[np.bool_]]:
        """Of each token of each text: whether it is another than the unknown one."""
        unknown = [self._tokenizer.token_to_id(name) for name in ("[UNK]", "<unk>")]
        return [
            ~np.isin(np.array(pieces.ids, dtype=np.int64), [id_ for id_ in unknown if id_ is not None])
            for pieces in self._encode(texts, "")
        ]

    def ids(self, texts: Sequence[str], prompt: str = "") -> list[TokenIds]:
        """Ids of each text with its prompt before it. Quicker than `tokens`."""
        if prompt:
            return [self._ids(pieces, len(prompt)) for pieces in self._encode(texts, prompt)]
        return [TokenIds(tuple(pieces.ids)) for pieces in self._fast(texts)]

    def tokens_and_ids(self, texts: Sequence[str], prompt: str = "") -> list[tuple[Tokens, TokenIds]]:
        """Both of each text: the ids include the prompt's, the tokens do not."""
        shift = len(prompt)
        return [(self._tokens(pieces, shift), self._ids(pieces, shift)) for pieces in self._encode(texts, prompt)]

    def _encode(self, texts: Sequence[str], prompt: str) -> list[Pieces]:
        return self._tokenizer.encode_batch([prompt + text for text in texts], add_special_tokens=False)

    def _fast(self, texts: Sequence[str]) -> list[Pieces]:
        return self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)

    def _tokens(self, pieces: Pieces, shift: int) -> Tokens:
        offsets: Offsets = np.array(pieces.offsets, dtype=np.int64).reshape(-1, 2)
        first = _first(offsets, shift)
        return Tokens(tuple(pieces.tokens[first:]), np.maximum(offsets[first:] - shift, 0))

    def _ids(self, pieces: Pieces, shift: int) -> TokenIds:
        first = _first(np.array(pieces.offsets, dtype=np.int64).reshape(-1, 2), shift)
        return TokenIds(tuple(pieces.ids), first)

    def _frame(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The special ids before and after a text, as the tokenizer itself puts them."""
        bare = self._tokenizer.encode("a", add_special_tokens=False).ids
        full = self._tokenizer.encode("a", add_special_tokens=True).ids
        at = next(i for i in range(len(full)) if full[i : i + len(bare)] == bare)
        return tuple(full[:at]), tuple(full[at + len(bare) :])


def _first(offsets: Offsets, shift: int) -> int:
    """Number of leading tokens that lie wholly in the first `shift` code points."""
    return int(np.searchsorted(offsets[:, 1], shift, side="right")) if shift else 0


def _read(folder: Path) -> tuple[Tokenizer, str]:
    path = folder / FILE
    if not path.is_file():
        return _converted(folder)
    try:
        return Tokenizer.from_file(str(path)), file_digest(path)
    except Exception as error:  # the tokenizers library raises nothing more precise for a file it cannot read
        raise BadWeights(path, "a tokenizer of the tokenizers library", str(error)) from error


def _converted(folder: Path) -> tuple[Tokenizer, str]:
    """From the older files (vocab.txt, sentencepiece.bpe.model …), by the transformers library."""
    from transformers import AutoTokenizer

    try:
        slow = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False, use_fast=True)
    except (OSError, ValueError) as error:
        raise BadWeights(folder, "tokenizer.json or a vocabulary file", "none that can be read") from error
    backend = getattr(slow, "backend_tokenizer", None)
    if backend is None:
        raise BadWeights(folder, "a fast tokenizer (offsets are needed)", type(slow).__name__)
    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer, text_digest(tokenizer.to_str(pretty=False))
