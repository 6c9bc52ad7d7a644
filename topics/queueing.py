"""The jobs of the room: what is queued for later, in the transaction of what it follows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from riparian import jobs
from riparian.catalog.catalog import Catalog
from riparian.catalog.curation import APPLIED
from riparian.types import CollectionId, EncoderId, Job, JobId, JobState, TopicModelInfo
from topics import kinds
from topics.asked import Asked, AskedAgain

FIT, ASSIGN, REFIT = "topics", "assign-topics", "refit-topics"
"""Kinds of job: find topics anew, infer them for passages that came later, propose topics under what people changed."""
AFRESH = "afresh"
"""In the payload of a fit: it may take the place of topics that people changed."""


def queue_fit(
    catalog: Catalog,
    collection_id: CollectionId,
    *,
    kind: str | None = None,
    topics: int | None = None,
    seed: int | None = None,
    options: Mapping[str, Any] | None = None,
    labels: str | None = None,
    words: int | None = None,
    afresh: bool = False,
) -> JobId:
    """Queues finding topics in the caller's transaction, unless the same is queued or under way.

    Topics that people changed are refitted, as they were asked for where nothing else is said: the refit is proposed,
    and nobody's work is lost. `afresh` starts without what people did, and so does a collection without topics, with
    the usual kind and seed. Raises Invalid where it could never work (see `topics.asked.Asked`).
    """
    info = active(catalog, collection_id)
    if info is not None and not afresh and is_curated(catalog, info):
        return queue_refit(catalog, info, AskedAgain(kind, topics, seed, options or None, labels, words))
    asked = Asked(kind or kinds.DEFAULT, topics, seed or 0, options or {}, labels or None, words)
    asked.check()
    return _once(catalog, FIT, asked.payload() | ({AFRESH: True} if afresh else {}), collection_id)


def queue_refit(
    catalog: Catalog, info: TopicModelInfo, again: AskedAgain, more: Mapping[str, Any] = MappingProxyType({})
) -> JobId:
    """Queues a refit of the model, unless the same is queued or under way; `more` stands in its payload, too. Raises
    Invalid where it could never work."""
    again.over(info).check()
    return _once(catalog, REFIT, {**again.payload(), **more}, info.collection_id)


def _once(catalog: Catalog, kind: str, payload: Mapping[str, Any], collection_id: CollectionId) -> JobId:
    waiting = jobs.unfinished(catalog, collection_id, kind)
    if waiting is not None and not waiting.cancel_requested and dict(waiting.payload) == dict(payload):
        return waiting.id
    return jobs.enqueue(catalog, kind, dict(payload), collection_id)


def queue_assign(catalog: Catalog, collection_id: CollectionId) -> None:
    """Queues the inference of new passages where the collection has topics; meant for the end of indexing, and for the
    switch to another encoder.

    Topics were found in the vectors of one encoder. Where the collection has another one now, the topics that were
    found with that are shown again if they are kept; otherwise finding them anew, as they were asked for, is queued,
    and the old ones are shown until then. Topics that people changed are refitted: the old ones are shown until they
    apply it.
    """
    info = active(catalog, collection_id)
    encoder = catalog.collections.get(collection_id).encoder_id
    if info is None or encoder is None:
        return
    if info.encoder_id != encoder:
        kept = _newest_of(catalog, collection_id, encoder)
        if kept is None:
            _queue_anew(catalog, info, encoder)
            return
        catalog.topics.activate(kept.id)
        info = kept
    if len(catalog.topics.unassigned(info.id, collection_id)):
        jobs.enqueue(catalog, ASSIGN, {}, collection_id)


def is_outdated(catalog: Catalog, collection_id: CollectionId, payload: Mapping[str, Any]) -> bool:
    """Whether a fit was queued for an encoder that the collection has left again meanwhile."""
    wanted = payload.get("encoder")
    return wanted is not None and catalog.collections.get(collection_id).encoder_id != wanted


def _newest_of(catalog: Catalog, collection_id: CollectionId, encoder: EncoderId) -> TopicModelInfo | None:
    models = catalog.topics.models(collection_id)
    found = [info for info in models if info.encoder_id == encoder and info.state == "kept"]
    return max(found, key=lambda info: info.id, default=None)


def is_curated(catalog: Catalog, info: TopicModelInfo) -> bool:
    """Whether people changed anything that a new fit without them would lose."""
    changed = any(
        topic.named or topic.pinned or topic.hidden or topic.note for topic in catalog.curation.stored(info.id)
    )
    return changed or any(edit.state == APPLIED for edit in catalog.curation.edits(info.id))


def _queue_anew(catalog: Catalog, info: TopicModelInfo, encoder: EncoderId) -> None:
    """A fit; a refit, which is looked at first, where people changed the topics."""
    if is_curated(catalog, info):
        _queue_refit(catalog, info, encoder)
        return
    payload = Asked.of_model(info).payload() | {"encoder": int(encoder)}
    waiting = jobs.unfinished(catalog, info.collection_id, FIT)
    if waiting is None or waiting.cancel_requested or not _will_do(waiting, payload):
        jobs.enqueue(catalog, FIT, payload, info.collection_id)


def _queue_refit(catalog: Catalog, info: TopicModelInfo, encoder: EncoderId) -> None:
    models = catalog.topics.models(info.collection_id)
    proposed = any(model.state == "proposed" and model.encoder_id == encoder for model in models)
    if not proposed:
        queue_refit(catalog, info, AskedAgain(), {"encoder": int(encoder)})


def _will_do(waiting: Job, payload: Mapping[str, Any]) -> bool:
    """Whether a fit that is under way finds topics in the encoder's vectors: it was queued for it, or has yet to look
    which encoder the collection has."""
    free = waiting.state is JobState.QUEUED and "encoder" not in waiting.payload
    return free or dict(waiting.payload) == payload


def active(catalog: Catalog, collection_id: CollectionId) -> TopicModelInfo | None:
    """The model that pages show, None before the first fit."""
    return next((info for info in catalog.topics.models(collection_id) if info.active), None)
