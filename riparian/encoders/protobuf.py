"""The few lines of the protobuf wire format that reading a SentencePiece model takes."""

from __future__ import annotations

from collections.abc import Mapping

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_FIXED = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}


def fields(message: bytes) -> dict[int, list[bytes]]:
    """Field number → raw values in order (numbers of variable length are left as their bytes).

    `ValueError` for a message that is cut short or holds an unknown wire type.
    """
    found: dict[int, list[bytes]] = {}
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        begin, at = _value(message, at, key & 7)
        if at > len(message):
            raise ValueError("the message is cut short")
        found.setdefault(key >> 3, []).append(message[begin:at])
    return found


def single(message: Mapping[int, list[bytes]], number: int) -> bytes:
    """The last value of a field. `KeyError` where there is none."""
    return message[number][-1]


def _value(message: bytes, at: int, wire: int) -> tuple[int, int]:
    """Begin and end of a value."""
    if wire == _VARINT:
        return at, _varint(message, at)[1]
    if wire == _LENGTH:
        length, at = _varint(message, at)
        return at, at + length
    if wire in _FIXED:
        return at, at + _FIXED[wire]
    raise ValueError(f"wire type {wire}")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message):
            raise ValueError("the message is cut short")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
