"""A text of one's own in the topics of a collection: cut into passages as a document is, inferred, joined again."""

from __future__ import annotations

from indexer.intake import Splitting
from indexer.passages import LONGEST
from indexer.service import OVERLAP
from riparian.errors import BadQuery
from riparian.types import CollectionId, Extracted, PassageId, Span
from topics.analysis import doubt
from topics.analysis.doubt import Stretch
from web.wiring import Services

MOST_PASSAGES = 400


def stretches(services: Services, collection_id: CollectionId, text: str) -> list[Stretch]:
    """The stretches of the text by topic; `passages` of a stretch are numbers from 0.

    NoTopicsYet; BadQuery for a text without a word, or one beyond 400 passages.
    """
    if not text.strip():
        raise BadQuery("there is no text to find topics for")
    with services.database.read() as catalog:
        model = catalog.topics.active_model(collection_id)
        stored = catalog.encoders.get(model.encoder_id)
    encoder = services.encoders.of(stored)
    limit = encoder.info.max_tokens
    cut = Splitting(limit and min(limit, LONGEST), OVERLAP).spans(Extracted("", text), encoder)
    spans = [Span(span.start, span.end) for span in cut if text[span.start : span.end].strip()]
    if len(spans) > MOST_PASSAGES:
        raise BadQuery(
            f"the text has {len(spans)} passages; {MOST_PASSAGES} at most are looked at, so index it instead"
        )
    mixtures = services.topics.infer(collection_id, [text[span.start : span.end] for span in spans])
    places = [(PassageId(number), span) for number, span in enumerate(spans)]
    return doubt.stretches(places, mixtures, model.topics)
