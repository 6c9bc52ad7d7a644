"""Heads learnt as jobs from files of examples, kept under names of their own, and put to use."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from riparian import jobs
from riparian.catalog.engine import Database
from riparian.config import Settings
from riparian.encoders.base import Encoder
from riparian.encoders.library import Library
from riparian.encoders.pool import EncoderPool
from riparian.encoders.storage import sync
from riparian.errors import AlreadyExists, Conflict, Invalid, MissingPath, NotFound
from riparian.jobs import Handler, Running
from riparian.types import JobId
from training.desk import CHECKPOINT, RESULT, desk_of
from training.heads.answers import Answerer, Asked
from training.heads.base import Head, chosen
from training.heads.card import HeadCard, is_head, read
from training.heads.classification import Classifier
from training.heads.reading import Examples, read_answered, read_labelled, read_tagged
from training.heads.table import load, named
from training.heads.tuned_classification import ENCODER, HEAD
from training.material import Run
from training.recipes.base import Needs
from training.spoken import Spoken

LEARN = "learn"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class UnknownHead(NotFound):
    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"no head named {name!r}; there is: {', '.join(known) or 'none'}")


@dataclass(frozen=True, slots=True)
class HeadWish:
    """A head as someone asked for it. `columns` names the columns of the file: text and label, or question, passage,
    answer and start; group keeps its rows on one side of every split."""

    head: str
    encoder: str
    name: str
    examples: str
    columns: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class KeptHead:
    """A named head on disk."""

    name: str
    folder: Path
    card: HeadCard
    created: datetime


class HeadService:
    """Learns heads on encoders that stay as they are, and answers with them."""

    def __init__(self, database: Database, encoders: EncoderPool, library: Library, settings: Settings) -> None:
        self._database, self._encoders, self._library, self._settings = database, encoders, library, settings
        self._folder = settings.data_dir / "heads"

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What runs the jobs of learning heads."""
        return {LEARN: self._run_learn}

    # ---------------------------------------------------------------- asking

    def learn(self, wish: HeadWish) -> JobId:
        """Queues learning a head. Refused before anything is written: Invalid for a head, setting, column or name that
        cannot be, or an encoder that the head cannot stand on (with the reason); AlreadyExists, MissingPath."""
        head = named(wish.head)
        self._check_free(wish.name, head)
        chosen(head, like(head.defaults, wish.settings))
        why = head.refuses(self._encoders.load(wish.encoder))
        if why:
            raise Invalid(f"{wish.head} cannot be learnt on {wish.encoder}: {why}")
        path = Path(wish.examples).expanduser().resolve()
        if not path.is_file():
            raise MissingPath(wish.examples)
        _check_columns(head.needs, wish.columns)
        with self._database.write() as catalog:
            return jobs.enqueue(catalog, LEARN, asdict(wish) | {"examples": str(path)})

    def kept(self) -> list[KeptHead]:
        """In order of name."""
        if not self._folder.is_dir():
            return []
        return [_kept(path) for path in sorted(self._folder.iterdir()) if is_head(path)]

    def get(self, name: str) -> KeptHead:
        """UnknownHead where there is none of this name."""
        folder = self._folder / name
        if not _NAME.fullmatch(name) or not is_head(folder):
            raise UnknownHead(name, [head.name for head in self.kept()])
        return _kept(folder)

    def remove(self, name: str) -> None:
        shutil.rmtree(self.get(name).folder)

    def apply(self, name: str, texts: Sequence[str], question: str = "") -> list[dict[str, Any]]:
        """One JSON answer a text: a label with probabilities, tagged words, or where the answer to `question` stands.

        UnknownHead; IndexMismatch where its encoder changed since; Invalid where a question is needed or given in vain.
        """
        kept = self.get(name)
        head, encoder = load(kept.folder), self._encoder(kept.card)
        if isinstance(head, Answerer):
            if not question.strip():
                raise Invalid(f"{name} answers questions; give one")
            return [asdict(found) for found in head.apply(encoder, [Asked(question, text) for text in texts])]
        if question:
            raise Invalid(f"{name} ({kept.card.task}) takes no question")
        if isinstance(head, Classifier):
            return [asdict(found) for found in head.apply(encoder, texts)]
        return [{"words": [asdict(word) for word in words]} for words in head.apply(encoder, texts)]

    # ---------------------------------------------------------------- working

    def _run_learn(self, running: Running) -> Mapping[str, Any]:
        wish, began = HeadWish(**running.job.payload), time.monotonic()
        head = named(wish.head)
        running.progress("read", 0, 0, "examples")
        examples = _read(head.needs, Path(wish.examples), wish.columns)
        desk = desk_of(self._settings.data_dir, running.job.payload)
        shutil.rmtree(desk / RESULT, ignore_errors=True)
        run = Run(
            seed=wish.seed,
            progress=Spoken(running, "train", "steps"),
            checkpoint=desk / CHECKPOINT,
            device=self._settings.device,
            workers=self._settings.threads,
        )
        encoder, settings = self._encoders.load(wish.encoder), like(head.defaults, wish.settings)
        try:
            report = head.train(encoder, examples.material, desk / RESULT, run, settings, examples.groups)
        except Conflict:  # the examples are not what they were: what was learnt from the old ones is no start
            (desk / CHECKPOINT).unlink(missing_ok=True)
            report = head.train(encoder, examples.material, desk / RESULT, run, settings, examples.groups)
        self._keep(head, wish.name, desk / RESULT)
        shutil.rmtree(desk, ignore_errors=True)
        return {
            "head": None if head.makes == "encoder" else wish.name,
            "made_encoder": None if head.makes == "head" else wish.name,
            "task": wish.head,
            "encoder": encoder.info.name,
            "seconds": round(time.monotonic() - began, 1),
            "report": report,
        }

    def _keep(self, head: Head, name: str, made: Path) -> None:
        """Puts what was learnt where it is found by its name: heads here, encoders in the library."""
        self._check_free(name, head)
        if head.makes == "encoder":
            self._library.adopt(name, made)
            return
        if head.makes == "both":
            self._library.adopt(name, made / ENCODER)
        self._folder.mkdir(parents=True, exist_ok=True)
        (made / HEAD if head.makes == "both" else made).rename(self._folder / name)
        sync(self._folder)

    def _encoder(self, card: HeadCard) -> Encoder:
        """The one of the library that the head was learnt on, wherever it lies now; else the one of its spec."""
        found = self._library.with_fingerprint(card.encoder["fingerprint"])
        return self._encoders.load(str(found.folder) if found else card.encoder["spec"])

    def _check_free(self, name: str, head: Head) -> None:
        if head.makes != "head":
            self._library.check_free(name)
        if not _NAME.fullmatch(name):
            raise Invalid(f"{name!r} cannot name a head: give 1 to 64 letters, digits, dots, underscores or hyphens")
        if (self._folder / name).exists():
            raise AlreadyExists(f"there is a head named {name!r} already; remove it first or give another name")


