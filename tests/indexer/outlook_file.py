"""Writes an Outlook message, as [MS-CFB] and [MS-OXMSG] lay it out: the smallest that a reader takes."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_STORAGE, _STREAM, _ROOT = 1, 2, 5

Tree = dict[str, "bytes | Tree"]


def outlook_message(subject: str, sender: str, sent: datetime, body: str, attachments: dict[str, bytes]) -> bytes:
    """The bytes of a message with attachments by name."""
    when = int((sent - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000
    texts = {0x001A: "IPM.Note", 0x0037: subject, 0x0042: sender, 0x0065: "ann@x.y", 0x1000: body}
    tree = _object(texts, struct.pack("<8xIIII8x", 0, len(attachments), 0, len(attachments)))
    tree[_PROPERTIES] = bytes(tree[_PROPERTIES]) + _property(0x0039, 0x0040, struct.pack("<Q", when))  # type: ignore[arg-type]
    for number, (name, data) in enumerate(attachments.items()):
        attachment = _object({0x3707: name}, b"\0" * 8)
        attachment["__substg1.0_37010102"] = data
        attachment[_PROPERTIES] = (
            bytes(attachment[_PROPERTIES])  # type: ignore[arg-type]
            + _property(0x3705, 0x0003, struct.pack("<Ixxxx", 1))
            + _property(0x3701, 0x0102, struct.pack("<II", len(data), 0))
        )
        tree[f"__attach_version1.0_#{number:08X}"] = attachment
    return _compound_file(tree)


_PROPERTIES = "__properties_version1.0"


def _object(texts: dict[int, str], header: bytes) -> Tree:
    """Text properties by id: each in a stream of its own, and listed."""
    listed = b"".join(_property(id, 0x001F, struct.pack("<II", 2 * len(text) + 2, 0)) for id, text in texts.items())
    streams: Tree = {f"__substg1.0_{id:04X}001F": text.encode("utf-16-le") for id, text in texts.items()}
    return streams | {_PROPERTIES: header + listed}


def _property(id: int, type: int, value: bytes) -> bytes:
    return struct.pack("<HHI", type, id, 6) + value


class _Entry:
    def __init__(self, name: str, kind: int, data: bytes = b"") -> None:
        self.name, self.kind, self.data = name, kind, data
        self.right = self.child = _FREE
        self.start, self.size = _END, len(data)

    def packed(self) -> bytes:
        name = self.name.encode("utf-16-le") + b"\0\0"
        return struct.pack(
            "<64sHBBIII16xI16xIQ",
            *(name, len(name), self.kind, 1, _FREE, self.right, self.child, 0, self.start, self.size),
        )


def _entries(tree: Tree, all_entries: list[_Entry]) -> int:
    """Adds the tree's entries, each the right sibling of the one before; the number of the first."""
    before: _Entry | None = None
    first = _FREE
    for name, content in sorted(tree.items(), key=lambda item: (len(item[0]), item[0].upper())):
        entry = _Entry(name, _STREAM, content) if isinstance(content, bytes) else _Entry(name, _STORAGE)
        all_entries.append(entry)
        number = len(all_entries) - 1
        if before is None:
            first = number
        else:
            before.right = number
        before = entry
        if not isinstance(content, bytes):
            entry.child = _entries(content, all_entries)
    return first


def _compound_file(tree: Tree) -> bytes:
    """All streams lie in the mini stream, so each must be shorter than 4096 bytes."""
    root = _Entry("Root Entry", _ROOT)
    entries = [root]
    root.child = _entries(tree, entries)
    mini, mini_fat = b"", []
    for entry in entries[1:]:
        if entry.kind == _STREAM and entry.data:
            entry.start = len(mini) // 64
            sectors = -(-len(entry.data) // 64)
            mini_fat += [*range(entry.start + 1, entry.start + sectors), _END]
            mini += entry.data.ljust(sectors * 64, b"\0")
    root.size = len(mini)
    root.start = 1
    parts = [_padded(mini), _padded(struct.pack(f"<{len(mini_fat)}I", *mini_fat), b"\xff")]
    starts = [1, 1 + len(parts[0]) // 512]
    directory_start = starts[1] + len(parts[1]) // 512
    parts.append(_padded(b"".join(entry.packed() for entry in entries)))
    fat = [_FAT]
    for part in parts:
        count = len(part) // 512
        fat += [*range(len(fat) + 1, len(fat) + count), _END]
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIIII",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6),
        *(0, 1, directory_start, 0, 4096, starts[1], len(parts[1]) // 512, _END, 0, 0),
    )
    header = header.ljust(512, b"\xff")
    return header + struct.pack(f"<{len(fat)}I", *fat).ljust(512, b"\xff") + b"".join(parts)


def _padded(data: bytes, filler: bytes = b"\0") -> bytes:
    return data + filler * (-len(data) % 512)
