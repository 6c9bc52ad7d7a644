"""Reads a file of a test in this process."""

from __future__ import annotations

from pathlib import Path

from indexer.readers.base import ReadOptions
from indexer.sandbox import InProcess
from riparian.types import Extracted, ReadFailure

OPTIONS = ReadOptions()


def read_all(path: Path, options: ReadOptions = OPTIONS) -> list[Extracted | ReadFailure]:
    return list(InProcess().read(path, options))


def read_documents(path: Path, options: ReadOptions = OPTIONS) -> list[Extracted]:
    """The documents of a file that has no failure."""
    readings = read_all(path, options)
    documents = [reading for reading in readings if isinstance(reading, Extracted)]
    assert len(documents) == len(readings), readings
    return documents


def read_one(path: Path, options: ReadOptions = OPTIONS) -> Extracted:
    [document] = read_documents(path, options)
    return document


def failure_of(path: Path, options: ReadOptions = OPTIONS) -> str:
    """The reason why a file that gives nothing else cannot be read."""
    [failure] = read_all(path, options)
    assert isinstance(failure, ReadFailure), failure
    return failure.reason
