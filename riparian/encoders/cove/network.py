"""The MT-LSTM: two bidirectional LSTM layers over word vectors (McCann et al. 2017, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from riparian.encoders.cove.files import LAYERS

Drop = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Read:
    """`layers`: states (B, T, 2h) of each layer, both directions side by side, zero behind a sentence's end.
    `cells` and `outputs` (B, 2h) of each layer: where each direction came to its end."""

    layers: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    cells: tuple[Tensor, ...]


class MtLstm(nn.Module):
    """Equals torch's `nn.LSTM(width, hidden, num_layers=2, bidirectional=True)` and shows both layers. Every sentence
    is read by its own length: what stands behind its end never enters."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.width, self.hidden = width, hidden
        self.stack = nn.ModuleList(
            nn.LSTM(2 * hidden if layer else width, hidden, bidirectional=True, batch_first=True)
            for layer in range(LAYERS)
        )

    def forward(self, vectors: Tensor, lengths: Tensor, drop: Drop | None = None) -> Read:
        """`vectors` (B, T, width), `lengths` int64 on the CPU, falling, at least 1; `drop` works between layers."""
        found: list[Tensor] = []
        states: list[list[Tensor]] = []
        x = vectors
        for layer in self.stack:
            x = drop(x) if drop and found else x
            packed, state = layer(pack_padded_sequence(x, lengths, batch_first=True))
            x, _ = pad_packed_sequence(packed, batch_first=True, total_length=vectors.shape[1])
            found.append(x)
            states.append([torch.cat([part[0], part[1]], dim=1) for part in state])
        return Read(tuple(found), tuple(state[0] for state in states), tuple(state[1] for state in states))

    def published(self) -> dict[str, Tensor]:
        """The parameters under the names of the published file."""
        return {_outer(name): value for name, value in self.named_parameters()}

    def fill(self, tensors: Mapping[str, Tensor]) -> None:
        """Takes parameters under the names of the published file."""
        with torch.no_grad():
            for name, value in self.published().items():
                value.copy_(tensors[name])


def _outer(name: str) -> str:
    """stack.1.weight_ih_l0_reverse → weight_ih_l1_reverse."""
    _, layer, inner = name.split(".")
    return inner.replace("_l0", f"_l{layer}")
