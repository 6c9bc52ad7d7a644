"""BERT and its relatives: contextual token vectors with offsets, pooled passage vectors.

Token vectors are the last layer's states (Devlin et al. 2019); passages are pooled as the model's
sentence-transformers files say (Reimers & Gurevych 2019), then given unit length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.encoders import batches, windows
from riparian.encoders.base import EncoderInfo, Encoding, Progress, States, Through, Tokens
from riparian.encoders.engines import Engine
from riparian.encoders.fingerprint import fingerprint
from riparian.encoders.model_folder import Recipe, architecture
from riparian.encoders.parts import Parts, length_of, summed
from riparian.encoders.pooling import pool, shares, unit_rows
from riparian.encoders.subwords import Subwords, TokenIds
from riparian.encoders.transformer_files import Source, save
from riparian.encoders.weights import digest, tensors, weight_files
from riparian.types import Matrix, Role


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one text as the model sees it: `ids` framed by special tokens and led by the prompt.

    Its own tokens are `ids[skip : skip + size]`, the tokens from `first` on of text number `text`.
    """

    text: int
    ids: tuple[int, ...]
    skip: int
    first: int
    size: int


class TransformerEncoder:
    """An encoder over a model folder; texts beyond `info.max_tokens` are read in overlapping windows."""

    def __init__(self, source: Source, recipe: Recipe, subwords: Subwords, engine: Engine) -> None:
        self._source, self._recipe, self._subwords, self._engine = source, recipe, subwords, engine
        self._dimension = int(architecture(source.folder).get("hidden_size") or self._probe())

    @property
    def info(self) -> EncoderInfo:
        source = self._source
        return EncoderInfo(
            kind=source.kind,
            name=source.name,
            spec=source.spec,
            origin=source.origin,
            contextual="full",
            token_dim=self._dimension,
            passage_dim=self._dimension,
            max_tokens=self._room(max(self._prompt_lengths.values())),
            pooling=self._recipe.pooling,
            languages=source.languages,
            licence=source.licence,
            method="published",
            provenance=source.provenance,
            extra={"engine": self._engine.name, **self._trained},
        )

    @property
    def _trained(self) -> dict[str, dict[str, Any]]:
        report = self._recipe.training
        return {"training": dict(report)} if report else {}

    @property
    def parts(self) -> tuple[Source, Recipe, Subwords]:
        """What it was made of but the engine: a copy of it is trained further from these."""
        return self._source, self._recipe, self._subwords

    def fingerprint(self) -> str:
        return self._fingerprint

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return self._subwords.tokens(texts)

    def known(self, texts: Sequence[str]) -> list[NDArray[np.bool_]]:
        """Of each token of each text: whether it is a piece of the vocabulary, not the unknown piece."""
        return self._subwords.known(texts)

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        prompt = self._recipe.prompt(role)
        pieces = self._subwords.tokens_and_ids(texts, prompt)
        cut = self._windows([ids for _, ids in pieces])
        states = [np.zeros((len(tokens.tokens), self._dimension), dtype=np.float32) for tokens, _ in pieces]
        owned = _owned(cut)
        for batch, found in self._run(cut):
            for row, at in enumerate(batch):
                window, (start, end) = cut[at], owned[at]
                shift = window.skip - window.first
                states[window.text][start:end] = found[row, start + shift : end + shift]
        return [
            Encoding(tokens.tokens, tokens.offsets, vectors, np.ones(len(tokens.tokens), dtype=np.bool_))
            for (tokens, _), vectors in zip(pieces, states, strict=True)
        ]

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        distinct = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        cut = self._windows(self._subwords.ids(list(distinct), self._recipe.prompt(role)))
        left = np.bincount([window.text for window in cut], minlength=len(distinct))
        copies = np.bincount([distinct[text] for text in texts], minlength=len(distinct))
        sums = np.zeros((len(distinct), self._dimension), dtype=np.float64)
        for batch, states in self._run(cut):
            vectors = unit_rows(self._pooled([cut[at] for at in batch], states))
            for at, vector in zip(batch, vectors, strict=True):
                sums[cut[at].text] += cut[at].size * vector.astype(np.float64)
                left[cut[at].text] -= 1
            if progress:
                progress(int(copies[left == 0].sum()), len(texts))
        return unit_rows(sums.astype(np.float32))[[distinct[text] for text in texts]].reshape(-1, self._dimension)

    def encode_both(self, texts: Sequence[str], role: Role, through: Through) -> tuple[Matrix, list[States]]:
        pieces = self._subwords.tokens_and_ids(texts, self._recipe.prompt(role))
        cut = self._windows([ids for _, ids in pieces])
        owned = _owned(cut)
        sums = np.zeros((len(texts), self._dimension), dtype=np.float64)
        parts: list[NDArray[Any] | None] = [None] * len(cut)
        for batch, states in self._run(cut):
            vectors = unit_rows(self._pooled([cut[at] for at in batch], states))
            for row, (at, vector) in enumerate(zip(batch, vectors, strict=True)):
                window, (start, end) = cut[at], owned[at]
                sums[window.text] += window.size * vector.astype(np.float64)
                shift = window.skip - window.first
                parts[at] = through(states[row, start + shift : end + shift])
        rows = _joined(cut, parts, through(np.zeros((0, self._dimension), dtype=np.float32)), len(texts))
        found = [States(tokens.tokens, tokens.offsets, own) for (tokens, _), own in zip(pieces, rows, strict=True)]
        return unit_rows(sums.astype(np.float32)), found

    def summands(self, texts: Sequence[str], role: Role = "passage") -> list[Parts] | None:
        """None for CLS pooling: one special token's state is no sum over the words."""
        if self._recipe.pooling == "cls":
            return None
        pieces = self._subwords.tokens_and_ids(texts, self._recipe.prompt(role))
        cut = self._windows([ids for _, ids in pieces])
        own = [np.zeros((len(tokens.tokens), self._dimension), dtype=np.float32) for tokens, _ in pieces]
        rest = np.zeros((len(pieces), self._dimension), dtype=np.float64)
        for batch, states in self._run(cut):
            rows = [cut[at] for at in batch]
            for window, vectors in zip(rows, self._weighted(rows, states), strict=True):
                whole = vectors.sum(axis=0)
                vectors = vectors * (window.size / length_of(whole))
                inside = slice(window.skip, window.skip + window.size)
                own[window.text][window.first : window.first + window.size] += vectors[inside]
                rest[window.text] += vectors.sum(axis=0) - vectors[inside].sum(axis=0)
        offsets = [tokens.offsets for tokens, _ in pieces]
        return [summed(*part) for part in zip(offsets, own, rest, strict=True)]

    def save(self, folder: Path) -> None:
        save(folder, self._source, self._recipe, self._subwords, self)

    # ---------------------------------------------------------------- windows

    @cached_property
    def _prompt_lengths(self) -> dict[str, int]:
        """Token count of the prompt of each role."""
        return {role: self._subwords.ids(["a"], self._recipe.prompt(role))[0].prompt for role in ("query", "passage")}

    def _room(self, prompt: int) -> int:
        """How many of a text's own tokens fit into one window behind a prompt of that many tokens."""
        return max(1, self._recipe.max_length - self._subwords.special - prompt)

    def _windows(self, texts: Sequence[TokenIds]) -> list[Window]:
        return [window for row, text in enumerate(texts) for window in self._windows_of(row, text)]

    def _windows_of(self, row: int, text: TokenIds) -> Iterator[Window]:
        prompt, body = text.ids[: text.prompt], text.ids[text.prompt :]
        head = self._subwords.prefix + prompt
        for start, end in windows.spans(len(body), self._room(len(prompt))):
            ids = head + body[start:end] + self._subwords.suffix
            yield Window(row, ids, skip=len(head), first=start, size=end - start)

    # ---------------------------------------------------------------- computing

    def _run(self, cut: Sequence[Window]) -> Iterator[tuple[batches.Batch, NDArray[np.float32]]]:
        """(numbers of windows, their states) batch by batch; closing it stops the work."""
        lengths = [len(window.ids) for window in cut]
        planned = batches.by_length(lengths, self._engine.budget, self._engine.pads)
        compute = batches.run(planned, lambda batch: self._states([cut[at] for at in batch]), self._engine.workers)
        with closing(compute) as done:
            yield from done

    def _states(self, rows: Sequence[Window]) -> NDArray[np.float32]:
        shape = (len(rows), self._length(rows))
        ids = np.full(shape, self._subwords.padding, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        for number, row in enumerate(rows):
            ids[number, : len(row.ids)] = row.ids
            mask[number, : len(row.ids)] = 1
        return self._engine.states(ids, mask)

    def _length(self, rows: Sequence[Window]) -> int:
        """To how many tokens the rows of a batch are padded."""
        return max(len(row.ids) for row in rows)

    def _pooled(self, rows: Sequence[Window], states: NDArray[np.float32]) -> Matrix:
        return pool(states, self._mask(rows, states), self._recipe.pooling)

    def _weighted(self, rows: Sequence[Window], states: NDArray[np.float32]) -> NDArray[np.float64]:
        """(B, L, H) that sum over L to what `_pooled` gives."""
        weights = shares(states, self._mask(rows, states), self._recipe.pooling)
        return np.multiply(states, weights, dtype=np.float64)

    def _mask(self, rows: Sequence[Window], states: NDArray[np.float32]) -> NDArray[np.bool_]:
        """(B, L) positions that are pooled."""
        mask = np.zeros(states.shape[:2], dtype=np.bool_)
        for number, row in enumerate(rows):
            mask[number, 0 if self._recipe.include_prompt else row.skip : len(row.ids)] = True
        return mask

    def _probe(self) -> int:
        ids = np.full((1, 1), self._subwords.padding, dtype=np.int64)
        return int(self._engine.states(ids, np.ones_like(ids)).shape[2])

    @cached_property
    def _fingerprint(self) -> str:
        recipe = self._recipe
        parts = {
            "kind": self._source.kind,
            "architecture": architecture(self._source.folder),
            "tensors": digest(tensors(weight_files(self._source.folder))),
            "tokenizer": self._subwords.digest,
            "pooling": recipe.pooling,
            "prompts": dict(recipe.prompts),
            "include_prompt": recipe.include_prompt,
            "lower": recipe.lower,
            "max_length": recipe.max_length,
            "overlap": windows.OVERLAP,
            "normalise": True,
            "metric": "inner_product",
            "dimension": self._dimension,
        }
        return fingerprint(parts)


def _owned(cut: Sequence[Window]) -> list[windows.Window]:
    """For each window the token positions of its text that are taken from it."""
    spans: dict[int, list[windows.Window]] = {}
    for window in cut:
        spans.setdefault(window.text, []).append((window.first, window.first + window.size))
    return [part for text in spans.values() for part in windows.owned(text)]


def _joined(
    cut: Sequence[Window], parts: Sequence[NDArray[Any] | None], none: NDArray[Any], texts: int
) -> list[NDArray[Any]]:
    """The rows of each text out of those of its windows, which stand in its order; `none` for a text without any."""
    found: list[list[NDArray[Any]]] = [[] for _ in range(texts)]
    for window, part in zip(cut, parts, strict=True):
        assert part is not None
        found[window.text].append(part)
    return [np.concatenate(own) if own else none for own in found]
