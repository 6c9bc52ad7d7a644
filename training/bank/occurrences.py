"""Places where a word stands in a text, with the sense it has there."""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from riparian.errors import MissingPath, UnreadableFile
from training.bank.sentences import MONEY, RIVER, WORD


@dataclass(frozen=True, slots=True)
class Occurrence:
    """`word` stands at the half-open code point range of `text`, there in the sense `sense`."""

    word: str
    sense: str
    text: str
    start: int
    end: int


def built_in() -> list[Occurrence]:
    """The word "bank" as a money lender and as the side of a river, 24 sentences each, the classic pair among them."""
    return [_in_sentence(text, sense) for sense, texts in (("money", MONEY), ("river", RIVER)) for text in texts]


def read_occurrences(path: Path, words: Collection[str] = ()) -> Iterator[Occurrence]:
    """The occurrences in a file of JSON lines (optionally .gz) with `word`, `sense`, `text` of tokens between single
    blanks, and the token's `position` from 0; of these words only, where any are named.

    A line whose token does not begin with its word is passed over. MissingPath; UnreadableFile, naming the line.
    """
    if not path.is_file():
        raise MissingPath(path)
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                found = _from_row(json.loads(line))
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise UnreadableFile(path, f"line {number} is no labelled occurrence ({error!r})") from error
            if found and (not words or found.word in words):
                yield found


def balanced(occurrences: Iterable[Occurrence], most: int, seed: int) -> list[Occurrence]:
    """As many of each sense of a word, at most `most`, drawn by the seed; in their order. Words of one sense are left
    out: they say nothing."""
    by_word: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    given = list(occurrences)
    for row, one in enumerate(given):
        by_word[one.word][one.sense].append(row)
    numbers = np.random.default_rng(seed)
    chosen: list[int] = []
    for _, senses in sorted(by_word.items()):
        if len(senses) > 1:
            size = min(most, *(len(rows) for rows in senses.values()))
            for _, rows in sorted(senses.items()):
                chosen.extend(numbers.choice(rows, size=size, replace=False).tolist())
    return [given[row] for row in sorted(chosen)]


def _in_sentence(text: str, sense: str) -> Occurrence:
    found = re.search(rf"\b{WORD}\b", text)
    if found is None:
        raise ValueError(f"no {WORD!r} in {text!r}")
    return Occurrence(WORD, sense, text, *found.span())


def _from_row(row: dict[str, Any]) -> Occurrence | None:
    word, text, position = str(row["word"]), str(row["text"]), int(row["position"])
    tokens = text.split(" ")
    start = sum(len(token) + 1 for token in tokens[:position])
    if not tokens[position].startswith(word):
        return None
    return Occurrence(word, str(row["sense"]), text, start, start + len(tokens[position]))
