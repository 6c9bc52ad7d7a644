"""The two losses of Cross-View Training (Clark et al. 2018, equations 1 and 2).

Labelled sentences teach the encoder and the primary module. On unlabelled ones the primary module is the teacher, and
each auxiliary module learns to guess from its part of the sentence what the teacher says of the whole.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from riparian.encoders.cvt.modules import Module, Modules
from riparian.encoders.cvt.network import Reader
from riparian.encoders.cvt.words import Batch

NO_TAG = -1
"""A word that no loss and no accuracy counts."""


def labelled(reader: Reader, primary: Module, batch: Batch, tags: Tensor, dropout: float, smoothing: float) -> Tensor:
    """Cross-entropy of the primary module, its target (1 - smoothing) of the tag and smoothing of all tags alike.
    `tags` (B, L) is NO_TAG at marks, padding and words without a tag; at least one word must have one."""
    scores = primary(reader(batch, dropout))
    return functional.cross_entropy(
        scores.flatten(0, 1), tags.flatten(), ignore_index=NO_TAG, label_smoothing=smoothing
    )


@torch.no_grad()
def teacher(reader: Reader, primary: Module, batch: Batch) -> Tensor:
    """(B, L, tags) probabilities without dropout; no gradient leads back from them."""
    return torch.softmax(primary(reader(batch)), dim=2)


def unlabelled(reader: Reader, modules: Modules, batch: Batch, dropout: float) -> Tensor:
    """The sum over the auxiliary modules of CE(teacher, module)."""
    believed = teacher(reader, modules.primary, batch)
    states = reader(batch, dropout)
    losses = [agreement(module(states), believed, batch.mask, module.view.of) for module in modules.views()]
    return torch.stack(losses).sum()


def agreement(scores: Tensor, believed: Tensor, mask: Tensor, of: int) -> Tensor:
    """Mean cross-entropy of (B, L, tags) scores under the probabilities believed of the word `of` places on; over the
    words where both that place and their own hold a word. 0 where there is none."""
    length = mask.shape[1]
    here = slice(max(0, -of), length - max(0, of))
    there = slice(max(0, of), length - max(0, -of))
    counted = mask[:, here] & mask[:, there]
    losses = -(believed[:, there] * torch.log_softmax(scores[:, here], dim=2)).sum(dim=2)
    return (losses * counted).sum() / counted.sum().clamp(min=1)
