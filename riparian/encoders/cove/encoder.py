"""CoVe (McCann et al. 2017) as an encoder: the GloVe vector of a word beside its state in a translation model.

Sentences are read one by one, each from the zero state, so that a vector depends on its sentence alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from riparian.device import Device
from riparian.encoders import batches, windows
from riparian.encoders.base import EncoderInfo, Encoding, Progress, Tokens
from riparian.encoders.cove import words
from riparian.encoders.cove.files import WEIGHTS, Arrays, sizes, write_safetensors
from riparian.encoders.cove.network import MtLstm
from riparian.encoders.cove.view import View
from riparian.encoders.cove.words import Cut, Lookup
from riparian.encoders.facts import Facts
from riparian.encoders.fingerprint import fingerprint, tensors_digest
from riparian.encoders.pooling import unit_rows
from riparian.encoders.saved import saving
from riparian.encoders.static import StaticEncoder
from riparian.encoders.stretches import Stretch, grouped
from riparian.encoders.stretches import cut as cut_up
from riparian.errors import Invalid
from riparian.types import Matrix, Role

GLOVE = "glove"
"""The folder of the word vectors inside a saved encoder."""

MAX_SENTENCE = 256
"""Words of a sentence that are read in one go; longer ones are read in overlapping windows."""

_BUDGETS = {"cpu": 2_048, "gpu": 32_768}


@dataclass(frozen=True, slots=True)
class Model:
    """All that makes a vector: the MT-LSTM under its published names, the word vectors it reads, and what is shown."""

    tensors: Arrays
    glove: StaticEncoder
    view: View

    @property
    def dimension(self) -> int:
        width, hidden = sizes(self.tensors)
        return self.view.dimension(width, hidden)


class CoveEncoder:
    """Token vector = [GloVe; CoVe]; passage = unit mean (or maximum) of its token vectors.

    A word that the table lacks is read as the zero vector: its GloVe columns are zero, its CoVe columns show what
    stands around it. A passage without any known word gives a zero row: it would say no more than its length.
    Raises Invalid where the word vectors are not as wide as the weights ask for.
    """

    def __init__(self, facts: Facts, model: Model, device: Device) -> None:
        width, hidden = sizes(model.tensors)
        table = model.glove.table
        if table.matrix.shape[1] != width:
            found = f"{model.glove.info.spec} has {table.matrix.shape[1]}"
            raise Invalid(f"the weights of {facts.spec} read word vectors of {width} dimensions, {found}")
        self._facts, self.model, self._device = facts, model, device
        self._matrix = table.matrix
        self._lookup = Lookup({word: row for row, word in enumerate(table.words)}, model.view.lower)
        self._lstm = MtLstm(width, hidden).to(device.name).eval()
        self._lstm.fill({name: torch.from_numpy(tensor) for name, tensor in model.tensors.items()})
        self._budget = _BUDGETS["gpu" if device.is_gpu else "cpu"]

    @property
    def info(self) -> EncoderInfo:
        facts, model = self._facts, self.model
        return EncoderInfo(
            kind="cove",
            name=facts.name,
            spec=facts.spec,
            origin=facts.origin,
            contextual="full",
            token_dim=model.dimension,
            passage_dim=model.dimension,
            max_tokens=None,
            pooling=model.view.pooling,
            languages=facts.languages,
            licence=facts.licence,
            method="published",
            provenance=facts.provenance,
            extra={
                "parameters": sum(tensor.size for tensor in model.tensors.values()),
                "word_vectors": model.glove.info.name,
                "word_vectors_fingerprint": model.glove.fingerprint(),
                **model.view.to_json(),
                **facts.extra(),
            },
        )

    def fingerprint(self) -> str:
        return self._fingerprint

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return [self._lookup.cut(text).tokens for text in texts]

    def known(self, texts: Sequence[str]) -> list[NDArray[np.bool_]]:
        """Of each token of each text: whether the word vectors below have it."""
        return [np.asarray(self._lookup.cut(text).rows != words.UNKNOWN) for text in texts]

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        return [
            Encoding(cut.tokens.tokens, cut.tokens.offsets, vectors, np.ones(len(vectors), dtype=np.bool_))
            for group in grouped((self._lookup.cut(text) for text in texts), _words)
            for cut, vectors in self._group(group)
        ]

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        distinct = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        copies = np.bincount([distinct[text] for text in texts], minlength=len(distinct))
        rows = np.zeros((len(distinct), self.model.dimension), dtype=np.float32)
        done = 0
        for group in grouped((self._lookup.cut(text) for text in distinct), _words):
            for cut, vectors in self._group(group):
                if (cut.rows != words.UNKNOWN).any():
                    rows[done] = self.model.view.pooled(vectors)
                done += 1
            if progress:
                progress(int(copies[:done].sum()), len(texts))
        return unit_rows(rows)[[distinct[text] for text in texts]].reshape(-1, self.model.dimension)

    def save(self, folder: Path) -> None:
        settings = {**self.model.view.to_json(), "training": dict(self._facts.training)}
        with saving(folder, self, settings) as draft:
            write_safetensors(draft / WEIGHTS, self.model.tensors)
            self.model.glove.save(draft / GLOVE)

    # ---------------------------------------------------------------- computing

    def _group(self, cuts: Sequence[Cut]) -> Iterator[tuple[Cut, Matrix]]:
        """Token vectors of each text."""
        found = [np.zeros((len(cut.rows), self.model.dimension), dtype=np.float32) for cut in cuts]
        for stretch, vectors in self._stretches(cuts, cut_up((cut.sentences for cut in cuts), MAX_SENTENCE)):
            found[stretch.text][stretch.start : stretch.stop] = vectors[stretch.own]
        yield from zip(cuts, found, strict=True)

    def _stretches(self, cuts: Sequence[Cut], cut: Sequence[Stretch]) -> Iterator[tuple[Stretch, Matrix]]:
        def compute(batch: batches.Batch) -> list[Matrix]:
            chosen = [cut[at] for at in batch]
            return self._vectors([cuts[s.text].rows[s.first : s.end] for s in chosen])

        planned = batches.by_length([stretch.size for stretch in cut], self._budget)
        for batch, vectors in batches.run(planned, compute, threads=1):
            yield from zip([cut[at] for at in batch], vectors, strict=True)

    def _vectors(self, rows: Sequence[NDArray[np.int64]]) -> list[Matrix]:
        """Of sentences from the longest to the shortest."""
        inputs = words.padded(self._matrix, rows)
        lengths = torch.tensor([len(row) for row in rows])
        try:
            with torch.inference_mode():
                read = self._lstm(torch.from_numpy(inputs).to(self._device.name), lengths)
                layers = [layer.cpu().numpy() for layer in read.layers]
        except torch.cuda.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise MemoryError(str(error)) from error
        shown = self.model.view.shown(inputs, layers)
        return [shown[at, : len(row)] for at, row in enumerate(rows)]

    @cached_property
    def _fingerprint(self) -> str:
        model = self.model
        parts = {
            "kind": "cove",
            "tensors": tensors_digest(model.tensors),
            "word_vectors": model.glove.fingerprint(),
            **model.view.to_json(),
            "tokens": words.VERSION,
            "unknown": "zero",
            "max_sentence": MAX_SENTENCE,
            "overlap": windows.OVERLAP,
            "normalise": True,
            "metric": "inner_product",
            "dimension": model.dimension,
        }
        return fingerprint(parts)


def _words(cut: Cut) -> int:
    return len(cut.rows)
