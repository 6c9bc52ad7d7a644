"""Classes as a lesson for a whole transformer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from riparian.encoders.batches import Batch
from training.heads.classification import Fitted
from training.heads.figures import Numbers
from training.recipes.lesson import Settings, shuffled_batches
from training.recipes.student import Student


class ClassesLesson:
    """The head of the first stage goes on learning with the encoder below it, so that the encoder is not pulled about
    by a head that knows nothing yet (Kumar et al. 2022, "linear probing, then fine-tuning")."""

    def __init__(
        self, student: Student, settings: Settings, seed: int, texts: Sequence[str], truth: Numbers, head: Fitted
    ) -> None:
        self._student, self._batch, self._seed, self.examples = student, settings.batch, seed, texts
        device = student.device.name
        self._truth = torch.from_numpy(truth).to(device)
        self._weights = torch.from_numpy(head.weights.copy()).to(device).requires_grad_()
        self._biases = torch.from_numpy(head.biases.copy()).to(device).requires_grad_()

    @property
    def extra(self) -> Mapping[str, Tensor]:
        return {"weights": self._weights, "biases": self._biases}

    def batches(self, rows: Sequence[int], epoch: int) -> list[Batch]:
        return shuffled_batches(rows, self._batch, self._seed, epoch)

    def loss(self, rows: Sequence[int], numbers: np.random.Generator) -> Tensor:
        vectors = normalize(self._student.vectors([self.examples[row] for row in rows]), dim=1)
        return cross_entropy(vectors @ self._weights.T + self._biases, self._truth[list(rows)])
