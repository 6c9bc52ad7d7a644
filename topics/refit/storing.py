"""Proposals in the catalog: all inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from riparian.catalog.catalog import Catalog
from riparian.catalog.curation import MARK
from riparian.catalog.topics import NewTopic
from riparian.types import CollectionId, EncoderId, TopicModelId, TopicModelInfo
from topics import memberships, mixtures
from topics.corpus import Corpus
from topics.curation import edits, store
from topics.curation.mixtures import VectorsOf
from topics.discover import Discovery
from topics.refit.carrying import Carried

PROPOSED, BEFORE, KEPT = "proposed", "before", "kept"


def propose(
    catalog: Catalog,
    collection_id: CollectionId,
    encoder: EncoderId,
    found: Corpus,
    discovery: Discovery,
    made: Carried,
    folder: str,
    settings: Mapping[str, Any],
) -> None:
    """A new model that nothing shows, with the topics that it would begin with."""
    new = [state.topic for key, state in sorted(made.topics.items()) if key < 0]
    model, ids = catalog.topics.add_model(
        collection_id, encoder, kind=discovery.fit.model.kind, folder=folder, settings=settings,
        scores=discovery.scores,
        topics=[NewTopic(t.number, t.label, t.terms, t.coherence, t.representatives) for t in new],
    )  # fmt: skip
    catalog.curation.set_state(model, PROPOSED)
    carried = made.numbered({topic.id: ids[topic.number] for topic in new})
    proposed = [carried.topics[key].topic for key in ids.values()]
    catalog.curation.put_topics(model, [replace(topic, state=PROPOSED) for topic in proposed])
    catalog.curation.put_parts(model, carried.parts)
    catalog.curation.put_starts(model, {key: edits.start_data(state) for key, state in carried.topics.items()})
    memberships.put_posteriors(catalog, model, collection_id, found, mixtures.kept(discovery.fit.theta))


def switch(catalog: Catalog, old: TopicModelId, new: TopicModelId, vectors_of: VectorsOf) -> None:
    """Shows the model `new` with its edits in place of `old`, everything derived anew."""
    curated = store.log(catalog, new).now()
    catalog.curation.clear(old)
    catalog.curation.clear(new)
    catalog.curation.put_topics(new, curated.stored())
    left = [topic for topic in catalog.curation.stored(old) if topic.id not in curated.topics]
    catalog.curation.put_topics(old, [replace(topic, state="retired") for topic in left if topic.state == "active"])
    store.rewrite(catalog, new, curated, catalog.curation.inferred(new), vectors_of)
    catalog.topics.activate(new)
    catalog.curation.set_state(new, KEPT)


def mark(
    catalog: Catalog,
    collection_id: CollectionId,
    model: TopicModelId,
    kind: str,
    data: Mapping[str, Any],
    author: str,
    reason: str,
) -> None:
    """A line of the history that is no edit."""
    catalog.curation.add_edit(collection_id, model, kind=kind, data=data, author=author, reason=reason, state=MARK)


def remove_proposals(catalog: Catalog, collection_id: CollectionId) -> list[str]:
    """Answers with the folders of what it removed; so does `remove_before`."""
    return _remove(catalog, [m for m in catalog.topics.models(collection_id) if m.state == PROPOSED])


def remove_before(catalog: Catalog, collection_id: CollectionId, *, keep: TopicModelId) -> list[str]:
    """Models older than the one that a refit replaces."""
    models = catalog.topics.models(collection_id)
    return _remove(catalog, [m for m in models if not m.active and m.state != PROPOSED and m.id != keep])


def _remove(catalog: Catalog, models: list[TopicModelInfo]) -> list[str]:
    folders = [catalog.topics.folder(info.id) for info in models]
    for info in models:
        catalog.topics.remove_model(info.id)
    return folders
