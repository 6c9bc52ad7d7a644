from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from riparian.errors import AlreadyExists, DamagedIndex, IndexMismatch, StorageFull
from riparian.types import Ids, Matrix
from riparian.vectors.faiss import FaissIndex
from riparian.vectors.flat import FlatIndex
from riparian.vectors.generations import (
    blocks_of,
    next_number,
    open_generation,
    read_manifest,
    remove_strays,
    verify_generation,
    write_generation,
)

ROWS, DIMENSION = 900, 12
IDS: Ids = np.arange(ROWS, dtype=np.int64) * 3 + 5
MATRIX: Matrix = np.random.default_rng(0).standard_normal((ROWS, DIMENSION)).astype(np.float32)


def write(parent: Path, number: int = 1, *, flat_rows: int = 100_000, blocks: list[Matrix] | None = None) -> Path:
    return write_generation(
        parent,
        number,
        IDS,
        [MATRIX[:500], MATRIX[500:]] if blocks is None else blocks,
        encoder="f" * 64,
        encoder_name="all-MiniLM-L6-v2",
        dimension=DIMENSION,
        covers=77,
        flat_rows=flat_rows,
    )


@pytest.mark.parametrize("flat_rows", [100_000, 100])
def test_what_was_written_is_what_is_read(tmp_path: Path, flat_rows: int) -> None:
    folder = write(tmp_path, 7, flat_rows=flat_rows)
    assert folder == tmp_path / "gen-7"
    index = open_generation(folder, "f" * 64)
    assert index.ids.tolist() == IDS.tolist()
    np.testing.assert_array_equal(index.vectors(IDS), MATRIX)
    np.testing.assert_array_equal(np.concatenate(list(blocks_of(index, rows=256))), MATRIX)
    expected = FlatIndex(IDS, MATRIX).nearest(MATRIX[:5], 10)
    for found, exact in zip(index.nearest(MATRIX[:5], 10), expected, strict=True):
        if flat_rows > ROWS:
            assert found.ids.tolist() == exact.ids.tolist()
        assert found.ids[0] == exact.ids[0]  # itself; inverted lists may miss a far neighbour
        assert found.scores[0] == exact.scores[0]
        assert len(set(found.ids.tolist()) & set(exact.ids.tolist())) >= 8


def test_the_manifest_tells_what_is_in_the_folder(tmp_path: Path) -> None:
    manifest = read_manifest(write(tmp_path, 3, flat_rows=100))
    assert (manifest.number, manifest.rows, manifest.dimension, manifest.covers) == (3, ROWS, DIMENSION, 77)
    assert (manifest.encoder_name, manifest.metric) == ("all-MiniLM-L6-v2", "inner_product")
    assert {name: record.size for name, record in manifest.files.items() if name != "index.faiss"} == {
        "vectors.f32": ROWS * DIMENSION * 4,
        "ids.i64": ROWS * 8,
    }
    assert manifest.index is not None
    assert manifest.index.kind == "IVF,SQ8"
    assert manifest.index.recall >= 0.98
    assert set(manifest.libraries) == {"numpy", "faiss"}


def test_the_vectors_are_plain_little_endian_floats(tmp_path: Path) -> None:
    folder = write(tmp_path)
    np.testing.assert_array_equal(np.fromfile(folder / "vectors.f32", "<f4").reshape(ROWS, DIMENSION), MATRIX)
    assert np.fromfile(folder / "ids.i64", "<i8").tolist() == IDS.tolist()


def test_a_generation_of_no_rows_can_be_published(tmp_path: Path) -> None:
    none = np.empty(0, dtype=np.int64)
    folder = write_generation(tmp_path, 1, none, [], encoder="e", encoder_name="n", dimension=4)
    index = open_generation(folder, "e")
    assert index.nearest(np.ones((1, 4), dtype=np.float32), 3)[0].ids.tolist() == []


def test_a_byte_flipped_at_any_of_500_places_is_found_before_serving(tmp_path: Path) -> None:
    folder = write(tmp_path, flat_rows=100)
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["ids.i64", "index.faiss", "manifest.json", "vectors.f32"]
    random = np.random.default_rng(5)
    sizes = np.array([file.stat().st_size for file in files])
    found = 0
    for trial in range(500):
        # a fifth in the manifest, which is small: the others by their size
        at = 2 if trial % 5 == 0 else int(random.choice(len(files), p=sizes / sizes.sum()))
        content = files[at].read_bytes()
        place = int(random.integers(len(content)))
        flipped = content[place] ^ int(random.integers(1, 256))
        files[at].write_bytes(content[:place] + bytes([flipped]) + content[place + 1 :])
        try:
            open_generation(folder, "f" * 64)
        except (DamagedIndex, IndexMismatch):
            found += 1
        files[at].write_bytes(content)
    assert found == 500
    assert isinstance(open_generation(folder, "f" * 64), FaissIndex)


@pytest.mark.parametrize("name", ["ids.i64", "index.faiss", "vectors.f32", "manifest.json"])
def test_a_cut_or_missing_file_is_named(tmp_path: Path, name: str) -> None:
    file = write(tmp_path, flat_rows=100) / name
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(DamagedIndex) as cut:
        open_generation(file.parent, "f" * 64)
    assert cut.value.path == str(file)
    file.unlink()
    with pytest.raises(DamagedIndex, match="found no file"):
        open_generation(file.parent, "f" * 64)


