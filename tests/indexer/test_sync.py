from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.sandbox import InProcess
from riparian.errors import UnknownCollection
from tests.indexer.conftest import TEXTS, Archive


def test_a_new_file_is_added_and_nothing_else_is_read(archive: Archive) -> None:
    archive.add()
    archive.reader.reads.clear()
    archive.write({"new.txt": "A kingfisher dived from the willow."})
    archive.sync()
    assert archive.reader.reads == ["new.txt"]
    assert archive.words("kingfisher") == ["new.txt"]
    assert archive.service.check() == []


def test_a_changed_file_keeps_its_document_and_loses_its_old_words(archive: Archive) -> None:
    archive.add()
    before = archive.documents()
    archive.write({"river.txt": "The river bank is dry. A mole digs there.\n"})
    archive.sync()
    assert archive.documents() == before
    assert archive.words("otters") == ["notes/otters.md"]
    assert archive.words("mole") == ["river.txt"]
    assert archive.service.check() == []


def test_a_removed_file_leaves_documents_vectors_and_words(archive: Archive) -> None:
    archive.add()
    (archive.folder / "river.txt").unlink()
    result = archive.sync().result
    assert result["removed"] == 1
    assert "river.txt" not in archive.documents()
    assert archive.words("flood") == []
    assert len(archive.snapshot().view) == 4
    assert archive.service.check() == []


def test_a_renamed_file_keeps_ids_and_vectors_and_is_not_read(archive: Archive) -> None:
    archive.add()
    before = archive.documents()
    archive.reader.reads.clear()
    (archive.folder / "river.txt").rename(archive.folder / "notes" / "stream.txt")
    (archive.folder / "table.csv").rename(archive.folder / "birds.csv")
    result = archive.sync().result
    after = archive.documents()
    assert after["notes/stream.txt"] == before["river.txt"]
    assert after["birds.csv!row 2"] == before["table.csv!row 2"]
    assert set(after.values()) == set(before.values())
    assert archive.reader.reads == []
    assert result["renamed"] == 2
    assert result["encoded"] == 0
    assert archive.service.check() == []


def test_another_ending_is_another_reading(sqlite_archive: Archive) -> None:
    sqlite_archive.add()
    (sqlite_archive.folder / "river.txt").rename(sqlite_archive.folder / "river.md")
    sqlite_archive.sync()
    assert "river.md" in sqlite_archive.reader.reads
    assert "river.txt" not in sqlite_archive.documents()


def test_a_file_written_again_with_the_same_content_is_not_read(sqlite_archive: Archive) -> None:
    sqlite_archive.add()
    sqlite_archive.reader.reads.clear()
    os.utime(sqlite_archive.folder / "river.txt", ns=(1, 1))
    sqlite_archive.sync()
    with sqlite_archive.database.read() as catalog:
        known = catalog.files.known(sqlite_archive.collection.id)
    assert sqlite_archive.reader.reads == []
    assert known[str(sqlite_archive.folder / "river.txt")].mtime_ns == 1


