"""The published network (Melamud et al. 2016, section 3), in torch.

Slot i is read as l2r(BOS, w_1 … w_i-1) and r2l(EOS, w_n … w_i+1), two LSTMs with word tables of their own that start
from zero; their states side by side pass through L4(relu(L3(h))), or, where the network is not deep, each through a
linear map of its own. What stands at the slot itself is never read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from riparian.encoders.context2vec.vocabulary import BEGIN, END
from riparian.encoders.weights import Shape

TARGETS = "loss_func/W"

Arrays = dict[str, NDArray[np.float32]]

# published rows are 4k+g with g = candidate, input, forget, output; torch has four blocks: input, forget, candidate,
# output
_TO_TORCH, _TO_PUBLISHED = [1, 2, 0, 3], [2, 0, 1, 3]


@dataclass(frozen=True, slots=True)
class Sizes:
    """`unit` is the width of a word as it is read, `hidden` of an LSTM, `out` of a context and of a target."""

    words: int
    unit: int
    hidden: int
    out: int
    deep: bool = True

    def shapes(self) -> dict[str, Shape]:
        """Tensors of the published file, by name."""
        shapes: dict[str, Shape] = {TARGETS: (self.words, self.out)}
        for way in ("l2r", "r2l"):
            shapes[f"{way}_embed/W"] = (self.words, self.unit)
            shapes[f"{way}_1/upward/W"] = (4 * self.hidden, self.unit)
            shapes[f"{way}_1/upward/b"] = (4 * self.hidden,)
            shapes[f"{way}_1/lateral/W"] = (4 * self.hidden, self.hidden)
        for name, rows, columns in self.linears():
            shapes[f"{name}/W"], shapes[f"{name}/b"] = (rows, columns), (rows,)
        return shapes

    def linears(self) -> list[tuple[str, int, int]]:
        if self.deep:
            both = 2 * self.hidden
            return [("l3", both, both), ("l4", self.out, both)]
        return [(f"lp_{way}", self.out // 2, self.hidden) for way in ("l2r", "r2l")]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Network(nn.Module):
    """Safe to call from several threads. Target vectors are a parameter beside, not read by `forward`."""

    def __init__(self, sizes: Sizes, tensors: Mapping[str, NDArray[np.float32]]) -> None:
        super().__init__()
        self.sizes = sizes
        self.l2r_embed, self.r2l_embed = (_table(tensors[f"{way}_embed/W"]) for way in ("l2r", "r2l"))
        self.l2r, self.r2l = (_lstm(sizes, tensors, f"{way}_1") for way in ("l2r", "r2l"))
        self.linears = nn.ModuleDict({name: _linear(tensors, name) for name, _, _ in sizes.linears()})
        self.targets = nn.Parameter(_owned(tensors[TARGETS]))

    @property
    def device(self) -> torch.device:
        return self.targets.device

    def forward(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Sentences as word numbers, no marks → (B, longest, out) contexts; what stands behind a sentence's end is
        of no meaning."""
        ahead, back, flipped = (part.to(self.device) for part in framed(rows))
        left, _ = self.l2r(self.l2r_embed(ahead))
        right, _ = self.r2l(self.r2l_embed(back))
        right = right.gather(1, flipped[:, :, None].expand_as(right))
        if self.sizes.deep:
            merged = self.linears["l3"](torch.cat([left, right], dim=2))
            return Tensor(self.linears["l4"](torch.relu(merged)))
        return torch.cat([self.linears["lp_l2r"](left), self.linears["lp_r2l"](right)], dim=2)

    def published(self) -> Arrays:
        """The weights under their published names, gates in the published order."""
        found = {TARGETS: _array(self.targets)}
        for way, table, lstm in (("l2r", self.l2r_embed, self.l2r), ("r2l", self.r2l_embed, self.r2l)):
            found[f"{way}_embed/W"] = _array(table.weight)
            found[f"{way}_1/upward/W"] = to_published(_array(lstm.weight_ih_l0))
            found[f"{way}_1/upward/b"] = to_published(_array(lstm.bias_ih_l0))
            found[f"{way}_1/lateral/W"] = to_published(_array(lstm.weight_hh_l0))
        for name, linear in self.linears.items():
            found[f"{name}/W"], found[f"{name}/b"] = _array(linear.weight), _array(linear.bias)
        return found


def framed(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor, Tensor]:
    """int64 (B, longest) each: what the left LSTM has read when it comes to a slot, what the right one has, in its
    reading order, and for each slot the step at which the right one comes to it."""
    shape = (len(rows), max(map(len, rows)))
    ahead, back = np.full(shape, END, dtype=np.int64), np.full(shape, BEGIN, dtype=np.int64)
    flipped = np.zeros(shape, dtype=np.int64)
    for number, row in enumerate(rows):
        size = len(row)
        ahead[number, :size] = [BEGIN, *row[:-1]]
        back[number, :size] = [END, *reversed(row[1:])]
        flipped[number, :size] = np.arange(size)[::-1]
    return torch.from_numpy(ahead), torch.from_numpy(back), torch.from_numpy(flipped)


def to_torch(gates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Interleaved rows 4k+g → torch's four blocks of rows."""
    apart = gates.reshape(-1, 4, *gates.shape[1:])
    return np.ascontiguousarray(apart.swapaxes(0, 1)[_TO_TORCH]).reshape(gates.shape)


def to_published(gates: NDArray[np.float32]) -> NDArray[np.float32]:
    """The way back from `to_torch`."""
    blocks = gates.reshape(4, -1, *gates.shape[1:])[_TO_PUBLISHED]
    return np.ascontiguousarray(blocks.swapaxes(0, 1)).reshape(gates.shape)


def _table(weight: NDArray[np.float32]) -> nn.Embedding:
    table = nn.Embedding(weight.shape[0], weight.shape[1], device="meta")
    table.weight = nn.Parameter(_owned(weight))
    return table


def _lstm(sizes: Sizes, tensors: Mapping[str, NDArray[np.float32]], name: str) -> nn.LSTM:
    lstm = nn.LSTM(sizes.unit, sizes.hidden, batch_first=True)
    found = dict(lstm.named_parameters())
    with torch.no_grad():
        found["weight_ih_l0"].copy_(torch.from_numpy(to_torch(tensors[f"{name}/upward/W"])))
        found["bias_ih_l0"].copy_(torch.from_numpy(to_torch(tensors[f"{name}/upward/b"])))
        found["weight_hh_l0"].copy_(torch.from_numpy(to_torch(tensors[f"{name}/lateral/W"])))
        found["bias_hh_l0"].zero_()
    found["bias_hh_l0"].requires_grad_(False)  # torch has two biases, the published network has one
    return lstm


def _linear(tensors: Mapping[str, NDArray[np.float32]], name: str) -> nn.Linear:
    weight = tensors[f"{name}/W"]
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        linear.weight.copy_(_owned(weight))
        linear.bias.copy_(_owned(tensors[f"{name}/b"]))
    return linear


def _owned(tensor: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.array(tensor, dtype=np.float32))


def _array(tensor: object) -> NDArray[np.float32]:
    assert isinstance(tensor, Tensor)
    return np.array(tensor.detach().cpu().numpy(), dtype=np.float32)
