"""Documents as passages for a ranking: whole sentences, as many as an encoder reads at once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from riparian.encoders.base import Encoder
from riparian.text import sentences, words

LONGEST = 384
"""Tokens of a passage at most, also where an encoder takes more."""

LONGEST_WORDS = 200
"""Words of a passage at most for an encoder without a limit."""


def passages(encoder: Encoder, texts: Sequence[str], languages: Sequence[str]) -> list[list[str]]:
    """Each text's passages in order; [] for one without a sentence. A sentence beyond the limit is a passage alone."""
    limit = encoder.info.max_tokens
    if limit is None:
        starts = [[word.start for word in words(text)] for text in texts]
        most = LONGEST_WORDS
    else:
        starts = [sorted(tokens.offsets[:, 0].tolist()) for tokens in encoder.tokenize(texts)]
        most = min(limit, LONGEST)
    return [_cut(text, language, at, most) for text, language, at in zip(texts, languages, starts, strict=True)]


def _cut(text: str, language: str, starts: Sequence[int], most: int) -> list[str]:
    found: list[str] = []
    begin = end = None
    for span in sentences(text, language):
        if begin is not None and bisect_left(starts, span.end) - bisect_left(starts, begin) > most:
            found.append(text[begin:end])
            begin = None
        begin, end = span.start if begin is None else begin, span.end
    return found if begin is None else [*found, text[begin:end]]
