"""Near-duplicates under the best of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from search.collapse import collapse

GROUPS = st.lists(st.integers(-1, 4), max_size=30)


@given(groups=GROUPS)
def test_one_document_of_each_group_is_kept_and_all_without_one(groups):
    ids = np.arange(100, 100 + len(groups), dtype=np.int64)[::-1]
    found = collapse(ids, np.array(groups, dtype=np.int64))
    firsts = [i for i, g in enumerate(groups) if g < 0 or g not in groups[:i]]
    assert found.ids.tolist() == ids[firsts].tolist()


@given(groups=GROUPS)
def test_nothing_is_lost(groups):
    ids = np.arange(len(groups), dtype=np.int64)
    found = collapse(ids, np.array(groups, dtype=np.int64))
    assert len(found.ids) + sum(found.duplicates.values()) == len(groups)


def test_counts_stand_with_the_document_that_is_shown():
    found = collapse(np.array([7, 3, 9, 4, 1]), np.array([2, -1, 2, 5, 2]))
    assert (found.ids.tolist(), dict(found.duplicates)) == ([7, 3, 4], {7: 2})
