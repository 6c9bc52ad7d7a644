"""Training the last part of the Universal Sentence Encoder on pairs of texts that belong together.

All else stays as published: the residual network (320, 320, 512) behind the sum of the states learns, by a softmax over
the batch (Yang et al. 2018 and 2020 trained the whole encoder on such pairs), to find the second text of a pair by its
first and the first by its second.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from riparian.device import Device, choose
from riparian.encoders.base import Progress
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.epochs import Epochs
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.steps import Look
from riparian.encoders.storage import new_folder
from riparian.encoders.training_steps import Steps, set_rate, use_threads, warmed_up
from riparian.encoders.use import PIECES, WEIGHTS, UseEncoder
from riparian.encoders.use_network import HEAD, read_tensors
from riparian.encoders.view_match.judging import Recall, recall
from riparian.encoders.view_match.material import Material, text_pairs
from riparian.encoders.view_match.network import matching_loss
from riparian.errors import AlreadyExists, Invalid

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """`batch` counts pairs, each told apart from all others of its batch; `temperature` divides the cosines; `held_out`
    is the share of pairs that judge and are never trained on. An empty `name` is made from the encoder's.

    Raises Invalid for a value that cannot be.
    """

    name: str = ""
    epochs: int = 5
    batch: int = 64
    learning_rate: float = 3e-4
    temperature: float = 0.05
    clip_norm: float = 1.0
    held_out: float = 0.1

    def __post_init__(self) -> None:
        for name in ("epochs", "learning_rate", "temperature", "clip_norm"):
            if not getattr(self, name) > 0:
                raise Invalid(f"{name} must be above 0, not {getattr(self, name)}")
        if self.batch < 2:
            raise Invalid(f"batch must be at least 2, not {self.batch}: a pair is told apart from others")
        if not 0 < self.held_out < 1:
            raise Invalid(f"held_out must lie in (0, 1), not {self.held_out}")


def train_head(
    encoder: UseEncoder,
    pairs: Sequence[tuple[str, str]],
    settings: HeadSettings,
    seed: int,
    progress: Progress | None = None,
    *,
    into: Path,
    checkpoint: Path | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> Path:
    """Writes the tuned encoder `into` and answers with it; its card holds the recall@1 of the right partner among
    held-out pairs, both ways, before and after. `encoder` stays as it is; token vectors are the same in both.

    The same encoder, pairs, settings and seed give the same weights on one machine. `progress` hears (batches done,
    batches in all) and may raise to stop. With `checkpoint`, a run that was stopped goes on where it was, to the same
    weights; Conflict where the file belongs to another run. Raises Invalid for too few pairs, AlreadyExists where
    `into` is there and not empty.
    """
    if into.exists() and any(into.iterdir()):
        raise AlreadyExists(f"{into} is not empty; give a new folder to save into")
    material = text_pairs(pairs, settings.held_out, seed)
    place = choose(device)
    use_threads(place, workers)
    trainer = _Trainer(encoder, settings, seed, material, place)
    run = text_digest(canonical([asdict(settings), seed, material.digest, encoder.fingerprint()]))
    before = trainer.judged()
    trainer.run(progress, None if checkpoint is None else Checkpoint(checkpoint, run))
    _save(encoder, trainer, before, into)
    return into


class _Trainer:
    """One run. What is frozen is computed once; the order of the pairs comes from the seed and the epoch alone."""

    def __init__(
        self, encoder: UseEncoder, settings: HeadSettings, seed: int, material: Material, device: Device
    ) -> None:
        self.settings, self.seed, self.material, self._device = settings, seed, material, device
        self._first, self._second = (
            torch.from_numpy(encoder.pooled(texts)[0]) for texts in (material.texts, material.partners)
        )
        self._frozen = read_tensors(encoder.folder / WEIGHTS)
        self._head = {
            name: torch.tensor(self._frozen[name], dtype=torch.float32, device=device.name, requires_grad=True)
            for name in HEAD
        }
        self._optimiser = torch.optim.Adam(self._head.values(), lr=settings.learning_rate)
        self._epochs = Epochs(self._plan)
        self._total = len(self._epochs) * settings.epochs

    def run(self, progress: Progress | None, checkpoint: Checkpoint | None) -> None:
        Steps(self._total, self._head, self._optimiser, checkpoint).run(
            self._learn, progress, Look("recall@1", lambda: self.judged().first_to_second)
        )

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Name → tensor of the whole encoder as it is now."""
        return self._frozen | {name: value.detach().cpu().numpy() for name, value in self._head.items()}

    @torch.no_grad()
    def judged(self) -> Recall:
        """How well the two texts of held-out pairs find each other now."""
        rows = self.material.judge
        return recall(*(self._vectors(side, rows).cpu().numpy() for side in (self._first, self._second)))

    def _plan(self, epoch: int) -> list[tuple[int, ...]]:
        order = np.random.default_rng([self.seed, epoch]).permutation(self.material.train)
        count = max(1, round(len(order) / self.settings.batch))
        return [tuple(part.tolist()) for part in np.array_split(order, count)]

    def _learn(self, step: int) -> Tensor:
        rows = np.array(self._epochs.batch(step))
        first, second = (self._vectors(side, rows) for side in (self._first, self._second))
        numbers = self.material.first[rows], self.material.second[rows]
        equal = torch.from_numpy(np.logical_or(*(side[:, None] == side for side in numbers))).to(self._device.name)
        loss = matching_loss(first, second, equal, self.settings.temperature)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._head.values(), self.settings.clip_norm)
        set_rate(self._optimiser, self.settings.learning_rate * warmed_up(step, self._total))
        self._optimiser.step()
        return loss.detach()

    def _vectors(self, pooled: Tensor, rows: NDArray[np.int64]) -> Tensor:
        """(B, 512) unit rows, as `UseNetwork.sentences` computes them."""
        w, x = self._head, pooled[torch.from_numpy(rows)].to(self._device.name)
        first = (x @ w["p1"] + (x @ w["d0"]).relu() @ w["d1"]).relu()
        second = first @ w["p3"] + (first @ w["d2"]).relu() @ w["d3"]
        return functional.normalize(torch.tanh(second), dim=1)


def _report(encoder: UseEncoder, trainer: _Trainer, before: Recall) -> Report:
    after, material = trainer.judged(), trainer.material
    figures = {
        f"recall_{way}_{when}": round(getattr(found, way), 4)
        for when, found in (("before", before), ("after", after))
        for way in ("first_to_second", "second_to_first")
    }
    return {
        "settings": asdict(trainer.settings),
        "seed": trainer.seed,
        "base": encoder.fingerprint(),
        "pairs_sha256": material.digest,
        "pairs": len(material.train),
        "held_out_pairs": len(material.judge),
        **figures,
        "recall_by_chance": round(after.chance, 4),
    }


def _save(encoder: UseEncoder, trainer: _Trainer, before: Recall, into: Path) -> None:
    report, facts = _report(encoder, trainer, before), encoder.facts
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent) as name:
        draft = Path(name) / "draft"
        with new_folder(draft) as folder:
            np.savez(folder / WEIGHTS, **trainer.tensors())  # type: ignore[arg-type]
            (folder / PIECES).write_bytes((encoder.folder / PIECES).read_bytes())
        made = f"{facts.provenance}; its last network trained here on {report['pairs']} pairs"
        tuned = replace(
            facts,
            name=trainer.settings.name or f"{facts.name}, tuned on pairs",
            spec=f"use:{into}",
            origin="fine-tuned",
            provenance=made,
            training=report,
        )
        UseEncoder(draft, tuned).save(into)
