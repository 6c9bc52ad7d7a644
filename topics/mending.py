"""Makes topic models good whose files are damaged; what they said about passages stands in SQL meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from riparian import jobs, manifests
from riparian.catalog.catalog import Catalog
from riparian.catalog.engine import Database
from riparian.errors import DamagedIndex, RiparianError
from riparian.jobs import Handler
from riparian.types import CollectionId, JobId, JobState, TopicModelInfo
from topics import files
from topics.asked import Asked, AskedAgain
from topics.queueing import FIT, REFIT, is_curated, queue_fit, queue_refit


def mend(database: Database, data_dir: Path, collection_id: CollectionId, handlers: Mapping[str, Handler]) -> None:
    """Fits the active model again where it is damaged, then removes what is damaged; see `TopicService.mend`."""
    damaged = _damaged(database, data_dir, collection_id)
    again = next((info for info in damaged if info.active), None)
    if again is None or _fit_again(database, collection_id, again, handlers):
        _remove(database, data_dir, damaged)


def _damaged(database: Database, data_dir: Path, collection_id: CollectionId) -> list[TopicModelInfo]:
    with database.read() as catalog:
        folders = [(info, catalog.topics.folder(info.id)) for info in catalog.topics.models(collection_id)]
    return [info for info, folder in folders if not _is_sound(data_dir / folder)]


def _is_sound(folder: Path) -> bool:
    try:
        manifests.verify(folder)
    except DamagedIndex:
        return False
    return True


def _fit_again(
    database: Database, collection_id: CollectionId, info: TopicModelInfo, handlers: Mapping[str, Handler]
) -> bool:
    """Whether it is done; False where it waits for another job of the collection.

    Topics that people changed are refitted, and the refit applied: nothing of what they did is lost.
    """
    with database.write() as catalog:
        refit = REFIT in handlers and is_curated(catalog, info)
        waiting = jobs.unfinished(catalog, collection_id, REFIT if refit else FIT)
        job = waiting.id if waiting else _queue(catalog, info, refit=refit)
    done = jobs.run_one(database, handlers, only=job)
    if done is not None and done.state is not JobState.DONE:
        raise RiparianError(f"the topics of collection {collection_id} could not be fitted again: {done.message}")
    return done is not None


def _queue(catalog: Catalog, info: TopicModelInfo, *, refit: bool) -> JobId:
    """As it was asked for, with every option."""
    if refit:
        return queue_refit(catalog, info, AskedAgain(), {"apply": True})
    asked = Asked.of_model(info)
    return queue_fit(
        catalog, info.collection_id, kind=asked.kind, topics=asked.topics, seed=asked.seed, options=asked.options,
        labels=asked.labels, words=asked.words, afresh=True,
    )  # fmt: skip


def _remove(database: Database, data_dir: Path, damaged: list[TopicModelInfo]) -> None:
    for info in damaged:
        with database.write() as catalog:
            if info.id not in {model.id for model in catalog.topics.models(info.collection_id)}:
                continue  # the fit removed it
            folder = catalog.topics.folder(info.id)
            catalog.topics.remove_model(info.id)
        files.remove(data_dir, folder)
