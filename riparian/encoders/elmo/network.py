"""The two language models (Peters et al. 2018, sections 3.1 and 3.4), over tensors under their published names.

Characters are embedded, convolved, pooled over the word, passed through highway layers (g = sigmoid(x Wc + bc),
y = g relu(x Wt + bt) + (1 - g) x) and projected: layer 0. Two LSTM stacks read it, one from each side. A layer's
gates stand in the order input, candidate, forget, output; 1 is added to the forget gate; cell and projected output
are clipped. With skip connections a layer above the first adds its input to its output, not to its state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from riparian.encoders.elmo import characters
from riparian.encoders.elmo.options import ElmoOptions, lstm_cell

BEGIN, END, FIRST = 0, 1, 2
"""Rows of `BiLM.table`: the sentence marks, then the words."""

_WORDS_AT_ONCE = 256

Drop = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class State:
    """What the LSTMs remember: `cell` (2, layers, B, cell) and `output` (2, layers, B, projection), forward first."""

    cell: Tensor
    output: Tensor

    def repeated(self, rows: int) -> State:
        """A state of one row, for `rows` sentences."""
        return State(self.cell.expand(-1, -1, rows, -1), self.output.expand(-1, -1, rows, -1))


class BiLM:
    """Every method is pure and safe to call from several threads; gradients flow where the weights ask for them."""

    def __init__(self, options: ElmoOptions, weights: Mapping[str, Tensor]) -> None:
        self.options, self.weights = options, weights

    @property
    def device(self) -> torch.device:
        return self.weights["char_embed"].device

    def zero(self, rows: int = 1) -> State:
        """The state that remembers nothing."""
        options = self.options
        shape = (2, options.layers, rows)
        return State(
            torch.zeros(*shape, options.cell, device=self.device),
            torch.zeros(*shape, options.projection, device=self.device),
        )

    # ---------------------------------------------------------------- layer 0

    def table(self, words: Sequence[str]) -> Tensor:
        """(FIRST + len(words), projection): layer 0 of the sentence marks, then of each word."""
        width = self.options.max_characters
        marks, mark_lengths = characters.boundaries(width)
        ids, lengths = characters.ids(words, width)
        return self._layer_0(np.concatenate([marks, ids]), np.concatenate([mark_lengths, lengths]))

    def _layer_0(self, ids: NDArray[np.int64], lengths: NDArray[np.int64]) -> Tensor:
        order = np.argsort(lengths, kind="stable")
        parts = []
        for start in range(0, len(order), _WORDS_AT_ONCE):
            rows = order[start : start + _WORDS_AT_ONCE]
            # windows beyond the first that sees nothing but padding equal it: the maximum needs no more of them
            seen = min(self.options.max_characters, int(lengths[rows].max()) + self.options.widest)
            parts.append(self._words(torch.from_numpy(ids[rows, :seen]).to(self.device)))
        back = torch.from_numpy(np.argsort(order, kind="stable")).to(self.device)
        return torch.cat(parts).index_select(0, back)

    def _words(self, ids: Tensor) -> Tensor:
        w, options = self.weights, self.options
        embedded = functional.embedding(ids - 1, w["char_embed"]).transpose(1, 2)
        pooled = []
        for number in range(len(options.filters)):
            kernel = w[f"CNN/W_cnn_{number}"].squeeze(0).permute(2, 1, 0)
            pooled.append(functional.conv1d(embedded, kernel, w[f"CNN/b_cnn_{number}"]).max(dim=2).values)
        features = torch.cat(pooled, dim=1)
        x = torch.relu(features) if options.activation == "relu" else torch.tanh(features)
        for number in range(options.highway):
            x = self._highway(x, f"CNN_high_{number}")
        return x @ w["CNN_proj/W_proj"] + w["CNN_proj/b_proj"] if options.projects else x

    def _highway(self, x: Tensor, name: str) -> Tensor:
        w = self.weights
        gate = torch.sigmoid(x @ w[f"{name}/W_carry"] + w[f"{name}/b_carry"])
        return gate * torch.relu(x @ w[f"{name}/W_transform"] + w[f"{name}/b_transform"]) + (1 - gate) * x

    # ---------------------------------------------------------------- layers above

    def read(
        self, inputs: Tensor, direction: int, start: State, drop: Drop | None = None
    ) -> tuple[list[Tensor], State]:
        """Layer 0 (B, T, projection) in reading order → outputs of each layer above, and the state after T steps."""
        w, options = self.weights, self.options
        outputs: list[Tensor] = []
        cells, projected = [], []
        x = inputs
        for layer in range(options.layers):
            name = lstm_cell(direction, layer)
            own = (w[f"{name}/W_0"], w[f"{name}/B"], w[f"{name}/W_P_0"])
            found, cell, output = self._lstm(x, own, start.cell[direction, layer], start.output[direction, layer])
            if drop is not None:
                found = drop(found)
            x = found + x if options.skip and layer > 0 else found
            outputs.append(x)
            cells.append(cell)
            projected.append(output)
        return outputs, State(torch.stack(cells), torch.stack(projected))

    def _lstm(
        self, x: Tensor, own: tuple[Tensor, Tensor, Tensor], cell: Tensor, output: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        kernel, bias, projection = own
        gates = x @ kernel[: x.shape[2]] + bias
        recurrent = kernel[x.shape[2] :]
        outputs = []
        for own_gates in gates.unbind(dim=1):  # one slice per step would cost a whole gradient per step
            enter, candidate, forget, leave = (own_gates + output @ recurrent).chunk(4, dim=1)
            cell = torch.sigmoid(forget + 1.0) * cell + torch.sigmoid(enter) * torch.tanh(candidate)
            cell = _clipped(cell, self.options.cell_clip)
            output = _clipped((torch.sigmoid(leave) * torch.tanh(cell)) @ projection, self.options.proj_clip)
            outputs.append(output)
        return torch.stack(outputs, dim=1), cell, output

    def sentences(self, table: Tensor, rows: Sequence[Sequence[int]], start: State) -> list[Tensor]:
        """Sentences as rows of `table`, all from one start state (a state of one row) → for each, its layers from 0
        up: (layers + 1, words, 2 * projection), forward half first, the sentence marks left out."""
        ahead, back = framed(rows)
        begin = start.repeated(len(rows))
        left, _ = self.read(functional.embedding(ahead.to(self.device), table), 0, begin)
        right, _ = self.read(functional.embedding(back.to(self.device), table), 1, begin)
        found = []
        for number, row in enumerate(rows):
            size = len(row)
            word = functional.embedding(ahead[number, 1 : size + 1].to(self.device), table)
            layers = [torch.cat([word, word], dim=1)]
            for mine, other in zip(left, right, strict=True):
                backward = other[number, 1 : size + 1].flip(0)
                layers.append(torch.cat([mine[number, 1 : size + 1], backward], dim=1))
            found.append(torch.stack(layers))
        return found

    def carried(self, words: Sequence[str], start: State) -> tuple[Tensor, State]:
        """One sentence from `start` → its layers as `sentences` gives them, and the state after its end mark."""
        table = self.table(words)
        rows = [range(FIRST, FIRST + len(words))]
        ahead, back = framed(rows)
        _, left = self.read(functional.embedding(ahead.to(self.device), table), 0, start)
        _, right = self.read(functional.embedding(back.to(self.device), table), 1, start)
        state = State(torch.stack([left.cell, right.cell]), torch.stack([left.output, right.output]))
        return self.sentences(table, rows, start)[0], state


def framed(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Sentences with both marks, padded behind their end, as the forward and as the backward model reads them:
    int64 (B, longest + 2) each. What stands in the padding is read last and changes nothing before it."""
    shape = (len(rows), max(len(row) for row in rows) + 2)
    ahead, back = np.full(shape, END, dtype=np.int64), np.full(shape, BEGIN, dtype=np.int64)
    for number, row in enumerate(rows):
        whole = np.array([BEGIN, *row, END], dtype=np.int64)
        ahead[number, : len(whole)] = whole
        back[number, : len(whole)] = whole[::-1]
    return torch.from_numpy(ahead), torch.from_numpy(back)


def _clipped(x: Tensor, limit: float | None) -> Tensor:
    return x if limit is None else x.clamp(-limit, limit)
