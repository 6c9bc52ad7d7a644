"""The shared encoder of Cross-View Training (Clark et al. 2018, section 3.2).

A word is its own vector, scaled by a learnt number, beside a character CNN of widths 2, 3 and 4. One LSTM reads the
sentence from the left and one from the right (`ahead`, `back`); each has seen its own side only. A second pair reads
both of them (`both`). An LSTM whose output is smaller than its cell is projected at each step (Sak et al. 2014).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from riparian.encoders.cvt.words import MARKS, Batch
from riparian.encoders.weights import Shape
from riparian.errors import Invalid

WIDTHS = (2, 3, 4)
"""Characters that a filter sees, as published."""

_CHARACTERS = 261


@dataclass(frozen=True, slots=True)
class Sizes:
    """`words` counts those with a vector of their own, marks and the unknown word left out. Raises Invalid for sizes
    that cannot be."""

    words: int
    word_width: int
    char_width: int
    filters: int
    cell: int
    projected: int
    second: int
    module: int
    most_characters: int

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if type(value) is not int or value < 1:
                raise Invalid(f"{name} must be a whole number of at least 1, not {value!r}")
        if self.projected > self.cell:
            raise Invalid(f"projected ({self.projected}) must not be above cell ({self.cell})")
        if self.most_characters < max(WIDTHS):
            raise Invalid(f"most_characters must be at least {max(WIDTHS)}, not {self.most_characters}")

    @property
    def first_width(self) -> int:
        """Of both states of the first layer."""
        return 2 * self.projected

    @property
    def second_width(self) -> int:
        return 2 * self.second

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class States:
    """(B, L, width) each, at every word's own place; what stands in the padding means nothing."""

    ahead: Tensor
    back: Tensor
    both: Tensor

    @property
    def uni(self) -> Tensor:
        return torch.cat([self.ahead, self.back], dim=2)


class Way(nn.Module):
    """One LSTM that reads from the left, gates in the order input, forget, candidate, output."""

    def __init__(self, width: int, cell: int, output: int) -> None:
        super().__init__()
        self._output = output
        self.enter = nn.Parameter(torch.empty(width, 4 * cell))
        self.again = nn.Parameter(torch.empty(output, 4 * cell))
        self.bias = nn.Parameter(torch.zeros(4 * cell))
        self.project = nn.Parameter(torch.empty(cell, output)) if output < cell else None
        for matrix in (self.enter, self.again, self.project):
            if matrix is not None:
                nn.init.xavier_uniform_(matrix)
        nn.init.ones_(self.bias.data[cell : 2 * cell])  # so that a cell remembers until it learns to forget

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) → (B, T, output)."""
        cell = x.new_zeros(len(x), self.bias.shape[0] // 4)
        output = x.new_zeros(len(x), self._output)
        found = []
        for own in (x @ self.enter + self.bias).unbind(dim=1):
            enter, forget, candidate, leave = torch.addmm(own, output, self.again).chunk(4, dim=1)
            cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(candidate)
            output = torch.sigmoid(leave) * torch.tanh(cell)
            output = output if self.project is None else output @ self.project
            found.append(output)
        return torch.stack(found, dim=1)


class TwoWays(nn.Module):
    """An LSTM from each side. Padding stands on the right and is read last in either order: it changes nothing."""

    def __init__(self, width: int, cell: int, output: int) -> None:
        super().__init__()
        self.ahead = Way(width, cell, output)
        self.back = Way(width, cell, output)

    def forward(self, x: Tensor, turned: Tensor) -> tuple[Tensor, Tensor]:
        back = self.back(_moved(x, turned))
        return self.ahead(x), _moved(back, turned)


class Reader(nn.Module):
    """Sentences → their states. Dropout is applied where its share is above 0: to word vectors, to character features
    and to the states of both layers, as published."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.words = nn.Embedding(MARKS + sizes.words, sizes.word_width)
        self.scale = nn.Parameter(torch.ones(1))
        self.characters = nn.Embedding(_CHARACTERS, sizes.char_width)
        self.filters = nn.ModuleList(nn.Conv1d(sizes.char_width, sizes.filters, width) for width in WIDTHS)
        self.first = TwoWays(sizes.word_width + len(WIDTHS) * sizes.filters, sizes.cell, sizes.projected)
        self.second = TwoWays(sizes.first_width, sizes.second, sizes.second)
        nn.init.normal_(self.words.weight, std=sizes.word_width**-0.5)
        nn.init.normal_(self.characters.weight, std=sizes.char_width**-0.5)

    def forward(self, batch: Batch, dropout: float = 0.0) -> States:
        ahead, back = self.first(self._words(batch, dropout), batch.turned)
        ahead, back = _drop(ahead, dropout), _drop(back, dropout)
        both = torch.cat(self.second(torch.cat([ahead, back], dim=2), batch.turned), dim=2)
        return States(ahead, back, _drop(both, dropout))

    def shapes(self) -> dict[str, Shape]:
        """Name and shape of every tensor."""
        return {name: tuple(value.shape) for name, value in self.named_parameters()}

    def _words(self, batch: Batch, dropout: float) -> Tensor:
        """Every distinct word of the batch is spelt once."""
        own = _drop(self.words(batch.rows), dropout) * self.scale
        spelt = self.characters(batch.spelling - 1).transpose(1, 2)
        features = [torch.relu(layer(spelt)).amax(dim=2) for layer in self.filters]
        found = functional.embedding(batch.places, torch.cat(features, dim=1))
        return torch.cat([own, _drop(found, dropout)], dim=2)


def _moved(x: Tensor, places: Tensor) -> Tensor:
    return x.gather(1, places[:, :, None].expand_as(x))


def _drop(x: Tensor, share: float) -> Tensor:
    return functional.dropout(x, share) if share else x
