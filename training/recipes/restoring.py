"""TSDAE and masked language modelling: what was taken from a sentence is restored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from riparian.encoders.mlm.masking import hide
from riparian.errors import Invalid
from training.recipes.lesson import Settings, batch_of, batches_in
from training.recipes.student import Student

_HEADS, _FEED = 4, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TsdaeSettings(Settings):
    """Wang et al. 2021: the share `deleted` of the words is left out; a decoder of `layers` writes the sentence again
    from the one vector. The published rate is 3e-5, the published decoder as deep as the encoder."""

    learning_rate: float = 3e-5
    batch: int = 16
    longest: int = 64
    deleted: float = 0.6
    layers: int = 1

    def __post_init__(self) -> None:
        Settings.__post_init__(self)
        if not 0 < self.deleted < 1 or self.layers < 1:
            raise Invalid("deleted must lie in (0, 1), and layers be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class MlmSettings(Settings):
    """Devlin et al. 2019: the share `masked` of the tokens is hidden (80 % mask, 10 % another, 10 % itself)."""

    learning_rate: float = 5e-5
    masked: float = 0.15

    def __post_init__(self) -> None:
        Settings.__post_init__(self)
        if not 0 < self.masked < 1:
            raise Invalid(f"masked must lie in (0, 1), not {self.masked}")


class _Decoder(nn.Module):
    """A causal transformer over the sentence that sees nothing of it but one vector. Its words are the student's."""

    def __init__(self, width: int, layers: int, longest: int, vocabulary: int) -> None:
        super().__init__()
        heads = _HEADS if width % _HEADS == 0 else 1
        layer = nn.TransformerDecoderLayer(width, heads, width * _FEED, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerDecoder(layer, layers)
        self.places = nn.Parameter(torch.randn(longest, width) * 0.02)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, table: Tensor, before: Tensor, absent: Tensor, vector: Tensor) -> Tensor:
        """(B, L, V) scores of the next tokens, from (B, L) tokens before them and (B, H) vectors."""
        length = before.shape[1]
        future = torch.ones(length, length, dtype=torch.bool, device=before.device).triu(1)
        states = self.layers(
            functional.embedding(before, table) + self.places[:length],
            vector.unsqueeze(1),
            tgt_mask=future,
            tgt_key_padding_mask=absent,
        )
        return functional.linear(states, table, self.bias)


class TsdaeLesson:
    """Sentences with most words left out, to be written again whole."""

    def __init__(self, student: Student, settings: TsdaeSettings, seed: int, examples: Sequence[str]) -> None:
        self._student, self._settings, self._seed, self.examples = student, settings, seed, examples
        torch.manual_seed(seed)
        self._decoder = _Decoder(student.width, settings.layers, student.longest, student.vocabulary).to(
            student.device.name
        )
        self.steps = batches_in(len(examples), settings.batch)
        self.extra: Mapping[str, Tensor] = dict(self._decoder.named_parameters())

    def loss(self, step: int) -> Tensor:
        rows = batch_of(len(self.examples), self._settings.batch, self._seed, step, self.steps)
        texts = [self.examples[row] for row in rows]
        numbers = np.random.default_rng([self._seed, step, 1])
        vector = self._student.vectors([thinned(text, self._settings.deleted, numbers) for text in texts])
        ids, mask, _ = self._student.read(texts, "passage")
        table = self._student.network.get_input_embeddings().weight
        scores = self._decoder(table, ids[:, :-1], mask[:, :-1] == 0, vector)
        there = mask[:, 1:] == 1
        return functional.cross_entropy(scores[there], ids[:, 1:][there])


class MlmLesson:
    """Sentences with some tokens hidden. The head that guesses them shares the word table and starts anew: encoders of
    sentences come without one."""

    def __init__(self, student: Student, settings: MlmSettings, seed: int, examples: Sequence[str]) -> None:
        self._student, self._settings, self._seed, self.examples = student, settings, seed, examples
        found = student.token_numbers()
        if found is None:
            raise Invalid("the tokenizer has no mask token to hide words with; tune with simcse or pairs")
        self._mask, self._special = found
        torch.manual_seed(seed)
        width = student.width
        self._head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width)).to(student.device.name)
        self._bias = nn.Parameter(torch.zeros(student.vocabulary, device=student.device.name))
        self.steps = batches_in(len(examples), settings.batch)
        self.extra: Mapping[str, Tensor] = {**dict(self._head.named_parameters()), "bias": self._bias}

    def loss(self, step: int) -> Tensor:
        rows = batch_of(len(self.examples), self._settings.batch, self._seed, step, self.steps)
        ids, mask, _ = self._student.read([self.examples[row] for row in rows], "passage")
        plain = ids.cpu().numpy()
        eligible = (mask.cpu().numpy() == 1) & ~np.isin(plain, self._special)
        numbers = np.random.default_rng([self._seed, step, 1])
        hidden = hide(plain, eligible, self._settings.masked, self._mask, (0, self._student.vocabulary), numbers)
        device = self._student.device.name
        chosen = torch.from_numpy(hidden.chosen).to(device)
        states = self._student.states(torch.from_numpy(hidden.ids).to(device), mask)[chosen]
        table = self._student.network.get_input_embeddings().weight
        return functional.cross_entropy(functional.linear(self._head(states), table, self._bias), ids[chosen])


def thinned(text: str, deleted: float, numbers: np.random.Generator) -> str:
    """The text with that share of its words left out, each by chance; one stays at least. Of a text that is written
    without blanks, characters are left out. Pure."""
    blank = " " if len(text.split()) > 1 else ""
    parts = text.split() if blank else list(text)
    if len(parts) < 2:
        return text
    kept = numbers.random(len(parts)) >= deleted
    if not kept.any():
        kept[numbers.integers(len(parts))] = True
    return blank.join(part for part, stays in zip(parts, kept, strict=True) if stays)
