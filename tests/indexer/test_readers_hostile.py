"""Files made to do harm, and files that came to harm: each is a failure with a reason, or is read as far as it goes."""

from __future__ import annotations

import gzip
import io
import random
import resource
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import docx
import pptx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from indexer.sandbox import Readers
from riparian.types import Extracted, ReadFailure
from tests.evaldata import folder
from tests.indexer.reading import OPTIONS, failure_of, read_one
from tests.indexer.test_readers_formats import CONTAINER, ODT, PAGE, POST, RST, pdf
from tests.indexer.test_readers_mail import BOX

SECONDS = 10


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    with Readers(memory_mb=768, seconds=SECONDS) as pool:
        yield pool


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
    return path


def packed(**parts: str | bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return out.getvalue()


# ---------------------------------------------------------------- made to do harm

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
BILLION_LAUGHS = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "lol">{LAUGHS}]><r>&l11;</r>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>a river &x;</r>'
DEEP_XML = "<a>" * 200_000 + "x" + "</a>" * 200_000
DOCX_PARTS = {"[Content_Types].xml": "<Types/>"}

POISON: dict[str, Callable[[], bytes | str]] = {
    "deep.html": lambda: "<div>" * 200_000 + "x",
    "deep.xml": lambda: DEEP_XML,
    "deep.json": lambda: "[" * 200_000 + "]" * 200_000,
    "deep.jsonl": lambda: '{"text": ' + "[" * 200_000 + "]" * 200_000 + "}\n",
    "deep.md": lambda: ">" * 50_000 + " x",
    "deep.docx": lambda: packed(**DOCX_PARTS, **{"word/document.xml": DEEP_XML}),
    "laughs.xml": lambda: BILLION_LAUGHS,
    "laughs.docx": lambda: packed(**DOCX_PARTS, **{"word/document.xml": BILLION_LAUGHS}),
    "laughs.odt": lambda: packed(**{"content.xml": BILLION_LAUGHS}),
    "laughs.epub": lambda: packed(**{"META-INF/container.xml": BILLION_LAUGHS}),
    "bomb.zip": lambda: packed(**{"a.txt": b"\0" * 60_000_000}),
    "bomb.docx": lambda: packed(**DOCX_PARTS, **{"word/document.xml": b" " * 60_000_000}),
    "bomb.xlsx": lambda: packed(**{"xl/workbook.xml": b" " * 60_000_000}),
    "bomb.gz": lambda: gzip.compress(b"a" * 120_000_000),
    "nul.txt": lambda: b"\0" * 100_000,
    "binary.txt": lambda: random.Random(1).randbytes(100_000),
    "zero.pdf": lambda: b"",
    "cut.pdf": lambda: pdf(["A page"])[:200],
    "encrypted.docx": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4096,
    "not.parquet": lambda: b"PAR1" + b"\xff" * 100 + b"PAR1",
    "not.gz": lambda: b"\x1f\x8b" + b"\xff" * 100,
    "not.tar": lambda: b"\0" * 257 + b"ustar" + b"\xff" * 250,
    "rows.xlsx": lambda: packed(**{"xl/workbook.xml": "<workbook/>", "xl/worksheets/sheet1.xml": "<r/>"}),
    "spine.epub": lambda: packed(**{"META-INF/container.xml": CONTAINER}),
    "braces.rtf": lambda: "{\\rtf1" + "{" * 200_000,
    "numbers.rtf": lambda: "{\\rtf1 \\u" + "9" * 5000 + "? \\'zz x}",
}


@pytest.mark.parametrize("name", POISON)
def test_poison_is_one_failure_with_a_reason(tmp_path: Path, readers: Readers, name: str) -> None:
    path = written(tmp_path / name, POISON[name]())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    readings = list(readers.read(path, OPTIONS))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    failures = [reading for reading in readings if isinstance(reading, ReadFailure)]
    harmless = name in {"deep.md", "braces.rtf", "numbers.rtf"}  # read as what they are, in time
    assert len(failures) == 1 or harmless, readings
    assert all(failure.reason for failure in failures)
    assert grown < 200_000


def test_a_file_outside_is_not_drawn_in(tmp_path: Path) -> None:
    assert read_one(written(tmp_path / "a.xml", OUTSIDE)).text == "a river &x;"


def test_a_locked_pdf_says_that_it_needs_a_password(tmp_path: Path) -> None:
    data = pdf(["Secret words"]).replace(
        b"/Root 1 0 R",
        b"/Root 1 0 R /ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <"
        + b"ab" * 32
        + b"> /U <"
        + b"cd" * 32
        + b"> >>",
    )
    assert failure_of(written(tmp_path / "a.pdf", data)) == "encrypted: it needs a password"


