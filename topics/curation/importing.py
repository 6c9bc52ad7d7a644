"""A codebook out of a collection's topics, and into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from riparian.catalog.catalog import Catalog
from riparian.errors import Invalid
from riparian.types import CollectionId, PassageId, TopicId
from topics.curation.codebook import Codebook, Entry, Place
from topics.curation.edits import Curated, Draft, TopicState
from topics.curation.planning import checked_label, next_number


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a codebook: topics it was about, topics it made, topics it only wishes for, and passages that this
    collection does not have or that are pinned elsewhere."""

    met: int
    made: int
    wished: int
    passages: int
    passages_left: int


def codebook(catalog: Catalog, collection_id: CollectionId, curated: Curated) -> Codebook:
    """Active topics by id; passages by where they lie."""
    places = catalog.curation.places({p for state in curated.topics.values() for p in state.pins | state.moved})
    labels = catalog.curation.labels(t for state in curated.topics.values() for t in _took(state))
    found = {passage: Place(*place) for passage, place in places.items()}
    entries = tuple(_entry(state, found, labels) for _, state in sorted(curated.active().items()))
    return Codebook(catalog.collections.get(collection_id).name, entries)


def _entry(state: TopicState, places: Mapping[PassageId, Place], labels: Mapping[TopicId, str]) -> Entry:
    topic = state.topic
    return Entry(
        id=int(topic.id), label=topic.label, named=topic.named, note=topic.note, hidden=topic.hidden,
        pinned=topic.pinned, words=tuple(term.term for term in topic.terms), seeds=state.seeds,
        pins=_sorted(state.pins, places), moved=_sorted(state.moved, places),
        merged=tuple(labels[TopicId(t)] for t in _took(state) if TopicId(t) in labels),
    )  # fmt: skip


def _sorted(passages: Iterable[int], places: Mapping[PassageId, Place]) -> tuple[Place, ...]:
    found = [places[PassageId(p)] for p in passages if PassageId(p) in places]
    return tuple(sorted(found, key=lambda place: (place.source, place.start, place.end)))


def _took(state: TopicState) -> list[int]:
    return list((state.topic.origin or {}).get("took", ()))


# ------------------------------------------------------------------------------ into a collection


def draft(catalog: Catalog, collection_id: CollectionId, curated: Curated, book: Codebook) -> tuple[Draft, Taken]:
    """One edit that makes the topics say what the book says, as far as it has a place here.

    A topic is met by its label, whatever the case, or by its id where the book is of this collection; one that is not
    met is made of its passages, or wished for with its seeds or words. Invalid where that changes nothing.
    """
    wanted = {place for entry in book.entries for place in (*entry.pins, *entry.moved)}
    passages = catalog.curation.at(collection_id, [(p.source, p.start, p.end) for p in wanted])
    own = catalog.collections.get(collection_id).name == book.collection
    work = _Work(curated, {Place(*place): int(passage) for place, passage in passages.items()}, own)
    for entry in book.entries:
        work.take(entry)
    if not work.edits:
        raise Invalid("the codebook changes nothing here: no topic of it is met, or all is so already")
    return Draft("import", {"edits": work.edits}), work.taken(len(wanted))


class _Work:
    """One codebook on its way in."""

    def __init__(self, curated: Curated, passages: Mapping[Place, int], own: bool) -> None:
        self.edits: list[dict[str, Any]] = []
        self._passages, self._own = passages, own
        self._states = curated.active()
        self._labels = {state.topic.label.casefold(): key for key, state in self._states.items()}
        self._pinned = curated.pinned_passages()
        self._number = next_number(curated)
        self._gone: set[TopicId] = set()
        self._met = self._made = self._wished = self._placed = 0

    def take(self, entry: Entry) -> None:
        topic = self._topic_of(entry)
        if topic is not None:
            self._met += 1
            self._meet(topic, entry)
        elif any(place in self._passages for place in (*entry.pins, *entry.moved)):
            self._make(entry)
        elif entry.seeds or entry.words:
            self._wished += 1
            words = list(entry.seeds or entry.words[:10])
            self._add("seed", topic=None, label=checked_label(entry.label), words=words)

    def taken(self, wanted: int) -> Taken:
        return Taken(self._met, self._made, self._wished, self._placed, wanted - self._placed)

    def _topic_of(self, entry: Entry) -> TopicId | None:
        met = self._labels.get(entry.label.casefold())
        if met is None and self._own and TopicId(entry.id) in self._states:
            met = TopicId(entry.id)
        return None if met in self._gone else met

    def _meet(self, topic: TopicId, entry: Entry) -> None:
        state = self._states[topic]
        if entry.named and (state.topic.label, state.topic.named) != (entry.label, True):
            self._add("rename", topic=int(topic), label=checked_label(entry.label))
        self._merge(topic, entry)
        if entry.note and state.topic.note != entry.note:
            self._add("note", topic=int(topic), note=entry.note)
        if state.topic.hidden != entry.hidden:
            self._add("hide", topic=int(topic), hidden=entry.hidden)
        if entry.seeds and state.seeds != entry.seeds:
            self._add("seed", topic=int(topic), words=list(entry.seeds))
        self._place(int(topic), entry, state.moved | state.pins, None)
        self._pin(int(topic), entry, state.pins)
        if entry.pinned and not state.topic.pinned:
            self._add("pin", topic=int(topic))

    def _make(self, entry: Entry) -> None:
        made = -1 - self._made
        self._made += 1
        self._place(made, entry, frozenset(), {"number": self._number, "label": checked_label(entry.label)})
        self._number += 1
        self._pin(made, entry, frozenset())
        if entry.note:
            self._add("note", topic=made, note=entry.note)
        if entry.seeds:
            self._add("seed", topic=made, words=list(entry.seeds))

    def _merge(self, topic: TopicId, entry: Entry) -> None:
        found = [self._labels.get(label.casefold()) for label in entry.merged]
        sources = [t for t in found if t not in (None, topic) and t not in self._gone]
        free = [t for t in sources if t is not None and not self._states[t].topic.pinned]
        if free:
            self._gone.update(free)
            self._add("merge", topics=[int(t) for t in free], into=int(topic), words={})

    def _place(self, topic: int, entry: Entry, there: frozenset[int], made: dict[str, Any] | None) -> None:
        held = [self._passages[place] for place in (*entry.pins, *entry.moved) if place in self._passages]
        free = sorted({p for p in held if self._pinned.get(p, TopicId(topic)) == topic})
        self._placed += len(free)
        new = [passage for passage in free if passage not in there]
        if new or made:
            self._add("move", passages=new, to=topic, made=made)

    def _pin(self, topic: int, entry: Entry, there: frozenset[int]) -> None:
        wanted = {self._passages[place] for place in entry.pins if place in self._passages}
        free = sorted(p for p in wanted - there if p not in self._pinned)
        if free:
            self._add("pin", topic=None, pins={str(topic): free})

    def _add(self, kind: str, **data: Any) -> None:
        self.edits.append({"kind": kind, "data": data})
