"""One suite over every kind of encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.encoders.checks import CHECKS, Subject
from tests.riparian.context2vec_models import tiny_context2vec, tiny_vectors
from tests.riparian.cove_models import tiny_cove
from tests.riparian.cvt_models import tiny_cvt
from tests.riparian.elmo_models import tiny_elmo
from tests.riparian.encoder_models import tiny_bert, tiny_glove, tiny_word2vec
from tests.riparian.trained_models import (
    tiny_mirror,
    tiny_padded_mirror,
    tiny_trained_glove,
    tiny_trained_word2vec,
    tiny_twin,
)
from tests.riparian.use_lite_models import tiny_use_lite
from tests.riparian.view_match_models import tiny_view_match, tiny_view_match_of_features
from training.bank.bench import bank
from training.bank.occurrences import built_in

Specs = dict[str, Callable[[Path], tuple[str, str]]]

# readable id → (spec, engine), given a folder to build small models in
SUBJECTS: Specs = {
    "hashing": lambda folder: ("hashing:64", "auto"),
    "word2vec binary": lambda folder: (f"word2vec:{tiny_word2vec(folder)}", "auto"),
    "glove text": lambda folder: (f"glove:{tiny_glove(folder)}", "auto"),
    "word2vec trained here": lambda folder: (str(tiny_trained_word2vec(folder)), "auto"),
    "glove trained here": lambda folder: (str(tiny_trained_glove(folder)), "auto"),
    "context2vec-awe": lambda folder: (f"context2vec-awe:{tiny_vectors(folder)}?window=3&stopwords=en", "auto"),
    "context2vec-lstm": lambda folder: (f"context2vec-lstm:{tiny_context2vec(folder)}", "auto"),
    "elmo": lambda folder: (f"elmo:{tiny_elmo(folder)}", "torch"),
    "cvt": lambda folder: (f"cvt:{tiny_cvt(folder)}", "torch"),
    "cvt with the second layer alone": lambda folder: (f"cvt:{tiny_cvt(folder)}?vectors=bi", "torch"),
    "cove": lambda folder: (tiny_cove(folder), "auto"),
    "mirror-bert": lambda folder: (f"mirror-bert:{tiny_mirror(folder)}", "auto"),
    "mirror-bert with padded mean": lambda folder: (f"mirror-bert:{tiny_padded_mirror(folder)}", "auto"),
    "twin-causal": lambda folder: (f"twin-causal:{tiny_twin(folder)}", "auto"),
    "view-match": lambda folder: (f"view-match:{tiny_view_match(folder)}", "auto"),
    "view-match of features": lambda folder: (f"view-match:{tiny_view_match_of_features(folder)}", "auto"),
    "use-lite": lambda folder: (f"use-lite:{tiny_use_lite(folder)}", "auto"),
    "use": lambda folder: ("use", "auto"),
    "sentence-transformers": lambda folder: ("sentence-transformers", "auto"),
    "bert with prompts": lambda folder: (str(tiny_bert(folder, prompts=True)), "auto"),
    "bert on torch": lambda folder: (f"bert:{tiny_bert(folder)}", "torch"),
}


@pytest.fixture(scope="module", params=SUBJECTS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Encoder, Path, str]:
    cache = tmp_path_factory.mktemp("cache")
    spec, engine = SUBJECTS[request.param](tmp_path_factory.mktemp("model"))
    return load(spec, cache, engine), cache, engine


def load(spec: str, cache: Path, engine: str) -> Encoder:
    """On two workers; on one where torch computes, whose threads spin while they wait."""
    return registry.load(spec, cache_dir=cache, engine=engine, threads=1 if engine == "torch" else 2)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_every_encoder_keeps(
    check: Callable[[Subject], None], loaded: tuple[Encoder, Path, str], tmp_path: Path
) -> None:
    encoder, cache, engine = loaded
    check(Subject(encoder, lambda folder: load(str(folder), cache, engine), tmp_path))


CONTEXT_ALONE = {"context2vec-awe": 8, "context2vec-lstm": 12}
"""Numbers of the tiny models' token vectors that stand for the context alone."""


def test_every_encoder_keeps_the_facts_of_its_kind(loaded: tuple[Encoder, Path, str]) -> None:
    """Static: one vector at every occurrence of a word, bit for bit. Contextual: another in every other context.
    Context2vec: its context does not see the word that stands in it."""
    money_and_river = [*built_in()[:5], *built_in()[24:29]]
    row = bank(loaded[0], money_and_river, permutations=10)
    assert row.broken_facts == ()
    assert row.pairs > 40
    assert row.identical == (row.level == "word" and row.contextual == "none")
    assert row.slot_blind == CONTEXT_ALONE.get(row.kind, 0)


def test_the_suite_covers_every_built_in_kind() -> None:
    covered = {name.split()[0] for name in SUBJECTS}

    assert covered >= set(registry.BUILT_IN)
