"""Vectors and token states out of one pass equal those of two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from riparian.encoders import registry
from riparian.encoders.base import Encoder, GivesStates
from tests.riparian.encoder_models import tiny_bert

LONG = "The river bank of ducks. Money in the reserve bank left interest rates. " * 12
TEXTS = ["ducks on the river", "", LONG, "money", "café 日本語"]


@pytest.fixture(scope="module", params=[False, True], ids=["bert", "with prompts"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    folder = tiny_bert(tmp_path_factory.mktemp("models"), prompts=request.param)
    return registry.load(f"sentence-transformers:{folder}", cache_dir=folder.parent / "cache", device="cpu", threads=1)


@pytest.mark.parametrize("role", ["query", "passage"])
def test_both_in_one_pass_are_what_two_passes_give(encoder, role):
    assert isinstance(encoder, GivesStates)
    vectors, states = encoder.encode_both(TEXTS, role, lambda rows: rows)
    assert np.abs(vectors - encoder.encode_passages(TEXTS, role)).max() < 1e-5
    for found, expected in zip(states, encoder.encode_tokens(TEXTS, role), strict=True):
        assert found.tokens == expected.tokens
        assert np.array_equal(found.offsets, expected.offsets)
        assert found.rows.shape == expected.vectors.shape
        assert not len(found.rows) or np.abs(found.rows - expected.vectors).max() < 1e-4


def test_what_becomes_of_the_token_vectors_is_the_callers_choice(encoder):
    _, states = encoder.encode_both(TEXTS, "passage", lambda rows: np.round(rows[:, :3]).astype(np.int8))
    full = encoder.encode_tokens(TEXTS, "passage")
    assert [found.rows.dtype for found in states] == [np.dtype(np.int8)] * len(TEXTS)
    assert [found.rows.shape for found in states] == [(len(one.tokens), 3) for one in full]
    assert len(states[1].rows) == 0


def test_an_encoder_that_reads_a_text_twice_for_both_does_not_claim_to(tmp_path: Path):
    assert not isinstance(registry.load("hashing", cache_dir=tmp_path), GivesStates)
