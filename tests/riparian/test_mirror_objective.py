"""The loss, its measures and the hidden span, against laws and a version in NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from riparian.encoders.mirror.objective import alignment, nt_xent, uniformity
from riparian.encoders.mirror.views import masked


def numpy_nt_xent(first: np.ndarray, second: np.ndarray, temperature: float) -> float:
    """Term by term, as the paper writes it."""
    count = len(first)
    views = np.concatenate([first, second]).astype(np.float64)
    views /= np.linalg.norm(views, axis=1, keepdims=True)
    losses = []
    for row in range(2 * count):
        other = (row + count) % (2 * count)
        own = math.exp(views[row] @ views[other] / temperature)
        rest = sum(math.exp(views[row] @ views[at] / temperature) for at in range(2 * count) if at not in (row, other))
        losses.append(-math.log(own / (own + rest)))
    return float(np.mean(losses))


@pytest.mark.parametrize("temperature", [0.04, 0.2, 1.0])
@pytest.mark.parametrize("count", [1, 2, 9])
def test_the_loss_is_that_of_the_paper(count: int, temperature: float) -> None:
    numbers = np.random.default_rng(count)
    first, second = numbers.normal(size=(2, count, 16))

    found = nt_xent(torch.from_numpy(first), torch.from_numpy(second), temperature)

    assert float(found) == pytest.approx(numpy_nt_xent(first, second, temperature), rel=1e-9, abs=1e-12)


def test_the_loss_is_lowest_where_views_coincide_and_strings_are_opposed_or_orthogonal() -> None:
    axes = torch.eye(6, dtype=torch.float64)
    best = float(nt_xent(axes, axes, 0.2))

    assert best == pytest.approx(math.log(1 + 10 * math.exp(-1 / 0.2)))
    numbers = torch.Generator().manual_seed(1)
    for share in (0.05, 0.3):
        moved = axes + share * torch.randn(6, 6, generator=numbers, dtype=torch.float64)
        assert float(nt_xent(axes, moved, 0.2)) > best
    assert float(nt_xent(axes, axes.roll(1, dims=0), 0.2)) > best + 4


def test_neither_scale_nor_the_order_of_the_views_matters() -> None:
    first, second = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    loss = float(nt_xent(first, second, 0.1))

    assert float(nt_xent(second, 3 * first, 0.1)) == pytest.approx(loss)


def test_alignment_and_uniformity_are_those_of_their_definitions() -> None:
    first, second = np.random.default_rng(3).normal(size=(2, 7, 5))
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (first, second)]
    pairs = [math.exp(-2 * ((unit[0][a] - unit[0][b]) ** 2).sum()) for a in range(7) for b in range(a)]

    assert alignment(torch.from_numpy(first), torch.from_numpy(second)) == pytest.approx(
        ((unit[0] - unit[1]) ** 2).sum(axis=1).mean()
    )
    assert uniformity(torch.from_numpy(first)) == pytest.approx(math.log(np.mean(pairs)))
    assert uniformity(torch.ones(3, 4)) == 0
    with pytest.raises(ValueError, match="two rows"):
        uniformity(torch.ones(1, 4))


TEXTS = st.text(st.characters(exclude_characters="§"), max_size=60)


@given(TEXTS, st.integers(0, 8), st.integers(0, 40), st.integers(0, 99))
def test_one_window_is_hidden_and_every_other_character_kept(text: str, span: int, shortest: int, seed: int) -> None:
    found = masked(text, "§", span, shortest, np.random.default_rng(seed))

    if span == 0 or len(text) < shortest or len(text) <= span:
        assert found == text
        return
    before, mark, after = found.partition("§")
    assert mark == "§"
    assert "§" not in after
    assert len(before) + span + len(after) == len(text)
    assert text.startswith(before)
    assert text.endswith(after)


def test_every_window_is_hidden_sooner_or_later() -> None:
    numbers = np.random.default_rng(0)
    starts = {masked("abcdefghij", "§", 5, 0, numbers).index("§") for _ in range(200)}

    assert starts == set(range(6))
