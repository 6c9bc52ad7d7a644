"""TSDAE and masked language modelling: what was taken from a sentence is restored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from riparian.encoders.batches import Batch
from riparian.encoders.mlm.masking import hide
from riparian.errors import Invalid
from training.recipes.lesson import Settings, shuffled_batches
from training.recipes.student import Student
from training.recipes.word_head import head_of

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


class Decoder(nn.Module):
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


class _Restored:
    """Sentences of which something is taken away."""

    def __init__(self, student: Student, settings: Settings, seed: int, examples: Sequence[str]) -> None:
        self._student, self._batch, self._seed, self.examples = student, settings.batch, seed, examples

    def batches(self, rows: Sequence[int], epoch: int) -> list[Batch]:
        return shuffled_batches(rows, self._batch, self._seed, epoch)

    def _texts(self, rows: Sequence[int]) -> list[str]:
        return [self.examples[row] for row in rows]

    @property
    def _table(self) -> Tensor:
        """(V, H): the student's own word vectors, learnt along."""
        found: Tensor = self._student.network.get_input_embeddings().weight
        return found


class TsdaeLesson(_Restored):
    """Sentences with most words left out, to be written again whole."""

    def __init__(self, student: Student, settings: TsdaeSettings, seed: int, examples: Sequence[str]) -> None:
        super().__init__(student, settings, seed, examples)
        self._deleted = settings.deleted
        sizes = (student.width, settings.layers, student.longest, student.vocabulary)
        self._decoder = Decoder(*sizes).to(student.device.name)

    @property
    def extra(self) -> Mapping[str, Tensor]:
        return dict(self._decoder.named_parameters())

    def loss(self, rows: Sequence[int], numbers: np.random.Generator) -> Tensor:
        texts = self._texts(rows)
        vector = self._student.vectors([thinned(text, self._deleted, numbers) for text in texts])
        ids, mask, _ = self._student.read(texts, "passage")
        scores = self._decoder(self._table, ids[:, :-1], mask[:, :-1] == 0, vector)
        there = mask[:, 1:] == 1
        return functional.cross_entropy(scores[there], ids[:, 1:][there])


class MlmLesson(_Restored):
    """Sentences with some tokens hidden, guessed by the model's own head where its folder holds one."""

    def __init__(self, student: Student, settings: MlmSettings, seed: int, examples: Sequence[str]) -> None:
        super().__init__(student, settings, seed, examples)
        found = student.token_numbers()
        if found is None:
            raise Invalid("the tokenizer has no mask token to hide words with; tune with simcse or pairs")
        self._mask, self._special = found
        self._masked = settings.masked
        head = head_of(student.source.folder, student.network.config, student.vocabulary)
        self._head = head.to(student.device.name)
        student.keeps = self._head.named

    @property
    def extra(self) -> Mapping[str, Tensor]:
        return dict(self._head.named_parameters())

    def loss(self, rows: Sequence[int], numbers: np.random.Generator) -> Tensor:
        ids, mask, _ = self._student.read(self._texts(rows), "passage")
        plain = ids.cpu().numpy()
        eligible = (mask.cpu().numpy() == 1) & ~np.isin(plain, self._special)
        hidden = hide(plain, eligible, self._masked, self._mask, (0, self._student.vocabulary), numbers)
        chosen = torch.from_numpy(hidden.chosen).to(ids.device)
        states = self._student.states(torch.from_numpy(hidden.ids).to(ids.device), mask)[chosen]
        return functional.cross_entropy(self._head(states, self._table), ids[chosen])


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
