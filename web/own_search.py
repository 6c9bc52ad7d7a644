"""The product's own search, handed to those who measure it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.readers.base import ReadOptions
from indexer.service import IndexService
from riparian import jobs
from riparian.catalog import migrate
from riparian.catalog.catalog import Catalog
from riparian.catalog.engine import Database, connect
from riparian.config import Settings
from riparian.encoders.base import Progress
from riparian.encoders.pool import EncoderPool
from riparian.errors import Conflict, NotIndexedYet
from riparian.jobs import Handler
from riparian.lexical.indexes import LexicalStore
from riparian.types import Collection, JobState, Mode
from riparian.vectors.store import VectorStore
from search.request import WEIGHT, Rerank, SearchRequest, usual_weight
from search.service import SearchService, Standing
from training.evaluation.answers import HYBRID, Ask
from training.evaluation.tasks import Body

_SAMPLE = "sample"
_MODES = {"lexical": Mode.LEXICAL, "semantic": Mode.SEMANTIC, HYBRID: Mode.HYBRID}
_RERANKED = {"re-ranked": Rerank.MAXSIM, "cross-encoder": Rerank.CROSS_ENCODER}
"""Hybrid search in which the best hits are put in order once more."""


@dataclass(frozen=True, slots=True)
class MeasuredSearch:
    """Asks without feedback: who is measured by judgments must not have read them."""

    settings: Settings
    database: Database
    encoders: EncoderPool
    search: SearchService
    make_search: Callable[[Settings, Database, EncoderPool, VectorStore, LexicalStore], SearchService]

    def ways(self, collection: str) -> Sequence[str]:
        with self.database.read() as catalog:
            found = catalog.collections.named(collection)
            embedded = found.encoder_id is not None and catalog.vectors.pending_count(found.id, found.encoder_id) == 0
        if not embedded or not found.passages:
            raise NotIndexedYet(f"{collection!r} is not embedded yet; measure it when indexing is done")
        return (*_MODES, *(way for way, kind in _RERANKED.items() if self._can(found, kind)))

    def usual_way(self, collection: str) -> str:
        """What a hybrid search does unasked."""
        ways = self.ways(collection)
        return next((way for way, kind in _RERANKED.items() if kind == self.settings.rerank and way in ways), HYBRID)

    def _can(self, collection: Collection, kind: Rerank) -> bool:
        if kind is Rerank.CROSS_ENCODER:
            return bool(self.settings.cross_encoder)
        with self.database.read() as catalog:
            assert collection.encoder_id is not None
            return bool(catalog.state_parts.live(collection.id, collection.encoder_id))

    def usual_weight(self, collection: str) -> float:
        with self.database.read() as catalog:
            return usual_weight(catalog.collections.named(collection), self.settings.hybrid_weight)

    def set_weight(self, collection: str, weight: float | None) -> None:
        with self.database.write() as catalog:
            found = catalog.collections.named(collection)
            kept = {name: value for name, value in found.settings.items() if name != WEIGHT}
            catalog.collections.set_settings(found.id, kept if weight is None else kept | {WEIGHT: weight})

    def asks(self, collection: str) -> Ask:
        return _Asks(self.search, collection)

    @contextmanager
    def scratch(self, collection: str, bodies: Sequence[Body], progress: Progress) -> Iterator[Ask]:
        """Indexed by the product's own job, in a folder that is gone afterwards."""
        with self.database.read() as catalog:
            encoder_id = catalog.collections.named(collection).encoder_id
            assert encoder_id is not None
            spec = catalog.encoders.get(encoder_id).spec
        with tempfile.TemporaryDirectory(prefix="riparian-sample-") as folder, _place(Path(folder)) as database:
            changes = {"data_dir": Path(folder), "database_url": "", "hybrid_weight": self.usual_weight(collection)}
            own = self.settings.model_copy(update=changes)
            vectors, lexical = VectorStore(database, own.data_dir), LexicalStore(database, own.data_dir)
            indexer = IndexService(database, self.encoders, vectors, lexical, own)
            table = _written(Path(folder), bodies)
            columns = ReadOptions(id_column="id", title_column="title", text_column="text", language_column="language")
            _index(database, indexer, indexer.add(_SAMPLE, [table], columns, spec), progress)
            yield _Asks(self.make_search(own, database, self.encoders, vectors, lexical), _SAMPLE, _numbers(database))


