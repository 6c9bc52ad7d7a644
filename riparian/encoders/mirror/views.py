"""The second view of a string: a few characters of it hidden. Pure.

Liu et al. 2021, section 2.1 (input augmentation): a random span of five characters is replaced by the mask token.
"""

from __future__ import annotations

import numpy as np


def masked(text: str, mask: str, span: int, shortest: int, numbers: np.random.Generator) -> str:
    """The text with one window of `span` characters replaced by `mask`, every other character kept in order.

    Texts below `shortest` characters, texts no longer than the window and all texts where `span` is 0 stay as they are.
    """
    if span == 0 or len(text) < max(shortest, span + 1):
        return text
    start = int(numbers.integers(len(text) - span + 1))
    return f"{text[:start]}{mask}{text[start + span :]}"
