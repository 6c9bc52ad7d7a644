"""What the network is trained for (Melamud et al. 2016, equation 3), and how well it fills a slot.

The loss of skip-gram with negative sampling, the context vector y of a slot in the place of the centre word:
-log s(t_w y) - sum_k log s(-t_k y), with noise words k drawn by count^0.75.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from riparian.encoders.context2vec.vocabulary import FIRST_WORD

POWER = 0.75


def shares(counts: NDArray[np.int64]) -> Tensor:
    """How often each word is drawn as noise, float64 summing to 1; the sentence marks, which no text says, never."""
    weights = counts.astype(np.float64) ** POWER
    return torch.from_numpy(weights / weights.sum())


def loss(contexts: Tensor, own: Tensor, noise: Tensor, targets: Tensor) -> Tensor:
    """Sum over N slots: contexts (N, out), the number of each slot's word (N,), noise words (N, K), the table of
    targets (V, out)."""
    near = (contexts * functional.embedding(own, targets)).sum(dim=1)
    far = torch.bmm(functional.embedding(noise, targets), contexts[:, :, None])[:, :, 0]
    return functional.softplus(-near).sum() + functional.softplus(far).sum()


def ranks(contexts: Tensor, own: Tensor, targets: Tensor) -> Tensor:
    """Rank from 1 of each slot's own word by cosine among all words (no marks). Of equal ones it is the last."""
    scores = contexts @ functional.normalize(targets[FIRST_WORD:], dim=1).T
    mine = scores.gather(1, (own - FIRST_WORD)[:, None])
    return (scores >= mine).sum(dim=1)


def frequency_ranks(own: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same by how often each word was trained on: what knowing no context gives."""
    ordered = np.sort(counts[FIRST_WORD:])
    return len(ordered) - np.searchsorted(ordered, counts[own], side="left")
