"""Pairs for a table of words: the vectors of the words that stand in pairs are moved, all others stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from riparian.device import choose
from riparian.encoders.base import Encoder
from riparian.encoders.batches import Batch
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.static import StaticEncoder
from riparian.encoders.steps import Look
from riparian.encoders.training_steps import Steps, set_rate, use_threads, warmed_up
from riparian.encoders.word_vectors import WordVectors
from riparian.errors import Invalid
from training.material import Material, Pair, Run
from training.recipes.base import Report
from training.recipes.contrastive import distinct_batches
from training.recipes.held_out import HeldOut, parted
from training.recipes.lesson import digest_of
from training.recipes.losses import ranking_loss
from training.recipes.teaching import epochs_of, told


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSettings:
    """As for transformers, as far as it makes sense: a table takes larger steps and batches, and has nothing to drop
    or freeze."""

    name: str = "tuned here"
    epochs: int = 1
    batch: int = 128
    learning_rate: float = 1e-3
    temperature: float = 0.05
    both_ways: bool = True
    held_out: float = 0.05

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 2 or not 0 < self.learning_rate <= 1:
            raise Invalid("epochs must be at least 1, batch at least 2, learning_rate in (0, 1]")
        if not self.temperature > 0 or not 0 <= self.held_out <= 0.5:
            raise Invalid("temperature must be above 0, held_out in [0, 0.5]")


class TableLesson:
    """Pairs of which both texts have a known word; a text is the mean of its known words' rows."""

    def __init__(
        self, encoder: StaticEncoder, table: Tensor, settings: TableSettings, seed: int, pairs: Sequence[Pair]
    ):
        self._table, self._settings, self._seed = table, settings, seed
        self.examples, self._rows = _known(encoder, pairs)

    @property
    def extra(self) -> Mapping[str, Tensor]:
        return {}

    def batches(self, rows: Sequence[int], epoch: int) -> list[Batch]:
        found = distinct_batches([self.examples[row] for row in rows], self._settings.batch, self._seed, epoch)
        return [tuple(rows[at] for at in batch) for batch in found]

    def views(self, rows: Sequence[int], numbers: np.random.Generator) -> tuple[Tensor, Tensor]:
        first, second = zip(*(self._rows[row] for row in rows), strict=True)
        return _means(self._table, first), _means(self._table, second)

    def loss(self, rows: Sequence[int], numbers: np.random.Generator) -> Tensor:
        how = self._settings
        return ranking_loss(*self.views(rows, numbers), how.temperature, both_ways=how.both_ways)


def tune_table(encoder: Encoder, material: Material, into: Path, run: Run, settings: TableSettings) -> Report:
    """The encoder with a table in which partners' means are closer. Invalid for too few pairs of known words."""
    assert isinstance(encoder, StaticEncoder)
    device = choose(run.device)
    use_threads(device, run.workers)
    table = torch.from_numpy(np.array(encoder.table.matrix, dtype=np.float32)).to(device.name).requires_grad_()
    lesson = TableLesson(encoder, table, settings, run.seed, material.pairs)
    learnt, held = parted(len(lesson.examples), settings.held_out, run.seed)
    judge = HeldOut(lesson, held, run.seed, device)
    before = judge.figures()
    losses = _learn(lesson, table, learnt, settings, run, encoder.fingerprint(), judge)
    digest = digest_of(map(str, lesson.examples))
    report = {
        "settings": asdict(settings),
        "seed": run.seed,
        "base": encoder.info.name,
        "base_fingerprint": encoder.fingerprint(),
        "examples": len(lesson.examples),
        "material_sha256": digest,
        "steps": len(losses),
        **told(losses),
        "held_out_examples": judge.count if judge else 0,
        "held_out_before": before,
        "held_out_after": judge.figures(),
        "recipe": "pairs",
        "origin": material.origin,
    }
    tuned = encoder.with_table(
        WordVectors(encoder.table.words, table.detach().cpu().numpy()),
        name=settings.name,
        spec=f"{encoder.info.kind}:{into}",
        how=f"tuned here (multiple negatives ranking) on {len(lesson.examples)} pairs of {material.origin}, "
        f"SHA-256 {digest[:16]}…",
        training=report,
    )
    tuned.save(into)
    return report


def _learn(
    lesson: TableLesson, table: Tensor, rows: list[int], settings: TableSettings, run: Run, base: str, judge: HeldOut
) -> Tensor:
    """The loss of every step."""
    epochs = epochs_of(lesson, rows, settings.epochs)
    total = len(epochs) * settings.epochs
    losses = torch.full((total,), float("nan"))
    optimiser = torch.optim.Adam([table], lr=settings.learning_rate)

    def learn(step: int) -> Tensor:
        loss = lesson.loss(epochs.batch(step), np.random.default_rng([run.seed, step, 1]))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        set_rate(optimiser, settings.learning_rate * warmed_up(step, total))
        optimiser.step()
        losses[step] = loss.detach().cpu()
        return loss.detach()

    name = text_digest(canonical([asdict(settings), run.seed, digest_of(map(str, lesson.examples)), base]))
    checkpoint = None if run.checkpoint is None else Checkpoint(run.checkpoint, name)
    look = Look("loss on held-out examples", judge.loss) if judge else None
    Steps(total, {"table": table, "losses": losses}, optimiser, checkpoint).run(learn, run.progress, look)
    return losses


def _known(encoder: StaticEncoder, pairs: Sequence[Pair]) -> tuple[list[Pair], list[tuple[list[int], list[int]]]]:
    """The different pairs whose two texts have a known word each, with the rows of their words."""
    kept, rows = [], []
    for pair in dict.fromkeys(pairs):
        sides = tuple(encoder.rows_of(text) for text in (pair.first, pair.second))
        if all(sides):
            kept.append(pair)
            rows.append((sides[0], sides[1]))
    if len(kept) < 2:
        raise Invalid(f"{len(kept)} different pairs of known words are too few to learn from; give at least 2")
    return kept, rows


def _means(table: Tensor, texts: Sequence[list[int]]) -> Tensor:
    flat = torch.tensor([row for text in texts for row in text], device=table.device)
    starts = torch.tensor(np.cumsum([0, *map(len, texts[:-1])]), device=table.device)
    return functional.embedding_bag(flat, table, starts, mode="mean")
