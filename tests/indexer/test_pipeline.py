from __future__ import annotations

import numpy as np

from indexer.readers.base import ReadOptions
from riparian.encoders.hashing import HashingEncoder
from riparian.inputs import encoder_input
from tests.indexer.conftest import Archive


def test_every_document_becomes_searchable_by_words_and_by_vectors(archive: Archive) -> None:
    job = archive.add()
    assert set(archive.documents()) == {
        "river.txt", "money.txt", "notes/otters.md", "table.csv!row 1", "table.csv!row 2",
    }  # fmt: skip
    assert archive.words("bank") == ["money.txt", "river.txt"]
    assert archive.words("fish") == ["notes/otters.md", "table.csv!row 1"]
    assert set(archive.snapshot().view.ids.tolist()) == set(archive.passages())
    assert job.result["documents"] == 5
    assert job.result["pending"] == 0
    assert job.result["failures"] == 0
    assert archive.service.check() == []


def test_a_stored_vector_is_what_the_encoder_gives_for_title_and_passage(archive: Archive) -> None:
    archive.add()
    document = archive.documents()["notes/otters.md"]
    with archive.database.read() as catalog:
        [passage] = catalog.passages.of_document(document)
        title = catalog.documents.get(document).title
    expected = HashingEncoder(64).encode_passages([encoder_input(title, passage.text)], "passage")
    stored = archive.snapshot().view.vectors(np.array([passage.id]))
    assert title == "Otters"
    np.testing.assert_array_equal(stored, expected)


def test_seconds_of_each_stage_and_what_was_done_stand_in_the_result(archive: Archive) -> None:
    result = archive.add().result
    assert {"scan", "read", "lexical", "embed", "compact"} <= set(result["seconds"])
    assert result["read"] == {"files": 4, "failed": 0, "documents": 5, "unchanged": 0}
    assert result["encoded"] == 5


def test_adding_the_same_folder_again_reads_and_encodes_nothing(archive: Archive) -> None:
    archive.add()
    before, reads = archive.documents(), list(archive.reader.reads)
    result = archive.add().result
    assert archive.documents() == before
    assert archive.reader.reads == reads
    assert result["encoded"] == 0
    assert archive.service.check() == []


def test_a_file_that_cannot_be_read_is_a_row_with_its_reason_and_the_run_goes_on(archive: Archive) -> None:
    archive.write({"broken.pdf": "%PDF-1.4 nothing of the kind", "empty.txt": ""})
    job = archive.add()
    with archive.database.read() as catalog:
        failures = catalog.files.failures(archive.collection.id)
    assert sorted(failure.path.rsplit("/", 1)[-1] for failure in failures) == ["broken.pdf", "empty.txt"]
    assert all(failure.reason for failure in failures)
    assert job.result["failures"] == 2
    assert job.result["documents"] == 5


def test_equal_texts_are_encoded_once_and_share_their_vector(archive: Archive) -> None:
    archive.write({"copy.txt": (archive.folder / "river.txt").read_text()})
    result = archive.add().result
    ids = archive.documents()
    with archive.database.read() as catalog:
        [one] = catalog.passages.of_document(ids["river.txt"])
        [other] = catalog.passages.of_document(ids["copy.txt"])
    rows = archive.snapshot().view.vectors(np.array([one.id, other.id]))
    assert result["encoded"] == 5
    assert result["passages"] == 6
    np.testing.assert_array_equal(rows[0], rows[1])


def test_a_copy_that_comes_later_takes_the_vector_that_is_there(archive: Archive) -> None:
    archive.add()
    archive.write({"copy.txt": (archive.folder / "river.txt").read_text()})
    result = archive.sync().result
    assert result["encoded"] == 0
    assert result["pending"] == 0
    assert len(archive.snapshot().view) == 6


def test_copies_are_grouped_as_duplicates(archive: Archive) -> None:
    archive.write({"copy.txt": (archive.folder / "river.txt").read_text()})
    archive.add()
    ids = archive.documents()
    with archive.database.read() as catalog:
        others = catalog.documents.duplicates(ids["river.txt"])
        alone = catalog.documents.duplicates(ids["money.txt"])
    assert [document.id for document in others] == [ids["copy.txt"]]
    assert alone == []


def test_an_attachment_is_a_child_of_its_mail(archive: Archive) -> None:
    archive.write({"mail.eml": MAIL})
    archive.add()
    ids = archive.documents()
    with archive.database.read() as catalog:
        [child] = catalog.documents.children(ids["mail.eml"])
    assert child.source.endswith("mail.eml!1/list.txt")
    assert archive.words("sturgeon") == ["mail.eml!1/list.txt"]


def test_options_that_change_make_the_files_be_read_again(archive: Archive) -> None:
    archive.write({"table.csv": "a,b\nThe heron flies over the reeds.,The pike hides below the weir.\n"})
    archive.add(ReadOptions(text_column="a"))
    assert archive.words("heron") == ["table.csv!row 1"]
    assert archive.words("pike") == []
    archive.add(ReadOptions(text_column="b"))
    assert archive.words("heron") == []
    assert archive.words("pike") == ["table.csv!row 1"]
    assert archive.service.check() == []


def test_two_members_of_one_name_are_two_documents(archive: Archive) -> None:
    import warnings
    import zipfile

    with zipfile.ZipFile(archive.folder / "twice.zip", "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        file.writestr("a.txt", "The weir was built of oak.")
        file.writestr("a.txt", "The weir was rebuilt of stone.")
    archive.add()
    assert archive.words("weir") == ["twice.zip!a (2).txt", "twice.zip!a.txt"]


MAIL = """\
From: Ada <ada@example.org>
To: Bo <bo@example.org>
Subject: The list of fish
Date: Tue, 2 Jan 2001 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="x"

--x
Content-Type: text/plain; charset="utf-8"

Here is the list that you asked for, with all the fish of the river.
--x
Content-Type: text/plain; charset="utf-8"; name="list.txt"
Content-Disposition: attachment; filename="list.txt"

A sturgeon, two bream and an eel were seen below the weir.
--x--
"""
