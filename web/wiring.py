"""The composition root: the only place that names concrete parts, for the WSGI entry, the commands and the worker."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from flask import current_app

from indexer.sample import sample_documents
from indexer.sandbox import Readers
from indexer.service import IndexService
from indexer.texts import encoder_inputs, texts_of
from riparian.catalog import migrate
from riparian.catalog.catalog import Catalog
from riparian.catalog.engine import Database, connect
from riparian.config import Settings
from riparian.device import threads
from riparian.encoders.library import Library
from riparian.encoders.pool import EncoderPool
from riparian.errors import MissingPath, Unavailable
from riparian.jobs import Handler
from riparian.lexical.indexes import LexicalStore
from riparian.types import Collection, CollectionId, JobId, TopicModelInfo
from riparian.vectors.state_store import StateStore
from riparian.vectors.store import VectorStore
from search.answers import AnswerService
from search.calibration import CalibrationService, queue_calibration
from search.explain.meaning import Meanings
from search.explain.service import ExplainService
from search.request import Rerank
from search.reranker import PairScores
from search.saved import SavedService, queue_check
from search.service import SearchService
from search.summaries import SummaryService
from senses.queueing import queue_assign as queue_senses
from senses.service import SenseService
from topics.analysis.service import AnalysisService
from topics.curation.service import CurationService
from topics.learned import LearnedService
from topics.refit.service import RefitService
from topics.refit.watching import DriftService
from topics.service import TopicService, queue_assign, queue_fit
from training.benches import BenchService
from training.heads.service import HeadService
from training.quality import QualityService
from training.service import ReadTexts, TrainingService
from training.tuning import TuningService
from web.gate import Gate
from web.gated import GatedAnswers, GatedExplain, GatedSearch, GatedSummaries
from web.judging import graded
from web.looks import keep_colours
from web.own_search import MeasuredSearch
from web.span_readers import SpanReaders

EXTENSION = "riparian"
GENERAL_DOCUMENTS = 200
MOST_SEARCHES = 16  # at once; the encoder itself uses every core


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that views, commands and the worker ask; safe to share between threads."""

    settings: Settings
    database: Database
    encoders: EncoderPool
    vectors: VectorStore
    lexical: LexicalStore
    indexer: IndexService
    search: GatedSearch
    explain: GatedExplain
    answers: GatedAnswers
    summaries: GatedSummaries
    saved: SavedService
    calibration: CalibrationService
    senses: SenseService
    topics: TopicService
    curation: CurationService
    refits: RefitService
    drift: DriftService
    analyses: AnalysisService
    learned: LearnedService
    training: TrainingService
    tuning: TuningService
    heads: HeadService
    benches: BenchService
    quality: QualityService
    handlers: Mapping[str, Handler]
    gate: Gate

    def collections(self) -> list[Collection]:
        """Every collection by name."""
        with self.database.read() as catalog:
            return catalog.collections.all()

    def fit_topics(
        self,
        name: str,
        *,
        topics: int | None = None,
        kind: str | None = None,
        seed: int | None = None,
        options: Mapping[str, Any] | None = None,
        labels: str | None = None,
        words: int | None = None,
        afresh: bool = False,
    ) -> JobId:
        """Queues finding a collection's topics, unless that is queued or under way in the same words.

        Topics that people changed are refitted and proposed, unless `afresh`. UnknownCollection; Invalid for what can
        never work.
        """
        with self.database.write() as catalog:
            collection = catalog.collections.named(name)
            return queue_fit(
                catalog, collection.id,
                kind=kind, topics=topics, seed=seed, options=options, labels=labels, words=words, afresh=afresh,
            )  # fmt: skip

    def apply_refit(self, collection: CollectionId, *, author: str = "", reason: str = "") -> TopicModelInfo:
        """Shows the proposed topics; those that are known again keep their colours. Raises what `refits.apply` does."""
        self.refits.proposal(collection)
        keep_colours(self.database, collection)
        return self.refits.apply(collection, author=author, reason=reason)


