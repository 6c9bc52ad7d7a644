"""Pairs for the Universal Sentence Encoder: the network that makes one vector of a sentence learns, all before it stays
as published, and with it every token vector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riparian.encoders.base import Encoder
from riparian.encoders.storage import read_card
from riparian.encoders.use import UseEncoder
from riparian.encoders.use_tuning import HeadSettings, train_head
from training.material import Material, Run
from training.recipes.base import Report
from training.settings import parsed


def tune_use(encoder: Encoder, material: Material, into: Path, run: Run, settings: Mapping[str, Any]) -> Report:
    """Invalid for too few pairs and for a setting that only transformers have."""
    assert isinstance(encoder, UseEncoder)
    chosen = parsed(HeadSettings, settings, "pairs for use")
    pairs = [(pair.first, pair.second) for pair in dict.fromkeys(material.pairs)]
    train_head(
        encoder,
        pairs,
        chosen,
        run.seed,
        run.progress,
        into=into,
        checkpoint=run.checkpoint,
        device=run.device,
        workers=run.workers,
    )
    card = read_card(into)
    report: Report = dict(card.settings.get("training", {}))
    return report | {
        "recipe": "pairs",
        "origin": material.origin,
        "base_fingerprint": encoder.fingerprint(),
        "examples": len(pairs),
    }