@dataclass(frozen=True, slots=True)
class _Asks:
    """`numbers` give what is asked for other names: those of the collection that a sample was drawn from."""

    search: SearchService
    collection: str
    numbers: Mapping[int, int] | None = None

    def __call__(self, way: str, query: str, depth: int) -> Sequence[int]:
        return self._first(self.search.standing(self._request(way, query, depth)), depth)

    def at_weights(self, way: str, query: str, weights: Sequence[float], depth: int) -> Sequence[Sequence[int]]:
        found = self.search.at_weights(self._request(way, query, depth), weights)
        return [self._first(standing, depth) for standing in found]

    def _request(self, way: str, query: str, depth: int) -> SearchRequest:
        return SearchRequest(
            self.collection,
            query,
            _MODES.get(way, Mode.HYBRID),
            k=depth,
            collapse=False,
            sentences=False,
            feedback=False,
            rerank=_RERANKED.get(way, Rerank.NONE),
        )

    def _first(self, standing: Standing, depth: int) -> list[int]:
        found: list[int] = standing.ranked.ranking.ids[:depth].tolist()
        return found if self.numbers is None else [self.numbers[one] for one in found]


@contextmanager
def _place(folder: Path) -> Iterator[Database]:
    engine = connect(f"sqlite:///{folder / 'catalog.sqlite'}")
    try:
        migrate.upgrade(engine)
        yield Database(engine)
    finally:
        engine.dispose()


def _written(folder: Path, bodies: Sequence[Body]) -> Path:
    table = folder / "sample.jsonl"
    with table.open("w", encoding="utf-8") as file:
        for body in bodies:
            file.write(json.dumps(_row(body), ensure_ascii=False) + "\n")
    return table


def _row(body: Body) -> dict[str, str]:
    return {"id": str(body.id), "title": "", "language": body.language, "text": body.text}


@dataclass(frozen=True, slots=True)
class _Told(jobs.Running):
    """A hold on the job of the scratch index whose progress another job tells, and which stops when that should."""

    tell: Progress

    def checkpoint(
        self,
        catalog: Catalog,
        *,
        state: Mapping[str, Any] | None = None,
        stage: str | None = None,
        done: int | None = None,
        total: int | None = None,
        unit: str | None = None,
    ) -> None:
        jobs.Running.checkpoint(self, catalog, state=state, stage=stage, done=done, total=total, unit=unit)
        if done is not None and total:
            self.tell(done, total)


def _index(database: Database, indexer: IndexService, job: Any, progress: Progress) -> None:
    def told(handler: Handler) -> Handler:
        return lambda running: handler(_Told(running.database, running.job, running.worker, progress))

    handlers: dict[str, Callable[..., Any]] = {kind: told(handler) for kind, handler in indexer.handlers.items()}
    done = jobs.run_one(database, handlers, only=job)
    if done is not None and done.state is JobState.CANCELLED:
        raise jobs.Cancelled(done.message)
    if done is None or done.state is not JobState.DONE:
        raise Conflict(f"the sample could not be indexed: {done.message if done else 'its job was not to be had'}")


def _numbers(database: Database) -> dict[int, int]:
    """Documents of the sample → documents of the collection."""
    found: dict[int, int] = {}
    after = 0
    with database.read() as catalog:
        own = catalog.collections.named(_SAMPLE).id
        while page := catalog.documents.page(own, limit=1000, after=after):
            found |= {int(one.id): int(one.metadata["id"]) for one in page}
            after = page[-1].id
    return found
