"""Members of archives are read by their own formats; what is a trap is refused and nothing is written elsewhere."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.readers.nested import safe_name
from riparian.types import Extracted, ReadFailure
from tests.indexer.reading import OPTIONS, failure_of, read_all, read_documents, read_one


def zipped(path: Path, **members: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return path


def tarred(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            content = b"A note about banks." if member.isreg() else b""
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def entry(name: str, type: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = type, target
    return member


def test_members_are_read_by_their_formats(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", docs__a_txt="One river.", b_html="<h1>Two</h1>", c_jsonl='{"text": "three"}\n')
    found = {document.member: (document.type, document.text) for document in read_documents(path)}
    assert found == {
        "docs/a.txt": ("txt", "One river."),
        "b.html": ("html", "Two"),
        "c.jsonl!row 1": ("row", "three"),
    }


def test_archives_in_archives_are_read_to_a_depth(tmp_path: Path) -> None:
    content: bytes | str = "The innermost river."
    name = "a_txt"
    for depth in range(7):
        zipped(tmp_path / f"{depth}.zip", **{name: content})
        content, name = (tmp_path / f"{depth}.zip").read_bytes(), "z_zip"
    assert read_one(tmp_path / "3.zip").member == "z.zip!z.zip!z.zip!a.txt"
    assert failure_of(tmp_path / "6.zip") == "refused: it lies more than 4 files deep"


def test_junk_in_archives_is_passed_over(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", a_txt="yes")
    with zipfile.ZipFile(path, "a") as archive:
        for name in ("__MACOSX/._a.txt", "a/.DS_Store", ".git/config", "Thumbs.db"):
            archive.writestr(name, "no")
    assert [document.text for document in read_documents(path)] == ["yes"]


@pytest.mark.parametrize(("suffix", "compress"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_compressed_file_is_read_as_if_it_were_not(tmp_path: Path, suffix: str, compress: object) -> None:
    (tmp_path / f"a.md.{suffix}").write_bytes(compress(b"# Title\n\nThe river rose."))  # type: ignore[operator]
    document = read_one(tmp_path / f"a.md.{suffix}")
    assert (document.member, document.type, document.title) == ("", "md", "Title")


def test_tar_members_that_are_no_files_or_lead_outside_are_refused(tmp_path: Path) -> None:
    path = tarred(
        tmp_path / "a.tar.gz",
        entry("ok/a.txt"),
        entry("../evil.txt"),
        entry("/etc/evil.txt"),
        entry("ok/../../evil.txt"),
        entry("link.txt", tarfile.SYMTYPE, "/etc/passwd"),
        entry("hard.txt", tarfile.LNKTYPE, "/etc/passwd"),
        entry("device", tarfile.CHRTYPE),
        entry("pipe", tarfile.FIFOTYPE),
        entry("folder", tarfile.DIRTYPE),
    )
    outside, link = "refused: its path leads outside the archive", "refused: a link or device, not a file"
    document, *failures = read_all(path)
    assert isinstance(document, Extracted)
    assert document.member == "ok/a.txt"
    assert failures == [
        ReadFailure("../evil.txt", outside),
        ReadFailure("/etc/evil.txt", outside),
        ReadFailure("ok/../../evil.txt", outside),
        *(ReadFailure(name, link) for name in ("link.txt", "hard.txt", "device", "pipe")),
    ]


@pytest.mark.parametrize(
    "name", ["../a", "a/../../b", "/a", "\\a", "C:\\a", "C:/a", "..\\a", "a\\..\\..\\b", "..", "//server/x", "\\\\s\\x"]
)
def test_names_that_lead_outside(name: str) -> None:
    assert safe_name(name) is None


@pytest.mark.parametrize(("name", "shown"), [("a/b", "a/b"), ("./a//b", "a/b"), ("a\nb", "a b"), ("a..b", "a..b")])
def test_names_that_stay_inside(name: str, shown: str) -> None:
    assert safe_name(name) == shown


def test_a_bomb_is_refused_by_what_it_says_and_by_what_it_does(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", bomb_txt=b"a" * 60_000_000, ok_txt="A river.")
    bomb, ok = read_all(path)
    assert bomb.member == "bomb.txt"
    assert bomb.reason.startswith("refused: it unpacks from")  # type: ignore[union-attr]
    assert ok.member == "ok.txt"
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"a" * 5000))
    assert failure_of(tmp_path / "b.txt.gz", replace(OPTIONS, max_unpacked_bytes=4000)).startswith(
        "refused: it unpacks"
    )


def test_the_budget_of_an_archive_holds_for_all_its_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(10):
            archive.writestr(f"{number}.txt", "river " * 1000)
    readings = read_all(tmp_path / "a.zip", replace(OPTIONS, max_unpacked_bytes=20_000))
    assert [type(reading) for reading in readings] == [Extracted] * 3 + [ReadFailure] * 7


def test_more_members_than_allowed_are_reported(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{f"f{number}_txt": "A river." for number in range(5)})
    readings = read_all(path, replace(OPTIONS, max_members=3))
    assert sum(isinstance(reading, Extracted) for reading in readings) == 3
    assert ReadFailure("", "it holds more than 3 files; the rest was not read") in readings


def test_members_of_one_name_are_told_apart(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar.gz", *(entry(name) for name in ("a.txt", "a.txt", "a.txt", "./a.txt")))
    assert [document.member for document in read_documents(path)] == ["a.txt", "a (2).txt", "a (3).txt", "a (4).txt"]


def test_an_encrypted_member_says_so(tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "a.zip", a_txt="secret").read_bytes())
    data[6] |= 1  # the flag in the local header, and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    assert read_all(tmp_path / "a.zip") == [ReadFailure("a.txt", "encrypted: it needs a password")]


def test_a_damaged_member_does_not_keep_the_others_from_being_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "first river")
        archive.writestr("b.txt", "second river")
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace(b"first", b"fIrst", 1))
    broken, whole = read_all(tmp_path / "a.zip")
    assert isinstance(broken, ReadFailure)
    assert broken.reason.startswith("damaged")
    assert isinstance(whole, Extracted)


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "a.zip", a_txt="One river.", b_pdf=b"%PDF-1.4 broken")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    assert len(read_all(path)) == 2
    assert list((tmp_path / "temporary").iterdir()) == []
