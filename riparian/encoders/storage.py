"""A saved encoder on disk: a folder with `encoder.json`, `model.safetensors` and JSON vocabularies, never pickle.

The folder appears whole or not at all: it is written beside its final place, synced, then renamed.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riparian.encoders.base import EncoderInfo
from riparian.errors import AlreadyExists, BadWeights

CARD = "encoder.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Card:
    """What `encoder.json` says: the kind that loads the folder, the promised fingerprint, people's facts,
    and `settings`, which belong to the kind."""

    kind: str
    fingerprint: str
    name: str
    origin: str
    licence: str
    provenance: str
    languages: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


def card_of(info: EncoderInfo, fingerprint: str, settings: Mapping[str, Any]) -> Card:
    """The card of a live encoder."""
    return Card(
        kind=info.kind,
        fingerprint=fingerprint,
        name=info.name,
        origin=info.origin,
        licence=info.licence,
        provenance=info.provenance,
        languages=info.languages,
        settings=settings,
    )


def is_saved(folder: Path) -> bool:
    """Whether the folder holds an encoder that Riparian saved."""
    return (folder / CARD).is_file()


def read_card(folder: Path) -> Card:
    """The card of a saved folder. Raises BadWeights for one that is damaged or of another format."""
    path = folder / CARD
    raw = read_json(path)
    if raw.get("format") != FORMAT:
        raise BadWeights(path, f"format {FORMAT}", f"format {raw.get('format')!r}")
    values = {key: raw.get(key) for key in ("kind", "fingerprint", "name", "origin", "licence", "provenance")}
    for key, value in values.items():
        if not isinstance(value, str):
            raise BadWeights(path, f"a text under {key!r}", repr(value))
    return Card(**values, languages=tuple(raw.get("languages", ())), settings=raw.get("settings", {}))  # type: ignore[arg-type]


def write_card(folder: Path, card: Card) -> None:
    """Writes `encoder.json`."""
    record = {
        "format": FORMAT,
        "kind": card.kind,
        "fingerprint": card.fingerprint,
        "name": card.name,
        "origin": card.origin,
        "licence": card.licence,
        "provenance": card.provenance,
        "languages": list(card.languages),
        "settings": dict(card.settings),
    }
    (folder / CARD).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises BadWeights naming the file where it is missing, broken or not an object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadWeights(path, "a JSON file", "no such file") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadWeights(path, "valid JSON", str(error)) from error
    if not isinstance(value, dict):
        raise BadWeights(path, "a JSON object", type(value).__name__)
    return value


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yields an empty folder that becomes `folder` when the block ends well; nothing is left when it fails.

    Raises AlreadyExists where `folder` is there and not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise AlreadyExists(f"{folder} is not empty; give a new folder to save into")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield draft
        draft.chmod(0o755)  # mkdtemp makes it private
        for path in [*draft.rglob("*"), draft]:
            sync(path)
        draft.replace(folder)
        sync(folder.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Calls `write(draft)` and moves the draft to `path`, synced: the file is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(draft)
        sync(draft)
        draft.replace(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Forces a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
