"""The training room's front door: encoders trained from text as jobs that go on where they were stopped."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from riparian import jobs
from riparian.catalog.engine import Database
from riparian.config import Settings
from riparian.encoders import registry
from riparian.encoders.base import Progress
from riparian.encoders.library import Installed, Library
from riparian.encoders.options import Options
from riparian.encoders.pool import EncoderPool
from riparian.encoders.storage import is_saved, read_json
from riparian.errors import Conflict, Invalid, MissingPath, NothingToRead
from riparian.jobs import Handler, Running
from riparian.types import Collection, JobId
from training import budget
from training.collected import body_of, distinct
from training.desk import CHECKPOINT, REPORT, RESULT, desk_of, write_json
from training.material import Material, Pair, Run, Tagged
from training.spoken import Spoken
from training.trainers import Report, Request, Trainer, trainer

ReadTexts = Callable[[Sequence[Path]], Iterable[str]]
"""The texts of files of any format that the indexer reads, one a document."""

ReadPairs = Callable[[Sequence[Path]], Iterable[Pair]]
"""The pairs of tables and gettext catalogues."""

TRAIN = "train"

_PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class Wish:
    """A training as someone asked for it. Text comes from a collection, from files, or from both."""

    kind: str
    name: str
    collection: str | None = None
    paths: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    minutes: float | None = None
    seed: int = 0
    base: str = ""
    tags: Sequence[str] = ()

    def payload(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "name": self.name, "collection": self.collection, "paths": list(self.paths),
            "settings": dict(self.settings), "minutes": self.minutes, "seed": self.seed, "base": self.base,
            "tags": list(self.tags),
        }  # fmt: skip


class TrainingService:
    """Trains encoders, keeps them in the library, and says what is in it."""

    def __init__(
        self,
        database: Database,
        encoders: EncoderPool,
        library: Library,
        settings: Settings,
        *,
        read_texts: ReadTexts,
    ) -> None:
        self._database, self._encoders, self.library = database, encoders, library
        self._settings, self._read_texts = settings, read_texts

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What runs the jobs of this room, by their kind."""
        return {TRAIN: self._run_train}

    # ---------------------------------------------------------------- asking

    def train(self, wish: Wish) -> JobId:
        """Queues training an encoder. Refused before anything is written: Invalid for a kind, setting or name that
        cannot be, AlreadyExists for a name that is taken, UnknownCollection, MissingPath, UnknownEncoder for the base.

        A training that was stopped goes on where it was when the same is asked again.
        """
        how = trainer(wish.kind)
        self.library.check_free(wish.name)
        how.settings_from(wish.settings)
        if wish.minutes is not None and not 0 < wish.minutes <= 24 * 60:
            raise Invalid(f"minutes must lie between 0 and {24 * 60}, not {wish.minutes}")
        if wish.base and not how.base:
            raise Invalid(f"{wish.kind} is not built on another encoder; leave the base out")
        if wish.tags and not how.takes_tags:
            raise Invalid(f"{wish.kind} does not learn from tagged words; leave the tags out")
        if base := wish.base or how.base:
            self._encoders.load(base)
        paths, tags = ([str(_there(path)) for path in given] for given in (wish.paths, wish.tags))
        with self._database.write() as catalog:
            if wish.collection is not None:
                catalog.collections.named(wish.collection)
            if how.reads == "translations" and not paths:
                raise Invalid(f"{wish.kind} learns from translations: name gettext catalogues (.mo) or tables (.tsv)")
            if wish.collection is None and not paths:
                raise Invalid("name a collection or files to learn from")
            return jobs.enqueue(catalog, TRAIN, replace(wish, paths=paths, tags=tags).payload())

    def add(self, name: str, spec: str) -> Installed:
        """Loads what `spec` names and saves it into the library in Riparian's own format; what it was loaded from is
        not needed any more. What `check_free` and `registry.load` refuse."""
        self.library.check_free(name)
        if name in registry.WITHOUT_PACKAGE and ":" not in spec:
            spec = f"{name}:{spec}"
        encoder = self._encoders.load(spec)
        desk = desk_of(self._settings.data_dir, {"add": name, "spec": spec})
        try:
            encoder.save(desk / RESULT)
            return self.library.adopt(name, desk / RESULT)
        finally:
            shutil.rmtree(desk, ignore_errors=True)

    def remove(self, name: str) -> None:
        """Deletes an encoder of the library. UnknownEncoder; Conflict, naming them, while collections use it."""
        found = self.library.get(name)
        users = self.users(found)
        if users:
            raise Conflict(
                f"{name!r} has vectors in {', '.join(users)}, or cuts their passages; `riparian reindex` gives them "
                "another encoder, `riparian collections forget-encoder` drops these vectors"
            )
        self.library.remove(name)

    def users(self, found: Installed) -> list[str]:
        """Names of the collections that have vectors of it, are searched with it, or cut their passages by it."""
        with self._database.read() as catalog:
            stored = {one.id for one in catalog.encoders.all() if one.fingerprint == found.card.fingerprint}
            return [
                collection.name
                for collection in catalog.collections.all()
                if stored & {*catalog.vectors.encoders(collection.id), *_bound(collection)}
            ]

    # ---------------------------------------------------------------- working

    def _run_train(self, running: Running) -> Mapping[str, Any]:
        wish = Wish(**running.job.payload)
        how, began = trainer(wish.kind), time.monotonic()
        desk = desk_of(self._settings.data_dir, running.job.payload)
        material = self._material(wish, how, Spoken(running, "read", "texts"))
        report = self._trained(running, wish, how, material, desk)
        made = self.library.adopt(wish.name, desk / RESULT)
        shutil.rmtree(desk, ignore_errors=True)
        return {
            "encoder": made.name,
            "kind": wish.kind,
            "fingerprint": made.card.fingerprint,
            "origin": material.origin,
            "seconds": round(time.monotonic() - began, 1),
            "report": report,
        }

    def _trained(self, running: Running, wish: Wish, how: Trainer, material: Material, desk: Path) -> Report:
        if is_saved(desk / RESULT) and (desk / REPORT).is_file():  # killed between its end and the library
            done: Report = read_json(desk / REPORT)
            return done
        request = self._request(wish, how, material, desk)
        request = self._within(running, wish, how, request, desk)
        request = replace(request, run=replace(request.run, progress=Spoken(running, "train", "steps")))
        try:
            report = how.write(request)
        except Conflict:  # the text is not what it was: what was learnt from the old one is no start
            (desk / CHECKPOINT).unlink(missing_ok=True)
            report = how.write(request)
        write_json(desk / REPORT, report)
        return report

    def _request(self, wish: Wish, how: Trainer, material: Material, desk: Path) -> Request:
        settings = self._settings
        given = {"name": wish.name} | dict(wish.settings)
        run = Run(
            seed=wish.seed,
            checkpoint=desk / CHECKPOINT,
            device=settings.device,
            workers=settings.threads,
        )
        options = Options(settings.data_dir / "cache", settings.device, settings.threads, settings.engine)
        base = self.library.spec_of(wish.base or how.base)
        return Request(material, how.settings_from(given), base, run, options, desk / RESULT)

    def _within(self, running: Running, wish: Wish, how: Trainer, request: Request, desk: Path) -> Request:
        """The request with as many epochs, and as much of the text, as fit into the minutes that were granted."""
        if wish.minutes is None:
            return request
        planned = self._planned(running, wish, how, request, desk)
        settings = replace(request.settings, epochs=planned.epochs)
        texts = planned.chosen(request.material.texts, wish.seed) if request.material.texts else ()
        return replace(request, settings=settings, material=replace(request.material, texts=texts))

    def _planned(self, running: Running, wish: Wish, how: Trainer, request: Request, desk: Path) -> budget.Plan:
        """Measured once and written down, so that a run that goes on keeps to it."""
        path = desk / _PLAN
        if path.is_file():
            return budget.Plan(**read_json(path))
        assert wish.minutes is not None

        def trial(progress: Progress) -> None:
            with suppress(FileNotFoundError):
                shutil.rmtree(desk / "trial")
            run = replace(request.run, progress=progress, checkpoint=None)
            how.write(replace(request, run=run, into=desk / "trial" / RESULT))

        running.progress("measure", 0, 0, "steps")
        planned = budget.plan(wish.minutes, request.settings.epochs, trial)
        shutil.rmtree(desk / "trial", ignore_errors=True)
        write_json(path, asdict(planned))
        return planned

    # ---------------------------------------------------------------- text

    def _material(self, wish: Wish, how: Trainer, tell: Progress) -> Material:
        paths = [Path(path) for path in wish.paths]
        if how.reads == "translations":
            from riparian.encoders.cove.parallel import read as read_translations

            pairs = [Pair(source, target) for source, target in read_translations(_tables(paths))]
            return Material(f"{len(pairs)} translations from {_names(paths)}", pairs=pairs)
        found = list(distinct(self._database, wish.collection, tell)) if wish.collection is not None else []
        read = [text for text in self._read_texts(paths) if text.strip()] if paths else []
        where = [f"collection {wish.collection!r}"] * (wish.collection is not None) + [_names(paths)] * bool(paths)
        origin = f"{len(found) + len(read)} texts of {' and '.join(where)}"
        if how.reads == "views":
            pairs = [Pair(one.title, body_of(one)) for one in found if one.title.strip() and body_of(one)]
            return Material(origin, pairs=pairs)
        texts = [one.text for one in found] + read
        if not texts:
            raise Invalid(f"nothing to learn from: {origin}")
        return Material(origin, texts=texts, tagged=list(_tagged(wish.tags)))


def _bound(collection: Collection) -> set[object]:
    """Ids of the encoders that the collection cannot do without: that of its searches, that of its passages."""
    return {collection.encoder_id, collection.settings.get("splitter")}


def _tagged(paths: Sequence[str]) -> Iterator[Tagged]:
    """Sentences of files with a word, a space and its tag a line."""
    from riparian.encoders.cvt.labels import read_tagged

    for path in paths:
        for words, tags in read_tagged(Path(path)):
            yield Tagged(tuple(words), tuple(tags))


def _there(path: str) -> Path:
    """MissingPath where there is none."""
    found = Path(path).expanduser().resolve()
    if not found.exists():
        raise MissingPath(path)
    return found


def _tables(paths: Sequence[Path]) -> list[Path]:
    """Files as they are; of folders, the gettext catalogues and tables at any depth, in order of path."""
    found = [
        file
        for path in paths
        for file in (
            sorted(each for each in path.rglob("*") if each.name.endswith((".mo", ".tsv", ".tsv.gz")))
            if path.is_dir()
            else [path]
        )
    ]
    if not found:
        raise NothingToRead(paths)
    return found


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
