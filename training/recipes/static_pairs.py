"""Pairs for a table of words: the vectors of the words that stand in pairs are moved, all others stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from riparian.device import choose
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.static import StaticEncoder
from riparian.encoders.training_steps import Steps, set_rate, use_threads, warmed_up
from riparian.encoders.word_vectors import WordVectors
from riparian.errors import Invalid
from training.material import Material, Pair, Run
from training.recipes.base import Report
from training.recipes.contrastive import PairsSettings, distinct_batches
from training.recipes.lesson import digest_of
from training.recipes.losses import ranking_loss


def tune_table(encoder: Any, material: Material, into: Path, run: Run, settings: PairsSettings) -> Report:
    """The encoder with a table in which partners' means are closer. Invalid for too few pairs of known words."""
    assert isinstance(encoder, StaticEncoder)
    device = choose(run.device)
    use_threads(device, run.workers)
    pairs, rows = _known(encoder, material.pairs)
    table = torch.from_numpy(np.array(encoder.table.matrix, dtype=np.float32)).to(device.name).requires_grad_()
    optimiser = torch.optim.Adam([table], lr=settings.learning_rate)
    plans = [distinct_batches(pairs, settings.batch, run.seed, epoch) for epoch in range(settings.epochs)]
    steps = min(map(len, plans))
    losses: list[float] = []

    def learn(step: int) -> Tensor:
        epoch, at = divmod(step, steps)
        batch = plans[epoch][at]
        first, second = (_means(table, [rows[row][side] for row in batch]) for side in (0, 1))
        loss = ranking_loss(first, second, settings.temperature, both_ways=settings.both_ways)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        set_rate(optimiser, settings.learning_rate * warmed_up(step, steps * settings.epochs))
        optimiser.step()
        losses.append(float(loss.detach()))
        return loss.detach()

    digest = digest_of(map(str, pairs))
    name = text_digest(canonical([asdict(settings), run.seed, digest, encoder.fingerprint()]))
    checkpoint = None if run.checkpoint is None else Checkpoint(run.checkpoint, name)
    Steps(steps * settings.epochs, {"table": table}, optimiser, checkpoint).run(learn, run.progress)
    report = {
        "recipe": "pairs", "settings": asdict(settings), "seed": run.seed, "base": encoder.info.name,
        "base_fingerprint": encoder.fingerprint(), "examples": len(pairs), "material_sha256": digest,
        "steps": steps * settings.epochs, "loss_first": round(losses[0], 4) if losses else None,
        "loss_last": round(losses[-1], 4) if losses else None, "origin": material.origin,
    }  # fmt: skip
    tuned = encoder.with_table(
        WordVectors(encoder.table.words, table.detach().cpu().numpy()),
        name=settings.name,
        spec=f"{encoder.info.kind}:{into}",
        how=f"tuned here on {len(pairs)} pairs of {material.origin}",
        training=report,
    )
    tuned.save(into)
    return report


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
