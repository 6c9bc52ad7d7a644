"""What the two language models are trained for (Peters et al. 2018, section 3.1).

sum_k -log p(t_k | t_1 … t_k-1) - log p(t_k | t_k+1 … t_N), word characters and softmax shared by both directions. In
training the softmax is sampled: of its denominator the target's own term is exact, the others' sum is estimated from
noise words drawn by frequency (importance sampling, Bengio & Senécal 2003): each score less the log of how often the
word is expected among the noise; a noise word that is the target counts as nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from riparian.encoders.elmo.corpus import BEGIN, END, Sentence, Vocabulary
from riparian.encoders.elmo.network import FIRST, BiLM, Drop, framed

KERNEL, BIAS = "softmax/W", "softmax/b"


@dataclass(frozen=True, slots=True)
class Noise:
    """Numbers of the noise words (S,), and for every number of the vocabulary the log of its expected count in S."""

    numbers: Tensor
    log_expected: Tensor


@dataclass(frozen=True, slots=True)
class Predictions:
    """States (N, projection) of one direction, and the number of the word that each must predict (N,)."""

    states: Tensor
    targets: Tensor


def draw(vocabulary: Vocabulary, size: int, generator: torch.Generator, device: torch.device) -> Noise | None:
    """Noise by frequency, with replacement; None where the vocabulary is no larger: all of it is cheaper then."""
    if len(vocabulary) <= size:
        return None
    shares = torch.from_numpy(np.maximum(vocabulary.counts, 1) / np.maximum(vocabulary.counts, 1).sum())
    numbers = torch.multinomial(shares, size, replacement=True, generator=generator)
    return Noise(numbers.to(device), (shares * size).log().float().to(device))


def predictions(
    bilm: BiLM, sentences: Sequence[Sentence], vocabulary: Vocabulary, drop: Drop | None = None
) -> tuple[Predictions, Predictions]:
    """Forward and backward: at each mark and word but the last, the next one in reading order. All sentences start
    from zero; padding predicts nothing."""
    distinct = {word: FIRST + row for row, word in enumerate(dict.fromkeys(w for s in sentences for w in s))}
    table = bilm.table(list(distinct))
    numbers = torch.tensor([BEGIN, END, *vocabulary.targets(distinct)])
    lengths = torch.tensor([len(sentence) + 1 for sentence in sentences])
    found = []
    for direction, rows in enumerate(framed([[distinct[word] for word in sentence] for sentence in sentences])):
        inputs = functional.embedding(rows[:, :-1].to(bilm.device), table)
        outputs, _ = bilm.read(inputs if drop is None else drop(inputs), direction, bilm.zero(len(sentences)), drop)
        counts = torch.arange(rows.shape[1] - 1) < lengths[:, None]
        targets = numbers[rows[:, 1:]][counts].to(bilm.device)
        found.append(Predictions(outputs[-1][counts.to(bilm.device)], targets))
    return found[0], found[1]


def loss(found: Predictions, kernel: Tensor, bias: Tensor, noise: Noise | None) -> Tensor:
    """Sum over the predictions of -log p; by the sampled softmax where there is noise."""
    if noise is None:
        return functional.cross_entropy(found.states @ kernel.T + bias, found.targets, reduction="sum")
    own = (found.states * functional.embedding(found.targets, kernel)).sum(dim=1)
    own = own + bias[found.targets]
    others = found.states @ functional.embedding(noise.numbers, kernel).T
    others = others + bias[noise.numbers] - noise.log_expected[noise.numbers]
    others = others.masked_fill(found.targets[:, None] == noise.numbers[None, :], -math.inf)
    scores = torch.cat([own[:, None], others], dim=1)
    return functional.cross_entropy(scores, torch.zeros_like(found.targets), reduction="sum")


def unigram_loss(targets: Tensor, vocabulary: Vocabulary) -> float:
    """Sum of -log p by how often each word was trained on (plus one): what knowing no context gives."""
    counts = vocabulary.counts.astype(np.float64) + 1
    return float(-np.log(counts / counts.sum())[targets.cpu().numpy()].sum())
