"""Reads published word vectors (word2vec binary and text, GloVe text), converts them once to safetensors and JSON."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from riparian.encoders.fingerprint import file_digest
from riparian.encoders.storage import new_folder
from riparian.encoders.weights import check_shapes, tensors
from riparian.errors import BadWeights, MissingPath

logger = logging.getLogger(__name__)

WEIGHTS, VOCABULARY, TENSOR = "model.safetensors", "vocab.json", "vectors"
_VERSION = "v1"
_PICKLES = (b"\x80", b"PK\x03\x04")

Format = Literal["binary", "text with header", "text"]


@dataclass(frozen=True, slots=True)
class WordVectors:
    """Row i of `matrix` (float32, memory-mapped) belongs to `words[i]`; words are unique."""

    words: list[str]
    matrix: NDArray[np.float32]


def converted(path: Path, cache_dir: Path) -> Path:
    """The folder in the cache with the vectors of the file `path`; converted at first use, keyed by its SHA-256.

    Raises MissingPath, and BadWeights naming the line or entry where the file is damaged.
    """
    if not path.is_file():
        raise MissingPath(path)
    folder = cache_dir / "words" / f"{file_digest(path)}.{_VERSION}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not folder.is_dir():
            logger.info("converting %s to %s", path, folder)
            vectors = read(path)
            with new_folder(folder) as draft:
                write(draft, vectors)
    return folder


def write(folder: Path, vectors: WordVectors) -> None:
    """Writes `model.safetensors` and `vocab.json`."""
    from safetensors.numpy import save_file

    save_file({TENSOR: np.ascontiguousarray(vectors.matrix)}, folder / WEIGHTS)
    (folder / VOCABULARY).write_text(json.dumps(vectors.words, ensure_ascii=False), encoding="utf-8")


def mapped(folder: Path) -> WordVectors:
    """The vectors of a converted or saved folder, mapped from the disk. Raises BadWeights where the parts disagree."""
    words = _vocabulary(folder / VOCABULARY)
    path = folder / WEIGHTS
    found = tensors([path])
    width = found[TENSOR].shape[-1] if TENSOR in found and found[TENSOR].shape else 1
    check_shapes(path, found, {TENSOR: (len(words), width)})
    tensor = found[TENSOR]
    if tensor.dtype != "F32":
        raise BadWeights(path, f"tensor {TENSOR} of type F32", tensor.dtype)
    return WordVectors(words, np.memmap(path, dtype="<f4", mode="r", offset=tensor.begin, shape=(len(words), width)))


def read(path: Path) -> WordVectors:
    """Reads a published file; the first of several entries for one word counts. Raises BadWeights."""
    kind = sniff(path)
    if kind == "binary":
        return _binary(path)
    return _text(path, header=kind == "text with header")


def sniff(path: Path) -> Format:
    """What a file holds, from its first two lines: a header is exactly two numbers. Raises BadWeights for pickles."""
    with _open(path) as file:
        first = file.readline(1 << 20)
        second = file.readline(1 << 20)
    if first.startswith(_PICKLES):
        raise BadWeights(path, "word vectors as word2vec binary or text, or GloVe text", "a pickle or zip, refused")
    fields = first.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        return "text"
    return "text with header" if _is_text_row(second) else "binary"


def _is_text_row(line: bytes) -> bool:
    """Whether numbers are written out behind a word; a damaged row still counts, so that it is named."""
    if any(byte < 32 and byte not in b"\t\r\n" for byte in line):
        return False
    try:
        return any(_is_number(field) for field in line.decode().split()[1:])
    except UnicodeDecodeError:
        return False


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _binary(path: Path) -> WordVectors:
    from gensim.models import KeyedVectors

    try:
        table: Any = KeyedVectors.load_word2vec_format(str(path), binary=True, unicode_errors="replace")
    except (EOFError, ValueError) as error:
        raise BadWeights(path, "complete word2vec binary vectors", str(error)) from error
    if len(table.index_to_key) != len(table.vectors):
        raise BadWeights(path, f"{len(table.vectors)} words", f"{len(table.index_to_key)}")
    return WordVectors(list(table.index_to_key), np.asarray(table.vectors, dtype=np.float32))


def _text(path: Path, header: bool) -> WordVectors:
    rows: dict[str, NDArray[np.float32]] = {}
    promised, width, number = 0, 0, 0
    for number, line in _lines(path):
        if header and number == 1:
            promised, width = (int(field) for field in line.split())
            continue
        width = width or len(line.split(" ")) - 1
        word, row = _row(path, number, line, width)
        rows.setdefault(word, row)
    found = number - (1 if header else 0)
    if not rows or (header and found != promised):
        raise BadWeights(path, f"{promised or 'some'} vectors", f"{found} (cut short?)")
    return WordVectors(list(rows), np.stack(list(rows.values())))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines. Split at \\n only: other line ends occur inside words."""
    with _open(path) as file:
        for number, raw in enumerate(file, start=1):
            try:
                yield number, raw.decode().rstrip("\r\n").rstrip(" ")
            except UnicodeDecodeError as error:
                raise BadWeights(path, f"UTF-8 text in line {number}", str(error)) from error


def _row(path: Path, number: int, line: str, width: int) -> tuple[str, NDArray[np.float32]]:
    """The last `width` fields are the vector: some published words have spaces inside."""
    fields = line.split(" ")
    values = fields[-width:]
    if width < 1 or len(fields) <= width:
        raise BadWeights(path, f"a word and {width} numbers in line {number}", f"{max(0, len(fields) - 1)} numbers")
    try:
        row = np.array(values, dtype=np.float32)
    except ValueError as error:
        raise BadWeights(path, f"a word and {width} numbers in line {number}", str(error)) from error
    if not np.isfinite(row).all():
        raise BadWeights(path, f"finite numbers in line {number}", "NaN or infinity")
    return " ".join(fields[:-width]), row


def _vocabulary(path: Path) -> list[str]:
    try:
        words = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadWeights(path, "a JSON list of words", "no such file") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadWeights(path, "valid JSON", str(error)) from error
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise BadWeights(path, "a JSON list of words", type(words).__name__)
    return words
