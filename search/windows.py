"""A text of any length as windows that an encoder takes whole."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from riparian.encoders.base import Encoder
from riparian.text import sentences
from search.dense import spread

MOST = 16
"""Windows that stand for a text: of more, evenly spaced ones."""

_TOKENS = 200  # of a window of an encoder without a limit, and at most


@dataclass(frozen=True, slots=True)
class Windows:
    """`texts` in reading order; `all` = how many windows the text has."""

    texts: tuple[str, ...]
    all: int


def windows(text: str, encoder: Encoder, *, most: int = MOST) -> Windows:
    """Whole sentences up to the encoder's limit; a longer sentence is a window of its own."""
    limit = min(encoder.info.max_tokens or _TOKENS, _TOKENS)
    [tokens] = encoder.tokenize([text])
    starts = tokens.offsets[:, 0].tolist()
    cuts: list[tuple[int, int]] = []
    for sentence in sentences(text):
        begun = cuts[-1][0] if cuts else 0
        if cuts and bisect_left(starts, sentence.end) - bisect_left(starts, begun) <= limit:
            cuts[-1] = begun, sentence.end
        else:
            cuts.append((sentence.start, sentence.end))
    chosen = spread(range(len(cuts)), most)
    return Windows(tuple(text[cuts[row][0] : cuts[row][1]] for row in chosen), len(cuts))