def test_a_file_of_the_same_size_and_time_is_not_even_hashed(sqlite_archive: Archive) -> None:
    sqlite_archive.add()
    path = sqlite_archive.folder / "river.txt"
    status = path.stat()
    path.write_text(path.read_text().replace("river", "RIVER"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    sqlite_archive.reader.reads.clear()
    sqlite_archive.sync()
    assert sqlite_archive.reader.reads == []


def test_only_passages_that_changed_are_encoded_again(sqlite_archive: Archive) -> None:
    rows = [f"row {number} tells of the river at mile {number}" for number in range(30)]
    sqlite_archive.write({"big.csv": "text\n" + "\n".join(rows)})
    sqlite_archive.add()
    rows[7] = "row 7 now tells of a mill"
    sqlite_archive.write({"big.csv": "text\n" + "\n".join(rows)})
    result = sqlite_archive.sync().result
    assert result["encoded"] == 1
    assert result["read"]["documents"] == 1
    assert result["read"]["unchanged"] == 29


def test_two_files_that_swap_their_names_swap_their_texts(sqlite_archive: Archive) -> None:
    sqlite_archive.add()
    one, other = sqlite_archive.folder / "river.txt", sqlite_archive.folder / "money.txt"
    one.rename(sqlite_archive.folder / "x")
    other.rename(one)
    (sqlite_archive.folder / "x").rename(other)
    sqlite_archive.sync()
    assert sqlite_archive.words("flood") == ["money.txt"]
    assert sqlite_archive.words("interest") == ["river.txt"]
    assert sqlite_archive.service.check() == []


def test_a_folder_that_is_away_keeps_its_documents_and_is_named(sqlite_archive: Archive) -> None:
    sqlite_archive.add()
    before = sqlite_archive.documents()
    sqlite_archive.folder.rename(sqlite_archive.folder.with_name("away"))
    result = sqlite_archive.sync().result
    assert sqlite_archive.documents() == before
    assert result["missing"] == [str(sqlite_archive.folder)]


def test_a_file_that_was_added_by_name_and_deleted_is_removed(sqlite_archive: Archive) -> None:
    path = sqlite_archive.folder / "river.txt"
    sqlite_archive.run(sqlite_archive.service.add("c", [path]))
    path.unlink()
    result = sqlite_archive.sync().result
    assert sqlite_archive.documents() == {}
    assert result["missing"] == []


def test_a_file_that_became_unreadable_loses_its_documents_and_says_why(sqlite_archive: Archive) -> None:
    sqlite_archive.add()
    sqlite_archive.write({"table.csv": ""})
    sqlite_archive.sync()
    with sqlite_archive.database.read() as catalog:
        [failure] = catalog.files.failures(sqlite_archive.collection.id)
    assert failure.path == str(sqlite_archive.folder / "table.csv")
    assert "table.csv!row 1" not in sqlite_archive.documents()
    assert sqlite_archive.service.check() == []


def test_a_failed_file_is_tried_again_by_add_and_left_alone_by_sync(sqlite_archive: Archive) -> None:
    sqlite_archive.write({"empty.txt": ""})
    sqlite_archive.add()
    sqlite_archive.reader.reads.clear()
    sqlite_archive.sync()
    assert sqlite_archive.reader.reads == []
    sqlite_archive.add()
    assert sqlite_archive.reader.reads == ["empty.txt"]


def test_overlapping_folders_give_each_file_once(sqlite_archive: Archive) -> None:
    sqlite_archive.add()
    sqlite_archive.run(sqlite_archive.service.add("c", [sqlite_archive.folder / "notes"]))
    assert len(sqlite_archive.documents()) == 5
    (sqlite_archive.folder / "notes" / "otters.md").unlink()
    sqlite_archive.sync()
    assert len(sqlite_archive.documents()) == 4


def test_names_that_are_not_unicode_are_kept_apart(sqlite_archive: Archive) -> None:
    for byte in (b"\xfe", b"\xff"):
        with open(os.fsencode(sqlite_archive.folder) + b"/" + byte + b".txt", "w") as file:  # noqa: PTH123 - bytes
            file.write(f"The name of this file is byte {byte[0]}.")
    sqlite_archive.add()
    assert {"\\xfe.txt", "\\xff.txt"} <= set(sqlite_archive.documents())
    sqlite_archive.reader.reads.clear()
    sqlite_archive.sync()
    assert sqlite_archive.reader.reads == []


def test_sync_of_an_unknown_collection_is_refused(sqlite_archive: Archive) -> None:
    with pytest.raises(UnknownCollection):
        sqlite_archive.service.sync("nothing")


NAMES = ("a.txt", "b.txt", "sub/c.txt")
CONTENTS = st.sampled_from([None, "the otter swims", "the otter sleeps", "a heron stands in the reeds", "a mill"])
STATES = st.fixed_dictionaries(dict.fromkeys(NAMES, CONTENTS))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(STATES, min_size=1, max_size=3))
def test_after_any_changes_a_sync_says_what_a_fresh_index_says(
    sqlite_archive: Archive, states: list[dict[str, str | None]]
) -> None:
    archive = sqlite_archive
    shutil.rmtree(archive.folder)
    archive.write({"always.txt": "the river"})
    archive.add()
    for state in states:
        for name in NAMES:
            (archive.folder / name).unlink(missing_ok=True)
        archive.write({name: text for name, text in state.items() if text is not None})
        archive.sync()
    expected = {"always.txt": "the river"} | {n: t for n, t in states[-1].items() if t is not None}
    with archive.database.read() as catalog:
        found = {name: catalog.documents.text(number).strip() for name, number in archive.documents().items()}
    assert found == expected
    assert archive.service.check() == []
    view = archive.snapshot().view
    passages = archive.passages()
    encoder = archive.service._encoders.load("hashing:64")
    np.testing.assert_allclose(
        view.vectors(view.ids), encoder.encode_passages([passages[i] for i in view.ids.tolist()], "passage"), atol=1e-6
    )


def test_the_texts_of_the_fixture_are_what_in_process_reading_gives(sqlite_archive: Archive) -> None:
    from indexer.readers.base import ReadOptions

    [document] = InProcess().read(sqlite_archive.folder / "river.txt", ReadOptions())
    assert document.text.strip() == TEXTS["river.txt"].strip()
