from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, update

from riparian.catalog.engine import Database, connect
from riparian.catalog.models import DocumentRow, FileRow, PassageRow, VectorRow
from riparian.encoders.pool import EncoderPool
from riparian.errors import DamagedIndex, UnknownCollection
from riparian.types import Problem
from tests.indexer.conftest import TEXTS, Archive, open_archive


@pytest.fixture(scope="module")
def sound(sqlite_template: Path, encoders: EncoderPool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an archive, indexed, with two generations and one passage in the delta; `kept` is its copy."""
    folder = tmp_path_factory.mktemp("check") / "archive"
    (folder / "data").mkdir(parents=True)
    shutil.copy(sqlite_template, folder / "data" / "catalog.sqlite")
    with opened(folder, encoders) as made:
        made.write(TEXTS)
        made.add()
        made.run(made.service.compact("c"))
        made.write({"second.txt": "A swan hissed at the ferryman."})
        made.sync()
        made.run(made.service.compact("c"))
        made.write({"third.txt": "The ferryman went home."})
        made.sync()
        assert made.service.check() == []
    shutil.copytree(folder, folder.with_name("kept"))
    return folder


@pytest.fixture
def compacted(sound: Path, encoders: EncoderPool) -> Iterator[Archive]:
    """The archive as it was: its catalog knows the files by their whole paths, so that it stays where it is."""
    shutil.rmtree(sound)
    shutil.copytree(sound.with_name("kept"), sound)
    with opened(sound, encoders) as made:
        assert made.service.check() == []
        assert made.words("ferryman") == ["second.txt", "third.txt"]  # the indexes are open, as in a running program
        yield made


@contextmanager
def opened(folder: Path, encoders: EncoderPool) -> Iterator[Archive]:
    engine = connect(f"sqlite:///{folder / 'data' / 'catalog.sqlite'}")
    yield open_archive(Database(engine), folder / "data", encoders, folder / "files")
    engine.dispose()


def generation(archive: Archive, number: int) -> Path:
    return archive.data_dir / "vectors" / str(archive.collection.id) / str(archive.encoder.id) / f"gen-{number}"


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= 0x40
    path.write_bytes(bytes(content))


def repaired(archive: Archive) -> list[Problem]:
    """Repairs, and makes sure that all is well and every vector is what it was."""
    with archive.database.read() as catalog:
        texts = [(p.id, p.text) for batch in catalog.passages.all(archive.collection.id) for p in batch]
        titles = {
            p: catalog.documents.get(d).title for p, d in catalog.passages.documents_of([i for i, _ in texts]).items()
        }
    problems = archive.service.check(repair=True)
    assert archive.service.check() == []
    assert all(problem.repaired for problem in problems), problems
    from riparian.inputs import encoder_input

    encoder = archive.service._encoders.load("hashing:64")
    view = archive.snapshot().view
    assert view.ids.tolist() == [number for number, _ in texts]
    expected = encoder.encode_passages([encoder_input(titles[i], text) for i, text in texts], "passage")  # type: ignore[index]
    np.testing.assert_array_equal(view.vectors(view.ids), expected)
    return problems


def test_a_sound_collection_has_no_problem_and_repair_does_nothing(compacted: Archive) -> None:
    revision = compacted.collection.revision
    assert compacted.service.check(repair=True) == []
    assert compacted.collection.revision == revision


def test_a_name_that_is_not_there_is_refused(compacted: Archive) -> None:
    with pytest.raises(UnknownCollection):
        compacted.service.check(["nothing"])


def test_a_changed_byte_of_a_generation_is_found_without_being_touched(compacted: Archive) -> None:
    flip(generation(compacted, 2) / "vectors.f32", 100)
    [problem] = compacted.service.check()
    assert problem.part == "vectors"
    assert "vectors.f32 is damaged" in problem.detail
    assert compacted.service.check() == [problem]


def test_a_changed_byte_anywhere_in_a_generation_is_found_and_repaired(compacted: Archive) -> None:
    chance = random.Random(5)
    for name in ("vectors.f32", "ids.i64", "manifest.json"):
        flip(max(generation(compacted, 2).parent.glob("gen-*")) / name, chance.randrange(10_000))
        assert repaired(compacted)[0].part == "vectors"
        compacted.run(compacted.service.compact("c"))


def test_a_damaged_fallback_is_found_and_given_up(compacted: Archive) -> None:
    flip(generation(compacted, 1) / "ids.i64", 3)
    [problem, *_] = repaired(compacted)
    assert "gen-1" in problem.detail
    assert not generation(compacted, 1).exists()


def test_both_generations_damaged_are_made_again_from_the_texts(compacted: Archive) -> None:
    for number in (1, 2):
        flip(generation(compacted, number) / "vectors.f32", 8)
    repaired(compacted)


def test_the_database_alone_is_a_complete_backup(compacted: Archive) -> None:
    shutil.rmtree(compacted.data_dir / "vectors")
    shutil.rmtree(compacted.data_dir / "lexical")
    problems = repaired(compacted)
    assert {problem.part for problem in problems} == {"vectors", "lexical"}
    assert compacted.words("ferryman") == ["second.txt", "third.txt"]


def test_a_vector_that_went_missing_is_found_and_made_again(compacted: Archive) -> None:
    with compacted.database.write() as catalog:
        catalog.session.execute(delete(VectorRow).where(VectorRow.generation.is_(None)))
    assert "1 passages have no vector" in compacted.service.check()[0].detail
    repaired(compacted)


def test_a_vector_of_another_length_is_found_and_made_again(compacted: Archive) -> None:
    with compacted.database.write() as catalog:
        catalog.session.execute(update(VectorRow).where(VectorRow.generation.is_(None)).values(vector=b"\0" * 12))
    assert "not 64 numbers" in compacted.service.check()[0].detail
    repaired(compacted)


def test_a_passage_that_vanished_from_sql_is_masked_in_the_vectors_and_read_again(compacted: Archive) -> None:
    with compacted.database.write() as catalog:
        catalog.session.execute(delete(PassageRow).where(PassageRow.document_id == compacted.documents()["river.txt"]))
    details = " ".join(problem.detail for problem in compacted.service.check())
    assert "do not reach from its beginning to its end" in details
    assert "1 vectors belong to no embedded passage" in details
    assert "the lexical index holds 1 passages that are gone" in details
    problems = compacted.service.check(repair=True)
    assert all(problem.repaired for problem in problems)
    assert compacted.service.check() == []
    assert compacted.words("flood") == ["river.txt"]


def test_a_text_that_was_changed_behind_the_program_is_read_again(compacted: Archive) -> None:
    with compacted.database.write() as catalog:
        catalog.session.execute(
            update(DocumentRow).where(DocumentRow.id == compacted.documents()["river.txt"]).values(text="forged")
        )
    assert "is not the one that was written" in compacted.service.check()[0].detail
    problems = compacted.service.check(repair=True)
    assert all(problem.repaired for problem in problems)
    assert compacted.service.check() == []
    with compacted.database.read() as catalog:
        assert catalog.documents.text(compacted.documents()["river.txt"]).startswith("The river bank")  # type: ignore[arg-type]


def test_a_file_that_was_read_in_part_is_read_again(compacted: Archive) -> None:
    with compacted.database.write() as catalog:
        catalog.session.execute(update(FileRow).values(state="reading"))
    assert compacted.service.check()[0].part == "files"
    repaired(compacted)


def test_a_lexical_index_that_lost_a_document_is_rebuilt(compacted: Archive) -> None:
    with compacted.lexical.index(compacted.collection.id).change() as change:
        change.remove_document(compacted.documents()["river.txt"])
    assert [problem.part for problem in compacted.service.check()] == ["lexical", "lexical"]
    repaired(compacted)
    assert compacted.words("flood") == ["river.txt"]


def test_a_damaged_lexical_index_is_rebuilt(compacted: Archive) -> None:
    folder = compacted.data_dir / "lexical" / str(compacted.collection.id)
    largest = max((p for p in folder.rglob("*") if p.is_file()), key=lambda path: path.stat().st_size)
    flip(largest, 5)
    assert compacted.service.check()[0].part == "lexical"
    repaired(compacted)


@pytest.mark.parametrize("waiting", [True, False])
def test_a_file_in_place_of_the_lexical_index_is_named_and_the_index_made_again(
    compacted: Archive, waiting: bool
) -> None:
    folder = compacted.data_dir / "lexical" / str(compacted.collection.id)
    if waiting:
        with compacted.database.write() as catalog:
            catalog.documents.remove([compacted.documents()["third.txt"]])  # type: ignore[list-item]
            catalog.collections.touch(compacted.collection.id)
    shutil.rmtree(folder)
    folder.write_text("not a folder")
    with pytest.raises(
        DamagedIndex, match=r"expected the folder of a lexical index, found a file; run `riparian check"
    ):
        compacted.words("flood")
    found = [problem.detail for problem in compacted.service.check() if problem.part == "lexical"]
    assert f"{folder} is damaged: expected the folder of a lexical index, found a file" in found[-1]
    repaired(compacted)
    assert compacted.words("flood") == ["river.txt"]


def test_a_folder_in_place_of_the_state_is_named_and_the_index_made_again(compacted: Archive) -> None:
    state = compacted.data_dir / "lexical" / str(compacted.collection.id) / "state.json"
    state.unlink()
    state.mkdir()
    assert "found something else in its place" in compacted.service.check()[0].detail
    repaired(compacted)
    assert compacted.words("flood") == ["river.txt"]


def test_what_belongs_to_nothing_is_found_and_deleted(compacted: Archive) -> None:
    stray = generation(compacted, 9)
    stray.mkdir()
    (compacted.data_dir / "vectors" / "77").mkdir()
    (compacted.data_dir / "lexical" / "77").mkdir()
    (compacted.data_dir / "lexical" / "78").write_text("a file")
    assert len(compacted.service.check()) == 4
    problems = compacted.service.check(repair=True)
    assert all(problem.repaired for problem in problems)
    assert not stray.exists()
    assert compacted.service.check() == []
