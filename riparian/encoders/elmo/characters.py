"""Words as the character ids of the published models. Pure.

A word is its UTF-8 bytes between a begin and an end mark, padded to the model's width; every id is one higher than
the mark's number, since 0 stands for a masked position.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BEGIN_SENTENCE, _END_SENTENCE, _BEGIN_WORD, _END_WORD, _PADDING = range(256, 261)

Ids = NDArray[np.int64]


def ids(words: Sequence[str], width: int) -> tuple[Ids, Ids]:
    """(N, width) character ids and (N,) lengths, marks counted. A word keeps its first width - 2 bytes."""
    return _table([word.encode("utf-8", "surrogatepass")[: width - 2] for word in words], width)


def boundaries(width: int) -> tuple[Ids, Ids]:
    """Ids (2, width) and lengths of the words that stand for the begin and the end of a sentence."""
    return _table([(_BEGIN_SENTENCE,), (_END_SENTENCE,)], width)


def _table(words: Sequence[Sequence[int]], width: int) -> tuple[Ids, Ids]:
    table = np.full((len(words), width), _PADDING, dtype=np.int64)
    lengths = np.array([len(word) + 2 for word in words], dtype=np.int64)
    for row, word in zip(table, words, strict=True):
        row[0] = _BEGIN_WORD
        row[1 : len(word) + 1] = list(word)
        row[len(word) + 1] = _END_WORD
    return table + 1, lengths