def test_damage_says_what_was_expected_and_found(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "ids.i64").write_bytes(bytes(ROWS * 8))
    digest = read_manifest(folder).files["ids.i64"].sha256
    with pytest.raises(DamagedIndex) as damage:
        verify_generation(folder)
    assert damage.value.expected == f"SHA-256 {digest}"
    assert damage.value.found.startswith("SHA-256 ")


def test_another_format_is_refused_by_name(tmp_path: Path) -> None:
    manifest = write(tmp_path) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 2}))
    with pytest.raises(DamagedIndex, match="expected format 1, found format 2"):
        read_manifest(manifest.parent)


def test_rows_of_another_encoder_are_an_error_that_names_both(tmp_path: Path) -> None:
    folder = write(tmp_path)
    with pytest.raises(IndexMismatch, match=r"all-MiniLM-L6-v2 \(f{64}\).*asked with encoder 0000") as mismatch:
        open_generation(folder, "0" * 64)
    assert "gen-1" in str(mismatch.value)


def test_a_number_is_never_used_twice(tmp_path: Path) -> None:
    folder = write(tmp_path, 4)
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(AlreadyExists, match="gen-4"):
        write(tmp_path, 4)
    assert (folder / "manifest.json").read_bytes() == before
    (tmp_path / "gen-9.tmp").mkdir()
    assert next_number(tmp_path) == 10
    assert next_number(tmp_path, at_least=30) == 30
    assert next_number(tmp_path / "nowhere") == 1


def test_strays_go_and_what_is_kept_stays(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write(tmp_path, number)
    (tmp_path / "gen-4.tmp").mkdir()
    (tmp_path / "notes").mkdir()
    assert remove_strays(tmp_path, {"gen-2", "gen-3"}) == ["gen-1", "gen-4.tmp"]
    assert sorted(child.name for child in tmp_path.iterdir()) == ["gen-2", "gen-3", "notes"]


@pytest.mark.parametrize(
    ("blocks", "why"),
    [
        ([MATRIX[:10]], "10 rows need 10 ids"),
        ([MATRIX[:, :5]], "shape"),
        ([np.full((ROWS, DIMENSION), np.inf, dtype=np.float32)], "NaN or infinity"),
    ],
)
def test_rows_that_do_not_fit_leave_nothing_behind(tmp_path: Path, blocks: list[Matrix], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        write(tmp_path, blocks=blocks)
    assert list(tmp_path.iterdir()) == []


def _blocks_on_a_full_disk() -> Iterator[Matrix]:
    yield MATRIX[:500]
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_named_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write(tmp_path, 1)
    with pytest.raises(StorageFull, match="no space left"):
        write_generation(tmp_path, 2, IDS, _blocks_on_a_full_disk(), encoder="e", encoder_name="n", dimension=DIMENSION)
    assert [child.name for child in tmp_path.iterdir()] == ["gen-1"]


FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from riparian.vectors.generations import write_generation
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))
rows = np.random.default_rng(0).standard_normal((3000, 2)).astype(np.float32)
try:
    write_generation(Path(sys.argv[1]), 1, np.arange(3000), [rows], encoder="e", encoder_name="n", dimension=2,
        flat_rows=int(sys.argv[3]))
except OSError as error:
    sys.exit(0 if error.errno == 27 else 3)
"""


@pytest.mark.parametrize(("limit", "flat_rows"), [(23_900, 100_000), (24_100, 100)])
def test_a_write_that_the_system_refuses_leaves_nothing_behind(tmp_path: Path, limit: int, flat_rows: int) -> None:
    """The size limit of a process makes `write` itself fail: of the vectors, and of FAISS's file in the second case."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), str(limit), str(flat_rows)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


KILL = """
import sys
from pathlib import Path
import numpy as np
from riparian import failpoints
from riparian.vectors.generations import write_generation
failpoints.arm(sys.argv[2])
rows = np.ones((10, 4), dtype=np.float32)
write_generation(Path(sys.argv[1]), 2, np.arange(10), [rows], encoder="f" * 64, encoder_name="n", dimension=4)
"""


@pytest.mark.parametrize("point", ["generation.files-written", "generation.before-rename", "generation.after-rename"])
def test_a_kill_at_any_point_leaves_the_older_generation_and_the_next_run_goes_on(tmp_path: Path, point: str) -> None:
    folder = write(tmp_path, 1)
    done = subprocess.run([sys.executable, "-c", KILL, str(tmp_path), point], check=False)
    assert done.returncode == 137
    assert open_generation(folder, "f" * 64).ids.tolist() == IDS.tolist()
    number = next_number(tmp_path, at_least=2)
    assert number == 3
    assert open_generation(write(tmp_path, number), "f" * 64).ids.tolist() == IDS.tolist()
    assert remove_strays(tmp_path, {"gen-1", "gen-3"}) == [
        "gen-2" if point == "generation.after-rename" else "gen-2.tmp"
    ]
