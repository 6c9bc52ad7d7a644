"""What a generation folder holds and how to tell that it still does.

`manifest.json` is canonical: sorted keys, fixed separators, its own SHA-256 under "checksum". So a changed byte
anywhere in the folder, the manifest included, is found: `verify` compares every file, `read` the manifest itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from riparian.errors import DamagedIndex
from riparian.manifests import NAME, FileRecord, canonical, verify_files

FORMAT = 1


@dataclass(frozen=True, slots=True)
class IndexRecord:
    """How `index.faiss` was built, why so, and with how many probes it reached `recall` on a sample of its rows."""

    kind: str
    reason: str
    lists: int
    probes: int
    recall: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """`encoder` is the fingerprint of what made the rows; `covers` the highest vector row of the catalog inside."""

    number: int
    encoder: str
    encoder_name: str
    rows: int
    dimension: int
    metric: str
    covers: int
    created: str
    libraries: Mapping[str, str]
    files: Mapping[str, FileRecord]
    index: IndexRecord | None = None
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        body = asdict(self)
        body["checksum"] = hashlib.sha256(canonical(body)).hexdigest()
        return canonical(body)


def read(folder: Path) -> Manifest:
    """The folder's manifest. DamagedIndex where it is missing, not what was written, or of another format."""
    path = folder / NAME
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DamagedIndex(path, "a manifest", "no file") from None
    try:
        body = json.loads(raw)
        found = body.pop("format", None)
        if found != FORMAT:
            raise DamagedIndex(path, f"format {FORMAT}", f"format {found}")
        manifest = _from_json(body)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedIndex(path, "the manifest as it was written", f"{type(error).__name__}: {error}") from error
    if manifest.to_bytes() != raw:
        raise DamagedIndex(path, "the manifest as it was written", "changed bytes")
    return manifest


def verify(folder: Path, manifest: Manifest) -> None:
    """Compares size and SHA-256 of every file that the manifest names; DamagedIndex names the first that differs."""
    verify_files(folder, manifest.files)


def _from_json(body: dict[str, Any]) -> Manifest:
    del body["checksum"]  # made again and compared by `read`
    files = {name: FileRecord(**record) for name, record in body.pop("files").items()}
    if any(Path(name).name != name for name in files):
        raise ValueError("a file outside the folder")
    index = body.pop("index")
    return Manifest(files=files, index=None if index is None else IndexRecord(**index), **body)
