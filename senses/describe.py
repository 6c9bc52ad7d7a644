"""How each sense of a division is told: its label, its company, what could stand in its place, examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from riparian.catalog.senses import Division, Example
from riparian.encoders.base import Encoder
from senses import labels
from senses.graph import Labels
from senses.material import Material
from senses.substitutes import substitutes, vocabulary
from senses.tree import Groups

MOST_SHOWN = 12
"""Senses beyond which no substitutes are sought: a division that fine is a look at the word's uses."""


def describe(
    read: Material, encoder: Encoder, groups: Labels, doubt: Any, division: Sequence[Groups]
) -> list[Division]:
    """`groups` is the finest group of each occurrence, `doubt` how sure that is, in the order of `read`."""
    of_group = {group: number for number, members in enumerate(division) for group in members}
    rows = np.array([of_group[int(group)] for group in groups], dtype=np.int64)
    company = labels.company_of(read.bags(), rows, len(division))
    shown = [labels.typical(read.views, rows, doubt, number) for number in range(len(division))]
    instead = _substitutes(read, encoder, rows, shown)
    return [
        Division(
            groups=members,
            label=labels.label_of(company[number], read.target.text),
            company=company[number],
            examples=tuple(
                Example(one.passages[0], one.start, one.end) for one in (read.occurrences[row] for row in shown[number])
            ),
            substitutes=instead[number],
        )
        for number, members in enumerate(division)
    ]


def _substitutes(
    read: Material, encoder: Encoder, rows: Labels, shown: Sequence[Sequence[int]]
) -> list[tuple[str, ...]]:
    if len(shown) > MOST_SHOWN:
        return [() for _ in shown]
    known = vocabulary((one.sentence for one in read.occurrences), read.target, read.language)
    examples = [[read.occurrences[row] for row in chosen] for chosen in shown]
    return substitutes(encoder, known, read.views, rows, examples)
