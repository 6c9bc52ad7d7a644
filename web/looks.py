"""Colours that topics keep: what pages paint by rank is written down before a refit gives topics other ranks."""

from __future__ import annotations

from riparian.catalog.engine import Database
from riparian.types import CollectionId


def keep_colours(database: Database, collection_id: CollectionId) -> None:
    """Gives every topic that is shown, and has none yet, the colours that pages paint it in: its tint and its hue."""
    from web.pages import archive, charts  # pages import the wiring, which imports this

    with database.write() as catalog:
        topics = archive.topics_of(catalog, collection_id)
        tints, hues = archive.tints(topics), charts.hues(len(topics))
        fresh = {
            topic.id: archive.colour(tints.get(topic.id, 0), hue)
            for topic, hue in zip(topics, hues, strict=True)
            if not topic.colour
        }
        catalog.curation.set_colours(fresh)
