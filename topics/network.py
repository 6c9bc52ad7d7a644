"""The networks of CombinedTM and ZeroShotTM: ProdLDA auto-encoders that also read a contextual vector.

With `topics.sparse_steps` the only module of this room that imports torch. Arrays go in and come out as NumPy; the
trainer (`topics.train`) knows no tensor.

For a text with counts x over V words and contextual vector e (Bianchi et al. 2021, ACL and EACL; Srivastava and
Sutton 2017 for ProdLDA), with dropout δ = 0.2 while training:

    combined    h = softplus(x U + e P + b)         zeroshot   h = softplus(e P + b)
    h = δ(softplus(h W + c))
    mu = BN(h M + m) · gain,  log s² = BN(h S + s)  (batch normalisation without learned scale and shift)
    theta = δ(softmax(mu + exp(½ log s²) ε)),  ε ~ N(0, 1)
    p = softmax(BN(theta · beta))                                      beta: K × V, unnormalised
    loss = Σ_texts [ −Σ_w x_w log(p_w) + kl_weight · KL(N(mu, s²) ‖ N(prior mean, prior variance)) ]

With classes (SuperCTM) a linear head on theta learns them too, over the texts whose class is known:
loss += label_weight · Σ −log softmax(theta · L + l)_class. Classes are learned, not read: a new text needs none.

CombinedTM as published maps e to V numbers by a linear layer A ("adapt") before another linear layer, with nothing
between them. `fold_adapt` multiplies the two: the same functions with E·V fewer weights.

With starting centres C (K unit vectors) mu gains a path of its own, BN(h M + m + 10 · e Cᵀ) · gain: the network starts
from a grouping and learns where words disagree with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from riparian.types import Matrix
from topics.batches import Batch
from topics.sparse_steps import Running, Words, reconstruction, reconstruction_as_is, weighted_sum

Arrays = Mapping[str, NDArray[Any]]

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
_SKIP = 10.0  # how much the starting centres weigh in mu before it is normalised


@dataclass(frozen=True, slots=True)
class Shape:
    """`counts_in`: whether the encoder reads the counts (combined) or the vector alone (zeroshot); `labels` classes."""

    topics: int
    words: int
    dimension: int
    hidden: int = 100
    counts_in: bool = True
    centred: bool = False
    labels: int = 0


@dataclass(frozen=True, slots=True)
class Objective:
    """Everything that shapes a training step but not the function that is learned."""

    dropout: float = 0.2
    kl_weight: float = 1.0
    momentum: float = 0.99
    learn_prior: bool = True
    label_weight: float = 1.0


def fold_adapt(adapt: Matrix, adapt_bias: NDArray[np.float32], first: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """(U, P, shift) of the folded first layer from the published one.

    `adapt` (E, V) and `adapt_bias` (V,) map the vector to V numbers, `first` (2V, H) reads [counts ; those numbers]:
    [x ; e·A + a] · [U ; T] = x·U + e·(A·T) + a·T.
    """
    words = adapt.shape[1]
    upper, lower = first[:words], first[words:]
    return upper, adapt @ lower, adapt_bias @ lower


def gaussian_kl(mean: Tensor, log_variance: Tensor, prior_mean: Tensor, prior_log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) ‖ N(prior)) of diagonal Gaussians, per row:

    ½ [ Σ s²/v + Σ (m − mu)²/v − K + Σ log v − Σ log s² ].
    """
    ratio = torch.exp(log_variance - prior_log_variance)
    distance = (mean - prior_mean) ** 2 / torch.exp(prior_log_variance)
    return 0.5 * (ratio + distance - 1 + prior_log_variance - log_variance).sum(dim=1)


