"""The loss that pulls the two views of a string together and pushes all others away, and how to see that it did."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Mean over all 2N views of -log(exp(cos(v, v')/t) / sum over every view u but v of exp(cos(v, u)/t)).

    `first` and `second` are (N, H): row i of each is a view of string i. The normalised temperature-scaled
    cross entropy of Chen et al. 2020, equation 1, as Liu et al. 2021, equation 1, use it.
    """
    count = len(first)
    views = functional.normalize(torch.cat([first, second]), dim=1)
    scores = (views @ views.T) / temperature
    itself = torch.eye(2 * count, dtype=torch.bool, device=scores.device)
    other = torch.arange(2 * count, device=scores.device).roll(count)
    return functional.cross_entropy(scores.masked_fill(itself, float("-inf")), other)


def alignment(first: Tensor, second: Tensor) -> float:
    """Mean squared distance of the two unit views of a string: 0 is best (Wang & Isola 2020, equation 4)."""
    apart = functional.normalize(first, dim=1) - functional.normalize(second, dim=1)
    return float(apart.square().sum(dim=1).mean())


def uniformity(rows: Tensor) -> float:
    """log of the mean of exp(-2 d²) over all pairs of unit rows at distance d: lower is more evenly spread, 0 is all
    in one place (Wang & Isola 2020, equation 5). `ValueError` for fewer than two rows."""
    if len(rows) < 2:
        raise ValueError("uniformity is a matter of pairs; give at least two rows")
    unit = functional.normalize(rows.double(), dim=1)
    near, far = torch.triu_indices(len(rows), len(rows), offset=1)
    squares = (2 - 2 * (unit @ unit.T)[near, far]).clamp(min=0)
    return float(torch.exp(-2 * squares).mean().log())
