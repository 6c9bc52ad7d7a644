"""A text of one's own in the topics of a collection: cut into passages as a document is, inferred, joined again."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.intake import Splitting
from indexer.passages import LONGEST
from indexer.service import OVERLAP
from riparian.errors import BadQuery
from riparian.types import CollectionId, Extracted, PassageId, Span
from topics.analysis import doubt
from topics.analysis.doubt import Stretch
from topics.learned import Told
from web.wiring import Services

MOST_PASSAGES = 400


@dataclass(frozen=True, slots=True)
class Looked:
    """The stretches of a text by topic, `passages` of which are numbers from 0; the likeliest labels of the whole, none
    where the topics learned none."""

    stretches: list[Stretch]
    told: tuple[Told, ...]


def look(services: Services, collection_id: CollectionId, text: str) -> Looked:
    """NoTopicsYet; BadQuery for a text without a word, or one beyond 400 passages."""
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
    said = services.topics.said(collection_id, [text[span.start : span.end] for span in spans])
    places = [(PassageId(number), span) for number, span in enumerate(spans)]
    told = services.learned.of_parts(said.info, said.kept, [span.end - span.start for span in spans])
    return Looked(doubt.stretches(places, services.topics.shown(said), model.topics), told)
