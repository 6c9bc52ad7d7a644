"""The archive at a glance: its collections, their topics, and things to try in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riparian import jobs as queue
from riparian.catalog.catalog import Catalog
from riparian.errors import NoTopicsYet
from riparian.types import Collection, CollectionId, Job, JobState, Topic, TopicId
from web.pages import strata
from web.pages.strata import Layer

UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Overview:
    """A collection with its topics, the largest first, their colours, and a drawing of their shares. `fresh` counts the
    new hits of its saved searches."""

    collection: Collection
    topics: tuple[Topic, ...]
    tints: dict[TopicId, int]
    layers: tuple[Layer, ...]
    fresh: int = 0


def largest(collections: Sequence[Collection]) -> Collection | None:
    """The collection with the most documents, the first by name of equal ones."""
    return min(collections, key=lambda collection: (-collection.documents, collection.name), default=None)


def overview(catalog: Catalog, collection: Collection) -> Overview:
    topics = topics_of(catalog, collection.id)
    drawn = strata.layers([topic.share for topic in topics])
    fresh = sum(len(one.fresh) for one in catalog.saved.all(collection.id))
    return Overview(collection, tuple(topics), tints(topics), tuple(drawn), fresh)


def topics_of(catalog: Catalog, collection_id: CollectionId) -> list[Topic]:
    """The topics of the active model, the largest first; none while there is no model."""
    try:
        model = catalog.topics.active_model(collection_id)
    except NoTopicsYet:
        return []
    return catalog.topics.of_model(model.id)


def tints(topics: Sequence[Topic]) -> dict[TopicId, int]:
    """The colour of each topic of a model, given the largest first: the same on every page, and after a refit."""
    found = strata.tints([topic.share for topic in topics])
    by_depth = {topic.id: tint for topic, tint in zip(topics, found, strict=False)}  # without shares, without colours
    return by_depth | {topic.id: int(topic.colour.split()[0]) for topic in topics if topic.colour}


def colour(tint: int, hue: str) -> str:
    """Both colours of a topic as they are stored: its tint in the drawing of the archive, its hue on the map."""
    return f"{tint} {hue}"


def hue(topic: Topic) -> str:
    """The hue that the topic keeps, "" where it has none yet."""
    return topic.colour.split()[1] if topic.colour else ""


def to_try(topics: Sequence[Topic], number: int = 3) -> list[str]:
    """Searches that find something: the leading words of the largest topics."""
    return [" ".join(term.term for term in topic.terms[:3]) for topic in topics[:number] if topic.terms]


def running(catalog: Catalog) -> list[Job]:
    """Jobs that are not finished, newest first."""
    return [job for job in queue.listed(catalog, limit=50) if job.state in UNFINISHED]