def build(settings: Settings) -> Services:
    """The services over the data folder of `settings`, its database brought up to date. Loads no model."""
    never_fork()
    _make_folder(settings.data_dir)
    database = Database(connect(settings.catalog_url))
    migrate.upgrade(database.engine)
    library = Library(settings.data_dir / "encoders")
    encoders = EncoderPool.from_settings(settings)
    vectors = VectorStore(database, settings.data_dir)
    lexical = LexicalStore(database, settings.data_dir)
    topics = TopicService(database, encoders, vectors, settings)
    curation = CurationService(database, vectors, topics.vocabulary)
    refits = RefitService(database, topics, curation, settings)
    analyses = AnalysisService(database, vectors, settings)
    follow_up = partial(_after_indexing, settings.calibrate)
    indexer = IndexService(database, encoders, vectors, lexical, settings, follow_up=follow_up, mend_topics=refits.mend)
    gate = Gate(min(MOST_SEARCHES, 2 * threads(settings.threads)))
    inner = _search(settings, database, encoders, vectors, lexical)
    search, saved, meanings = GatedSearch(inner, gate), SavedService(database, inner), Meanings()
    read_texts = _text_reader(settings)
    training = TrainingService(database, encoders, library, settings, read_texts=read_texts)
    benches = BenchService(database, encoders, read_texts, encoder_inputs)
    tuning = TuningService(database, encoders, library, settings, read_texts=read_texts, general=_general_texts)
    heads = HeadService(database, encoders, library, settings)
    quality = QualityService(database, MeasuredSearch(settings, database, encoders, inner, _search))
    senses = SenseService(database, encoders, lexical, settings.data_dir / "cache" / "senses", general=_general_texts)
    calibration = CalibrationService(database, inner, partial(graded, database))
    rooms = (indexer, calibration, senses, topics, refits, analyses, saved, training, tuning, heads, benches, quality)
    handlers = {kind: handler for room in rooms for kind, handler in room.handlers.items()}
    return Services(
        settings=settings,
        database=database,
        encoders=encoders,
        vectors=vectors,
        lexical=lexical,
        indexer=indexer,
        search=search,
        explain=GatedExplain(ExplainService(database, inner, meanings), gate),
        answers=GatedAnswers(AnswerService(inner, SpanReaders(heads, settings.device).of, meanings), gate),
        summaries=GatedSummaries(SummaryService(database, encoders, inner), gate),
        saved=saved,
        calibration=calibration,
        senses=senses,
        topics=topics,
        curation=curation,
        refits=refits,
        drift=DriftService(database, curation),
        analyses=analyses,
        learned=LearnedService(database, topics.model_of),
        training=training,
        tuning=tuning,
        heads=heads,
        benches=benches,
        quality=quality,
        handlers=handlers,
        gate=gate,
    )


def _after_indexing(calibrate: bool, catalog: Catalog, collection_id: CollectionId) -> None:
    """Queues what follows a change of the collection: topics of new passages, saved senses of new
    occurrences, what its scores mean where it changed much, new hits of saved searches."""
    queue_assign(catalog, collection_id)
    queue_senses(catalog, collection_id)
    if calibrate:
        queue_calibration(catalog, collection_id)
    queue_check(catalog, collection_id)


def _search(
    settings: Settings, database: Database, encoders: EncoderPool, vectors: VectorStore, lexical: LexicalStore
) -> SearchService:
    """Nothing is loaded before a search asks for it."""

    def cross_encoder() -> PairScores:
        from riparian.encoders.cross_encoder import load

        return load(settings.cross_encoder, threads(settings.threads))

    return SearchService(
        database,
        encoders,
        vectors,
        lexical,
        settings.hybrid_weight,
        states=StateStore(database, settings.data_dir),
        rerank=Rerank(settings.rerank),
        load_cross_encoder=cross_encoder,
    )


def _text_reader(settings: Settings) -> ReadTexts:
    """Reads files with the indexer's readers and limits."""
    return lambda paths: texts_of(paths, lambda: Readers(settings.reader_memory_mb, settings.reader_seconds))


def _general_texts() -> Iterator[str]:
    """Texts that are not the user's, on which it shows what tuning made an encoder forget; none where the sample
    archive is not installed."""
    try:
        for document in islice(sample_documents(), GENERAL_DOCUMENTS):
            yield document.text
    except (Unavailable, MissingPath):
        return


def _make_folder(folder: Path) -> None:
    """Unavailable, with the reason, where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"nothing can be kept in the data folder {folder}: {error.strerror or error}") from error


def never_fork() -> None:
    """FAISS hangs in a child forked after a search: whatever this process starts from now on is spawned, also where a
    library that was imported earlier has settled on fork."""
    if multiprocessing.get_start_method(allow_none=True) in (None, "fork"):
        multiprocessing.set_start_method("spawn", force=True)


def services() -> Services:
    """The services of the application that answers the current request."""
    found: Services = current_app.extensions[EXTENSION]
    return found
