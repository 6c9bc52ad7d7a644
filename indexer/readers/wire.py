"""How readings travel from the child process: frames of a four-byte length and JSON."""

from __future__ import annotations

import os
import select
import struct
import time
from dataclasses import asdict
from datetime import date
from typing import IO, Any

import orjson

from riparian.types import Anchor, Extracted, ReadFailure

LONGEST_FRAME = 256_000_000
_LENGTH = struct.Struct(">I")


class BrokenFrame(Exception):
    """The other side ended, or sent what is no frame."""


def write_frame(file: IO[bytes], value: Any) -> None:
    """Raises BrokenFrame, with nothing written, for a value beyond LONGEST_FRAME."""
    data = orjson.dumps(value)
    if len(data) > LONGEST_FRAME:
        raise BrokenFrame(f"a document of {len(data):,} bytes")
    file.write(_LENGTH.pack(len(data)) + data)
    file.flush()


def read_frame(file: IO[bytes]) -> Any:
    """The next value, None at the end of the stream. Raises BrokenFrame for a torn or oversized one."""
    head = file.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size or (length := _LENGTH.unpack(head)[0]) > LONGEST_FRAME:
        raise BrokenFrame("not a frame")
    data = file.read(length)
    if len(data) < length:
        raise BrokenFrame("torn")
    return orjson.loads(data)


class FrameStream:
    """Reads frames from a pipe, each within a time limit."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._held = bytearray()

    def next(self, seconds: float) -> dict[str, Any]:
        """The next frame, an object. Raises TimeoutError after `seconds`, BrokenFrame at the end of the stream."""
        until = time.monotonic() + seconds
        self._hold(_LENGTH.size, until)
        (length,) = _LENGTH.unpack_from(self._held)
        if length > LONGEST_FRAME:
            raise BrokenFrame("too long")
        self._hold(_LENGTH.size + length, until)
        data = bytes(self._held[_LENGTH.size : _LENGTH.size + length])
        del self._held[: _LENGTH.size + length]
        try:
            return dict(orjson.loads(data))
        except ValueError as error:
            raise BrokenFrame("not JSON") from error

    def _hold(self, size: int, until: float) -> None:
        while len(self._held) < size:
            if not select.select([self._descriptor], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError
            data = os.read(self._descriptor, 1 << 20)
            if not data:
                raise BrokenFrame("ended")
            self._held += data


def to_wire(reading: Extracted | ReadFailure) -> dict[str, Any]:
    """The reading as JSON values."""
    if isinstance(reading, ReadFailure):
        return asdict(reading)
    return {
        "member": reading.member,
        "text": reading.text,
        "title": reading.title,
        "date": reading.date and reading.date.isoformat(),
        "author": reading.author,
        "language": reading.language,
        "type": reading.type,
        "parent": reading.parent,
        "anchors": [[anchor.start, anchor.kind, anchor.number] for anchor in reading.anchors],
        "metadata": reading.metadata,
    }


def from_wire(value: dict[str, Any]) -> Extracted | ReadFailure:
    """What `to_wire` was given."""
    if "reason" in value:
        return ReadFailure(value["member"], value["reason"])
    day = value["date"]
    return Extracted(
        **value
        | {
            "date": date.fromisoformat(day) if day else None,
            "anchors": tuple(Anchor(*anchor) for anchor in value["anchors"]),
        }
    )
