"""From files to examples: labelled texts, answered questions, tagged sentences."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path

from riparian.encoders.cvt.labels import read_tagged as read_tagged_sentences
from riparian.errors import UnreadableFile
from training.heads.tables import Row, rows
from training.material import Answered, Labelled, Material, Tagged


@dataclass(frozen=True, slots=True)
class Examples:
    """Material of one kind, and for each example what it belongs to where a column was named for that."""

    material: Material
    groups: tuple[Hashable, ...] = field(default=())


def read_labelled(path: Path, text: str = "text", label: str = "label", group: str = "") -> Examples:
    """One example a row: the columns that hold the text, its label and, where named, what it belongs to (a document),
    which keeps its rows on one side of every split. Raises what `rows` raises, and UnreadableFile for an empty cell."""
    found, groups = [], []
    for row in rows(path, [text, label, *filter(None, [group])]):
        found.append(Labelled(row.filled(path, text), row.filled(path, label).strip()))
        groups.append(row.cells[group] if group else "")
    _check_any(path, found)
    return Examples(Material(path.name, labelled=found), tuple(groups) if group else ())


def read_answered(
    path: Path,
    question: str = "question",
    passage: str = "passage",
    answer: str = "answer",
    start: str = "start",
    group: str = "",
) -> Examples:
    """One question a row, with the passage to look in and the answer as it stands there; an empty answer says that the
    passage holds none. `start` counts characters of the passage; where there is no such column or cell, the answer must
    stand in the passage once. UnreadableFile, naming the line, where it does not stand where it should."""
    found, groups = [], []
    for row in rows(path, [question, passage, answer, *filter(None, [group])], [start]):
        asked, where = row.filled(path, question), row.filled(path, passage)
        span = _span(path, row, where, row.cells[answer], row.cells[start])
        found.append(Answered(asked, where, *span))
        groups.append(row.cells[group] if group else "")
    _check_any(path, found)
    return Examples(Material(path.name, answered=found), tuple(groups) if group else ())


def read_tagged(path: Path) -> Examples:
    """Lines of a word, a blank and its tag; an empty line between sentences. Raises MissingPath, and UnreadableFile
    naming the first line that is not so."""
    found = [Tagged(sentence.words, sentence.tags) for sentence in read_tagged_sentences(path)]
    return Examples(Material(path.name, tagged=found))


def _span(path: Path, row: Row, passage: str, answer: str, start: str) -> tuple[int | None, int | None]:
    if not answer.strip():
        return None, None
    if start.strip():
        if not start.strip().isdecimal():
            raise UnreadableFile(path, f"line {row.line}: the start must be a number from 0 up, not {start!r}")
        first = int(start)
        there = passage[first : first + len(answer)]
        if there != answer:
            raise UnreadableFile(path, f"line {row.line}: at {first} the passage says {there!r}, not {answer!r}")
        return first, first + len(answer)
    times = passage.count(answer)
    if times != 1:
        raise UnreadableFile(
            path, f"line {row.line}: the answer {answer!r} stands {times} times in the passage; give its start"
        )
    first = passage.index(answer)
    return first, first + len(answer)


def _check_any(path: Path, found: object) -> None:
    if not found:
        raise UnreadableFile(path, "holds no example")
