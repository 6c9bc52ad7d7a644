"""context2vec with two LSTMs (Melamud et al. 2016) as an encoder. Sentences are read one by one, from zero."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from riparian.device import Device
from riparian.encoders import batches, windows
from riparian.encoders.base import EncoderInfo, Encoding, Progress, Tokens
from riparian.encoders.context2vec import tables
from riparian.encoders.context2vec.facts import Vectors, joined
from riparian.encoders.context2vec.network import TARGETS, Arrays, Network, Sizes
from riparian.encoders.context2vec.passages import means
from riparian.encoders.context2vec.vocabulary import FIRST_WORD, TOKENS, UNKNOWN, Vocabulary, cut
from riparian.encoders.elmo.words import Cut
from riparian.encoders.facts import Facts
from riparian.encoders.fingerprint import canonical, fingerprint, tensors_digest, text_digest
from riparian.encoders.pooling import unit_rows
from riparian.encoders.saved import saving
from riparian.encoders.stretches import cut as cut_up
from riparian.errors import Invalid
from riparian.types import Matrix, Role

MAX_SENTENCE = 128
"""Words of a sentence that are read in one go, as published; longer ones are read in overlapping windows."""

_BUDGETS = {"cpu": 1_024, "gpu": 32_768}


@dataclass(frozen=True, slots=True)
class Model:
    """All that makes a vector; `tensors` under their published names."""

    sizes: Sizes
    vocabulary: Vocabulary
    tensors: Arrays
    vectors: Vectors = "both"


class LstmEncoder:
    """Token vector = the unit vector of the word beside that of its slot (or the latter alone); passage = unit mean.

    A word that is not in the vocabulary has no vector of its own, its slot has. A slot whose sentence holds no other
    known word has none: nothing is said about it.
    """

    def __init__(self, facts: Facts, model: Model, device: Device) -> None:
        self._facts, self.model, self._device = facts, model, device
        self.network = Network(model.sizes, model.tensors).to(device.name).eval()
        self._targets = unit_rows(model.tensors[TARGETS])
        self._budget = _BUDGETS["gpu" if device.is_gpu else "cpu"]

    @property
    def dimension(self) -> int:
        return self.model.sizes.out * (2 if self.model.vectors == "both" else 1)

    @property
    def info(self) -> EncoderInfo:
        facts = self._facts
        return EncoderInfo(
            kind="context2vec-lstm",
            name=facts.name,
            spec=facts.spec,
            origin=facts.origin,
            contextual="left-right",
            token_dim=self.dimension,
            passage_dim=self.dimension,
            max_tokens=None,
            pooling="mean",
            languages=facts.languages,
            licence=facts.licence,
            method="published",
            provenance=facts.provenance,
            extra={
                "words": len(self.model.vocabulary),
                "parameters": sum(tensor.size for tensor in self.model.tensors.values()),
                "vectors": self.model.vectors,
                **facts.extra(),
            },
        )

    def fingerprint(self) -> str:
        return self._fingerprint

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return [cut(text).tokens for text in texts]

    def known(self, texts: Sequence[str]) -> list[NDArray[np.bool_]]:
        """Of each token of each text: whether the vocabulary has its word."""
        numbers = (self.model.vocabulary.numbers(tokens.tokens) for tokens in self.tokenize(texts))
        return [np.array([number != UNKNOWN for number in row], dtype=np.bool_) for row in numbers]

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        return list(self._encoded(texts))

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        return means(texts, self.dimension, self._encoded, progress)

    def substitutes(self, text: str, word: int, most: int = 10) -> list[tuple[str, float]]:
        """The words that fit best where token number `word` of the text stands, with their cosines to the slot."""
        found = cut(text)
        if not 0 <= word < len(found.tokens.tokens):
            raise Invalid(f"the text has {len(found.tokens.tokens)} words, there is no word number {word}")
        numbers = self.model.vocabulary.numbers(found.tokens.tokens)
        scores = self._targets[FIRST_WORD:] @ unit_rows(self._contexts([found], [numbers])[0])[word]
        best = np.argsort(-scores, kind="stable")[:most]
        return [(self.model.vocabulary.words[FIRST_WORD + row], float(scores[row])) for row in best]

    def save(self, folder: Path) -> None:
        model = self.model
        settings = {"sizes": model.sizes.to_json(), "vectors": model.vectors, "training": dict(self._facts.training)}
        with saving(folder, self, settings) as draft:
            tables.write(draft, model.vocabulary.words, model.tensors)

    def using(self, vectors: Vectors, spec: str) -> LstmEncoder:
        """The same weights with token vectors put together in another way, named `spec`."""
        return LstmEncoder(replace(self._facts, spec=spec), replace(self.model, vectors=vectors), self._device)

    # ---------------------------------------------------------------- computing

    def _encoded(self, texts: Sequence[str]) -> Iterator[Encoding]:
        cuts = [cut(text) for text in texts]
        numbers = [self.model.vocabulary.numbers(each.tokens.tokens) for each in cuts]
        for found, row, contexts in zip(cuts, numbers, self._contexts(cuts, numbers), strict=True):
            known = np.array([number != UNKNOWN for number in row], dtype=np.bool_)
            targets = self._targets[row] * known[:, None]
            seen = _said(found, known)
            vectors = joined(targets, contexts * seen[:, None], self.model.vectors)
            yield Encoding(
                found.tokens.tokens, found.tokens.offsets, vectors, np.asarray(vectors.any(axis=1), dtype=np.bool_)
            )

    def _contexts(self, cuts: Sequence[Cut], numbers: Sequence[Sequence[int]]) -> list[Matrix]:
        """(T, out) contexts of every slot of each text."""
        found = [np.zeros((len(row), self.model.sizes.out), dtype=np.float32) for row in numbers]
        parts = cut_up((found.sentences for found in cuts), MAX_SENTENCE)

        def compute(batch: batches.Batch) -> Matrix:
            return self._batch([numbers[parts[at].text][parts[at].first : parts[at].end] for at in batch])

        planned = batches.by_length([part.size for part in parts], self._budget)
        for batch, contexts in batches.run(planned, compute, threads=1):
            for part, row in zip([parts[at] for at in batch], contexts, strict=True):
                found[part.text][part.start : part.stop] = row[part.own]
        return found

    def _batch(self, rows: Sequence[Sequence[int]]) -> Matrix:
        try:
            with torch.inference_mode():
                return np.asarray(self.network(rows).cpu().numpy(), dtype=np.float32)
        except torch.cuda.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise MemoryError(str(error)) from error

    @cached_property
    def _fingerprint(self) -> str:
        model = self.model
        return fingerprint(
            {
                "kind": "context2vec-lstm",
                "sizes": model.sizes.to_json(),
                "tensors": tensors_digest(model.tensors),
                "vocabulary": text_digest(canonical(list(model.vocabulary.words))),
                "vectors": model.vectors,
                "tokens": TOKENS,
                "unknown": "zero target",
                "max_sentence": MAX_SENTENCE,
                "overlap": windows.OVERLAP,
                "pooling": "mean",
                "normalise": True,
                "metric": "inner_product",
                "dimension": self.dimension,
            }
        )


def _said(found: Cut, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """For each slot, whether its sentence holds a known word elsewhere."""
    said = np.zeros(len(known), dtype=np.bool_)
    for start, end in found.sentences:
        said[start:end] = known[start:end].sum() > known[start:end]
    return said
