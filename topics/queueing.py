"""The jobs of the room: what is queued for later, in the transaction of what it follows."""

from __future__ import annotations

from riparian import jobs
from riparian.catalog.catalog import Catalog
from riparian.types import CollectionId, JobId, TopicModelInfo
from topics import kinds
from topics.discover import check_number

FIT, ASSIGN = "topics", "assign-topics"
"""Kinds of job: find topics anew, infer them for passages that came later."""


def queue_fit(
    catalog: Catalog,
    collection_id: CollectionId,
    *,
    kind: str = kinds.DEFAULT,
    topics: int | None = None,
    seed: int = 0,
) -> JobId:
    """Queues a fit in the caller's transaction. Raises Invalid where it could never work."""
    kinds.check(kind)
    check_number(topics)
    return jobs.enqueue(catalog, FIT, {"kind": kind, "topics": topics, "seed": seed}, collection_id)


def queue_assign(catalog: Catalog, collection_id: CollectionId) -> None:
    """Queues the inference of new passages where the collection has topics; meant for the end of indexing."""
    info = active(catalog, collection_id)
    if info is not None and len(catalog.topics.unassigned(info.id, collection_id)):
        jobs.enqueue(catalog, ASSIGN, {}, collection_id)


def active(catalog: Catalog, collection_id: CollectionId) -> TopicModelInfo | None:
    """The model that pages show, None before the first fit."""
    return next((info for info in catalog.topics.models(collection_id) if info.active), None)