def test_nul_bytes_and_lone_surrogates_do_not_get_through(tmp_path: Path) -> None:
    assert read_one(written(tmp_path / "a.txt", "one\0 river" + " and" * 50)).text.startswith("one river")
    assert read_one(written(tmp_path / "b.jsonl", '{"text": "a \\u0000 river \\n bank"}\n')).text == "a  river \n bank"
    assert "\ud800" not in read_one(written(tmp_path / "c.html", "<p>a&#xD800;river</p>")).text


def test_a_text_beyond_the_limit_is_refused_by_its_length(tmp_path: Path, readers: Readers) -> None:
    [failure] = readers.read(written(tmp_path / "a.txt", "river " * 4_000_000), OPTIONS)
    assert failure == ReadFailure("", "24,000,000 characters; 20,000,000 are the most for one document")


def test_a_name_of_a_member_cannot_be_without_end(tmp_path: Path, readers: Readers) -> None:
    path = written(tmp_path / "a.zip", packed(**{"n" * 10_000 + ".txt": "A river."}))
    [document] = readers.read(path, OPTIONS)
    assert isinstance(document, Extracted)
    assert len(document.member) <= 500


# ---------------------------------------------------------------- come to harm


def sound_files(at: Path) -> dict[str, bytes]:
    """A small sound file of each format."""
    file = docx.Document()
    for number in range(20):
        file.add_paragraph(f"Paragraph {number} about the river and its banks.")
    file.save(str(at / "x.docx"))
    deck = pptx.Presentation()
    deck.slides.add_slide(deck.slide_layouts[0]).shapes.title.text = "A slide"
    deck.save(str(at / "x.pptx"))
    with xlsxwriter.Workbook(str(at / "x.xlsx")) as book:
        sheet = book.add_worksheet()
        for row in range(30):
            sheet.write_row(row, 0, ["text" if not row else f"The river rose in year {row} over its banks.", row])
    pq.write_table(pa.table({"text": [f"river {n}" for n in range(100)]}), at / "x.parquet")
    with tarfile.open(at / "x.tar.gz", "w:gz") as archive:
        archive.add(at / "x.docx", "a/b.docx")
    made = {name: (at / name).read_bytes() for name in ("x.docx", "x.pptx", "x.xlsx", "x.parquet", "x.tar.gz")}
    return made | {
        "x.pdf": pdf(["A page of words"] * 5),
        "x.html": PAGE.encode(),
        "x.md": POST.encode(),
        "x.rst": RST.encode(),
        "x.mbox": BOX.encode(),
        "x.odt": packed(**{"content.xml": ODT}),
        "x.rtf": rb"{\rtf1\ansi{\info{\title T}}\pard One \b bold\b0  word \'e9 \u8364?.\par}",
        "x.csv": b"title,text\n" + b"River,The river rose over its banks.\n" * 30,
        "x.jsonl": b'{"title": "River", "text": "The river rose."}\n' * 30,
        "x.zip": packed(**{"a.txt": "A river.", "b/c.html": PAGE}),
        "x.xml": b"<r>" + b"<a b='c'>river</a>" * 50 + b"</r>",
    }


def harmed(data: bytes, dice: random.Random) -> bytes:
    """Cut off, overwritten, or with a piece doubled."""
    kind = dice.randrange(4)
    at = dice.randrange(max(1, len(data)))
    if kind == 0:
        return data[:at]
    if kind == 1:
        spoilt = bytearray(data)
        for _ in range(dice.choice([1, 10, 100])):
            spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
        return bytes(spoilt)
    if kind == 2:
        return data[:at] + dice.randbytes(64) + data[at + 64 :]
    return data[:at] + data[at // 2 : at] + data[at:]


def survive(at: Path, readers: Readers, files: dict[str, bytes], rounds: int) -> int:
    """Reads `rounds` harmed forms of each file; every one gives readings. Returns how many failed."""
    dice = random.Random(7)
    failed = 0
    for name, data in files.items():
        for number in range(rounds):
            path = written(at / f"{number}-{name}", harmed(data, dice))
            readings = list(readers.read(path, OPTIONS))
            assert readings, path
            failed += any(isinstance(reading, ReadFailure) for reading in readings)
            path.unlink()
    return failed


def test_harmed_files_are_read_or_refused(tmp_path: Path, readers: Readers) -> None:
    files = sound_files(tmp_path)
    assert survive(tmp_path, readers, files, rounds=6) > len(files)


@pytest.mark.slow
def test_harmed_files_by_the_thousand(tmp_path: Path, readers: Readers) -> None:
    files = sound_files(tmp_path)
    for path in sorted((folder("mixed-docs") / "files").rglob("*.*")):
        if path.stat().st_size < 200_000:
            files[path.name] = path.read_bytes()
    assert survive(tmp_path, readers, files, rounds=60) > len(files)
