"""Windows cover everything, overlap, and are stitched where tokens are farthest from an edge."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from riparian.encoders.batches import by_length
from riparian.encoders.windows import owned, spans


@given(length=st.integers(0, 2000), size=st.integers(1, 300))
def test_windows_cover_every_token_and_what_they_own_touches(length: int, size: int) -> None:
    windows = spans(length, size)
    parts = owned(windows)

    assert [at for start, end in parts for at in range(start, end)] == list(range(length))
    assert all(end - start <= size for start, end in windows)
    assert all(right[0] <= left[1] for left, right in pairwise(windows))


@given(lengths=st.lists(st.integers(1, 50), max_size=40), budget=st.integers(1, 200), pads=st.booleans())
def test_batches_hold_every_row_once_within_the_budget(lengths: list[int], budget: int, pads: bool) -> None:
    batches = by_length(lengths, budget, pads)

    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= budget for batch in batches)
    assert pads or all(len({lengths[row] for row in batch}) == 1 for batch in batches)
