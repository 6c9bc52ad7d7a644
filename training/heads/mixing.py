"""How much of each layer of a language model a task wants, learnt together with the task's own linear layer."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from riparian.device import choose
from riparian.encoders.elmo.mix import Mix
from training.heads.figures import Numbers
from training.heads.fitting import Plan, fit
from training.heads.scaling import Scaling
from training.material import Run

Layers = NDArray[np.float32]
"""(N, L, d): for each text the mean of its words' vectors in each layer."""


def learn(layers: Layers, truth: Numbers, labels: int, penalty: float, plan: Plan, run: Run, name: str) -> Mix:
    """The scalars s and gamma (Peters et al. 2018, equation 1) of the least cross-entropy of softmax(W x + b), x =
    gamma * sum_j softmax(s)_j h_j, with penalty/2 * |W|^2; they begin at equal parts and 1. W and b are not kept."""
    device = choose(run.device).name
    # each layer about its own mean (b takes up what that moves): else another mix moves every text alike, far
    inputs, wanted = torch.from_numpy(layers - layers.mean(axis=0)).to(device), torch.from_numpy(truth).to(device)
    spread = torch.from_numpy(Scaling.of(layers.mean(axis=1)).spread).to(device)
    scalars = torch.zeros(layers.shape[1], device=device, requires_grad=True)
    gamma = torch.ones((), device=device, requires_grad=True)
    weights = torch.zeros((labels, layers.shape[2]), device=device, requires_grad=True)
    biases = torch.zeros(labels, device=device, requires_grad=True)

    def loss(rows: NDArray[np.int64]) -> torch.Tensor:
        at = torch.from_numpy(rows).to(device)
        mixed = gamma * torch.einsum("l,nld->nd", torch.softmax(scalars, dim=0), inputs[at])
        logits = (mixed / spread) @ weights.T + biases
        return cross_entropy(logits, wanted[at]) + penalty / 2 * weights.square().sum()

    fit({"scalars": scalars, "gamma": gamma, "weights": weights, "biases": biases}, plan, loss, run, name)
    return Mix(tuple(round(value, 6) for value in scalars.detach().tolist()), round(float(gamma.detach()), 6))
