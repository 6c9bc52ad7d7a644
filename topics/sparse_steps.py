"""The two layers of a topic network that meet the vocabulary, with gradients that never lay out B × V counts.

Imports torch; only `topics.network` uses it.

    first layer   a_d = Σ_w x_dw U_w                                        U: V × H
    decoder       z = BN(theta · beta),  loss_d = n_d · log Σ_w exp z_dw − Σ_w x_dw z_dw,   n_d = Σ_w x_dw

The loss is −Σ_w x_dw log softmax(z_d)_w. Its gradient in z is n_d · softmax(z_d) − x_d, where x counts at its own
places only. (As published 1e-10 is added to each probability. None here comes near that: normalised scores of B texts
lie within √B of 0, most within 4.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

_EPSILON = 1e-5  # of batch normalisation, torch's own
_MOMENTUM = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Counts of B texts: the `counts` of `words` in the texts `texts` (ascending), text i from `starts[i]` on (B,);
    `totals` (B,)."""

    words: Tensor
    texts: Tensor
    starts: Tensor
    counts: Tensor
    totals: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """Running mean and variance (V,) of scores before they are normalised; training updates them in place."""

    mean: Tensor
    variance: Tensor


def weighted_sum(words: Words, weights: Tensor) -> Tensor:
    """(B, H) counts · weights, differentiable in `weights` (V, H)."""
    return cast(Tensor, _WeightedSum.apply(words, weights))  # type: ignore[no-untyped-call]


def reconstruction(theta: Tensor, beta: Tensor, words: Words, running: Running) -> Tensor:
    """(B,) losses while training, differentiable in `theta` (B, K) and `beta` (K, V)."""
    return cast(Tensor, _Reconstruction.apply(theta, beta, words, running))  # type: ignore[no-untyped-call]


def reconstruction_as_is(theta: Tensor, beta: Tensor, words: Words, running: Running) -> Tensor:
    """(B,) losses with the running statistics, which stay as they are."""
    scores = (theta @ beta - running.mean) * torch.rsqrt(running.variance + _EPSILON)
    return words.totals * torch.logsumexp(scores, dim=1) - _of_words(scores, words)


def _of_words(scores: Tensor, words: Words) -> Tensor:
    """(B,) Σ_w x_dw z_dw."""
    found = scores[words.texts, words.words] * words.counts
    return _add_up(torch.zeros_like(words.totals), words.texts, found)


def _add_up(into: Tensor, places: Tensor, values: Tensor) -> Tensor:
    """Adds rows at places that may repeat, in an order that is the same every time."""
    if into.is_cuda:  # there index_add_ adds as threads come
        return into.index_put_((places,), values, accumulate=True)
    return into.index_add_(0, places, values)


class _WeightedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, words: Words, weights: Tensor) -> Tensor:
        ctx.words, ctx.size = words, weights.shape
        return F.embedding_bag(words.words, weights, words.starts, mode="sum", per_sample_weights=words.counts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        words: Words = ctx.words
        order = torch.argsort(words.words, stable=True)  # word by word: each gathers from its texts
        found, lengths = torch.unique_consecutive(words.words[order], return_counts=True)
        sums = F.embedding_bag(
            words.texts[order], gradient.contiguous(), lengths.cumsum(0) - lengths, mode="sum",
            per_sample_weights=words.counts[order],
        )  # fmt: skip
        return None, gradient.new_zeros(ctx.size).index_copy_(0, found, sums)


class _Reconstruction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, theta: Tensor, beta: Tensor, words: Words, running: Running) -> Tensor:
        raw = theta @ beta
        scores, mean, inverse = torch.native_batch_norm(
            raw, None, None, running.mean, running.variance, True, _MOMENTUM, _EPSILON
        )
        of_words = _of_words(scores, words)
        weights = torch.exp_(scores)
        sums = weights.sum(dim=1)
        ctx.save_for_backward(theta, beta, raw, weights, sums, mean, inverse)
        ctx.words = words
        return words.totals * torch.log(sums) - of_words

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        theta, beta, raw, weights, sums, mean, inverse = ctx.saved_tensors
        words: Words = ctx.words
        scores = weights.mul_((gradient * words.totals / sums)[:, None])
        scores[words.texts, words.words] -= words.counts * gradient[words.texts]
        into = torch.ops.aten.native_batch_norm_backward(
            scores, raw, None, None, None, mean, inverse, True, _EPSILON, [True, False, False]
        )[0]
        return into @ beta.T, theta.T @ into, None, None
