"""The attentional translation model whose encoder is the MT-LSTM (McCann et al. 2017, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from riparian.encoders.cove.corpus import BEGIN, END, Example
from riparian.encoders.cove.files import LAYERS
from riparian.encoders.cove.network import Drop, MtLstm
from riparian.encoders.cove.words import padded
from riparian.types import Matrix


@dataclass(frozen=True, slots=True)
class Batch:
    """Sources as word vectors (B, S, width), zero behind the end, and their lengths, falling. Targets (B, T) as they
    are read (BEGIN first) and as they are to be predicted (END last); `counted` (B, T) where there is one."""

    vectors: Tensor
    lengths: Tensor
    read: Tensor
    wanted: Tensor
    counted: Tensor


def batch_of(examples: Sequence[Example], matrix: Matrix, device: str) -> Batch:
    """Examples from the longest source to the shortest."""
    longest = max(len(example.target) for example in examples)
    wanted = np.full((len(examples), longest), END, dtype=np.int64)
    for at, example in enumerate(examples):
        wanted[at, : len(example.target)] = example.target
    read = np.concatenate([np.full((len(examples), 1), BEGIN), wanted[:, :-1]], axis=1)
    counted = np.arange(longest) < np.array([[len(example.target)] for example in examples])
    vectors = padded(matrix, [example.source for example in examples])
    lengths = torch.tensor([len(example.source) for example in examples])
    given = (torch.from_numpy(array).to(device) for array in (vectors, read, wanted, counted))
    placed, reading, target, mask = given
    return Batch(placed, lengths, reading, target, mask)


class Translator(nn.Module):
    """Decoder: two LSTM layers that read the word before and the attentional state before (input feeding). With h
    their state and H the encoder's states: a = softmax(H (W1 h)), h~ = tanh(W2 [H a; h]), word ~ softmax(U h~ + b)."""

    def __init__(self, width: int, hidden: int, embedding: int, vocabulary: int) -> None:
        super().__init__()
        state = 2 * hidden
        self.encoder = MtLstm(width, hidden)
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.cells = nn.ModuleList(nn.LSTMCell(state if layer else embedding + state, state) for layer in range(LAYERS))
        self.attend = nn.Linear(state, state, bias=False)
        self.join = nn.Linear(2 * state, state, bias=False)
        self.words = nn.Linear(state, vocabulary)

    def forward(self, batch: Batch, drop: Drop | None = None) -> Tensor:
        """h~ (B, T, 2h), each word before given as it truly was."""
        read = self.encoder(batch.vectors, batch.lengths, drop)
        memory, keys = read.layers[-1], read.layers[-1] @ self.attend.weight
        beyond = torch.arange(memory.shape[1])[None] >= batch.lengths[:, None]
        beyond = beyond.to(memory.device)
        states = list(zip(read.outputs, read.cells, strict=True))
        fed = torch.zeros_like(read.outputs[-1])
        found = []
        for word in self.embedding(batch.read).unbind(dim=1):
            top = self._step(torch.cat([word, fed], dim=1), states, drop)
            scores = torch.bmm(keys, top[:, :, None])[:, :, 0].masked_fill(beyond, -torch.inf)
            seen = torch.bmm(scores.softmax(dim=1)[:, None], memory)[:, 0]
            fed = torch.tanh(self.join(torch.cat([seen, top], dim=1)))
            fed = drop(fed) if drop else fed
            found.append(fed)
        return torch.stack(found, dim=1)

    def loss(self, batch: Batch, drop: Drop | None = None) -> Tensor:
        """Sum over the target words of -log p(word | the words before, the source)."""
        scores = self.words(self(batch, drop)[batch.counted])
        return functional.cross_entropy(scores, batch.wanted[batch.counted], reduction="sum")

    def _step(self, x: Tensor, states: list[tuple[Tensor, Tensor]], drop: Drop | None) -> Tensor:
        """The upper layer's state; `states` become those of this step."""
        for at, cell in enumerate(self.cells):
            x = drop(x) if drop and at else x
            states[at] = cell(x, states[at])
            x = states[at][0]
        return x
