"""What a published folder holds, in a `manifest.json` beside its files, and how to tell that it still does.

A manifest is canonical JSON (sorted keys, fixed separators) with its own SHA-256 under "checksum", and the size and
SHA-256 of every file. So a changed byte anywhere in the folder, the manifest included, is found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from riparian.errors import DamagedIndex

NAME = "manifest.json"
FORMAT = 2


@dataclass(frozen=True, slots=True)
class FileRecord:
    """SHA-256 (hex) and size in bytes of one file of the folder."""

    sha256: str
    size: int


def write(folder: Path, facts: Mapping[str, Any]) -> None:
    """Writes the manifest of the files that are in the folder now, with facts about them for people."""
    paths = [path for path in sorted(folder.iterdir()) if path.name != NAME]
    files = {path.name: asdict(FileRecord(file_digest(path), path.stat().st_size)) for path in paths}
    (folder / NAME).write_bytes(_sealed({**facts, "format": FORMAT, "files": files}))


def verify(folder: Path) -> None:
    """Compares every file with the manifest that `write` made, and the manifest with its checksum.

    Raises DamagedIndex naming the first file that is missing or not what was written.
    """
    verify_files(folder, read(folder)[1])


def read(folder: Path) -> tuple[dict[str, Any], dict[str, FileRecord]]:
    """The facts that `write` was given and the records of the files, the manifest compared with its checksum.

    Raises DamagedIndex where it is missing or not what was written; the files themselves are not looked at.
    """
    path = folder / NAME
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DamagedIndex(path, "a manifest", error.strerror or "no file") from None
    try:
        body = json.loads(raw)
        del body["checksum"]
        whole = body["format"] == FORMAT and _sealed(body) == raw
        files = {name: FileRecord(**record) for name, record in body.pop("files").items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedIndex(path, "the manifest as it was written", f"{type(error).__name__}: {error}") from error
    if not whole:
        raise DamagedIndex(path, "the manifest as it was written", "changed bytes")
    return body, files


def verify_files(folder: Path, files: Mapping[str, FileRecord]) -> None:
    """Compares size and SHA-256 of every file; DamagedIndex names the first that differs."""
    for name, record in files.items():
        path = folder / name
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            raise DamagedIndex(path, f"{record.size} bytes", "no file") from None
        if size != record.size:
            raise DamagedIndex(path, f"{record.size} bytes", f"{size} bytes")
        digest = file_digest(path)
        if digest != record.sha256:
            raise DamagedIndex(path, f"SHA-256 {record.sha256}", f"SHA-256 {digest}")


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical(body: Mapping[str, Any]) -> bytes:
    """One spelling of a JSON object."""
    return json.dumps(body, sort_keys=True, indent=1, ensure_ascii=True).encode() + b"\n"


def _sealed(body: Mapping[str, Any]) -> bytes:
    return canonical({**body, "checksum": hashlib.sha256(canonical(body)).hexdigest()})
