"""The plain texts of files of any format that can be read, without indexing them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from indexer.intake import Splitting
from indexer.passages import LONGEST
from indexer.readers.base import ReadOptions
from indexer.sandbox import FileReader
from indexer.service import OVERLAP
from indexer.sources import walk
from riparian.encoders.base import Encoder
from riparian.errors import NothingToRead
from riparian.inputs import encoder_input
from riparian.types import Extracted

logger = logging.getLogger(__name__)


def encoder_inputs(encoder: Encoder, title: str, text: str, language: str) -> list[str]:
    """What a new collection of this encoder would give it of a document: its passages with the title before each."""
    limit = encoder.info.max_tokens
    splitting = Splitting(limit and min(limit, LONGEST), OVERLAP)
    document = Extracted("", text, title=title, language=language)
    return [encoder_input(title, text[span.start : span.end]) for span in splitting.spans(document, encoder)]


def texts_of(paths: Sequence[Path], open_readers: Callable[[], AbstractContextManager[FileReader]]) -> Iterator[str]:
    """One text a document of the files at and below `paths`, in their order; what cannot be read is logged and left
    out. MissingPath, NothingToRead where no file is found."""
    files = list(walk(paths))
    if not files:
        raise NothingToRead(paths)
    with open_readers() as readers:
        for file in files:
            for found in readers.read(Path(file.path), ReadOptions()):
                if isinstance(found, Extracted):
                    yield found.text
                else:
                    logger.warning("not read: %s: %s", file.path, found.reason)
