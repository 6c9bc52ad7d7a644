"""Usenet posts of 1993 in 20 groups, cleaned as topic models are usually measured on them."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.evaldata import folder

_QUOTED = re.compile(r"(writes in|writes:|wrote:|says:|said:|^In article|^Quoted from|^\||^>)")
_FEWEST_WORDS = 20


@dataclass(frozen=True)
class Posts:
    """Texts with the number of their group."""

    texts: list[str]
    labels: list[int]


def posts(split: str, every: int) -> Posts:
    """Every n-th post of "train" or "test" that has twenty words left without quotations and signature."""
    groups: dict[str, int] = {}
    found = [(clean(text), groups.setdefault(label, len(groups))) for label, text in _read(split)]
    kept = [(text, label) for text, label in found if len(text.split()) >= _FEWEST_WORDS][::every]
    return Posts([text for text, _ in kept], [label for _, label in kept])


def clean(text: str) -> str:
    """The text without quoted lines and without what stands below its last blank or dashed line."""
    lines = [line for line in text.replace("\r", "\n").split("\n") if not _QUOTED.search(line)]
    lines = "\n".join(lines).strip().split("\n")
    blank = [number for number, line in enumerate(lines) if not line.strip(" -")]
    if blank and blank[-1] > 0:
        lines = lines[: blank[-1]]
    return " ".join(" ".join(lines).split())


def _read(split: str) -> Iterator[tuple[str, str]]:
    with gzip.open(folder("topics-20newsgroups") / "docs.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["split"] == split:
                yield row["label"], row["text"]
