"""What a person meets when something on the disk is damaged, absent or not allowed: one clear line, a fitting exit
code, nothing lost, and `riparian check --repair` mends what is derived."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from riparian.jobs import Running
from tests.web.conftest import COLLECTION, run_all
from tests.web.test_cli import Terminal
from web.commands.progress import Removed, run_job
from web.wiring import Services

QUESTION = "water and silt past the bank"


@pytest.fixture
def own(own_services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """On a copy of the archive whose vectors stand in a generation."""
    own_services.indexer.compact(COLLECTION)
    run_all(own_services)
    own_services.database.engine.dispose()
    return Terminal(tmp_path / "own", capsys)


@pytest.fixture
def fresh(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("RIPARIAN_ENCODER", "hashing:64")
    return Terminal(tmp_path / "fresh", capsys)


def flip(path: Path) -> None:
    changed = bytearray(path.read_bytes())
    changed[len(changed) // 2] ^= 0x55
    path.write_bytes(changed)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


@pytest.mark.parametrize("harm", [flip, cut, Path.unlink])
@pytest.mark.parametrize("name", ["vectors.f32", "ids.i64", "manifest.json"])
def test_a_damaged_generation_is_found_and_mended_and_answers_nothing_wrong(
    own: Terminal, tmp_path: Path, name: str, harm: Callable[[Path], None]
) -> None:
    before = own("search", QUESTION, "--json")[1]
    [file] = (tmp_path / "own" / "vectors").rglob(name)
    harm(file)
    code, out, _ = own("check", "--json")
    [problem] = json.loads(out)["problems"]
    assert (code, problem["part"], problem["repaired"]) == (1, "vectors", False)
    code, out, err = own("search", QUESTION, "--mode", "semantic")
    assert (code, out) == (5, "")
    assert "is damaged" in err
    assert "check --repair" in err
    assert own("check", "--repair")[0] == 0
    assert own("check")[0] == 0
    mended = json.loads(own("search", QUESTION, "--json")[1])
    assert mended["hits"] == json.loads(before)["hits"]


@pytest.mark.parametrize(
    "arguments",
    [["search", "x"], ["check", "--json"], ["check", "--repair"], ["sync"], ["serve", "--port", "0"], ["add", "."]],
)
def test_a_catalog_that_is_garbage_is_one_line_and_stays_as_it_is(
    own: Terminal, tmp_path: Path, arguments: list[str]
) -> None:
    path = tmp_path / "own" / "catalog.sqlite"
    path.write_bytes(b"garbage " * 4096)
    code, out, err = own(*arguments, *(["--collection", COLLECTION] if arguments[0] == "add" else []))
    assert (code, out) == (5, "")
    assert err.startswith(f"riparian: the database {path} is damaged")
    assert len(err.splitlines()) == 1
    assert path.read_bytes() == b"garbage " * 4096


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("no folder")
    code, _, err = Terminal(tmp_path / "file" / "data", capsys)("collections", "list")
    assert code == 3
    assert err == f"riparian: nothing can be kept in the data folder {tmp_path / 'file' / 'data'}: Not a directory\n"


def test_a_database_url_that_is_none_is_told(fresh: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "nonsense")
    code, _, err = fresh("collections", "list")
    assert code == 2
    assert err.startswith("riparian: DATABASE_URL: ")


def test_bytes_that_are_no_unicode_are_searched_as_question_marks(own: Terminal) -> None:
    broken, whole = own("search", "silt \udcff bank", "--json"), own("search", "silt ? bank", "--json")
    assert broken == whole
    assert broken[0] == 0
    code, _, err = own("search", "silt", "--collection", "\udcff")
    assert (code, err) == (2, "riparian: a text in it is not valid Unicode\n")


def test_an_empty_collection_name_is_not_the_only_collection(own: Terminal) -> None:
    code, _, err = own("search", "silt", "--collection", "")
    assert code == 4
    assert "no collection named ''" in err


def test_a_sync_tells_which_folder_is_not_there_and_keeps_its_documents(fresh: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    (folder / "a.txt").write_text("Herons stand in the reeds.")
    fresh("add", folder, "--collection", "c")
    folder.rename(tmp_path / "unplugged")
    code, out, err = fresh("sync")
    assert (code, out) == (0, "c: 1 documents, 1 passages\n")
    assert f"not there: {folder} (its documents are kept)" in err
    assert len(json.loads(fresh("search", "herons", "--json")[1])["hits"]) == 1


def test_a_collection_that_is_removed_while_it_is_filled_is_told(own_services: Services) -> None:
    job = own_services.indexer.sync(COLLECTION)

    def robbed(_running: Running) -> None:
        own_services.indexer.remove(COLLECTION)
        raise LookupError("what I worked on is gone")

    with pytest.raises(Removed, match="the collection was removed while this ran"):
        run_job(replace(own_services, handlers={"index": robbed}), job)


def test_names_of_files_do_not_move_the_cursor_of_a_terminal(fresh: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a\x1b[2J\nb.txt").write_text("Herons stand in the reeds.")
    (folder / "c\x1b[2J.pdf").write_bytes(b"no PDF")
    _, _, err = fresh("add", folder, "--collection", "c")
    _, out, _ = fresh("search", "herons")
    assert r"a\x1b[2J\nb.txt" in out
    assert r"c\x1b[2J.pdf: not a PDF" in err
    assert "\x1b[2J" not in out + err
