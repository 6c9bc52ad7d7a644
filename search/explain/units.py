"""An encoder's tokens put together to what a person reads as words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray

from riparian.encoders.base import Offsets
from riparian.types import Matrix

# letters, digits and their marks, with what joins them inside a word (don't, well-known, 3.14)
_WORD: Any = regex.compile(r"[\p{L}\p{N}\p{M}]+(?:[-'’.·][\p{L}\p{N}\p{M}]+)*")
_UNSPACED: Any = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_TELLING: Any = regex.compile(r"[\p{L}\p{N}]")


@dataclass(frozen=True, slots=True)
class Unit:
    """Half-open code points of a text and the numbers of the tokens in it; `is_word` is False for signs."""

    start: int
    end: int
    tokens: tuple[int, ...]
    is_word: bool


def units(text: str, offsets: Offsets) -> list[Unit]:
    """Every token in exactly one unit, in order: a word with all of its pieces; a sign, or a piece of a text that is
    written without blanks, by itself. A token without extent joins the unit before it, or the first one."""
    runs = _runs(text)
    starts = np.array([start for start, _ in runs], dtype=np.int64)
    groups: list[tuple[int | None, list[int]]] = []
    for token, (start, end) in enumerate(offsets.tolist()):
        run = _run_of(start, end, runs, starts)
        if groups and (start == end or (run is not None and groups[-1][0] == run)):
            groups[-1][1].append(token)
        else:
            groups.append((run, [token]))
    return [_unit(text, tokens, run, runs, offsets) for run, tokens in groups]


def summed(found: list[Unit], vectors: Matrix) -> NDArray[np.float64]:
    """(units, dimension): the sum of each unit's rows."""
    rows = np.zeros((len(found), vectors.shape[1]), dtype=np.float64)
    for number, unit in enumerate(found):
        rows[number] = vectors[list(unit.tokens)].sum(axis=0, dtype=np.float64)
    return rows


def _runs(text: str) -> list[tuple[int, int]]:
    """Words; those of a text without blanks are left to its pieces."""
    return [m.span() for m in _WORD.finditer(text) if _UNSPACED.search(m.group()) is None]


def _run_of(start: int, end: int, runs: list[tuple[int, int]], starts: NDArray[np.int64]) -> int | None:
    """The first word that the token shares a code point with."""
    at = max(0, int(np.searchsorted(starts, start, side="right")) - 1)
    return next((run for run in _near(at, len(runs)) if runs[run][0] < end and runs[run][1] > start), None)


def _near(at: int, count: int) -> Iterator[int]:
    yield from range(at, min(at + 2, count))


def _unit(text: str, tokens: list[int], run: int | None, runs: list[tuple[int, int]], offsets: Offsets) -> Unit:
    if run is not None:
        return Unit(*runs[run], tuple(tokens), True)
    start, end = int(offsets[tokens, 0].min()), int(offsets[tokens, 1].max())
    return Unit(start, end, tuple(tokens), _TELLING.search(text[start:end]) is not None)
