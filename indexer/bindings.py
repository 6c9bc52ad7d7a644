"""Which encoder a collection answers with: the one it is bound to, those it has vectors of besides, and the switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from riparian import jobs
from riparian.catalog.catalog import Catalog
from riparian.catalog.encoders import StoredEncoder
from riparian.errors import Conflict, Invalid, NoVectorsOf
from riparian.types import Collection, CollectionId, EncoderId, JobId

REINDEX = "reindex"
"""The kind of job that embeds a collection with another encoder (`indexer/reindex.py`). Its payload: `encoder`, an id
of the catalog, and `switch`, whether searches shall use it at the end."""

SWITCHED, FORGOTTEN = "encoder-switched", "encoder-forgotten"
"""Kinds of event: `from` and `to` are ids of encoders; `encoder` is the one whose vectors were dropped."""

FollowUp = Callable[[Catalog, CollectionId], None]
"""Queues what comes after a change of the vectors that are searched (topics), in the transaction of the change."""

_SHORTEST_FINGERPRINT = 8


@dataclass(frozen=True, slots=True)
class Binding:
    """An encoder that a collection has vectors of, or is bound to.

    `vectors` passages are embedded with it and `pending` are not yet; `generation` = its published folder's number.
    `active`: searches use it; `previous`: a rollback goes to it.
    """

    encoder: StoredEncoder
    vectors: int
    pending: int
    generation: int | None
    active: bool
    previous: bool


@dataclass(frozen=True, slots=True)
class Switched:
    """A collection's encoder was switched, or will be by `job`, which embeds what is pending first."""

    encoder: StoredEncoder
    job: JobId | None


def bindings(catalog: Catalog, collection: Collection) -> list[Binding]:
    """The active one first, the others by the time of their first use."""
    previous = previous_encoder(catalog, collection)
    found = dict.fromkeys(catalog.vectors.encoders(collection.id))
    if collection.encoder_id is not None:
        found = {collection.encoder_id: None} | found
    return [_binding(catalog, collection, encoder, previous) for encoder in found]


def _binding(catalog: Catalog, collection: Collection, encoder: EncoderId, previous: EncoderId | None) -> Binding:
    generation = catalog.vectors.active(collection.id, encoder)
    vectors = catalog.vectors.count(collection.id, encoder)
    return Binding(
        encoder=catalog.encoders.get(encoder),
        vectors=vectors,
        pending=collection.passages - vectors,  # a passage has at most one of an encoder
        generation=generation.number if generation is not None else None,
        active=encoder == collection.encoder_id,
        previous=encoder == previous,
    )


def chosen(catalog: Catalog, collection: Collection, asked: Sequence[str]) -> Binding:
    """The encoder that one of `asked` names: its spec, its name, or the beginning of its fingerprint.

    NoVectorsOf where the collection has none of it; Invalid where several are meant.
    """
    there = bindings(catalog, collection)
    named = [b for b in there if b.encoder.spec in asked or b.encoder.name in asked]
    found = named or [b for b in there if any(_begins(b.encoder.fingerprint, one) for one in asked)]
    if not found:
        raise NoVectorsOf(collection.name, asked[0], [b.encoder.name for b in there])
    if len(found) > 1:
        several = ", ".join(f"{b.encoder.name} ({b.encoder.fingerprint[:12]})" for b in found)
        raise Invalid(f"{asked[0]!r} means several encoders: {several}; give the fingerprint of one")
    return found[0]


def _begins(fingerprint: str, asked: str) -> bool:
    return len(asked) >= _SHORTEST_FINGERPRINT and fingerprint.startswith(asked)


def previous_encoder(catalog: Catalog, collection: Collection) -> EncoderId | None:
    """The encoder that was active before the last switch, None where there was no switch."""
    event = catalog.events.last(collection.id, SWITCHED)
    return EncoderId(event.data["from"]) if event is not None else None


def queue(catalog: Catalog, collection: Collection, encoder: StoredEncoder, *, switch: bool) -> JobId:
    """A job that embeds what is pending of the encoder, or the one that waits or runs with the same words."""
    payload = {"encoder": int(encoder.id), "switch": switch}
    waiting = jobs.unfinished(catalog, collection.id, REINDEX)
    if waiting is not None and dict(waiting.payload) == payload and not waiting.cancel_requested:
        return waiting.id
    return jobs.enqueue(catalog, REINDEX, payload, collection.id)


def switch_or_queue(
    catalog: Catalog, collection: Collection, encoder: StoredEncoder, follow_up: FollowUp | None
) -> Switched:
    """Switches in the caller's transaction, which holds claims (`jobs.hold_claims`), or queues the job that will.

    NoVectorsOf where the collection has none of the encoder.
    """
    if encoder.id == collection.encoder_id:
        return Switched(encoder, None)
    pending = catalog.vectors.pending_count(collection.id, encoder.id)
    if pending and not catalog.vectors.count(collection.id, encoder.id):
        known = [binding.encoder.name for binding in bindings(catalog, collection)]
        raise NoVectorsOf(collection.name, encoder.name, known)
    # an indexing job that runs embeds with the encoder that it found: the switch waits for its end
    if pending or jobs.is_running(catalog, collection.id):
        return Switched(encoder, queue(catalog, collection, encoder, switch=True))
    switch(catalog, collection.id, encoder, follow_up)
    return Switched(encoder, None)


def switch(catalog: Catalog, collection_id: CollectionId, to: StoredEncoder, follow_up: FollowUp | None) -> None:
    """Binds the collection to another encoder, which has all of its vectors, in the caller's transaction."""
    collection = catalog.collections.get(collection_id)
    assert collection.encoder_id is not None
    if collection.encoder_id == to.id:
        return
    before = catalog.encoders.get(collection.encoder_id)
    catalog.collections.set_encoder(collection_id, to.id)
    names = {"from_name": before.name, "to_name": to.name}
    catalog.events.add(collection_id, SWITCHED, {"from": int(before.id), "to": int(to.id), **names})
    if follow_up is not None:
        follow_up(catalog, collection_id)


def forget(catalog: Catalog, collection: Collection, encoder: StoredEncoder) -> int:
    """Drops an encoder's vectors in the caller's transaction, which holds claims (`jobs.hold_claims`), and answers with
    how many those were.

    Conflict for the active encoder, and while a job of the collection runs, which may be making them.
    """
    if encoder.id == collection.encoder_id:
        raise Conflict(f"collection {collection.name!r} is searched with {encoder.name!r}; switch to another one first")
    if jobs.is_running(catalog, collection.id):
        raise Conflict(f"a job of collection {collection.name!r} runs; cancel it or wait until it is done")
    dropped = catalog.vectors.forget_encoder(collection.id, encoder.id)
    catalog.state_parts.forget_encoder(collection.id, encoder.id)
    catalog.collections.touch(collection.id)
    catalog.events.add(collection.id, FORGOTTEN, {"encoder": int(encoder.id), "name": encoder.name, "vectors": dropped})
    return dropped
