"""What readers share: their options, their shape, and the reasons they give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from riparian.types import Extracted, ReadFailure

Readings = Iterator[Extracted | ReadFailure]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How files are read.

    The `…_column` names say which column of a table holds what; "" = guessed from the header. `depth` is how many
    archives or mails the file lies inside, `name` what it is called there; the limits keep a hostile archive from
    growing without end.
    """

    text_column: str = ""
    title_column: str = ""
    date_column: str = ""
    author_column: str = ""
    language_column: str = ""
    id_column: str = ""
    detect_language: bool = True
    max_characters: int = 20_000_000
    max_members: int = 100_000
    max_unpacked_bytes: int = 4_000_000_000
    max_ratio: int = 250
    max_depth: int = 4
    depth: int = 0
    name: str = ""

    def called(self, path: Path) -> str:
        """What a person calls the file: its name, unless it is a temporary copy."""
        return self.name or path.name

    def inside(self, name: str) -> ReadOptions:
        """The options for the file `name` that lies inside this one. Raises Unreadable beyond `max_depth`."""
        if self.depth >= self.max_depth:
            raise Unreadable(f"refused: it lies more than {self.max_depth} files deep")
        return replace(self, depth=self.depth + 1, name=name)


class Unreadable(Exception):
    """This file or member cannot be read; the message is the reason that a person sees."""


class Reader(Protocol):
    """Yields the documents of one file in order, and a failure for each part that cannot be read.

    May raise anything on a damaged file: `indexer.readers.read` turns it into a failure with a reason.
    """

    def __call__(self, path: Path, options: ReadOptions) -> Readings: ...


def joined(outer: str, inner: str) -> str:
    """The name of member `inner` of the file that is itself member `outer`."""
    return f"{outer}!{inner}" if outer and inner else outer or inner
