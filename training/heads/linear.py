"""Softmax regression on fixed vectors, under several strengths of the penalty at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from riparian.device import choose
from riparian.types import Matrix
from training.heads.figures import Numbers
from training.heads.fitting import Plan, fit
from training.heads.scaling import Scaling
from training.material import Run


@dataclass(frozen=True, slots=True)
class Candidates:
    """`weights` (K, L, d) and `biases` (K, L) float32, one pair a penalty, for vectors as they come."""

    weights: NDArray[np.float32]
    biases: NDArray[np.float32]


def learn(
    vectors: Matrix,
    truth: Numbers,
    shares: NDArray[np.float32],
    penalties: Sequence[float],
    plan: Plan,
    run: Run,
    name: str,
) -> Candidates:
    """Minimises, for each penalty p alone, the cross-entropy weighted by each label's share + p/2 · |W|².

    The candidates do not touch one another: their losses are added, and Adam treats every number by itself.
    """
    device = choose(run.device).name
    scaling = Scaling.of(vectors)
    inputs = torch.from_numpy(scaling.apply(vectors)).to(device)
    wanted = torch.from_numpy(truth).to(device)
    share, penalty = (torch.tensor(found, dtype=torch.float32, device=device) for found in (shares, penalties))
    size = (len(penalties), len(shares), vectors.shape[1])
    weights = torch.zeros(size, device=device, requires_grad=True)
    biases = torch.zeros(size[:2], device=device, requires_grad=True)

    def loss(rows: NDArray[np.int64]) -> torch.Tensor:
        at = torch.from_numpy(rows).to(device)
        logits = torch.einsum("nd,kld->knl", inputs[at], weights) + biases[:, None]
        found = cross_entropy(logits.reshape(-1, size[1]), wanted[at].repeat(size[0]), share, reduction="none")
        norms = weights.square().sum(dim=(1, 2))
        return found.reshape(size[0], -1).mean(dim=1).sum() + (penalty / 2 * norms).sum()

    fit({"weights": weights, "biases": biases}, plan, loss, run, name)
    return Candidates(*scaling.folded(weights.detach().cpu().numpy(), biases.detach().cpu().numpy()))
