"""What a search answer is about: the topics of exactly the documents that it counts."""

from __future__ import annotations

from riparian.errors import NoTopicsYet
from riparian.types import CollectionId, SearchAnswer
from topics.analysis.service import Mix
from web.wiring import Services


def of_answer(services: Services, collection_id: CollectionId, answer: SearchAnswer) -> Mix | None:
    """None where the collection has no topics yet."""
    try:
        return services.analyses.mix(collection_id, answer.counted)
    except NoTopicsYet:
        return None
