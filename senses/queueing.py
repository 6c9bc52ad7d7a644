"""The jobs of the room: what is queued for later, in the transaction of what it follows."""

from __future__ import annotations

from riparian import jobs
from riparian.catalog.catalog import Catalog
from riparian.types import CollectionId, JobId

FIND, ASSIGN = "senses", "assign-senses"
"""Kinds of job: find the senses of a word, give occurrences that came later their senses."""


def queue_find(
    catalog: Catalog,
    collection_id: CollectionId,
    word: str,
    *,
    lemma: bool = False,
    senses: int | None = None,
    anew: bool = False,
) -> JobId:
    """Queues finding a word's senses, unless that is queued or under way in the same words."""
    payload = {"word": word, "lemma": lemma, "senses": senses, "anew": anew}
    waiting = jobs.unfinished(catalog, collection_id, FIND)
    if waiting is not None and dict(waiting.payload) == payload:
        return waiting.id
    return jobs.enqueue(catalog, FIND, payload, collection_id)


def queue_assign(catalog: Catalog, collection_id: CollectionId) -> None:
    """Queues giving new occurrences their senses where a sense was saved; meant for the end of indexing."""
    revision = catalog.collections.get(collection_id).revision
    behind = [word for word in catalog.senses.words_with_saved(collection_id) if word.revision < revision]
    if behind and jobs.unfinished(catalog, collection_id, ASSIGN) is None:
        jobs.enqueue(catalog, ASSIGN, {}, collection_id)
