"""Vectors as sums over tokens: which encoders add up, and that the sum is the vector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.encoders.parts import TOLERANCE, parts_of, summed
from riparian.encoders.pooling import POOLINGS, Pooling, pool, shares
from tests.riparian.context2vec_models import tiny_vectors
from tests.riparian.cove_models import tiny_cove
from tests.riparian.cvt_models import tiny_cvt
from tests.riparian.elmo_models import tiny_elmo
from tests.riparian.encoder_models import tiny_bert, tiny_glove
from tests.riparian.trained_models import tiny_padded_mirror, tiny_twin
from tests.riparian.use_lite_models import tiny_use_lite

TEXTS = ["The river bank, and money.", "left " * 90, "", "of"]

ADD_UP: dict[str, Callable[[Path], str]] = {
    "hashing": lambda folder: "hashing:32",
    "glove": lambda folder: f"glove:{tiny_glove(folder)}",
    "context2vec-awe": lambda folder: f"context2vec-awe:{tiny_vectors(folder)}?window=3&stopwords=en",
    "elmo": lambda folder: f"elmo:{tiny_elmo(folder)}",
    "cvt": lambda folder: f"cvt:{tiny_cvt(folder)}",
    "cove": tiny_cove,
    "use-lite": lambda folder: f"use-lite:{tiny_use_lite(folder)}",
    "use": lambda folder: "use",
    "bert, mean": lambda folder: f"bert:{tiny_bert(folder)}",
    "bert, max, with prompts": lambda folder: str(tiny_bert(folder, prompts=True)),
    "mirror-bert, padded mean": lambda folder: f"mirror-bert:{tiny_padded_mirror(folder)}",
    "twin": lambda folder: f"twin-causal:{tiny_twin(folder)}",
}


@pytest.mark.parametrize("spec", ADD_UP.values(), ids=ADD_UP)
def test_a_vector_is_the_sum_of_its_parts(spec: Callable[[Path], str], tmp_path: Path) -> None:
    encoder = registry.load(spec(tmp_path), cache_dir=tmp_path / "cache")
    found = parts_of(encoder, TEXTS, "passage")
    assert found is not None
    rows = np.array([parts.row for parts in found])
    np.testing.assert_allclose(rows, encoder.encode_passages(TEXTS, "passage"), atol=TOLERANCE)
    assert [len(parts.vectors) for parts in found] == [len(one.tokens) for one in encoder.tokenize(TEXTS)]


def test_a_special_token_alone_cannot_be_given_back_to_the_words(tmp_path: Path) -> None:
    encoder = registry.load(f"mirror-bert:{tiny_bert(tmp_path)}?pooling=cls", cache_dir=tmp_path / "cache")
    assert parts_of(encoder, TEXTS, "passage") is None


def test_an_encoder_that_takes_the_largest_of_its_vectors_is_found_not_to_add_up(tmp_path: Path) -> None:
    encoder = registry.load(f"{tiny_cove(tmp_path)}&pooling=max", cache_dir=tmp_path / "cache")
    assert isinstance(encoder, Encoder)
    assert parts_of(encoder, TEXTS, "passage") is None


@given(
    arrays.arrays(np.float32, (2, 4, 3), elements=st.floats(-9, 9, width=32)),
    st.lists(st.integers(1, 4), min_size=2, max_size=2),
    st.sampled_from(POOLINGS),
)
def test_weighted_states_sum_to_the_pooled_row(states: np.ndarray, lengths: list[int], how: Pooling) -> None:
    mask = np.arange(4)[None, :] < np.array(lengths)[:, None]
    found = (states * shares(states, mask, how)).sum(axis=1)
    np.testing.assert_allclose(found, pool(states, mask, how), atol=1e-5)


def test_parts_keep_their_proportions_and_sum_to_unit_length() -> None:
    offsets = np.array([[0, 1], [2, 3]])
    parts = summed(offsets, np.array([[3.0, 0.0], [0.0, 2.0]], dtype=np.float32), np.array([0.0, 2.0]))
    np.testing.assert_allclose(parts.vectors, [[0.6, 0.0], [0.0, 0.4]], rtol=1e-6)
    np.testing.assert_allclose(parts.rest, [0.0, 0.4], rtol=1e-6)


def test_nothing_sums_to_nothing() -> None:
    parts = summed(np.zeros((0, 2), dtype=np.int64), np.zeros((0, 3), dtype=np.float32))
    assert parts.row.tolist() == [0.0, 0.0, 0.0]