def like(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings typed as text ("0.3", "true") as the kind of value that their default is; others stay as they are."""
    return {name: _typed(defaults[name], value) if name in defaults else value for name, value in given.items()}


def _typed(default: Any, value: Any) -> Any:
    if not isinstance(value, str) or isinstance(default, str):
        return value
    if isinstance(default, bool):
        return {"true": True, "false": False}.get(value.lower(), value)
    try:
        return type(default)(value)
    except (TypeError, ValueError):
        return value


def _check_columns(needs: Needs, columns: Mapping[str, str]) -> None:
    known = _COLUMNS[needs]
    for name in columns:
        if name not in known:
            raise Invalid(f"there is no column {name!r} to name; columns are: {', '.join(known) or 'none'}")


_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "labelled": ("text", "label", "group"),
    "answered": ("question", "passage", "answer", "start", "group"),
    "tagged": (),
}


def _read(needs: Needs, path: Path, columns: Mapping[str, str]) -> Examples:
    if needs == "labelled":
        return read_labelled(path, **columns)
    if needs == "answered":
        return read_answered(path, **columns)
    return read_tagged(path)


def _kept(folder: Path) -> KeptHead:
    return KeptHead(folder.name, folder, read(folder), datetime.fromtimestamp(folder.stat().st_mtime, UTC))
