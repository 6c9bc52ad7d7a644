"""The text of a file that is not indexed, read as any file is: in a child process with limits."""

from __future__ import annotations

import tempfile
from pathlib import Path

from werkzeug.datastructures import FileStorage

from indexer.readers.base import ReadOptions
from indexer.sandbox import Readers
from riparian.config import Settings
from riparian.errors import UnreadableFile
from riparian.types import Extracted


def text_of(settings: Settings, upload: FileStorage) -> str:
    """The text of the file's first document. UnreadableFile with the reason where there is none."""
    name = Path((upload.filename or "").replace("\\", "/")).name or "upload"
    with tempfile.NamedTemporaryFile(prefix="riparian-upload-") as copy:
        upload.save(copy)
        copy.flush()
        return _first_text(settings, Path(copy.name), name)


def text_of_file(settings: Settings, path: Path) -> str:
    """The same of a file of this machine."""
    return _first_text(settings, path, path.name)


def _first_text(settings: Settings, path: Path, name: str) -> str:
    reason = "holds no text"
    with Readers(settings.reader_memory_mb, settings.reader_seconds) as readers:
        readings = readers.read(path, ReadOptions(name=name))
        for reading in readings:
            if isinstance(reading, Extracted):
                readings.close()  # type: ignore[attr-defined]  # a generator: the child is not kept reading
                return reading.text
            reason = reading.reason
    raise UnreadableFile(name, reason)
