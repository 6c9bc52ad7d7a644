"""The layer that points at an answer: two logits for each word of a passage, and one that says there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from riparian.device import choose
from riparian.encoders.training_steps import chance
from training.heads.answer_match import FEATURES, PASSAGE_FEATURES
from training.heads.answer_material import Seen
from training.heads.fitting import Plan, fit
from training.heads.scaling import Scaling
from training.material import Run

_HIDDEN, _DROPPED = 16, 0.3
_CALM = 0.1  # keeps the logits of fresh weights small


class Pointer(nn.Module):
    """After Chen et al. 2017 (section 3), over vectors that stay as they are: the question is a learnt weighting of its
    words, q = sum_j softmax(a.q_j) q_j; a word's logit is w.x + (U q).(V x) / sqrt(rank) + g(match), where x holds the
    vectors of the word and both its neighbours and g is linear plus a layer of 16. The logit of "no answer" is linear
    in what is known of the whole passage."""

    mean: Tensor
    spread: Tensor

    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        self.rank = rank
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.attention = nn.Linear(width, 1)
        self.linear = nn.Linear(3 * width, 2)
        self.left = nn.Linear(width, 2 * rank)
        self.right = nn.Linear(3 * width, 2 * rank, bias=False)
        self.plain = nn.Linear(FEATURES, 2)
        self.bent = nn.Sequential(nn.Linear(FEATURES, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, 2))
        self.none = nn.Linear(PASSAGE_FEATURES, 1)
        self.dropout = nn.Dropout(_DROPPED)

    def forward(self, question: Tensor, passage: Tensor, match: Tensor, whole: Tensor) -> Tensor:
        """(1 + T, 2): the logits of first and last word; row 0 says that there is no answer."""
        asked, words = self._scaled(question), self._scaled(passage)
        padded = nn.functional.pad(words, (0, 0, 1, 1))
        near = self.dropout(torch.cat([padded[:-2], words, padded[2:]], dim=1))
        asked = self.dropout(asked)
        meaning = (torch.softmax(self.attention(asked), dim=0) * asked).sum(dim=0)
        both = (self.right(near) * self.left(meaning)).view(-1, 2, self.rank).sum(dim=2) / self.rank**0.5
        logits = _CALM * (self.linear(near) + both) + self.plain(match) + self.bent(match)
        return torch.cat([self.none(whole).expand(1, 2), logits])

    def _scaled(self, rows: Tensor) -> Tensor:
        """A word without a vector stays without."""
        return torch.where(rows.any(dim=1, keepdim=True), (rows - self.mean) / self.spread, 0.0)


def learn(
    seen: Sequence[Seen], scaling: Scaling, rank: int, nulls: bool, plan: Plan, run: Run, name: str
) -> dict[str, NDArray[np.float32]]:
    """Minimises CE(first word) + CE(last word). Without `nulls` "no answer" is no alternative."""
    device = choose(run.device)
    with chance(run.seed, -1, device):
        pointer = Pointer(len(scaling.mean), rank).to(device.name)
    pointer.mean.copy_(torch.from_numpy(scaling.mean))
    pointer.spread.copy_(torch.from_numpy(np.minimum(scaling.spread, np.float32(1e30))))
    skipped = 0 if nulls else 1

    def loss(batch: NDArray[np.int64]) -> Tensor:
        losses = []
        for one in (seen[at] for at in batch):
            logits = pointer(*_tensors(one, device.name))[skipped:]
            wanted = torch.tensor([at + 1 - skipped for at in one.answer], device=device.name)
            losses.append(cross_entropy(logits.T, wanted, reduction="sum"))
        return torch.stack(losses).mean()

    fit(dict(pointer.named_parameters()), plan, loss, run, name)
    return {key: value.detach().cpu().numpy().copy() for key, value in pointer.state_dict().items()}


def point(arrays: Mapping[str, NDArray[Any]], rank: int, seen: Sequence[Seen]) -> list[NDArray[np.float64]]:
    """(1 + T, 2) logits of each, computed alone, so that none depends on another."""
    pointer = Pointer(arrays["mean"].shape[0], rank).eval()
    pointer.load_state_dict({key: torch.from_numpy(np.asarray(arrays[key])) for key in pointer.state_dict()})
    with torch.inference_mode():
        return [pointer(*_tensors(one, "cpu")).numpy().astype(np.float64) for one in seen]


def shapes(width: int, rank: int) -> dict[str, tuple[int, ...]]:
    """Tensor name → shape."""
    with torch.device("meta"):
        return {key: tuple(value.shape) for key, value in Pointer(width, rank).state_dict().items()}


def _tensors(one: Seen, device: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    first, second, third, last = (
        torch.from_numpy(found).to(device) for found in (one.asked, one.words, one.match, one.whole)
    )
    return first, second, third, last