class TopicNetwork:
    """Weights, running statistics and optimiser of one model.

    Every random draw comes from a generator of its own, seeded here; the global ones are neither read nor touched.
    Not safe for concurrent training; `mixtures` only reads.
    """

    def __init__(self, shape: Shape, objective: Objective, *, gain: float, seed: int, device: str = "cpu") -> None:
        self.shape, self.objective, self.gain = shape, objective, gain
        self._device = torch.device(device)
        self._generator = torch.Generator().manual_seed(seed)
        self._weights = {name: t.to(self._device) for name, t in self._initial(seed).items()}
        self._statistics = {name: t.to(self._device) for name, t in _fresh_statistics(shape).items()}
        self._optimiser: torch.optim.Adam | None = None

    # ---------------------------------------------------------------- weights

    def _initial(self, seed: int) -> dict[str, Tensor]:
        shape, topics = self.shape, self.shape.topics
        weights = self._first_layer(seed)
        weights["hidden"] = self._uniform(shape.hidden, (shape.hidden, shape.hidden))
        weights["hidden_bias"] = self._uniform(shape.hidden, (shape.hidden,))
        for name in ("mean", "deviation"):
            weights[name] = self._uniform(shape.hidden, (shape.hidden, topics))
            weights[f"{name}_bias"] = self._uniform(shape.hidden, (topics,))
        bound = math.sqrt(6 / (topics + shape.words))  # Xavier
        weights["beta"] = self._between(bound, (topics, shape.words))
        weights["prior_mean"] = torch.zeros(topics)
        weights["prior_log_variance"] = torch.full((topics,), math.log(max(1 - 1 / topics, 1e-2)))
        if shape.centred:
            weights["centres"] = torch.zeros(topics, shape.dimension)
        if shape.labels:
            weights["labels"] = self._uniform(topics, (topics, shape.labels))
            weights["labels_bias"] = self._uniform(topics, (shape.labels,))
        return weights

    def _first_layer(self, seed: int) -> dict[str, Tensor]:
        """Drawn like the published layers, then folded."""
        shape = self.shape
        if not shape.counts_in:
            return {
                "context": self._uniform(shape.dimension, (shape.dimension, shape.hidden)),
                "context_bias": self._uniform(shape.dimension, (shape.hidden,)),
            }
        first = self._uniform(2 * shape.words, (2 * shape.words, shape.hidden))
        bias = self._uniform(2 * shape.words, (shape.hidden,))
        adapt = self._uniform(shape.dimension, (shape.dimension, shape.words))
        adapt_bias = self._uniform(shape.dimension, (shape.words,))
        upper, context, shift = fold_adapt(adapt.numpy(), adapt_bias.numpy(), first.numpy())
        return {
            "words": torch.from_numpy(upper.copy()),
            "context": torch.from_numpy(context),
            "context_bias": bias + torch.from_numpy(shift),
        }

    def _uniform(self, inputs: int, size: tuple[int, ...]) -> Tensor:
        """torch's own start of a linear layer."""
        return self._between(1 / math.sqrt(inputs), size)

    def _between(self, bound: float, size: tuple[int, ...]) -> Tensor:
        return (torch.rand(size, generator=self._generator) * 2 - 1) * bound

    def start_from(self, centres: Matrix, beta: Matrix) -> None:
        """Begins at a grouping: its unit centres (K, E) and word scores (K, V)."""
        self._weights["centres"] = torch.from_numpy(centres.copy()).to(self._device)
        self._weights["beta"] = torch.from_numpy(beta.copy()).to(self._device)

    def start_labels(self, scores: Matrix) -> None:
        """Begins at what the grouping says of labels: (K, L), added up over the topics of a text by their weights."""
        self._weights["labels"] = torch.from_numpy(scores.copy()).to(self._device)
        self._weights["labels_bias"] = torch.zeros(scores.shape[1], device=self._device)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Weights and running statistics, a copy."""
        tensors = {**self._weights, **self._statistics}
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}

    def restore(self, arrays: Arrays) -> None:
        """Takes back what `arrays` gave. `KeyError` or `ValueError` where names or shapes are not this network's."""
        for group in (self._weights, self._statistics):
            for name, tensor in group.items():
                given = torch.from_numpy(np.array(arrays[name], dtype=np.float32))
                if given.shape != tensor.shape:
                    raise ValueError(f"{name}: expected shape {tuple(tensor.shape)}, found {tuple(given.shape)}")
                with torch.no_grad():
                    tensor.copy_(given)

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that the next step depends on: `arrays`, the optimiser's moments, the generator; a copy."""
        found: dict[str, NDArray[Any]] = dict(self.arrays())
        found["generator"] = self._generator.get_state().numpy()
        moments = self._adam().state
        for name, weight in self._learned().items():
            for moment, value in moments[weight].items():
                found[f"adam/{moment}/{name}"] = value.detach().cpu().numpy().copy()
        return found

    def resume(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Goes on from what `state` gave; raises as `restore` does."""
        self.restore(state)
        moments = self._adam().state
        for name, weight in self._learned().items():
            saved = {moment: state.get(f"adam/{moment}/{name}") for moment in _MOMENTS}
            for moment, value in saved.items():
                if value is not None:
                    moments[weight][moment] = torch.from_numpy(np.array(value)).to(self._device)
        self._generator.set_state(torch.from_numpy(np.array(state["generator"])))

    # ---------------------------------------------------------------- training

    def train_step(self, batch: Batch, learning_rate: float) -> float:
        """One Adam step on a batch of at least two texts; answers with the summed loss of its texts before it."""
        optimiser = self._adam()
        for group in optimiser.param_groups:
            group["lr"] = learning_rate
        optimiser.zero_grad(set_to_none=True)
        loss = self._loss(batch, training=True)
        torch.autograd.backward(loss)
        optimiser.step()
        return float(loss.detach())

    def _adam(self) -> torch.optim.Adam:
        if self._optimiser is None:
            betas = (self.objective.momentum, 0.99)
            self._optimiser = torch.optim.Adam(list(self._learned().values()), betas=betas, fused=True)
        return self._optimiser

    def _learned(self) -> dict[str, Tensor]:
        frozen = set() if self.objective.learn_prior else {"prior_mean", "prior_log_variance"}
        return {name: weight.requires_grad_() for name, weight in self._weights.items() if name not in frozen}

    def evaluate(self, batch: Batch) -> float:
        """Summed loss of the texts with theta at its mean and running statistics."""
        with torch.no_grad():
            return float(self._loss(batch, training=False))

    def _loss(self, batch: Batch, *, training: bool) -> Tensor:
        words, running = self._words(batch), self._running("words")
        mean, log_variance = self._posterior(self._tensor(batch.vectors), words, training=training)
        latent = mean
        if training:
            latent = mean + torch.exp(0.5 * log_variance) * self._noise(mean.shape)
        theta = self._drop(torch.softmax(latent, dim=1), training=training)
        cost = reconstruction if training else reconstruction_as_is
        lost = cost(theta, self._weights["beta"], words, running).sum()
        kl = gaussian_kl(mean, log_variance, self._weights["prior_mean"], self._weights["prior_log_variance"]).sum()
        return lost + self.objective.kl_weight * kl + self._label_loss(theta, batch)

    def _label_loss(self, theta: Tensor, batch: Batch) -> Tensor | float:
        """Cross-entropy of the known classes, summed over texts and weighted."""
        if not self.shape.labels or not (batch.labels >= 0).any():
            return 0.0
        labels = torch.from_numpy(batch.labels).to(self._device)
        lost = F.cross_entropy(self._class_scores(theta), labels, ignore_index=-1, reduction="sum")
        return self.objective.label_weight * lost

    def _class_scores(self, theta: Tensor) -> Tensor:
        return theta @ self._weights["labels"] + self._weights["labels_bias"]

    def _posterior(self, vectors: Tensor, words: Words, *, training: bool) -> tuple[Tensor, Tensor]:
        w = self._weights
        first = torch.addmm(w["context_bias"], vectors, w["context"])
        if self.shape.counts_in:
            first = first + weighted_sum(words, w["words"])
        hidden = F.softplus(torch.addmm(w["hidden_bias"], F.softplus(first), w["hidden"]))
        hidden = self._drop(hidden, training=training)
        mean = torch.addmm(w["mean_bias"], hidden, w["mean"])
        if self.shape.centred:
            mean = mean + _SKIP * vectors @ w["centres"].T
        log_variance = torch.addmm(w["deviation_bias"], hidden, w["deviation"])
        return (
            self._normalise("mean", mean, training=training) * self.gain,
            self._normalise("deviation", log_variance, training=training),
        )

    def _normalise(self, name: str, values: Tensor, *, training: bool) -> Tensor:
        """Batch normalisation without learned parameters; training updates the running statistics."""
        running = self._running(name)
        return F.batch_norm(values, running.mean, running.variance, training=training)

    def _running(self, name: str) -> Running:
        return Running(self._statistics[f"{name}_running_mean"], self._statistics[f"{name}_running_variance"])

    def _drop(self, values: Tensor, *, training: bool) -> Tensor:
        rate = self.objective.dropout
        if not training or rate == 0:
            return values
        kept = torch.rand(values.shape, generator=self._generator) >= rate
        return values * (kept.to(self._device) * (1 / (1 - rate)))

    def _noise(self, size: torch.Size) -> Tensor:
        return torch.randn(size, generator=self._generator).to(self._device)

    def _tensor(self, values: Matrix) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(self._device)

    def _words(self, batch: Batch) -> Words:
        """The batch's counts on the device."""
        texts = np.repeat(np.arange(len(batch)), np.diff(batch.starts))
        totals = np.bincount(texts, batch.counts, len(batch)).astype(np.float32)
        arrays = (batch.words, texts, batch.starts[:-1], batch.counts, totals)
        return Words(*(torch.from_numpy(array).to(self._device) for array in arrays))

    # ---------------------------------------------------------------- use

    def mixtures(self, batch: Batch, samples: int = 0, seed: int = 0) -> Matrix:
        """(N, K): softmax(mu), or the mean of softmax over `samples` draws from the posterior, as published."""
        with torch.no_grad():
            mean, log_variance = self._posterior(self._tensor(batch.vectors), self._words(batch), training=False)
            if not samples:
                return _array(torch.softmax(mean, dim=1))
            # every text gets the same draws, so that its mixture does not depend on its place among others
            noise = torch.randn((samples, self.shape.topics), generator=torch.Generator().manual_seed(seed))
            spread = torch.exp(0.5 * log_variance)
            total = torch.zeros_like(mean)
            for draw in noise.to(self._device):
                total += torch.softmax(mean + spread * draw, dim=1)
            return _array(total / samples)

    def class_probabilities(self, theta: Matrix) -> Matrix:
        """(N, L) of mixtures (N, K); `ValueError` where the network learned no classes."""
        if not self.shape.labels:
            raise ValueError("the network was trained without labels")
        with torch.no_grad():
            return _array(torch.softmax(self._class_scores(self._tensor(theta)), dim=1))

    def word_probabilities(self) -> Matrix:
        """(K, V): softmax of the decoder's scores for a text of one topic alone."""
        with torch.no_grad():
            scores = self._normalise("words", self._weights["beta"].detach(), training=False)
            return _array(torch.softmax(scores, dim=1))


def _array(tensor: Tensor) -> Matrix:
    result: Matrix = tensor.cpu().numpy().astype(np.float32, copy=False)
    return result


def _fresh_statistics(shape: Shape) -> dict[str, Tensor]:
    widths = {"mean": shape.topics, "deviation": shape.topics, "words": shape.words}
    return {f"{name}_running_mean": torch.zeros(width) for name, width in widths.items()} | {
        f"{name}_running_variance": torch.ones(width) for name, width in widths.items()
    }
