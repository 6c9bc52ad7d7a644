"""Texts in several languages that say the same: XQuAD, and the Debian handbook where its package is unpacked."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from indexer.readers.language import detect_language

XQUAD = ("en", "de", "es")
ENGLISH = "en-US"

_LEAST, _MOST = 200, 1500  # characters of the English paragraph


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions of one language, each with the number of the paragraph that answers it."""

    texts: Sequence[str]
    answers: Sequence[int]


def xquad_paragraphs(folder: Path, language: str) -> list[str]:
    """In an order that is the same in every language."""
    return [row["text"] for row in sorted(_rows(folder / f"{language}-paragraphs.jsonl.gz"), key=lambda r: r["id"])]


def xquad_questions(folder: Path, language: str) -> Questions:
    """The numbers are those of `xquad_paragraphs`, of any language."""
    ids = sorted(row["id"] for row in _rows(folder / f"{language}-paragraphs.jsonl.gz"))
    number = {id_: at for at, id_ in enumerate(ids)}
    rows = list(_rows(folder / f"{language}-questions.jsonl.gz"))
    return Questions([row["question"] for row in rows], [number[row["paragraph"]] for row in rows])


def handbook(folder: Path, most: int, seed: int = 1) -> dict[str, list[tuple[str, str]]]:
    """Language code → up to `most` pairs (English paragraph, its translation), of each language that has 40.

    `folder` holds one folder of HTML pages a language (the Debian package debian-handbook, below
    /usr/share/doc/debian-handbook/html). Paragraphs correspond by their place in pages with equally many; those that
    were never translated are left out, also by the look of their language.
    """
    english = {page.name: _paragraphs(page) for page in sorted((folder / ENGLISH).glob("*.html"))}
    found = {}
    for place in sorted(path for path in folder.iterdir() if path.is_dir() and path.name != ENGLISH):
        code = place.name.partition("-")[0]
        pairs = list(dict.fromkeys(_pairs(english, place)))
        random.Random(seed).shuffle(pairs)
        sure = [pair for pair in pairs[: 4 * most] if detect_language(pair[1]) in {code, _OTHER_CODES.get(code)}]
        if len(sure) >= 40:
            found[place.name if code == "zh" else code] = sure[:most]
    return found


_OTHER_CODES = {"nb": "no"}


def _pairs(english: Mapping[str, Sequence[str]], place: Path) -> Iterator[tuple[str, str]]:
    for name, paragraphs in english.items():
        if not (place / name).is_file():
            continue
        translated = _paragraphs(place / name)
        if len(translated) == len(paragraphs):
            pairs = zip(paragraphs, translated, strict=True)
            yield from ((a, b) for a, b in pairs if _LEAST <= len(a) <= _MOST and a != b and len(b) >= _LEAST // 4)


def _paragraphs(page: Path) -> list[str]:
    tree = LexborHTMLParser(page.read_text(encoding="utf-8", errors="replace"))
    return [" ".join(node.text().split()) for node in tree.css(".para")]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
