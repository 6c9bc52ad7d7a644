"""Plain text in any encoding, and text formats read as they stand."""

from __future__ import annotations

from pathlib import Path

from indexer.readers.assemble import line_anchors
from indexer.readers.base import Readings, ReadOptions
from indexer.readers.decode import read_text
from riparian.types import Extracted


def read(path: Path, options: ReadOptions) -> Readings:
    """The file is one document, with the line number at each paragraph; it has no title of its own."""
    text = read_text(path)
    yield Extracted(member="", text=text, anchors=line_anchors(text))
