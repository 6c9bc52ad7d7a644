"""Pairs for the Universal Sentence Encoder: its last network learns, what only transformers have is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from riparian.encoders.base import Encoder
from riparian.errors import Invalid
from tests.riparian.trained_models import grammar
from tests.training.tunable import loaded
from training.material import Material, Pair, Run
from training.recipes.table import named

PAIRS = Material("halves", pairs=[Pair(text[:20], text[20:]) for text in grammar(60)])


@pytest.fixture(scope="module")
def use(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return loaded("use", tmp_path_factory.mktemp("use"))


def test_use_is_tuned_on_pairs_and_stays_use(use: Encoder, tmp_path: Path) -> None:
    before = use.fingerprint()
    report = named("pairs").tune(
        use,
        PAIRS,
        tmp_path / "out",
        Run(seed=1, workers=1),
        {"epochs": 1, "batch": 16, "held_out": 0.2, "name": "mine"},
    )
    found = loaded(tmp_path / "out", tmp_path)

    assert (found.info.kind, found.info.origin, found.info.name) == ("use", "fine-tuned", "mine")
    assert report["recipe"] == "pairs"
    assert (report["examples"], report["base_fingerprint"]) == (len(set(PAIRS.pairs)), before)
    assert found.fingerprint() != before == use.fingerprint()


def test_what_only_transformers_have_is_refused(use: Encoder, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="pairs for use has no setting 'frozen'"):
        named("pairs").tune(use, PAIRS, tmp_path / "out", Run(), {"frozen": 1})
    assert "tune it with pairs" in (named("mirror").refuses(use) or "")
