"""The Universal Sentence Encoder, English lite, as an encoder: the transformer's states, and the sentence vector."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from riparian.encoders import batches, windows
from riparian.encoders.base import EncoderInfo, Encoding, Progress, Tokens
from riparian.encoders.blas import one_thread
from riparian.encoders.fingerprint import fingerprint
from riparian.encoders.parts import Parts, length_of, summed
from riparian.encoders.pooling import unit_rows
from riparian.encoders.saved import saving
from riparian.encoders.use_lite import tokenizer as pieces
from riparian.encoders.use_lite.network import UseLiteNetwork
from riparian.encoders.use_lite.tokenizer import UNKNOWN, LiteTokenizer
from riparian.types import Matrix, Role

KIND = "use-lite"
CONFIG, WEIGHTS = "config.json", "model.safetensors"

_BUDGET = 1_024


class UseLiteEncoder:
    """A text beyond the longest window is read in overlapping windows, as every encoder does it."""

    def __init__(self, network: UseLiteNetwork, tokenizer: LiteTokenizer, spec: str, provenance: str) -> None:
        self._network, self._tokenizer = network, tokenizer
        self._spec, self._provenance = spec, provenance

    @property
    def info(self) -> EncoderInfo:
        shape = self._network.shape
        return EncoderInfo(
            kind=KIND,
            name="Universal Sentence Encoder, English lite",
            spec=self._spec,
            origin="published",
            contextual="full",
            token_dim=shape.width,
            passage_dim=shape.dimension,
            max_tokens=shape.longest,
            pooling="use",
            languages=("en",),
            licence="Apache-2.0",
            method="published",
            provenance=self._provenance,
        )

    def fingerprint(self) -> str:
        return self._fingerprint

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return self._tokenizer.tokens(texts)

    def known(self, texts: Sequence[str]) -> list[NDArray[np.bool_]]:
        """Of each token of each text: whether it is a piece of the vocabulary, not what stands for all others."""
        return [np.array(row, dtype=np.int64) != UNKNOWN for row in self._tokenizer.ids(texts)]

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        tokens, ids = self._tokenizer.tokens(texts), self._tokenizer.ids(texts)
        states = [np.zeros((len(row), self._network.shape.width), dtype=np.float32) for row in ids]
        cut = [self._spans(row) for row in ids]
        own = [windows.owned(spans) for spans in cut]
        for text, number, found in self._windows(ids, cut):
            (start, end), shift = own[text][number], cut[text][number][0]
            states[text][start:end] = found[start - shift : end - shift]
        return [
            Encoding(one.tokens, one.offsets, vectors, np.ones(len(vectors), dtype=np.bool_))
            for one, vectors in zip(tokens, states, strict=True)
        ]

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        ids = self._tokenizer.ids(texts)
        cut = [self._spans(row) for row in ids]
        left = np.array([len(spans) for spans in cut], dtype=np.int64)
        sums = np.zeros((len(texts), self._network.shape.dimension), dtype=np.float64)
        for text, _, states in self._windows(ids, cut):
            vector = unit_rows(self._network.sentences(states[None]))[0]
            sums[text] += len(states) * vector.astype(np.float64)
            left[text] -= 1
            if progress and not left[text]:
                progress(int((left == 0).sum()), len(texts))
        return unit_rows(sums.astype(np.float32))

    def summands(self, texts: Sequence[str], role: Role = "passage") -> list[Parts] | None:
        tokens, ids = self._tokenizer.tokens(texts), self._tokenizer.ids(texts)
        cut = [self._spans(row) for row in ids]
        own = [np.zeros((len(row), self._network.shape.dimension), dtype=np.float64) for row in ids]
        rest = np.zeros((len(ids), self._network.shape.dimension), dtype=np.float64)
        for text, number, states in self._windows(ids, cut):
            vectors, bias = self._network.shared(states)
            scale = len(states) / length_of(vectors.sum(axis=0) + bias)
            start, end = cut[text][number]
            own[text][start:end] += scale * vectors
            rest[text] += scale * bias
        return [
            summed(one.offsets, vectors.astype(np.float32), frame)
            for one, vectors, frame in zip(tokens, own, rest, strict=True)
        ]

    def save(self, folder: Path) -> None:
        with saving(folder, self, {}) as draft:
            save_file(self._network.weights, draft / WEIGHTS)
            shape = json.dumps(asdict(self._network.shape), indent=2)
            (draft / CONFIG).write_text(shape + "\n", encoding="utf-8")
            self._tokenizer.vocabulary.write(draft / pieces.FILE)

    def _spans(self, ids: Sequence[int]) -> list[windows.Window]:
        return windows.spans(len(ids), self._network.shape.longest)

    def _windows(
        self, ids: Sequence[Sequence[int]], cut: Sequence[Sequence[windows.Window]]
    ) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
        """(number of the text, number of its window, the window's states), windows of one length together."""
        places = [(text, number) for text, spans in enumerate(cut) for number in range(len(spans))]
        rows = [ids[text][slice(*cut[text][number])] for text, number in places]
        with one_thread():
            for batch in batches.by_length([len(row) for row in rows], _BUDGET, pads=False):
                found = self._network.states(np.array([rows[at] for at in batch], dtype=np.int64))
                for at, states in zip(batch, found, strict=True):
                    yield *places[at], states

    @cached_property
    def _fingerprint(self) -> str:
        parts = {
            "kind": KIND,
            "shape": asdict(self._network.shape),
            "tensors": self._network.digest,
            "tokenizer": self._tokenizer.digest,
            "pooling": "use",
            "overlap": windows.OVERLAP,
            "normalise": True,
            "metric": "inner_product",
        }
        return fingerprint(parts)
