"""The walk finds what a person means, in one order, and stays inside what was named."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from indexer.sources import digest_of, walk
from riparian.errors import MissingPath


def names(root: Path) -> list[str]:
    return [file.path.relative_to(root).as_posix() for file in walk([root])]


def make(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def test_files_come_in_name_order_with_folders_in_their_place(tmp_path: Path) -> None:
    make(tmp_path, "b.txt", "a/z.txt", "a/b/c.txt", "c.txt", "B.txt")
    assert names(tmp_path) == ["B.txt", "a/b/c.txt", "a/z.txt", "b.txt", "c.txt"]


def test_junk_is_passed_over(tmp_path: Path) -> None:
    make(
        tmp_path,
        ".git/config",
        "node_modules/x.js",
        "a/__pycache__/b.pyc",
        ".DS_Store",
        "Thumbs.db",
        "~$report.docx",
        "ok.txt",
    )
    assert names(tmp_path) == ["ok.txt"]


def test_a_hidden_file_that_is_named_is_read(tmp_path: Path) -> None:
    make(tmp_path, ".notes.txt")
    assert [file.path.name for file in walk([tmp_path / ".notes.txt"])] == [".notes.txt"]


def test_a_missing_path_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    make(tmp_path, "a.txt")
    with pytest.raises(MissingPath, match="nowhere"):
        walk([tmp_path, tmp_path / "nowhere"])


def test_links_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    make(tmp_path, "outside/secret.txt", "root/in.txt", "root/sub/x.txt")
    root = tmp_path / "root"
    (root / "out.txt").symlink_to(tmp_path / "outside/secret.txt")
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "loop").symlink_to(root)
    (root / "broken").symlink_to(root / "gone")
    assert names(root) == ["in.txt", "sub/x.txt"]


def test_a_file_reached_twice_is_read_once(tmp_path: Path) -> None:
    make(tmp_path, "a.txt")
    (tmp_path / "b.txt").symlink_to(tmp_path / "a.txt")
    assert [file.path.name for file in walk([tmp_path, tmp_path / "a.txt"])] == ["a.txt"]


def test_pipes_and_devices_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    make(tmp_path, "a.txt")
    assert names(tmp_path) == ["a.txt"]


def test_a_source_tells_path_size_and_time(tmp_path: Path) -> None:
    make(tmp_path, "a.txt")
    [file] = walk([str(tmp_path)])
    assert (file.source, file.size) == ((tmp_path / "a.txt").as_posix(), 5)
    assert file.mtime_ns == (tmp_path / "a.txt").stat().st_mtime_ns


def test_a_name_that_is_not_unicode_is_shown_all_the_same(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("x")
    [file] = walk([tmp_path])
    assert file.source.endswith("/caf\ufffd.txt")
    assert file.path.read_text() == "x"


def test_folders_may_be_deeper_than_python_recurses(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(1200):
        deep = deep / "d"
        deep.mkdir()
    (deep / "a.txt").write_text("x")
    found = len(list(walk([tmp_path])))
    (deep / "a.txt").unlink()
    while deep != tmp_path:  # pytest's own clean-up recurses, and would fail in whatever run comes next
        deep.rmdir()
        deep = deep.parent
    assert found == 1


def test_the_digest_is_sha_256_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert digest_of(tmp_path / "a") == hashlib.sha256(b"x" * 3_000_000).hexdigest()
