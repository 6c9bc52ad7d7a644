"""What recipes gain on real sentences with a small BERT that never learnt to compare sentences."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import spearmanr

from riparian.encoders.base import Encoder
from riparian.encoders.mlm.settings import Settings as MlmSettings
from riparian.encoders.mlm.training import train
from tests.evaldata import folder as data_folder
from tests.training.tunable import loaded, mixed, reciprocal_ranks
from training.evaluation.statistics import paired
from training.material import Material, Pair, Run
from training.recipes.table import named

SMALL = MlmSettings(
    vocabulary=4_000,
    layers=2,
    hidden=128,
    heads=2,
    max_length=48,
    epochs=9,
    batch_tokens=2_048,
    learning_rate=2e-3,
    held_out=0.03,
)
LEAST_SCORE = 4.0
"""People's score of two sentences from which on they count as a pair."""

logger = logging.getLogger(__name__)


def sts(split: str) -> list[Mapping[str, Any]]:
    with gzip.open(data_folder("sts-benchmark") / f"en-{split}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def alike(split: str) -> list[Pair]:
    rows = [row for row in sts(split) if row["score"] >= LEAST_SCORE and row["sentence1"] != row["sentence2"]]
    return [Pair(row["sentence1"], row["sentence2"]) for row in rows]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    place = tmp_path_factory.mktemp("small")
    strings = list(dict.fromkeys(str(row["sentence1"]) for row in sts("train")))
    train(strings, SMALL, seed=1, into=place / "mlm", workers=1)
    return loaded(f"bert:{place / 'mlm'}", place)


def agreement(encoder: Encoder) -> float:
    """Spearman's correlation of cosines with people's scores on the development part, in points."""
    rows = sts("dev")
    sides = [encoder.encode_passages([row[key] for row in rows], "passage") for key in ("sentence1", "sentence2")]
    return 100 * float(spearmanr((sides[0] * sides[1]).sum(axis=1), [row["score"] for row in rows]).statistic)


@pytest.mark.slow
@pytest.mark.timeout(2_400)
@pytest.mark.parametrize(
    ("recipe", "seed"),
    [("mirror", 1), ("mirror", 2), ("mirror", 3), ("simcse", 1)],
)
def test_sentences_without_scores_bring_a_small_bert_three_points_nearer_to_people(
    recipe: str, seed: int, small: Encoder, tmp_path: Path
) -> None:
    strings = list(dict.fromkeys(str(row["sentence1"]) for row in sts("train")))[:4_000]
    material = Material("sentences without scores", texts=strings)
    settings = {"temperature": 0.1, "batch": 128, "learning_rate": 1e-3, "epochs": 2}
    report = named(recipe).tune(small, material, tmp_path / "out", Run(seed=seed, workers=1), settings)
    before, after = agreement(small), agreement(loaded(tmp_path / "out", tmp_path))
    logger.info("%s, seed %d: %.2f points, before %.2f; %s", recipe, seed, after, before, report["held_out_after"])

    assert after >= before + 3


@pytest.mark.slow
@pytest.mark.timeout(2_400)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_true_pairs_beat_the_base_beyond_chance_and_the_same_texts_mixed_do_not(
    seed: int, small: Encoder, tmp_path: Path
) -> None:
    held, base = alike("dev"), reciprocal_ranks(small, alike("dev"))
    gains = {}
    for name, pairs in (("true", alike("train")), ("mixed", mixed(alike("train"), by=97))):
        settings = {"epochs": 3, "batch": 64, "longest": 48, "learning_rate": 5e-4}
        material = Material(name, pairs=pairs)
        named("pairs").tune(small, material, tmp_path / name, Run(seed=seed, workers=1), settings)
        gains[name] = paired(reciprocal_ranks(loaded(tmp_path / name, tmp_path), held), base, seed)
    logger.info("seed %d, %d pairs held out, base %.4f: %s", seed, len(held), base.mean(), gains)

    assert gains["true"].is_above_zero
    assert not gains["mixed"].is_above_zero
