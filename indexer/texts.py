"""The plain texts of files of any format that can be read, without indexing them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from indexer.readers.base import ReadOptions
from indexer.sandbox import FileReader
from indexer.sources import walk
from riparian.errors import NothingToRead
from riparian.types import Extracted

logger = logging.getLogger(__name__)


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
