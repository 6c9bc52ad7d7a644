"""ELMo (Peters et al. 2018) as an encoder: words read as characters by a forward and a backward language model.

Sentences are read one by one, each from the same start state, so that a vector depends on its sentence alone and
never on what was encoded before. (The published tool carries states from batch to batch.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from riparian.device import Device
from riparian.encoders import batches, windows
from riparian.encoders.base import EncoderInfo, Encoding, Progress, Tokens
from riparian.encoders.elmo import words as cutting
from riparian.encoders.elmo.files import STATE_CELL, STATE_OUTPUT, WEIGHTS, Arrays, write_safetensors
from riparian.encoders.elmo.mix import Mix
from riparian.encoders.elmo.network import FIRST, BiLM, State
from riparian.encoders.elmo.options import ElmoOptions
from riparian.encoders.elmo.words import Cut
from riparian.encoders.facts import Facts
from riparian.encoders.fingerprint import fingerprint, tensors_digest
from riparian.encoders.pooling import unit_rows
from riparian.encoders.saved import saving
from riparian.encoders.stretches import Stretch, grouped
from riparian.encoders.stretches import cut as cut_up
from riparian.types import Matrix, Role

InitialState = Literal["zero", "frozen"]

MAX_SENTENCE = 256
"""Words of a sentence that are read in one go; longer ones are read in overlapping windows."""

_BUDGETS = {"cpu": 1_024, "gpu": 32_768}


@dataclass(frozen=True, slots=True)
class Model:
    """All that makes a vector: weights under their published names, the start state (None = zero), and the mix."""

    options: ElmoOptions
    tensors: Arrays
    mix: Mix
    frozen: Arrays | None = None

    @property
    def initial_state(self) -> InitialState:
        return "zero" if self.frozen is None else "frozen"


class ElmoEncoder:
    """Token vector = the scalar mix of all layers; passage = unit mean of its token vectors."""

    def __init__(self, facts: Facts, model: Model, device: Device) -> None:
        self._facts, self.model, self._device = facts, model, device
        self._bilm = BiLM(model.options, _on(device, model.tensors))
        self._start = _state(model, self._bilm, device)
        self._budget = _BUDGETS["gpu" if device.is_gpu else "cpu"]

    @property
    def info(self) -> EncoderInfo:
        facts, options = self._facts, self.model.options
        return EncoderInfo(
            kind="elmo",
            name=facts.name,
            spec=facts.spec,
            origin=facts.origin,
            contextual="left-right",
            token_dim=options.dimension,
            passage_dim=options.dimension,
            max_tokens=None,
            pooling="mean",
            languages=facts.languages,
            licence=facts.licence,
            method="published",
            provenance=facts.provenance,
            extra={
                "parameters": sum(tensor.size for tensor in self.model.tensors.values()),
                "layer_weights": [round(weight, 6) for weight in self.model.mix.weights()],
                "gamma": self.model.mix.gamma,
                "initial_state": self.model.initial_state,
                **facts.extra(),
            },
        )

    def fingerprint(self) -> str:
        return self._fingerprint

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return [cut.tokens for cut in self._cut(texts)]

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        return [
            Encoding(cut.tokens.tokens, cut.tokens.offsets, vectors, np.ones(len(vectors), dtype=np.bool_))
            for cut, vectors in self._encoded(self._cut(texts))
        ]

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        distinct = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        copies = np.bincount([distinct[text] for text in texts], minlength=len(distinct))
        rows = np.zeros((len(distinct), self.model.options.dimension), dtype=np.float32)
        done = 0
        for group in grouped(self._cut(list(distinct)), _words):
            for cut, vectors in self._group(group):
                if len(cut.tokens.tokens):
                    rows[done] = vectors.mean(axis=0, dtype=np.float64)
                done += 1
            if progress:
                progress(int(copies[:done].sum()), len(texts))
        return unit_rows(rows)[[distinct[text] for text in texts]].reshape(-1, self.model.options.dimension)

    def save(self, folder: Path) -> None:
        model = self.model
        settings = {
            "options": model.options.to_json(),
            "initial_state": model.initial_state,
            "scalars": list(model.mix.scalars),
            "gamma": model.mix.gamma,
            "training": dict(self._facts.training),
        }
        with saving(folder, self, settings) as draft:
            write_safetensors(draft / WEIGHTS, {**model.tensors, **(model.frozen or {})})

    def using(self, *, mix: Mix | None = None, frozen: Arrays | None = None, spec: str | None = None) -> ElmoEncoder:
        """The same weights under another mix or another start state (`frozen_after` makes one), named `spec`."""
        model = replace(self.model, mix=mix or self.model.mix, frozen=frozen or self.model.frozen)
        return ElmoEncoder(replace(self._facts, spec=spec or self._facts.spec), model, self._device)

    def from_zero(self) -> ElmoEncoder:
        """The same weights, every sentence read from the state that remembers nothing."""
        return ElmoEncoder(self._facts, replace(self.model, frozen=None), self._device)

    def frozen_after(self, text: str) -> Arrays:
        """The state after reading a text's sentences in order from zero, as tensors to be saved."""
        bilm = self._bilm
        state = bilm.zero()
        with torch.inference_mode():
            for cut in self._cut([text]):
                for start, end in cut.sentences:
                    _, state = bilm.carried(cut.tokens.tokens[start:end], state)
        return {
            STATE_CELL: state.cell[:, :, 0].cpu().numpy().copy(),
            STATE_OUTPUT: state.output[:, :, 0].cpu().numpy().copy(),
        }

    # ---------------------------------------------------------------- computing

    def _cut(self, texts: Sequence[str]) -> Iterator[Cut]:
        most = self.model.options.max_characters - 2
        return (cutting.cut(text, most) for text in texts)

    def _encoded(self, cuts: Iterator[Cut]) -> Iterator[tuple[Cut, Matrix]]:
        for group in grouped(cuts, _words):
            yield from self._group(group)

    def _group(self, cuts: Sequence[Cut]) -> Iterator[tuple[Cut, Matrix]]:
        """Token vectors of each text; every distinct word of the group is read once."""
        dimension = self.model.options.dimension
        found = [np.zeros((len(cut.tokens.tokens), dimension), dtype=np.float32) for cut in cuts]
        distinct = {word: FIRST + row for row, word in enumerate(dict.fromkeys(_all_words(cuts)))}
        if distinct:
            with torch.inference_mode():
                table = self._bilm.table(list(distinct))
            rows = [[distinct[word] for word in cut.tokens.tokens] for cut in cuts]
            for stretch, vectors in self._stretches(table, rows, cut_up((cut.sentences for cut in cuts), MAX_SENTENCE)):
                found[stretch.text][stretch.start : stretch.stop] = vectors[stretch.own]
        yield from zip(cuts, found, strict=True)

    def _stretches(
        self, table: torch.Tensor, rows: Sequence[Sequence[int]], cut: Sequence[Stretch]
    ) -> Iterator[tuple[Stretch, Matrix]]:
        def compute(batch: batches.Batch) -> list[Matrix]:
            chosen = [cut[at] for at in batch]
            return self._vectors(table, [rows[s.text][s.first : s.end] for s in chosen])

        planned = batches.by_length([stretch.size + 2 for stretch in cut], self._budget)
        for batch, vectors in batches.run(planned, compute, threads=1):
            yield from zip([cut[at] for at in batch], vectors, strict=True)

    def _vectors(self, table: torch.Tensor, rows: Sequence[Sequence[int]]) -> list[Matrix]:
        weights = torch.tensor(self.model.mix.weights(), dtype=torch.float32, device=self._bilm.device)
        try:
            with torch.inference_mode():
                layers = self._bilm.sentences(table, rows, self._start)
                mixed = [self.model.mix.gamma * torch.tensordot(weights, found, dims=1) for found in layers]
                return [np.asarray(vectors.cpu().numpy(), dtype=np.float32) for vectors in mixed]
        except torch.cuda.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise MemoryError(str(error)) from error

    @cached_property
    def _fingerprint(self) -> str:
        model = self.model
        parts = {
            "kind": "elmo",
            "options": model.options.to_json(),
            "tensors": tensors_digest(model.tensors),
            "initial_state": tensors_digest(model.frozen) if model.frozen is not None else "zero",
            "scalars": list(model.mix.scalars),
            "gamma": model.mix.gamma,
            "tokens": cutting.VERSION,
            "max_sentence": MAX_SENTENCE,
            "overlap": windows.OVERLAP,
            "pooling": "mean",
            "normalise": True,
            "metric": "inner_product",
            "dimension": model.options.dimension,
        }
        return fingerprint(parts)


def _on(device: Device, tensors: Arrays) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.ascontiguousarray(tensor)).to(device.name) for name, tensor in tensors.items()}


def _state(model: Model, bilm: BiLM, device: Device) -> State:
    if model.frozen is None:
        return bilm.zero()
    frozen = _on(device, model.frozen)
    return State(frozen[STATE_CELL][:, :, None], frozen[STATE_OUTPUT][:, :, None])


def _all_words(cuts: Sequence[Cut]) -> Iterator[str]:
    return (word for cut in cuts for word in cut.tokens.tokens)


def _words(cut: Cut) -> int:
    return len(cut.tokens.tokens)
