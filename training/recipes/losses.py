"""The losses that pull what belongs together close and push the rest of the batch away."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def ranking_loss(first: Tensor, second: Tensor, temperature: float, *, both_ways: bool = True) -> Tensor:
    """Cross entropy of picking row i of (N, H) `second` for row i of `first` by cosine/temperature among the batch;
    with `both_ways` the mean of that and its mirror.

    Multiple negatives ranking: Henderson et al. 2017, equation 4; with a text paired with itself under other dropout
    it is SimCSE's (Gao et al. 2021, equation 1).
    """
    scores = functional.normalize(first, dim=1) @ functional.normalize(second, dim=1).T / temperature
    own = torch.arange(len(first), device=scores.device)
    loss = functional.cross_entropy(scores, own)
    return (loss + functional.cross_entropy(scores.T, own)) / 2 if both_ways else loss


def distance_from(parameters: list[Tensor], start: list[Tensor]) -> Tensor:
    """Half the squared distance of all parameters from where they began (Li et al. 2018, L2-SP, equation 1)."""
    return sum((((now - then) ** 2).sum() for now, then in zip(parameters, start, strict=True)), torch.zeros(())) / 2
