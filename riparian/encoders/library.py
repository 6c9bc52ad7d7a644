"""The encoders that were trained, tuned or added here, each a folder under a name of its own."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from riparian.encoders import registry
from riparian.encoders.storage import Card, is_saved, read_card, sync
from riparian.errors import AlreadyExists, Invalid, UnknownEncoder

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Installed:
    """A named encoder on disk; `bytes` is what its folder takes."""

    name: str
    folder: Path
    card: Card
    bytes: int
    created: datetime


class Library:
    """A folder of saved encoders. What it holds is found by reading the disk, so nothing can go out of step."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def installed(self) -> list[Installed]:
        """In order of name. A folder whose card cannot be read is left out here and named when it is asked for."""
        if not self._folder.is_dir():
            return []
        found = [path for path in sorted(self._folder.iterdir()) if not path.name.startswith(".") and is_saved(path)]
        return [_installed(path) for path in found]

    def get(self, name: str) -> Installed:
        """UnknownEncoder where there is none of this name, BadWeights where its card is damaged."""
        folder = self._folder / name
        if not _NAME.fullmatch(name) or not is_saved(folder):
            raise UnknownEncoder(name, [one.name for one in self.installed()])
        return _installed(folder)

    def spec_of(self, spec: str) -> str:
        """What `registry.load` takes for it: the folder of a named encoder, anything else as it stands."""
        name = spec.strip()
        if _NAME.fullmatch(name) and not _is_taken(name) and is_saved(self._folder / name):
            return str(self._folder / name)
        return spec

    def with_fingerprint(self, fingerprint: str) -> Installed | None:
        """The encoder that promises this fingerprint, wherever the data folder stands now."""
        return next((one for one in self.installed() if one.card.fingerprint == fingerprint), None)

    def check_free(self, name: str) -> None:
        """Invalid for what cannot name an encoder, AlreadyExists for a name that is taken."""
        if not _NAME.fullmatch(name):
            raise Invalid(
                f"{name!r} cannot name an encoder: give 1 to 64 letters, digits, dots, underscores or hyphens, "
                "beginning with a letter or digit"
            )
        if _is_taken(name):
            raise Invalid(f"{name!r} is a kind of encoder; give the new one a name of its own")
        if (self._folder / name).exists():
            raise AlreadyExists(f"there is an encoder named {name!r} already; remove it first or give another name")

    def adopt(self, name: str, folder: Path) -> Installed:
        """Moves a saved encoder's folder, on the same disk, into the library; it is there whole or not at all.

        Invalid where the folder holds no saved encoder; what `check_free` refuses.
        """
        if not is_saved(folder):
            raise Invalid(f"{folder} holds no saved encoder")
        self.check_free(name)
        self._folder.mkdir(parents=True, exist_ok=True)
        folder.rename(self._folder / name)
        sync(self._folder)
        return self.get(name)

    def remove(self, name: str) -> None:
        """Deletes the folder. UnknownEncoder where there is none."""
        shutil.rmtree(self.get(name).folder)


def _is_taken(name: str) -> bool:
    """Whether it means a kind, with weights of its own or of any file."""
    return name in registry.available() and name not in registry.WITHOUT_PACKAGE


def _installed(folder: Path) -> Installed:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    created = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    return Installed(folder.name, folder, read_card(folder), size, created)
