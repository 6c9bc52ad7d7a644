"""What a search answer is about: the topics of exactly the documents that it counts."""

from __future__ import annotations

from riparian.errors import NoTopicsYet
from riparian.types import SearchAnswer
from topics.analysis.service import Mix
from web.wiring import Services


def of_answer(services: Services, collection: str, answer: SearchAnswer) -> Mix | None:
    """None where the collection has no topics yet."""
    try:
        with services.database.read() as catalog:
            collection_id = catalog.collections.named(collection).id
        return services.analyses.mix(collection_id, answer.counted)
    except NoTopicsYet:
        return None
