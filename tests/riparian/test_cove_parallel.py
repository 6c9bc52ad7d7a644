"""Parallel text is read from gettext catalogues and tables, and damage is named."""

from __future__ import annotations

import gzip
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.encoders.cove.parallel import Pair, catalogues, read
from riparian.errors import Invalid, MissingPath, UnreadableFile

HEADER = ("", "Content-Type: text/plain; charset={}\n")


def catalogue(messages: dict[str, str], charset: str = "UTF-8", order: str = "<") -> bytes:
    """A compiled catalogue as msgfmt writes it, without the hash table."""
    entries = [("", HEADER[1].format(charset)), *messages.items()]
    raw = [(source.encode(charset), target.encode(charset)) for source, target in sorted(entries)]
    tables: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    texts, at = b"", 28 + 16 * len(raw)
    for side in (0, 1):
        for pair in raw:
            tables[side].append((len(pair[side]), at + len(texts)))
            texts += pair[side] + b"\0"
    head = struct.pack(f"{order}7I", 0x950412DE, 0, len(raw), 28, 28 + 8 * len(raw), 0, 28 + 16 * len(raw))
    return head + b"".join(struct.pack(f"{order}2I", *entry) for table in tables for entry in table) + texts


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("charset", ["UTF-8", "ISO-8859-1"])
def test_messages_are_read_in_both_byte_orders_and_in_their_encoding(tmp_path: Path, order: str, charset: str) -> None:
    path = tmp_path / "a.mo"
    path.write_bytes(catalogue({"Open the file": "Öffne die Datei"}, charset, order))

    assert list(read([path])) == [Pair("Open the file", "Öffne die Datei")]


def test_plural_forms_context_markup_and_keyboard_marks_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "a.mo"
    path.write_bytes(
        catalogue(
            {
                "%d file\0%d files": "%d plik\0%d pliki\0%d plików",
                "menu\x04_Open <b>the</b>\n file": "Datei\n  &öffnen",
                "size_t is 3 < 4": "size_t ist 3 < 4",
            }
        )
    )

    assert list(read([path])) == [
        Pair("%d file", "%d plik"),
        Pair("%d files", "%d plików"),
        Pair("Open the file", "Datei öffnen"),
        Pair("size_t is 3 < 4", "size_t ist 3 < 4"),
    ]


def test_tables_are_read_also_compressed(tmp_path: Path) -> None:
    lines = "Open the  file\tÖffne die Datei\nRead it\tLies es\r\n".encode()
    (tmp_path / "a.tsv").write_bytes(lines)
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(lines))
    expected = [Pair("Open the file", "Öffne die Datei"), Pair("Read it", "Lies es")]

    assert list(read([tmp_path / "a.tsv", tmp_path / "a.tsv.gz"])) == expected * 2


def test_the_catalogues_of_one_language_are_found_below_a_folder(tmp_path: Path) -> None:
    for name in ("de/LC_MESSAGES/b.mo", "x/de/LC_MESSAGES/a.mo", "fr/LC_MESSAGES/a.mo", "de/a.mo"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")

    found = [str(path.relative_to(tmp_path)) for path in catalogues(tmp_path, "de")]
    assert found == ["de/LC_MESSAGES/b.mo", "x/de/LC_MESSAGES/a.mo"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.mo", b"text", "no gettext catalogue"),
        ("a.mo", catalogue({"a": "b"})[:40], "damaged: 2 messages do not fit in 40 bytes"),
        ("a.mo", catalogue({"a": "b"})[:-3], "damaged: a message ends at byte"),
        ("a.mo", catalogue({"a": "b"}).replace(b"UTF-8", b"UTF-X"), "the unknown encoding UTF-X"),
        ("a.mo", catalogue({"a": "é"}, "ISO-8859-1").replace(b"ISO-8859-1", b"UTF-8     "), "a message is not UTF-8"),
        ("a.tsv", b"one\ttwo\nthree\n", "line 2 has 1 columns"),
        ("a.tsv", b"one\t\xff\n", "line 1 is not UTF-8"),
        ("a.tsv.gz", gzip.compress(b"one\ttwo\n", mtime=0)[:-9], "end-of-stream"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(UnreadableFile, match=message):
        list(read([tmp_path / name]))


def test_another_form_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.po").write_text("")

    with pytest.raises(Invalid, match=r"\.mo, \.tsv and \.tsv\.gz"):
        list(read([tmp_path / "a.po"]))
    with pytest.raises(MissingPath):
        list(read([tmp_path / "b.mo"]))


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text("ab é\n", min_size=1), st.text("ab ü")))
def test_every_message_is_read(messages: dict[str, str]) -> None:
    found = sorted(pair for pair in _read(catalogue(messages)))

    assert found == sorted(Pair(" ".join(a.split()), " ".join(b.split())) for a, b in messages.items())


def test_a_catalogue_with_flipped_bytes_is_refused_or_read(tmp_path: Path) -> None:
    sound = catalogue({f"message {number}": "Meldung" for number in range(9)})
    chance, refused = random.Random(1), 0
    for _ in range(300):
        damaged = bytearray(sound)
        for _ in range(3):
            damaged[chance.randrange(len(sound))] = chance.randrange(256)
        try:
            _read(bytes(damaged), tmp_path)
        except UnreadableFile:
            refused += 1

    assert 100 < refused < 300


def _read(data: bytes, folder: Path | None = None) -> list[Pair]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(dir=folder) as name:
        path = Path(name) / "a.mo"
        path.write_bytes(data)
        return list(read([path]))
