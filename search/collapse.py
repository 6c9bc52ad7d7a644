"""Near-duplicates under the best of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from riparian.types import Ids


@dataclass(frozen=True, slots=True)
class Collapsed:
    """Documents in order, one of each near-duplicate group; `duplicates` = how many lie under each (0: not named)."""

    ids: Ids
    duplicates: Mapping[int, int]


def collapse(ids: Ids, groups: Ids) -> Collapsed:
    """Keeps the first document of each group; `groups` stands beside `ids`, -1 = without near-duplicate."""
    keys = np.where(groups >= 0, groups, -1 - np.arange(len(ids), dtype=np.int64))
    _, firsts, counts = np.unique(keys, return_index=True, return_counts=True)
    under = {int(ids[first]): int(count) - 1 for first, count in zip(firsts, counts, strict=True) if count > 1}
    return Collapsed(ids[np.sort(firsts)], under)


def uncollapsed(ids: Ids) -> Collapsed:
    return Collapsed(ids, {})
