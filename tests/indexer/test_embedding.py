"""Batches of passages: what one commit holds, and what a kill may cost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from indexer.embedding import BATCH, BATCH_CHARACTERS, _batches
from riparian.catalog.vectors import Pending

LENGTHS = st.lists(st.integers(0, BATCH_CHARACTERS // 3) | st.just(2 * BATCH_CHARACTERS) | st.just(1), max_size=600)


@given(LENGTHS)
def test_batches_are_all_texts_in_order_and_none_is_too_large_but_a_single_text(lengths: list[int]) -> None:
    texts: list[tuple[str, list[Pending]]] = [("x" * length, []) for length in lengths]
    batches = list(_batches(texts))
    assert [text for batch in batches for text in batch] == texts
    for batch in batches:
        assert 1 <= len(batch) <= BATCH
        assert len(batch) == 1 or sum(len(text) for text, _ in batch) <= BATCH_CHARACTERS


def test_short_texts_fill_a_batch() -> None:
    assert [len(batch) for batch in _batches([("short", [])] * (2 * BATCH + 1))] == [BATCH, BATCH, 1]
